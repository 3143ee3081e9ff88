"""The two answers to a zip: the network's input, and NIfTI volumes; a row each volume."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.archive import Limits
from imaging.candidates import series_candidates
from imaging.choice import ALL, ASKED
from imaging.errors import InputError
from imaging.geometry import Grid
from imaging.network_input import NetworkInput
from imaging.nifti import nifti_file
from imaging.options import Options
from imaging.pictures import picture_of
from imaging.plausibility import volume_quality
from imaging.quantities import Quantity, network_quantity, stored_quantity
from imaging.recipe import Recipe
from imaging.region_input import RegionInput, region_inputs
from imaging.region_masks import mask_label, region_mask
from imaging.regions import Drawings, Region, drawings_in, regions_in
from imaging.report import Report
from imaging.rows import feature_label, image_label, with_codes
from imaging.series import is_image
from imaging.source import Source, source_of
from imaging.stacks.planes import read_volume
from imaging.stacks.split import Stack
from imaging.study import Study
from imaging.study_volumes import read_study, readable_grid, stacks_in
from imaging.usable import chosen, usable_volumes
from imaging.volume import Volume
from imaging.whole_input import whole_input

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
    """One NIfTI file and its label for each volume, and for each region on it if wanted."""

    files: list[bytes] = field(default_factory=list)
    labels: list[dict[str, Any]] = field(default_factory=list)
    report: dict[str, Any] = field(default_factory=dict)


def feature_inputs(
    buffer: memoryview,
    *,
    recipe: Recipe,
    options: Options,
    limits: Limits,
    scanner_key: bytes = b"",
) -> FeatureInputs:
    """Return the network's input for the volumes and regions in the image series of a zip.

    scanner_key: makes names of scanners out of their serial numbers; empty for none.
    Raises InputError if the zip cannot be read, no series gives a row, or several series of one
    modality could be meant.
    """
    rows, report = FeatureInputs(), Report()
    study = read_study(buffer, options, limits, report)
    with report.timed("regions"):
        drawings = _drawings(study, options, limits)
    usable = usable_volumes(study, recipe, options, report)
    wanted = chosen(usable, study, drawings, recipe=recipe, options=options, report=report)
    for volume, reason in wanted:
        stack, grid = volume.stack, volume.grid
        with report.outcome(stack.part, stack.name):
            drawn = _regions(stack, grid, drawings, options, limits=limits, report=report)
            regions = [region for region in drawn if options.wants_region(region.name)]
            with report.timed("volumes"):
                source = source_of(grid, volume.quantity, volume.window, keeps_planes=bool(regions))
                image = image_label(
                    stack, grid, volume.quantity, chosen_by=reason, scanner_key=scanner_key
                )
            views = _views(source, regions, recipe=recipe, options=options, report=report)
            room = limits.output_bytes // recipe.row_bytes - len(rows.volumes)
            # All or none: a slice that cannot be read may come up with the last region only.
            for seen, region in _at_most(room, views, limits):
                with report.timed("previews"):
                    picture, layout = picture_of((seen, region), drawn, recipe, options=options)
                label = feature_label(image, recipe=recipe, seen=seen, region=region)
                rows.labels.append(label | layout)
                rows.volumes.append(seen.voxels)
                rows.previews.append(picture)
    rows.report = report.finished(study)
    if not rows.volumes:
        raise _no_regions(options, report)
    return rows


def nifti_files(
    buffer: memoryview, *, options: Options, limits: Limits, scanner_key: bytes = b""
) -> NiftiFiles:
    """Return each image series of a zip as NIfTI, in the quantity that its objects declare.

    With the option `masks`, each region follows its image as a mask of 0 and 1 on the same grid.
    With the option `candidates`, series are listed instead, and there is nothing in the files.
    scanner_key: makes names of scanners out of their serial numbers; empty for none.
    Raises InputError if the zip cannot be read, or no series gives a volume.
    """
    if options.candidates is not None:
        labels, told = series_candidates(buffer, options, limits)
        return NiftiFiles([b""] * len(labels), labels, told)
    rows, report = NiftiFiles(), Report()
    study = read_study(buffer, options, limits, report)
    with report.timed("regions"):
        drawings = drawings_in(study.series, limits) if options.masks else Drawings(())
    for stack in stacks_in(study, options, report):
        with report.outcome(stack.part, stack.name):
            with report.timed("volumes"):
                grid = readable_grid(stack, options)
                quantity = _nifti_quantity(stack, grid, options)
                volume = read_volume(grid, quantity)
                label = image_label(
                    stack,
                    grid,
                    quantity,
                    chosen_by=ASKED if options.series else ALL,
                    scanner_key=scanner_key,
                )
                label = with_codes(label, volume_quality(volume))
            drawn = _regions(stack, grid, drawings, options, limits=limits, report=report)
            regions = [region for region in drawn if options.wants_region(region.name)]
            with report.timed("files"):
                _add_file(rows, volume, label, options, limits=limits)
                for region in regions:
                    of_mask = mask_label(label, region, volume=volume, grid=grid)
                    _add_file(rows, region_mask(region, grid), of_mask, options, limits=limits)
    rows.report = report.finished(study)
    if options.masks and options.roi and not any(label["kind"] == "mask" for label in rows.labels):
        raise _no_regions(options, report)
    return rows


def _drawings(study: Study, options: Options, limits: Limits) -> Drawings:
    """Return the regions of a study; none if nobody wants them, and no series is chosen by them."""
    several = sum(map(is_image, study.series)) > 1
    nobody = options.regions == "whole" and not options.stack
    if nobody and (options.series or options.every_series or not several):
        return Drawings(())
    return drawings_in(study.series, limits)


def _nifti_quantity(stack: Stack, grid: Grid, options: Options) -> Quantity:
    """Return what the objects declare; SUVbw of PET only where that is asked for."""
    modality = stack.series.modality
    if options.pt_unit == "SUVbw":
        return network_quantity(modality, grid.slices)
    return stored_quantity(modality, grid.slices)


def _add_file(
    rows: NiftiFiles, volume: Volume, label: dict[str, Any], options: Options, *, limits: Limits
) -> None:
    file = nifti_file(volume, compress=options.compress)
    if sum(map(len, rows.files)) + len(file) > limits.output_bytes:
        raise _too_many_rows(limits)
    rows.files.append(file)
    rows.labels.append(label)


def _regions(
    stack: Stack,
    grid: Grid,
    drawings: Drawings,
    options: Options,
    *,
    limits: Limits,
    report: Report,
) -> tuple[Region, ...]:
    """Return the regions on a volume, if any are wanted or to be seen; the rest is reported."""
    if options.regions == "whole" and not options.stack:
        return ()
    with report.timed("regions"):
        found = regions_in(drawings, stack.series, grid, limits)
    report.skip_regions(stack.series, found.skipped)
    return found.regions


def _views(
    source: Source, regions: Iterable[Region], *, recipe: Recipe, options: Options, report: Report
) -> Iterator[View]:
    """Yield what the network sees: the whole volume, and each region on it, as wanted."""
    if options.whole_volumes and recipe.spatial_mode != "region":
        with report.timed("volumes"):
            seen = whole_input(source, recipe)
        yield seen, None
    for region in regions:
        for view in region_inputs(source, region, recipe):
            yield view.seen, view


def _at_most(room: int, views: Iterable[View], limits: Limits) -> list[View]:
    """Return all views; refuse more than there is room for."""
    listed: list[View] = []
    for view in views:
        if len(listed) == room:
            raise _too_many_rows(limits)
        listed.append(view)
    return listed


def _no_regions(options: Options, report: Report) -> InputError:
    wanted = "regions of the name asked for" if options.roi else "regions of interest"
    found = Counter(each["code"] for each in report.regions if _concerns(each, options))
    why = ", ".join(f"{code} ({number})" for code, number in sorted(found.items()))
    return InputError(
        "no_regions",
        f"the image series of the zip have no {wanted}{'; not drawn: ' if why else ''}{why}",
    )


def _concerns(skipped: dict[str, Any], options: Options) -> bool:
    """Say whether a skipped region is wanted; an object that cannot be read may hold it."""
    return not options.roi or skipped["name"] in ("", options.roi)


def _too_many_rows(limits: Limits) -> InputError:
    return InputError(
        "too_many_rows",
        f"the rows of this zip take more than the {limits.output_bytes} bytes of one answer",
    )
