"""`deepfeatures serve`: Triton with the models, and the page, until Ctrl-C or SIGTERM."""

import argparse
import logging
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from tools.engine.preflight import port_check
from tools.engine.run import supervised
from tools.engine.settings import LOOPBACK, EngineError, EngineSettings
from tools.engine.sources import store_folder
from tools.gateway_process import GatewayProcess, gateway
from tools.locations import data_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says where the server listens and what it serves."""
    parser.add_argument("--http-port", type=int, default=8000, help="default: 8000")
    parser.add_argument("--grpc-port", type=int, default=8001, help="default: 8001")
    parser.add_argument("--metrics-port", type=int, default=8002, help="default: 8002")
    parser.add_argument(
        "--state-port", type=int, default=8003, help="page with the engine's state; default: 8003"
    )
    parser.add_argument(
        "--gateway-port", type=int, default=8080, help="of the page and its API; default: 8080"
    )
    parser.add_argument(
        "--no-gateway", action="store_true", help="Triton alone; so it is with an --address"
    )
    parser.add_argument(
        "--address", default=LOOPBACK, help="to listen on; others than the default in containers"
    )
    parser.add_argument(
        "--model-repository",
        type=Path,
        metavar="FOLDER",
        default=data_folder("model_repository"),
        help="default: the project's models",
    )
    parser.add_argument(
        "--store",
        type=Path,
        metavar="FOLDER",
        default=store_folder(),
        help="published models, which go before those of the repository; default: the account's",
    )
    parser.add_argument("--verbose", action="store_true", help="print Triton's whole log")


def settings_of(arguments: argparse.Namespace) -> EngineSettings:
    """Return the settings that the arguments state."""
    return EngineSettings(
        arguments.http_port,
        arguments.grpc_port,
        arguments.metrics_port,
        arguments.state_port,
        address=arguments.address,
        model_repository=arguments.model_repository,
        store=arguments.store,
        verbose=arguments.verbose,
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until told to stop: return 0 then, 1 if the server cannot run."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        with serving(arguments, console) as service:
            service.watch()
    except EngineError as error:
        console.print(str(error), style="red", markup=False)
        return 1
    return 0


@dataclass(frozen=True)
class Service:
    """What serves. watch: watches over it, until Ctrl-C or SIGTERM. page: None without one."""

    watch: Callable[[], None]
    page: GatewayProcess | None


@contextmanager
def serving(arguments: argparse.Namespace, console: Console) -> Iterator[Service]:
    """Run the server that the arguments describe, and say where it is."""
    settings = settings_of(arguments)
    logging.basicConfig(format="%(asctime)s %(name)s: %(message)s")
    if has_gateway(arguments):
        _refuse_taken(arguments.gateway_port)
    console.print("starting Triton (5 to 30 s) …")
    stop = threading.Event()
    with _interrupted_by_signals(), supervised(settings) as supervisor:
        console.print(
            f"ready: HTTP http://{settings.http_url}, gRPC 127.0.0.1:{settings.grpc_port}, "
            f"state http://127.0.0.1:{settings.state_port}/state; Ctrl-C stops it"
        )
        try:
            with _gateway(arguments, console) as page:
                yield Service(partial(supervisor.run, stop), page)
        except KeyboardInterrupt:
            console.print("stopping …")


def has_gateway(arguments: argparse.Namespace) -> bool:
    """Say whether the page is wanted: it is, unless Triton is in a container."""
    return not arguments.no_gateway and arguments.address == LOOPBACK


def _refuse_taken(port: int) -> None:
    if problem := port_check(LOOPBACK, port).problem:
        raise EngineError(problem)


@contextmanager
def _gateway(arguments: argparse.Namespace, console: Console) -> Iterator[GatewayProcess | None]:
    """Run the gateway, where it is wanted, and say where its page is."""
    if not has_gateway(arguments):
        yield None
        return
    with gateway(arguments.gateway_port, f"127.0.0.1:{arguments.http_port}") as process:
        console.print(f"the page: {process.url}", markup=False)
        yield process


@contextmanager
def _interrupted_by_signals() -> Iterator[None]:
    """Take SIGTERM and SIGHUP for Ctrl-C: what is open is then closed in order."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(each, interrupt) for each in signals]
    try:
        yield
    finally:
        for each, handler in zip(signals, before, strict=True):
            signal.signal(each, handler)
