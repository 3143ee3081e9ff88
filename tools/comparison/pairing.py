"""Which volume of ours is which of the reference's: by shape, nearest values and place."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tools.comparison.conversion import Conversion, Ours
from tools.comparison.differences import AFFINE_MM, Difference, difference
from tools.comparison.images import Image
from tools.comparison.references import Reference

WHOLE_VOXELS = 0.01
"""How far a part may lie beside our voxels, of a voxel."""


@dataclass(frozen=True)
class Pair:
    """A volume of ours, one of the reference, and how they differ."""

    ours: Ours
    reference: Reference
    difference: Difference


@dataclass
class Pairing:
    """What is what; ours and references hold those that have no partner yet."""

    pairs: list[Pair]
    ours: list[Ours]
    references: list[Reference]


def paired(conversion: Conversion, references: Iterable[Reference]) -> Pairing:
    """Return the best pairs: time points stacked for references of four axes, then the others."""
    result = Pairing([], list(conversion.volumes), list(references))
    if any(each.image and len(each.image.shape) == 4 for each in result.references):
        for pair in _pair(conversion.time_series(), result):
            result.ours = [each for each in result.ours if each.members[0] not in pair.ours.members]
    for pair in _pair(result.ours, result):
        result.ours = [each for each in result.ours if each is not pair.ours]
    return result


def take(pairing: Pairing, wanted: Callable[[Image], bool]) -> Reference | None:
    """Return the first reference without a partner whose image is wanted, and give it one."""
    for number, each in enumerate(pairing.references):
        if each.image is not None and wanted(each.image):
            return pairing.references.pop(number)
    return None


def part_of(ours: Image, reference: Image) -> Image | None:
    """Return what the reference's grid is of ours, None if it is no smaller one on our voxels."""
    if ours.values is None or len(reference.shape) != 3 or reference.shape == ours.shape:
        return None
    offset = np.linalg.inv(ours.affine) @ reference.affine
    first = np.rint(offset[:3, 3]).astype(int)
    last = first + reference.shape[:3]
    on_voxels = np.abs(offset[:3, 3] - first).max() < WHOLE_VOXELS
    same_steps = np.abs(ours.affine - reference.affine)[:, :3].max() <= AFFINE_MM
    is_inside = np.all(first >= 0) and np.all(last <= ours.shape[:3])
    if not (on_voxels and same_steps and is_inside):
        return None
    (i, j, k), (i_end, j_end, k_end) = first, last
    affine = ours.affine.copy()
    affine[:3, 3] = (ours.affine @ (*first, 1))[:3]
    return replace(
        ours,
        shape=reference.shape,
        affine=affine,
        values=ours.values[i:i_end, j:j_end, k:k_end],
    )


def holds_centre(ours: Image, reference: Image) -> bool:
    """Say whether the middle of the reference lies in our volume."""
    middle = reference.affine @ (*(np.array(reference.shape[:3]) - 1) / 2, 1)
    index = (np.linalg.inv(ours.affine) @ middle)[:3]
    return bool(np.all(index >= -0.5) and np.all(index <= np.array(ours.shape[:3]) - 0.5))


def _pair(volumes: Sequence[Ours], result: Pairing) -> list[Pair]:
    """Return the best pairs of some of our volumes, and note them in the result."""
    candidates = sorted(_candidates(volumes, result.references), key=lambda each: _rank(each[2]))
    found: list[Pair] = []
    taken: set[int] = set()
    for ours, reference, apart in candidates:
        if not taken & {id(ours), id(reference)}:
            taken |= {id(ours), id(reference)}
            found.append(Pair(ours, reference, apart))
    found.sort(key=lambda pair: pair.ours.members)
    result.pairs += found
    result.references = [each for each in result.references if id(each) not in taken]
    return found


def _candidates(
    volumes: Sequence[Ours], references: Sequence[Reference]
) -> list[tuple[Ours, Reference, Difference]]:
    """Return what may be a pair; where two are equal, nothing else is looked at for ours."""
    free = [each for each in references if each.image is not None]
    found = []
    for ours in volumes:
        for reference in list(free):
            if reference.image is None or reference.image.shape != ours.image.shape:
                continue
            apart = difference(ours.image, reference.image)
            if _may_be(ours, apart):
                found.append((ours, reference, apart))
            if apart.is_equal and apart.is_same_place:
                free = [each for each in free if each is not reference]
                break
    return found


def _may_be(ours: Ours, apart: Difference) -> bool:
    if apart.is_equal or apart.scaling:
        return True
    is_near = apart.affine_mm <= ours.image.voxel_mm.min() / 2
    return is_near and "GAPS_INTERPOLATED" not in ours.codes


def _rank(apart: Difference) -> tuple[bool, bool, bool, float, float]:
    largest = float("inf") if apart.largest is None else apart.largest
    return (
        not apart.is_equal,
        apart.scaling is None,
        not apart.is_same_place,
        largest,
        apart.affine_mm,
    )
