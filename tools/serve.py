"""`deepfeatures serve`: Triton with the models, until Ctrl-C or SIGTERM."""

import argparse
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from tools.locations import data_folder
from tools.server import ServerError, running
from tools.triton_runtime import ServerSettings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says where the server listens and what it serves."""
    parser.add_argument("--http-port", type=int, default=8000, help="default: 8000")
    parser.add_argument("--grpc-port", type=int, default=8001, help="default: 8001")
    parser.add_argument("--metrics-port", type=int, default=8002, help="default: 8002")
    parser.add_argument(
        "--model-repository",
        type=Path,
        metavar="FOLDER",
        default=data_folder("model_repository"),
        help="default: the project's models",
    )
    parser.add_argument("--verbose", action="store_true", help="print Triton's whole log")


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop: return 0 then, 1 if the server cannot run or stops by itself."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        with serving(arguments, console) as process:
            return wait(process, console)
    except ServerError as error:
        console.print(str(error), style="red", markup=False)
        return 1


@contextmanager
def serving(arguments: argparse.Namespace, console: Console) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server that the arguments describe, and say where it is."""
    settings = ServerSettings(
        arguments.http_port,
        arguments.grpc_port,
        arguments.metrics_port,
        model_repository=arguments.model_repository,
        verbose=arguments.verbose,
    )
    console.print("starting Triton (10 to 30 s) …")
    with _sigterm_as_ctrl_c(), running(settings) as process:
        console.print(
            f"ready: HTTP http://{settings.http_url}, gRPC 127.0.0.1:{settings.grpc_port}, "
            f"metrics http://127.0.0.1:{settings.metrics_port}/metrics; Ctrl-C stops it"
        )
        yield process


def wait(process: subprocess.Popen[bytes], console: Console) -> int:
    """Return 0 on Ctrl-C or SIGTERM, 1 if the server stops by itself."""
    try:
        code = process.wait()
    except KeyboardInterrupt:
        console.print("stopping …")
        return 0
    console.print(f"Triton stopped by itself (exit code {code}); its messages are above")
    return 1


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
