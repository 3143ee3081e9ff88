"""A zip: a CSV for each modality and region, named as by QuantImage-V2, and what goes with them."""

import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator

import numpy as np

from gateway.results.citation import bibtex
from gateway.results.cohort import Cohort
from gateway.results.methods import methods
from gateway.results.provenance import provenance
from gateway.results.reporting import markdown
from gateway.results.table import FeatureTable
from gateway.results.tables import acquisition_table, csv_of, exclusions_table, quality_table

NO_TITLE = "untitled"

WHOLE = "whole"
"""Stands in names of files for the whole volume, which has no region's name."""

NAME_BYTES = 80
"""Of a title or a region in a name of a file, which file systems limit to 255 in all."""

MOMENT = (1980, 1, 1, 0, 0, 0)
"""Of all members, the first that a zip can state: the same rows are the same bytes."""

FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f\ud800-\udfff]')
"""In names of files, on one system or another."""


def bundle(cohort: Cohort) -> bytes:
    """Return the zip."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in _members(cohort):
            member = zipfile.ZipInfo(name, MOMENT)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, content)
    return file.getvalue()


def file_title(title: str) -> str:
    """Return a title as a part of a file's name."""
    return _part(title) or NO_TITLE


def _members(cohort: Cohort) -> Iterator[tuple[str, str | bytes]]:
    yield from _tables(cohort)
    yield "provenance.json", provenance(cohort)
    yield "acquisition.csv", csv_of(acquisition_table(cohort))
    yield "quality.csv", csv_of(quality_table(cohort))
    yield "exclusions.csv", csv_of(exclusions_table(cohort))
    yield "methods.md", f"{methods(cohort)}\n"
    yield "reporting.md", markdown(cohort)
    yield "citation.bib", bibtex(cohort)


def _tables(cohort: Cohort) -> Iterator[tuple[str, str]]:
    """Yield the CSV of each modality and region; names that would be one are numbered.

    Also where they differ in case alone: not all file systems tell these apart.
    """
    grouped: dict[tuple[str, str], list[int]] = {}
    for row, label in enumerate(cohort.labels):
        grouped.setdefault((label["modality"], label["roi"]), []).append(row)
    taken: set[str] = set()
    for (modality, roi), rows in grouped.items():
        which = f"{_part(modality)}-{_part(roi or WHOLE) or '_'}"
        stem = f"features_album_{file_title(cohort.title)}_{which}"
        name, number = stem, 2
        while name.casefold() in taken:
            name, number = f"{stem}_{number}", number + 1
        taken.add(name.casefold())
        yield f"{name}.csv", _table(cohort, rows)


def _table(cohort: Cohort, rows: list[int]) -> str:
    table = FeatureTable(
        [cohort.labels[row] for row in rows], list(cohort.features[np.array(rows)])
    )
    return table.as_csv()


def _part(text: str) -> str:
    """Return a text as a part of a file's name, on any system."""
    safe = FORBIDDEN.sub("_", unicodedata.normalize("NFC", text))
    return safe.encode()[:NAME_BYTES].decode(errors="ignore").strip(" .")
