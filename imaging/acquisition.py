"""How a series was acquired, for harmonisation: attributes of a list, and no others.

No dates, no weight, no sex, no institution and no free text can come through here.
"""

from collections.abc import Sequence
from typing import Any

from imaging.instances import Instance

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
    ),
    "PT": (
        "ActualFrameDuration",
        "ReconstructionMethod",
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
CONTRAST = "ContrastBolusAgent"
"""Free text: only whether it is stated is told."""

KEYWORDS = sorted({*ALL, *(word for words in BY_MODALITY.values() for word in words), CONTRAST})


def acquisition(modality: str, slices: Sequence[Instance]) -> dict[str, Any]:
    """Return the attributes of the middle slice that the list has, by keyword.

    Numbers are numbers, several values a list; what is absent or broken is left out. `contrast` is
    yes, no or unknown: whether the attribute is stated, stated empty, or absent.
    """
    middle = slices[len(slices) // 2]
    stated = {keyword: _value(middle, keyword) for keyword in (*ALL, *BY_MODALITY[modality])}
    found = {keyword: value for keyword, value in stated.items() if value not in (None, "")}
    return found if modality == "PT" else found | {"contrast": contrast(middle)}


def contrast(instance: Instance) -> str:
    """Return whether a contrast agent was given, as far as the object declares it."""
    if CONTRAST not in instance.header:
        return "unknown"
    return "yes" if instance.text(CONTRAST) else "no"


def _value(instance: Instance, keyword: str) -> Any:
    values = [_number_or_text(text) for text in instance.stated(keyword)]
    return values[0] if len(values) == 1 else values or None


def _number_or_text(text: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return number if abs(number) < float("inf") else text
