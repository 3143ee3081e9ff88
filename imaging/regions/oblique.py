"""Closed contours that lie across the slices, to voxels: drawn on one series, wanted on another.

The planes of the contours are parallel to each other, and each stands for the slab of space in
which it is the nearest. Of the grid's axes the one that is flattest to these planes is followed:
seen along their normal, its lines of voxels are parallel, and cross the contours as rows would.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from imaging.errors import InputError
from imaging.geometry import LPS_TO_RAS, Grid
from imaging.regions.crossings import SNAP_DECIMALS, Edges, crossings
from imaging.regions.mask import Drawn, Mask
from imaging.regions.stacking import NEIGHBOUR, THICKEST_STEP_MM, distinct, spans

PLANAR_MM = 0.5
"""A contour that spans more than this along the common normal is not planar, or not parallel."""

SAME_PLANE_MM = 0.1
"""Contours no further apart than this lie in one plane."""

FLAT_MM = 1e-9
"""An axis that rises less than this a voxel above the contours' planes is parallel to them."""

MOST_AT_ONCE = 4_000_000
"""Lines of voxels through one slab, or crossings of them with contours: 0.3 GB of numbers."""

MOST_PLANES = 10_000
"""Of contours; a whole body in steps of half a millimetre has 4000."""

MOST_LINES = 100_000_000
"""Lines through all slabs of a region; a body over 512 × 512 × 200 voxels needs half of it."""


