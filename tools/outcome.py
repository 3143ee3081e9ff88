"""What came of a call of several studies, and how it is written: a table, CSV or JSON."""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gateway.results.cohort import Cohort, Study
from gateway.results.export import export
from gateway.results.labels import Label
from gateway.results.table import FeatureTable
from tools.client import Features

TEXTS = ("csv", "json")
"""Forms that are printed, too."""

FEATURES_SHOWN = 2
QUALITY_STYLE = {"info": "dim", "warn": "yellow", "exclude": "red"}


@dataclass
class Outcome:
    """All rows in one table, and each study with its labels and report, or its error.

    model, options: what was asked, and how: a study that is asked for so again gives these rows.
    """

    model: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    table: FeatureTable = field(default_factory=FeatureTable)
    studies: list[dict[str, Any]] = field(default_factory=list)
    failed: int = 0

    def add(self, name: str, answer: Features) -> None:
        """Add the rows of one study; raises MixedVersionsError, and then adds nothing."""
        self.table.add(answer.rows, answer.features)
        rows = [
            label | {"features": [float(str(value)) for value in features]}
            for label, features in zip(answer.rows, answer.features, strict=True)
        ]
        self.studies.append({"study": name, "rows": rows, "report": answer.report})

    def add_failure(self, name: str, error: BaseException) -> None:
        """Note that a study gave no rows, and why."""
        self.failed += 1
        self.studies.append({"study": name, "error": str(error)})

    def as_json(self, *, with_features: bool) -> str:
        """Return everything as JSON; without the features it is the provenance of a CSV."""
        asked = {"model": self.model, "options": dict(self.options)}
        if not with_features:
            return _json(asked | {"studies": [_without_features(each) for each in self.studies]})
        names = self.table.feature_names if self.table.features else []
        return _json(asked | {"feature_names": names, "studies": self.studies})

    def as_cohort(self) -> Cohort:
        """Return the rows and failures as what other forms are made of."""
        rows = iter(zip(self.table.labels, self.table.features, strict=True))
        studies = [_study(each, rows) for each in self.studies]
        return Cohort(self.model, studies)

    def as_csv(self) -> str:
        """Return the rows by RFC 4180."""
        return self.table.as_csv()


def write_files(outcome: Outcome, form: str, out: Path | None, console: Console) -> None:
    """Print the outcome, or write it to a file; a CSV file gets its provenance beside it."""
    if form == "table":
        if outcome.table.features:
            print_table(outcome)
        return
    if form not in TEXTS and out is not None:
        out.write_bytes(export(outcome.as_cohort(), form))
        _tell(outcome, str(out), console)
        return
    text = outcome.as_csv() if form == "csv" else outcome.as_json(with_features=True)
    if out is None:
        sys.stdout.write(text)
        return
    out.write_text(text, encoding="utf-8", newline="")
    written = str(out)
    if form == "csv":
        provenance = out.with_suffix(".provenance.json")
        provenance.write_text(outcome.as_json(with_features=False), encoding="utf-8")
        written += f" and {provenance}"
    _tell(outcome, written, console)


def _tell(outcome: Outcome, written: str, console: Console) -> None:
    console.print(f"rows written to {written}: {len(outcome.table.features)}", markup=False)


def print_table(outcome: Outcome) -> None:
    """Print a line a row: who, what, the first features; then what to beware of, by code."""
    rows, names = outcome.table, outcome.table.feature_names
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("Patient", overflow="fold", min_width=8)
    table.add_column("Modality", no_wrap=True)
    table.add_column("ROI", overflow="fold", min_width=12)
    for title in ("Slices", *names[:FEATURES_SHOWN]):
        table.add_column(title, justify="right", no_wrap=True)
    for label, features in zip(rows.labels, rows.features, strict=True):
        shown = [f"{value:.6f}" for value in features[:FEATURES_SHOWN]]
        region = escape(label["roi"]) or "[dim]whole volume[/]"
        if parts := [part for part in (label["stack"], _component(label)) if part]:
            region += f" [dim]({escape(', '.join(parts))})[/]"
        patient = escape(label["patient_id"])
        table.add_row(patient, label["modality"], region, str(label["shape"][2]), *shown)
    console = Console(highlight=False)
    console.print(table)
    console.print(
        f"{FEATURES_SHOWN} of {len(names)} features; --csv or --json has all", style="dim"
    )
    codes = Counter(
        (each["severity"], each["code"]) for row in rows.labels for each in row["quality"]
    )
    for (severity, code), count in sorted(codes.items()):
        style = QUALITY_STYLE[severity]
        console.print(f"[{style}]{severity}: {code}[/] in {count} of {len(rows.labels)} rows")


def _component(label: Mapping[str, Any]) -> str:
    """Return which part of a region a row shows, "" for all of it."""
    part = label.get("component", "union")
    return "" if part == "union" else f"part {part}" if part.isdigit() else part


def _study(told: dict[str, Any], rows: Iterator[tuple[Label, NDArray[np.float32]]]) -> Study:
    """Return one study; its rows are the next of the table."""
    if "error" in told:
        return Study(told["study"], code=told["error"].partition(":")[0])
    labels, features = zip(*(next(rows) for _ in told["rows"]), strict=True)
    return Study(told["study"], labels, np.stack(features), told["report"])


def _json(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _without_features(study: dict[str, Any]) -> dict[str, Any]:
    rows = [
        {name: value for name, value in row.items() if name != "features"}
        for row in study.get("rows", [])
    ]
    return study | {"rows": rows}
