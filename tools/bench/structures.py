"""The RTSTRUCT of a made study: round regions of interest."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import RTStructureSetStorage, generate_uid

from tools.bench.headers import FRAME_UID, described
from tools.bench.scans import Scan


def structures(scan: Scan, regions: int) -> Dataset:
    """Return an RTSTRUCT of round regions, each on forty slices or as many as there are."""
    dataset = described("RTSTRUCT", generate_uid(), RTStructureSetStorage)
    dataset.StructureSetLabel = "made"
    series, study, frame = Dataset(), Dataset(), Dataset()
    series.SeriesInstanceUID = scan.series_uid
    study.RTReferencedSeriesSequence = [series]
    frame.FrameOfReferenceUID = FRAME_UID
    frame.RTReferencedStudySequence = [study]
    dataset.ReferencedFrameOfReferenceSequence = [frame]
    numbers = range(1, regions + 1)
    dataset.StructureSetROISequence = [_roi(number) for number in numbers]
    dataset.ROIContourSequence = [_contours(scan, number, regions) for number in numbers]
    return dataset


def _roi(number: int) -> Dataset:
    roi = Dataset()
    roi.ROINumber = number
    roi.ReferencedFrameOfReferenceUID = FRAME_UID
    roi.ROIName = f"lesion {number}"
    return roi


def _contours(scan: Scan, number: int, regions: int) -> Dataset:
    angles = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    reach_mm = 0.3 * scan.pixel_mm * scan.size
    middle_mm = reach_mm * np.array([np.cos(number), np.sin(number)])
    half = min(20, scan.slices // 2 - 1)
    middle = half + int((scan.slices - 2 * half - 1) * number / (regions + 1))
    item = Dataset()
    item.ReferencedROINumber = number
    item.ContourSequence = []
    for k in range(middle - half, middle + half + 1):
        radius_mm = 1 + 20 * np.sqrt(max(0.0, 1 - ((k - middle) / (half + 1)) ** 2))
        circle = middle_mm + radius_mm * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        item.ContourSequence.append(_contour(circle, k * scan.step_mm))
    return item


def _contour(points_mm: NDArray[np.float64], z_mm: float) -> Dataset:
    contour = Dataset()
    contour.ContourGeometricType = "CLOSED_PLANAR"
    contour.NumberOfContourPoints = len(points_mm)
    flat: Sequence[float] = [each for x, y in points_mm for each in (x, y, z_mm)]
    contour.ContourData = [round(float(each), 3) for each in flat]
    return contour
