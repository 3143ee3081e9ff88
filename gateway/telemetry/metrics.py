"""Counts and durations for Prometheus: by route, never by address, user or study."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from gateway.telemetry.outcomes import expected, outcome

PREFIX = "deepfeatures_gateway"

SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)

STAGE_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
"""Of a usual study a stage takes 0.03 to 0.2 s; a large one over a slow line takes minutes."""

RECEIVE, WAIT, ENGINE = "receive", "wait", "engine"
"""Stages that the gateway sees: until all of it is there, until its turn, until its answer."""

STAGES = (RECEIVE, WAIT, ENGINE, "headers", "regions", "volumes", "previews")
"""The others are of the report of a feature model; one that is not known is not told of."""

PROVIDER_ANSWERS = ("answered", "refused", "unreachable")


class Metrics:
    """The metrics of one gateway, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            f"{PREFIX}_requests",
            "Answered requests.",
            ("route", "method", "status", "code", "outcome"),
            registry=self.registry,
        )
        self.seconds = Histogram(
            f"{PREFIX}_request_seconds",
            "From the first byte of a request to the last of its answer.",
            ("route",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self._stages = Histogram(
            f"{PREFIX}_stage_seconds",
            "What a stage of a study took.",
            ("stage",),
            buckets=STAGE_SECONDS,
            registry=self.registry,
        )
        self._provider = Counter(
            f"{PREFIX}_provider_questions",
            "Questions to the OpenID provider.",
            ("answer",),
            registry=self.registry,
        )
        self.under_way = Gauge(
            f"{PREFIX}_requests_under_way", "Requests under way.", registry=self.registry
        )
        self._looks: list[Callable[[], Awaitable[None]]] = []
        for labels in expected():
            self._requests.labels(*labels)
        for stage in STAGES:
            self._stages.labels(stage)
        for answer in PROVIDER_ANSWERS:
            self._provider.labels(answer)

    def answered(self, route: str, method: str, *, status: int, code: str) -> None:
        """Count an answered request."""
        self._requests.labels(route, method, str(status), code, outcome(status, code)).inc()

    def stage(self, name: str, seconds: float) -> None:
        """Note what a stage of a study took."""
        if name in STAGES:
            self._stages.labels(name).observe(seconds)

    def report(self, report: Mapping[str, Any]) -> None:
        """Note what the stages of a feature model took, by the report in its answer."""
        for name, taken in report.get("seconds", {}).items():
            self.stage(name, float(taken))

    def provider(self, answer: str) -> None:
        """Count a question to the OpenID provider: one of PROVIDER_ANSWERS."""
        self._provider.labels(answer).inc()

    def gauge(self, name: str, text: str, value: Callable[[], float]) -> None:
        """Add a number that is looked at whenever the page is asked for."""
        Gauge(f"{PREFIX}_{name}", text, registry=self.registry).set_function(value)

    def labelled_gauge(self, name: str, text: str, label: str) -> Gauge:
        """Return a new gauge with one label, of few values, which a look sets."""
        return Gauge(f"{PREFIX}_{name}", text, (label,), registry=self.registry)

    def look(self, look: Callable[[], Awaitable[None]]) -> None:
        """Add what is done before the page is written, to set what takes longer to find out."""
        self._looks.append(look)

    async def page(self, _: Request) -> Response:
        """Answer the page that Prometheus reads."""
        for look in self._looks:
            await look()
        return Response(generate_latest(self.registry), media_type=CONTENT_TYPE_LATEST)
