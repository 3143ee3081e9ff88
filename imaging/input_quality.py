"""What to beware of in one input of a network: padding, scale, and numbers that cannot be."""

import numpy as np

from imaging.quality import scale_quality
from imaging.recipe import Recipe
from imaging.sampling import AxisSamples
from imaging.source import Source

Axes = tuple[AxisSamples, AxisSamples, AxisSamples]
"""The samples along the grid's axes i, j and k."""


def input_quality(
    source: Source,
    axes: Axes,
    *,
    fraction_outside: float,
    voxel_mm: tuple[float, float, float],
    recipe: Recipe,
) -> dict[str, float]:
    """Return the number behind each code on what is sampled at all combinations of points.

    fraction_outside: share of the points that lie outside the image.
    """
    through = axes[2]
    quality = scale_quality(voxel_mm, recipe)
    if source.plausibility is not None:
        quality |= source.plausibility.quality(np.union1d(through.lower, through.upper))
    inside = 1.0 - fraction_outside
    return quality | {"PAD_FRACTION": fraction_outside + inside * _padding_share(source, axes)}


def _padding_share(source: Source, axes: Axes) -> float:
    """Return the share of the nearest voxels of points inside that are padding."""
    columns, rows, slices = (_nearest(samples) for samples in axes)
    if not (len(columns) and len(rows) and len(slices)):
        return 0.0
    numbers, counts = np.unique(slices, return_counts=True)
    shares = [
        float(source.is_padding(source.plane(int(k))[np.ix_(rows, columns)]).mean())
        for k in numbers
    ]
    return float(np.average(shares, weights=counts))


def _nearest(samples: AxisSamples) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    inside = getattr(samples, "inside", slice(None))
    return np.where(samples.fraction < 0.5, samples.lower, samples.upper)[inside]
