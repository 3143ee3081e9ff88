"""What the paragraph on methods says of images: intensities, geometry, regions of interest."""

from collections.abc import Iterable, Mapping
from itertools import groupby
from types import MappingProxyType

from gateway.results.cohort import Cohort
from gateway.results.labels import Label
from gateway.results.wording import counted, number, span, spans
from imaging.regions import NOTES
from imaging.suv.maps import PATH_CODES

ANTIALIAS: Mapping[str, str] = MappingProxyType(
    {
        "none": "without smoothing",
        "gaussian": "after a Gaussian along each axis that gets shorter",
        "area": "as averages of the voxels in each cell",
    }
)

SPATIAL: Mapping[str, str] = MappingProxyType(
    {
        "stretch": "the whole field of view was stretched to them, whatever its proportions",
        "spacing": "the middle of the field of view was sampled at a fixed distance",
    }
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
    units = counted(label.get("unit") for label in labels)
    notes = _in_words(labels, "unit_notes", PATH_CODES)
    minutes = span(label.get("uptake_minutes") for label in labels)
    way = f"notes on the way there: {notes}" if notes else "no row has a note on the way there"
    uptake = f"{minutes} minutes after the injection" if minutes else "at an unknown time"
    return f"PET rows are in {units}; {way}. PET was scanned {uptake}."


def geometry(cohort: Cohort) -> str:
    """Return orientation, samples and interpolation, as far as they are known."""
    labels, made_with = cohort.labels, cohort.made_with
    shapes = counted("×".join(map(str, label.get("network_shape") or "?")) for label in labels)
    oriented = counted(label.get("orientation") for label in labels)
    distances = spans(label.get("network_voxel_mm") for label in labels) or "unknown distances"
    anisotropy = span(label.get("network_anisotropy") for label in labels) or "unknown"
    if made_with:
        whole = SPATIAL.get(made_with["spatial_mode"], "")
        how = f"Interpolation was linear, {ANTIALIAS[made_with['antialias']]}" + (
            f"; of whole volumes {whole}." if whole else "."
        )
    else:
        how = (
            "Interpolation and smoothing are among the parameters behind the preprocessing's "
            "digest, and not stated in the rows: state them from the model's card."
        )
    return (
        f"Volumes were brought to the orientation {oriented} and sampled at {shapes} points, "
        f"{distances} mm apart (largest by smallest distance: {anisotropy}). {how}"
    )


def regions(cohort: Cohort) -> str:
    """Return where regions came from, what the network saw of them, and how large they are."""
    labels = [label for label in cohort.labels if label["roi"]]
    if not labels:
        return "No regions of interest were used."
    extents = spans(label.get("region_extent_mm") for label in labels)
    volumes = span(label.get("volume_ml") for label in labels)
    notes = _in_words(labels, "roi_notes", NOTES)
    return " ".join(
        (
            f"Regions came with the images, as RTSTRUCT or SEG objects: "
            f"{counted(label['roi'] for label in labels)}.",
            f"Each was shown in a box of {extents or 'unknown'} mm{_box(cohort.made_with)};",
            f"the volume of regions is {volumes or 'unknown'} ml; parts of a region in a row: "
            f"{counted(label.get('component') or 'not stated' for label in labels)}.",
            f"What was unusual about their contours: {notes or 'nothing'}.",
        )
    )


def _box(made_with: Mapping[str, str]) -> str:
    if not made_with:
        return ""
    centre = {"bbox": "bounding box", "centroid": "voxels"}[made_with["region_centre"]]
    beside = {"none": "what lies beside it was shown, too"}.get(
        made_with["region_mask"], "what lies beside it was set to the window's lower end"
    )
    return f" about the middle of its {centre}, {beside}"


def _in_words(labels: Iterable[Label], name: str, meanings: Mapping[str, str]) -> str:
    """Return what the notes of rows mean, and how many rows have each."""
    notes = (note for label in labels for note in label.get(name) or ())
    return counted(meanings.get(note, note).rstrip(".") for note in notes)
