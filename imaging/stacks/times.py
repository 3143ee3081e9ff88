"""Slices that share their places with others, told apart by when they were acquired."""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from imaging.stacks.contrasts import ranked
from imaging.stacks.lattices import Group, Placed, are_apart, places, range_mm
from imaging.stacks.slices import Slice

MOST_GAP = 4.0
"""Of the usual distance: what lies further apart was not scanned as one range."""


def _moment(one: Slice) -> str:
    """Return AcquisitionTime behind its date: scans go on past midnight."""
    time = one.text("AcquisitionTime")
    return f"{one.text('AcquisitionDate')}{time}" if time else ""


def _attribute(keyword: str) -> Callable[[Slice], str]:
    return lambda one: one.text(keyword)


TIMES = (
    _attribute("TemporalPositionIdentifier"),
    _attribute("TemporalPositionTimeOffset"),
    _attribute("TriggerTime"),
    _attribute("AcquisitionNumber"),
    _attribute("AcquisitionDateTime"),
    _moment,
    _attribute("FrameReferenceDateTime"),
    _attribute("FrameReferenceTime"),
    _attribute("ContentTime"),
)
"""The first that tells the volumes of one place apart is their order."""

TURNS = (
    _attribute("AcquisitionDateTime"),
    _moment,
    _attribute("FrameReferenceDateTime"),
    _attribute("FrameReferenceTime"),
    _attribute("TriggerTime"),
)
"""What each slice may have of its own: of dynamic scans of several beds, of tables that shuttle.

Two reconstructions of one scan agree in these, and not in ContentTime.
"""


def time_points(group: Group) -> list[list[Placed]]:
    """Return the slices of each time point, in order; none if nothing tells them apart.

    A time point may have lost slices, as long as it is clear which one it is.
    """
    for value in TIMES:
        times = list(_by_value(group, value).values())
        if _are_time_points(times):
            return times
    for value in TURNS:
        times = _by_moment(group, value)
        if _are_alike(times):
            return times
    times = _by_number(group)
    return times if _are_alike(times) or _is_cut_short(times) else []


def acquisitions(group: Group) -> dict[str, list[Placed]]:
    """Return the ranges of a CT that were scanned one by one; none if they form one volume.

    Scanners store chest and abdomen as one series. Ranges that touch are one volume, be their
    slices of another distance; those that overlap or lie far apart are not.
    """
    if not all(placed.slice.text("Modality") == "CT" for placed in group):
        return {}
    parts = _by_value(group, _attribute("AcquisitionNumber"))
    ranges = [range_mm(part) for part in parts.values() if len(part) > 1 and are_apart(part)]
    if "" in parts or len(parts) < 2 or len(ranges) < len(parts):
        return {}
    return parts if _are_ranges_apart(ranges, _usual_mm(group)) else {}


def _are_ranges_apart(ranges: Sequence[tuple[float, float]], usual_mm: float) -> bool:
    """Say whether ranges overlap, though by less than half, or lie far apart."""
    ordered = sorted(ranges)
    pairs = list(pairwise(ordered))
    beyond_mm = [following[0] - before[1] for before, following in pairs]
    shorter_mm = [min(high - low for low, high in pair) for pair in pairs]
    if any(-beyond > shorter / 2 for beyond, shorter in zip(beyond_mm, shorter_mm, strict=True)):
        return False
    return any(beyond <= 0 or beyond > MOST_GAP * usual_mm for beyond in beyond_mm)


def _usual_mm(group: Group) -> float:
    """Return the usual distance of the places of slices."""
    return float(np.median(np.diff(sorted({placed.height_mm for placed in group}))))


def _by_value(group: Group, value: Callable[[Slice], str]) -> dict[str, list[Placed]]:
    values = [value(placed.slice) for placed in group]
    parts: dict[str, list[Placed]] = {each: [] for each in ranked(values)}
    for placed, each in zip(group, values, strict=True):
        parts[each].append(placed)
    return parts


def _by_moment(group: Group, value: Callable[[Slice], str]) -> list[list[Placed]]:
    """Return the slices by their turn in time; none if two of one place are of one moment."""
    parts = _by_value(group, value)
    if "" in parts or not all(map(are_apart, parts.values())):
        return []
    return _by_turn([placed for part in parts.values() for placed in part])


def _by_number(group: Group) -> list[list[Placed]]:
    """Return MR slices by their turn as InstanceNumber counts them, and the frames of an object.

    In CT and PET slices of one place may be two reconstructions: numbers alone are no time. Nor are
    two objects of one place and number: one may be a copy of the other, under another UID.
    """
    slices = [placed.slice for placed in group]
    if not all(one.text("Modality") == "MR" and one.text("InstanceNumber") for one in slices):
        return []
    ordered = sorted(group, key=_number)
    objects = {(placed.place, _number(placed), placed.slice.entry.number) for placed in group}
    if len({key[:2] for key in objects}) < len(objects):
        return []
    return _by_turn(ordered)


def _number(placed: Placed) -> float:
    return placed.slice.number("InstanceNumber")


def _by_turn(ordered: Group) -> list[list[Placed]]:
    """Return the first slice of each place, then the second of each, and so on."""
    times: list[list[Placed]] = []
    turns: Counter[int] = Counter()
    for placed in ordered:
        if turns[placed.place] == len(times):
            times.append([])
        times[turns[placed.place]].append(placed)
        turns[placed.place] += 1
    return times


def _are_time_points(times: Sequence[Group]) -> bool:
    """Say whether most are volumes of the same places, the others a part of that.

    Where two are told apart, one of them may have lost a minority of its slices.
    """
    if len(times) < 2 or not all(map(are_apart, times)):
        return False
    every = frozenset[int]().union(*map(places, times))
    whole = sum(places(group) == every for group in times)
    return len(every) > 1 and 2 * whole >= len(times)


def _are_alike(times: Sequence[Group]) -> bool:
    return len(times) > 1 and len(times[0]) > 1 and len(set(map(places, times))) == 1


def _is_cut_short(times: Sequence[Group]) -> bool:
    """Say whether all but the last are whole, and came one after the other.

    If a slice is lost before the end, those behind it would be taken for another time point's.
    """
    if len(times) < 3 or not _are_alike(times[:-1]):
        return False
    numbers = [[_number(placed) for placed in group] for group in times]
    return all(max(before) < min(after) for before, after in pairwise(numbers))
