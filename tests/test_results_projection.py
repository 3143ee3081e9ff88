"""Principal components, against numpy's decomposition of the same matrix."""

import numpy as np
import pytest

from gateway.results.projection import projection


def by_decomposition(rows):
    """Scores and shares of variance from the singular values of z-scored features."""
    standard = (rows - rows.mean(axis=0)) / rows.std(axis=0, ddof=1)
    _, values, vectors = np.linalg.svd(standard, full_matrices=False)
    return standard @ vectors[:3].T, values[:3] ** 2 / (values**2).sum(), vectors[:3]


@pytest.mark.parametrize("shape", [(60, 8), (7, 40), (20, 20)])
def test_scores_and_variance_are_those_of_a_decomposition(shape):
    mixing = np.random.default_rng(2).normal(size=(shape[1], shape[1]))
    rows = np.random.default_rng(1).normal(size=shape) @ mixing + 7

    found = projection(rows)

    scores, explained, _ = by_decomposition(rows)
    np.testing.assert_allclose(np.abs(found.scores), np.abs(scores), rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.explained, explained, rtol=1e-9)
    assert found.constant == 0


@pytest.mark.parametrize("shape", [(60, 8), (7, 40)])
def test_the_largest_weight_of_a_component_is_positive(shape):
    rows = np.random.default_rng(3).normal(size=shape)

    scores = projection(rows).scores

    expected, _, vectors = by_decomposition(rows)
    for n, vector in enumerate(vectors):
        sign = np.sign(vector[np.abs(vector).argmax()])
        np.testing.assert_allclose(scores[:, n], sign * expected[:, n], rtol=1e-6, atol=1e-9)


def test_a_feature_of_large_values_does_not_stand_for_all():
    rows = np.random.default_rng(4).normal(size=(50, 5))

    scaled = projection(rows * [1, 1, 1e6, 1, 1e-6])

    np.testing.assert_allclose(scaled.scores, projection(rows).scores, atol=1e-8)


def test_features_that_do_not_vary_are_left_out_and_counted():
    rows = np.random.default_rng(5).normal(size=(30, 4))
    with_constants = np.insert(rows, [0, 2], 0.1, axis=1)

    found = projection(with_constants)

    assert found.constant == 2
    np.testing.assert_allclose(found.scores, projection(rows).scores)


@pytest.mark.parametrize(
    "rows",
    [np.zeros((0, 0)), np.zeros((1, 5)), np.ones((3, 2)), np.zeros((2, 0))],
    ids=["nothing", "one row", "all the same", "no features"],
)
def test_rows_that_do_not_vary_lie_at_one_point(rows):
    found = projection(rows)

    assert found.scores.shape == (len(rows), 3)
    assert not found.scores.any()
    assert found.explained == [0, 0, 0]


@pytest.mark.parametrize("size", [3e38, 1e-44])
def test_the_ends_of_float32_are_projected(size):
    found = projection(np.float64([[size, 1], [-size, 2], [0, 0]]))

    assert np.isfinite(found.scores).all()
    assert sum(found.explained) == pytest.approx(1)


def test_two_rows_have_one_component():
    found = projection(np.array([[1.0, 2.0, 3.0], [2.0, 2.5, 1.0]]))

    np.testing.assert_allclose(found.explained, [1, 0, 0])
    assert not found.scores[:, 1:].any()
