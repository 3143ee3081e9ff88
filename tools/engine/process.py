"""Triton as a process: started, tried with an inference, stopped without leftovers."""

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tools.client import ServiceError, infer
from tools.phantom import phantom_zip
from tools.triton_runtime import ServerSettings, command, environment, make_backend_directory

SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  (where shm_open keeps regions, shm_overview(7))
START_SECONDS = 120
STOP_SECONDS = 30
CANARY_MODEL = "ct3dcnn"


class ServerError(RuntimeError):
    """The server cannot run, and the message says why."""


@contextmanager
def running(settings: ServerSettings) -> Iterator[subprocess.Popen[bytes]]:
    """Run Triton for the time of the block; when the block starts, it has answered a study."""
    _refuse_taken_ports(settings)
    with ExitStack() as stack:
        backends = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="deepfeatures-")))
        make_backend_directory(backends)
        region_prefix = f"deepfeatures-{os.getpid()}-{settings.http_port}-"
        stack.callback(_remove_regions, region_prefix)
        process = subprocess.Popen(
            command(settings, backends=backends, region_prefix=region_prefix),
            env=environment(),
            start_new_session=True,  # Ctrl-C reaches this process, which stops Triton in order
        )
        stack.callback(_stop, process)
        _wait_for_canary(settings, process)
        yield process


def free_ports(count: int) -> list[int]:
    """Return ports on which nothing listens now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _refuse_taken_ports(settings: ServerSettings) -> None:
    for port in (settings.http_port, settings.grpc_port, settings.metrics_port):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                raise ServerError(
                    f"port {port} on 127.0.0.1 is taken by another program: stop it, or choose "
                    "other ports with --http-port, --grpc-port and --metrics-port"
                ) from error


def _wait_for_canary(settings: ServerSettings, process: subprocess.Popen[bytes]) -> None:
    """Return when a small study has been answered; Triton calls itself ready without that."""
    deadline = time.monotonic() + START_SECONDS
    study = phantom_zip()
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerError(
                f"Triton stopped while it was starting (exit code {process.returncode}); "
                "its messages are above"
            )
        try:
            infer(settings.http_url, CANARY_MODEL, study)
        except ServiceError:
            time.sleep(0.2)
        else:
            return
    raise ServerError(f"Triton did not answer within {START_SECONDS} s; its messages are above")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _remove_regions(prefix: str) -> None:
    for region in SHARED_MEMORY.glob(f"{prefix}*"):
        region.unlink(missing_ok=True)
