"""The loss of many members, told from few."""

from __future__ import annotations

import numpy as np
import pytest

from piste.numeric.votes import Votes, expected_loss

N, K = 400, 3


def told(rng: np.random.Generator, centre: np.ndarray, spread: float, members: int, *, unseen: float = 1.0) -> Votes:
    """Return the votes of members that scatter around a centre, each about a share of the rows."""
    votes = Votes.of(*centre.shape)
    for _ in range(members):
        rows = rng.random(len(centre)) < unseen
        votes.add(rows, (centre + spread * rng.normal(size=centre.shape))[rows])
    return votes


@pytest.mark.parametrize("unseen", [1.0, 0.4])
def test_squared_errors_of_few_members_are_on_average_those_of_many(unseen):
    rng = np.random.default_rng(0)
    centre = rng.normal(size=(N, K))
    y = centre + rng.normal(size=(N, K))
    weight = rng.uniform(0.5, 2.0, N)
    found = [expected_loss(told(rng, centre, 2.0, 8, unseen=unseen), y, weight, members=300) for _ in range(200)]
    many = [np.average(((told(rng, centre, 2.0, 300).total / 300 - y) ** 2).sum(axis=1), weights=weight) for _ in range(20)]
    assert np.mean(found) == pytest.approx(np.mean(many), abs=4 * np.std(found) / np.sqrt(200))
    naive = [np.average(((told(rng, centre, 2.0, 8).total / 8 - y) ** 2).sum(axis=1), weights=weight) for _ in range(20)]
    assert np.mean(naive) > 1.4 * np.mean(many)  # what is put right


def test_poisson_deviance_of_few_members_is_nearly_that_of_many():
    rng = np.random.default_rng(1)
    centre = rng.uniform(4, 8, (N, 1))
    y = rng.poisson(centre).astype(float)
    found = [expected_loss(told(rng, centre, 1.0, 8), y, np.ones(N), members=300, loss="poisson") for _ in range(200)]
    many = told(rng, centre, 1.0, 300).total / 300
    from sklearn.metrics import mean_poisson_deviance

    expected = mean_poisson_deviance(y[:, 0], many[:, 0])
    few = mean_poisson_deviance(y[:, 0], told(rng, centre, 1.0, 8).total[:, 0] / 8)
    assert abs(np.mean(found) - expected) < 0.2 * (few - expected)


def test_members_that_agree_have_the_loss_that_they_show():
    y = np.arange(6.0)[:, None]
    votes = Votes.of(6, 1)
    for _ in range(2):
        votes.add(np.ones(6, dtype=bool), y + 2)
    assert expected_loss(votes, y, np.ones(6), members=300) == pytest.approx(4.0)


def test_a_row_with_one_vote_or_of_no_weight_tells_nothing():
    y = np.zeros((3, 1))
    votes = Votes.of(3, 1)
    votes.add(np.array([True, True, True]), np.array([[1.0], [9.0], [9.0]]))
    votes.add(np.array([True, False, True]), np.array([[1.0], [9.0]]))
    assert expected_loss(votes, y, np.array([1.0, 1.0, 0.0]), members=300) == pytest.approx(1.0)


@pytest.mark.parametrize("weight", [np.ones(3), np.zeros(3)])
def test_where_nothing_is_told_the_loss_is_infinite(weight):
    votes = Votes.of(3, 1)
    if not weight.any():
        for _ in range(2):
            votes.add(np.ones(3, dtype=bool), np.ones((3, 1)))
    assert expected_loss(votes, np.zeros((3, 1)), weight, members=300) == np.inf
