"""What the network sees of one image series: oriented, windowed, resized."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from imaging.averaging import AxisWeights, area_weights, gaussian_weights
from imaging.body_box import Range, box_above, keeping_planes
from imaging.geometry import Grid
from imaging.input_quality import input_quality
from imaging.recipe import Recipe
from imaging.sampling import AxisSamples, Points, cell_middles, stretched
from imaging.source import Sampled, Source
from imaging.windows import Window

NetworkAxes = tuple[tuple[int, bool], ...]
"""For each axis of the network the grid's axis, and whether it runs backwards."""

WEIGHTS: Mapping[str, Callable[[int, int], NDArray[np.float32]]] = MappingProxyType(
    {"area": area_weights, "gaussian": gaussian_weights}
)
"""How voxels are averaged, by the recipe's word for it."""

OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "S": "I", "I": "S"}


@dataclass(frozen=True)
class NetworkInput:
    """The network's input for one row.

    voxels: float32 [a, b, c, 1], 0 to 1, the axes as the recipe turns them.
    voxel_mm: distance of neighbouring samples along a, b, c.
    window: the limits that became 0 and 1, in the quantity's unit.
    points: where the samples lie; of means, their middles.
    quality: the number behind each code on what was seen.
    """

    voxels: NDArray[np.float32]
    voxel_mm: tuple[float, float, float]
    window: Window
    points: Points
    quality: dict[str, float] = field(default_factory=dict)


def stretched_input(source: Source, recipe: Recipe) -> NetworkInput:
    """Return the input for the whole field of view, stretched to the network's shape.

    Stretching changes the voxels' proportions on purpose: the networks served here were trained on
    volumes resized that way. Where the recipe says so, it is the box of what is above a threshold
    that is stretched; refuses a volume without such a box.
    """
    whole = [(0, length) for length in source.grid.shape]
    if recipe.crop_above is not None:
        source = keeping_planes(source)
        whole = list(box_above(source, recipe.crop_above))
    axes = axes_of_network(source.grid, recipe)
    sampled, points = _stretched(source, recipe, axes, whole)
    order = points.order
    voxels = np.ascontiguousarray(sampled.values.transpose(order))[..., np.newaxis]
    voxel_mm = _sample_distances(source.grid, order, recipe, [whole[axis][1] for axis in order])
    quality = input_quality(source, sampled, fraction_outside=0.0, voxel_mm=voxel_mm, recipe=recipe)
    return NetworkInput(voxels, voxel_mm, source.window, points, quality)


def _stretched(
    source: Source, recipe: Recipe, axes: NetworkAxes, ranges: Sequence[Range]
) -> tuple[Sampled, Points]:
    """Return a box of the volume at the network's points: as point samples, or as means."""
    samples: dict[int, AxisSamples] = {}
    means: dict[int, AxisWeights] = {}
    place = cell_middles if recipe.antialias == "area" else stretched
    for (axis, reverse), count in zip(axes, recipe.shape, strict=True):
        first, length = ranges[axis]
        samples[axis] = place(length, count, reverse=reverse).from_voxel(first)
        if recipe.antialias != "none":
            weights = WEIGHTS[recipe.antialias](length, count)
            means[axis] = AxisWeights(first, weights[::-1] if reverse else weights)
    (one, _), (two, _), (three, _) = axes
    points = Points((samples[0], samples[1], samples[2]), (one, two, three))
    if means:
        weighted = (means[0], means[1], means[2])
        return source.averaged(weighted, window_first=recipe.window_first), points
    return source.sampled(points.axes, window_first=recipe.window_first), points


def axes_of_network(grid: Grid, recipe: Recipe) -> NetworkAxes:
    """Return for each axis of the network the grid's axis, and whether it runs backwards.

    An oblique grid goes by its closest axes, as nibabel.as_closest_canonical does.
    """
    codes = turned(recipe.orientation, recipe.quarter_turns)
    transform = nib.orientations.ornt_transform(
        nib.io_orientation(grid.affine), nib.orientations.axcodes2ornt(codes)
    )
    return tuple(
        (axis, bool(transform[axis, 1] < 0)) for axis in (int(a) for a in transform[:, 0].argsort())
    )


def turned(codes: str, quarter_turns: int) -> str:
    """Return the axis codes after numpy.rot90(array, quarter_turns, axes=(0, 1)).

    One turn makes the first axis of the second, backwards, and the second of the first.
    """
    for _ in range(quarter_turns % 4):
        codes = OPPOSITE[codes[1]] + codes[0] + codes[2]
    return codes


def _sample_distances(
    grid: Grid, order: Sequence[int], recipe: Recipe, lengths: Sequence[int]
) -> tuple[float, float, float]:
    """Return the distances of points: cells share a length, point samples lie at its ends."""
    of_cells = recipe.antialias == "area"
    first, second, third = (
        float(grid.spacing_mm[axis])
        * (length / count if of_cells or length == 1 else (length - 1) / (count - 1))
        for axis, count, length in zip(order, recipe.shape, lengths, strict=True)
    )
    return first, second, third
