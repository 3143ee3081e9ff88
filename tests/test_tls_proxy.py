"""The proxy of deploy/tls, a real Caddy: bodies and events go through as they come."""

import os
import shutil
import socket
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import anyio
import httpx
import pytest
from gateway_server import listening, wait_until
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from tools.engine.ports import free_ports
from tools.locations import CHECKOUT

CADDYFILE = CHECKOUT / "deploy" / "tls" / "Caddyfile"


class Behind:
    """An application that notes what has come of a body, and sends events when it is told to."""

    def __init__(self):
        self.come = 0
        self.headers = {}
        self.events = []

    async def upload(self, request: Request):
        self.come = 0
        self.headers = dict(request.headers)
        async for chunk in request.stream():
            self.come += len(chunk)
        return JSONResponse({"come": self.come})

    async def stream(self, _: Request):
        async def events():
            yield b"data: 1\n\n"
            while not self.events:
                await anyio.sleep(0.01)
            yield b"data: 2\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    def app(self):
        upload = Route("/upload", self.upload, methods=["POST"])
        return Starlette(routes=[upload, Route("/events", self.stream)])


@dataclass(frozen=True)
class Proxy:
    """A running Caddy before an application; its authority is a file."""

    port: int
    authority: Path
    behind: Behind

    @property
    def tls(self):
        return ssl.create_default_context(cafile=self.authority)

    @property
    def url(self):
        return f"https://localhost:{self.port}"


@pytest.fixture(scope="module")
def proxy(tmp_path_factory):
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("there is no caddy")
    folder = tmp_path_factory.mktemp("caddy")
    http, https, port = free_ports(3)
    behind = Behind()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "XDG_DATA_HOME": str(folder),
        "DEEPFEATURES_HOST": "localhost",
        "DEEPFEATURES_CERTIFICATE": "internal",
        "DEEPFEATURES_HTTP_PORT": str(http),
        "DEEPFEATURES_HTTPS_PORT": str(https),
        "DEEPFEATURES_GATEWAY": f"127.0.0.1:{port}",
    }
    command = [caddy, "run", "--adapter", "caddyfile", "--config", CADDYFILE]
    with listening(behind.app(), port), (folder / "log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stderr=log)
        authority = folder / "caddy" / "pki" / "authorities" / "local" / "root.crt"
        try:
            running = Proxy(https, authority, behind)
            wait_until(lambda: authority.exists() and greets(running))
            yield running
        finally:
            process.terminate()
            process.wait(20)


def greets(proxy):
    """Say whether it listens, and has the certificate that it makes at its start."""
    try:
        with socket.create_connection(("localhost", proxy.port)) as plain:
            proxy.tls.wrap_socket(plain, server_hostname="localhost").close()
    except OSError:
        return False
    return True


def test_an_upload_reaches_the_gateway_while_it_is_sent(proxy):
    """As a study of which the last part has not been sent yet: nothing waits for the whole."""
    part = b"x" * (8 << 20)
    seen = []

    def body():
        yield part
        wait_until(lambda: proxy.behind.come >= len(part) - (1 << 20))
        seen.append(proxy.behind.come)
        yield part

    with httpx.Client(verify=proxy.tls) as client:
        answer = client.post(f"{proxy.url}/upload", content=body(), timeout=60)

    assert answer.json() == {"come": 2 * len(part)}
    assert seen


def test_a_length_that_is_stated_is_passed_on(proxy):
    """The gateway refuses by it what there is no room for."""
    with httpx.Client(verify=proxy.tls) as client:
        client.post(f"{proxy.url}/upload", content=b"x" * 1000)

    assert proxy.behind.headers["content-length"] == "1000"


def test_events_come_one_by_one_while_their_stream_is_open(proxy):
    proxy.behind.events.clear()
    with (
        httpx.Client(verify=proxy.tls) as client,
        client.stream("GET", f"{proxy.url}/events", timeout=20) as answer,
    ):
        lines = answer.iter_lines()
        first = next(lines)
        proxy.behind.events.append("go on")
        rest = [line for line in lines if line]

    assert (first, rest) == ("data: 1", ["data: 2"])


def test_the_gateway_sees_its_own_name_and_who_asked(proxy):
    """Its guard compares Host; X-Forwarded-For is of the sender, whatever they say themselves."""
    with httpx.Client(verify=proxy.tls) as client:
        client.post(f"{proxy.url}/upload", headers={"X-Forwarded-For": "192.0.2.7"})

    headers = proxy.behind.headers
    assert headers["host"] == f"localhost:{proxy.port}"
    assert headers["x-forwarded-proto"] == "https"
    assert headers["x-forwarded-for"] in ("127.0.0.1", "::1")


def test_nobody_is_spoken_to_without_tls(proxy):
    with socket.create_connection(("127.0.0.1", proxy.port)) as plain:
        plain.sendall(b"GET /upload HTTP/1.1\r\nHost: localhost\r\n\r\n")
        plain.settimeout(5)
        assert plain.recv(100).startswith(b"HTTP/1.0 400")
