"""What acquisition and contouring may do to an input: motions of its points, changes of voxels."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

from imaging.geometry import Grid
from imaging.windows import Window
from tools.stability.lattice import Lattice, Matrix

SHIFTS_VOXELS = (0.25, 0.5)

ROTATION_DEGREES = (2.0, 8.0)
"""Smallest and largest turn of a patient on the table, to either side."""

JITTER_MM = (1.0, 3.0)
"""Shortest and longest way that the centre of a region is moved."""

THICK = {2: (0.25, 0.5, 0.25), 3: (1 / 3, 1 / 3, 1 / 3)}
"""Weights of neighbouring slices: means of three; means of two, which lie between the slices'
places, linearly interpolated back onto them."""


@dataclass(frozen=True)
class Image:
    """A volume whose inputs are perturbed.

    values: float32 [i, j, k] in the window's unit. noise_sd: of its noise, in that unit.
    """

    grid: Grid
    values: NDArray[np.float32]
    window: Window
    noise_sd: float


@dataclass(frozen=True)
class Perturbation:
    """One way in which an input is made again.

    kind: what is summarised together. motion: of the points, 4x4 in mm, RAS+, None for none.
    voxels: the image's values, changed, None for those as they are.
    """

    kind: str
    motion: Callable[[Image, Lattice, Generator], Matrix] | None = None
    voxels: Callable[[Image, Generator], NDArray[np.float32]] | None = None
    for_regions_only: bool = False

    def applies(self, image: Image, *, to_region: bool) -> bool:
        """Say whether it changes a row of an image: noise of 0 does not."""
        if self.kind == "noise" and image.noise_sd == 0:
            return False
        return to_region or not self.for_regions_only


UNPERTURBED = Perturbation("none")


def perturbations(repeats: int) -> tuple[Perturbation, ...]:
    """Return all perturbations; those that are drawn by chance `repeats` times."""
    shifts = [
        Perturbation("shift", motion=_shift(axis, voxels))
        for axis in range(3)
        for voxels in SHIFTS_VOXELS
    ]
    thick = [Perturbation("thick slices", voxels=_thick(count)) for count in THICK]
    drawn = [
        Perturbation("rotation", motion=_rotation),
        Perturbation("noise", voxels=_noisy),
        Perturbation("centre jitter", motion=_jitter, for_regions_only=True),
    ]
    return (*shifts, *(each for each in drawn for _ in range(repeats)), *thick)


def rotation_about(axis_point_ras_mm: NDArray[np.float64], degrees: float) -> Matrix:
    """Return a turn about the body axis (feet to head) through a point, 4x4 in mm, RAS+."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    motion = np.eye(4)
    motion[:2, :2] = [[cosine, -sine], [sine, cosine]]
    motion[:3, 3] = axis_point_ras_mm - motion[:3, :3] @ axis_point_ras_mm
    return motion


def translation(away_mm: NDArray[np.float64]) -> Matrix:
    """Return a shift, 4x4 in mm."""
    motion = np.eye(4)
    motion[:3, 3] = away_mm
    return motion


def _shift(axis: int, voxels: float) -> Callable[[Image, Lattice, Generator], Matrix]:
    """Return a shift along an axis of the image's grid, i, j or k."""
    return lambda image, _, __: translation(voxels * image.grid.affine[:3, axis])


def _rotation(image: Image, lattice: Lattice, rng: Generator) -> Matrix:
    degrees = rng.choice([-1.0, 1.0]) * rng.uniform(*ROTATION_DEGREES)
    return rotation_about(lattice.middle_ras_mm(image.grid), degrees)


def _jitter(_: Image, __: Lattice, rng: Generator) -> Matrix:
    direction = rng.standard_normal(3)
    return translation(direction / np.linalg.norm(direction) * rng.uniform(*JITTER_MM))


def _noisy(image: Image, rng: Generator) -> NDArray[np.float32]:
    """Return the values with as much noise again, white and normal."""
    noise = rng.standard_normal(image.values.shape, np.float32)
    return image.values + np.float32(image.noise_sd) * noise


def _thick(count: int) -> Callable[[Image, Generator], NDArray[np.float32]]:
    def thick(image: Image, _: Generator) -> NDArray[np.float32]:
        return np.asarray(ndimage.convolve1d(image.values, THICK[count], axis=2, mode="nearest"))

    return thick
