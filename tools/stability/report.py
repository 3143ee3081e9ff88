"""Lines as a table, as CSV of each feature, and as files in a folder."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from tools.stability.lines import Line

SHOWN = {
    "subjects": ("rows", "d"),
    "measurements": ("times", "d"),
    "median_relative_l2": ("moved by", ".2g"),
    "median_icc": ("ICC", ".3f"),
    "share_icc_lower_above_0.75": ("> 0.75", ".0%"),
    "share_icc_lower_above_0.9": ("> 0.9", ".0%"),
    "median_ccc": ("CCC", ".3f"),
    "median_sd_ratio": ("SD ratio", ".2g"),
}
"""Of a summary: what the table shows, its headings, and how numbers are written."""

LEGEND = (
    "moved by: median relative L2 of the features; ICC: median of ICC(1,1); > 0.75 and > 0.9: "
    "share of the features whose 95 % interval of ICC lies above; CCC: median; SD ratio: median "
    "of within over between subjects"
)


def print_table(lines: Sequence[Line]) -> None:
    """Print a table for each group, a line for each perturbation, and what the numbers are."""
    console = Console(highlight=False)
    for group in dict.fromkeys(line.group for line in lines):
        some = [line for line in lines if line.group == group]
        studies = max(line.studies for line in some)
        title = f"{group}: {studies} {'study' if studies == 1 else 'studies'}"
        table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", padding=(0, 1, 0, 0))
        table.add_column("Perturbation", no_wrap=True)
        for heading, _ in SHOWN.values():
            table.add_column(heading, justify="right", no_wrap=True)
        for line in some:
            summary = line.summary()
            shown = [_shown(summary[name], form) for name, (_, form) in SHOWN.items()]
            table.add_row(line.kind, *shown)
        console.print(table)
    console.print(LEGEND, style="dim")


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows by RFC 4180; what is not defined is empty."""
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def write_files(
    lines: Sequence[Line], names: Sequence[str], conditions: Mapping[str, Any], folder: Path
) -> list[str]:
    """Write each feature, the summary, and the conditions into a folder; return the files' names.

    names: of the features. conditions: what makes the same numbers again.
    """
    folder.mkdir(parents=True, exist_ok=True)
    summaries = [line.summary() for line in lines]
    document = dict(conditions) | {"summary": summaries}
    files = {
        "agreement.csv": as_csv([row for line in lines for row in line.features(names)]),
        "summary.csv": as_csv(summaries),
        "stability.json": json.dumps(document, ensure_ascii=False, indent=1) + "\n",
    }
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return list(files)


def _shown(value: float | None, form: str) -> str:
    return "–" if value is None else format(value, form)
