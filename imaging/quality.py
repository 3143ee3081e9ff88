"""Quality codes: what to beware of in a row, how much it matters, and the number behind it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless

from imaging.acquisition import contrast
from imaging.geometry import Grid
from imaging.instances import Instance
from imaging.quantities import Quantity
from imaging.recipe import Recipe
from imaging.stacks.contrasts import NOT_FOR_NETWORKS, component, is_subtraction

THICK_SLICES_MM = 3.0

ROUNDING = 1e-4
"""Relative: measured lengths that are this near to a limit are at it, and not beyond."""

OVERLAP_TOLERANCE = 0.01
"""Relative: thickness and positions are written with few digits."""

QUALITY: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "CENTRE_OUTSIDE_REGION": ("warn", "the middle of the region is not part of it; number: 1"),
        "CONTRAST_UNKNOWN": ("info", "a CT does not say whether contrast was given; number: 1"),
        "COVERAGE_PARTIAL": (
            "warn",
            "less of the body than the model was trained on; number: mm along it",
        ),
        "DEMONSTRATION_WEIGHTS": ("exclude", "the weights are for checking a pipeline; number: 1"),
        "DERIVED_IMAGE": ("warn", "slices computed from other images; number: how many"),
        "FOV_TRUNCATED": (
            "warn",
            "the body reaches beyond the field of view; number: share of its border",
        ),
        "GAPS_BEYOND_LIMIT": (
            "exclude",
            "more slices are missing than are filled unless lenient; number: how many",
        ),
        "GAPS_INTERPOLATED": (
            "warn",
            "slices at uneven distances were set on even ones; number: the largest distance in mm",
        ),
        "HU_IMPLAUSIBLE": (
            "exclude",
            "no fat or air, hardly any tissue, or more than 1 % metal; number: share of voxels",
        ),
        "LOSSY": ("warn", "the pixels were compressed with loss; number: 1"),
        "METAL_SUSPECTED": ("warn", "voxels of 3000 HU and more; number: share of them"),
        "NOT_MAGNITUDE": ("exclude", "a phase, real, imaginary or field map of MR; number: 1"),
        "PAD_FRACTION": (
            "info",
            "parts of the network's input that nothing was measured for; number: share of them",
        ),
        "PT_NOT_SUV": ("exclude", "a PET in its stored unit, not in SUVbw; number: 1"),
        "REGION_DUPLICATE_NAME": (
            "warn",
            "other regions of this image have the same name; number: how many there are",
        ),
        "REGION_PADDED": (
            "info",
            "the box reaches beyond the image; number: share of it that does",
        ),
        "REGION_SMALL": ("warn", "shorter than a quarter of the box; number: longest edge in mm"),
        "REGION_TRUNCATED": ("warn", "not all of the region was seen; number: share that was not"),
        "SCALE_OUTSIDE_TRAINING": (
            "warn",
            "voxels of other sizes than the model was trained on; number: how many times",
        ),
        "SLICE_OVERLAP": ("info", "slices thicker than their distance; number: how many times"),
        "SUBTRACTION_IMAGE": ("exclude", "the difference of two images; number: 1"),
        "SUV_ASSUMED": (
            "warn",
            "values were taken as meant on the way to SUVbw, see unit_notes; number: how many",
        ),
        "THICK_SLICES": ("warn", "slices more than 3 mm apart; number: their distance in mm"),
        "TILT_CORRECTED": ("warn", "slices of a tilted gantry were shifted; number: degrees"),
        "TILT_SHEARED": ("info", "the gantry was tilted, the affine is sheared; number: degrees"),
        "UNTRAINED_MODALITY": ("exclude", "the model was not made for this modality; number: 1"),
        "UNTRAINED_REGION_MODE": ("warn", "the model was trained on whole volumes; number: 1"),
        "UNTRAINED_WEIGHTS": ("exclude", "the weights are a seeded initialisation; number: 1"),
        "UPTAKE_UNUSUAL": (
            "warn",
            "FDG was scanned before 30 or after 180 minutes; number: minutes after the injection",
        ),
    }
)
"""Quality codes: what each asks of an analysis (info, warn, exclude), and what it means."""


LOSSY_SYNTAXES = frozenset({JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless})
"""Transfer syntaxes that are never lossless. JPEG 2000 and HTJ2K may be either."""

SUV_ASSUMPTIONS = frozenset(
    {
        "dates_ignored",
        "decay_contradictory",
        "dose_in_mbq",
        "private_creator_absent",
        "sex_other_mean",
        "suv_without_decay",
        "utc_offset_ignored",
        "weight_in_grams",
    }
)
"""Notes on the way to SUVbw that took a value otherwise than it is stated, or doubtful."""


def image_quality(grid: Grid) -> dict[str, float]:
    """Return the number behind each code on the image itself, 0 where it does not apply."""
    slice_mm = grid.slice_mm
    thickness_mm = np.array([each.thickness_mm for each in grid.slices])
    overlap = float(np.median((thickness_mm[:-1] + thickness_mm[1:]) / 2 / grid.gaps_mm))
    steps = grid.steps
    middle = grid.slices[len(grid.slices) // 2]
    modality = middle.text("Modality")
    return {
        "CONTRAST_UNKNOWN": modality == "CT" and contrast(middle) == "unknown",
        "LOSSY": any(map(_is_lossy, grid.slices)),
        "DERIVED_IMAGE": sum("DERIVED" in each.texts("ImageType")[:1] for each in grid.slices),
        "GAPS_BEYOND_LIMIT": steps.missing if steps and steps.beyond_limit else 0,
        "GAPS_INTERPOLATED": steps.largest_gap_mm if steps else 0,
        "NOT_MAGNITUDE": modality == "MR" and component(middle) in NOT_FOR_NETWORKS,
        "SLICE_OVERLAP": overlap if overlap > 1 + OVERLAP_TOLERANCE else 0,
        "SUBTRACTION_IMAGE": modality == "MR" and is_subtraction(middle),
        "THICK_SLICES": slice_mm if slice_mm > THICK_SLICES_MM * (1 + ROUNDING) else 0,
        "TILT_CORRECTED": grid.tilt_degrees if grid.upright else 0,
        "TILT_SHEARED": 0 if grid.upright else grid.tilt_degrees,
    }


def _is_lossy(instance: Instance) -> bool:
    """Say whether pixels were ever compressed with loss: as it is stated, or by their encoding."""
    return "01" in instance.stated("LossyImageCompression") or (
        instance.transfer_syntax in LOSSY_SYNTAXES
    )


def quantity_quality(modality: str, quantity: Quantity) -> dict[str, float]:
    """Return the number behind each code on how PET became SUVbw, or did not."""
    minutes = quantity.uptake_minutes or 0.0
    return {
        "PT_NOT_SUV": modality == "PT" and quantity.unit != "SUVbw",
        "SUV_ASSUMED": len(SUV_ASSUMPTIONS & set(quantity.notes)),
        "UPTAKE_UNUSUAL": minutes if "uptake_unusual" in quantity.notes else 0.0,
    }


def network_quality(modality: str, recipe: Recipe) -> dict[str, float]:
    """Return the number behind each code on what the network was made for."""
    return {
        "DEMONSTRATION_WEIGHTS": recipe.weights == "demonstration",
        "UNTRAINED_MODALITY": modality not in recipe.training.modalities,
        "UNTRAINED_WEIGHTS": recipe.weights == "untrained",
    }


def scale_quality(voxel_mm: tuple[float, float, float], recipe: Recipe) -> dict[str, float]:
    """Return how many times larger or smaller voxels are than any that the model was trained on."""
    factors = [
        max(low / mm, mm / high)
        for mm, (low, high) in zip(voxel_mm, recipe.training.voxel_mm, strict=False)
    ]
    worst = max(factors, default=0.0)
    return {"SCALE_OUTSIDE_TRAINING": worst if worst > 1 + ROUNDING else 0.0}


def coded(numbers: Mapping[str, float]) -> list[dict[str, Any]]:
    """Return the codes that apply, each with its severity and the number behind it."""
    return [
        {"code": code, "severity": QUALITY[code][0], "number": float(f"{float(number):.6g}")}
        for code, number in sorted(numbers.items())
        if number
    ]
