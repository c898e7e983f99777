"""Scores of pairs become honest class probabilities."""

from __future__ import annotations

import numpy as np
import pytest

from piste.numeric.pairwise import Pairwise, couple, pairs, platt


def test_platt_is_a_logistic_regression_on_drawn_in_targets():
    from scipy.optimize import minimize

    rng = np.random.default_rng(0)
    scores = rng.normal(size=200)
    positive = rng.uniform(size=200) < 1 / (1 + np.exp(-2 * scores + 1))
    weight = rng.uniform(0.5, 2, 200)
    n_positive, n_negative = weight[positive].sum(), weight[~positive].sum()
    target = np.where(positive, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))

    def loss(found):
        logit = found[0] * scores + found[1]
        return weight @ (np.logaddexp(0, logit) - target * logit)

    np.testing.assert_allclose(platt(scores, positive, weight), minimize(loss, [0, 0], tol=1e-12).x, atol=1e-4)


def test_perfect_scores_do_not_make_certainties():
    scores = np.repeat([-1.0, 1.0], 20)
    slope, offset = platt(scores, scores > 0, np.ones(40))
    assert 0.9 < 1 / (1 + np.exp(-(slope + offset))) < 0.99


def test_scores_that_order_rows_backwards_say_only_how_frequent_the_classes_are():
    scores = np.arange(40.0)
    slope, offset = platt(scores, scores < 10, np.ones(40))
    assert slope == 0
    assert 1 / (1 + np.exp(-offset)) == pytest.approx(11 / 42)


def test_a_pair_without_rows_takes_the_margin_as_log_odds():
    assert platt(np.empty(0), np.empty(0, dtype=bool), np.empty(0)) == (1.0, 0.0)


def test_coupling_finds_the_probabilities_that_the_pairs_come_from():
    shares = np.random.default_rng(0).dirichlet(np.ones(4), size=50)
    wins = shares[:, :, None] / (shares[:, :, None] + shares[:, None, :])
    np.testing.assert_allclose(couple(wins), shares, atol=1e-9)


def test_coupling_minimises_what_the_paper_says():
    from scipy.optimize import minimize

    rng = np.random.default_rng(1)
    wins = np.full((1, 3, 3), 0.5)
    for i, j in pairs(3):
        wins[0, i, j] = rng.uniform(0.2, 0.8)
        wins[0, j, i] = 1 - wins[0, i, j]

    def objective(free):
        p = np.append(free, 1 - free.sum())
        return sum((wins[0, j, i] * p[i] - wins[0, i, j] * p[j]) ** 2 for i in range(3) for j in range(3) if i != j)

    np.testing.assert_allclose(couple(wins)[0, :2], minimize(objective, [0.3, 0.3], tol=1e-14).x, atol=1e-5)


def test_probabilities_sum_to_one_and_have_no_zero_of_two_classes():
    scores = np.random.default_rng(0).normal(size=(30, 3)) * 100
    calibration = Pairwise.learn(scores, np.arange(30) % 3, np.ones(30), 3)
    np.testing.assert_allclose(calibration.probabilities(scores).sum(axis=1), 1)
    two = Pairwise(2, np.array([1.0]), np.array([0.0])).probabilities(np.array([[1e6], [-1e6]]))
    assert (two > 0).all()


def test_rows_without_a_score_are_not_calibrated_on():
    rng = np.random.default_rng(0)
    scores, code = rng.normal(size=(60, 1)), rng.integers(0, 2, 60)
    half = np.where(np.arange(60)[:, None] < 30, scores, np.nan)
    some = Pairwise.learn(scores[:30], code[:30], np.ones(30), 2)
    np.testing.assert_array_equal(Pairwise.learn(half, code, np.ones(60), 2).slope, some.slope)
