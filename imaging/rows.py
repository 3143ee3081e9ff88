"""The label of a row: who and what it is, how it came about, and what to beware of."""

import hashlib
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import nibabel as nib
import numpy as np

from imaging.acquisition import acquisition, contrast
from imaging.geometry import Grid
from imaging.network_input import NetworkInput
from imaging.quantities import Quantity
from imaging.recipe import Recipe
from imaging.region_input import RegionInput
from imaging.stacks.split import Stack

SOFTWARE = f"triton-deep-features {version('triton-deep-features')}"

THICK_SLICES_MM = 3.0

OVERLAP_TOLERANCE = 0.01
"""Relative: thickness and positions are written with few digits."""

QUALITY = {
    "CENTRE_OUTSIDE_REGION": ("warn", "the middle of the region is not part of it; number: 1"),
    "CONTRAST_UNKNOWN": ("info", "a CT does not say whether contrast was given; number: 1"),
    "DEMONSTRATION_WEIGHTS": ("exclude", "the weights are for checking a pipeline; number: 1"),
    "DERIVED_IMAGE": ("warn", "slices computed from other images; number: how many"),
    "GAPS_BEYOND_LIMIT": (
        "exclude",
        "more slices are missing than are filled unless lenient; number: how many",
    ),
    "GAPS_INTERPOLATED": (
        "warn",
        "slices at uneven distances were set on even ones; number: the largest distance in mm",
    ),
    "LOSSY": ("warn", "the pixels were compressed with loss; number: 1"),
    "REGION_PADDED": ("info", "the box reaches beyond the image; number: share of it that does"),
    "REGION_SMALL": ("warn", "shorter than a quarter of the box; number: longest edge in mm"),
    "REGION_TRUNCATED": ("warn", "not all of the region was seen; number: share that was not"),
    "SLICE_OVERLAP": ("info", "slices thicker than their distance; number: how many times"),
    "THICK_SLICES": ("warn", "slices more than 3 mm apart; number: their distance in mm"),
    "TILT_CORRECTED": ("warn", "slices of a tilted gantry were shifted; number: degrees"),
    "TILT_SHEARED": ("info", "the gantry was tilted, the affine is sheared; number: degrees"),
    "UNTRAINED_MODALITY": ("exclude", "the model was not made for this modality; number: 1"),
    "UNTRAINED_REGION_MODE": ("warn", "the model was trained on whole volumes; number: 1"),
    "UNTRAINED_WEIGHTS": ("exclude", "the weights are a seeded initialisation; number: 1"),
}
"""Quality codes: what each asks of an analysis (info, warn, exclude), and what it means."""


def image_label(stack: Stack, grid: Grid, quantity: Quantity) -> dict[str, Any]:
    """Return what identifies one volume of an image series, and how its voxels lie."""
    series = stack.series
    return {
        "patient_id": series.patient_id,
        "study_uid": series.study_uid,
        "series_uid": series.series_uid,
        "stack": stack.name,
        "stack_index": stack.index,
        "stack_count": stack.count,
        "modality": series.modality,
        "roi": "",
        "unit": quantity.unit,
        "unit_notes": list(quantity.notes),
        "uptake_minutes": quantity.uptake_minutes,
        "shape": list(grid.shape),
        "voxel_mm": [round(float(length), 6) for length in grid.spacing_mm],
        "acquired_orientation": "".join(nib.aff2axcodes(grid.affine)),
        "acquisition": acquisition(series.modality, grid.slices),
        "software": SOFTWARE,
        "quality": _coded(image_quality(grid)),
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
    own_quality = network_quality(image["modality"], recipe) | (region.quality if region else {})
    quality = [*image["quality"], *_coded(own_quality)]
    return {
        **image,
        "roi_source_uid": "",
        "roi_number": None,
        "region_centre_mm": None,
        "orientation": recipe.orientation,
        "network_shape": list(recipe.shape),
        "network_voxel_mm": [round(distance, 6) for distance in seen.voxel_mm],
        "network_anisotropy": round(max(seen.voxel_mm) / min(seen.voxel_mm), 6),
        "window": [seen.window.low, seen.window.high],
        "input_sha256": hashlib.sha256(little_endian.tobytes()).hexdigest(),
        "feature_prefix": recipe.feature_prefix,
        "weights": recipe.weights,
        "weights_sha256": recipe.weights_sha256,
        "preprocessing_id": recipe.preprocessing_id,
        **(region.labels if region else {}),
        "quality": sorted(quality, key=lambda each: str(each["code"])),
    }


def image_quality(grid: Grid) -> dict[str, float]:
    """Return the number behind each code on the image itself, 0 where it does not apply."""
    slice_mm = grid.slice_mm
    thickness_mm = np.array([each.thickness_mm for each in grid.slices])
    overlap = float(np.median((thickness_mm[:-1] + thickness_mm[1:]) / 2 / grid.gaps_mm))
    steps = grid.steps
    middle = grid.slices[len(grid.slices) // 2]
    is_ct = middle.text("Modality") == "CT"
    is_lossy = middle.text("LossyImageCompression") == "01"
    return {
        "CONTRAST_UNKNOWN": is_ct and contrast(middle) == "unknown",
        "LOSSY": is_lossy,
        "DERIVED_IMAGE": sum("DERIVED" in each.texts("ImageType")[:1] for each in grid.slices),
        "GAPS_BEYOND_LIMIT": steps.missing if steps and steps.beyond_limit else 0,
        "GAPS_INTERPOLATED": steps.largest_gap_mm if steps else 0,
        "SLICE_OVERLAP": overlap if overlap > 1 + OVERLAP_TOLERANCE else 0,
        "THICK_SLICES": slice_mm if slice_mm > THICK_SLICES_MM else 0,
        "TILT_CORRECTED": grid.tilt_degrees if grid.upright else 0,
        "TILT_SHEARED": 0 if grid.upright else grid.tilt_degrees,
    }


def network_quality(modality: str, recipe: Recipe) -> dict[str, float]:
    """Return the number behind each code on what the network was made for."""
    return {
        "DEMONSTRATION_WEIGHTS": recipe.weights == "demonstration",
        "UNTRAINED_MODALITY": modality not in recipe.trained_modalities,
        "UNTRAINED_WEIGHTS": recipe.weights == "untrained",
    }


def _coded(numbers: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return the codes that apply, each with its severity and the number behind it."""
    return [
        {"code": code, "severity": QUALITY[code][0], "number": round(float(number), 6)}
        for code, number in sorted(numbers.items())
        if number
    ]
