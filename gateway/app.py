"""The gateway as an ASGI application: what is in the way of a request, and where it goes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.page.routes import page_routes
from gateway.problems import ProblemError, on_failure, on_http_exception, on_problem
from gateway.settings import Settings


def application(settings: Settings) -> Starlette:
    """Return the gateway that the settings describe."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.settings = settings
        yield

    return Starlette(
        routes=[Route("/livez", _alive), *page_routes()],
        exception_handlers={
            ProblemError: on_problem,
            HTTPException: on_http_exception,
            Exception: on_failure,
        },
        lifespan=lifespan,
    )


async def _alive(_: Request) -> Response:
    return PlainTextResponse("alive\n")
