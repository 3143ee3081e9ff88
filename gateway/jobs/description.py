"""Jobs as OpenAPI describes them."""

from collections.abc import Callable
from typing import Any

from gateway.jobs.states import CANCELLED, ENDED, OF_A_STUDY, RUNNING
from gateway.results.export import MEDIA_TYPES
from gateway.sources.description import TOKEN

JSON = "application/json"

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

SCHEMAS = {"Job": JOB, "Jobs": JOBS, "Named": NAMED, "Results": RESULTS, "Study": STUDY}

ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}

POSITION = {
    "name": "position",
    "in": "path",
    "required": True,
    "schema": {"type": "integer", "minimum": 0},
}

PAGE = [
    {
        "name": name,
        "in": "query",
        "schema": {"type": "integer", "minimum": 0, "maximum": 10_000_000},
        "description": text,
    }
    for name, text in (
        ("offset", "position of the first study"),
        ("limit", "how many studies; all otherwise"),
    )
]

LAST = {
    "name": "Last-Event-ID",
    "in": "header",
    "schema": {"type": "integer", "minimum": 0},
    "description": "number of the last event that has come",
}

Answers = Callable[[str, dict[str, Any]], dict[str, Any]]
"""The answers of an operation, by status and content of the one that is no problem."""


def job_paths(answers: Answers) -> dict[str, Any]:
    """Return the paths of jobs; answers: adds the problems that all operations may have."""
    one = "/api/jobs/{id}"
    zipped = {"schema": {"type": "string", "format": "binary"}}
    stream = {"text/event-stream": {"schema": {"type": "string"}}}

    def told(summary: str, operation: str, status: str = "200", **more: Any) -> dict[str, Any]:
        content = more.pop("content", None) or {JSON: {"schema": _reference("Job")}}
        found = {"summary": summary, "operationId": operation, **more}
        return {**found, "responses": answers(status, content if status != "204" else {})}

    events = told("What happens to a job, as it happens", "jobEvents", content=stream)
    events["responses"]["204"] = {"description": "it is over, and nothing else will come"}
    return {
        "/api/jobs": {
            "get": told("All jobs of the sender, the newest first", "jobs", content=_json("Jobs")),
            "post": told(
                "Begin a job", "beginJob", "202", parameters=[TOKEN], requestBody=_body(NEW_JOB)
            ),
        },
        one: {
            "get": told("A job with its studies", "job", parameters=[ID]),
            "delete": told(
                "Cancel a job, and delete its rows", "deleteJob", "204", parameters=[ID]
            ),
        },
        f"{one}/events": {"get": events | {"parameters": [ID, LAST]}},
        f"{one}/retry": {
            "post": told(
                "Begin again with what failed or was cancelled",
                "retryJob",
                "202",
                parameters=[ID, TOKEN],
                requestBody=_body(RETRY) | {"required": False},
            )
        },
        f"{one}/cancel": {
            "post": told("Cancel what is not done", "cancelJob", "202", parameters=[ID])
        },
        f"{one}/results.json": {
            "get": told(
                "The rows so far", "results", parameters=[ID, *PAGE], content=_json("Results")
            )
        },
        **{
            f"{one}/results.{form}": {
                "get": told(
                    "The rows so far as a file",
                    f"results_{form}",
                    parameters=[ID],
                    content={media_type: zipped},
                )
            }
            for form, media_type in MEDIA_TYPES.items()
            if form != "json"
        },
        f"{one}/studies/{{position}}/file": {
            "put": told(
                "The zip of a study that is uploaded",
                "uploadStudy",
                parameters=[ID, POSITION],
                content=_json("Study"),
                requestBody={"required": True, "content": {"application/zip": zipped}},
            )
        },
    }


def _body(schema: dict[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {JSON: {"schema": schema}}}


def _json(name: str) -> dict[str, Any]:
    return {JSON: {"schema": _reference(name)}}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
