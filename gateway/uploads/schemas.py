"""What answers about a study look like, as JSON Schema."""

from typing import Any

from imaging.choice import CHOSEN, OTHER, TIED, UNUSABLE

PNG = {"type": "string", "contentEncoding": "base64", "contentMediaType": "image/png"}

NUMBERS = {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}

CANDIDATE: dict[str, Any] = {
    "type": "object",
    "required": ["study_uid", "series_uid", "modality", "instances", "standing", "thumbnail"],
    "properties": {
        "study_uid": {"type": "string"},
        "series_uid": {"type": "string"},
        "modality": {"type": "string"},
        "instances": {"type": "integer", "description": "objects in the zip"},
        "volumes": {"type": "integer"},
        "shape": NUMBERS | {"description": "columns, rows, slices of the first volume"},
        "voxel_mm": NUMBERS,
        "acquired_orientation": {"type": "string"},
        "acquisition": {"type": "object", "description": "docs/contract.md says what may be in it"},
        "standing": {"enum": [CHOSEN, TIED, OTHER, UNUSABLE]},
        "decided_by": {"type": "string", "description": "as series_chosen_by of a row"},
        "referenced": {"type": "boolean", "description": "regions of interest name it"},
        "code": {"type": "string"},
        "reason": {"type": "string", "description": "why it is not taken"},
        "thumbnail": PNG | {"description": "its middle plane; empty where it cannot be used"},
    },
}

SERIES = {
    "type": "object",
    "required": ["series", "report"],
    "properties": {
        "series": {"type": "array", "items": CANDIDATE},
        "report": {"type": "object"},
    },
}

PICTURE = {
    "type": "object",
    "required": ["preview", "picture"],
    "properties": {
        "preview": PNG | {"description": "all planes, and sheets of regions below them"},
        "picture": {
            "type": "object",
            "description": "how they lie in it: docs/contract.md",
            "required": ["shape", "voxel_mm", "across", "regions"],
            "properties": {
                "shape": NUMBERS | {"description": "columns, rows and planes"},
                "voxel_mm": NUMBERS,
                "across": {"type": "integer", "description": "planes side by side"},
                "regions": {"type": "array", "items": {"type": "string"}},
            },
        },
    },
}
