"""A comparison as a table, a line of summary, or JSON."""

import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tools.verification.differences import DIFFERS, FEATURES_SAME, MISSING, NEW, SAME, Compared

STYLES = {SAME: "green", FEATURES_SAME: "yellow", DIFFERS: "red", MISSING: "red", NEW: "red"}

LONGEST_SHOWN = 40
"""Characters of one value; --json has all of it."""


def print_comparison(rows: Sequence[Compared], advice: Sequence[str], *, tolerance: float) -> None:
    """Print a line a row, what is not as it was stored, a summary, and what to do."""
    console = Console(highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Series", overflow="fold", min_width=12)
    table.add_column("Modality", no_wrap=True)
    table.add_column("ROI", overflow="fold", min_width=12)
    for title in ("relative L2", "largest |Δ|"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Row is", no_wrap=True)
    for row in rows:
        table.add_row(
            escape(str(row.key["series_uid"])),
            str(row.key["modality"]),
            escape(str(row.key["roi"])) or "[dim]whole volume[/]",
            _number(row.relative_l2),
            _number(row.largest),
            f"[{STYLES[row.verdict]}]{row.verdict}[/]",
        )
    console.print(table)
    for name, times, example in _fields(rows):
        console.print(f"{name} in {times} of {len(rows)} rows, first: {example}", markup=False)
    same = sum(row.is_same for row in rows)
    console.print(
        f"{same} of {len(rows)} rows are the same: features within relative L2 {tolerance:g}, and "
        "every stored field",
        style="green" if same == len(rows) else "red",
    )
    for sentence in advice:
        console.print(sentence, markup=False, soft_wrap=True)


def write_json(
    rows: Sequence[Compared], advice: Sequence[str], asked: Mapping[str, Any], *, tolerance: float
) -> None:
    """Print the comparison as JSON.

    asked: the model, and the options of the request.
    """
    document = {
        **asked,
        "tolerance": tolerance,
        "same": all(row.is_same for row in rows),
        "rows": [row.as_json() for row in rows],
        "advice": list(advice),
    }
    sys.stdout.write(json.dumps(document, ensure_ascii=False, indent=1) + "\n")


def _fields(rows: Sequence[Compared]) -> list[tuple[str, int, str]]:
    """Return each field that differs: its name, in how many rows, and the first case of it."""
    times = Counter(each.field for row in rows for each in row.fields)
    first = {each.field: each for row in reversed(rows) for each in row.fields}
    return [
        (name, count, f"{_short(first[name].stored)} → {_short(first[name].new)}")
        for name, count in times.items()
    ]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.2g}"
