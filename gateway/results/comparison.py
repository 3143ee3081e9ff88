"""Two runs of the same studies, row by row: how far features moved, and what else changed."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.results.cohort import Cohort
from gateway.results.labels import Label
from gateway.results.table import VERSION_LABELS
from tools.verification.differences import KEY, relative_l2

Keyed = dict[tuple[Any, ...], int]

RELATIVE_L2 = 1e-5
SHARE_OF_SD = 1e-3
"""What one version's features may differ by across machines: relative L2 of a row, and the largest
difference by the feature's standard deviation between patients."""

COMPARED = (*VERSION_LABELS, "software", "unit", "window", "input_sha256", "region_extent_mm")
"""Labels that say why features differ."""

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "identical": "the features are the same, bit for bit",
        "within_tolerance": (
            f"the features differ as across machines: by a relative L2 of at most {RELATIVE_L2:g}, "
            f"and none by more than {SHARE_OF_SD:g} of its standard deviation between patients"
        ),
        "differs": "the features differ by more than across machines",
        "other_version": (
            "the rows are of different weights or preprocessing: their features are different "
            "quantities, and the numbers say only how different"
        ),
        "not_comparable": "the rows have different numbers of features",
    }
)
"""Verdicts, from the best to the worst."""

NO_SD = "with fewer than two patients the difference by the standard deviation is not known"


def comparison(first: Cohort, second: Cohort) -> dict[str, Any]:
    """Return each row that both have, compared, and those that one of them has alone.

    Rows are the same if study, series, volume, region and part are. `difference_by_sd` is by the
    standard deviation between patients of the first run.
    """
    firsts, seconds = _by_key(first), _by_key(second)
    deviations = _between_patients(first)
    rows = [
        _compared((first, n), (second, seconds[key]), deviations)
        for key, n in firsts.items()
        if key in seconds
    ]
    return {
        "first": _version(first),
        "second": _version(second),
        "changed": _changed(first.version, second.version, (*VERSION_LABELS, "weights")),
        "tolerance": {"relative_l2": RELATIVE_L2, "difference_by_sd": SHARE_OF_SD},
        "words": dict(WORDS),
        "note": "" if deviations is not None else NO_SD,
        "counts": {verdict: _count(rows, verdict) for verdict in WORDS},
        "rows": rows,
        "only_first": _rest(first, firsts, seconds),
        "only_second": _rest(second, seconds, firsts),
    }


def _compared(
    one: tuple[Cohort, int], other: tuple[Cohort, int], deviations: NDArray[np.float64] | None
) -> dict[str, Any]:
    (first, m), (second, n) = one, other
    before, after = first.labels[m], second.labels[n]
    told: dict[str, Any] = {
        **_identity(before),
        "first_row": m,
        "second_row": n,
        "changed": _changed(before, after, COMPARED),
        "verdict": "not_comparable",
        "relative_l2": None,
        "largest_difference": None,
        "feature": None,
        "difference_by_sd": None,
    }
    if first.features.shape[1] == second.features.shape[1]:
        told |= _numbers(first.features[m], second.features[n], deviations)
        if any(before[name] != after[name] for name in VERSION_LABELS):
            told["verdict"] = "other_version"
        told["feature"] = first.feature_names[told["feature"]]
    return told


def _numbers(
    before: NDArray[np.float32], after: NDArray[np.float32], deviations: NDArray[np.float64] | None
) -> dict[str, Any]:
    """Return how far the features of one row are apart, and the verdict."""
    away = np.abs(after.astype(np.float64) - before)
    distance, largest = relative_l2(before.tolist(), after.tolist())
    by_sd = None
    if deviations is not None:
        varies = deviations > 0
        by_sd = float((away[varies] / deviations[varies]).max(initial=0.0))
    is_near = distance <= RELATIVE_L2 and (by_sd is None or by_sd <= SHARE_OF_SD)
    return {
        "verdict": "identical" if not largest else "within_tolerance" if is_near else "differs",
        "relative_l2": distance if np.isfinite(distance) else None,
        "largest_difference": largest,
        "feature": int(away.argmax()),
        "difference_by_sd": by_sd,
    }


def _between_patients(cohort: Cohort) -> NDArray[np.float64] | None:
    """Return the standard deviation of each feature over patients' means, None for one patient.

    It is 0 where it is no more than the rounding of float32.
    """
    patients: dict[str, list[int]] = {}
    for row, label in enumerate(cohort.labels):
        patients.setdefault(label["patient_id"], []).append(row)
    if len(patients) < 2:
        return None
    means = np.array(
        [cohort.features[rows].mean(axis=0, dtype=np.float64) for rows in patients.values()]
    )
    deviations: NDArray[np.float64] = means.std(axis=0, ddof=1)
    rounding = np.finfo(np.float32).eps * np.abs(means).max(axis=0)
    return np.where(deviations > rounding, deviations, 0.0)


def _by_key(cohort: Cohort) -> Keyed:
    """Return the numbers of rows by what tells them apart; the first of those that nothing does."""
    keyed: Keyed = {}
    for row, label in enumerate(cohort.labels):
        keyed.setdefault((label["study_uid"], *map(label.get, KEY)), row)
    return keyed


def _identity(label: Label) -> dict[str, Any]:
    return {name: label.get(name) for name in ("patient_id", "study_uid", *KEY)}


def _version(cohort: Cohort) -> dict[str, Any]:
    software = cohort.labels[0].get("software") if cohort.labels else None
    rows = len(cohort.labels)
    return {"model": cohort.model, **cohort.version, "software": software, "rows": rows}


def _changed(before: Label, after: Label, names: Sequence[str]) -> list[str]:
    return [name for name in names if before.get(name) != after.get(name)]


def _rest(cohort: Cohort, keyed: Keyed, other: Keyed) -> list[dict[str, Any]]:
    """Return the rows of one run that the other one does not have."""
    return [_identity(cohort.labels[row]) for key, row in keyed.items() if key not in other]


def _count(rows: Sequence[Mapping[str, Any]], verdict: str) -> int:
    return sum(row["verdict"] == verdict for row in rows)
