"""PET: the slopes that turn stored pixel values into SUVbw, or what stops that."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.instances import Instance
from imaging.suv.attributes import (
    PHILIPS_ACTIVITY_FACTOR,
    PHILIPS_SUV_FACTOR,
    PrivateElement,
    codes_of,
    private_texts,
    refusal,
    refuse_absent,
    series_positive_number,
    tracers,
)
from imaging.suv.body import BODY_MASSES, weight_g, weight_per_body_mass, weight_per_surface_g_cm2
from imaging.suv.decay import decay, decay_keyword, is_uncorrected
from imaging.suv.injection import known_uptake_minutes
from imaging.suv.stored import stored_values

PATH_CODES = MappingProxyType(
    {
        "dates_ignored": "Injection and scan were dated over a day apart: only times were used.",
        "decay_contradictory": "CorrectedImage holds DECY, but DecayCorrection is NONE.",
        "decay_corrected_here": "Decay was not corrected: it was here, slice by slice.",
        "decay_time_after_scan": "DecayCorrectionDateTime is later than the scan's start.",
        "decay_to_injection": "Decay was corrected to the injection: nothing was left to correct.",
        "dose_in_mbq": "RadionuclideTotalDose was taken as MBq.",
        "ge_decay_time": "The reference time is GE's private scan time.",
        "ge_injection_time": "The injection time is GE's private one.",
        "injection_day_before": "The injection was taken to be on the day before the scan.",
        "injection_time_only": "The injection had a time without a date.",
        "philips_activity_factor": "Counts were scaled by Philips' activity factor.",
        "philips_suv_factor": "Counts were scaled by Philips' SUV factor.",
        "private_creator_absent": "A private element was read by Manufacturer alone.",
        "reference_time_computed": "The reference time was computed from each slice's frame.",
        "rescale_contradictory": "RescaleSlope or RescaleIntercept differ from the map to a unit.",
        "sex_other_mean": "PatientSex is O: the mean of both sexes' formulas was used.",
        "stored_suv_bsa": "Stored was SUV by body surface.",
        "stored_suv_bw": "Stored was SUVbw itself.",
        "stored_suv_ibw": "Stored was SUV by ideal body weight.",
        "stored_suv_lbm": "Stored was SUV by lean body mass (Morgan).",
        "stored_suv_lbmjames128": "Stored was SUV by lean body mass (James).",
        "stored_suv_lbmjanma": "Stored was SUV by lean body mass (Janmahasatian).",
        "suv_type_absent": "The unit of SUV did not say which: body weight or surface was taken.",
        "suv_without_decay": "Stored was SUV, although decay was not corrected.",
        "uptake_unknown": "The minutes from injection to scan are not known, nor needed.",
        "uptake_unusual": "FDG was scanned before 30 or after 180 minutes.",
        "utc_offset_ignored": "Just one of injection and scan stated its offset from UTC.",
        "weight_in_grams": "PatientWeight was taken as grams.",
    }
)
"""The codes of SuvMaps.path: part of the contract, so they may be added, never renamed."""

F18_HALF_LIFE_S = 6586.2
F18_HALF_LIFE_TOLERANCE = 0.01
"""Relative: headers have 6584 to 6600; no other tracer's half-life is near."""

F18_CODES = frozenset({"C-111A1", "77004003"})
"""^18^Fluorine in SRT and SCT: PS3.16 CID 4020."""

LEAST_BQ = 10_000.0
"""A dose below it is not one in Bq: the doses in MBq that headers have are 20 to 1000."""


@dataclass(frozen=True)
class SuvMaps:
    """How stored pixel values become SUVbw.

    slopes: float64 [instances], in the order given: SUVbw in g/ml is slope x stored value.
    path: what was out of the ordinary, codes of PATH_CODES.
    uptake_minutes: from injection to the scan's start; None if unknown and not needed.
    """

    slopes: NDArray[np.float64]
    path: tuple[str, ...]
    uptake_minutes: float | None


@dataclass(frozen=True)
class _Scale:
    """factors: what rescaled values are multiplied with, a number or float64 [instances]."""

    factors: NDArray[np.float64] | float
    uptake_minutes: float | None


