"""Pairs of scans of one patient, as a CSV lists them."""

import csv
from pathlib import Path

from tools.studies import StudySource, find_studies

COLUMNS = ("zip_a", "zip_b")

Pair = tuple[StudySource, StudySource]


class CallError(ValueError):
    """What was asked for cannot be measured, and the message says why."""


def read_pairs(file: Path) -> list[Pair]:
    """Return the pairs of studies in a CSV; paths that are not absolute start at its folder."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as content:
            reader = csv.DictReader(content)
            lines = [[line.get(name) or "" for name in COLUMNS] for line in reader]
            names = reader.fieldnames or ()
    except (FileNotFoundError, UnicodeDecodeError, csv.Error) as error:
        raise CallError(f"{file} cannot be read as CSV: {error}") from error
    if missing := [name for name in COLUMNS if name not in names]:
        raise CallError(f"{file} has no column {' and no column '.join(missing)}")
    return [
        (_study(file, number, first), _study(file, number, second))
        for number, (first, second) in enumerate(lines, start=2)
    ]


def _study(file: Path, number: int, text: str) -> StudySource:
    path = file.parent / text
    if not text or not path.exists():
        raise CallError(f"line {number} of {file}: no such file or folder: {text or '(empty)'}")
    studies = list(find_studies([path]))
    if len(studies) != 1:
        raise CallError(f"line {number} of {file}: {text} holds {len(studies)} studies, not one")
    return studies[0]
