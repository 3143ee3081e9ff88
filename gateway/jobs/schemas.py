"""What jobs and their studies look like, as JSON Schema."""

from gateway.jobs.states import CANCELLED, ENDED, OF_A_STUDY, RUNNING
from gateway.results.long_description import LONG_ROW
from gateway.uploads.schemas import PICTURE

STUDY = {
    "type": "object",
    "required": ["position", "state", "attempts", "code", "sentence", "rows"],
    "properties": {
        "position": {"type": "integer"},
        "study_uid": {"type": "string"},
        "key": {"type": "string", "description": "of an upload, whose UID is not known"},
        "state": {"enum": list(OF_A_STUDY)},
        "attempts": {"type": "integer"},
        "code": {"type": "string"},
        "sentence": {"type": "string"},
        "rows": {"type": "integer"},
    },
}

SOURCE = {
    "type": "object",
    "required": ["kind"],
    "properties": {
        "kind": {"enum": ["kheops", "dicomweb", "uploads"]},
        "album": {"type": "string", "description": "of Kheops: the id of an album, or inbox"},
    },
    "additionalProperties": False,
}

JOB = {
    "type": "object",
    "required": ["id", "title", "model", "options", "source", "state", "counts", "rows"],
    "properties": {
        "id": {"type": "string"},
        "title": {"type": "string"},
        "model": {"type": "string"},
        "options": {"type": "object"},
        "series": {"type": "object", "description": "chosen later, by the studies' positions"},
        "source": SOURCE,
        "created_at": {"type": "string", "format": "date-time"},
        "ended_at": {"type": ["string", "null"], "format": "date-time"},
        "expires_at": {"type": "string", "format": "date-time"},
        "state": {"enum": [RUNNING, ENDED, CANCELLED]},
        "code": {"type": "string", "description": "what it waits for, if that is its owner"},
        "sentence": {"type": "string"},
        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
        "rows": {"type": "integer"},
        "rate_per_minute": {"type": ["number", "null"]},
        "seconds_left": {"type": ["number", "null"]},
        "events": {"type": "array", "items": {"type": "string"}},
        "studies": {"type": "array", "items": STUDY},
    },
}

JOBS = {
    "type": "object",
    "required": ["jobs"],
    "properties": {"jobs": {"type": "array", "items": JOB}},
}

NEW_JOB = {
    "type": "object",
    "required": ["source", "studies", "model"],
    "properties": {
        "source": SOURCE,
        "studies": {
            "description": "all: of an album",
            "oneOf": [
                {"const": "all"},
                {"type": "array", "minItems": 1, "items": {"$ref": "#/components/schemas/Named"}},
            ],
        },
        "model": {"type": "string"},
        "options": {"type": "object", "additionalProperties": {"type": "string"}},
        "title": {"type": "string", "maxLength": 200},
    },
    "additionalProperties": False,
}

NAMED = {
    "type": "object",
    "description": "a study by its UID, or by a key of the sender's own where it is uploaded",
    "minProperties": 1,
    "maxProperties": 1,
    "properties": {
        "study_uid": {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)*$", "maxLength": 64},
        "key": {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,64}$"},
    },
    "additionalProperties": False,
}

RETRY = {
    "type": "object",
    "properties": {
        "positions": {"type": "array", "items": {"type": "integer", "minimum": 0}},
        "versions": {"const": "older", "description": "studies done by older weights instead"},
        "series": {
            "type": "object",
            "description": "SeriesInstanceUIDs by commas, or all, by the studies' positions",
            "propertyNames": {"pattern": "^(0|[1-9][0-9]{0,8})$"},
            "additionalProperties": {"type": "string", "pattern": r"^(all|[0-9.,]+)$"},
        },
    },
    "additionalProperties": False,
}

ROW = {
    "type": "object",
    "required": ["row"],
    "properties": {
        "row": {"type": "integer", "minimum": 0, "description": "of the study, the first being 0"}
    },
    "additionalProperties": False,
}

RESULTS = {
    "type": "object",
    "required": ["model", "answers", "feature_names"],
    "properties": {
        "model": {"type": "string"},
        "answers": {"type": "array", "items": {"type": "object"}},
        "feature_names": {"type": "array", "items": {"type": "string"}},
    },
}

LONG_RESULTS = {
    "type": "object",
    "required": ["model", "rows", "without_rows"],
    "properties": {
        "model": {"type": "string"},
        "rows": {
            "type": "array",
            "items": {
                **LONG_ROW,
                "required": ["study_uid", *LONG_ROW["required"]],
                "properties": {"study_uid": {"type": "string"}, **LONG_ROW["properties"]},
            },
        },
        "without_rows": {
            "type": "array",
            "items": {"type": "object", "required": ["position", "code", "sentence"]},
            "description": "studies that were not answered, or cannot be stored, and why",
        },
    },
}

SCHEMAS = {
    "Job": JOB,
    "Jobs": JOBS,
    "LongResults": LONG_RESULTS,
    "Named": NAMED,
    "Picture": PICTURE,
    "Results": RESULTS,
    "Study": STUDY,
}
