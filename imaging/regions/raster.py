"""Closed contours to voxels: even-odd filling at voxel centres, in the grid's index space.

All contours of one plane are filled together, so that a contour within another is a hole, and a
keyhole closes itself. In index space planes are parallel and pixels square, whatever the geometry.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.geometry import LPS_TO_RAS, Grid
from imaging.regions.crossings import SNAP_DECIMALS, Edges, crossings
from imaging.regions.mask import Drawn, Mask
from imaging.regions.oblique import fill_oblique
from imaging.regions.stacking import THICKEST_STEP_MM, UnevenSlices, distinct, spans

SAME_PLANE = 0.02
"""Of a slice step: contours no further apart than this lie in one plane."""

OBLIQUE = 0.5
"""Of a slice step: a contour that spans more than this along the normal is not in a slice."""

REGULAR = 1.1
"""Relative: gaps are regular if half of them are no wider than this many times the smallest."""

FARTHEST = 1e5
"""In voxels, from the first: coordinates beyond this are no place in or near an image."""

MOST_RUNS = 20_000_000
"""Rows that one region may cross; a body over 1000 slices of 512 rows crosses a million."""


@dataclass(frozen=True)
class _Runs:
    """Rows of pixels inside the contours: [plane, row], from column `start` until before `stop`."""

    plane: NDArray[np.intp]
    row: NDArray[np.intp]
    start: NDArray[np.intp]
    stop: NDArray[np.intp]

    def chosen(self, which: NDArray[np.bool_]) -> "_Runs":
        return _Runs(self.plane[which], self.row[which], self.start[which], self.stop[which])


def fill_contours(contours_lps_mm: Sequence[NDArray[np.float64]], grid: Grid) -> Drawn:
    """Return the voxels whose centres lie inside an odd number of the contours of their plane.

    Each slice takes the nearest plane of contours, within half a step. Contours across the slices
    are filled by imaging.regions.oblique. Refuses regions without a voxel in the image.
    contours_lps_mm: float64 [points, 3] each, closed from the last point to the first.
    """
    if not contours_lps_mm:
        raise InputError("empty_region", "it has no closed contour")
    contours = _in_index_space(contours_lps_mm, grid)
    if any(np.ptp(contour[:, 2]) > OBLIQUE for contour in contours):
        return fill_oblique(contours_lps_mm, grid)
    positions, plane = distinct(
        np.array([contour[:, 2].mean() for contour in contours]), SAME_PLANE
    )
    first, last = _slices(positions, grid)
    runs = _runs(contours, plane)
    mask, inside, total = _filled(runs, first, last, grid.shape)
    if not total:
        raise InputError("empty_region", "its contours enclose no voxel's centre")
    if mask is None:
        raise InputError("region_outside_image", "none of its voxels lies inside the image")
    return Drawn(mask, inside / total, _notes(first, last))


def _in_index_space(
    contours_lps_mm: Sequence[NDArray[np.float64]], grid: Grid
) -> list[NDArray[np.float64]]:
    """Return the contours in (i, j, k); refuse what is far off."""
    to_index = np.linalg.inv(grid.affine) @ LPS_TO_RAS
    contours = [points @ to_index[:3, :3].T + to_index[:3, 3] for points in contours_lps_mm]
    if not all(np.all(np.abs(points) < FARTHEST) for points in contours):
        raise InputError("unusable_contours", "a contour has points far away from any image")
    return [_without_copies_of_first(np.round(points, SNAP_DECIMALS)) for points in contours]


def _without_copies_of_first(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a closed contour without its first point again at the end, as some programs write."""
    return points[:-1] if len(points) > 1 and np.array_equal(points[0], points[-1]) else points


def _step(positions: NDArray[np.float64], slice_mm: float) -> float:
    """Return the distance, in slices, over which planes of contours follow each other."""
    gaps = np.diff(positions)
    if len(gaps) < 2 or np.median(gaps) > REGULAR * gaps.min():
        return 1.0
    usual = float(np.median(gaps))
    return usual if 1.0 < usual <= THICKEST_STEP_MM / slice_mm else 1.0


