"""Rows that somebody leaves out of files by quality code; each is counted and named in them."""

from collections.abc import Collection, Iterable
from dataclasses import replace

from gateway.results.cohort import Excluded, Study
from gateway.results.labels import SEVERITIES, Label
from imaging.quality import QUALITY


def refuse_unknown(codes: Iterable[str]) -> None:
    """Raise ValueError for what is no quality code: a slip would leave rows in, unnoticed."""
    if unknown := sorted(set(codes) - QUALITY.keys()):
        raise ValueError(f"exclude names quality codes, and {unknown[0]!r} is none")


def without(study: Study, codes: Collection[str]) -> Study:
    """Return a study without the rows that have one of some quality codes.

    A row with several of them counts once, by the gravest; of equal ones, by the first.
    """
    reasons = [_reason(label, codes) for label in study.labels]
    if not any(reasons):
        return study
    kept = [row for row, reason in enumerate(reasons) if not reason]
    left_out = [
        Excluded(reason, label)
        for reason, label in zip(reasons, study.labels, strict=True)
        if reason
    ]
    return replace(
        study,
        labels=[study.labels[row] for row in kept],
        features=study.features[kept],
        excluded=[*study.excluded, *left_out],
    )


def _reason(label: Label, codes: Collection[str]) -> str:
    """Return the code that a row is left out for, "" if it is kept."""
    found = [each for each in label.get("quality") or () if each["code"] in codes]
    gravest = max(found, key=lambda each: SEVERITIES.index(each["severity"]), default=None)
    return str(gravest["code"]) if gravest else ""
