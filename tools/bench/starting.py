"""Services of the bench's own: Triton alone, and all that `deepfeatures serve` is."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from tools.bench.service import Service
from tools.engine.memory import shared_bytes
from tools.engine.ports import free_ports
from tools.engine.process import START_SECONDS, STOP_SECONDS
from tools.engine.processes import stubs
from tools.engine.run import running
from tools.engine.settings import EngineError, EngineSettings
from tools.engine.sources import STORE
from tools.shared_study import Access, local_access

LOOK_SECONDS = 0.2

NO_STORE = Path("/nonexistent")
"""What the user has published would count in memory, and is no part of what is compared."""


@contextmanager
def triton() -> Iterator[Service]:
    """Run a Triton that nobody watches: no canary is in the way of what is timed."""
    shared_before = shared_bytes()
    http, grpc, metrics = free_ports(3)
    with running(EngineSettings(http, grpc, metrics, store=NO_STORE)) as process:
        access = Access(process.settings.http_url, process.launch.key)

        def pids() -> list[int]:
            return [process.pid, *(stub.pid for stub in process.stubs())]

        yield Service(access, pids, shared_before)


@contextmanager
def whole_service() -> Iterator[Service]:
    """Run what a person runs: with its canaries, and with what gives memory back."""
    shared_before = shared_bytes()
    http, grpc, metrics, state = free_ports(4)
    ports = {"http": http, "grpc": grpc, "metrics": metrics, "state": state}
    flags = [f"--{name}-port={port}" for name, port in ports.items()]
    with TemporaryFile("w+", errors="replace") as messages:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tools.cli", "serve", "--no-gateway", *flags],
            env=os.environ | {STORE: str(NO_STORE)},
            stdout=messages,
            stderr=messages,
        )
        try:
            access = _when_ready(process, http, state)

            def pids() -> list[int]:
                triton_pid = _state(state)["triton_pid"]
                stub_pids = (stub.pid for stub in stubs(triton_pid))
                return [process.pid, triton_pid, *stub_pids]

            yield Service(access, pids, shared_before)
        finally:
            _stop(process)


def _when_ready(process: subprocess.Popen[bytes], http_port: int, state_port: int) -> Access:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError):  # the page is not there yet
            if _state(state_port)["status"] == "ready":
                access = local_access(f"127.0.0.1:{http_port}")
                if access:
                    return access
        time.sleep(LOOK_SECONDS)
    raise EngineError("the service did not start: deepfeatures doctor says why")


def _state(port: int) -> dict[str, Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/state") as page:
        state: dict[str, Any] = json.load(page)
        return state


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Let it stop Triton in order."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(2 * STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
