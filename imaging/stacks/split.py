"""A series parted into stacks that each form one volume.

One SeriesInstanceUID may hold three planes of a localizer, echoes, components of the signal, time
points. Slices of one size, spacing and orientation that share no place are one stack as they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from imaging.series import Series
from imaging.stacks.contrasts import CONTRASTS, TIMES, Contrast, ranked
from imaging.stacks.lattices import Placed, lattices_of
from imaging.stacks.slices import Slice

Group = Sequence[Placed]


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
        time.within(lattice.name)
        for lattice in lattices_of(slices)
        for volume in _by_contrast(lattice.slices, CONTRASTS)
        for time in _times(volume)
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
    if not contrasts or _are_apart(group):
        yield _Part(group)
        return
    contrast, others = contrasts[0], contrasts[1:]
    values = _by_value(group, [contrast.value(placed.slice) for placed in group])
    if len({_places(part) for part in values.values()}) > 1:
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


def _times(volume: _Part) -> list[_Part]:
    """Return the time points of a part in order; the part itself if nothing tells them apart."""
    times = [] if _are_apart(volume.slices) else _time_points(volume.slices)
    return [
        _Part(
            group,
            (*volume.names, f"time {number} of {len(times)}"),
            lacking=len(times[0]) - len(group),
        )
        for number, group in enumerate(times, start=1)
    ] or [volume]


def _time_points(group: Group) -> list[list[Placed]]:
    for keyword in TIMES:
        values = [placed.slice.text(keyword) for placed in group]
        times = list(_by_value(group, values).values())
        if _are_time_points(times):
            return times
    times = _by_number(group)
    return times if _are_time_points(times) else []


def _by_number(group: Group) -> list[list[Placed]]:
    """Return MR slices by their turn among those of their place, as InstanceNumber counts them.

    In CT and PET slices of one place may be two reconstructions: numbers alone are no time.
    """
    if not all(p.slice.text("Modality") == "MR" and p.slice.text("InstanceNumber") for p in group):
        return []
    times: list[list[Placed]] = []
    turns: dict[int, int] = {}
    for placed in sorted(group, key=lambda p: p.slice.number("InstanceNumber")):
        turn = turns.get(placed.place, 0)
        turns[placed.place] = turn + 1
        if turn == len(times):
            times.append([])
        times[turn].append(placed)
    return times


def _are_time_points(times: Sequence[Group]) -> bool:
    """Say whether each is a volume of the same places; the last may have been cut short."""
    if len(times) < 2 or len(times[0]) < 2 or not all(map(_are_apart, times)):
        return False
    places = [_places(group) for group in times]
    whole = places if places[-1] == places[0] else places[:-1]
    return len(whole) > 1 and set(whole) == {places[0]} and places[-1] <= places[0]


def _are_apart(group: Group) -> bool:
    return len(_places(group)) == len(group)


def _places(group: Group) -> frozenset[int]:
    return frozenset(placed.place for placed in group)
