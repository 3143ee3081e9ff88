"""The small logistic regression finds known coefficients, and the AUC is counted by hand."""

import numpy as np
import pytest

from tools.logistic import auc, fit


def test_without_a_penalty_a_binary_column_has_the_log_odds_ratio():
    # 30 of 40 are positive where the column is 1, 10 of 50 where it is 0: the odds are 3 and 1/4.
    column = np.repeat([1, 1, 0, 0], [30, 10, 10, 40])
    labels = np.repeat([1, 0, 1, 0], [30, 10, 10, 40])

    model = fit(column[:, None], labels, penalty=0.0)

    assert model.weights[0] / model.scale[0] == pytest.approx(np.log(12), rel=1e-3)
    assert model.scores(np.array([[1.0], [0.0]])) == pytest.approx([0.75, 0.2], abs=1e-4)


def test_a_penalty_pulls_weights_to_zero_and_leaves_the_bias():
    random = np.random.default_rng(5)
    rows = random.normal(size=(60, 3))
    labels = (np.arange(60) < 15).astype(int)

    model = fit(rows, labels, penalty=1e9)

    assert np.abs(model.weights).max() < 1e-6
    assert model.scores(rows) == pytest.approx(np.full(60, 0.25), abs=1e-4)


def test_a_column_that_is_the_same_everywhere_changes_nothing():
    rows = np.random.default_rng(6).normal(size=(40, 2))
    labels = (rows[:, 0] + 0.3 * rows[:, 1] > 0).astype(int)
    wider = np.column_stack([rows, np.full(40, 7.0)])

    expected = fit(rows, labels).scores(rows)

    np.testing.assert_allclose(fit(wider, labels).scores(wider), expected, atol=1e-6)


def test_the_auc_counts_pairs_and_ties_by_half():
    # Of 3 × 2 pairs the positive is above in 4, and as high in 1.
    scores, labels = np.array([0.9, 0.5, 0.4, 0.5, 0.1]), np.array([1, 1, 1, 0, 0])

    assert auc(scores, labels) == pytest.approx(4.5 / 6)


def test_an_auc_of_one_class_is_refused():
    with pytest.raises(ValueError, match="needs rows of both classes"):
        auc(np.array([0.2, 0.4]), np.array([1, 1]))
