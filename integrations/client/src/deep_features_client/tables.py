"""Answers as DataFrames. pandas is imported when a table is asked for, and not before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deep_features_client.errors import DeepFeaturesError

if TYPE_CHECKING:
    import pandas

    from deep_features_client.answers import Answer

VERSION_LABELS = ("feature_prefix", "weights_sha256", "preprocessing_id")
"""Rows in which these differ are of different networks: their features must not be compared."""


class MixedVersionsError(DeepFeaturesError):
    """Rows of several versions of a model were to go into one table."""


def wide_table(answers: Iterable[Answer], labels: Sequence[str] | None = None) -> pandas.DataFrame:
    """Return one table of several answers: a line a row, labels, then features as float32.

    labels: which ones, in this order; all by default. One that a row does not have is empty there.
    Raises MixedVersionsError `mixed_versions`.
    """
    pandas = _pandas()
    rows = [row for answer in answers for row in answer.rows]
    versions = {tuple(row.labels.get(name) for name in VERSION_LABELS) for row in rows}
    if len(versions) > 1:
        sentence = f"rows are of {len(versions)} versions of a model: extract all studies again"
        raise MixedVersionsError("mixed_versions", sentence)
    names = list(rows[0].feature_names) if rows else []
    chosen = list(labels) if labels is not None else _labels_of([row.labels for row in rows])
    texts = {name: [row.labels.get(name) for row in rows] for name in chosen}
    numbers = [row.features for row in rows]
    features = pandas.DataFrame(numbers, columns=names, dtype="float32")
    return pandas.concat([pandas.DataFrame(texts, columns=chosen), features], axis=1)


def long_table(rows: Sequence[Mapping[str, object]]) -> pandas.DataFrame:
    """Return the rows of QuantImage-V2 as a table with its columns, also of no rows."""
    columns = ["patient_id", "modality", "VOI", "feature_name", "feature_value"]
    return _pandas().DataFrame(rows, columns=columns)


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        sentence = 'tables need pandas: pip install "deep-features-client[pandas]"'
        raise ImportError(sentence) from error
    return pandas


def _labels_of(labels: Iterable[Mapping[str, object]]) -> list[str]:
    """All names, in the order in which rows bring them."""
    return list(dict.fromkeys(name for each in labels for name in each))
