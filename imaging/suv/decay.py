"""What decay does to SUV: the factor between the injected dose and the values of each slice.

f is what the dose has to be divided by, or the stored activity multiplied with, before SUV is their
ratio: Vácha et al., manual of oncoray/suv_computation, "Radiopharmaceutical dose (D)".
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from imaging.instances import Instance
from imaging.suv.attributes import (
    GE_SCAN_TIME,
    is_enhanced,
    positive_numbers,
    private_texts,
    refusal,
    refuse_absent,
    series_text,
)
from imaging.suv.injection import (
    earliest_acquisition,
    half_life_s,
    known_uptake_minutes,
    seconds_since_injection,
    uptake_minutes,
)
from imaging.suv.moments import (
    Moment,
    acquisition_moment,
    parse_date_time,
    seconds_between,
    series_moment,
    stated_moment,
)


@dataclass(frozen=True)
class Decay:
    """factors: float64 [instances], f per slice; uptake_minutes: injection to scan, if known."""

    factors: NDArray[np.float64]
    uptake_minutes: float | None


def decay_keyword(instance: Instance) -> str:
    """Return the keyword that says of an object whether decay was corrected."""
    return "DecayCorrected" if is_enhanced(instance) else "DecayCorrection"


def is_uncorrected(instances: Sequence[Instance]) -> bool:
    """Say whether the values hold the decay from the injection to each frame's end."""
    no = "NO" if is_enhanced(instances[0]) else "NONE"
    return series_text(instances, decay_keyword(instances[0])) == no


def decay(instances: Sequence[Instance], path: list[str]) -> Decay:
    """Return f by DecayCorrection or, of enhanced objects, DecayCorrected.

    Refuses other values than are defined, missing times, scans before injection.
    """
    if is_uncorrected(instances):
        return _uncorrected(instances, path)
    if is_enhanced(instances[0]):
        return _corrected_to_stated(instances, path)
    correction = series_text(instances, "DecayCorrection")
    if correction == "ADMIN":
        path.append("decay_to_injection")
        return Decay(np.ones(len(instances)), known_uptake_minutes(instances, path))
    if correction != "START":
        raise refusal("DecayCorrection is absent or none of START, ADMIN and NONE")
    since_s = seconds_since_injection(instances, _reference_moments(instances, path), path=path)
    factors = np.exp(_decay_constant(instances) * since_s)
    return Decay(factors, uptake_minutes(instances, since_s, path=path))


def _uncorrected(instances: Sequence[Instance], path: list[str]) -> Decay:
    path.append("decay_corrected_here")
    moments = [acquisition_moment(instance) for instance in instances]
    since_s = seconds_since_injection(instances, moments, path=path)
    factors = _decay_within_frame(instances) * np.exp(_decay_constant(instances) * since_s)
    return Decay(factors, uptake_minutes(instances, since_s, path=path))


def _corrected_to_stated(instances: Sequence[Instance], path: list[str]) -> Decay:
    """Return f of values that were corrected to DecayCorrectionDateTime (PS3.3 C.8.22)."""
    refuse_absent(instances[0], "DecayCorrectionDateTime")
    series_text(instances, "DecayCorrectionDateTime")
    reference = stated_moment(instances[0], "DecayCorrectionDateTime")
    since_s = seconds_since_injection(instances, [reference] * len(instances), path=path)
    if not since_s.any():
        path.append("decay_to_injection")
    uptake = known_uptake_minutes(instances, path)
    if uptake is not None and since_s[0] / 60 > uptake:
        path.append("decay_time_after_scan")
    return Decay(np.exp(_decay_constant(instances) * since_s), uptake)


def _decay_constant(instances: Sequence[Instance]) -> float:
    return math.log(2) / half_life_s(instances)


def _decay_within_frame(instances: Sequence[Instance]) -> NDArray[np.float64]:
    """Return activity at a frame's start over its mean in the frame: λT / (1 - exp(-λT))."""
    keyword = "FrameAcquisitionDuration" if is_enhanced(instances[0]) else "ActualFrameDuration"
    exponents = _decay_constant(instances) * positive_numbers(instances, keyword) / 1000  # ms
    ratios: NDArray[np.float64] = -exponents / np.expm1(-exponents)
    return ratios


def _reference_moments(instances: Sequence[Instance], path: list[str]) -> list[Moment]:
    """Return the moments that DecayCorrection START refers to, one an instance.

    GE's private scan time; else the series' time, unless it is later than the acquisition, as
    post-processing makes it; else it is computed.
    """
    ge_times = private_texts(instances, GE_SCAN_TIME, path=path)
    if ge_times:
        path.append("ge_decay_time")
        return [
            parse_date_time(text, instance, source=GE_SCAN_TIME.name)
            for text, instance in zip(ge_times, instances, strict=True)
        ]
    start = _series_start(instances)
    if start is not None and seconds_between(start, earliest_acquisition(instances)) >= 0:
        return [start] * len(instances)
    path.append("reference_time_computed")
    return _computed_reference_moments(instances)


def _series_start(instances: Sequence[Instance]) -> Moment | None:
    if series_text(instances, "SeriesDate") and series_text(instances, "SeriesTime"):
        return series_moment(instances[0])
    return None


def _computed_reference_moments(instances: Sequence[Instance]) -> list[Moment]:
    """Return acquisition + ln(λT / (1 - exp(-λT))) / λ - FrameReferenceTime, slice by slice.

    The middle term is when in the frame the activity is its mean: the manual's option B.
    """
    for instance in instances:
        refuse_absent(instance, "ActualFrameDuration", "FrameReferenceTime")
    mean_s = np.log(_decay_within_frame(instances)) / _decay_constant(instances)
    moments = []
    for instance, seconds in zip(instances, mean_s, strict=True):
        acquired = acquisition_moment(instance)
        seconds -= instance.number("FrameReferenceTime") / 1000  # ms
        moments.append(replace(acquired, wall_s=acquired.wall_s + float(seconds)))
    return moments
