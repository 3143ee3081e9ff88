"""What the routes of sources are, as OpenAPI describes them."""

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.openapi import answers, schema_of
from gateway.sources.queries import (
    ALBUM_SORTS,
    FURTHEST,
    LONGEST_SEARCH,
    MOST_AT_ONCE,
    STUDY_SORTS,
    USUAL,
)

TEXT = {"type": "string"}
COUNT = {"type": ["integer", "null"], "description": "null: the server does not say"}
TEXTS = {"type": "array", "items": TEXT}
ALBUM_ID = {"type": "string", "pattern": "^[A-Za-z0-9]{10}$"}
UID = {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)*$", "maxLength": 64}


def _object(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": [*properties], "properties": properties}


def _listed(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


ALBUM = _object(
    id=ALBUM_ID,
    name=TEXT,
    description=TEXT,
    modalities=TEXTS,
    studies=COUNT,
    series=COUNT,
    created=TEXT,
    changed=TEXT,
)

STUDY = _object(
    study_uid=UID,
    patient_id=TEXT,
    patient_name=TEXT,
    date={"type": "string", "description": "YYYY-MM-DD, or empty"},
    description=TEXT,
    modalities=TEXTS,
    series=COUNT,
    instances=COUNT,
)

SERIES = _object(series_uid=UID, modality=TEXT, description=TEXT, number=COUNT, instances=COUNT)

TOTAL = {
    "type": ["integer", "null"],
    "description": "of all pages; null where there are more and the server has not counted them",
}

SCHEMAS = {
    "Sources": {
        "type": "object",
        "required": ["kheops", "dicomweb", "jobs", "studies_of_a_job", "rows_days"],
        "properties": {
            "kheops": {"type": "boolean"},
            "dicomweb": {"type": "boolean"},
            "jobs": {"type": "boolean"},
            "studies_of_a_job": {"type": "integer"},
            "rows_days": {"type": "number"},
        },
    },
    "Albums": _object(
        albums=_listed(ALBUM),
        total=TOTAL,
        inbox={
            "type": ["object", "null"],
            "description": "null for a token of one album",
            "properties": {"studies": COUNT},
        },
    ),
    "Studies": _object(studies=_listed(STUDY), total=TOTAL),
    "SeriesOfAStudy": _object(series=_listed(SERIES)),
}

REFUSALS = {
    400: "the search cannot be, or finds too much; or the Kheops-Token is none",
    401: "nobody is logged in, or the token is not valid",
    403: "the source does not accept this login, or lets it not do that; or another site sent this",
    404: "there is no such source, album or study",
    421: "the gateway has another name",
    429: "too many requests of one user; Retry-After says when to go on",
    431: "headers and query are too large",
    500: "an error of the gateway",
    502: "the source failed; Retry-After says when to try again",
    503: "the source cannot be reached; Retry-After says when to try again",
}

ALBUM_PATH = {
    "name": "album",
    "in": "path",
    "required": True,
    "schema": {"anyOf": [ALBUM_ID, {"const": "inbox"}]},
}
STUDY_PATH = {"name": "study_uid", "in": "path", "required": True, "schema": UID}

TOKEN = {
    "name": "Kheops-Token",
    "in": "header",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9]{22}$"},
    "description": "in the mode local: a token that was made on Kheops's page",
}


def paths() -> dict[str, Any]:
    """Return the operations, by path and method."""
    albums, studies = _search(ALBUM_SORTS), _search(STUDY_SORTS, modality=True)
    kheops, dicomweb = "/api/kheops/albums", "/api/dicomweb/studies"
    return {
        "/api/sources": _get(
            "sources", "Which sources there are, and what jobs may be", given="Sources"
        ),
        kheops: _get("albums", "Albums of Kheops", given="Albums", parameters=[*albums, TOKEN]),
        f"{kheops}/{{album}}/studies": _get(
            "album_studies",
            "Studies of an album, or of the inbox",
            given="Studies",
            parameters=[ALBUM_PATH, *studies, TOKEN],
        ),
        f"{kheops}/{{album}}/studies/{{study_uid}}/series": _get(
            "album_series",
            "What an album has of a study",
            given="SeriesOfAStudy",
            parameters=[ALBUM_PATH, STUDY_PATH, TOKEN],
        ),
        dicomweb: _get(
            "studies", "Studies of the DICOMweb server", given="Studies", parameters=studies
        ),
        f"{dicomweb}/{{study_uid}}/series": _get(
            "study_series", "Series of a study", given="SeriesOfAStudy", parameters=[STUDY_PATH]
        ),
    }


def _search(sorts: Sequence[str], *, modality: bool = False) -> list[dict[str, Any]]:
    directed = [f"{sign}{each}" for each in sorts for sign in ("", "-")]
    limit = {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE, "default": USUAL}
    offset = {"type": "integer", "minimum": 0, "maximum": FURTHEST, "default": 0}
    search = {"type": "string", "maxLength": LONGEST_SEARCH}
    found: list[tuple[str, dict[str, Any], str]] = [
        ("search", search, "a part of the name, or of the id, in any case"),
        ("sort", {"enum": directed}, f"{', '.join(sorts)}, with - before it downwards"),
        ("limit", limit, "how many at once"),
        ("offset", offset, "how many before them"),
    ]
    if modality:
        code = {"type": "string", "pattern": "^[A-Za-z0-9_]{1,16}$"}
        found.append(("modality", code, "that the studies have, such as CT"))
    return [
        {"name": name, "in": "query", "schema": schema, "description": text}
        for name, schema, text in found
    ]


def _get(
    name: str, summary: str, *, given: str, parameters: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    operation = {
        "summary": summary,
        "operationId": name,
        "parameters": [*parameters],
        "responses": answers({"application/json": schema_of(given)}, refusals=REFUSALS),
    }
    return {"get": operation}
