"""Rows as QuantImage-V2 stores them: one a modality, region of interest and feature."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deep_features_client.errors import DeepFeaturesError

if TYPE_CHECKING:
    from deep_features_client.answers import Answer


class LongRowsError(DeepFeaturesError):
    """Rows cannot be told apart, or stored, in the way of QuantImage-V2."""


def long_rows(answer: Answer) -> list[dict[str, object]]:
    """Return `patient_id, modality, VOI, feature_name, feature_value` of each region's features."""
    return [
        {
            "patient_id": row.patient_id,
            "modality": row.modality,
            "VOI": row.roi,
            "feature_name": f"tex_{name}",
            "feature_value": value,
        }
        for row in answer.rows
        if row.roi
        for name, value in zip(row.feature_names, row.features, strict=True)
    ]
