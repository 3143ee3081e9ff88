"""What descriptions of operations share: references to schemas, answers, and refusals."""

from collections.abc import Mapping
from typing import Any

REFUSALS = {
    400: "an option is unknown, or the request cannot be read",
    401: "nobody is logged in, or the token is not valid",
    403: "another site sent this",
    404: "there is no such model, job or source",
    406: "there is no such form",
    408: "the study did not come in time",
    409: "the job is not in a state for this: the code says why",
    411: "the length of the study is needed",
    413: "the study is larger than is taken",
    415: "the body is neither a zip nor a form with one",
    421: "the gateway has another name",
    422: "the study is refused: the code says why",
    429: "too many requests of one user; Retry-After says when to go on",
    500: "an error of the gateway",
    502: "an error of Triton",
    503: "too many studies, or Triton is away for a moment; Retry-After says when to go on",
    504: "the study took too long",
}
"""Of operations on studies, by status; others have lists of their own."""


def schema_of(name: str) -> dict[str, Any]:
    """Return the content of a body that a schema of the description is of."""
    return {"schema": {"$ref": f"#/components/schemas/{name}"}}


def either(*names: str) -> dict[str, Any]:
    """Return the content of a body that is of one of several schemas."""
    return {"schema": {"oneOf": [schema_of(name)["schema"] for name in names]}}


def answers(
    content: Mapping[str, Any],
    *,
    status: str = "200",
    refusals: Mapping[int, str] = REFUSALS,
) -> dict[str, Any]:
    """Return the answers of an operation: the one that is wanted, and the problems.

    content: of the wanted one by media type; empty if it has no body.
    """
    problem = {"application/problem+json": schema_of("Problem")}
    wanted: dict[str, Any] = {"description": "as asked for"}
    if content:
        wanted["content"] = content
    refused = {
        str(code): {"description": text, "content": problem} for code, text in refusals.items()
    }
    return {status: wanted, **refused}
