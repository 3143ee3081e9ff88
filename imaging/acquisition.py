"""How a series was acquired, for harmonisation: attributes of a list, and no others.

No dates, no weight, no sex, no institution and no free text can come through here.
"""

import hashlib
import hmac
import math
import re
from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from pydicom.datadict import dictionary_VR

from imaging.instances import Instance
from imaging.tracer import declared, tracer

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

FORMS = MappingProxyType(
    {
        "CS": re.compile(r"[A-Z0-9_ ]{1,16}", re.ASCII),
        "LO": re.compile(r"[^\x00-\x1f]{1,64}"),
        "SH": re.compile(r"[^\x00-\x1f]{1,16}"),
    }
)
"""Texts of the list by value representation (PS3.5 6.2); what is of another form is no code of a
maker or of the standard, but a text that somebody wrote."""

CORRECTIONS = MappingProxyType(
    {
        "DecayCorrected": "DECY",
        "AttenuationCorrected": "ATTN",
        "ScatterCorrected": "SCAT",
        "DeadTimeCorrected": "DTIM",
        "GantryMotionCorrected": "MOTN",
        "PatientMotionCorrected": "PMOT",
        "CountLossNormalizationCorrected": "CLN",
        "RandomsCorrected": "RAN",
        "NonUniformRadialSamplingCorrected": "RADL",
        "SensitivityCalibrated": "DCAL",
        "DetectorNormalizationCorrection": "NORM",
    }
)
"""What enhanced PET says YES to (PS3.3 C.8.22), in the terms of CorrectedImage (C.8.9.1)."""

NUMBERS = frozenset({"DS", "FD", "FL", "IS", "SL", "SS", "UL", "US"})
"""Value representations of numbers (PS3.5 6.2)."""

SCANNER = ("DeviceSerialNumber", "StationName")
"""Never told; rows hold a keyed hash of the two."""

SCANNER_ID_DIGITS = 16
"""64 bits: a deployment has a few hundred scanners."""

KEYWORDS = sorted(
    {*ALL, *(word for words in BY_MODALITY.values() for word in words), CONTRAST, *CORRECTIONS}
)


def acquisition(modality: str, slices: Sequence[Instance]) -> dict[str, Any]:
    """Return the attributes of the middle slice that the list has, by keyword.

    Numbers are numbers, several values a list; what is absent or broken is left out. `contrast` is
    yes, no or unknown: whether the attribute is stated, stated empty, or absent. PET has its
    `radionuclide` and `tracer` instead.
    """
    middle = slices[len(slices) // 2]
    stated = {keyword: _value(middle, keyword) for keyword in (*ALL, *BY_MODALITY[modality])}
    if modality == "PT" and stated["CorrectedImage"] is None:
        stated["CorrectedImage"] = _corrections(middle) or None
    found = {keyword: value for keyword, value in stated.items() if value is not None}
    return found | (tracer(middle) if modality == "PT" else {"contrast": contrast(middle)})


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
        return tuple(sorted(declared(instance).items()))
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


def _corrections(instance: Instance) -> list[str]:
    """Return what enhanced PET was corrected for, in the words of classic PET."""
    return [term for keyword, term in CORRECTIONS.items() if instance.stated(keyword) == ("YES",)]


def _value(instance: Instance, keyword: str) -> Any:
    """Return a number, a text or a list of these; None for nothing of the attribute's kind."""
    texts = instance.stated(keyword)
    kind = dictionary_VR(keyword)
    # By the dictionary: a version of "4.10" is no number.
    found = [_number(text) if kind in NUMBERS else _code(text, kind) for text in texts]
    values = [value for value in found if value not in (None, "")]
    return values[0] if len(values) == 1 else values or None


def _code(text: str, kind: str) -> str:
    return text if FORMS[kind].fullmatch(text) else ""


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
