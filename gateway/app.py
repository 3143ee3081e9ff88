"""The gateway as an ASGI application: what is in the way of a request, and where it goes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.engines.pool import Engines
from gateway.passthrough import routes as passthrough
from gateway.problems import ProblemError, on_failure, on_http_exception, on_problem
from gateway.settings import Settings
from gateway.uploads import routes as uploads
from gateway.uploads.studies import studies_of


def application(settings: Settings) -> Starlette:
    """Return the gateway that the settings describe."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.settings = settings
        async with Engines(settings).running() as engines, studies_of(settings, engines) as studies:
            app.state.engines, app.state.studies = engines, studies
            app.state.admission = studies.admission
            yield

    return Starlette(
        routes=[
            Route("/livez", _alive),
            Route("/readyz", _ready),
            *uploads.ROUTES,
            *passthrough.ROUTES,
        ],
        exception_handlers={
            ProblemError: on_problem,
            HTTPException: on_http_exception,
            Exception: on_failure,
        },
        lifespan=lifespan,
    )


async def _alive(_: Request) -> Response:
    return PlainTextResponse("alive\n")


async def _ready(request: Request) -> Response:
    """Say whether a study would be answered: an engine has answered a canary, and not long ago."""
    engines: Engines = request.app.state.engines
    return (
        PlainTextResponse("ready\n") if engines.is_ready else PlainTextResponse("not ready\n", 503)
    )
