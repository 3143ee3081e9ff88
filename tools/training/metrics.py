"""How well scores tell two classes apart, each number with its 95 % confidence interval.

Proportions: Wilson's score interval (1927). AUC: the interval of Newcombe, "Confidence intervals
for an effect size measure based on the Mann-Whitney statistic, part 2", 2006, method 5, which has a
width also where the AUC is 1. All take studies for independent of each other.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from tools.logistic import auc

THRESHOLD = 0.5
NORMAL_95 = 1.959964
"""The 97.5th percentile of the normal distribution."""

ROOT = 1e-9
"""How near to 0 and 1 no limit is looked for."""

Interval = tuple[float, float]


def measured(scores: NDArray[np.floating[Any]], positive: NDArray[np.bool_]) -> dict[str, Any]:
    """Return AUC, accuracy, sensitivity and specificity of scores from 0 to 1.

    Each is {"value", "low", "high"}; the last three are counted at a score of 0.5.
    """
    right = (scores >= THRESHOLD) == positive
    area = auc(scores, positive.astype(int))
    positives, negatives = int(positive.sum()), int((~positive).sum())
    low, high = auc_interval(area, positives, negatives)
    return {
        "positives": positives,
        "negatives": negatives,
        "threshold": THRESHOLD,
        "auc": _with_interval(area, low, high),
        "accuracy": _proportion(right),
        "sensitivity": _proportion(right[positive]),
        "specificity": _proportion(right[~positive]),
    }


def cross_entropy(scores: NDArray[np.floating[Any]], positive: NDArray[np.bool_]) -> float:
    """Return the mean binary cross-entropy of scores, clipped by 1e-7 as Keras clips them."""
    kept = np.clip(np.where(positive, scores, 1 - scores).astype(np.float64), 1e-7, 1 - 1e-7)
    return float(-np.log(kept).mean())


def wilson_interval(successes: int, trials: int) -> Interval:
    """Return the 95 % score interval of a proportion."""
    share, squared = successes / trials, NORMAL_95**2
    middle = share + squared / (2 * trials)
    half = NORMAL_95 * math.sqrt(share * (1 - share) / trials + squared / (4 * trials**2))
    scale = 1 + squared / trials
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def auc_interval(area: float, positives: int, negatives: int) -> Interval:
    """Return the 95 % interval of an AUC: all values from which it is less than 1.96 errors away.

    The error is that of Hanley and McNeil (1982) with both groups of the mean size.
    """
    more = (positives + negatives) / 2 - 1

    def beyond(value: float) -> float:
        growth = 1 + more * ((1 - value) / (2 - value) + value / (1 + value))
        variance = value * (1 - value) * growth / (positives * negatives)
        return (value - area) ** 2 - NORMAL_95**2 * variance

    # Of an AUC of 0 or 1 the limit that is the AUC itself solves it, too: that root is left out.
    low = float(brentq(beyond, 0.0, min(area, 1 - ROOT))) if area > 0 else 0.0
    high = float(brentq(beyond, max(area, ROOT), 1.0)) if area < 1 else 1.0
    return low, high


def _proportion(right: NDArray[np.bool_]) -> dict[str, float]:
    return _with_interval(float(right.mean()), *wilson_interval(int(right.sum()), right.size))


def _with_interval(value: float, low: float, high: float) -> dict[str, float]:
    return {"value": round(value, 4), "low": round(low, 4), "high": round(high, 4)}
