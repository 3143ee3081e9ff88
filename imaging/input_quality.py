"""What to beware of in one input of a network: padding, scale, and numbers that cannot be."""

from imaging.quality import scale_quality
from imaging.recipe import Recipe
from imaging.source import Sampled, Source


def input_quality(
    source: Source,
    sampled: Sampled,
    *,
    fraction_outside: float,
    voxel_mm: tuple[float, float, float],
    recipe: Recipe,
) -> dict[str, float]:
    """Return the number behind each code on what was sampled of a volume.

    fraction_outside: share of the points that lie outside the image.
    """
    quality = scale_quality(voxel_mm, recipe)
    if source.plausibility is not None:
        quality |= source.plausibility.quality(sampled.slices)
    inside = 1.0 - fraction_outside
    return quality | {"PAD_FRACTION": fraction_outside + inside * sampled.padding}
