"""A cohort as JSON: written, and read from what somebody sent."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.json
from numpy.typing import NDArray

from gateway.results.cohort import Cohort, Study
from gateway.results.labels import Label, fault_of, is_text
from gateway.results.projection import LARGEST_FEATURES, LARGEST_ROWS
from gateway.results.provenance import json_bytes

ARROW_JSON: Any = pyarrow.json  # has no types

ROWS = pa.schema([("rows", pa.list_(pa.list_(pa.float64())))])

LARGEST_VALUES = 20_000_000
"""In one document: some 50 000 rows of 256 features. It bounds the memory that reading it takes."""

TITLE_CHARACTERS = 200


class DocumentError(ValueError):
    """The document is not what is needed; the sentence is safe to show to whoever sent it."""


class TooManyValuesError(ValueError):
    """The document would take too much memory."""


def as_json(cohort: Cohort) -> bytes:
    """Return what `cohort_of` reads; each feature reads back to the same float32."""
    return json_bytes(
        {
            "title": cohort.title,
            "model": cohort.model,
            "feature_names": cohort.feature_names,
            "answers": [_answer(study) for study in cohort.studies],
        }
    )


def read_json(body: bytearray) -> Any:
    """Return a JSON document in which lists `features` are float32 arrays.

    Raises DocumentError, or TooManyValuesError before anything is read.
    """
    _refuse_many(body)
    try:
        return json.loads(body, object_hook=_compact, parse_constant=_refuse)
    except DocumentError:
        raise
    except (ValueError, RecursionError):
        raise DocumentError("the body is no JSON in UTF-8 that can be read") from None


def rows_of(body: bytearray) -> NDArray[np.float64]:
    """Return the rows of numbers in `{"rows": [[…], …]}`, float64 [rows, features].

    Raises DocumentError, or TooManyValuesError. Arrow reads it, for there is nothing else in it:
    beside other threads, and without a Python object a number.
    """
    _refuse_many(body)
    reading = ARROW_JSON.ReadOptions(use_threads=False, block_size=len(body) + 1)
    parsing = ARROW_JSON.ParseOptions(
        ROWS, newlines_in_values=True, unexpected_field_behavior="error"
    )
    try:
        table = ARROW_JSON.read_json(pa.py_buffer(body), reading, parsing)
        rows = table["rows"].combine_chunks()
    except (pa.ArrowInvalid, KeyError):
        raise DocumentError("an object with rows is needed, lists of numbers") from None
    return _matrix(rows)


def _matrix(rows: pa.ListArray) -> NDArray[np.float64]:
    """Return an array of one list of lists as a matrix."""
    vectors = rows.flatten()
    values = vectors.flatten()
    lengths = set(vectors.value_lengths().to_pylist())
    if len(rows) != 1 or rows.null_count or vectors.null_count or values.null_count:
        raise DocumentError("an object with rows is needed, lists of numbers")
    if len(lengths) > 1:
        raise DocumentError("rows have different numbers of features")
    with np.errstate(over="ignore", under="ignore"):
        narrow = np.asarray(values.to_numpy(zero_copy_only=False), np.float32)
    matrix = narrow.astype(np.float64)
    if not np.isfinite(matrix).all():
        raise DocumentError("a number is not finite as 32-bit number")
    count = lengths.pop() if lengths else 0
    if len(vectors) > LARGEST_ROWS or count > LARGEST_FEATURES:
        raise TooManyValuesError(
            f"there are {len(vectors)} rows of {count}: "
            f"at most {LARGEST_ROWS} of {LARGEST_FEATURES} are drawn"
        )
    return matrix.reshape(len(vectors), count)


def cohort_of(document: Any, parameters: Mapping[str, Mapping[str, str]]) -> Cohort:
    """Return the cohort that a document states.

    parameters: of models, by their names, as far as they are known.
    Raises DocumentError, and MixedVersionsError as Cohort does.
    """
    if not isinstance(document, Mapping) or not isinstance(document.get("answers"), list):
        raise DocumentError("an object with model and answers is needed")
    model, title = document.get("model"), document.get("title", "")
    if not is_text(model) or not is_text(title) or len(title) > TITLE_CHARACTERS:
        raise DocumentError(f"model and title are texts, a title of up to {TITLE_CHARACTERS}")
    studies = [_study(answer, n) for n, answer in enumerate(document["answers"], 1)]
    if len({study.features.shape[1] for study in studies if len(study.labels)}) > 1:
        raise DocumentError("rows have different numbers of features")
    return Cohort(model, studies, title, parameters.get(model, {}))


def _refuse_many(body: bytearray) -> None:
    if sum(map(body.count, (b",", b"[", b"{"))) > LARGEST_VALUES:
        raise TooManyValuesError(
            f"the document has more than {LARGEST_VALUES} values: send fewer rows"
        )


def _study(answer: Any, number: int) -> Study:
    where = f"answer {number}"
    if not isinstance(answer, Mapping) or not isinstance(answer.get("rows", []), list):
        raise DocumentError(f"{where} is no object with a list of rows")
    name, code, report = answer.get("name", ""), answer.get("code", ""), answer.get("report", {})
    if not (is_text(name) and is_text(code) and isinstance(report, Mapping)):
        raise DocumentError(
            f"{where} has a name or a code that is no text, or a report that is none"
        )
    labels, features = [], []
    for n, row in enumerate(answer.get("rows", []), 1):
        label, values = _row(row, f"row {n} of {where}")
        labels.append(label)
        features.append(values)
    if len({len(values) for values in features}) > 1:
        raise DocumentError(f"rows of {where} have different numbers of features")
    stacked = np.stack(features) if features else np.zeros((0, 0), np.float32)
    return Study(name, labels, stacked, report, code)


def _row(row: Any, where: str) -> tuple[Label, NDArray[np.float32]]:
    if not isinstance(row, Mapping) or not isinstance(row.get("features"), np.ndarray):
        raise DocumentError(f"{where} is no object with features")
    label = {name: value for name, value in row.items() if name != "features"}
    if fault := fault_of(label):
        raise DocumentError(f"{where} {fault}")
    return label, row["features"]


def _compact(found: dict[str, Any]) -> dict[str, Any]:
    """Make an array of features as soon as they are read: lists of numbers take eight times more.

    It also lets other threads go on while a long document is read, which the parser does not.
    """
    if isinstance(found.get("features"), list):
        found["features"] = _array(found["features"])
    return found


def _array(values: list[Any]) -> NDArray[np.float32]:
    if not values or not all(type(value) in (int, float) for value in values):
        raise DocumentError("features are lists of numbers")
    try:
        with np.errstate(over="ignore"):
            features = np.array(values, np.float64).astype(np.float32)
    except OverflowError:
        raise DocumentError("a feature is not finite") from None
    if not np.isfinite(features).all():
        raise DocumentError("a feature is not finite")
    return features


def _refuse(_: str) -> None:
    raise DocumentError("a number is not finite")


def _answer(study: Study) -> dict[str, Any]:
    rows = [
        {**label, "features": [float(str(value)) for value in features]}
        for label, features in zip(study.labels, study.features, strict=True)
    ]
    return {"name": study.name, "code": study.code, "rows": rows, "report": study.report}
