"""What the network sees of one region of interest, and what is told of the region beside it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from imaging.geometry import LPS_TO_RAS
from imaging.network_input import NetworkInput, Source
from imaging.recipe import Recipe
from imaging.regions import Region
from imaging.regions.measures import centre_index, centre_ras_mm, holds, measures
from imaging.regions.sampling import BoxSamples, box_samples, sample_box

SMALL_SHARE = 0.25
"""Of the box's edge: a region whose longest edge is shorter fills less than a 64th of the box."""


@dataclass(frozen=True)
class RegionInput:
    """A region's input, the labels that it adds to a row, and the number behind each code."""

    seen: NetworkInput
    labels: dict[str, Any]
    quality: dict[str, float]


def region_input(source: Source, region: Region, recipe: Recipe) -> RegionInput:
    """Return the box of stated size around the region's centre, as the network sees it."""
    grid, mask = source.grid, region.mask
    centre_mm = centre_ras_mm(mask, grid, recipe.region_centre)
    points = box_samples(grid, recipe, centre_ras_mm=centre_mm, extent_mm=recipe.region_extent_mm)
    voxels = sample_box(source.plane, points, source.window.scale)[..., np.newaxis]
    found = measures(mask, grid, source.plane)
    labels = {
        "roi": region.name,
        "roi_source_uid": region.source_uid,
        "roi_number": region.number,
        "roi_link": region.link,
        "roi_notes": list(region.notes),
        "region_centre_mm": _rounded(LPS_TO_RAS[:3, :3] @ centre_mm),
        "region_extent_mm": list(recipe.region_extent_mm),
        "volume_ml": round(found.volume_ml, 6),
        "maximum_diameter_mm": round(found.maximum_diameter_mm, 6),
        "bounding_box_mm": _rounded(found.extent_mm),
        "intensity_mean": round(found.mean, 6),
        "intensity_sd": round(found.sd, 6),
        "components": found.components,
        "fraction_inside": round(region.fraction_inside, 6),
        "fraction_padded": round(points.fraction_outside, 6),
    }
    box_mm = min(recipe.region_extent_mm)
    longest_mm = max(found.extent_mm)
    unseen = 1 - _share_in_box(region, points) * region.fraction_inside
    quality = {
        "CENTRE_OUTSIDE_REGION": not holds(mask, centre_index(mask, recipe.region_centre)),
        "REGION_PADDED": points.fraction_outside,
        "REGION_SMALL": longest_mm if longest_mm < SMALL_SHARE * box_mm else 0,
        "REGION_TRUNCATED": unseen if unseen > 1e-6 else 0,
        "UNTRAINED_REGION_MODE": 1,
    }
    seen = NetworkInput(voxels, points.distances_mm, source.window)
    return RegionInput(seen, labels, quality)


def _share_in_box(region: Region, points: BoxSamples) -> float:
    """Return the share of the region's voxels between the box's first and last samples."""
    mask = region.mask
    boxed = mask.inside
    for axis, samples in enumerate(points.axes):
        at = np.arange(boxed.shape[axis]) + mask.offset[axis]
        positions = samples.lower + samples.fraction
        within = (at >= positions.min() - 0.5) & (at <= positions.max() + 0.5)
        boxed = boxed.compress(within, axis)
    return float(boxed.sum() / mask.voxels)


def _rounded(lengths_mm: Any) -> list[float]:
    return [round(float(length), 6) for length in lengths_mm]