def _slices(
    positions: NDArray[np.float64], grid: Grid
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return for each plane its first slice, and the one after its last."""
    uneven = UnevenSlices(grid.slices_at, 1.0) if grid.steps else None
    is_counted = uneven is not None and uneven.hold(positions)
    planes = uneven.numbers(positions) if uneven and is_counted else positions
    edges = spans(planes, _step(planes, float(grid.spacing_mm[2])))
    if uneven and is_counted:
        edges = uneven.edges(edges)
    first, last = np.ceil(edges).astype(np.intp).T
    return first, last


def _runs(contours: Sequence[NDArray[np.float64]], plane: NDArray[np.intp]) -> _Runs:
    """Return the rows of pixels inside: between the crossings of each row, in pairs."""
    edges = Edges.of(contours)
    edge_plane = np.repeat(plane, [len(points) for points in contours])
    edge, row = crossings(
        np.ceil(edges.lower).astype(np.intp), np.ceil(edges.upper).astype(np.intp), most=MOST_RUNS
    )
    column = edges.first_voxels(edge, row, 0.0)
    order = np.lexsort((column, row, edge_plane[edge]))
    column = column[order]
    return _Runs(edge_plane[edge][order][::2], row[order][::2], column[::2], column[1::2])


def _filled(
    runs: _Runs,
    first: NDArray[np.intp],
    last: NDArray[np.intp],
    shape: tuple[int, int, int],
) -> tuple[Mask | None, int, int]:
    """Return the mask in the image, its number of voxels, and how many an endless image had."""
    columns, rows, slices = shape
    total = int(((runs.stop - runs.start) * (last - first)[runs.plane]).sum())
    clipped = _Runs(runs.plane, runs.row, runs.start.clip(0, columns), runs.stop.clip(0, columns))
    seen = (clipped.stop > clipped.start) & (clipped.row >= 0) & (clipped.row < rows)
    first, last = first.clip(0, slices), last.clip(0, slices)
    seen &= (last > first)[clipped.plane]
    clipped = clipped.chosen(seen)
    if not len(clipped.row):
        return None, 0, total
    i, j, k = (int(each.min()) for each in (clipped.start, clipped.row, first[clipped.plane]))
    ends = (clipped.stop.max(), clipped.row.max() + 1, last[clipped.plane].max())
    inside = np.zeros((int(ends[0]) - i, int(ends[1]) - j, int(ends[2]) - k), np.bool_)
    for number in np.unique(clipped.plane):
        picture = _picture(clipped.chosen(clipped.plane == number), (i, j), inside.shape[:2])
        inside[:, :, first[number] - k : last[number] - k] = picture[:, :, np.newaxis]
    mask = Mask.cropped(inside, (i, j, k))
    return mask, int(np.count_nonzero(inside)), total


def _picture(runs: _Runs, corner: tuple[int, int], size: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return the runs of one plane as bool [i, j], from `corner` on."""
    columns, rows = size
    at = (runs.row - corner[1]) * (columns + 1) - corner[0]
    cells = rows * (columns + 1)
    change = np.bincount(at + runs.start, minlength=cells)
    change -= np.bincount(at + runs.stop, minlength=cells)
    filled: NDArray[np.bool_] = change.reshape(rows, columns + 1).cumsum(axis=1)[:, :-1].T > 0
    return filled


def _notes(first: NDArray[np.intp], last: NDArray[np.intp]) -> tuple[str, ...]:
    """Return what was unusual in how planes of contours met the slices."""
    unusual = {
        "contours_unused": bool((last <= first).any()),
        "contours_spread": bool((last - first > 1).any()),
        "slices_without_contours": bool((first[1:] > last[:-1]).any()),
    }
    return tuple(note for note, applies in unusual.items() if applies)
