"""Errors as answers: problem details with the codes of the engine and of the gateway (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """A request that is refused; the sentence is safe to show to whoever sent it."""

    def __init__(
        self, status: int, code: str, sentence: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{code}: {sentence}")
        self.status, self.code, self.sentence = status, code, sentence
        self.headers = dict(headers or {})


def problem_response(problem: ProblemError) -> Response:
    """Return a problem as its answer: type, title, status, detail, and the code."""
    return JSONResponse(
        {
            "type": "about:blank",
            "title": HTTPStatus(problem.status).phrase,
            "status": problem.status,
            "code": problem.code,
            "detail": problem.sentence,
        },
        problem.status,
        problem.headers,
        MEDIA_TYPE,
    )


CODES_OF_STATUS = {
    404: ("not_found", "there is nothing at this address"),
    405: ("method_not_allowed", "this address does not take this method"),
}
"""What Starlette itself refuses."""


async def on_problem(request: Request, error: Exception) -> Response:
    """Answer a problem that a route has raised."""
    assert isinstance(error, ProblemError)  # noqa: S101  (registered for it alone)
    request.scope["problem_code"] = error.code
    return problem_response(error)


async def on_http_exception(_: Request, error: Exception) -> Response:
    """Answer what Starlette refuses: no route, or a method that the route does not take."""
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for it alone)
    code, sentence = CODES_OF_STATUS.get(error.status_code, ("bad_request", "it cannot be read"))
    return problem_response(ProblemError(error.status_code, code, sentence, headers=error.headers))


async def on_failure(_: Request, __: Exception) -> Response:
    """Answer what nobody foresaw, without its text: it may quote a patient's attributes."""
    return problem_response(ProblemError(500, "internal_error", "the request failed"))
