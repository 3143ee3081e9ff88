"""Regions of a DICOM SEG: binary, fractional or label map (PS3.3 A.51, C.8.20; Supplement 243)."""

from collections.abc import Callable, Iterable
from functools import partial

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
from imaging.regions.frames import Frame, frames_on_grid
from imaging.regions.mask import Drawn
from imaging.regions.seg_pixels import FramePixels, frame_pixels

HALF = 0.5
"""Of MaximumFractionalValue: where a probability or an occupancy counts as inside."""

Inside = Callable[[], NDArray[np.bool_]]

KINDS = ("BINARY", "FRACTIONAL", "LABELMAP")


def segment_drawings(instance: Instance, limits: Limits) -> tuple[Drawing, ...]:
    """Return the segments of a SEG, in the order of its list; refuse a broken object.

    The background of a label map is no region.
    """
    dataset = read_dataset(instance, limits)
    try:
        return _drawings(dataset, instance, limits)
    except InputError:
        raise
    except READING_FAILURES as error:
        raise unreadable(instance, error) from error


def _drawings(dataset: Dataset, instance: Instance, limits: Limits) -> tuple[Drawing, ...]:
    kind = text(dataset, "SegmentationType")
    if kind not in KINDS:
        raise unreadable(instance)
    pixels = frame_pixels(instance, dataset, limits)
    if kind == "FRACTIONAL" and int(dataset.MaximumFractionalValue) < 1:
        raise unreadable(instance, "MaximumFractionalValue is not above 0")
    frames = _frames(dataset, pixels, kind)
    background = int(dataset.get("PixelPaddingValue", 0)) if kind == "LABELMAP" else None
    series_uids = frozenset(
        text(series, "SeriesInstanceUID") for series in items(dataset, "ReferencedSeriesSequence")
    )
    segments = {int(segment.SegmentNumber): segment for segment in dataset.SegmentSequence}
    if len(segments) < len(dataset.SegmentSequence):
        raise unreadable(instance, "several of them have one SegmentNumber")
    if unlisted := len(frames.keys() - segments.keys() - {background}):
        raise unreadable(instance, f"it has frames of {unlisted} segments that it does not list")
    return tuple(
        Drawing(
            name=text(segment, "SegmentLabel"),
            number=number,
            frame_uid=text(dataset, "FrameOfReferenceUID"),
            series_uids=series_uids,
            on=partial(_on_grid, frames.get(number, ()), every=_all(frames)),
        )
        for number, segment in segments.items()
        if number != background
    )


def _all(frames: dict[int, tuple[Frame, ...]]) -> tuple[Frame, ...]:
    return tuple(frame for each in frames.values() for frame in each)


def _on_grid(frames: tuple[Frame, ...], grid: Grid, *, every: tuple[Frame, ...]) -> Drawn:
    """Return a segment's voxels; the distance of planes is taken from every segment's frames."""
    if not frames:
        raise InputError("empty_region", "it has no frame")
    return frames_on_grid(frames, every, grid)


def _frames(dataset: Dataset, pixels: FramePixels, kind: str) -> dict[int, tuple[Frame, ...]]:
    """Return the frames of each segment; a frame of a label map belongs to each of its labels."""
    shared = items(dataset, "SharedFunctionalGroupsSequence")[:1]
    own = items(dataset, "PerFrameFunctionalGroupsSequence")
    if len(own) != pixels.count:
        raise ValueError("the frames and their descriptions differ in number")
    segments: dict[int, list[Frame]] = {}
    for index, item in enumerate(own):
        groups = (item, *shared)
        for number, inside in _segments_of(index, groups, dataset, pixels=pixels, kind=kind):
            segments.setdefault(number, []).append(_frame(groups, inside))
    return {number: tuple(frames) for number, frames in segments.items()}


def _segments_of(
    index: int,
    groups: tuple[Dataset, ...],
    dataset: Dataset,
    *,
    pixels: FramePixels,
    kind: str,
) -> Iterable[tuple[int, Inside]]:
    """Return the numbers of the segments in one frame, each with what yields its pixels."""
    if kind == "LABELMAP":
        for number in np.flatnonzero(np.bincount(pixels(index).ravel())):
            yield int(number), partial(_equal, pixels, index, number)
        return
    number = _macro(groups, "SegmentIdentificationSequence").ReferencedSegmentNumber
    least = HALF * int(dataset.MaximumFractionalValue) if kind == "FRACTIONAL" else 1
    yield int(number), partial(_at_least, pixels, index, least)


def _equal(pixels: FramePixels, index: int, number: int) -> NDArray[np.bool_]:
    equal: NDArray[np.bool_] = pixels(index) == number
    return equal


def _at_least(pixels: FramePixels, index: int, least: float) -> NDArray[np.bool_]:
    enough: NDArray[np.bool_] = pixels(index) >= least
    return enough


def _frame(groups: tuple[Dataset, ...], inside: Inside) -> Frame:
    measures = _macro(groups, "PixelMeasuresSequence")
    position = _macro(groups, "PlanePositionSequence").ImagePositionPatient
    orientation = _macro(groups, "PlaneOrientationSequence").ImageOrientationPatient
    # What the writer calls the distance of planes; else how thick each is.
    step_mm = measures.get("SpacingBetweenSlices") or measures.get("SliceThickness") or 0
    return Frame.placed(
        position_mm=[float(value) for value in position],
        orientation=[float(value) for value in orientation],
        pixel_spacing_mm=[float(value) for value in measures.PixelSpacing],
        step_mm=abs(float(step_mm)),
        inside=inside,
    )


def _macro(groups: tuple[Dataset, ...], keyword: str) -> Dataset:
    """Return the item of a functional group: the frame's own, or the one shared by all."""
    for group in groups:
        if found := items(group, keyword):
            return found[0]
    raise KeyError(keyword)
