"""Studies beyond the bound are refused, by what Triton's metrics say of those that wait."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from imaging.errors import InputError
from imaging.waiting import METRICS, MOST_WAITING, refuse_beyond_bound, waiting

PAGE = """\
# HELP nv_inference_pending_request_count Instantaneous number of pending requests per-model.
# TYPE nv_inference_pending_request_count gauge
nv_inference_pending_request_count{{model="ct3dcnn",version="1"}} 0
nv_inference_pending_request_count{{model="ct3dcnn__v1_extractor",version="1"}} 2
nv_inference_pending_request_count{{model="ct3dcnn__v1_preprocess",version="1"}} {studies}
nv_inference_pending_request_count{{model="ct3dcnn2__v1_preprocess",version="1"}} 500
nv_inference_exec_count{{model="ct3dcnn__v1_preprocess",version="1"}} 4000
"""


@contextmanager
def metrics(monkeypatch, text, status=200):
    """A page on loopback, in the format of Triton's metrics."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status if self.path == "/metrics" else 404)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv(METRICS, f"127.0.0.1:{server.server_port}")
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("studies", "refused"), [(MOST_WAITING - 2, False), (31, True)])
def test_those_that_wait_for_one_network_are_counted_together(monkeypatch, studies, refused):
    with metrics(monkeypatch, PAGE.format(studies=studies)):
        assert waiting("ct3dcnn") == studies + 2
        if not refused:
            refuse_beyond_bound("ct3dcnn__v1_preprocess")
            return
        with pytest.raises(InputError, match="^busy: too many studies are waiting"):
            refuse_beyond_bound("ct3dcnn__v1_preprocess")


@pytest.mark.parametrize("text", ["", "nv_inference_pending_request_count{model=", "\0"])
def test_a_triton_that_does_not_count_refuses_nobody(monkeypatch, text):
    with metrics(monkeypatch, text):
        refuse_beyond_bound("ct3dcnn__v1_preprocess")


@pytest.mark.parametrize("address", [None, "127.0.0.1:1"])
def test_without_metrics_nobody_is_refused(monkeypatch, address):
    monkeypatch.delenv(METRICS, raising=False)
    if address:
        monkeypatch.setenv(METRICS, address)

    refuse_beyond_bound("ct3dcnn__v1_preprocess")
