"""Cases as a table: printed, CSV or JSON."""

import csv
import io
import json
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tools.comparison.cases import Case


def as_csv(cases: Sequence[Case]) -> str:
    """Return a line a case by RFC 4180."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, Case("").as_row())
    writer.writeheader()
    writer.writerows(case.as_row() for case in cases)
    return file.getvalue()


def as_json(cases: Sequence[Case]) -> str:
    """Return the cases, each with its findings one by one."""
    rows = [case.as_row() | {"findings": list(map(vars, case.findings))} for case in cases]
    return json.dumps({"cases": rows}, ensure_ascii=False, indent=1) + "\n"


def print_table(cases: Sequence[Case]) -> None:
    """Print a line a case, what is not fine in red, and how many are."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Case", overflow="fold", min_width=12)
    for title in ("Volumes", "max |Δvoxel|", "max |Δaffine| mm", "s"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Verdict", overflow="fold", min_width=20)
    for case in cases:
        row = case.as_row()
        table.add_row(
            escape(case.name),
            f"{case.ours}/{case.reference}",
            _number(case.largest),
            _number(case.affine_mm),
            "–" if case.seconds is None else f"{case.seconds:.1f}",
            escape(row["verdict"]),
            style="" if case.is_fine else "red",
        )
    console = Console(highlight=False)
    console.print(table)
    fine = sum(case.is_fine for case in cases)
    console.print(
        f"{fine} of {len(cases)} cases are equal or differ on purpose; volumes: ours/reference",
        style="dim",
    )


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
