"""What the network sees of one image series: oriented, windowed, resized."""

from dataclasses import dataclass, field

import nibabel as nib
import numpy as np
from numpy.typing import NDArray

from imaging.geometry import Grid
from imaging.input_quality import input_quality
from imaging.recipe import Recipe
from imaging.sampling import stretched
from imaging.source import Source
from imaging.windows import Window

OPPOSITE = {"L": "R", "R": "L", "A": "P", "P": "A", "S": "I", "I": "S"}


@dataclass(frozen=True)
class NetworkInput:
    """The network's input for one row.

    voxels: float32 [a, b, c, 1], 0 to 1, the axes as the recipe turns them.
    voxel_mm: distance of neighbouring samples along a, b, c.
    window: the limits that became 0 and 1, in the quantity's unit.
    quality: the number behind each code on what was seen.
    """

    voxels: NDArray[np.float32]
    voxel_mm: tuple[float, float, float]
    window: Window
    quality: dict[str, float] = field(default_factory=dict)


def stretched_input(source: Source, recipe: Recipe) -> NetworkInput:
    """Return the input for the whole field of view, stretched to the network's shape.

    Stretching changes the voxels' proportions on purpose: the networks served here were trained on
    volumes resized that way.
    """
    grid = source.grid
    axes = axes_of_network(grid, recipe)
    points = {
        axis: stretched(grid.shape[axis], count, reverse=reverse)
        for (axis, reverse), count in zip(axes, recipe.shape, strict=True)
    }
    sampled = source.sampled((points[0], points[1], points[2]))
    order = [axis for axis, _ in axes]
    voxels = np.ascontiguousarray(sampled.values.transpose(order))[..., np.newaxis]
    voxel_mm = _sample_distances(grid, order, recipe)
    quality = input_quality(source, sampled, fraction_outside=0.0, voxel_mm=voxel_mm, recipe=recipe)
    return NetworkInput(voxels, voxel_mm, source.window, quality)


def axes_of_network(grid: Grid, recipe: Recipe) -> tuple[tuple[int, bool], ...]:
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


def _sample_distances(grid: Grid, order: list[int], recipe: Recipe) -> tuple[float, float, float]:
    first, second, third = (
        float(grid.spacing_mm[axis] * (grid.shape[axis] - 1) / (count - 1))
        for axis, count in zip(order, recipe.shape, strict=True)
    )
    return first, second, third
