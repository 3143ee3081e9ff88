"""Which picture a row gets: three planes, all of them, or none; and what is outlined in it."""

from collections.abc import Sequence
from typing import Any

from imaging.network_input import NetworkInput, turned
from imaging.options import Options
from imaging.picture_stack import stack_png
from imaging.preview import preview_png
from imaging.recipe import Recipe
from imaging.region_input import RegionInput
from imaging.regions import Region
from imaging.regions.sampling import sample_mask


def picture_of(
    view: tuple[NetworkInput, RegionInput | None],
    drawn: Sequence[Region],
    recipe: Recipe,
    *,
    options: Options,
) -> tuple[str, dict[str, Any]]:
    """Return a base64 PNG of what the network sees, "" if none is wanted, and its row's labels.

    The row's region is outlined at the very points that the network sees, by their nearest voxels.
    drawn: all regions of the image, which a picture of all planes of the whole volume shows, too.
    """
    seen, region = view
    if not options.preview:
        return "", {}
    codes = turned(recipe.orientation, recipe.quarter_turns)
    if options.stack:
        masks = [(each.name, each.mask) for each in drawn]
        if region is not None:
            masks = [(str(region.labels["roi"]), region.part)]
        sampled = [(name, sample_mask(mask, seen.points)) for name, mask in masks]
        picture, layout = stack_png(seen, codes, sampled)
        return picture, {"picture": layout}
    inside = None if region is None else sample_mask(region.part, seen.points)
    return preview_png(seen.voxels, codes, inside), {}
