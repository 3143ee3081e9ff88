"""`deepfeatures bench`: what the service takes, beside its limits and peers, in one run."""

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from tools.bench.machine import machine
from tools.bench.peers.conversions import MEMORY
from tools.bench.plan import Plan, Workshop, quick_plan
from tools.bench.sections import (
    clients,
    conversion,
    end_to_end,
    gateway,
    growth,
    memory,
    network,
)
from tools.bench.service import Service
from tools.bench.sheets import as_markdown, print_sheets
from tools.bench.starting import triton
from tools.bench.targets import targets
from tools.engine.settings import EngineError

WITH_SERVICE: dict[str, Callable[[Workshop, Service], dict[str, Any]]] = {
    "e2e": end_to_end.measure,
    "gateway": gateway.measure,
    "network": network.measure,
    "clients": clients.measure,
    "growth": growth.measure,
}
"""Sections that share one Triton."""

ALONE: dict[str, Callable[[Workshop], dict[str, Any]]] = {
    "conversion": conversion.measure,
    "memory": memory.measure,
}
"""Sections that need none, or fresh ones."""

SECTIONS = ("e2e", "gateway", "conversion", "network", "clients", "growth", "memory")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `deepfeatures bench` takes."""
    parser.add_argument(
        "--quick", action="store_true", help="show that it works, on small studies: 2 to 3 minutes"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("bench"),
        metavar="FOLDER",
        help="for bench.json, bench.md and bench.png; default: bench",
    )
    parser.add_argument(
        "--only", type=_sections, default=SECTIONS, metavar="SECTIONS", help=", ".join(SECTIONS)
    )
    parser.add_argument(
        "--zip",
        type=Path,
        metavar="STUDY.zip",
        help="a CT study for all but growth and memory; default: a made one",
    )


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if everything was measured, 1 if not, 2 if the call cannot be right.

    Whether a target is met is in the tables, and no matter of the exit code.
    """
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    if arguments.zip and not arguments.zip.is_file():
        console.print(f"deepfeatures bench: no such file: {arguments.zip}", style="red")
        return 2
    plan = quick_plan() if arguments.quick else Plan()
    failed: dict[str, str] = {}
    try:
        with _progress(console) as say:
            results = measure(plan, arguments.only, failed, say=say, zip_file=arguments.zip)
        arguments.out.mkdir(parents=True, exist_ok=True)
        written = write(results, arguments.out)
    except (EngineError, OSError) as error:
        console.print(f"deepfeatures bench: {error}", style="red", markup=False)
        return 1
    except KeyboardInterrupt:
        console.print("stopped: nothing was written", style="red")
        return 1
    print_sheets(results, Console(highlight=False))
    console.print(f"written: {', '.join(map(str, written))}", markup=False)
    for section, reason in failed.items():
        console.print(f"{section} was not measured: {reason}", style="red", markup=False)
    return 1 if failed else 0


def measure(
    plan: Plan,
    sections: Sequence[str],
    failed: dict[str, str],
    *,
    say: Callable[[str], None],
    zip_file: Path | None = None,
) -> dict[str, Any]:
    """Return what the sections measured, on what, and which targets are met.

    failed: gets the sections that could not be measured, with the reason; the others go on.
    """
    results: dict[str, Any] = {"machine": machine()}

    def attempt(section: str, measured: Callable[[], dict[str, Any]]) -> None:
        try:
            results[section] = measured()
        except (RuntimeError, OSError) as error:
            failed[section] = str(error)

    with TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        workshop = Workshop(plan, Path(folder), zip_file, say)
        if shared := [section for section in sections if section in WITH_SERVICE]:
            say("starting Triton")
            with triton() as service:
                results["machine"]["versions"]["triton"] = service.statistics.version()
                for section in shared:
                    attempt(section, partial(WITH_SERVICE[section], workshop, service))
        for section in sections:
            if section in ALONE:
                attempt(section, partial(ALONE[section], workshop))
    results["not_measured"] = workshop.missing
    results["targets"] = [target.as_json() for target in targets(results)]
    return results


def write(results: dict[str, Any], folder: Path) -> list[Path]:
    """Write the numbers, the tables and the plot; return the files."""
    numbers, tables, plot = (folder / f"bench.{kind}" for kind in ("json", "md", "png"))
    numbers.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    tables.write_text(as_markdown(results), encoding="utf-8")
    try:
        from tools.bench.plot import draw
    except ModuleNotFoundError:
        return [numbers, tables]
    draw(results, plot)
    return [numbers, tables, plot]


def _sections(text: str) -> tuple[str, ...]:
    named = [name.strip() for name in text.split(",") if name.strip()]
    if unknown := [name for name in named if name not in SECTIONS]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)} is none of {', '.join(SECTIONS)}")
    return tuple(name for name in SECTIONS if name in named)


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[str], None]]:
    """Show what is being done, and for how long the bench has been running; else a line each."""
    if not console.is_terminal:
        yield lambda text: console.print(text, markup=False)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        yield lambda text: progress.update(task, description=text)
