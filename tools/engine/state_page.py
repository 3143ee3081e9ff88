"""The pages of the engine: ready or not, its state, and its metrics."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from tools.engine.metrics import engine_metrics
from tools.engine.state import EngineState


class PageServer(ThreadingHTTPServer):
    """A server that asks nobody for its own name, as HTTPServer does: there may be no DNS."""

    def server_bind(self) -> None:
        TCPServer.server_bind(self)


@contextmanager
def state_page(state: EngineState, address: str, port: int | None) -> Iterator[None]:
    """Serve `/readyz` (200 or 503), `/state` and `/metrics` for the time of the block."""
    if port is None:
        yield
        return
    metrics = engine_metrics(state)

    class Page(BaseHTTPRequestHandler):
        # Written at once, at the end: who watches may go away as soon as the status has come.
        wbufsize = -1

        def do_GET(self) -> None:
            """Answer with the whole state; the status says whether studies are answered."""
            if self.path == "/metrics":
                self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(metrics))
            elif self.path in ("/readyz", "/state"):
                ready = state.status == "ready" or self.path == "/state"
                status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
                content = json.dumps(state.as_json(), indent=1).encode()
                self._answer(status, "application/json", content)
            else:
                self.send_error(HTTPStatus.NOT_FOUND)

        def _answer(self, status: HTTPStatus, kind: str, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
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
