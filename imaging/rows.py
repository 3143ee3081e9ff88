"""The label of a row: who and what it is, how it came about, and what to beware of."""

import hashlib
from importlib.metadata import version
from typing import Any

import nibabel as nib

from imaging.geometry import Grid
from imaging.network_input import NetworkInput
from imaging.quantities import Quantity
from imaging.recipe import Recipe
from imaging.series import Series

SOFTWARE = f"triton-deep-features {version('triton-deep-features')}"

THICK_SLICES_MM = 3.0

QUALITY = {
    "DEMONSTRATION_WEIGHTS": ("exclude", "the weights are for checking a pipeline; number: 1"),
    "DERIVED_IMAGE": ("warn", "slices computed from other images; number: how many"),
    "THICK_SLICES": ("warn", "slices more than 3 mm apart; number: their distance in mm"),
    "UNTRAINED_MODALITY": ("exclude", "the model was not made for this modality; number: 1"),
    "UNTRAINED_WEIGHTS": ("exclude", "the weights are a seeded initialisation; number: 1"),
}
"""Quality codes: what each asks of an analysis (info, warn, exclude), and what it means."""


def image_label(series: Series, grid: Grid, quantity: Quantity) -> dict[str, Any]:
    """Return what identifies one image series, and how its voxels lie."""
    return {
        "patient_id": series.patient_id,
        "study_uid": series.study_uid,
        "series_uid": series.series_uid,
        "modality": series.modality,
        "roi": "",
        "unit": quantity.unit,
        "unit_notes": list(quantity.notes),
        "shape": list(grid.shape),
        "voxel_mm": [round(float(length), 6) for length in grid.spacing_mm],
        "acquired_orientation": "".join(nib.aff2axcodes(grid.affine)),
        "software": SOFTWARE,
    }


def feature_label(
    series: Series, grid: Grid, quantity: Quantity, seen: NetworkInput, recipe: Recipe
) -> dict[str, Any]:
    """Return the label of a row of features: the image's, and what the network saw of it."""
    little_endian = seen.voxels.astype("<f4", copy=False)
    return image_label(series, grid, quantity) | {
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
        "quality": quality_codes(series, grid, recipe),
    }


def quality_codes(series: Series, grid: Grid, recipe: Recipe) -> list[dict[str, Any]]:
    """Return the codes that apply, each with its severity and the number behind it."""
    slice_mm = float(grid.spacing_mm[2])
    derived = sum("DERIVED" in each.texts("ImageType")[:1] for each in grid.slices)
    numbers = {
        "DEMONSTRATION_WEIGHTS": recipe.weights == "demonstration",
        "DERIVED_IMAGE": derived,
        "THICK_SLICES": slice_mm if slice_mm > THICK_SLICES_MM else 0,
        "UNTRAINED_MODALITY": series.modality not in recipe.trained_modalities,
        "UNTRAINED_WEIGHTS": recipe.weights == "untrained",
    }
    return [
        {"code": code, "severity": QUALITY[code][0], "number": round(float(number), 6)}
        for code, number in numbers.items()
        if number
    ]
