"""The noise of an image, estimated from the image alone."""

import numpy as np
from numpy.typing import NDArray

from imaging.windows import Window

SLICES = 32
"""So many slices, evenly spread, are looked at."""

NORMAL_MAD = 0.6744897501960817
"""Median absolute deviation of a normal distribution of standard deviation 1."""


def noise_sd(values: NDArray[np.float32], window: Window) -> float:
    """Return the standard deviation of the noise in an image [i, j, k], in its unit.

    The difference of two Laplacians of J. Immerkær (Computer Vision and Image Understanding 64
    (1996) 300-302), which constant and linear parts of the image do not pass and whose response to
    white noise is six times as strong, taken slice by slice; its spread by the median absolute
    deviation (D. L. Donoho and I. M. Johnstone, Biometrika 81 (1994) 425-455), which edges hardly
    change. Voxels beyond the window do not count: air is cut off there, padding is no measurement.
    Noise that a reconstruction kernel has smoothed is underestimated. 0 if no voxel counts.
    """
    count = values.shape[2]
    some = np.unique(np.linspace(0, count - 1, min(SLICES, count)).astype(int))
    responses = []
    for k in some:
        plane = values[:, :, k].astype(np.float32)
        response = np.diff(np.diff(plane, 2, axis=0), 2, axis=1)
        middle = plane[1:-1, 1:-1]
        responses.append(response[(middle > window.low) & (middle < window.high)])
    found = np.concatenate(responses)
    if not len(found):
        return 0.0
    return float(np.median(np.abs(found))) / NORMAL_MAD / 6
