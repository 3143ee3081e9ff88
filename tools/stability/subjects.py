"""The rows of a study, each with where its input is sampled: what is measured repeatedly."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.archive import Limits
from imaging.geometry import LPS_TO_RAS, Grid
from imaging.options import Options
from imaging.recipe import Recipe
from imaging.region_input import region_inputs
from imaging.regions import Drawings, Mask, Region, drawings_in, regions_in
from imaging.regions.measures import components, dilated
from imaging.report import Report
from imaging.source import Source, source_of
from imaging.stacks.planes import read_volume
from imaging.study_volumes import read_study
from imaging.usable import Usable, chosen, usable_volumes
from tools.stability.lattice import Lattice, box_lattice, stretched_lattice
from tools.stability.noise import noise_sd
from tools.stability.perturbations import Image

WHOLE, REGION = "whole volume", "region of interest"

PAIRED_BY = ("modality", "stack_index", "roi", "component")
"""What a row and its retest have in common: UIDs and numbers of regions are new in each scan."""


@dataclass(frozen=True)
class Subject:
    """One row: a whole volume, or a region of interest.

    label: what identifies it. shown: the voxels outside of which the network sees nothing, if any.
    """

    label: dict[str, Any]
    lattice: Lattice
    shown: Mask | None = None

    @property
    def group(self) -> str:
        """The subjects that it is compared with: of its modality, and as large a part of it."""
        return f"{self.label['modality']}, {REGION if self.is_region else WHOLE}"

    @property
    def is_region(self) -> bool:
        """Whether it is a region of interest."""
        return self.label["roi_number"] is not None

    @property
    def paired_by(self) -> tuple[Any, ...]:
        """What it has in common with its retest."""
        return tuple(self.label[name] for name in PAIRED_BY)

    def input_of(
        self, scaled: NDArray[np.float32], lattice: Lattice, shape: tuple[int, int, int]
    ) -> NDArray[np.float32]:
        """Return the network's input [a, b, c, 1] of values scaled to the window, on a lattice."""
        seen = lattice.sample(scaled)
        if self.shown is not None:
            seen[~lattice.sample_mask(self.shown.on(shape))] = 0
        return seen[..., np.newaxis]


def subjects_in(
    study: bytes, *, recipe: Recipe, options: Options
) -> Iterator[tuple[Image, list[Subject]]]:
    """Yield the volumes of a zip that the model is given, each with its rows, as the service does.

    Raises InputError as imaging.preprocess.feature_inputs does.
    """
    report, limits = Report(), Limits()
    read = read_study(memoryview(study), options, limits, report)
    drawings = drawings_in(read.series, limits)
    usable = usable_volumes(read, recipe, options, report)
    wanted = chosen(usable, read, drawings, recipe=recipe, options=options, report=report)
    for volume, _ in wanted:
        with report.outcome(volume.stack.part, volume.stack.name):
            regions = _regions(volume, drawings, options, limits)
            source = source_of(volume.grid, volume.quantity, volume.window, keeps_planes=True)
            subjects = _subjects(volume, source, regions, recipe=recipe, options=options)
            if subjects:
                yield _image(volume, source), subjects
    report.finished(read)


def _image(volume: Usable, source: Source) -> Image:
    voxels = read_volume(volume.grid, volume.quantity).voxels
    values = voxels.astype(np.float32, order="C")
    return Image(volume.grid, values, source.window, noise_sd(values, source.window))


def _regions(
    volume: Usable, drawings: Drawings, options: Options, limits: Limits
) -> tuple[Region, ...]:
    found = regions_in(drawings, volume.stack.series, volume.grid, limits).regions
    return tuple(region for region in found if options.wants_region(region.name))


def _subjects(
    volume: Usable,
    source: Source,
    regions: tuple[Region, ...],
    *,
    recipe: Recipe,
    options: Options,
) -> list[Subject]:
    subjects = []
    if options.whole_volumes and recipe.spatial_mode != "region":
        subjects.append(Subject(_label(volume), _whole_lattice(volume.grid, recipe)))
    for region in regions:
        subjects += _of_region(volume, source, region, recipe)
    return subjects


def _label(volume: Usable) -> dict[str, Any]:
    series = volume.stack.series
    return {
        "patient_id": series.patient_id,
        "study_uid": series.study_uid,
        "series_uid": series.series_uid,
        "modality": series.modality,
        "stack_index": volume.stack.index,
        "roi": "",
        "roi_number": None,
        "component": "union",
    }


def _whole_lattice(grid: Grid, recipe: Recipe) -> Lattice:
    if recipe.spacing_mm is None:
        return stretched_lattice(grid, recipe)
    middle = [(length - 1) / 2 for length in grid.shape]
    extent_mm = [step * count for step, count in zip(recipe.spacing_mm, recipe.shape, strict=True)]
    centre = (grid.affine @ [*middle, 1.0])[:3]
    return box_lattice(grid, recipe, centre_ras_mm=centre, extent_mm=extent_mm)


def _of_region(volume: Usable, source: Source, region: Region, recipe: Recipe) -> Iterator[Subject]:
    """Yield a subject for each row of a region, with the box that the service has for it."""
    parts = components(region.mask, recipe.region.components)
    for part, view in zip(parts, region_inputs(source, region, recipe), strict=True):
        known = {name: view.labels[name] for name in ("roi", "roi_number", "component")}
        lattice = box_lattice(
            volume.grid,
            recipe,
            centre_ras_mm=LPS_TO_RAS[:3, :3] @ np.array(view.labels["region_centre_mm"]),
            extent_mm=view.labels["region_extent_mm"],
        )
        shown = None
        if recipe.region.fills_outside:
            shown = dilated(part, volume.grid, recipe.region.dilation_mm)
        yield Subject(_label(volume) | known, lattice, shown)
