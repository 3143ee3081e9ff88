"""The gateway as an ASGI application: what is in the way of a request, and where it goes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gateway.login.guard import Guard
from gateway.login.headers import SecurityHeaders
from gateway.login.routes import ROUTES as LOGIN_ROUTES
from gateway.login.setup import login
from gateway.problems import ProblemError, on_failure, on_http_exception, on_problem
from gateway.settings import Settings


class Gateway(Starlette):
    """Starlette with the security headers outside of what answers failures."""

    def __init__(self, settings: Settings, **kwargs: object) -> None:
        self._settings = settings
        super().__init__(**kwargs)  # type: ignore[arg-type]

    def build_middleware_stack(self) -> ASGIApp:
        return SecurityHeaders(super().build_middleware_stack(), self._settings)


def application(settings: Settings) -> Starlette:
    """Return the gateway that the settings describe."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.settings = settings
        async with login(app, settings):
            yield

    return Gateway(
        settings,
        routes=[Route("/livez", _alive), *LOGIN_ROUTES],
        middleware=[Middleware(Guard)],
        exception_handlers={
            ProblemError: on_problem,
            HTTPException: on_http_exception,
            Exception: on_failure,
        },
        lifespan=lifespan,
    )


async def _alive(_: Request) -> Response:
    return PlainTextResponse("alive\n")
