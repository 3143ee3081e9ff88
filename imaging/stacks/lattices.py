"""The slices of a series by the lattice they lie on, and which of them share a place."""

from collections.abc import Sequence
from dataclasses import dataclass

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.geometry import SAME_PLACE_MM, same_lattice, slice_affine
from imaging.stacks.slices import Slice

MOST_LATTICES = 64
"""Of one series: a localizer has three, a few radial slices a dozen."""

SAME_PLACE = 0.02
"""Of SliceThickness: no slices overlap by so much."""

PLANES = {"S": "axial", "I": "axial", "A": "coronal", "P": "coronal"}
"""What slices are called by where their normal points; else sagittal."""


@dataclass(frozen=True)
class Placed:
    """A slice and the number of its place along the normal; slices of one place share it.

    height_mm: along the normal, from the origin.
    """

    slice: Slice
    place: int
    height_mm: float


Group = Sequence[Placed]
"""Slices of one lattice."""


def places(group: Group) -> frozenset[int]:
    """Return the numbers of the places that have slices."""
    return frozenset(placed.place for placed in group)


def are_apart(group: Group) -> bool:
    """Say whether no two slices share a place."""
    return len(places(group)) == len(group)


def range_mm(group: Group) -> tuple[float, float]:
    """Return the heights of the first and the last slice."""
    heights_mm = [placed.height_mm for placed in group]
    return min(heights_mm), max(heights_mm)


@dataclass(frozen=True)
class Lattice:
    """Slices of one size, spacing, orientation and StackID; name: "" if the series has no other."""

    slices: tuple[Placed, ...]
    name: str


def lattices_of(slices: Sequence[Slice]) -> list[Lattice]:
    """Return the slices by lattice, in order of their numbers; refuse slices that all differ."""
    groups = _groups(slices)
    if len(groups) == 1:
        return [Lattice(_placed(groups[0]), "")]
    if max(map(len, groups)) == 1:
        raise InputError(
            "mixed_geometry",
            f"its {len(groups)} slices all differ from each other in size, spacing or orientation",
        )
    groups.sort(key=_first_number)
    names = _plane_names(groups)
    return [Lattice(_placed(group), name) for group, name in zip(groups, names, strict=True)]


def _groups(slices: Sequence[Slice]) -> list[list[Slice]]:
    groups: dict[str, list[list[Slice]]] = {}
    found: dict[tuple[object, ...], list[Slice]] = {}
    for each, stack_id in zip(slices, _stack_ids(slices), strict=True):
        plane = each.plane
        key = (plane.size, plane.spacing_mm, plane.orientation, stack_id)
        if key not in found:  # to compare numbers is slow, and most slices have the very same
            found[key] = _group_like(each, groups.setdefault(stack_id, []))
        found[key].append(each)
    return [group for of_stack in groups.values() for group in of_stack]


def _group_like(one: Slice, groups: list[list[Slice]]) -> list[Slice]:
    """Return the group of the slice's lattice, within tolerance, or a new one."""
    for group in groups:
        if same_lattice(group[0].plane, one.plane):
            return group
    if len(groups) == MOST_LATTICES:
        raise InputError(
            "mixed_geometry",
            f"its slices have more than {MOST_LATTICES} sizes, spacings or orientations",
        )
    groups.append([])
    return groups[-1]


def _stack_ids(slices: Sequence[Slice]) -> list[str]:
    """Return the StackID of frames; "" where it counts slices, or is a maker's, of classic ones."""
    stack_ids = [str(each.own.get("StackID", "")) for each in slices]
    counts_slices = len(set(stack_ids)) > len(stack_ids) / 2
    return [""] * len(stack_ids) if counts_slices else stack_ids


def _first_number(group: Sequence[Slice]) -> float:
    return min(each.number("InstanceNumber", 0) for each in group)


def _plane_names(groups: Sequence[Sequence[Slice]]) -> list[str]:
    planes = [_plane_name(group[0]) for group in groups]
    return [
        plane if planes.count(plane) == 1 else f"{plane} {planes[: index + 1].count(plane)}"
        for index, plane in enumerate(planes)
    ]


def _plane_name(one: Slice) -> str:
    affine = slice_affine(
        orientation=one.plane.orientation,
        position_mm=one.plane.position_mm,
        pixel_spacing_mm=one.plane.spacing_mm,
    )
    return PLANES.get(nib.aff2axcodes(affine)[2], "sagittal")


def _placed(slices: Sequence[Slice]) -> tuple[Placed, ...]:
    row_cosine, column_cosine = np.reshape(slices[0].plane.orientation, (2, 3))
    normal = np.cross(row_cosine, column_cosine)
    heights_mm = np.array([each.plane.position_mm for each in slices]) @ normal
    places = _tiles(slices) or _heights(heights_mm, _same_place_mm(slices))
    return tuple(
        Placed(each, place, float(height_mm))
        for each, place, height_mm in zip(slices, places, heights_mm, strict=True)
    )


def _tiles(slices: Sequence[Slice]) -> list[int]:
    """Return the numbers of mosaics' tiles: each picture is a volume, wherever the head moved."""
    tiles = [each.own.get("tile") for each in slices]
    return [] if None in tiles else [int(tile) for tile in tiles if tile is not None]


def _heights(heights_mm: NDArray[np.float64], tolerance_mm: float) -> list[int]:
    order = np.argsort(heights_mm, kind="stable")
    is_next = np.diff(heights_mm[order]) >= tolerance_mm
    numbers = np.empty(len(heights_mm), int)
    numbers[order] = np.concatenate([[0], np.cumsum(is_next)])
    return [int(number) for number in numbers]


def _same_place_mm(slices: Sequence[Slice]) -> float:
    """Return how far apart slices of one place may lie: time points are rounded one by one."""
    thinnest_mm = min(each.thickness_mm for each in slices)
    return max(SAME_PLACE_MM, SAME_PLACE * thinnest_mm)
