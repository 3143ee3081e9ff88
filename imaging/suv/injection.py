"""From the injection to the scan: when the tracer was given, and how long before.

Rules: Vácha et al., the manual of oncoray/suv_computation.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.instances import Instance
from imaging.suv.attributes import (
    GE_INJECTION_TIME,
    codes_of,
    private_texts,
    refusal,
    series_positive_number,
    series_text,
    tracers,
)
from imaging.suv.moments import (
    DAY_S,
    Moment,
    acquisition_moment,
    are_unrelated,
    parse_date_time,
    seconds_between,
    time_of_day_s,
)

SHORT_HALF_LIFE_S = 4 * 3600.0
"""Below it (F-18, Ga-68) 2 % of the dose are left after a day: nobody scans then, so dates that say
so were changed. Cu-64 (12.7 h), Zr-89 and I-124 are scanned after days."""

MOST_HALF_LIVES = 20.0
"""A millionth of the dose is left: the half-life (in minutes?) or the dates are wrong."""

USUAL_UPTAKE_MINUTES = (30.0, 180.0)
"""Of FDG; outside it, SUV cannot be compared and an injection time may be a typing error."""

FDG_CODES = frozenset({"C-B1031", "35321007"})
"""Fluorodeoxyglucose F^18^ in SRT and SCT: PS3.16 CID 4021."""


def known_uptake_minutes(instances: Sequence[Instance], path: list[str]) -> float | None:
    """Return the minutes from injection to acquisition, for information: None if unknown."""
    steps: list[str] = []
    try:
        moments = [acquisition_moment(instance) for instance in instances]
        since_s = seconds_since_injection(instances, moments, path=steps)
        minutes = uptake_minutes(instances, since_s, path=steps)
    except InputError:
        path.append("uptake_unknown")
        return None
    path.extend(steps)
    return minutes


def seconds_since_injection(
    instances: Sequence[Instance], moments: Sequence[Moment], *, path: list[str]
) -> NDArray[np.float64]:
    """Return float64 [instances]; refuse moments before the injection or implausibly long after.

    Dates more than a day apart from each other were changed if the tracer decays within hours, and
    de-identification keeps the time of day: then only that counts.
    """
    injection = _injection(instances, path)
    if any(are_unrelated(injection, moment) for moment in moments):
        path.append("utc_offset_ignored")
    since_s = np.array([seconds_between(injection, moment) for moment in moments])
    half_life = half_life_s(instances)
    if abs(since_s.min()) > DAY_S and half_life < SHORT_HALF_LIFE_S:
        path.append("dates_ignored")
        since_s -= math.floor(since_s.min() / DAY_S) * DAY_S
    if since_s.min() < 0:
        raise refusal(f"{moments[int(since_s.argmin())].source} is before {injection.source}")
    if since_s.max() > MOST_HALF_LIVES * half_life:
        raise refusal(
            f"{moments[int(since_s.argmax())].source} is more than {MOST_HALF_LIVES:.0f} times "
            f"RadionuclideHalfLife after {injection.source}"
        )
    return since_s


def _injection(instances: Sequence[Instance], path: list[str]) -> Moment:
    """Return when the tracer was injected: with its date, or on the day of the scan, or as GE."""
    items = tracers(instances)
    text = series_text(items, "RadiopharmaceuticalStartDateTime")
    if text:
        return parse_date_time(text, instances[0], source="RadiopharmaceuticalStartDateTime")
    if series_text(items, "RadiopharmaceuticalStartTime"):
        path.append("injection_time_only")
        return _injection_before_scan(items[0], earliest_acquisition(instances), path=path)
    ge_times = private_texts(instances, GE_INJECTION_TIME, path=path)
    if len(set(ge_times)) == 1:
        path.append("ge_injection_time")
        return parse_date_time(ge_times[0], instances[0], source=GE_INJECTION_TIME.name)
    raise refusal(
        "the PET series has no RadiopharmaceuticalStartDateTime, no RadiopharmaceuticalStartTime "
        f"and not one {GE_INJECTION_TIME.name}"
    )


def _injection_before_scan(tracer: Instance, scan: Moment, *, path: list[str]) -> Moment:
    """Return the last moment up to the scan at which the clock showed the injection's time."""
    keyword = "RadiopharmaceuticalStartTime"
    wall_s = scan.midnight_s + time_of_day_s(tracer, keyword)
    if wall_s > scan.wall_s:
        path.append("injection_day_before")
        wall_s -= DAY_S
    return replace(scan, wall_s=wall_s, source=keyword)


def uptake_minutes(
    instances: Sequence[Instance], since_s: NDArray[np.float64], *, path: list[str]
) -> float:
    """Return the minutes from injection to the first of the moments; code what is unusual."""
    minutes = float(since_s.min()) / 60
    shortest, longest = USUAL_UPTAKE_MINUTES
    if _is_fdg(tracers(instances)[0]) and not shortest <= minutes <= longest:
        path.append("uptake_unusual")
    return minutes


def half_life_s(instances: Sequence[Instance]) -> float:
    """Return the half-life of the tracer's nuclide."""
    return series_positive_number(tracers(instances), "RadionuclideHalfLife")


def earliest_acquisition(instances: Sequence[Instance]) -> Moment:
    """Return when the acquisition of the first instance began."""
    moments = [acquisition_moment(instance) for instance in instances]
    return min(moments, key=lambda moment: seconds_between(moments[0], moment))


def _is_fdg(tracer: Instance) -> bool:
    name = tracer.text("Radiopharmaceutical").upper()
    codes = codes_of(tracer, "RadiopharmaceuticalCodeSequence")
    return "FDG" in name or "DEOXYGLUCOSE" in name or bool(codes & FDG_CODES)
