"""The gateway as an ASGI application: what is in the way of a request, and where it goes."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gateway.page.routes import page_routes
from gateway.problems import ProblemError, on_failure, on_http_exception, on_problem
from gateway.settings import Settings
from gateway.telemetry.audit import Audit
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.rates import Rates
from gateway.telemetry.watching import Watching


def application(settings: Settings) -> Starlette:
    """Return the gateway that the settings describe."""
    metrics = Metrics()
    audit = Audit(settings.audit_file, str(settings.audit_key).encode())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.settings = settings
        yield
        audit.close()

    return Starlette(
        routes=[Route("/livez", _alive), Route("/metrics", metrics.page), *page_routes()],
        middleware=[  # the first one is the outermost
            Middleware(Watching, metrics, audit),
            Middleware(Rates, settings.bounds.requests_a_minute),
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
