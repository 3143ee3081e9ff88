"""What `deepfeatures extract` wrote, read back: rows with their features, and what was asked."""

import csv
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.results.table import KEY_COLUMNS

Row = Mapping[str, Any]

LABELS = ("patient_id", "modality", "roi")
"""Of a row: what the key columns of a CSV hold."""

NEEDED = (*LABELS, "study_uid", "series_uid", "weights_sha256", "features")

ALLOWED_BY_CODE = {
    "NOT_MAGNITUDE": "not_magnitude",
    "SUBTRACTION_IMAGE": "subtraction_image",
    "UNTRAINED_MODALITY": "untrained_modality",
}
"""Quality codes of rows that are refused unless `allow` says otherwise."""


class ResultError(ValueError):
    """The file is no result that rows can be compared with; the message says why."""


@dataclass(frozen=True)
class Result:
    """The rows of a result, each a label with its `features`.

    model: whose rows they are, "" if that is not stated. options: of the requests, None if they
    are not stated.
    """

    rows: tuple[Row, ...]
    model: str
    options: Mapping[str, str] | None

    def of_studies(self, study_uids: Collection[str]) -> tuple[Row, ...]:
        """Return the rows of some studies; refuse if there are none."""
        rows = tuple(row for row in self.rows if row["study_uid"] in study_uids)
        if rows:
            return rows
        known = sorted({row["study_uid"] for row in self.rows})
        further = f" and {len(known) - 3} more" if len(known) > 3 else ""
        raise ResultError(
            f"the result has no row of the study {', '.join(sorted(study_uids))}: it has those of "
            f"{', '.join(known[:3]) or 'no study'}{further}"
        )


def read_result(file: Path) -> Result:
    """Return what a .json file holds, or a .csv file with the .provenance.json beside it."""
    if file.suffix not in (".json", ".csv"):
        raise ResultError(f"a result is a .json or .csv file of deepfeatures extract, not {file}")
    if file.name.endswith(".provenance.json"):
        raise ResultError(f"{file} has no features: name the .csv file that it belongs to")
    document = _document(file if file.suffix == ".json" else file.with_suffix(".provenance.json"))
    try:
        rows = [row for study in document["studies"] for row in study.get("rows", [])]
    except (AttributeError, KeyError, TypeError) as error:
        raise ResultError(f"{file} is not what deepfeatures extract writes") from error
    if file.suffix == ".csv":
        rows = _with_features(rows, file)
    for number, row in enumerate(rows, start=1):
        if missing := [name for name in NEEDED if name not in row]:
            raise ResultError(f"row {number} of {file} has no {' and no '.join(missing)}")
    return Result(tuple(rows), document.get("model", ""), document.get("options"))


def options_of(rows: Sequence[Row]) -> dict[str, str]:
    """Return options of a request that gives these rows, as far as rows tell them."""
    options = _series_option(rows) | _regions_option(rows)
    codes = {each["code"] for row in rows for each in row.get("quality", ())}
    if allowed := sorted(word for code, word in ALLOWED_BY_CODE.items() if code in codes):
        options["allow"] = ",".join(allowed)
    if "GAPS_BEYOND_LIMIT" in codes:
        options["lenient"] = "true"
    if "PT_NOT_SUV" in codes:
        options["pt_unit"] = "stored"
    return options


def _series_option(rows: Sequence[Row]) -> dict[str, str]:
    """Return the series, if they were named; else the model's rule chooses as it did."""
    reasons = {row.get("series_chosen_by") for row in rows}
    if "asked" in reasons:
        return {"series": ",".join(dict.fromkeys(row["series_uid"] for row in rows))}
    return {"series": "all"} if "all" in reasons else {}


def _regions_option(rows: Sequence[Row]) -> dict[str, str]:
    names = {row["roi"] for row in rows}
    if "" not in names:
        return {"roi": names.pop()} if len(names) == 1 else {"regions": "all"}
    return {"regions": "whole"} if len(names) == 1 else {}


def _document(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ResultError(f"{file} is missing: the rows' labels are in it") from error
    except ValueError as error:
        raise ResultError(f"{file} is no JSON: {error}") from error
    if not isinstance(document, dict):
        raise ResultError(f"{file} is not what deepfeatures extract writes")
    return document


def _with_features(labels: Sequence[Row], file: Path) -> list[dict[str, Any]]:
    """Return the labels with the features of a CSV, whose lines are in the same order."""
    with file.open(encoding="utf-8", newline="") as content:
        lines = list(csv.reader(content))[1:]
    if len(lines) != len(labels):
        raise ResultError(
            f"{file} has {len(lines)} rows, and its provenance {len(labels)}: they are not of one "
            "call of deepfeatures extract"
        )
    rows = []
    for number, (line, label) in enumerate(zip(lines, labels, strict=True), start=2):
        if line[: len(KEY_COLUMNS)] != [label.get(name) for name in LABELS]:
            raise ResultError(
                f"line {number} of {file} is of another row than its provenance says: both must "
                "be as they were written, in their order"
            )
        try:
            features = [float(text) for text in line[len(KEY_COLUMNS) :]]
        except ValueError as error:
            raise ResultError(f"line {number} of {file}: a feature is no number") from error
        rows.append({**label, "features": features})
    return rows
