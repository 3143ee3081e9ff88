"""What the network sees of a whole volume: all of it stretched, or its middle at a spacing."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from imaging.geometry import Grid
from imaging.input_quality import input_quality
from imaging.network_input import NetworkInput, axes_of_network, stretched_input, turned
from imaging.quality import ROUNDING
from imaging.recipe import Recipe
from imaging.regions.sampling import BoxAxisSamples, BoxSamples, along, box_samples, boxed
from imaging.source import Source


def whole_input(source: Source, recipe: Recipe) -> NetworkInput:
    """Return the input for a whole volume, as the model's `spatial_mode` says."""
    if recipe.spacing_mm is None:
        seen = stretched_input(source, recipe)
    else:
        seen = _spaced_input(source, recipe, recipe.spacing_mm)
    covered_mm = _along_body_mm(source, recipe)
    least_mm = recipe.training.least_coverage_mm * (1 - ROUNDING)
    partial_mm = covered_mm if covered_mm < least_mm else 0.0
    return replace(seen, quality=seen.quality | {"COVERAGE_PARTIAL": partial_mm})


def _spaced_input(
    source: Source, recipe: Recipe, spacing_mm: tuple[float, float, float]
) -> NetworkInput:
    """Return the middle of the volume at a stated spacing, cropped or padded."""
    if recipe.samples_from_first_voxel:
        points = _samples_from_first_voxel(source.grid, recipe, spacing_mm)
    else:
        extent_mm = [step * count for step, count in zip(spacing_mm, recipe.shape, strict=True)]
        points = box_samples(
            source.grid, recipe, centre_ras_mm=_middle_mm(source), extent_mm=extent_mm
        )
    sampled = source.sampled(points.axes, window_first=recipe.window_first)
    voxels = boxed(sampled, points)[..., np.newaxis]
    quality = input_quality(
        source,
        sampled,
        fraction_outside=points.fraction_outside,
        voxel_mm=spacing_mm,
        recipe=recipe,
    )
    return NetworkInput(voxels, spacing_mm, source.window, points, quality)


def _samples_from_first_voxel(
    grid: Grid, recipe: Recipe, spacing_mm: tuple[float, float, float]
) -> BoxSamples:
    """Return points at steps from the first voxel on, of which the middle ones are shown.

    As MONAI's Spacing, SpatialPad and CenterSpatialCrop, in turn, place them: the last point may
    lie up to half a step beyond the last voxel and is taken there, and an odd rest is behind.
    """
    axes = axes_of_network(grid, recipe)
    samples: dict[int, BoxAxisSamples] = {}
    for (axis, reverse), step_mm, count in zip(axes, spacing_mm, recipe.shape, strict=True):
        length, voxel_mm = grid.shape[axis], float(grid.spacing_mm[axis])
        there = round((length - 1) * voxel_mm / step_mm + 1)
        first = there // 2 - count // 2 if there > count else -((count - there) // 2)
        numbers = first + np.arange(count)
        ahead: NDArray[np.float64] = np.clip(numbers * (step_mm / voxel_mm), 0.0, length - 1.0)
        points = length - 1 - ahead if reverse else ahead
        inside = (numbers >= 0) & (numbers < there)
        samples[axis] = replace(along(points, length), inside=inside)
    first_axis, second_axis, third_axis = (axis for axis, _ in axes)
    return BoxSamples(
        (samples[0], samples[1], samples[2]), (first_axis, second_axis, third_axis), spacing_mm
    )


def _middle_mm(source: Source) -> NDArray[np.float64]:
    middle = (np.array(source.grid.shape) - 1) / 2
    centre: NDArray[np.float64] = (source.grid.affine @ [*middle, 1.0])[:3]
    return centre


def _along_body_mm(source: Source, recipe: Recipe) -> float:
    """Return the length of the field of view from feet to head, whole voxels counted."""
    codes = turned(recipe.orientation, recipe.quarter_turns)
    axis = next(
        axis
        for (axis, _), code in zip(axes_of_network(source.grid, recipe), codes, strict=True)
        if code in "SI"
    )
    return float(source.grid.spacing_mm[axis] * source.grid.shape[axis])
