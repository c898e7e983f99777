"""Squared errors from moments are those of the rows themselves."""

import numpy as np
import pytest

from piste.numeric.gram import Moments, fold_moments, least_squares, ridge, wide_ridge

PENALTIES = (1e-3, 1.0, 1e3)


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 4)) + [0.0, 1.0, -300.0, 0.1]
    y = np.column_stack([X @ [1.0, 0.0, -2.0, 0.5] + rng.normal(size=60), 1e6 * rng.normal(size=60)])
    return X, y, rng.uniform(0.2, 3.0, 60)


def by_rows(X, y, weight, penalty):
    """Solve the weighted least squares with rows for the penalty, and a column of ones that has none."""
    root = np.sqrt(weight)[:, None]
    design = np.vstack([root * np.column_stack([X, np.ones(len(X))]), np.sqrt(penalty) * np.eye(X.shape[1], X.shape[1] + 1)])
    return np.linalg.lstsq(design, np.vstack([root * y, np.zeros((X.shape[1], y.shape[1]))]), rcond=None)[0]


@pytest.mark.parametrize("solve", ["moments", "rows"])
def test_a_ridge_path_is_that_of_least_squares_with_rows_for_the_penalty(rows, solve):
    X, y, weight = rows
    lines = ridge(Moments.of(X, y, weight), PENALTIES) if solve == "moments" else wide_ridge(X, y, weight, PENALTIES)
    for number, penalty in enumerate(PENALTIES):
        expected = by_rows(X, y, weight, penalty)
        np.testing.assert_allclose(lines.coef[number], expected[:-1], rtol=1e-7, atol=1e-9 * np.abs(expected[:-1]).max())
        np.testing.assert_allclose(lines(X)[number], X @ expected[:-1] + expected[-1], rtol=1e-6)


def test_a_ridge_of_more_columns_than_rows_is_scikit_learns():
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(1)
    X, y, weight = rng.normal(2.0, 1.0, size=(15, 40)), rng.normal(size=(15, 1)), rng.uniform(0.5, 2.0, 15)
    lines = wide_ridge(X, y, weight, PENALTIES)
    for number, penalty in enumerate(PENALTIES):
        plain = Ridge(alpha=penalty, solver="svd").fit(X, y[:, 0], sample_weight=weight)
        np.testing.assert_allclose(lines.coef[number, :, 0], plain.coef_, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(lines.intercept[number, 0], plain.intercept_, rtol=1e-9)


def test_least_squares_of_collinear_columns_has_the_smallest_coefficients(rows):
    X, y, weight = rows
    X = np.column_stack([X - X.mean(axis=0), X[:, 0] - X[:, 1], np.zeros(60)])
    lines = least_squares(Moments.of(X, y, weight))
    root = np.sqrt(weight)[:, None]
    centred = root * (X - np.average(X, axis=0, weights=weight))
    expected = np.linalg.pinv(centred, rcond=1e-10) @ (root * (y - np.average(y, axis=0, weights=weight)))
    np.testing.assert_allclose(lines.coef[0], expected, rtol=1e-8, atol=1e-9 * np.abs(expected).max())


@pytest.mark.parametrize(("apart", "known"), [(0.0, True), (1e-5, False), (1e-2, True)])
def test_least_squares_is_left_to_the_rows_where_moments_cannot_tell_twins_apart(apart, known):
    rng = np.random.default_rng(2)
    X = rng.normal(size=(60, 2))
    X[:, 1] = X[:, 0] + apart * X[:, 1]
    assert (least_squares(Moments.of(X, X[:, :1], np.ones(60))) is not None) == known


def same(found, expected):
    for name in ("total", "mean", "mean_y", "gram", "cross", "square"):
        scale = np.abs(getattr(expected, name)).max()
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-9, atol=1e-12 * scale, err_msg=name)


def test_moments_of_parts_make_those_of_the_whole_and_back(rows):
    X, y, weight = rows
    whole, head, tail = (Moments.of(X[part], y[part], weight[part]) for part in (slice(None), slice(45), slice(45, None)))
    same(head.plus(tail), whole)
    same(whole.without(tail), head)


def test_moments_are_weighted_sums_about_the_weighted_mean(rows):
    X, y, weight = rows
    found = Moments.of(X, y, weight)
    mean = sum(w * x for w, x in zip(weight, X, strict=True)) / sum(weight)
    mean_y = sum(w * x for w, x in zip(weight, y, strict=True)) / sum(weight)
    np.testing.assert_allclose(found.gram, sum(w * np.outer(x - mean, x - mean) for w, x in zip(weight, X, strict=True)), rtol=1e-11)
    cross = sum(w * np.outer(x - mean, b - mean_y) for w, x, b in zip(weight, X, y, strict=True))
    np.testing.assert_allclose(found.cross, cross, rtol=1e-9)


def test_columns_far_off_0_keep_their_digits():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(50, 3)), rng.normal(size=(50, 1))
    near, far = Moments.of(X, y, np.ones(50)), Moments.of(X + 2.0**20, y + 2.0**20, np.ones(50))
    np.testing.assert_allclose(far.gram, near.gram, rtol=1e-8, atol=1e-7)
    np.testing.assert_allclose(far.cross, near.cross, rtol=1e-8, atol=1e-7)


def test_moments_of_folds_are_those_of_their_training_rows(rows):
    X, y, weight = rows
    weight = np.where(np.arange(60) % 7 == 0, 0.0, weight)
    tests = [np.arange(0, 3), np.arange(3, 40), np.arange(40, 60)]
    for found, test in zip(fold_moments(X, y, weight, tests), tests, strict=True):
        train = np.setdiff1d(np.arange(60), test)
        same(found, Moments.of(X[train], y[train], weight[train]))
