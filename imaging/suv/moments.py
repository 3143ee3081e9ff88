"""DICOM dates and times (PS3.5 6.2, DA, TM and DT) as seconds that can be subtracted."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from imaging.errors import InputError
from imaging.instances import Instance
from imaging.suv.attributes import is_enhanced, refusal, refuse_absent

DAY_S = 86_400.0

DATE = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
TIME = re.compile(r"(\d{2})(\d{2})(\d{2}(?:\.\d{1,6})?)?", re.ASCII)
"""TM and DT may end early. Without minutes there is no decay; seconds left out count as 0, which
is at most 0.6 % of the SUV of an F-18 tracer."""

DATE_TIME = re.compile(r"(\d{8})(\d{4,6}(?:\.\d{1,6})?)([+-]\d{4})?", re.ASCII)
UTC_OFFSET = re.compile(r"([+-])(\d{2})(\d{2})", re.ASCII)


@dataclass(frozen=True)
class Moment:
    """A date and time as an object states them.

    wall_s: seconds since 0001-01-01, by the clock on the wall.
    utc_offset_s: what that clock is ahead of UTC; None if nothing states it.
    source: the keyword of the attribute, for messages.
    """

    wall_s: float
    utc_offset_s: float | None
    source: str

    @property
    def midnight_s(self) -> float:
        return math.floor(self.wall_s / DAY_S) * DAY_S


def seconds_between(earlier: Moment, later: Moment) -> float:
    """Return elapsed seconds; clocks that cannot be related are taken to show the same time."""
    if earlier.utc_offset_s is None or later.utc_offset_s is None:
        return later.wall_s - earlier.wall_s
    return (later.wall_s - later.utc_offset_s) - (earlier.wall_s - earlier.utc_offset_s)


def are_unrelated(one: Moment, other: Moment) -> bool:
    """Say whether just one of two moments states its offset from UTC."""
    return (one.utc_offset_s is None) != (other.utc_offset_s is None)


def acquisition_moment(instance: Instance) -> Moment:
    """Return when the acquisition of an instance or frame began."""
    if is_enhanced(instance):
        return stated_moment(instance, "FrameAcquisitionDateTime")
    text = instance.text("AcquisitionDateTime")
    if text and not (instance.text("AcquisitionDate") and instance.text("AcquisitionTime")):
        return parse_date_time(text, instance, source="AcquisitionDateTime")
    refuse_absent(instance, "AcquisitionDate", "AcquisitionTime")
    return Moment(
        _stated(_date_s, instance, keyword="AcquisitionDate")
        + _stated(_time_s, instance, keyword="AcquisitionTime"),
        _offset_of_object_s(instance),
        "AcquisitionTime",
    )


def stated_moment(instance: Instance, keyword: str) -> Moment:
    """Return what a DT attribute states; refuse its absence."""
    refuse_absent(instance, keyword)
    return parse_date_time(instance.text(keyword), instance, source=keyword)


def series_moment(instance: Instance) -> Moment | None:
    """Return the date and time of the series, None if one of the two is absent."""
    if not (instance.text("SeriesDate") and instance.text("SeriesTime")):
        return None
    return Moment(
        _stated(_date_s, instance, keyword="SeriesDate")
        + _stated(_time_s, instance, keyword="SeriesTime"),
        _offset_of_object_s(instance),
        "SeriesTime",
    )


def parse_date_time(text: str, instance: Instance, *, source: str) -> Moment:
    """Return a DT value; one without offset has the object's TimezoneOffsetFromUTC, if any."""
    match = DATE_TIME.fullmatch(text)
    if match is None:
        raise _broken(instance, source)
    date_text, time_text, offset_text = match.groups()
    try:
        wall_s = _date_s(date_text) + _time_s(time_text)
        offset_s = _offset_s(offset_text) if offset_text else None
    except ValueError as error:
        raise _broken(instance, source) from error
    if offset_s is None:
        offset_s = _offset_of_object_s(instance)
    return Moment(wall_s, offset_s, source)


def time_of_day_s(instance: Instance, keyword: str) -> float:
    """Return the seconds since midnight that a TM attribute states."""
    return _stated(_time_s, instance, keyword=keyword)


def _offset_of_object_s(instance: Instance) -> float | None:
    if not instance.text("TimezoneOffsetFromUTC"):
        return None
    return _stated(_offset_s, instance, keyword="TimezoneOffsetFromUTC")


def _stated(parse: Callable[[str], float], instance: Instance, *, keyword: str) -> float:
    try:
        return parse(instance.text(keyword))
    except ValueError as error:
        raise _broken(instance, keyword) from error


def _date_s(text: str) -> float:
    year, month, day = map(int, _parts(DATE, text))
    return date(year, month, day).toordinal() * DAY_S


def _time_s(text: str) -> float:
    hours, minutes, seconds = (float(part or 0) for part in _parts(TIME, text))
    if hours >= 24 or minutes >= 60 or seconds >= 61:  # PS3.5 6.2: 60 is for a leap second
        raise ValueError("no time of day")
    return hours * 3600 + minutes * 60 + seconds


def _offset_s(text: str) -> float:
    sign, hours, minutes = _parts(UTC_OFFSET, text)
    if int(hours) > 14 or int(minutes) >= 60:  # PS3.5 6.2: from -1200 to +1400
        raise ValueError("no offset from UTC")
    return float(f"{sign}1") * (int(hours) * 3600 + int(minutes) * 60)


def _parts(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError("not of the value representation")
    return match.groups()


def _broken(instance: Instance, source: str) -> InputError:
    return refusal(f"entry {instance.entry.number} has a {source} that cannot be used")
