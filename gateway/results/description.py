"""What OpenAPI says of exports, projections and comparisons."""

from typing import Any

from gateway.openapi import answers, schema_of
from gateway.results.comparison import WORDS
from gateway.results.document import TITLE_CHARACTERS
from gateway.results.export import MEDIA_TYPES
from gateway.results.labels import NEEDED, SEVERITIES
from gateway.results.projection import LARGEST_FEATURES, LARGEST_ROWS
from imaging.quality import QUALITY

NUMBERS = {"type": "array", "items": {"type": "number"}}

SENT_ROW = {
    "type": "object",
    "description": "a row as it was answered; labels beside those of docs/contract.md are ignored",
    "required": [*NEEDED, "features"],
    "properties": {
        **{name: {"type": "string"} for name in NEEDED},
        "features": {**NUMBERS, "minItems": 1, "description": "finite as 32-bit numbers"},
        "quality": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["code", "severity", "number"],
                "properties": {
                    "code": {"type": "string"},
                    "severity": {"enum": list(SEVERITIES)},
                    "number": {"type": "number"},
                },
            },
        },
    },
}

ANSWERS = {
    "type": "object",
    "description": "answers of one model, as they came, each with a name of the sender's",
    "required": ["model", "answers"],
    "properties": {
        "title": {"type": "string", "maxLength": TITLE_CHARACTERS},
        "model": {"type": "string"},
        "exclude": {
            "type": "array",
            "items": {"enum": sorted(QUALITY)},
            "description": "quality codes: rows with one are left out, and counted in the file",
        },
        "answers": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "code": {"type": "string", "description": "why there are no rows"},
                    "rows": {"type": "array", "items": SENT_ROW},
                    "report": {"type": "object"},
                },
            },
        },
    },
}

ROWS = {
    "type": "object",
    "required": ["rows"],
    "properties": {
        "rows": {
            "type": "array",
            "maxItems": LARGEST_ROWS,
            "items": {
                "type": "object",
                "required": ["features"],
                "properties": {
                    "features": {
                        **NUMBERS,
                        "minItems": 1,
                        "maxItems": LARGEST_FEATURES,
                        "description": "finite as 32-bit numbers; of all rows as many",
                    }
                },
            },
        }
    },
}

PROJECTION = {
    "type": "object",
    "required": ["scores", "explained", "constant"],
    "properties": {
        "scores": {
            "type": "array",
            "items": {**NUMBERS, "minItems": 3, "maxItems": 3},
            "description": "of each row along the first three principal components",
        },
        "explained": {**NUMBERS, "description": "share of the variance along each"},
        "constant": {"type": "integer", "description": "features that do not vary: left out"},
    },
}

OPTIONAL_NUMBER = {"type": ["number", "null"]}

COMPARISON = {
    "type": "object",
    "required": ["first", "second", "changed", "words", "counts", "rows"],
    "properties": {
        "first": {"type": "object", "description": "version and number of rows of one run"},
        "second": {"type": "object"},
        "changed": {"type": "array", "items": {"type": "string"}},
        "tolerance": {"type": "object"},
        "words": {"type": "object", "description": "what each verdict means"},
        "note": {"type": "string"},
        "counts": {"type": "object", "description": "rows by verdict"},
        "rows": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "verdict": {"enum": list(WORDS)},
                    "relative_l2": OPTIONAL_NUMBER,
                    "largest_difference": OPTIONAL_NUMBER,
                    "feature": {"type": ["string", "null"]},
                    "difference_by_sd": OPTIONAL_NUMBER,
                    "changed": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
        "only_first": {"type": "array", "items": {"type": "object"}},
        "only_second": {"type": "array", "items": {"type": "object"}},
    },
}

EXPORTED = {
    "type": "object",
    "required": ["title", "model", "feature_names", "answers", "provenance"],
    "properties": {
        "title": {"type": "string"},
        "model": {"type": "string"},
        "feature_names": {"type": "array", "items": {"type": "string"}},
        "answers": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["name", "code", "rows", "excluded", "report"],
                "description": "as sent; `excluded` are labels of rows that were left out",
            },
        },
        "provenance": {"type": "object", "description": "what is not of one row"},
    },
}

SCHEMAS = {
    "Answers": ANSWERS,
    "Exported": EXPORTED,
    "Rows": ROWS,
    "Projection": PROJECTION,
    "Comparison": COMPARISON,
    "Runs": {
        "type": "object",
        "required": ["first", "second"],
        "properties": {
            run: {"$ref": "#/components/schemas/Answers"} for run in ("first", "second")
        },
    },
}

REFUSALS = {
    400: "the document cannot be read, or is not as described",
    401: "nobody is logged in, or the token is not valid",
    403: "another site sent this",
    404: "there is no such form",
    408: "the document did not come in time",
    409: "rows are of different weights or preprocessing",
    413: "the document, or what is made of it, is larger than is taken",
    415: "the body is no JSON",
    421: "the gateway has another name",
    429: "too many requests of one user; Retry-After says when to go on",
    500: "an error of the gateway",
    503: "too much is sent in at once; Retry-After says when to go on",
}


def paths() -> dict[str, Any]:
    """Return the operations, by path and method."""
    form = {"name": "form", "in": "path", "required": True, "schema": {"enum": list(MEDIA_TYPES)}}
    binary = {"schema": {"type": "string", "format": "binary"}}
    exports = _post("exports", "Rows that were answered, as a file", taken="Answers")
    exports["parameters"] = [form]
    files = {MEDIA_TYPES[each]: binary for each in MEDIA_TYPES}
    exports["responses"]["200"]["content"] = files | {MEDIA_TYPES["json"]: schema_of("Exported")}
    return {
        "/api/exports/{form}": {"post": exports},
        "/api/projections": {
            "post": _post(
                "projections", "Rows along principal components", taken="Rows", given="Projection"
            )
        },
        "/api/comparisons": {
            "post": _post(
                "comparisons", "How far two runs are apart", taken="Runs", given="Comparison"
            )
        },
    }


def _post(name: str, summary: str, *, taken: str, given: str = "") -> dict[str, Any]:
    content = {MEDIA_TYPES["json"]: schema_of(given)} if given else {}
    return {
        "summary": summary,
        "operationId": name,
        "requestBody": {"required": True, "content": {MEDIA_TYPES["json"]: schema_of(taken)}},
        "responses": answers(content, refusals=REFUSALS),
    }
