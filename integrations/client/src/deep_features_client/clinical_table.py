"""A CSV of features as QuantImage-V2's clinical features: one line a patient."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from deep_features_client.errors import DeepFeaturesError
from deep_features_client.long_rows import LONGEST_NAME, UnstorableError, refuse_weights

KEYS = ("PatientID", "Modality", "ROI")

NOTHING = ""
"""Of a patient without a region. They keep it as NULL, and fill it with the column's median; a
value that is left out would become NaN, which MySQL refuses (routes/clinical_features.py)."""

FORBIDDEN = ("\u2011", "::")
"""In names: the separators of their ids, const.py."""


class ClinicalError(DeepFeaturesError):
    """The file cannot become clinical features, or QuantImage-V2 did not take them."""


@dataclass(frozen=True)
class ClinicalTable:
    """Features of patients.

    parts: names of columns, by modality and region. values: texts by patient and column; NOTHING
    for a region that a patient does not have.
    """

    parts: tuple[tuple[str, ...], ...]
    values: Mapping[str, Mapping[str, str]]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns."""
        return tuple(chain(*self.parts))

    def part(self, columns: Iterable[str]) -> dict[str, dict[str, str]]:
        """Return some columns of all patients."""
        names = list(columns)
        return {
            patient: {name: row.get(name, NOTHING) for name in names}
            for patient, row in self.values.items()
        }


def read_table(file: Path) -> ClinicalTable:
    """Return the features of a CSV with PatientID, Modality, ROI and features, a line a row.

    A column is `Modality ROI feature`, without the region for whole volumes. Raises ClinicalError
    `bad_features`, with numbers of lines, for whatever is not one number for each.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            lines = csv.reader(text, strict=True)
            names = next(lines, [])
            if tuple(names[:3]) != KEYS or not names[3:]:
                raise _bad(f"its first line is not {','.join(KEYS)} and names of features")
            return _table(names[3:], lines)
    except (OSError, UnicodeDecodeError, csv.Error):
        raise _bad("it cannot be read as CSV in UTF-8") from None


def refuse_untrained(file: Path, allow: Collection[str]) -> None:
    """Refuse features of demonstration weights, which the provenance beside the file tells of.

    Raises ClinicalError `demonstration_weights`, and `no_provenance` where nothing tells.
    """
    if "demonstration" in allow:
        return
    try:
        document = json.loads(file.with_suffix(".provenance.json").read_text(encoding="utf-8"))
        refuse_weights(_weights(document), allow)
    except UnstorableError as error:
        raise ClinicalError(error.code, error.sentence.replace("send", "state")) from None
    except (OSError, ValueError, KeyError, TypeError):
        sentence = "the provenance beside the CSV, which names the weights, is missing or no JSON"
        raise ClinicalError("no_provenance", sentence) from None


def _weights(document: Any) -> set[str]:
    """Return the kinds of weights of all rows; exports and `deepfeatures extract` differ."""
    studies = document["results"] if "results" in document else document["studies"]
    return {row["weights"] for study in studies for row in study.get("rows", [])}


def _table(features: list[str], lines: Iterable[list[str]]) -> ClinicalTable:
    parts: dict[tuple[str, str], tuple[str, ...]] = {}
    values: dict[str, dict[str, str]] = {}
    for number, line in enumerate(lines, start=2):
        if len(line) != len(KEYS) + len(features) or not line[0]:
            raise _bad(f"line {number} has no patient, or not as many values as the first line")
        patient, modality, roi = line[:3]
        columns = tuple(_name(modality, roi, feature) for feature in features)
        if parts.setdefault((modality, roi), columns)[0] in values.setdefault(patient, {}):
            raise _bad(f"line {number} is a patient's second one of a modality and region")
        numbers = (_number(text, number) for text in line[3:])
        values[patient].update(zip(columns, numbers, strict=True))
    names = tuple(parts.values())
    if not values or len(set(chain(*names))) < len(names) * len(features):
        raise _bad("it has no lines, or names of regions that cannot be told apart")
    return ClinicalTable(names, values)


def _name(modality: str, roi: str, feature: str) -> str:
    name = " ".join(filter(None, (modality, roi, feature)))
    if len(name) > LONGEST_NAME or any(each in name for each in FORBIDDEN):
        raise _bad("a column's name is too long, or has a separator of QuantImage-V2's in it")
    return name


def _number(text: str, line: int) -> str:
    try:
        if math.isfinite(float(text)):
            return text
    except ValueError:
        pass
    raise _bad(f"line {line} has a value that is no finite number")


def _bad(fault: str) -> ClinicalError:
    return ClinicalError("bad_features", f"the file of features: {fault}")
