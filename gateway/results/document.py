"""A cohort as JSON: written, and read from what somebody sent."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.results.cohort import Cohort, Study
from gateway.results.exclusion import refuse_unknown, without
from gateway.results.labels import Label, fault_of, is_text
from gateway.results.projection import LARGEST_FEATURES, LARGEST_ROWS
from gateway.results.provenance import excluded_of, json_bytes, told
from gateway.results.table import labelled_rows

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
            "provenance": told(cohort),
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


def matrix_of(document: Any) -> NDArray[np.float64]:
    """Return the features of `{"rows": [{"features": […]}, …]}`, float64 [rows, features].

    Whatever else a row has is left. Raises DocumentError, or TooManyValuesError.
    """
    rows = document.get("rows") if isinstance(document, Mapping) else None
    if not isinstance(rows, list):
        raise DocumentError("an object with rows is needed")
    stated = [row.get("features") if isinstance(row, Mapping) else None for row in rows]
    features = [each for each in stated if isinstance(each, np.ndarray)]
    if len(features) < len(rows):
        raise DocumentError("rows are objects with features")
    if len({len(each) for each in features}) > 1:
        raise DocumentError("rows have different numbers of features")
    count = len(features[0]) if features else 0
    if len(features) > LARGEST_ROWS or count > LARGEST_FEATURES:
        raise TooManyValuesError(
            f"there are {len(features)} rows of {count}: "
            f"at most {LARGEST_ROWS} of {LARGEST_FEATURES} are drawn"
        )
    return np.array(features, np.float64).reshape(len(features), count)


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
    excluded = _excluded(document.get("exclude", []))
    studies = [_study(answer, n) for n, answer in enumerate(document["answers"], 1)]
    if len({study.features.shape[1] for study in studies if len(study.labels)}) > 1:
        raise DocumentError("rows have different numbers of features")
    kept = [without(study, excluded) for study in studies]
    return Cohort(model, kept, title, parameters.get(model, {}))


def _excluded(stated: Any) -> frozenset[str]:
    """Return the quality codes that a document leaves rows out by."""
    if not isinstance(stated, list) or not all(map(is_text, stated)):
        raise DocumentError("exclude is a list of quality codes")
    try:
        refuse_unknown(stated)
    except ValueError as error:
        raise DocumentError(str(error)) from None
    return frozenset(stated)


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
    return {
        "name": study.name,
        "code": study.code,
        "rows": labelled_rows(study.labels, study.features),
        "excluded": excluded_of(study),
        "report": study.report,
    }
