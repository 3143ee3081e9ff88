"""What the network sees of one region of interest, and what is told of the region beside it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from imaging.geometry import LPS_TO_RAS
from imaging.input_quality import input_quality
from imaging.network_input import NetworkInput
from imaging.quality import ROUNDING
from imaging.recipe import Recipe
from imaging.regions import Mask, Region
from imaging.regions.measures import (
    Measures,
    centre_index,
    centre_ras_mm,
    component_count,
    components,
    dilated,
    holds,
    measures,
)
from imaging.regions.sampling import BoxSamples, box_samples, boxed, sample_mask
from imaging.source import Source

SMALL_SHARE = 0.25
"""Of the box's edge: a region whose longest edge is shorter fills less than a 64th of the box."""


@dataclass(frozen=True)
class RegionInput:
    """A region's input, the labels that it adds to a row, and the number behind each code.

    part: the voxels of the region that the row is about.
    """

    seen: NetworkInput
    part: Mask
    labels: dict[str, Any]
    quality: dict[str, float]


def region_inputs(source: Source, region: Region, recipe: Recipe) -> Iterator[RegionInput]:
    """Yield the box around the region's centre as the network sees it, or one for each part.

    How large the box is, what its centre is, and whether what lies beside the region is shown, the
    recipe says.
    """
    kind = recipe.region.components
    for number, part in enumerate(components(region.mask, kind), start=1):
        of_part = {} if kind == "union" else _part_labels(region, kind, number)
        yield _region_input(source, region, part, of_part=of_part, recipe=recipe)


def _part_labels(region: Region, kind: str, number: int) -> dict[str, Any]:
    """Return which part of a region is meant, and of how many; the measures are of the part."""
    part = str(number) if kind == "each" else kind
    return {"component": part, "components": component_count(region.mask)}


def _region_input(
    source: Source, region: Region, part: Mask, *, of_part: dict[str, Any], recipe: Recipe
) -> RegionInput:
    found = measures(part, source.grid, source.values)
    extent_mm = _extent_mm(found, recipe)
    centre_mm = centre_ras_mm(part, source.grid, recipe.region.centre)
    points = box_samples(source.grid, recipe, centre_ras_mm=centre_mm, extent_mm=extent_mm)
    sampled = source.sampled(points.axes, window_first=recipe.window_first)
    voxels = boxed(sampled, points)
    if recipe.region.fills_outside:
        shown = dilated(part, source.grid, recipe.region.dilation_mm)
        voxels[~sample_mask(shown, points)] = 0
    labels = {
        **region_labels(region, found),
        **of_part,
        "region_centre_mm": rounded_mm(LPS_TO_RAS[:3, :3] @ centre_mm),
        "region_extent_mm": rounded_mm(extent_mm),
        "fraction_padded": round(points.fraction_outside, 6),
    }
    seen = NetworkInput(
        voxels[..., np.newaxis],
        points.distances_mm,
        source.window,
        points,
        input_quality(
            source,
            sampled,
            fraction_outside=points.fraction_outside,
            voxel_mm=points.distances_mm,
            recipe=recipe,
        ),
    )
    quality = _quality(region, part, found, points=points, recipe=recipe)
    return RegionInput(seen, part, labels, quality)


def region_labels(region: Region, found: Measures) -> dict[str, Any]:
    """Return what identifies a region, and its measures: in ml, in mm, in the image's unit."""
    return {
        "roi": region.name,
        "roi_source_uid": region.source_uid,
        "roi_number": region.number,
        "roi_link": region.link,
        "roi_notes": list(region.notes),
        "volume_ml": round(found.volume_ml, 6),
        "maximum_diameter_mm": round(found.maximum_diameter_mm, 6),
        "bounding_box_mm": rounded_mm(found.extent_mm),
        "intensity_mean": round(found.mean, 6),
        "intensity_sd": round(found.sd, 6),
        "component": "union",
        "components": found.components,
        "fraction_inside": round(region.fraction_inside, 6),
    }


def _extent_mm(found: Measures, recipe: Recipe) -> tuple[float, float, float]:
    """Return the edges of the box: as stated, or a cube by the region's longest edge."""
    if recipe.region.mode == "extent":
        return recipe.region.extent_mm
    edge_mm = recipe.region.bbox_factor * max(found.extent_mm)
    return edge_mm, edge_mm, edge_mm


def _quality(
    region: Region, part: Mask, found: Measures, *, points: BoxSamples, recipe: Recipe
) -> dict[str, float]:
    box_mm = min(recipe.region.extent_mm) if recipe.region.mode == "extent" else 0.0
    longest_mm = max(found.extent_mm)
    unseen = 1 - _share_in_box(part, points) * region.fraction_inside
    centre = centre_index(part, recipe.region.centre)
    return {
        "CENTRE_OUTSIDE_REGION": not holds(part, centre),
        "REGION_DUPLICATE_NAME": region.namesakes,
        "REGION_PADDED": points.fraction_outside,
        "REGION_SMALL": longest_mm if longest_mm < SMALL_SHARE * box_mm * (1 - ROUNDING) else 0,
        "REGION_TRUNCATED": truncated(unseen),
        "UNTRAINED_REGION_MODE": recipe.spatial_mode != "region",
    }


def truncated(unseen: float) -> float:
    """Return the share of a region that is not seen, 0 where it is but a rounding error."""
    return unseen if unseen > 1e-6 else 0.0


def _share_in_box(mask: Mask, points: BoxSamples) -> float:
    """Return the share of the region's voxels between the box's first and last samples."""
    boxed = mask.inside
    for axis, samples in enumerate(points.axes):
        at = np.arange(boxed.shape[axis]) + mask.offset[axis]
        positions = samples.lower + samples.fraction
        within = (at >= positions.min() - 0.5) & (at <= positions.max() + 0.5)
        boxed = boxed.compress(within, axis)
    return float(boxed.sum() / mask.voxels)


def rounded_mm(lengths_mm: Any) -> list[float]:
    """Return lengths as rows hold them, to the nanometre."""
    return [round(float(length), 6) for length in lengths_mm]
