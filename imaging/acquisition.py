"""How a series was acquired, for harmonisation: attributes of a list, and no others.

No dates, no weight, no sex, no institution and no free text can come through here.
"""

import hashlib
import hmac
import math
from collections.abc import Sequence
from typing import Any

from pydicom.datadict import dictionary_VR

from imaging.instances import PYDICOM_FAILURES, Instance

ALL = (
    "Manufacturer",
    "ManufacturerModelName",
    "SoftwareVersions",
    "ImageType",
    "SliceThickness",
    "ReconstructionDiameter",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
)
BY_MODALITY = {
    "CT": (
        "ConvolutionKernel",
        "KVP",
        "Exposure",
        "XRayTubeCurrent",
        "SpiralPitchFactor",
        "ReconstructionAlgorithm",
        "IterativeReconstructionMethod",
        "ContrastBolusAgentPhase",
        "NominalPercentageOfCardiacPhase",
    ),
    "PT": (
        "ActualFrameDuration",
        "ReconstructionMethod",
        "IterativeReconstructionMethod",
        "NumberOfIterations",
        "NumberOfSubsets",
        "ConvolutionKernel",
        "CorrectedImage",
        "DecayCorrection",
        "Units",
    ),
    "MR": (
        "MagneticFieldStrength",
        "ScanningSequence",
        "SequenceVariant",
        "RepetitionTime",
        "EchoTime",
        "InversionTime",
        "FlipAngle",
        "DiffusionBValue",
        "ParallelReductionFactorInPlane",
    ),
}
PHASE = {
    "CT": ("ContrastBolusAgentPhase", "NominalPercentageOfCardiacPhase"),
    "MR": (
        "ScanningSequence",
        "SequenceVariant",
        "RepetitionTime",
        "EchoTime",
        "InversionTime",
        "FlipAngle",
    ),
}

CONTRAST = "ContrastBolusAgent"
"""Free text: only whether it is stated is told."""

TRACER = "RadiopharmaceuticalInformationSequence"
TRACER_CODES = {
    "radionuclide": "RadionuclideCodeSequence",
    "tracer": "RadiopharmaceuticalCodeSequence",
}
"""What is told of the tracer, by the meaning of its code (PS3.16 CID 4020, 4021)."""

TRACER_TEXT = "Radiopharmaceutical"
"""The tracer's name where it has no code."""

NUMBERS = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "UL", "US"})
"""Value representations of numbers (PS3.5 6.2)."""

SCANNER = ("DeviceSerialNumber", "StationName")
"""Never told; rows hold a keyed hash of the two."""

SCANNER_ID_DIGITS = 16
"""64 bits: a deployment has a few hundred scanners."""

KEYWORDS = sorted({*ALL, *(word for words in BY_MODALITY.values() for word in words), CONTRAST})


def acquisition(modality: str, slices: Sequence[Instance]) -> dict[str, Any]:
    """Return the attributes of the middle slice that the list has, by keyword.

    Numbers are numbers, several values a list; what is absent or broken is left out. `contrast` is
    yes, no or unknown: whether the attribute is stated, stated empty, or absent. PET has its
    `radionuclide` and `tracer` instead.
    """
    middle = slices[len(slices) // 2]
    stated = {keyword: _value(middle, keyword) for keyword in (*ALL, *BY_MODALITY[modality])}
    found = {keyword: value for keyword, value in stated.items() if value not in (None, "")}
    return found | (_tracer(middle) if modality == "PT" else {"contrast": contrast(middle)})


def contrast(instance: Instance) -> str:
    """Return whether a contrast agent was given, as far as the object declares it."""
    if not instance.states(CONTRAST):
        return "unknown"
    return "yes" if instance.stated(CONTRAST) else "no"


def phase(modality: str, instance: Instance) -> tuple[object, ...]:
    """Return what makes another image of the same body, not a better or worse one.

    Contrast, its phase and the heart's; of MR the sequence with its times; of PET the tracer.
    """
    if modality == "PT":
        return tuple(sorted(_tracer(instance).items()))
    return (contrast(instance), *(instance.stated(keyword) for keyword in PHASE[modality]))


def scanner_id(instance: Instance, key: bytes) -> str | None:
    """Return a name of the scanner that tells nothing of it but that it is the same one.

    HMAC-SHA-256 (RFC 2104) of its serial number and station name; None without a key, or where the
    object has neither. Whoever has the key could try serial numbers: it belongs to the deployment.
    """
    stated = [" ".join(instance.stated(keyword)) for keyword in SCANNER]
    if not key or not any(stated):
        return None
    digest = hmac.new(key, "\0".join(stated).encode(), hashlib.sha256)
    return digest.hexdigest()[:SCANNER_ID_DIGITS]


def _tracer(instance: Instance) -> dict[str, str]:
    """Return radionuclide and tracer, as far as the object names them."""
    try:
        items = list(instance.header.get(TRACER) or ())[:1]
        found = {name: _meaning(items, keyword) for name, keyword in TRACER_CODES.items()}
        found["tracer"] = found["tracer"] or "".join(
            str(item.get(TRACER_TEXT) or "") for item in items
        )
    except PYDICOM_FAILURES:
        return {}
    return {name: text for name, text in found.items() if text}


def _meaning(items: Sequence[Any], keyword: str) -> str:
    codes = [code for item in items for code in list(item.get(keyword) or ())[:1]]
    return "".join(str(code.get("CodeMeaning") or "") for code in codes)


def _value(instance: Instance, keyword: str) -> Any:
    texts = instance.stated(keyword)
    values = [_number(text) for text in texts] if _is_numeric(keyword) else list(texts)
    return values[0] if len(values) == 1 else values or None


def _is_numeric(keyword: str) -> bool:
    """Say whether an attribute is a number by the dictionary: a version of "4.10" is none."""
    return dictionary_VR(keyword) in NUMBERS


def _number(text: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return number if math.isfinite(number) else text
