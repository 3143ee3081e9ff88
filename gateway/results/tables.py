"""Tables beside the features: how rows were acquired, what to beware of, what gave no rows.

Each is a header and its lines, for CSV and for sheets.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gateway.codes import GATEWAY_CODES
from gateway.results.cohort import Cohort
from gateway.results.labels import Value, columns_of
from imaging.errors import REFUSALS
from imaging.quality import QUALITY

NAMES_SHOWN = 100
"""Of studies, series or regions behind one code; the provenance has them all."""

NAMING = ("patient_id", "modality", "roi")
"""Labels that say which row it is, to people."""

UNKNOWN_CODE = "no_rows"
"""Of a study without rows that does not say why."""


class Table(NamedTuple):
    """Names of columns, and lines of as many values."""

    header: Sequence[str]
    lines: Sequence[Sequence[Value]]


def acquisition_table(cohort: Cohort) -> Table:
    """Return all labels of each row; `row` counts from 1, as in the table of features."""
    columns = columns_of(cohort.labels)
    lines = zip(range(1, len(cohort.labels) + 1), *(each.values for each in columns), strict=True)
    return Table(["row", *(each.name for each in columns)], list(lines))


def quality_table(cohort: Cohort) -> Table:
    """Return a line for each quality code of each row, with its meaning in words."""
    header = ("row", "patient_id", "modality", "roi", "severity", "code", "number", "meaning")
    lines = [
        (
            row,
            label["patient_id"],
            label["modality"],
            label["roi"],
            each["severity"],
            each["code"],
            each["number"],
            QUALITY.get(each["code"], ("", ""))[1],
        )
        for row, label in enumerate(cohort.labels, 1)
        for each in label.get("quality") or ()
    ]
    return Table(header, lines)


def exclusions_table(cohort: Cohort) -> Table:
    """Return what is not in the file, by code, how many and which.

    Studies, series and regions that gave no rows, and rows that somebody left out.
    """
    grouped: dict[tuple[str, str], list[str]] = {}
    for what, code, name in _excluded(cohort):
        grouped.setdefault((what, code), []).append(name)
    lines = [
        (what, code, len(names), _meaning(what, code), _shown(names))
        for (what, code), names in grouped.items()
    ]
    return Table(("what", "code", "number", "meaning", "which"), lines)


def csv_of(table: Table) -> str:
    """Return a table by RFC 4180."""
    file = io.StringIO(newline="")
    csv.writer(file).writerows([table.header, *table.lines])
    return file.getvalue()


def _excluded(cohort: Cohort) -> Iterator[tuple[str, str, str]]:
    """Yield what gave no rows, by which code, and its name: studies first, then what is in them."""
    for study in cohort.without_rows:
        yield "study", study.code or UNKNOWN_CODE, study.name
    for study in cohort.studies:
        for each in _entries(study.report, "series"):
            if each.get("status") == "skipped":
                yield "series", str(each.get("code")), str(each.get("series_uid"))
    for study in cohort.studies:
        for each in _entries(study.report, "regions_skipped"):
            yield "region", str(each.get("code")), str(each.get("name"))
    for code, label in cohort.excluded:
        yield "row", code, " ".join(filter(None, (label[name] for name in NAMING)))


def _meaning(what: str, code: str) -> str:
    """Return what a code means; of a quality code, without what its number is."""
    if what == "row":
        return quality_meaning(code)
    return {**GATEWAY_CODES, **REFUSALS}.get(code, ("", ""))[0]


def quality_meaning(code: str) -> str:
    """Return what a quality code says of a row, in words; "" of one that is not known."""
    return QUALITY.get(code, ("", ""))[1].partition("; number: ")[0]


def _entries(report: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    """Return a list of the report; a report that somebody sent may hold anything there."""
    found = report.get(name)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _shown(names: Sequence[str]) -> str:
    further = len(names) - NAMES_SHOWN
    shown = "; ".join(names[:NAMES_SHOWN])
    return f"{shown}; and {further} more" if further > 0 else shown
