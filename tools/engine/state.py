"""The state of the engine, and the page that shows it: what readiness of the service rests on."""

import json
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from imaging.rows import SOFTWARE

EVENTS_KEPT = 50


@dataclass
class EngineState:
    """What the supervisor knows; written by it alone, read by the page.

    status: starting, ready, recovering (a model), restarting (Triton), stopping.
    access_file: where the key is, for programs of this account; see access.py.
    canaries: seconds that the last canary of each public model took.
    """

    status: str = "starting"
    triton_pid: int = 0
    access_file: str = ""
    reloads: int = 0
    restarts: int = 0
    recycled: int = 0
    canaries: dict[str, float] = field(default_factory=dict)
    canary_at: float = 0.0
    events: deque[str] = field(default_factory=lambda: deque(maxlen=EVENTS_KEPT))

    def as_json(self) -> dict[str, Any]:
        """Return the state as the page shows it."""
        return {
            "software": SOFTWARE,
            "status": self.status,
            "triton_pid": self.triton_pid,
            "access_file": self.access_file,
            "reloads": self.reloads,
            "restarts": self.restarts,
            "recycled": self.recycled,
            "canary_seconds": dict(self.canaries),
            "canary_age_seconds": round(time.monotonic() - self.canary_at, 1),
            "events": list(self.events),
        }


class PageServer(ThreadingHTTPServer):
    """A server that asks nobody for its own name, as HTTPServer does: there may be no DNS."""

    def server_bind(self) -> None:
        TCPServer.server_bind(self)


@contextmanager
def state_page(state: EngineState, address: str, port: int | None) -> Iterator[None]:
    """Serve `/readyz` (200 or 503) and `/state` for the time of the block."""
    if port is None:
        yield
        return

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer with the whole state; the status says whether studies are answered."""
            if self.path not in ("/readyz", "/state"):
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            ready = state.status == "ready" or self.path == "/state"
            content = json.dumps(state.as_json(), indent=1).encode()
            self.send_response(HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            """Log nothing: the page is asked every few seconds."""

    with PageServer((address, port), Page) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
