"""Counts and durations for Prometheus: by route, never by address, user or study."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

PREFIX = "deepfeatures_gateway"

SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """The metrics of one gateway, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            f"{PREFIX}_requests",
            "Answered requests.",
            ("route", "method", "status", "code"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            f"{PREFIX}_request_seconds",
            "From the first byte of a request to the last of its answer.",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.under_way = Gauge(
            f"{PREFIX}_requests_under_way", "Requests under way.", registry=self.registry
        )

    def gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Add a number that is looked at whenever the page is asked for."""
        Gauge(f"{PREFIX}_{name}", text, registry=self.registry).set_function(value)

    async def page(self, _: Request) -> Response:
        """Answer the page that Prometheus reads."""
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)
