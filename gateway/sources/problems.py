"""Errors of sources as answers to a request."""

from starlette.requests import Request
from starlette.responses import Response

from gateway.problems import ProblemError, ProblemResponse
from gateway.sources.source import SourceError

STATUSES = {
    "bad_query": 400,
    "source_refused": 403,  # not 401: that is the gateway's own login, which is right
    "not_registered": 403,
    "source_empty": 404,
    "source_failed": 502,
    "truncated_zip": 502,
    "source_unreachable": 503,
}

RETRY_AFTER_S = 5.0


def problem_of(error: SourceError) -> ProblemError:
    """Return an error of a source as a problem."""
    headers = {}
    if error.temporary:
        headers["Retry-After"] = f"{error.retry_after_s or RETRY_AFTER_S:.0f}"
    return ProblemError(STATUSES[error.code], error.code, error.sentence, headers=headers)


async def on_source_error(_: Request, error: Exception) -> Response:
    """Answer an error of a source that a route has raised."""
    assert isinstance(error, SourceError)  # noqa: S101  (registered for it alone)
    return ProblemResponse(problem_of(error))
