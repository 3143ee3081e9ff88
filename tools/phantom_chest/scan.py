"""How a phantom is scanned: the grid of its slices, and what a scanner does to its values."""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from scipy import ndimage

FWHM_OF_SIGMA = 2.355
"""Full width at half maximum of a Gaussian, in its standard deviations: 2 √(2 ln 2)."""

LOWEST_HU, HIGHEST_HU = -1024, 3071
"""What 12 bits hold with the usual intercept."""


@dataclass(frozen=True)
class Acquisition:
    """One way to scan: square slices around the middle of the body.

    offset_hu: error of the scanner's calibration. blur_pixels: of the kernel, a standard deviation.
    noise_pixels: how far noise is correlated, likewise.
    """

    slices: int
    size: int
    pixel_mm: float
    step_mm: float
    thickness_mm: float
    noise_hu: float
    noise_pixels: float
    blur_pixels: float
    offset_hu: float


@dataclass(frozen=True)
class Lattice:
    """Where the voxels lie, in mm: x to the left, y to the back, z to the head (LPS+), 0 amid.

    Arrays on it are indexed [slice, row, column]: z is [n, 1, 1], y is [1, n, 1], x is [1, 1, n].
    """

    z: NDArray[np.float32]
    y: NDArray[np.float32]
    x: NDArray[np.float32]

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.z.size, self.y.size, self.x.size


def acquisition(random: Generator) -> Acquisition:
    """Return a random way to scan, between what clinical chest CTs are scanned with."""
    size = int(random.choice([160, 176, 192, 208]))
    slices = int(random.integers(44, 65))
    step_mm = float(random.uniform(250, 310) / slices)
    return Acquisition(
        slices=slices,
        size=size,
        pixel_mm=float(random.uniform(345, 415) / size),
        step_mm=round(step_mm, 2),
        thickness_mm=round(step_mm * float(random.uniform(0.6, 1.2)), 2),
        noise_hu=float(random.uniform(8, 35)),
        noise_pixels=float(random.uniform(0.3, 0.9)),
        blur_pixels=float(random.uniform(0.3, 0.8)),
        offset_hu=float(random.uniform(-10, 10)),
    )


def lattice(scan: Acquisition) -> Lattice:
    """Return where the voxels of a scan lie."""

    def centred(count: int, step_mm: float) -> NDArray[np.float32]:
        return ((np.arange(count) - (count - 1) / 2) * step_mm).astype(np.float32)

    across = centred(scan.size, scan.pixel_mm)
    return Lattice(
        centred(scan.slices, scan.step_mm)[:, None, None], across[:, None], across[None, None]
    )


def scanned(body: NDArray[np.float32], scan: Acquisition, random: Generator) -> NDArray[np.int16]:
    """Return what a scanner makes of a body in HU: blurred by kernel and slice, noisy, offset.

    body: float32 [slice, row, column]. The result has whole HU of 12 bits.
    """
    along = scan.thickness_mm / FWHM_OF_SIGMA / scan.step_mm
    seen = ndimage.gaussian_filter(body, (along, scan.blur_pixels, scan.blur_pixels))
    noise = random.standard_normal(body.shape, np.float32)
    noise = ndimage.gaussian_filter(noise, (0, scan.noise_pixels, scan.noise_pixels))
    seen += noise * np.float32(scan.noise_hu / noise.std()) + np.float32(scan.offset_hu)
    whole: NDArray[np.int16] = np.rint(seen).clip(LOWEST_HU, HIGHEST_HU).astype(np.int16)
    return whole
