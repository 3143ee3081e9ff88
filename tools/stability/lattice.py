"""Where on a volume's grid a network's input is sampled, as one matrix that can be moved."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.geometry import Grid
from imaging.network_input import axes_of_network
from imaging.recipe import Recipe
from imaging.regions.sampling import EDGE_TOLERANCE

Matrix = NDArray[np.float64]


@dataclass(frozen=True)
class Lattice:
    """The points of a network's input on a grid.

    to_index: 4x4, from (a, b, c, 1) of the input to (i, j, k, 1) of the grid, in voxels.
    shape: of the input. padded: whether points outside the image get the window's lower end, as
    boxes do; else the image's border is repeated.
    """

    to_index: Matrix
    shape: tuple[int, int, int]
    padded: bool

    def middle_ras_mm(self, grid: Grid) -> NDArray[np.float64]:
        """Return the point in the middle of the input, float64 [3] in mm, RAS+."""
        middle = [(count - 1) / 2 for count in self.shape]
        point: NDArray[np.float64] = (grid.affine @ self.to_index @ [*middle, 1.0])[:3]
        return point

    def moved(self, grid: Grid, motion_ras_mm: Matrix) -> "Lattice":
        """Return the lattice after a motion in space, 4x4 in mm, RAS+."""
        to_mm = motion_ras_mm @ grid.affine @ self.to_index
        return replace(self, to_index=np.linalg.inv(grid.affine) @ to_mm)

    def sample(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the input, float32 [a, b, c], of values [i, j, k] scaled to the window: linear."""
        points = self._points()
        sampled = ndimage.map_coordinates(values, points, np.float32, order=1, mode="nearest")
        if self.padded:
            sampled[~_inside(points, values.shape)] = 0
        return np.asarray(sampled)

    def sample_mask(self, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which points have their nearest voxel in a mask [i, j, k], bool [a, b, c]."""
        points = self._points()
        nearest = ndimage.map_coordinates(inside.view(np.uint8), points, order=0, mode="nearest")
        return np.asarray((nearest > 0) & _inside(points, inside.shape))

    def _points(self) -> NDArray[np.float64]:
        """Return all points in voxels of the grid, float64 [3, a, b, c]."""
        at = np.indices(self.shape).reshape(3, -1)
        points: NDArray[np.float64] = self.to_index[:3, :3] @ at + self.to_index[:3, 3:]
        return points.reshape(3, *self.shape)


def stretched_lattice(grid: Grid, recipe: Recipe) -> Lattice:
    """Return the points over the whole field of view, from first to last voxel's centre."""
    to_index = np.zeros((4, 4))
    to_index[3, 3] = 1.0
    for column, (axis, reverse) in enumerate(axes_of_network(grid, recipe)):
        last = grid.shape[axis] - 1
        step = last / (recipe.shape[column] - 1)
        to_index[axis, column] = -step if reverse else step
        to_index[axis, 3] = last if reverse else 0.0
    return Lattice(to_index, recipe.shape, padded=False)


def box_lattice(
    grid: Grid, recipe: Recipe, *, centre_ras_mm: NDArray[np.float64], extent_mm: Sequence[float]
) -> Lattice:
    """Return the points of a box, in the middle of its cells, as imaging.regions.sampling has them.

    extent_mm: its edges along the axes of the network.
    """
    to_index = np.zeros((4, 4))
    to_index[:, 3] = np.linalg.inv(grid.affine) @ [*centre_ras_mm, 1.0]
    for column, (axis, reverse) in enumerate(axes_of_network(grid, recipe)):
        count = recipe.shape[column]
        cell = extent_mm[column] / count / grid.spacing_mm[axis]
        step = -cell if reverse else cell
        to_index[axis, column] = step
        to_index[axis, 3] += step * (0.5 - count / 2)
    return Lattice(to_index, recipe.shape, padded=True)


def _inside(points: NDArray[np.float64], shape: Sequence[int]) -> NDArray[np.bool_]:
    last = np.array(shape).reshape(3, 1, 1, 1) - 1
    inside = (points >= -EDGE_TOLERANCE) & (points <= last + EDGE_TOLERANCE)
    return np.asarray(inside.all(axis=0))
