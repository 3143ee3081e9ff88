"""Parquet: a typed column a label, a float32 column a feature, what all rows share beside them."""

import io

import pyarrow as pa
import pyarrow.parquet as pq

from gateway.results.cohort import Cohort
from gateway.results.labels import Column, Label, Value, columns_of, severity_of
from gateway.results.provenance import json_bytes, told

TYPES = {str: pa.string(), int: pa.int64(), float: pa.float64()}

KEY = "deepfeatures"
"""Of the file's metadata that is ours, JSON."""

CODES = pa.list_(
    pa.struct([("code", pa.string()), ("severity", pa.string()), ("number", pa.float64())])
)


def parquet(cohort: Cohort) -> bytes:
    """Return a Parquet file."""
    columns = [
        (column.name, pa.array(_typed(column), TYPES[column.type]))
        for column in columns_of(cohort.labels)
    ]
    columns.append(("severity", pa.array(map(severity_of, cohort.labels), pa.string())))
    columns.append(("quality", pa.array([_codes(label) for label in cohort.labels], CODES)))
    columns += [
        (name, pa.array(values))
        for name, values in zip(cohort.feature_names, cohort.features.T, strict=True)
    ]
    table = pa.table(dict(columns)).replace_schema_metadata({KEY: json_bytes(told(cohort))})
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")  # type: ignore[no-untyped-call]
    return file.getvalue()


def _typed(column: Column) -> list[Value]:
    """Return values of the column's type: Arrow refuses an integer that no float64 is."""
    return [None if value is None else column.type(value) for value in column.values]


def _codes(label: Label) -> list[dict[str, Value]]:
    """Return the quality codes of a row."""
    return [
        {"code": each["code"], "severity": each["severity"], "number": float(each["number"])}
        for each in label.get("quality") or ()
    ]
