"""Rows of a cohort as the service answers them: many, in groups that can be told apart."""

import json

import numpy as np

FEATURES = 256
REGIONS = ("", "GTV-T", "GTV-N", "liver")
CODES = {
    "THICK_SLICES": ("warn", 4.0),
    "METAL_SUSPECTED": ("exclude", 0.02),
    "CONTRAST_UNKNOWN": ("info", 1.0),
}


def rows(count: int) -> list[dict]:
    """Rows of patients P0000, P0001 and so on, four each; the first half is apart from the second.

    Row n has the volume of n ml, one code in turn (none at each fourth), and one of two kernels.
    """
    numbers = np.random.default_rng(5)
    features = numbers.normal(0, 1, (count, FEATURES)).astype(np.float32)
    features[: count // 2] += 3
    return [_row(n, values) for n, values in enumerate(features)]


def _row(n: int, features: np.ndarray) -> dict:
    codes = [[], *([code] for code in CODES)][n % 4]
    return {
        "patient_id": f"P{n // 4:04}",
        "study_uid": f"1.2.{n // 4}",
        "series_uid": f"1.2.{n // 4}.1",
        "modality": "CT" if n % 8 < 4 else "PT",
        "roi": REGIONS[n % 4],
        "volume_ml": float(n),
        "maximum_diameter_mm": 10.5,
        "acquisition": {"ConvolutionKernel": "B30f" if n % 3 else "B70f", "KVP": 120.0},
        "quality": [
            {"code": code, "severity": CODES[code][0], "number": CODES[code][1]} for code in codes
        ],
        "features": [round(float(value), 3) for value in features],
        "feature_prefix": "ct3dcnn1",
        "weights": "trained",
        "weights_sha256": "a" * 64,
        "preprocessing_id": "b" * 64,
        "software": "triton-deep-features 0.1.0",
    }


def answer(count: int) -> str:
    """The answer for a study of so many rows, as the service writes it."""
    return json.dumps(
        {
            "model": "ct3dcnn",
            "rows": rows(count),
            "feature_names": [f"ct3dcnn1_{n:03}" for n in range(FEATURES)],
            "report": {},
            "previews": [""] * count,
        }
    )
