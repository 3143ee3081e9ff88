"""The gateway as an ASGI application: what is in the way of a request, and where it goes."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import ASGIApp

from gateway import about
from gateway.engines.pool import Engines
from gateway.jobs import routes as jobs_routes
from gateway.jobs.database import on_database_error
from gateway.jobs.setup import jobs_running
from gateway.login.guard import Guard
from gateway.login.headers import SecurityHeaders
from gateway.login.routes import ROUTES as LOGIN_ROUTES
from gateway.login.setup import login
from gateway.page.routes import page_routes
from gateway.passthrough import routes as passthrough
from gateway.problems import ProblemError, on_client_gone, on_failure, on_http_exception, on_problem
from gateway.results import routes as results
from gateway.results.desk import Desk
from gateway.settings import Settings
from gateway.sources import routes as sources_routes
from gateway.sources.callers import access_of
from gateway.sources.kheops.entry import Entry
from gateway.sources.problems import on_source_error
from gateway.sources.setup import Sources, sources_of
from gateway.sources.source import SourceError
from gateway.telemetry.audit import Audit
from gateway.telemetry.gauges import add_gauges, add_gauges_of_jobs
from gateway.telemetry.metrics import Metrics
from gateway.telemetry.rates import Rates
from gateway.telemetry.watching import Watching
from gateway.uploads import routes as uploads
from gateway.uploads import series as uploads_series
from gateway.uploads.studies import studies_of


class Gateway(Starlette):
    """Starlette with parts that are outside even of what answers failures.

    outermost: the first one is the outermost.
    """

    def __init__(self, *, outermost: Sequence[Middleware], **rest: Any) -> None:
        self._outermost = outermost
        super().__init__(**rest)

    def build_middleware_stack(self) -> ASGIApp:
        """Return the application that serves requests."""
        app = super().build_middleware_stack()
        for middleware, positional, named in reversed(self._outermost):
            app = middleware(app, *positional, **named)
        return app


def application(settings: Settings) -> Starlette:
    """Return the gateway that the settings describe."""
    metrics = Metrics()
    audit = Audit(settings.audit_file, str(settings.audit_key).encode())

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        app.state.settings, app.state.desk = settings, Desk()
        async with (
            sources_of(settings.sources) as sources,
            login(app, settings, others=_entry(sources), told=metrics.provider),
            Engines(settings).running() as engines,
            studies_of(settings, engines, metrics) as studies,
        ):
            app.state.engines, app.state.studies = engines, studies
            app.state.sources = sources.by_name()
            add_gauges(metrics, studies, engines, bounds=settings.bounds)
            async with jobs_running(
                settings.jobs, studies, sources=app.state.sources, login_of=partial(access_of, app)
            ) as app.state.jobs:
                if app.state.jobs is not None:
                    add_gauges_of_jobs(metrics, app.state.jobs)
                yield
        audit.close()

    return Gateway(
        routes=[
            Route("/metrics", metrics.page),
            *about.ROUTES,
            *LOGIN_ROUTES,
            *page_routes(),
            *uploads.ROUTES,
            *uploads_series.ROUTES,
            *sources_routes.ROUTES,
            *jobs_routes.ROUTES,
            *results.ROUTES,
            *passthrough.ROUTES,
        ],
        outermost=[Middleware(SecurityHeaders, settings), Middleware(Watching, metrics, audit)],
        middleware=[Middleware(Guard), Middleware(Rates, settings.bounds.requests_a_minute)],
        exception_handlers={
            ProblemError: on_problem,
            SourceError: on_source_error,
            SQLAlchemyError: on_database_error,
            HTTPException: on_http_exception,
            ClientDisconnect: on_client_gone,
            Exception: on_failure,
        },
        lifespan=lifespan,
    )


def _entry(sources: Sources) -> Entry | None:
    """Return how programs get in by tokens of Kheops, where there is one."""
    return Entry(sources.kheops.capabilities) if sources.kheops is not None else None
