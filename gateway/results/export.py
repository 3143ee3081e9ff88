"""A cohort in any of the forms that it can be had in."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from gateway.results.bundle import bundle, file_title
from gateway.results.cohort import Cohort
from gateway.results.columnar import parquet
from gateway.results.document import as_json
from gateway.results.table import FeatureTable
from gateway.results.workbook import workbook

MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        "json": "application/json",
        "csv": "text/csv",
        "zip": "application/zip",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "parquet": "application/vnd.apache.parquet",
    }
)
"""Of each form, which is also the ending of its files."""


def export(cohort: Cohort, form: str) -> bytes:
    """Return the cohort in a form of MEDIA_TYPES; the same rows give the same bytes.

    Raises TooLargeError if a workbook cannot hold it.
    """
    return WRITERS[form](cohort)


def file_name(cohort: Cohort, form: str) -> str:
    """Return what the file is called, after QuantImage-V2's files."""
    return f"features_album_{file_title(cohort.title)}.{form}"


def _csv(cohort: Cohort) -> bytes:
    return FeatureTable(cohort.labels, list(cohort.features)).as_csv().encode()


WRITERS: Mapping[str, Callable[[Cohort], bytes]] = MappingProxyType(
    {"json": as_json, "csv": _csv, "zip": bundle, "xlsx": workbook, "parquet": parquet}
)
