"""A series parted into stacks that each form one volume.

One SeriesInstanceUID may hold three planes of a localizer, echoes, components of the signal, time
points. Slices of one size, spacing and orientation that share no place are one stack as they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from imaging.series import Series
from imaging.stacks.contrasts import CONTRASTS, Contrast, ranked
from imaging.stacks.lattices import Group, Placed, are_apart, lattices_of, places, range_mm
from imaging.stacks.slices import Slice
from imaging.stacks.times import acquisitions, time_points


@dataclass(frozen=True)
class Stack:
    """Slices of one series that form one volume.

    name: what tells it from the other stacks, "" if the series is one volume.
    index: which of the series' stacks it is, from 1; count: how many there are.
    lacking: how many slices fewer it has than the other time points.
    """

    series: Series
    slices: tuple[Slice, ...]
    name: str = ""
    index: int = 1
    count: int = 1
    lacking: int = 0

    @property
    def objects(self) -> tuple[Slice, ...]:
        """One slice of each object that holds some of the stack, with the object's attributes."""
        first = {each.entry.number: each for each in reversed(self.slices)}
        return tuple(reversed(first.values()))

    @property
    def part(self) -> Series:
        """The series as far as it is this stack's."""
        return self.series if self.count == 1 else Series(self.objects)


@dataclass(frozen=True)
class _Part:
    slices: Group
    names: tuple[str, ...] = ()
    lacking: int = 0

    def within(self, name: str) -> "_Part":
        return replace(self, names=(name, *self.names)) if name else self


def stacks_of(series: Series, slices: Sequence[Slice]) -> tuple[Stack, ...]:
    """Return the stacks in the slices of a series; time points in their order.

    Slices that share a place, and that nothing tells apart, stay in one stack: geometry refuses it.
    """
    parts = [
        part.within(lattice.name)
        for lattice in lattices_of(slices)
        for volume in _by_contrast(lattice.slices, CONTRASTS)
        for time in _times(volume)
        for part in _ranges(time)
    ]
    return tuple(
        Stack(
            series,
            slices=tuple(placed.slice for placed in part.slices),
            name=", ".join(part.names),
            index=index,
            count=len(parts),
            lacking=part.lacking,
        )
        for index, part in enumerate(parts, start=1)
    )


def _by_contrast(group: Group, contrasts: Sequence[Contrast]) -> Iterator[_Part]:
    """Yield the volumes that the contrasts tell apart, as far as slices share places."""
    if not contrasts or are_apart(group):
        yield _Part(group)
        return
    contrast, others = contrasts[0], contrasts[1:]
    values = _by_value(group, [contrast.value(placed.slice) for placed in group])
    if not _are_contrasts(list(values.values())):
        values = {"": list(group)}
    for rank, (value, part) in enumerate(values.items(), start=1):
        for volume in _by_contrast(part, others):
            yield volume.within(contrast.name(value, rank) if len(values) > 1 else "")


def _by_value(group: Group, values: Sequence[str]) -> dict[str, list[Placed]]:
    """Return the slices by their values, in the order of these."""
    parts: dict[str, list[Placed]] = {value: [] for value in ranked(values)}
    for placed, value in zip(group, values, strict=True):
        parts[value].append(placed)
    return parts


def _are_contrasts(parts: Sequence[Group]) -> bool:
    """Say whether parts are what a contrast tells apart, and not slices that it varies with.

    They have the same places; or each is a volume as it is, along half of the whole and more: of
    other slices, or of which some are missing, which is for geometry to see.
    """
    if len(set(map(places, parts))) == 1:
        return True
    whole_mm = _length_mm([placed for part in parts for placed in part])
    return all(
        len(part) > 1 and are_apart(part) and 2 * _length_mm(part) >= whole_mm for part in parts
    )


def _length_mm(group: Group) -> float:
    low, high = range_mm(group)
    return high - low


def _times(volume: _Part) -> list[_Part]:
    """Return the time points of a part in order; the part itself if nothing tells them apart."""
    times = [] if are_apart(volume.slices) else time_points(volume.slices)
    most = max(map(len, times), default=0)
    return [
        _Part(
            group,
            (*volume.names, f"time {number} of {len(times)}"),
            lacking=most - len(group),
        )
        for number, group in enumerate(times, start=1)
    ] or [volume]


def _ranges(volume: _Part) -> list[_Part]:
    """Return the ranges of the body that were scanned one by one; else the part itself."""
    return [
        _Part(group, (*volume.names, f"acquisition {number}"))
        for number, group in acquisitions(volume.slices).items()
    ] or [volume]
