"""What the stored values of a PET series are, as classic and as enhanced objects declare it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from imaging.instances import Instance
from imaging.real_world import RealWorldMap, maps_of
from imaging.suv.attributes import (
    differs,
    is_enhanced,
    positive_numbers,
    refusal,
    refuse_absent,
    series_text,
)
from imaging.suv.decay import is_uncorrected

ANNOTATION = re.compile(r"\{([^}]*)\}")

MEANINGS = MappingProxyType(
    {
        ("Bq/ml", ""): "BQML",
        ("cm2/ml", ""): "BSA",
        ("cm2/ml", "suvbsa"): "BSA",
        ("g/ml", ""): "BW",
        ("g/ml", "suvbw"): "BW",
        ("g/ml", "suvibw"): "IBW",
        ("g/ml", "suvlbm"): "LBM",
        ("g/ml", "suvlbm(james128)"): "LBMJAMES128",
        ("g/ml", "suvlbm(janma)"): "LBMJANMA",
    }
)
"""Units of PET (PS3.16 CID 84, 85): the UCUM unit and its annotation, which may stand on either
side. Without one it is the SUV that Units GML and CM2ML mean without SUVType."""


@dataclass(frozen=True)
class StoredValues:
    """What stored values times `slopes` are.

    slopes: float64 [instances], above 0.
    meaning: BQML or CNTS, as Units has them; or the SUV as SUVType has it, BW where it is absent.
    """

    slopes: NDArray[np.float64]
    meaning: str


def stored_values(instances: Sequence[Instance], path: list[str]) -> StoredValues:
    """Return what is stored; refuse missing corrections, other units and intercepts but 0."""
    if is_enhanced(instances[0]):
        return _enhanced_values(instances, path)
    for instance in instances:
        refuse_absent(instance, "RescaleSlope", "RescaleIntercept", "Units", "CorrectedImage")
        if instance.number("RescaleIntercept") != 0:
            raise refusal(f"entry {instance.entry.number} has a RescaleIntercept other than 0")
    slopes = positive_numbers(instances, "RescaleSlope")
    _check_classic_corrections(instances, path)
    return StoredValues(slopes, _classic_meaning(instances))


def _check_classic_corrections(instances: Sequence[Instance], path: list[str]) -> None:
    series_text(instances, "CorrectedImage")
    corrections = {text.strip() for text in instances[0].texts("CorrectedImage")}
    if "ATTN" not in corrections:
        raise refusal("CorrectedImage does not hold ATTN: attenuation was not corrected")
    if "DECY" not in corrections and not is_uncorrected(instances):
        raise refusal("CorrectedImage does not hold DECY, and DecayCorrection is not NONE")
    if "DECY" in corrections and is_uncorrected(instances):
        path.append("decay_contradictory")


def _classic_meaning(instances: Sequence[Instance]) -> str:
    units = series_text(instances, "Units")
    if units in ("BQML", "CNTS"):
        return units
    if units not in ("GML", "CM2ML"):
        raise refusal("Units is none of BQML, CNTS, GML and CM2ML")
    is_by_surface = units == "CM2ML"
    suv_type = series_text(instances, "SUVType") or ("BSA" if is_by_surface else "BW")
    if is_by_surface != (suv_type == "BSA"):
        raise refusal("SUVType does not fit Units: BSA is in CM2ML, every other in GML")
    return suv_type


def _enhanced_values(instances: Sequence[Instance], path: list[str]) -> StoredValues:
    for instance in instances:
        refuse_absent(instance, "AttenuationCorrected", "DecayCorrected")
    if series_text(instances, "AttenuationCorrected") != "YES":
        raise refusal("AttenuationCorrected is not YES")
    if series_text(instances, "DecayCorrected") not in ("YES", "NO"):
        raise refusal("DecayCorrected is neither YES nor NO")
    maps = [_usable_map(instance) for instance in instances]
    meanings = {_meaning(each.unit) for each in maps}
    if len(meanings) > 1:
        raise differs("MeasurementUnitsCodeSequence")
    if any("{" not in each.unit for each in maps) and meanings != {"BQML"}:
        path.append("suv_type_absent")
    slopes = np.array([_slope(each) for each in maps])
    if not all(map(_is_rescaled, instances, maps)):
        path.append("rescale_contradictory")
    return StoredValues(slopes, meanings.pop())


def _usable_map(instance: Instance) -> RealWorldMap:
    """Return the first map of a frame to activity or SUV; there may be others, to counts."""
    number, maps = instance.entry.number, maps_of(instance)
    if not instance.items("RealWorldValueMappingSequence"):
        raise refusal(f"entry {number} has frames without RealWorldValueMappingSequence")
    if not maps:
        raise refusal(f"entry {number} has frames without MeasurementUnitsCodeSequence")
    usable = [each for each in maps if _meaning(each.unit)]
    if not usable:
        raise refusal("MeasurementUnitsCodeSequence is neither Bq/ml nor a unit of SUV")
    return usable[0]


def _meaning(code: str) -> str:
    """Return what a unit in UCUM means here, empty if nothing."""
    annotation = "".join(ANNOTATION.findall(code)).casefold()
    unit = ANNOTATION.sub("", code).replace("mL", "ml")
    return MEANINGS.get((unit, annotation), "")


def _slope(stated: RealWorldMap) -> float:
    slope, intercept = stated.line()
    number = stated.item.entry.number
    if intercept != 0:
        raise refusal(f"entry {number} has a RealWorldValueIntercept other than 0")
    if slope <= 0:
        raise refusal(f"entry {number} has a RealWorldValueSlope that is not above 0")
    return slope


def _is_rescaled(instance: Instance, stated: RealWorldMap) -> bool:
    """Say whether the frame's rescaling, if it has one, gives the same values as its map."""
    rescale = instance.number("RescaleSlope", 1.0), instance.number("RescaleIntercept", 0.0)
    return not instance.text("RescaleSlope") or stated.is_line(*rescale)
