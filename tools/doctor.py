"""`deepfeatures doctor`: whether the service can run here, and how one that runs is doing."""

import argparse
import json
import sys
import urllib.request
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tools import serve
from tools.engine import preflight, processes
from tools.engine.preflight import Check


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `deepfeatures serve` takes, and the form of the answer."""
    serve.add_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if everything is fine, 1 if something is not."""
    settings = serve.settings_of(arguments)
    state = _running_service(settings.state_port)
    checks = list(preflight.checks(settings))
    if state:
        # Its own ports are taken by itself.
        checks = [check for check in checks if not check.name.startswith("port ")]
        checks += _service_checks(state)
    if arguments.json:
        document = {"checks": [vars(check) for check in checks], "service": state}
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
    else:
        _print_table(checks)
    return 1 if any(check.problem for check in checks) else 0


def _running_service(state_port: int | None) -> dict[str, Any] | None:
    """Return the state of the service that runs here, None if there is none."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{state_port}/state", timeout=5) as answer:
            state: dict[str, Any] = json.load(answer)
    except (OSError, ValueError):
        return None
    return state if "triton_pid" in state else None


def _service_checks(state: dict[str, Any]) -> list[Check]:
    server = state["triton_pid"]
    members = {"Triton": [server]}
    for stub in processes.stubs(server):
        members.setdefault(stub.model, []).append(stub.pid)
    sizes = {name: processes.memory_bytes(pids) >> 20 for name, pids in members.items()}
    status = state["status"]
    problem = "" if status == "ready" else f"the service is {status}: {state['events'][-1:]}"
    each = ", ".join(f"{name} {size}" for name, size in sizes.items())
    canaries = ", ".join(f"{name} {took} s" for name, took in state["canary_seconds"].items())
    restarts = (
        f"{state['reloads']} models loaded again, {state['recycled']} to give back memory, "
        f"{state['restarts']} restarts"
    )
    return [
        Check("service", f"{status}; {restarts}", problem),
        Check("service canaries", f"{canaries}; {state['canary_age_seconds']} s ago"),
        Check("service memory", f"{sum(sizes.values())} MiB: {each}"),
    ]


def _print_table(checks: list[Check]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("", "Check", "Found"):
        table.add_column(title, overflow="fold")
    for check in checks:
        mark = "[red]✗[/]" if check.problem else "[green]✓[/]"
        problem = f"\n[red]{escape(check.problem)}[/]" if check.problem else ""
        table.add_row(mark, check.name, escape(check.found) + problem)
    Console(highlight=False).print(table)
