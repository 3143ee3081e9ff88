"""Logistic regression with a penalty, and the area under an ROC curve: for small evidence.

Not a library of statistics: two classes, a few hundred rows, all columns standardised.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import rankdata

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Logistic:
    """A fitted model: columns are standardised by `mean` and `scale` first."""

    mean: Floats
    scale: Floats
    weights: Floats
    bias: float

    def scores(self, rows: NDArray[np.floating[Any]]) -> Floats:
        """Return the probability of the positive class for each row of [rows, columns]."""
        standard = (np.asarray(rows, np.float64) - self.mean) / self.scale
        scores: Floats = expit(standard @ self.weights + self.bias)
        return scores


def fit(
    rows: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]], *, penalty: float = 1.0
) -> Logistic:
    """Return the model that fits labels (0 or 1) to rows, [rows, columns].

    Minimises the sum of the log losses and penalty/2 times the squared weights, the bias left free.
    Columns that are the same everywhere have no weight.
    """
    columns = np.asarray(rows, np.float64)
    mean, spread = columns.mean(axis=0), columns.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    standard = (columns - mean) / scale
    signs = np.where(labels > 0, 1.0, -1.0)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        weights, bias = parameters[:-1], parameters[-1]
        margins = signs * (standard @ weights + bias)
        slopes = -signs * expit(-margins)
        value = np.logaddexp(0, -margins).sum() + penalty / 2 * (weights @ weights)
        gradient = np.append(standard.T @ slopes + penalty * weights, slopes.sum())
        return float(value), gradient

    start = np.zeros(columns.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 1000}).x
    return Logistic(mean, scale, found[:-1], float(found[-1]))


def auc(scores: NDArray[np.floating[Any]], labels: NDArray[np.integer[Any]]) -> float:
    """Return the area under the ROC curve: how often a positive scores above a negative.

    Ties count half (Mann and Whitney, 1947). Needs rows of both classes.
    """
    positive = np.asarray(labels) > 0
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not (positives and negatives):
        raise ValueError("an ROC curve needs rows of both classes; there is one")
    ranks = rankdata(scores)
    above = float(ranks[positive].sum()) - positives * (positives + 1) / 2
    return above / (positives * negatives)
