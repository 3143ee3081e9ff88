"""The two answers to a zip: the network's input, and NIfTI volumes; a row each image series."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.geometry import Grid, grid_of
from imaging.network_input import network_input
from imaging.nifti import nifti_gz
from imaging.options import Options
from imaging.preview import preview_png
from imaging.quantities import network_quantity, stored_quantity
from imaging.recipe import Recipe
from imaging.report import Report
from imaging.rows import feature_label, image_label
from imaging.series import Series, is_image, refuse_unreadable, without_copies
from imaging.study import Study
from imaging.volume import read_volume
from imaging.windows import Window


@dataclass
class FeatureInputs:
    """What the extractor and the sender get, row by row.

    volumes: float32 [a, b, c, 1] each, 0 to 1.
    previews: a base64 PNG each, empty if not wanted.
    """

    volumes: list[NDArray[np.float32]] = field(default_factory=list)
    labels: list[dict[str, Any]] = field(default_factory=list)
    previews: list[str] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)


@dataclass
class NiftiFiles:
    """One .nii.gz file and its label for each image series."""

    files: list[bytes] = field(default_factory=list)
    labels: list[dict[str, Any]] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)


def feature_inputs(
    buffer: memoryview, *, recipe: Recipe, options: Options, limits: Limits
) -> FeatureInputs:
    """Return the network's input for each image series of a zip.

    Raises InputError if the zip cannot be read, or no series gives a row.
    """
    rows, report = FeatureInputs(), Report()
    study = _read(buffer, options, limits, report)
    for series in study.series:
        with report.outcome(series):
            _refuse_unwanted(series, options)
            _refuse_above(limits, recipe.row_bytes * (len(rows.volumes) + 1))
            with report.timed("volumes"):
                grid = _grid(series, report)
                window = _window(series, recipe, options)
                quantity = network_quantity(series.modality, grid.slices)
                seen = network_input(grid, quantity, window, recipe)
            label = feature_label(series, grid, quantity, seen, recipe)
            with report.timed("previews"):
                rows.previews.append(preview_png(seen.voxels) if options.preview else "")
            rows.volumes.append(seen.voxels)
            rows.labels.append(label)
    rows.report = report.finished(study)
    return rows


def nifti_files(buffer: memoryview, *, options: Options, limits: Limits) -> NiftiFiles:
    """Return each image series of a zip as NIfTI, in the quantity that its objects declare.

    Raises InputError if the zip cannot be read, or no series gives a volume.
    """
    rows, report = NiftiFiles(), Report()
    study = _read(buffer, options, limits, report)
    for series in study.series:
        with report.outcome(series):
            _refuse_unwanted(series, options)
            with report.timed("volumes"):
                grid = _grid(series, report)
                quantity = stored_quantity(series.modality, grid.slices)
                volume = read_volume(grid, quantity)
            with report.timed("files"):
                file = nifti_gz(volume)
            _refuse_above(limits, sum(map(len, rows.files)) + len(file))
            rows.files.append(file)
            rows.labels.append(image_label(series, grid, quantity))
    rows.report = report.finished(study)
    return rows


def _read(buffer: memoryview, options: Options, limits: Limits, report: Report) -> Study:
    """Return the study in the zip; refuse it if the one series that is wanted is not there."""
    with report.timed("headers"):
        study = Study.from_zip(buffer, limits)
    images = [series.series_uid for series in study.series if is_image(series)]
    if options.series and options.series not in images:
        raise InputError(
            "unknown_series",
            f"the zip has no image series of the UID asked for; it has {', '.join(images)}",
        )
    return study


def _refuse_unwanted(series: Series, options: Options) -> None:
    if options.series and series.series_uid != options.series:
        raise InputError("not_chosen", "another series was asked for")


def _refuse_above(limits: Limits, output_bytes: int) -> None:
    if output_bytes > limits.output_bytes:
        raise InputError(
            "too_many_rows",
            f"the rows of this zip take more than the {limits.output_bytes} bytes of one answer",
        )


def _grid(series: Series, report: Report) -> Grid:
    """Return where the slices of a readable image series lie; copies of a slice count once."""
    refuse_unreadable(series)
    instances = without_copies(series.instances)
    if copies := len(series.instances) - len(instances):
        report.warn("copies_left_out", series, copies)
    return grid_of(instances)


def _window(series: Series, recipe: Recipe, options: Options) -> Window:
    """Return the model's window for the series' modality; untrained modalities must be allowed."""
    if (
        series.modality not in recipe.trained_modalities
        and "untrained_modality" not in options.allow
    ):
        trained = ", ".join(sorted(recipe.trained_modalities))
        raise InputError(
            "untrained_modality",
            f"the model was made for {trained}, this is {series.modality}; "
            "allow=untrained_modality gives rows that say so",
        )
    if series.modality not in recipe.windows:
        raise InputError("no_window", f"the model has no intensity window for {series.modality}")
    return recipe.windows[series.modality]
