"""The profile `quantimage` as OpenAPI describes it."""

from typing import Any

from gateway.results import quantimage
from gateway.results.long_rows import COLUMNS, LONGEST_NAME, MODALITIES, PREFIX

LONG_ROW: dict[str, Any] = {
    "type": "object",
    "required": [*COLUMNS],
    "properties": {
        "patient_id": {"type": "string"},
        "modality": {"enum": [*MODALITIES]},
        "VOI": {"type": "string", "minLength": 1, "maxLength": LONGEST_NAME},
        "feature_name": {"type": "string", "pattern": f"^{PREFIX}", "maxLength": LONGEST_NAME},
        "feature_value": {"type": "number"},
    },
}

LONG_ROWS: dict[str, Any] = {
    "type": "array",
    "items": LONG_ROW,
    "description": f"with profile={quantimage.PROFILE}: docs/quantimage.md",
}

PROFILE: dict[str, Any] = {
    "name": "profile",
    "in": "query",
    "schema": {"enum": [quantimage.PROFILE]},
    "description": "rows that QuantImage-V2 stores, as JSON or CSV",
}

ALLOW: dict[str, Any] = {
    "name": "allow",
    "in": "query",
    "schema": {"enum": ["demonstration"]},
    "description": "with a profile: beside what the job was asked to allow",
}
