"""Errors as answers: problem details with the codes of the engine and of the gateway (RFC 9457)."""

from collections.abc import Mapping
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """A request that is refused; the sentence is safe to show to whoever sent it."""

    def __init__(
        self, status: int, code: str, sentence: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{code}: {sentence}")
        self.status, self.code, self.sentence = status, code, sentence
        self.headers = dict(headers or {})


class ProblemResponse(JSONResponse):
    """A problem as its answer: type, title, status, detail, and the code.

    `error` is for clients of Triton's protocol, which look for it alone. What watches the gateway
    finds the code in the scope.
    """

    media_type = MEDIA_TYPE

    def __init__(self, problem: ProblemError) -> None:
        self._code = problem.code
        content = {
            "type": "about:blank",
            "title": HTTPStatus(problem.status).phrase,
            "status": problem.status,
            "code": problem.code,
            "detail": problem.sentence,
            "error": str(problem),
        }
        super().__init__(content, problem.status, problem.headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        scope["problem_code"] = self._code
        await super().__call__(scope, receive, send)


CLIENT_GONE = 499
"""A status of no standard, for those who watch over requests."""

CODES_OF_STATUS = {
    404: ("not_found", "there is nothing at this address"),
    405: ("method_not_allowed", "this address does not take this method"),
}
"""What Starlette itself refuses."""


async def on_problem(_: Request, error: Exception) -> Response:
    """Answer a problem that a route has raised."""
    assert isinstance(error, ProblemError)  # noqa: S101  (registered for it alone)
    return ProblemResponse(error)


async def on_http_exception(_: Request, error: Exception) -> Response:
    """Answer what Starlette refuses: no route, or a method that the route does not take."""
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for it alone)
    code, sentence = CODES_OF_STATUS.get(error.status_code, ("bad_request", "it cannot be read"))
    return ProblemResponse(ProblemError(error.status_code, code, sentence, headers=error.headers))


async def on_client_gone(_: Request, __: Exception) -> Response:
    """Answer a sender who went away: for logs alone, as nobody is there who could read it."""
    return Response(status_code=CLIENT_GONE)


async def on_failure(_: Request, __: Exception) -> Response:
    """Answer what nobody foresaw, without its text: it may quote a patient's attributes."""
    return ProblemResponse(ProblemError(500, "internal_error", "the request failed"))
