"""Rows of features as points that can be drawn: principal components."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

DIMENSIONS = 3

LARGEST_ROWS = 20_000
LARGEST_FEATURES = 4096


@dataclass(frozen=True)
class Projection:
    """Rows along their first components.

    scores: float64 [rows, 3]; zeros where there are fewer components.
    explained: the share of the variance of all features along each.
    constant: how many features are the same in all rows, and were left out.
    """

    scores: NDArray[np.float64]
    explained: list[float]
    constant: int


def projection(rows: NDArray[np.float64]) -> Projection:
    """Return the principal components of rows, float64 [rows, features], finite.

    Each feature is centred and divided by its standard deviation first, so that one of large
    values does not stand for all. A component's sign is such that its largest weight is positive.
    """
    spread = rows.std(axis=0, ddof=1) if len(rows) > 1 else np.zeros(rows.shape[1])
    varies = spread > np.abs(rows).max(axis=0, initial=0.0) * np.finfo(np.float32).eps
    scores, explained = np.zeros((len(rows), DIMENSIONS)), [0.0] * DIMENSIONS
    if varies.any():
        standard = (rows[:, varies] - rows[:, varies].mean(axis=0)) / spread[varies]
        weights, shares = _components(standard)
        scores[:, : len(shares)] = standard @ weights
        explained[: len(shares)] = shares
    return Projection(scores, explained, int((~varies).sum()))


def _components(standard: NDArray[np.float64]) -> tuple[NDArray[np.float64], list[float]]:
    """Return weights of features, [features, components], and the share of variance of each.

    From the smaller one of the products of the matrix with itself: both have the same components.
    """
    is_tall = standard.shape[0] >= standard.shape[1]
    product = standard.T @ standard if is_tall else standard @ standard.T
    count = min(DIMENSIONS, len(product))
    last = len(product) - 1
    squares, vectors = eigh(product, subset_by_index=[last - count + 1, last])
    squares, vectors = squares[::-1].clip(min=0), vectors[:, ::-1]
    total = float(np.trace(product))
    kept = squares > total * np.finfo(np.float64).eps * len(product)
    weights = vectors[:, kept]
    if not is_tall:
        weights = standard.T @ weights / np.sqrt(squares[kept])
    largest = np.abs(weights).argmax(axis=0)
    signs = np.sign(weights[largest, np.arange(weights.shape[1])])
    return weights * signs, [float(square) / total for square in squares[kept]]
