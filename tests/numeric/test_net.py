"""Elastic nets meet their optimality conditions, and are scikit-learn's."""

import numpy as np
import pytest

from piste.numeric.net import Problems, elastic_nets

ALPHAS = np.repeat(np.logspace(-4, 1, 8), 3)[:, None]
RATIOS = np.tile([0.1, 0.6, 1.0], 8)[:, None]


def problems_of(X, y, *, apart=False):
    gram, cross = X.T @ X / len(X), np.tile(X.T @ y / len(X), (len(ALPHAS), 1))
    return Problems.of(np.tile(gram, (len(ALPHAS), 1, 1)) if apart else gram, cross, ALPHAS * RATIOS, ALPHAS * (1 - RATIOS))


def rows(seed, n=40, d=12, *, twins=False):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, d)) @ (np.eye(d) + 0.3 * rng.normal(size=(d, d)))
    if twins:
        X[:, 1], X[:, 2], X[:, 3] = X[:, 0], 0.0, X[:, 0] + 1e-3 * X[:, 3]
    X -= X.mean(axis=0)
    y = X @ rng.normal(size=d) + rng.normal(size=n)
    return X / np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0), (y - y.mean()) / y.std()


SHAPES = [(40, 12, False), (40, 12, True), (8, 20, False), (8, 20, True), (200, 30, False), (5, 1, False)]


@pytest.mark.parametrize(("n", "d", "twins"), SHAPES)
@pytest.mark.parametrize("apart", [False, True])
def test_no_column_could_lower_the_loss(n, d, twins, apart):
    """The slope along a column that is in is the l1 penalty, along another one at most that."""
    for seed in range(10):
        X, y = rows(seed, n, d, twins=twins)
        coef, solved = elastic_nets(problems_of(X, y, apart=apart))
        assert solved.all()
        slope = (y - coef @ X.T) @ X / n - ALPHAS * (1 - RATIOS) * coef
        bound = ALPHAS * RATIOS
        np.testing.assert_allclose(np.where(coef != 0, slope - bound * np.sign(coef), 0.0), 0.0, atol=1e-10)
        assert (np.abs(slope) <= bound + 1e-10).all()


@pytest.mark.parametrize(("n", "d", "twins"), SHAPES)
def test_what_is_predicted_is_what_scikit_learn_predicts_once_converged(n, d, twins):
    from sklearn.linear_model import ElasticNet

    X, y = rows(0, n, d, twins=twins)
    coef, _ = elastic_nets(problems_of(X, y))
    for number in range(6, len(ALPHAS), 5):  # weaker ones take coordinate descent too long
        plain = ElasticNet(alpha=ALPHAS[number, 0], l1_ratio=RATIOS[number, 0], fit_intercept=False, tol=1e-14, max_iter=10**6)
        np.testing.assert_allclose(X @ coef[number], plain.fit(X, y).predict(X), atol=1e-8)


def test_twins_share_a_coefficient_where_squares_are_penalised():
    X, y = rows(3)
    coef, _ = elastic_nets(problems_of(np.column_stack([X, X[:, 0]]), y))
    mixed = RATIOS[:, 0] < 1
    np.testing.assert_allclose(coef[mixed, -1], coef[mixed, 0], atol=1e-8)


def test_a_target_that_no_column_follows_gets_no_coefficients():
    X, _ = rows(4)
    coef, solved = elastic_nets(problems_of(X, np.zeros(len(X))))
    assert solved.all()
    assert not coef.any()


def test_problems_are_solved_alone_as_in_company():
    X, y = rows(5)
    whole = problems_of(X, y)
    together, _ = elastic_nets(whole)
    for number in range(len(ALPHAS)):
        alone, _ = elastic_nets(whole.take(np.arange(len(ALPHAS)) == number))
        np.testing.assert_allclose(alone[0], together[number], atol=1e-12)


def test_what_is_not_solved_in_time_is_told(monkeypatch):
    monkeypatch.setattr("piste.numeric.net.STEPS_PER_COLUMN", 0)
    X, y = rows(6)
    assert not elastic_nets(problems_of(X, y))[1].any()
