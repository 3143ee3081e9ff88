"""The outermost part of the gateway: each request gets a number, a line in the log, its metrics."""

import logging
import secrets
import time
from typing import Any

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.login.forgery import SAFE_METHODS
from gateway.telemetry.audit import Audit
from gateway.telemetry.metrics import Metrics

NOWHERE = "none"
"""The route of a request that no route takes: its address may be anything."""

PROBES = ("/livez", "/readyz", "/metrics")
"""Asked every few seconds: of these only trouble is told."""

UNSAFE = ("POST", "PUT", "PATCH", "DELETE")
"""Methods that are named; a word of the sender's own is not."""

log = structlog.get_logger("deepfeatures.gateway")


class Watching:
    """ASGI middleware around all others.

    It gives a scope its `request_id`. Parts further in add `problem_code`; `is_login` and the
    `principal` that it has led to; and `model` and `study_uids`, once they know that there is such
    a model and which studies were meant.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, audit: Audit) -> None:
        self._app, self._metrics, self._audit = app, metrics, audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = request_id = secrets.token_hex(16)
        status, start = 500, time.perf_counter()

        async def send_numbered(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        self._metrics.under_way.inc()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, send_numbered)
            finally:
                self._metrics.under_way.dec()
                self._tell(scope, status, time.perf_counter() - start)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", NOWHERE)
        code = scope.get("problem_code", "")
        method = scope["method"] if scope["method"] in SAFE_METHODS + UNSAFE else NOWHERE
        self._metrics.answered(route, method, status=status, code=code)
        self._metrics.seconds.labels(route).observe(seconds)
        log.log(
            logging.DEBUG if route in PROBES and status == 200 else logging.INFO,
            "answered",
            route=route,
            method=method,
            status=status,
            code=code,
            seconds=round(seconds, 4),
        )
        if method in UNSAFE or status in (401, 403) or scope.get("is_login"):
            entry = _entry(scope, f"{method} {route}", status=status, code=code)
            self._audit.record(entry, scope.get("study_uids", ()))


def _entry(scope: Scope, what: str, *, status: int, code: str) -> dict[str, Any]:
    principal = scope.get("principal")
    return {
        "who": principal.subject if principal else None,
        "way": principal.way if principal else None,
        "what": what,
        "model": scope.get("model"),
        "outcome": status,
        "code": code,
        "request_id": scope["request_id"],
    }
