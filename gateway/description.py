"""The API as OpenAPI 3.1 describes it: for programs that read it, and for tests that prove it."""

from importlib.metadata import version
from typing import Any

from gateway.jobs.description import job_paths
from gateway.jobs.schemas import SCHEMAS as JOB_SCHEMAS
from gateway.openapi import answers, either, schema_of
from gateway.results import description as results
from gateway.results.export import MEDIA_TYPES
from gateway.results.long_description import LONG_ROWS, PROFILE
from gateway.sources import description as sources
from gateway.uploads.schemas import SERIES
from imaging.options import ALLOWABLE, EVERY_SERIES, PREVIEWS, PT_UNITS, REGION_MODES

ROW = {
    "type": "object",
    "description": "docs/contract.md says what each label means; UIDs are as DICOM has them.",
    "required": ["patient_id", "study_uid", "series_uid", "modality", "roi", "features"],
    "properties": {
        "patient_id": {"type": "string"},
        "study_uid": {"type": "string"},
        "series_uid": {"type": "string"},
        "modality": {"type": "string"},
        "roi": {"type": "string", "description": "name of a region; empty for the whole volume"},
        "features": {"type": "array", "items": {"type": "number"}},
    },
}

FEATURES = {
    "type": "object",
    "required": ["model", "rows", "feature_names", "report", "previews"],
    "properties": {
        "model": {"type": "string"},
        "rows": {"type": "array", "items": ROW},
        "feature_names": {"type": "array", "items": {"type": "string"}},
        "report": {"type": "object"},
        "previews": {
            "type": "array",
            "items": {
                "type": "string",
                "contentEncoding": "base64",
                "contentMediaType": "image/png",
            },
            "description": "what the network saw of each row; empty strings without previews",
        },
    },
}

MODELS = {
    "type": "object",
    "required": ["models"],
    "properties": {
        "models": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name"],
                "properties": {"name": {"type": "string"}},
            },
        }
    },
}

CARD = {
    "type": "object",
    "required": ["model", "parameters", "versions"],
    "properties": {
        "model": {"type": "string"},
        "parameters": {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "description": "how its inputs are made; empty where its Triton does not tell",
        },
        "versions": {
            "type": "array",
            "description": "the newest first; empty where its Triton's folders cannot be read",
            "items": {
                "type": "object",
                "required": ["version", "is_served", "card"],
                "properties": {
                    "version": {"type": "integer"},
                    "is_served": {"type": "boolean"},
                    "card": {"type": "object", "description": "what its maker says of it"},
                },
            },
        },
    },
}

SESSION = {
    "type": "object",
    "required": ["mode", "way", "name"],
    "properties": {
        "mode": {"enum": ["local", "oidc"]},
        "way": {"enum": ["local", "session", "bearer"]},
        "name": {"type": "string"},
    },
}

PROBLEM = {
    "type": "object",
    "description": "Problem details, RFC 9457; `code` is stable, docs/errors.md lists them.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "pattern": "^[a-z0-9_]+$"},
        "detail": {"type": "string"},
    },
}


def description() -> dict[str, Any]:
    """Return the description; its addresses are relative to where it was found."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Deep features of a DICOM zip",
            "version": version("triton-deep-features"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"bearer": []}, {"session": []}],
        "paths": {
            "/api/models": {"get": _get("The models that give features", "models", "Models")},
            "/api/models/{model}": {"get": _card()},
            "/api/session": {"get": _get("Who is logged in", "session", "Session")},
            "/api/models/{model}/features": {"post": _features()},
            "/api/series": {"post": _series()},
            **job_paths(),
            **sources.paths(),
            **results.paths(),
        },
        "components": {
            "schemas": {
                "Features": FEATURES,
                "LongRows": LONG_ROWS,
                "Models": MODELS,
                "Series": SERIES,
                "Card": CARD,
                "Session": SESSION,
                "Problem": PROBLEM,
                **JOB_SCHEMAS,
                **sources.SCHEMAS,
                **results.SCHEMAS,
            },
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "session": {"type": "apiKey", "in": "cookie", "name": "__Host-deepfeatures"},
            },
        },
    }


def _get(summary: str, name: str, schema: str) -> dict[str, Any]:
    return {
        "summary": summary,
        "operationId": name,
        "responses": answers({"application/json": schema_of(schema)}),
    }


WHOLE = {"schema": {"type": "string", "format": "binary"}}

STUDY = {
    "required": True,
    "content": {
        "application/zip": WHOLE,
        "application/octet-stream": WHOLE,
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file"],
                "properties": {"file": {"type": "string", "format": "binary"}},
            }
        },
    },
}


MODEL = {
    "name": "model",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "minLength": 1},
}


def _card() -> dict[str, Any]:
    stated = _get("What is known of a model: parameters, versions, cards", "card", "Card")
    return {**stated, "parameters": [MODEL]}


def _features() -> dict[str, Any]:
    return {
        "summary": "The features of one study, a row each volume and region of interest",
        "operationId": "features",
        "parameters": [
            MODEL,
            *map(_option, OPTIONS),
            PROFILE,
        ],
        "requestBody": STUDY,
        "responses": answers(
            {
                "application/json": either("Features", "LongRows"),
                MEDIA_TYPES["csv"]: {"schema": {"type": "string"}},
                **{MEDIA_TYPES[form]: WHOLE for form in ("zip", "xlsx", "parquet")},
            },
        ),
    }


def _series() -> dict[str, Any]:
    model = {"name": "model", "in": "query", "schema": {"type": "string", "minLength": 1}}
    return {
        "summary": "The image series of one study, and which of them would be taken",
        "operationId": "series",
        "parameters": [
            model | {"description": "the one whose rule counts"},
            *(_option(each) for each in OPTIONS if each[0] in LISTING),
        ],
        "requestBody": STUDY,
        "responses": answers({"application/json": schema_of("Series")}),
    }


LISTING = ("roi", "allow", "pt_unit", "lenient")
"""Options that bear on which series would be taken."""

SWITCH = {"enum": ["true", "false"]}

OPTIONS: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("regions", {"enum": [*REGION_MODES]}, "whole volumes, regions of interest, or both (auto)"),
    ("roi", {"type": "string"}, "the name of the regions that are wanted"),
    ("series", {"type": "string"}, f"SeriesInstanceUIDs, by commas, or {EVERY_SERIES}"),
    ("allow", {"type": "string"}, f"of {', '.join(sorted(ALLOWABLE))}, by commas"),
    ("pt_unit", {"enum": [unit for unit in PT_UNITS if unit]}, "the unit of PET"),
    ("lenient", SWITCH, "read series with more gaps than usual"),
    ("preview", {"enum": [*PREVIEWS]}, "pictures of what the network saw; stack: of all planes"),
)


def _option(option: tuple[str, dict[str, Any], str]) -> dict[str, Any]:
    name, schema, text = option
    return {"name": name, "in": "query", "schema": schema, "description": text}