def suv_maps(instances: Sequence[Instance]) -> SuvMaps:
    """Return the slopes to SUVbw of a PET series, or refuse it with the code suv_impossible."""
    path: list[str] = []
    try:
        stored = stored_values(instances, path)
        scale = _scale(stored.meaning, instances, path=path)
    except InputError as error:
        raise refusal(error.sentence) from error
    return SuvMaps(stored.slopes * scale.factors, tuple(dict.fromkeys(path)), scale.uptake_minutes)


def _scale(meaning: str, instances: Sequence[Instance], *, path: list[str]) -> _Scale:
    if meaning == "BQML":
        return _scale_of_activity(instances, path)
    if meaning == "CNTS":
        return _scale_of_counts(instances, path)
    return _scale_of_suv(meaning, instances, path=path)


def _scale_of_activity(instances: Sequence[Instance], path: list[str]) -> _Scale:
    """Return weight x f / dose, for values in Bq/ml."""
    refuse_absent(instances[0], "PatientWeight", decay_keyword(instances[0]))
    weight = weight_g(instances, path)
    dose_bq = _dose_bq(tracers(instances), path)
    decayed = decay(instances, path)
    return _Scale(weight * decayed.factors / dose_bq, decayed.uptake_minutes)


def _dose_bq(items: Sequence[Instance], path: list[str]) -> float:
    dose = series_positive_number(items, "RadionuclideTotalDose")
    if dose >= LEAST_BQ:
        return dose
    if not _is_f18(items):
        raise refusal(
            "RadionuclideTotalDose is too small to be in Bq, and the tracer is not of F-18"
        )
    path.append("dose_in_mbq")
    return dose * 1e6


def _is_f18(items: Sequence[Instance]) -> bool:
    if codes_of(items[0], "RadionuclideCodeSequence") & F18_CODES:
        return True
    if not items[0].text("RadionuclideHalfLife"):
        return False
    half_life_s = series_positive_number(items, "RadionuclideHalfLife")
    return math.isclose(half_life_s, F18_HALF_LIFE_S, rel_tol=F18_HALF_LIFE_TOLERANCE)


def _scale_of_counts(instances: Sequence[Instance], path: list[str]) -> _Scale:
    """Return the scale by one of Philips' factors: to SUVbw, else to Bq/ml."""
    to_suv = _philips_factors(instances, PHILIPS_SUV_FACTOR, path=path)
    if to_suv is not None and not is_uncorrected(instances):
        path.append("philips_suv_factor")
        return _Scale(to_suv, known_uptake_minutes(instances, path))
    to_activity = _philips_factors(instances, PHILIPS_ACTIVITY_FACTOR, path=path)
    if to_activity is None:
        raise refusal(
            f"Units is CNTS, and neither {PHILIPS_SUV_FACTOR.name} nor "
            f"{PHILIPS_ACTIVITY_FACTOR.name} can be used"
        )
    path.append("philips_activity_factor")
    activity = _scale_of_activity(instances, path)
    return _Scale(to_activity * activity.factors, activity.uptake_minutes)


def _philips_factors(
    instances: Sequence[Instance], element: PrivateElement, *, path: list[str]
) -> NDArray[np.float64] | None:
    """Return one factor an instance; None if absent or 0, which Philips writes for unknown."""
    texts = private_texts(instances, element, path=path)
    try:
        factors = np.array([float(text) for text in texts])
    except ValueError as error:
        raise refusal(f"{element.name} is not a number") from error
    if not factors.any():
        return None
    if not np.all((factors > 0) & np.isfinite(factors)):
        raise refusal(f"{element.name} is not above 0 in all instances")
    return factors


def _scale_of_suv(suv_type: str, instances: Sequence[Instance], *, path: list[str]) -> _Scale:
    """Return the scale of SUV that was stored by weight, another body mass or body surface."""
    if suv_type == "BW":
        factor = 1.0
    elif suv_type == "BSA":
        factor = weight_per_surface_g_cm2(instances, path)
    elif suv_type in BODY_MASSES:
        factor = weight_per_body_mass(instances, BODY_MASSES[suv_type], path=path)
    else:
        raise refusal(f"SUVType is none of BW, BSA, {', '.join(BODY_MASSES)}")
    path.append(f"stored_suv_{suv_type.lower()}")
    if is_uncorrected(instances):
        path.append("suv_without_decay")
    return _Scale(factor, known_uptake_minutes(instances, path))
