"""Levels in an order, put together from one yes or no a level."""

from __future__ import annotations

import itertools

import numpy as np

from piste.core.framing import Others
from piste.framings.ordered import FRAMING, LEAST, probabilities


def slow(row: np.ndarray) -> list[float]:
    """Do what Frank and Hall say, each level reached no likelier than the one before."""
    falling = [1.0]
    for p in row:
        falling.append(min(float(p), falling[-1]))
    each = [max(a - b, LEAST) for a, b in itertools.pairwise([*falling, 0.0])]
    return [p / sum(each) for p in each]


def test_probabilities_are_those_of_a_loop_by_hand():
    reached = np.random.default_rng(0).random((200, 4))  # in no order at all
    np.testing.assert_allclose(probabilities(reached), [slow(row) for row in reached], rtol=1e-12)


def test_answers_that_keep_the_order_are_taken_as_they_are():
    np.testing.assert_allclose(probabilities(np.array([[0.7, 0.2]])), [[0.3, 0.5, 0.2]], atol=1e-5)


def test_no_level_is_held_to_be_impossible():
    found = probabilities(np.array([[1.0, 1.0], [0.0, 0.0], [0.5, 0.5]]))
    assert (found > 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert np.isfinite(FRAMING.score(np.array([0, 2, 1]), np.array([[1.0, 1.0], [0.0, 0.0], [0.5, 0.5]]))).all()


def test_answers_that_are_too_sure_are_believed_less():
    rng = np.random.default_rng(0)
    x = rng.normal(size=4000)
    y = np.digitize(x + rng.normal(0, 1, 4000), [-0.7, 0.7])
    sure = 1 / (1 + np.exp(-8 * (x[:, None] - [-0.7, 0.7])))
    state = FRAMING.learn("min_expected_cost", Others(sure[:2000], y[:2000], y[:2000].astype(float), np.ones(2000), counts=False))
    found = FRAMING.spread("min_expected_cost", sure[2000:], state, None).probabilities
    came = y[2000:]
    plain = probabilities(sure[2000:])
    rows = np.arange(2000)
    assert -np.log(found[rows, came]).mean() < -np.log(plain[rows, came]).mean() - 0.3
