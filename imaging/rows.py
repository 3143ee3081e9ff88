"""The label of a row: who and what it is, how it came about, and what to beware of."""

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import nibabel as nib

from imaging.acquisition import acquisition, scanner_id
from imaging.geometry import Grid
from imaging.network_input import NetworkInput
from imaging.quality import coded, image_quality, network_quality, quantity_quality
from imaging.quantities import Quantity
from imaging.recipe import Recipe
from imaging.region_input import RegionInput
from imaging.stacks.split import Stack

SOFTWARE = f"triton-deep-features {version('triton-deep-features')}"


def image_label(
    stack: Stack, grid: Grid, quantity: Quantity, *, chosen_by: str, scanner_key: bytes
) -> dict[str, Any]:
    """Return what identifies one volume of an image series, and how its voxels lie.

    chosen_by: why this series was taken of several, a word of imaging.choice.
    scanner_key: makes a name of the scanner; empty for none.
    """
    series = stack.series
    middle = grid.slices[len(grid.slices) // 2]
    spacing_mm = [round(float(length), 6) for length in grid.spacing_mm]
    measured = {
        "PixelSpacing": [spacing_mm[1], spacing_mm[0]],
        "measured_slice_mm": round(grid.slice_mm, 6),
    }
    return {
        "patient_id": series.patient_id,
        "study_uid": series.study_uid,
        "series_uid": series.series_uid,
        "series_chosen_by": chosen_by,
        "stack": stack.name,
        "stack_index": stack.index,
        "stack_count": stack.count,
        "modality": series.modality,
        "kind": "image",
        "roi": "",
        "roi_source_uid": "",
        "roi_number": None,
        "region_centre_mm": None,
        "unit": quantity.unit,
        "unit_notes": list(quantity.notes),
        "uptake_minutes": quantity.uptake_minutes,
        "shape": list(grid.shape),
        "voxel_mm": spacing_mm,
        "acquired_orientation": "".join(nib.aff2axcodes(grid.affine)),
        "acquisition": acquisition(series.modality, grid.slices) | measured,
        "scanner_id": scanner_id(middle, scanner_key),
        "software": SOFTWARE,
        "quality": coded(image_quality(grid) | quantity_quality(series.modality, quantity)),
    }


def feature_label(
    image: Mapping[str, Any],
    *,
    recipe: Recipe,
    seen: NetworkInput,
    region: RegionInput | None = None,
) -> dict[str, Any]:
    """Return the label of a row: the image's, the region's, and what the network saw.

    image: the label of the volume, made once for all rows of it.
    """
    little_endian = seen.voxels.astype("<f4", copy=False)
    own_quality = network_quality(image["modality"], recipe) | seen.quality
    if region:
        own_quality |= region.quality
    return {
        **with_codes(image, own_quality),
        "orientation": recipe.orientation,
        "network_shape": list(recipe.shape),
        "network_voxel_mm": [round(distance, 6) for distance in seen.voxel_mm],
        "network_anisotropy": round(max(seen.voxel_mm) / min(seen.voxel_mm), 6),
        "window": [seen.window.low, seen.window.high],
        "input_sha256": hashlib.sha256(little_endian.tobytes()).hexdigest(),
        "series_rule": list(recipe.series_rule),
        "feature_prefix": recipe.feature_prefix,
        "weights": recipe.weights,
        "weights_sha256": recipe.weights_sha256,
        "preprocessing_id": recipe.preprocessing_id,
        **(region.labels if region else {}),
    }


def with_codes(label: Mapping[str, Any], numbers: Mapping[str, float]) -> dict[str, Any]:
    """Return a label with more quality codes, in their order."""
    quality = [*label["quality"], *coded(numbers)]
    return {**label, "quality": sorted(quality, key=lambda each: str(each["code"]))}
