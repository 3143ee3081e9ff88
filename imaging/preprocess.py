"""The two answers to a zip: the network's input, and NIfTI volumes; a row each volume."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.archive import Limits
from imaging.errors import InputError
from imaging.geometry import Grid, grid_of, untilted
from imaging.network_input import NetworkInput, Source, network_input, source_of
from imaging.nifti import nifti_gz
from imaging.options import Options
from imaging.preview import preview_png
from imaging.quantities import network_quantity, stored_quantity
from imaging.recipe import Recipe
from imaging.region_input import RegionInput, region_input
from imaging.regions import Drawings, Region, drawings_in, regions_in
from imaging.report import Report
from imaging.rows import feature_label, image_label
from imaging.series import (
    REGIONS,
    Series,
    is_image,
    refuse_pixels,
    refuse_unreadable,
    without_copies,
)
from imaging.stacks.contrasts import refuse_unsuited
from imaging.stacks.objects import slices_of
from imaging.stacks.planes import read_volume
from imaging.stacks.split import Stack, stacks_of
from imaging.study import Study
from imaging.windows import Window

View = tuple[NetworkInput, RegionInput | None]
"""What the network sees of a whole volume, or of one region on it."""


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
    """One .nii.gz file and its label for each volume: several for a series of several stacks."""

    files: list[bytes] = field(default_factory=list)
    labels: list[dict[str, Any]] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)


def feature_inputs(
    buffer: memoryview, *, recipe: Recipe, options: Options, limits: Limits
) -> FeatureInputs:
    """Return the network's input for each volume in the image series of a zip.

    Raises InputError if the zip cannot be read, or no series gives a row.
    """
    rows, report = FeatureInputs(), Report()
    study = _read(buffer, options, limits, report)
    with report.timed("regions"):
        drawings = Drawings(()) if options.regions == "whole" else drawings_in(study.series, limits)
    for stack in _stacks(study, options, report):
        with report.outcome(stack.part, stack.name):
            with report.timed("volumes"):
                grid = untilted(_grid(stack, options))
                window = _window(stack, recipe, options)
                quantity = network_quantity(stack.series.modality, grid.slices)
                source = source_of(grid, quantity, window)
                image = image_label(stack, grid, quantity)
            room = limits.output_bytes // recipe.row_bytes - len(rows.volumes)
            with report.timed("regions"):
                found = regions_in(drawings, stack.series, grid, limits)
            report.skip_regions(stack.series, found.skipped)
            views = _views(source, found.regions, recipe=recipe, options=options, report=report)
            # All or none: a slice that cannot be read may come up with the last region only.
            for seen, region in _at_most(room, views, limits):
                rows.labels.append(feature_label(image, recipe=recipe, seen=seen, region=region))
                rows.volumes.append(seen.voxels)
                with report.timed("previews"):
                    rows.previews.append(preview_png(seen.voxels) if options.preview else "")
    rows.report = report.finished(study)
    _refuse_without_rows(rows, options)
    return rows


def nifti_files(buffer: memoryview, *, options: Options, limits: Limits) -> NiftiFiles:
    """Return each image series of a zip as NIfTI, in the quantity that its objects declare.

    Raises InputError if the zip cannot be read, or no series gives a volume.
    """
    rows, report = NiftiFiles(), Report()
    study = _read(buffer, options, limits, report)
    for stack in _stacks(study, options, report):
        with report.outcome(stack.part, stack.name):
            with report.timed("volumes"):
                grid = _grid(stack, options)
                quantity = stored_quantity(stack.series.modality, grid.slices)
                volume = read_volume(grid, quantity)
            with report.timed("files"):
                file = nifti_gz(volume)
            if sum(map(len, rows.files)) + len(file) > limits.output_bytes:
                raise _too_many_rows(limits)
            rows.files.append(file)
            rows.labels.append(image_label(stack, grid, quantity))
    rows.report = report.finished(study)
    return rows


def _views(
    source: Source, regions: Iterable[Region], *, recipe: Recipe, options: Options, report: Report
) -> Iterator[View]:
    """Yield what the network sees: the whole volume, and each region on it, as wanted."""
    if options.whole_volumes:
        with report.timed("volumes"):
            seen = network_input(source, recipe)
        yield seen, None
    for region in regions:
        if options.wants_region(region.name):
            with report.timed("regions"):
                view = region_input(source, region, recipe)
            yield view.seen, view


def _at_most(room: int, views: Iterable[View], limits: Limits) -> list[View]:
    """Return all views; refuse more than there is room for."""
    listed: list[View] = []
    for view in views:
        if len(listed) == room:
            raise _too_many_rows(limits)
        listed.append(view)
    return listed


def _refuse_without_rows(rows: FeatureInputs, options: Options) -> None:
    if not rows.volumes:
        wanted = "regions of the name asked for" if options.roi else "regions of interest"
        raise InputError("no_regions", f"the image series of the zip have no {wanted}")


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


def _too_many_rows(limits: Limits) -> InputError:
    return InputError(
        "too_many_rows",
        f"the rows of this zip take more than the {limits.output_bytes} bytes of one answer",
    )


def _stacks(study: Study, options: Options, report: Report) -> Iterator[Stack]:
    """Yield the volumes of all series; what is no image series is noted in the report."""
    for series in study.series:
        stacks: tuple[Stack, ...] = ()
        try:
            if series.sop_class in REGIONS:
                report.regions_source(series)
                continue
            _refuse_unwanted(series, options)
            refuse_unreadable(series)
            instances = without_copies(series.instances)
            if copies := len(series.instances) - len(instances):
                report.warn("copies_left_out", series, copies)
            with report.timed("volumes"):
                stacks = stacks_of(series, slices_of(instances))
        except InputError as reason:
            with report.outcome(series):
                raise reason  # noted there; the next series goes on
        yield from stacks


def _grid(stack: Stack, options: Options) -> Grid:
    """Return where the slices of a stack lie, if their pixels can be read."""
    refuse_pixels(stack.objects)
    if stack.lacking:
        raise InputError(
            "incomplete_stack",
            f"it has {len(stack.slices)} of the {len(stack.slices) + stack.lacking} slices "
            "of the other time points",
        )
    return grid_of(stack.slices, lenient=options.lenient)


def _window(stack: Stack, recipe: Recipe, options: Options) -> Window:
    """Return the model's window for the series' modality; untrained modalities must be allowed.

    Refuses MR that shows no magnitude: its numbers are none that networks are trained on.
    """
    modality = stack.series.modality
    if modality not in recipe.trained_modalities and "untrained_modality" not in options.allow:
        trained = ", ".join(sorted(recipe.trained_modalities))
        raise InputError(
            "untrained_modality",
            f"the model was made for {trained}, this is {modality}; "
            "allow=untrained_modality gives rows that say so",
        )
    if modality == "MR":
        refuse_unsuited(stack.slices[0])
    if modality not in recipe.windows:
        raise InputError("no_window", f"the model has no intensity window for {modality}")
    return recipe.windows[modality]
