"""A small real HTTP server that says what a test tells it to, one answer after another."""

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ANSWER = {
    "model": "ct3dcnn",
    "rows": [{"patient_id": "P1", "modality": "CT", "roi": "", "features": [0.1, 2.5]}],
    "feature_names": ["ct3dcnn1_0", "ct3dcnn1_1"],
    "previews": [""],
    "report": {"series": []},
}


@dataclass
class Scripted:
    """A running server. asked: method, path and body of each request."""

    url: str
    asked: list = field(default_factory=list)


def answers(status, document=ANSWER, **headers):
    """An answer with a JSON document."""
    body = document if isinstance(document, bytes) else json.dumps(document).encode()

    def act(handler):
        handler.send_response_only(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    return act


def problem(status, code, **headers):
    """An answer with problem details."""
    return answers(status, {"code": code, "detail": "not now"}, **headers)


def hangs_up(handler):
    """The connection ends without an answer."""
    handler.close_connection = True


def breaks_off(handler):
    """Half of an answer comes."""
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"rows": [')
    handler.close_connection = True


def trickles(stopped):
    """An answer comes byte by byte, until a test is over."""

    def act(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while not stopped.wait(0.02):
            try:
                handler.wfile.write(b" ")
            except OSError:
                break
        handler.close_connection = True

    return act


def says_nothing(stopped):
    """No answer comes, until a test is over."""

    def act(handler):
        stopped.wait()
        handler.close_connection = True

    return act


@contextmanager
def scripted(*script, tls=None):
    """Give a server that does what a script says, the last of it for ever.

    tls: an SSLContext, for https.
    """
    left = list(script)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            length = int(self.headers.get("Content-Length", 0))
            taken = 0
            while part := self.rfile.read(min(length - taken, 1 << 20)):
                taken += len(part)
            server.told.asked.append((self.command, self.path, taken))
            (left.pop(0) if len(left) > 1 else left[0])(self)

        do_GET = do_DELETE = do_POST  # noqa: N815

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.told = Scripted(f"http{'s' * bool(tls)}://127.0.0.1:{server.server_port}")
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # clients that hang up are what is tested
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
