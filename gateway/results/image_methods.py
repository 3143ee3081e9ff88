"""What the paragraph on methods says of images: intensities, geometry, regions of interest."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from types import MappingProxyType

from gateway.results.cohort import Cohort
from gateway.results.labels import Label
from gateway.results.wording import counted, named, number, span, spans
from imaging.regions import NOTES
from imaging.suv.maps import PATH_CODES

ANTIALIAS: Mapping[str, str] = MappingProxyType(
    {
        "none": "without smoothing",
        "gaussian": "after a Gaussian along each axis that gets shorter",
        "area": "as averages of the voxels in each cell",
    }
)

UNKNOWN_INTERPOLATION = (
    "Interpolation and smoothing are among the parameters behind the digest of the preprocessing, "
    "and not stated in the rows: take them from the model's card."
)


def values(cohort: Cohort) -> str:
    """Return what became of intensities, a clause for each modality and unit."""
    shown = sorted((label for label in cohort.labels if label.get("window")), key=_quantity)
    if not shown:
        return "The intensity window is not stated."
    clauses = [_window(*quantity, group) for quantity, group in groupby(shown, key=_quantity)]
    order = {"before": "before", "after": "after"}.get(cohort.made_with.get("window_order", ""))
    when = f", {order} they were interpolated" if order else ""
    return f"Values were clipped and scaled to between 0 and 1{when}: {'; '.join(clauses)}."


def _quantity(label: Label) -> tuple[str, str]:
    return str(label["modality"]), str(label.get("unit") or "unit not stated")


def _window(modality: str, unit: str, labels: Iterable[Label]) -> str:
    windows = {tuple(label["window"]) for label in labels}
    if len(windows) == 1:
        low, high = windows.pop()
        return f"{modality} from {number(low)} to {number(high)} {unit}"
    lows, highs = zip(*windows, strict=True)
    return (
        f"{modality} in a window of each image, its lower end {span(lows)} and its upper end "
        f"{span(highs)} {unit}"
    )


def pet(labels: list[Label]) -> str:
    """Return the unit of PET rows, how it came about, and the uptake; "" without any."""
    if not labels:
        return ""
    units = named(label.get("unit") or "a unit that is not stated" for label in labels)
    notes = _in_words(labels, "unit_notes", PATH_CODES)
    minutes = span(label.get("uptake_minutes") for label in labels)
    way = f"; notes on the way there, with numbers of rows: {notes}" if notes else ""
    uptake = f"{minutes} minutes after the injection" if minutes else "at an unknown time"
    return f"PET is in {units}{way}. It was scanned {uptake}."


def geometry(cohort: Cohort) -> str:
    """Return orientation, samples and interpolation, as far as they are known."""
    labels, made_with = cohort.labels, cohort.made_with
    oriented = named(label.get("orientation") or "not stated" for label in labels)
    shapes = named(_shape(label) for label in labels)
    whole = [label for label in labels if not label["roi"]]
    regions = [label for label in labels if label["roi"]]
    sampled = "; ".join(
        f"of {what} {_distances(of_them)}"
        for what, of_them in (("whole volumes", whole), ("regions", regions))
        if of_them
    )
    if not made_with:
        return f"Orientation: {oriented}; samples: {shapes}, {sampled}. {UNKNOWN_INTERPOLATION}"
    how = _whole(made_with) if whole else "; without smoothing"
    return f"Orientation: {oriented}; samples: {shapes}, {sampled}. Interpolation was linear{how}."


def _whole(made_with: Mapping[str, str]) -> str:
    """Return how whole volumes became samples."""
    if made_with["spatial_mode"] == "spacing":
        return "; of whole volumes the middle was sampled at a fixed distance, without smoothing"
    above = made_with["crop_above"]
    is_whole = above == "none"
    what = "whole fields of view were" if is_whole else f"the box of what is above {above} was"
    smoothed = ANTIALIAS[made_with["antialias"]]
    return f"; {what} stretched to the samples, whatever the proportions, {smoothed}"


def _shape(label: Label) -> str:
    return " × ".join(map(str, label.get("network_shape") or ("not stated",)))


def _distances(labels: list[Label]) -> str:
    distances = spans(label.get("network_voxel_mm") for label in labels) or "not stated how many"
    ratio = span(label.get("network_anisotropy") for label in labels) or "not stated"
    return f"{distances} mm apart (largest by smallest distance {ratio})"


def regions(cohort: Cohort) -> str:
    """Return where regions came from, what the network saw of them, and how large they are."""
    labels = [label for label in cohort.labels if label["roi"]]
    if not labels:
        return "No regions of interest were used."
    extents = spans(label.get("region_extent_mm") for label in labels) or "not stated how many"
    volumes = span(label.get("volume_ml") for label in labels) or "not stated how many"
    parts = named(label.get("component") or "not stated" for label in labels)
    unusual = _in_words(labels, "roi_notes", NOTES)
    return (
        "Regions of interest came with the images, as RTSTRUCT or SEG objects: "
        f"{counted(label['roi'] for label in labels)}. Each was shown in a box of {extents} mm"
        f"{_box(cohort.made_with)}. Regions measure {volumes} ml; their parts in a row: {parts}."
        + (f" Notes on contours, with numbers of rows: {unusual}." if unusual else "")
    )


def _box(made_with: Mapping[str, str]) -> str:
    if not made_with:
        return ""
    centre = {"bbox": "its bounding box", "centroid": "its voxels"}[made_with["region_centre"]]
    is_shown = made_with["region_mask"] == "none"
    outside = "as it is" if is_shown else "set to the window's lower end"
    return f" about the middle of {centre}, the image outside of the region {outside}"


def _in_words(labels: Iterable[Label], name: str, meanings: Mapping[str, str]) -> str:
    """Return what the notes of rows mean, and how many rows have each."""
    notes = (note for label in labels for note in label.get(name) or ())
    return counted(meanings.get(note, note).rstrip(".") for note in notes)
