"""What measurements come to: a line for each group of subjects and each kind of perturbation."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.stability.agreement import Agreement, agreement, within_sd
from tools.stability.measuring import Measured
from tools.verification.differences import relative_l2

GOOD, EXCELLENT = 0.75, 0.9
"""Lower bounds of ICC's interval: T. K. Koo and M. Y. Li, Journal of Chiropractic Medicine 15
(2016) 155-163."""

RETEST = "test-retest"


@dataclass(frozen=True)
class Line:
    """One kind of perturbation in one group of subjects.

    studies: that the subjects are of. measured: float64 [subjects, measurements, F].
    agreement: None with subjects of one study alone, which have no variance between patients.
    """

    group: str
    kind: str
    studies: int
    measured: NDArray[np.float64]
    agreement: Agreement | None

    def summary(self) -> dict[str, Any]:
        """Return one number for all features; None where there is none."""
        subjects, times, features = self.measured.shape
        found = self.agreement
        return {
            "group": self.group,
            "perturbation": self.kind,
            "subjects": subjects,
            "studies": self.studies,
            "measurements": times,
            "features": features,
            "features_constant": int((np.ptp(self.measured, axis=(0, 1)) == 0).sum()),
            "median_relative_l2": self._median_relative_l2(),
            "median_icc": _median(found.icc) if found else None,
            "share_icc_lower_above_0.75": _share(found.lower, GOOD) if found else None,
            "share_icc_lower_above_0.9": _share(found.lower, EXCELLENT) if found else None,
            "median_ccc": _median(found.ccc) if found else None,
            "median_sd_ratio": _median(found.sd_ratio) if found else None,
            "median_within_sd": float(np.median(within_sd(self.measured))),
        }

    def features(self, names: Sequence[str]) -> list[dict[str, Any]]:
        """Return the numbers of each feature; None where one is not defined."""
        found = self.agreement
        columns = {
            "icc": found.icc if found else None,
            "icc_lower": found.lower if found else None,
            "icc_upper": found.upper if found else None,
            "ccc": found.ccc if found else None,
            "within_sd": within_sd(self.measured),
            "between_sd": found.between_sd if found else None,
            "sd_ratio": found.sd_ratio if found else None,
        }
        return [
            {"group": self.group, "perturbation": self.kind, "feature": name}
            | {each: _defined(values, number) for each, values in columns.items()}
            for number, name in enumerate(names)
        ]

    def _median_relative_l2(self) -> float:
        """Return how far the vector of features moves from the first measurement, relatively."""
        return float(
            np.median([relative_l2(one[0], other)[0] for one in self.measured for other in one[1:]])
        )


def lines_of(measured: Sequence[Measured]) -> list[Line]:
    """Return a line for each group and kind of perturbation, in the order of the plan."""
    keys = dict.fromkeys((one.subject.group, kind) for one in measured for kind in one.perturbed)
    lines = []
    for group, kind in sorted(keys, key=lambda key: key[0]):
        some = [one for one in measured if one.subject.group == group and kind in one.perturbed]
        values = [[one.unperturbed, *one.perturbed[kind]] for one in some]
        studies = len({one.subject.label["study_uid"] for one in some})
        lines.append(_line(group, kind, values, studies=studies))
    return lines


def retest_lines(pairs: Iterable[tuple[Sequence[Measured], Sequence[Measured]]]) -> list[Line]:
    """Return a line for each group in pairs of studies: of the rows that both have, once each."""
    values: dict[str, list[list[NDArray[np.float32]]]] = {}
    studies: Counter[str] = Counter()
    for first, second in pairs:
        retests = _unique(second)
        found = {key: (one, retests[key]) for key, one in _unique(first).items() if key in retests}
        for one, other in found.values():
            both = [one.unperturbed, other.unperturbed]
            values.setdefault(one.subject.group, []).append(both)
        studies.update({one.subject.group for one, _ in found.values()})
    return [
        _line(group, RETEST, some, studies=studies[group]) for group, some in sorted(values.items())
    ]


def _line(group: str, kind: str, values: list[list[NDArray[np.float32]]], *, studies: int) -> Line:
    measured = np.array(values, np.float64)
    return Line(group, kind, studies, measured, agreement(measured) if studies > 1 else None)


def _unique(measured: Sequence[Measured]) -> dict[tuple[Any, ...], Measured]:
    """Return the rows by what they have in common with their retest, without ambiguous ones."""
    times = Counter(one.subject.paired_by for one in measured)
    return {one.subject.paired_by: one for one in measured if times[one.subject.paired_by] == 1}


def _median(values: NDArray[np.float64]) -> float | None:
    defined = values[~np.isnan(values)]
    return float(np.median(defined)) if len(defined) else None


def _share(values: NDArray[np.float64], limit: float) -> float | None:
    """Return the share of the features for which a value is defined that is above a limit."""
    defined = values[~np.isnan(values)]
    return float(np.mean(defined > limit)) if len(defined) else None


def _defined(values: NDArray[np.float64] | None, number: int) -> float | None:
    return None if values is None or np.isnan(values[number]) else float(values[number])
