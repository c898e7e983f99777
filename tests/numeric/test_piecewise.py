"""Piecewise-linear encoding keeps all that a column says, and no outlier takes it over."""

from __future__ import annotations

import numpy as np
import pytest

from piste.numeric.piecewise import FEW_VALUES, N_BINS, Piecewise, learn


@pytest.fixture
def X():
    rng = np.random.default_rng(0)
    return np.column_stack([rng.lognormal(size=500), rng.integers(0, 2, 500), rng.integers(0, 24, 500)])


def test_a_numeric_column_has_bins_at_its_quantiles(X):
    encoding = learn(X)
    of_first = encoding.column == 0
    assert of_first.sum() == N_BINS
    np.testing.assert_allclose(np.append(encoding.left[of_first], X[:, 0].max()), np.quantile(X[:, 0], np.linspace(0, 1, N_BINS + 1)))


def test_a_column_of_few_values_has_an_edge_at_each(X):
    assert len(np.unique(X[:, 2])) == 24 <= FEW_VALUES
    assert (learn(X).column == 2).sum() == 23


def test_a_two_valued_column_stays_one_column_of_about_range_one(X):
    encoding = learn(X * 7)
    assert (encoding.column == 1).sum() == 0
    assert np.ptp(encoding.apply(X * 7)[:, 1]) == pytest.approx(1, abs=0.05)


def test_the_bins_of_a_value_add_up_to_its_place_in_the_distribution(X):
    encoding = learn(X)
    first = encoding.apply(X)[:, X.shape[1] :][:, encoding.column == 0]
    place = np.interp(X[:, 0], np.quantile(X[:, 0], np.linspace(0, 1, N_BINS + 1)), np.arange(N_BINS + 1.0))
    np.testing.assert_allclose(first.sum(axis=1) + encoding.mean[encoding.column == 0].sum(), place, atol=1e-9)


def test_the_bins_are_centred_on_the_training_rows(X):
    np.testing.assert_allclose(learn(X).apply(X)[:, X.shape[1] :].mean(axis=0), 0, atol=1e-12)


def test_an_outlier_is_never_further_out_than_three(X):
    assert np.abs(learn(X).apply(X + 1e9)[:, 0]).max() <= 3


def test_a_column_that_is_mostly_one_value_is_encoded():
    X = np.concatenate([np.zeros(95), np.arange(1.0, 6.0)])[:, None]
    encoded = learn(X).apply(X)
    assert np.isfinite(encoded).all()
    assert len(np.unique(encoded, axis=0)) == 6


def test_an_encoding_kept_as_arrays_encodes_the_same(X):
    encoding = learn(X)
    np.testing.assert_array_equal(Piecewise.from_state(encoding.to_state()).apply(X), encoding.apply(X))
