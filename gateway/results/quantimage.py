"""The profile `quantimage`: answers as the rows that QuantImage-V2 stores."""

import csv
import io
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.problems import ProblemError
from gateway.results.labels import Label
from gateway.results.long_rows import COLUMNS, LongRow, UnstorableError, long_rows, refuse_weights
from gateway.results.table import feature_names

PROFILE = "quantimage"
FORMS = ("json", "csv")
"""Of MEDIA_TYPES: those that long rows are given in."""

OF_JOBS = ("study_uid", *COLUMNS)
"""Columns of rows of several studies: a value is stored for a study, a modality, a region."""


def is_quantimage(stated: Sequence[str]) -> bool:
    """Say whether a request is for the profile, by the values of `profile` that it states."""
    if stated not in ([], [PROFILE]):
        raise ProblemError(400, "bad_query", f"profile is {PROFILE}, or is not stated")
    return bool(stated)


def options_for(options: Mapping[str, str], weights: str | None) -> dict[str, str]:
    """Return the options of a request with what the profile adds: regions alone, no pictures.

    weights: of the model, as far as known. What would be refused in the end is refused now.
    """
    if options.get("regions", "all").strip().lower() == "whole":
        sentence = f"the profile {PROFILE} has regions alone: leave out regions=whole"
        raise ProblemError(422, "bad_option", sentence)
    if weights is not None:
        with _as_problems():
            refuse_weights({weights}, allowed(options))
    return {**options, "regions": "all", "preview": "false"}


def allowed(options: Mapping[str, str]) -> frozenset[str]:
    """Return what the option `allow` lists, which is known to be right."""
    return frozenset(word.strip().lower() for word in options.get("allow", "").split(","))


def rows_of(
    labels: Sequence[Label], features: Sequence[NDArray[np.float32]], allow: Collection[str]
) -> list[LongRow]:
    """Return the rows of one study; their values read back to the same float32.

    Raises ProblemError with the codes of long_rows.
    """
    names = feature_names(labels[0]["feature_prefix"], len(features[0])) if len(labels) else []
    numbers = ([float(str(value)) for value in values] for values in features)
    with _as_problems():
        return long_rows(zip(labels, numbers, strict=True), feature_names=names, allow=allow)


def written(rows: Iterable[Mapping[str, Any]], form: str, columns: Sequence[str]) -> bytes:
    """Return rows as a JSON list, or as CSV (RFC 4180) with these columns."""
    if form == "json":
        return json.dumps(list(rows), ensure_ascii=False).encode()
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, columns, extrasaction="raise")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


@contextmanager
def _as_problems() -> Iterator[None]:
    try:
        yield
    except UnstorableError as error:
        raise ProblemError(422, error.code, error.sentence) from None
