"""The gateway for tests: behind a real uvicorn on a port of its own, everybody being somebody."""

import asyncio
import os
import threading
import time
from contextlib import contextmanager

import httpx
import uvicorn

from gateway.app import application
from gateway.login.principal import Principal
from gateway.settings import Settings
from tools.engine.ports import free_ports
from tools.engine.regions import SHARED_MEMORY

START_SECONDS = 30


def settings_of(*urls, **more):
    """The settings of a gateway to some Tritons; without jobs, unless a database is named."""
    stated = {
        "GATEWAY_MODE": "local",
        "GATEWAY_TRITON_URLS": " ".join(urls),
        "GATEWAY_JOBS_DATABASE": "none",
    }
    return Settings.from_environment(stated | more)


class AnyHost:
    """Has every name."""

    def __contains__(self, _):
        return True


class Everybody:
    """Stands for the login: whoever comes is the user that a header names, by any host's name."""

    hosts = AnyHost()

    def __init__(self, way):
        self.cookie = way.cookie

    async def of_bearer(self, text):
        return Principal(text, "bearer")

    async def of_cookie(self, _):
        return None


def everybody_is_somebody(app):
    """Let everybody in: as the user that the header `test-user` names, or as somebody."""

    async def guarded(scope, receive, send):
        if scope["type"] == "http":
            if not isinstance(app.state.way, Everybody):
                app.state.way = Everybody(app.state.way)
            user = dict(scope["headers"]).get(b"test-user", b"somebody")
            others = [each for each in scope["headers"] if each[0] != b"authorization"]
            scope["headers"] = [*others, (b"authorization", b"Bearer " + user)]
        await app(scope, receive, send)

    return guarded


@contextmanager
def serving(settings, *, ready=True):
    """Give the URL of a gateway and its application; it is ready when the block begins."""
    (port,) = free_ports(1)
    app = application(settings)
    with listening(everybody_is_somebody(app), port):
        url = f"http://127.0.0.1:{port}"
        if ready:
            wait_until(lambda: httpx.get(f"{url}/readyz").is_success)
        yield url, app


@contextmanager
def listening(app, port, *, address="127.0.0.1", access_log=False):
    """Run an application behind a real uvicorn for the time of the block.

    It leaves the logs as they are: else one test would decide which logs others see.
    """
    config = uvicorn.Config(app, address, port, log_config=None, access_log=access_log)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        wait_until(lambda: server.started)
        yield server
    finally:
        server.should_exit = True
        thread.join()


def wait_until(is_so, seconds=START_SECONDS):
    """Return when something is so; fail if it is not within some seconds."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def studies_left():
    """Names of studies of this process in shared memory."""
    own = SHARED_MEMORY.glob(f"deepfeatures-{os.getpid()}-*-study-*")
    return {path.name for path in own}


def together(*calls):
    """The results of coroutine functions that are called with one asynchronous client, at once."""

    async def all_of_them():
        async with httpx.AsyncClient(timeout=120, limits=httpx.Limits()) as client:
            return await asyncio.gather(*(call(client) for call in calls))

    return asyncio.run(all_of_them())
