"""All regions of a study that belong to one image series, and why others do not."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.geometry import Grid
from imaging.instances import Instance
from imaging.regions.drawing import Drawing
from imaging.regions.mask import Mask
from imaging.regions.rtstruct import contour_drawings
from imaging.regions.seg import segment_drawings
from imaging.series import REGIONS, Series

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"

BY_SERIES = "series"
BY_FRAME_OF_REFERENCE = "frame_of_reference"

NOTES = {
    "contours_spread": "contours further apart than the slices were taken for those between",
    "contours_unused": "contours lie closer than the slices; each slice took the nearest",
    "slices_without_contours": "slices between contours have none, and were left empty",
    "oblique": "the contours were drawn across the slices",
    "open_contours_ignored": "points or lines of the region have no inside",
    "resampled": "the segmentation has other voxels than the image: nearest neighbour",
    "other_frame_declared": "the object names this series, but another frame of reference",
    "other_patient_declared": "the object names another PatientID than the image",
    "duplicate_name": "another region of this image has the same name",
}
"""What may be noted about a region that was drawn."""


@dataclass(frozen=True)
class Region:
    """One region on the grid of one image series.

    name: verbatim; for people and result rows, never for messages and logs.
    number: ROINumber or SegmentNumber.
    source_uid: SOPInstanceUID of the RTSTRUCT or SEG.
    link: "series" if the object names the image series, else "frame_of_reference".
    fraction_inside: share of the region's volume that lies inside the image.
    notes: codes of NOTES.
    namesakes: how many other regions of the image have the same name.
    """

    name: str
    number: int
    source_uid: str
    link: str
    mask: Mask
    fraction_inside: float
    notes: tuple[str, ...]
    namesakes: int = 0


@dataclass(frozen=True)
class Skipped:
    """A region that could not be drawn on the image: a code of imaging.errors.REFUSALS, and why.

    name and number are "" and None where the whole object cannot be read.
    """

    name: str
    number: int | None
    source_uid: str
    code: str
    sentence: str


@dataclass(frozen=True)
class RegionsFound:
    """What the RTSTRUCT and SEG objects of a study hold for one image series."""

    regions: tuple[Region, ...]
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True)
class Drawings:
    """All regions of a study, read once for all of its image series.

    found: each region with the object that holds it; an object that cannot be read as skipped.
    """

    found: tuple[tuple[Instance, Drawing] | Skipped, ...]


def drawings_in(study_series: Sequence[Series], limits: Limits) -> Drawings:
    """Return the regions of the RTSTRUCT and SEG objects of a study, not yet on any grid."""
    found: list[tuple[Instance, Drawing] | Skipped] = []
    seen: dict[str, Instance] = {}
    for source in _sources(study_series):
        uid = _uid(source) or str(source.entry.number)
        first = seen.setdefault(uid, source)
        if first is source:
            found += _drawings(source, limits)
        elif first.entry.crc != source.entry.crc:
            sentence = (
                f"entry {source.entry.number} has the SOPInstanceUID of entry "
                f"{first.entry.number}, but is another object"
            )
            found.append(Skipped("", None, uid, "unreadable_regions", sentence))
    return Drawings(tuple(found))


def referenced_series(drawings: Drawings, roi: str) -> frozenset[str]:
    """Return the SeriesInstanceUIDs that the regions name; roi: only those of regions so called."""
    uids = [
        drawn[1].series_uids
        for drawn in drawings.found
        if not isinstance(drawn, Skipped) and roi in ("", drawn[1].name)
    ]
    return frozenset().union(*uids) - {""}


def regions_in(drawings: Drawings, image: Series, grid: Grid, limits: Limits) -> RegionsFound:
    """Return every region that names the image series, or shares its frame of reference.

    Contours and frames are placed by their coordinates; the images that they name one by one are
    not looked at, since copies have other UIDs. Refuses nothing: what cannot be used is `skipped`.
    """
    regions: list[Region] = []
    skipped: list[Skipped] = []
    room_bytes = limits.output_bytes
    for drawn in drawings.found:
        if isinstance(drawn, Skipped):
            skipped.append(drawn)
            continue
        source, drawing = drawn
        found = _placed(drawing, source, image, grid=grid, room_bytes=room_bytes)
        if isinstance(found, Region):
            regions.append(found)
            room_bytes -= found.mask.inside.nbytes
        else:
            skipped.append(found)
    return RegionsFound(_with_duplicates_noted(regions), tuple(skipped))


def _sources(study_series: Sequence[Series]) -> tuple[Instance, ...]:
    """Return the objects that hold regions; exports often hold files twice."""
    return tuple(
        instance
        for series in study_series
        if series.sop_class in REGIONS
        for instance in series.instances
    )


def _uid(source: Instance) -> str:
    """Return the SOPInstanceUID, "" if it is absent or broken: its regions may still be whole."""
    try:
        return source.text("SOPInstanceUID")
    except InputError:
        return ""


def _drawings(source: Instance, limits: Limits) -> list[tuple[Instance, Drawing] | Skipped]:
    """Return the regions of one object, each with it; one that cannot be read as skipped."""
    read = contour_drawings if source.text("SOPClassUID") == RTSTRUCT else segment_drawings
    try:
        return [(source, drawing) for drawing in read(source, limits)]
    except InputError as error:
        return [Skipped("", None, _uid(source), error.code, error.sentence)]


def _placed(
    drawing: Drawing, source: Instance, image: Series, *, grid: Grid, room_bytes: int
) -> Region | Skipped:
    """Return a region on the image's grid, or what stops that."""
    uid = _uid(source)
    try:
        link, notes = _link(drawing, image)
        if source.text("PatientID") != image.patient_id:
            notes = (*notes, "other_patient_declared")
        drawn = drawing.on(grid)
        if drawn.mask.inside.nbytes > room_bytes:
            raise InputError("too_large", "the masks of all regions together are above the limit")
    except InputError as error:
        return Skipped(drawing.name, drawing.number, uid, error.code, error.sentence)
    return Region(
        name=drawing.name,
        number=drawing.number,
        source_uid=uid,
        link=link,
        mask=drawn.mask,
        fraction_inside=drawn.fraction_inside,
        notes=(*drawn.notes, *notes),
    )


def _link(drawing: Drawing, image: Series) -> tuple[str, tuple[str, ...]]:
    """Return what links a region to an image, with a note if their frames of reference disagree."""
    frame_uid = image.instances[0].text("FrameOfReferenceUID")
    same_frame = bool(frame_uid) and drawing.frame_uid == frame_uid
    if image.series_uid in drawing.series_uids - {""}:
        disagree = bool(frame_uid and drawing.frame_uid) and not same_frame
        return BY_SERIES, ("other_frame_declared",) if disagree else ()
    if not same_frame:
        raise InputError(
            "other_frame_of_reference",
            "it names another image series, and shares no frame of reference with this one",
        )
    return BY_FRAME_OF_REFERENCE, ()


def _with_duplicates_noted(regions: Sequence[Region]) -> tuple[Region, ...]:
    counts = Counter(region.name for region in regions)
    return tuple(
        replace(
            region,
            notes=(*region.notes, "duplicate_name"),
            namesakes=counts[region.name] - 1,
        )
        if counts[region.name] > 1
        else region
        for region in regions
    )
