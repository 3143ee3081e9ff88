"""Regions of interest of an RTSTRUCT: contours in patient coordinates (PS3.3 C.8.8.5, C.8.8.6)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.geometry import Grid
from imaging.instances import Instance
from imaging.regions.drawing import (
    READING_FAILURES,
    Drawing,
    items,
    read_dataset,
    text,
    unreadable,
)
from imaging.regions.mask import Drawn
from imaging.regions.raster import fill_contours

CLOSED = frozenset({"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"})
"""Contours with an inside; POINT, OPEN_PLANAR and OPEN_NONPLANAR have none (PS3.3 C.8.8.6.1)."""

LEAST_POINTS = 3


@dataclass(frozen=True)
class ContourSet:
    """The contours of one region.

    closed_lps_mm: float64 [points, 3] each, in mm, LPS+; each contour once.
    without_inside: how many contours are points or lines.
    broken: how many cannot be read as points, or have less than three and should have more.
    """

    closed_lps_mm: tuple[NDArray[np.float64], ...]
    without_inside: int
    broken: int

    def on(self, grid: Grid) -> Drawn:
        """Return the voxels inside; refuse a region of which a part cannot be drawn."""
        if self.broken:
            raise InputError(
                "unusable_contours",
                f"{self.broken} of its contours are not three or more points of three numbers",
            )
        if self.without_inside and not self.closed_lps_mm:
            raise InputError(
                "unusable_contours",
                f"its {self.without_inside} contours are points or lines, without an inside",
            )
        drawn = fill_contours(self.closed_lps_mm, grid)
        if self.without_inside:
            return replace(drawn, notes=(*drawn.notes, "open_contours_ignored"))
        return drawn


def contour_drawings(instance: Instance, limits: Limits) -> tuple[Drawing, ...]:
    """Return the regions of an RTSTRUCT, in the order of its list; refuse a broken object."""
    dataset = read_dataset(instance, limits)
    try:
        regions = {int(roi.ROINumber): roi for roi in dataset.StructureSetROISequence}
        contours: dict[int, tuple[Dataset, ...]] = {}
        for item in items(dataset, "ROIContourSequence"):
            number = int(item.ReferencedROINumber)
            contours[number] = (*contours.get(number, ()), *items(item, "ContourSequence"))
        drawings = tuple(
            _drawing(roi, dataset, contours.get(number, ())) for number, roi in regions.items()
        )
    except READING_FAILURES as error:
        raise unreadable(instance, error) from error
    if len(regions) < len(dataset.StructureSetROISequence):
        raise unreadable(instance, "several of them have one ROINumber")
    if unlisted := len(contours.keys() - regions.keys()):
        raise unreadable(instance, f"it has contours of {unlisted} regions that it does not list")
    return drawings


def _drawing(roi: Dataset, dataset: Dataset, contours: Sequence[Dataset]) -> Drawing:
    frame_uid = text(roi, "ReferencedFrameOfReferenceUID") or text(dataset, "FrameOfReferenceUID")
    return Drawing(
        name=text(roi, "ROIName"),
        number=int(roi.ROINumber),
        frame_uid=frame_uid,
        series_uids=_referenced_series(dataset, frame_uid),
        on=_contour_set(contours).on,
    )


def _referenced_series(dataset: Dataset, frame_uid: str) -> frozenset[str]:
    """Return the image series named for a frame of reference; for all, if it is not listed."""
    frames = items(dataset, "ReferencedFrameOfReferenceSequence")
    same = [frame for frame in frames if text(frame, "FrameOfReferenceUID") == frame_uid]
    return frozenset(
        text(series, "SeriesInstanceUID")
        for frame in same or frames
        for study in items(frame, "RTReferencedStudySequence")
        for series in items(study, "RTReferencedSeriesSequence")
    )


def _contour_set(contours: Sequence[Dataset]) -> ContourSet:
    closed = [item for item in contours if text(item, "ContourGeometricType") in CLOSED]
    points = [_points(item) for item in closed]
    readable = [each for each in points if each is not None]
    areas = [each for each in readable if len(each) >= LEAST_POINTS]
    # A contour that is written twice would be filled even times, and vanish.
    distinct = {_corners(each): each for each in areas}
    return ContourSet(
        closed_lps_mm=tuple(distinct.values()),
        without_inside=len(contours) - len(closed) + len(readable) - len(areas),
        broken=len(points) - len(readable),
    )


def _corners(points: NDArray[np.float64]) -> bytes:
    """Return what a contour shares with itself, wherever it is begun and whichever way it runs."""
    in_order: NDArray[np.float64] = points[np.lexsort(points.T)]
    return in_order.tobytes()


def _points(item: Dataset) -> NDArray[np.float64] | None:
    """Return the points of a contour, float64 [points, 3] in mm, LPS+; None if they are broken.

    The text is taken apart here: pydicom makes an object of each number, at 20 times the cost.
    """
    if "ContourData" not in item:
        return None
    raw = item.get_item("ContourData").value
    try:
        numbers = np.array(raw.split(b"\\") if isinstance(raw, bytes) else list(raw), np.float64)
        # Less than three points are strays of the mouse, if there are not to be more.
        declared = int(item.get("NumberOfContourPoints") or LEAST_POINTS)
    except (TypeError, ValueError):
        return None
    least = min(declared, LEAST_POINTS)
    usable = len(numbers) % 3 == 0 and len(numbers) >= 3 * least
    return numbers.reshape(-1, 3) if usable and np.isfinite(numbers).all() else None
