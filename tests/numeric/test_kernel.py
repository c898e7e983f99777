"""Kernel sums are scikit-learn's kernels, and all landmarks together are the kernel itself."""

from __future__ import annotations

import numpy as np
import pytest

from piste.numeric.kernel import CHUNK, KernelSum, Nystroem, n_landmarks, rbf, scaled_gamma

X = np.random.default_rng(0).normal(size=(60, 4))


def test_the_kernel_is_that_of_scikit_learn():
    from sklearn.metrics.pairwise import rbf_kernel

    np.testing.assert_allclose(rbf(X, X[:7], 0.3), rbf_kernel(X, X[:7], 0.3), atol=1e-12)


def test_gamma_is_a_multiple_of_scale():
    from sklearn.svm import SVR

    assert scaled_gamma(X, 2.0) == pytest.approx(2 * SVR(gamma="scale").fit(X, X[:, 0])._gamma)


def test_with_every_row_a_landmark_the_features_are_the_kernel():
    features = Nystroem.learn(X, 0.3, 60, seed=0).features(X)
    np.testing.assert_allclose(features @ features.T, rbf(X, X, 0.3), atol=1e-6)


def test_features_are_finite_where_rows_are_alike():
    features = Nystroem.learn(np.repeat(X[:5], 20, axis=0), 0.3, 50, seed=0).features(X)
    assert features.shape[1] <= 5
    assert np.isfinite(features).all()


def test_a_function_of_features_is_a_sum_over_landmarks():
    basis = Nystroem.learn(X, 0.3, 20, seed=0)
    coef = np.random.default_rng(1).normal(size=(basis.projection.shape[1], 2))
    np.testing.assert_allclose(basis.function(coef, np.ones(2))(X), basis.features(X) @ coef + 1, atol=1e-8)


def test_many_rows_are_summed_as_few():
    function = KernelSum(X[:9], 0.3, np.ones((9, 1)), np.zeros(1))
    many = np.tile(X, (CHUNK // len(X) + 2, 1))
    np.testing.assert_allclose(function(many)[-60:], function(X))


@pytest.mark.parametrize("anchors", [None, X[:4]])
def test_a_function_kept_as_arrays_is_the_same(anchors):
    function = KernelSum(anchors, 0.3, np.arange(4.0)[:, None], np.ones(1))
    np.testing.assert_array_equal(KernelSum.from_state(function.to_state())(X), function(X))


@pytest.mark.parametrize(("n_train", "n"), [(100, 384), (4000, 500), (10**6, 1024)])
def test_an_eighth_of_the_rows_stands_for_all_within_bounds(n_train, n):
    assert n_landmarks(n_train) == n
