"""Rows of a result next to the same rows, computed again."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tools.verification.stored import Row

SAME, FEATURES_SAME, DIFFERS = "same", "features same", "differs"
MISSING, NEW = "missing", "new"

KEY = ("series_uid", "stack_index", "modality", "roi", "roi_source_uid", "roi_number", "component")
"""What tells the rows of one study apart."""


@dataclass(frozen=True)
class Difference:
    """One field of a row that is not what was stored."""

    field: str
    stored: Any
    new: Any


@dataclass(frozen=True)
class Compared:
    """One row: how it is identified, whether it is the same, and what is not.

    relative_l2: of the features, |new - stored| / |stored|; None without two vectors of one length.
    largest: the largest difference of one feature.
    """

    key: Row
    verdict: str
    relative_l2: float | None = None
    largest: float | None = None
    fields: tuple[Difference, ...] = ()

    @property
    def is_same(self) -> bool:
        """Whether the features are within the tolerance, and every stored field is the same."""
        return self.verdict == SAME

    def as_json(self) -> dict[str, Any]:
        """Return all of it, with what JSON knows."""
        return {
            **self.key,
            "verdict": self.verdict,
            "relative_l2": self.relative_l2,
            "largest_difference": self.largest,
            "fields": [vars(each) for each in self.fields],
        }


def compare_rows(
    stored: Sequence[Row], new: Sequence[Row], *, tolerance: float
) -> tuple[Compared, ...]:
    """Return a comparison for each row that is stored, and for each that was not.

    tolerance: of the features, as relative L2. Rows that nothing tells apart go by their order.
    """
    of_stored, of_new = _by_key(stored), _by_key(new)
    compared = [
        _compared(row, of_new[key], tolerance)
        if key in of_new
        else Compared(_identity(row), MISSING)
        for key, row in of_stored.items()
    ]
    further = [Compared(_identity(row), NEW) for key, row in of_new.items() if key not in of_stored]
    return (*compared, *further)


def relative_l2(stored: Sequence[float], new: Sequence[float]) -> tuple[float, float]:
    """Return |new - stored| / |stored| and the largest difference of one feature.

    Infinite if only what is stored is zero everywhere; not a number if a feature is none.
    """
    before, now = np.asarray(stored, np.float64), np.asarray(new, np.float64)
    away = now - before
    distance, length = float(np.linalg.norm(away)), float(np.linalg.norm(before))
    if length == 0.0:
        return (0.0 if distance == 0.0 else float("inf")), float(np.abs(away).max(initial=0.0))
    return distance / length, float(np.abs(away).max())


def _compared(stored: Row, new: Row, tolerance: float) -> Compared:
    """Return how one row compares; what later software added to rows does not count."""
    fields = [
        Difference(name, value, new.get(name))
        for name, value in stored.items()
        if name != "features" and (name not in new or new[name] != value)
    ]
    counts = len(stored["features"]), len(new["features"])
    if counts[0] != counts[1]:
        fields.append(Difference("number of features", *counts))
        return Compared(_identity(stored), DIFFERS, fields=tuple(fields))
    distance, largest = relative_l2(stored["features"], new["features"])
    verdict = DIFFERS  # also where the distance is not a number
    if distance <= tolerance:
        verdict = FEATURES_SAME if fields else SAME
    return Compared(_identity(stored), verdict, distance, largest, tuple(fields))


def _identity(row: Row) -> dict[str, Any]:
    return {name: row.get(name) for name in KEY}


def _by_key(rows: Sequence[Row]) -> dict[tuple[Any, ...], Row]:
    """Return the rows by what tells them apart, and by how many were alike before."""
    seen: Counter[tuple[Any, ...]] = Counter()
    keyed = {}
    for row in rows:
        key = tuple(row.get(name) for name in KEY)
        keyed[(*key, seen[key])] = row
        seen[key] += 1
    return keyed