@dataclass(frozen=True)
class _View:
    """The grid as it is seen along the normal of the contours.

    axes: the grid's axes in the order a, b, c, from the flattest to the steepest.
    origin_ras_mm: the centre of voxel 0, 0, 0, where all coordinates of the view are 0.
    from_world: 3x3, mm in RAS+ to (along, across, above): along the lines of voxels of axis a, in
        voxels; across them, and above the planes of the contours, in mm.
    steps: 3x3, index (a, b, c) to the same; its first column is (1, 0, rise).
    """

    axes: tuple[int, int, int]
    origin_ras_mm: NDArray[np.float64]
    from_world: NDArray[np.float64]
    steps: NDArray[np.float64]

    @classmethod
    def along(cls, normal: NDArray[np.float64], grid: Grid) -> "_View":
        steps_mm = grid.affine[:3, :3]
        rises_mm = normal @ steps_mm
        a, b, c = (int(axis) for axis in np.argsort(np.abs(rises_mm) / grid.spacing_mm))
        # Upwards along a, so that lines enter slabs at their lower side.
        normal = normal * np.copysign(1.0, rises_mm[a if abs(rises_mm[a]) > FLAT_MM else c])
        flat_mm = steps_mm[:, a] - normal * (normal @ steps_mm[:, a])
        voxel_mm = np.linalg.norm(flat_mm)
        across = np.cross(normal, flat_mm / voxel_mm)
        across *= np.copysign(1.0, across @ steps_mm[:, b])
        from_world = np.stack((flat_mm / voxel_mm**2, across, normal))
        return cls((a, b, c), grid.affine[:3, 3], from_world, from_world @ steps_mm[:, (a, b, c)])

    @property
    def voxel_mm(self) -> float:
        """How far apart voxels are along the normal; the spacing, whatever way a cube is turned."""
        return float(np.linalg.norm(self.steps[2]))

    def of(self, points_ras_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return points as (along, across, above)."""
        seen = (points_ras_mm - self.origin_ras_mm) @ self.from_world.T
        return np.round(seen, SNAP_DECIMALS)


@dataclass(frozen=True)
class _Slab:
    """The space for which one plane of contours stands.

    box: int [3, 2], from where until before where voxels may be inside, along a, b and c.
    """

    edges: Edges
    from_mm: float
    to_mm: float
    box: NDArray[np.intp]

    @classmethod
    def of(
        cls, contours: Sequence[NDArray[np.float64]], reach_mm: NDArray[np.float64], view: _View
    ) -> "_Slab":
        edges = Edges.of(contours)
        along, across = np.stack((edges.begin.min(axis=0), edges.begin.max(axis=0)), axis=1)
        corners = np.stack(np.meshgrid(along, across, reach_mm), axis=-1).reshape(-1, 3)
        indices = corners @ np.linalg.inv(view.steps).T
        box = np.stack((np.floor(indices.min(axis=0)), np.ceil(indices.max(axis=0)) + 1), axis=1)
        return cls(edges, float(reach_mm[0]), float(reach_mm[1]), box.astype(np.intp))

    @property
    def line_count(self) -> int:
        return int(np.prod(self.box[1:, 1] - self.box[1:, 0]))


class _Lines(NamedTuple):
    """Lines of voxels of axis a through a slab, in order of `across`.

    b, c: which lines they are; along, across: where their voxel 0 is.
    first, last: voxels from `first` until before `last` lie in the slab.
    """

    b: NDArray[np.intp]
    c: NDArray[np.intp]
    along: NDArray[np.float64]
    across: NDArray[np.float64]
    first: NDArray[np.intp]
    last: NDArray[np.intp]


class _Runs(NamedTuple):
    """Voxels inside the contours: of a line (b, c), from `start` until before `stop` along a."""

    b: NDArray[np.intp]
    c: NDArray[np.intp]
    start: NDArray[np.intp]
    stop: NDArray[np.intp]


def fill_oblique(contours_lps_mm: Sequence[NDArray[np.float64]], grid: Grid) -> Drawn:
    """Return the voxels whose centres, seen along the contours' normal, lie inside an odd number.

    Each voxel belongs to the nearest plane of contours, within half of their usual distance.
    Refuses contours that are not planar and parallel, and regions without a voxel in the image.
    contours_lps_mm: float64 [points, 3] each, closed from the last point to the first.
    """
    contours = [points @ LPS_TO_RAS[:3, :3] for points in contours_lps_mm]
    view = _View.along(_common_normal(contours), grid)
    contours = [view.of(points) for points in contours]
    heights_mm = np.array([points[:, 2].mean() for points in contours])
    positions_mm, plane = distinct(heights_mm, SAME_PLANE_MM)
    if len(positions_mm) > MOST_PLANES:
        raise InputError("unusable_contours", f"its contours lie in {len(positions_mm)} planes")
    step_mm = _step_mm(np.diff(positions_mm), view.voxel_mm)
    members = np.split(np.argsort(plane), np.cumsum(np.bincount(plane))[:-1])
    slabs = [
        _Slab.of([contours[each] for each in chosen], reach_mm, view)
        for chosen, reach_mm in zip(members, spans(positions_mm, step_mm), strict=True)
    ]
    if sum(slab.line_count for slab in slabs) > MOST_LINES:
        raise InputError("unusable_contours", "its contours span more voxels than any image has")
    mask, total = _filled(slabs, view, grid)
    if not total:
        raise InputError("empty_region", "its contours enclose no voxel's centre")
    if mask is None:
        raise InputError("region_outside_image", "none of its voxels lies inside the image")
    absent = (np.diff(positions_mm) >= NEIGHBOUR * step_mm).any()
    notes = ("oblique", "slices_without_contours") if absent else ("oblique",)
    return Drawn(mask, mask.voxels / total, notes)


def _common_normal(contours: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the direction in which all contours are thinnest; refuse what is not thin."""
    centred = [points - points.mean(axis=0) for points in contours]
    scatter = np.sum([points.T @ points for points in centred], axis=0)
    normal: NDArray[np.float64] = np.linalg.eigh(scatter)[1][:, 0]  # of the smallest eigenvalue
    widest_mm = max(float(np.ptp(points @ normal)) for points in centred)
    if widest_mm > PLANAR_MM:
        raise InputError(
            "oblique_contours",
            f"a contour leaves the common plane by {widest_mm:.3g} mm; parallel ones are filled",
        )
    return normal


def _step_mm(gaps_mm: NDArray[np.float64], voxel_mm: float) -> float:
    """Return the distance over which planes of contours follow each other.

    It is no less than a voxel's, so that a plane of its own does not fall between voxels.
    """
    smallest_mm = float(gaps_mm.min(initial=np.inf))
    return max(smallest_mm, voxel_mm) if smallest_mm <= THICKEST_STEP_MM else voxel_mm


def _filled(slabs: Sequence[_Slab], view: _View, grid: Grid) -> tuple[Mask | None, int]:
    """Return the mask in the image, and how many voxels an endless image had."""
    size = np.array(grid.shape)[list(view.axes)]
    starts = np.min([slab.box[:, 0] for slab in slabs], axis=0).clip(0, size)
    stops = np.max([slab.box[:, 1] for slab in slabs], axis=0).clip(0, size)
    a, b, c = stops - starts
    changes = np.zeros((b, c, a + 1), np.int8)
    total = 0
    for slab in slabs:
        runs = _runs(slab, _lines(slab, view))
        total += int((runs.stop - runs.start).sum())
        _mark(changes, runs, starts)
    inside = np.add.accumulate(changes, axis=2, out=changes)[:, :, :-1] > 0
    first, second, third = np.argsort(view.axes)
    i, j, k = (int(starts[axis]) for axis in (first, second, third))
    whole = np.moveaxis(inside, 2, 0).transpose(first, second, third)
    return Mask.cropped(whole, (i, j, k)) if whole.size else None, total


def _lines(slab: _Slab, view: _View) -> _Lines:
    if slab.line_count > MOST_AT_ONCE:
        raise InputError("unusable_contours", "its contours span more voxels than any image has")
    start, stop = slab.box[0]
    b, c = (each.ravel() for each in np.meshgrid(*(np.arange(*each) for each in slab.box[1:])))
    along, across, above = (step[1] * b + step[2] * c for step in view.steps)
    rise_mm = max(view.steps[2, 0], FLAT_MM)
    first, last = (
        np.ceil((edge_mm - above) / rise_mm).clip(start, stop).astype(np.intp)
        for edge_mm in (slab.from_mm, slab.to_mm)
    )
    across = np.round(across, SNAP_DECIMALS)
    meets = np.flatnonzero(last > first)
    order = meets[np.argsort(across[meets])]
    return _Lines(*(each[order] for each in (b, c, along, across, first, last)))


def _runs(slab: _Slab, lines: _Lines) -> _Runs:
    """Return the voxels of the lines between their crossings with the contours, in pairs."""
    edge, line = crossings(
        np.searchsorted(lines.across, slab.edges.lower),
        np.searchsorted(lines.across, slab.edges.upper),
        most=MOST_AT_ONCE,
    )
    voxel = slab.edges.first_voxels(edge, lines.across[line], lines.along[line])
    voxel = voxel.clip(lines.first[line], lines.last[line])
    start, stop = slab.box[0]
    # One number a crossing sorts faster than two; it counts voxels line after line.
    ends = np.sort(line * (stop - start + 1) + voxel - start)
    begin, end = ends[::2], ends[1::2]
    begin, end = begin[end > begin], end[end > begin]
    line, begin = np.divmod(begin, stop - start + 1)
    return _Runs(lines.b[line], lines.c[line], begin + start, end % (stop - start + 1) + start)


def _mark(changes: NDArray[np.int8], runs: _Runs, starts: NDArray[np.intp]) -> None:
    """Note in [b, c, a] where runs begin and end, as far as they lie in the image."""
    b, c = runs.b - starts[1], runs.c - starts[2]
    start, stop = (each.clip(starts[0], None) - starts[0] for each in (runs.start, runs.stop))
    start, stop = (each.clip(None, changes.shape[2] - 1) for each in (start, stop))
    seen = (b >= 0) & (b < changes.shape[0]) & (c >= 0) & (c < changes.shape[1]) & (stop > start)
    # Runs of one slab neither overlap nor share a start: no element is named twice.
    changes[b[seen], c[seen], start[seen]] += 1
    changes[b[seen], c[seen], stop[seen]] -= 1
