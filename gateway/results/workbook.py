"""A workbook for spreadsheets: texts are texts, numbers are numbers, in any country's settings."""

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from tempfile import TemporaryDirectory

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from gateway.results.citation import bibtex
from gateway.results.cohort import Cohort
from gateway.results.labels import Value, severity_of
from gateway.results.methods import statements
from gateway.results.number_sheet import NumberSheet
from gateway.results.provenance import facts
from gateway.results.reporting import items
from gateway.results.table import KEY_COLUMNS
from gateway.results.tables import Table, acquisition_table, exclusions_table, quality_table
from tools.engine.regions import SHARED_MEMORY, folder_prefix

CREATED = datetime(1980, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""Stated in every workbook: the same rows are the same bytes."""

CELL_CHARACTERS = 32_767
SHEET_ROWS, SHEET_COLUMNS = 1_048_576, 16_384
"""What a workbook can hold: ECMA-376 and the limits of spreadsheets."""

NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 section 2.2 does not have."""

WIDEST = 60
CHARACTER_SHARE = 1.1
"""Of a column's width a character: headers are bold, and have a filter's button."""

LINES_MEASURED = 200


class TooLargeError(ValueError):
    """There are more rows or columns than a sheet has."""


def workbook(cohort: Cohort) -> bytes:
    """Return an XLSX file; raises TooLargeError.

    Rows are written as they come, into temporary files in memory and not on a disk.
    """
    file = io.BytesIO()
    with TemporaryDirectory(prefix=folder_prefix(), dir=SHARED_MEMORY) as folder:
        options = {"constant_memory": True, "tmpdir": folder, "nan_inf_to_errors": True}
        with xlsxwriter.Workbook(file, options) as book:
            book.set_properties({"title": _text(cohort.title), "created": CREATED})
            sheets = _Sheets(book)
            sheets.add_features(cohort)
            sheets.add("Acquisition", acquisition_table(cohort), frozen=1)
            sheets.add("Quality", quality_table(cohort), frozen=1)
            sheets.add("Exclusions", exclusions_table(cohort), frozen=1)
            sheets.add("Provenance", _facts(cohort), frozen=1)
            sheets.add("Methods", _methods(cohort), wraps=True)
            sheets.add("Reporting", _reporting(cohort), wraps=True)
            sheets.add(
                "Citation", Table(("BibTeX",), [(each,) for each in bibtex(cohort).splitlines()])
            )
    return file.getvalue()


class _Sheets:
    """The sheets of one workbook, each a table with a header that stays and filters."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        self._bold: Format = book.add_format({"bold": True, "bottom": 1})
        self._wrapped: Format = book.add_format({"text_wrap": True, "valign": "top"})

    def add_features(self, cohort: Cohort) -> None:
        """Add a row of features a line, after what tells it apart and how grave its codes are."""
        header = ("Row", *KEY_COLUMNS, "Quality", *cohort.feature_names)
        keys = [
            (row, label["patient_id"], label["modality"], label["roi"], severity_of(label))
            for row, label in enumerate(cohort.labels, 1)
        ]
        sheet = self._sheet("Features", header, keys, frozen=len(KEY_COLUMNS) + 1)
        for row, (key, features) in enumerate(zip(keys, cohort.features, strict=True), 1):
            _write(sheet, row, key)
            sheet.write_numbers(row, len(key), features)

    def add(self, name: str, table: Table, *, frozen: int = 0, wraps: bool = False) -> None:
        """Add a table; frozen: how many columns stay. wraps: long texts go on in lines."""
        sheet = self._sheet(name, table.header, table.lines, frozen=frozen)
        for row, line in enumerate(table.lines, 1):
            _write(sheet, row, line, style=self._wrapped if wraps else None)

    def _sheet(
        self, name: str, header: Sequence[str], lines: Sequence[Sequence[Value]], *, frozen: int
    ) -> NumberSheet:
        if len(lines) >= SHEET_ROWS or len(header) > SHEET_COLUMNS:
            raise TooLargeError(
                f"{len(lines)} lines of {len(header)} values do not fit into a sheet: take another "
                "form, or fewer rows"
            )
        sheet: NumberSheet = self._book.add_worksheet(name, NumberSheet)
        for column, width in enumerate(_widths(header, lines)):
            sheet.set_column(column, column, width)
        sheet.freeze_panes(1, frozen)
        if lines:
            sheet.autofilter(0, 0, len(lines), len(header) - 1)
        _write(sheet, 0, header, style=self._bold)
        return sheet


def _write(
    sheet: Worksheet, row: int, line: Iterable[Value], *, style: Format | None = None
) -> None:
    """Write a line. Never by `write`, which makes formulas and links of texts."""
    for column, value in enumerate(line):
        if isinstance(value, str):
            sheet.write_string(row, column, _text(value), style)
        elif value is not None:
            sheet.write_number(row, column, value, style)


def _text(value: str) -> str:
    """Return a text as a cell can hold it; what is cut off is shown to be."""
    text = NO_XML.sub("\ufffd", value)
    if text.startswith("<r>") and text.endswith("</r>"):
        text += " "  # XlsxWriter 3.3 takes it for XML of its own otherwise, and does not escape it
    return text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - 1] + "…"


def _widths(header: Sequence[str], lines: Sequence[Sequence[Value]]) -> Iterator[float]:
    """Yield the width of each column in characters, by its header and its first lines."""
    for column, name in enumerate(header):
        shown = [len(str(line[column])) for line in lines[:LINES_MEASURED] if column < len(line)]
        yield min(WIDEST, CHARACTER_SHARE * max(len(name) + 3, *shown, 6))


def _facts(cohort: Cohort) -> Table:
    made_with = {f"parameter {name}": text for name, text in sorted(cohort.made_with.items())}
    return Table(("what", "value"), list({**facts(cohort), **made_with}.items()))


def _methods(cohort: Cohort) -> Table:
    told = [(about, text) for about, text in statements(cohort).items() if text]
    return Table(("about", "text"), told)


def _reporting(cohort: Cohort) -> Table:
    return Table(("checklist", "item", "title", "answer"), items(cohort))
