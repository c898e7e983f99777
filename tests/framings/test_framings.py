"""Every framing keeps these promises; a new one joins by being there."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from sklearn import metrics

from piste.core.decision import probabilities
from piste.core.framing import Framing, Others, Rule
from piste.framings import framings

N, NEW = 400, 150
RNG = np.random.default_rng(0)
EXPECTED = RNG.gamma(3.0, 3.0, N + NEW)
Y = RNG.poisson(EXPECTED * RNG.gamma(4, 1 / 4, N + NEW)).astype(float)
CUTS = np.array([4.0, 10.0])
LEVEL = np.digitize(Y, CUTS)
THRESHOLDS = np.tile(CUTS, (NEW, 1))


def numbers() -> np.ndarray:
    return EXPECTED * 1.1


def ten_quantiles() -> np.ndarray:
    return EXPECTED[:, None] * np.linspace(0.6, 1.4, 10)  # too narrow


def shares() -> np.ndarray:
    near = np.exp(-np.abs(EXPECTED[:, None] - [2.0, 7.0, 15.0]))  # too sure
    return near / near.sum(axis=1, keepdims=True)


def reached() -> np.ndarray:
    return 1 / (1 + np.exp(CUTS - EXPECTED[:, None]))


PREDICTIONS: dict[str, Callable[[], np.ndarray]] = {
    "mean": numbers,
    "distribution": numbers,
    "quantiles": ten_quantiles,
    "classes": shares,
    "ordered": reached,
}
RULES: dict[str, tuple[Rule, ...]] = {
    "mean": ("plug_in", "dressed"),
    "distribution": ("min_expected_cost",),
    "quantiles": ("min_expected_cost",),
    "classes": ("plug_in", "min_expected_cost"),
    "ordered": ("min_expected_cost",),
}
ASKED = [(name, rule) for name in framings() for rule in RULES[name]]


def others(framing: Framing, rows: slice = slice(0, N), *, weight: np.ndarray | None = None, counts: bool = True) -> Others:
    """Return out-of-sample predictions of other rows, and what came there."""
    raw = PREDICTIONS[framing.name]()[rows]
    y = LEVEL if framing.kind == "classes" else Y
    return Others(raw, y[rows], Y[rows], np.ones(len(raw)) if weight is None else weight, counts)


def new(framing: Framing) -> np.ndarray:
    """Return predictions of rows that nothing was learnt from."""
    return PREDICTIONS[framing.name]()[N:]


@pytest.mark.parametrize(("name", "rule"), ASKED)
def test_what_was_learnt_is_plain_values_and_means_the_same_once_read_back(name, rule):
    framing = framings()[name]
    state = framing.learn(rule, others(framing))
    again = json.loads(json.dumps(dict(state)))
    before, after = (framing.spread(rule, new(framing), each, THRESHOLDS) for each in (state, again))
    np.testing.assert_array_equal(probabilities(before, THRESHOLDS), probabilities(after, THRESHOLDS))


@pytest.mark.parametrize(("name", "rule"), ASKED)
def test_with_nothing_to_learn_from_there_is_a_distribution_all_the_same(name, rule):
    framing = framings()[name]
    state = framing.learn(rule, others(framing, slice(0, 0)))
    found = probabilities(framing.spread(rule, new(framing), state, THRESHOLDS), THRESHOLDS)
    assert found.shape == (NEW, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)


@pytest.mark.parametrize(("name", "rule"), ASKED)
def test_the_levels_of_what_is_believed_sum_to_1(name, rule):
    framing = framings()[name]
    predictive = framing.spread(rule, new(framing), framing.learn(rule, others(framing)), THRESHOLDS)
    found = probabilities(predictive, THRESHOLDS)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert (found >= 0).all()


@pytest.mark.parametrize(("name", "rule"), [each for each in ASKED if each[1] != "plug_in"])
def test_levels_come_about_as_often_as_they_are_believed_in(name, rule):
    framing = framings()[name]
    found = probabilities(framing.spread(rule, new(framing), framing.learn(rule, others(framing)), THRESHOLDS), THRESHOLDS)
    came = np.bincount(LEVEL[N:], minlength=3) / NEW
    np.testing.assert_allclose(found.mean(axis=0), came, atol=4 * np.sqrt(0.25 / NEW))


@pytest.mark.parametrize(("name", "rule"), ASKED)
def test_a_row_of_weight_2_teaches_as_two_rows(name, rule):
    framing = framings()[name]
    weight = np.ones(N)
    weight[::5] = 2.0
    told = others(framing, weight=weight)
    twice = np.concatenate([np.arange(N), np.arange(0, N, 5)])
    told_twice = Others(told.predictions[twice], told.y[twice], told.value[twice], np.ones(len(twice)), counts=True)
    one, other = (
        probabilities(framing.spread(rule, new(framing), framing.learn(rule, each), THRESHOLDS), THRESHOLDS) for each in (told, told_twice)
    )
    np.testing.assert_allclose(one, other, atol=0.02)


@pytest.mark.parametrize(("name", "rule"), ASKED)
def test_nothing_that_it_is_given_is_written_into(name, rule):
    framing = framings()[name]
    told, raw = others(framing), new(framing)
    before = [each.copy() for each in (told.predictions, told.y, told.value, told.weight, raw)]
    framing.spread(rule, raw, framing.learn(rule, told), THRESHOLDS)
    for now, then in zip((told.predictions, told.y, told.value, told.weight, raw), before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("mean", lambda y, raw: metrics.mean_squared_error(y, raw)),
        ("distribution", lambda y, raw: metrics.mean_poisson_deviance(y, raw)),
        (
            "quantiles",
            lambda y, raw: np.mean(
                [metrics.mean_pinball_loss(y, each, alpha=level) for each, level in zip(raw.T, np.arange(5, 100, 10) / 100, strict=True)]
            ),
        ),
        ("classes", lambda y, raw: metrics.log_loss(y, raw, labels=range(3))),
        (
            "ordered",
            lambda y, raw: metrics.log_loss(y, np.column_stack([1 - raw[:, 0], raw[:, 0] - raw[:, 1], raw[:, 1]]), labels=range(3)),
        ),
    ],
)
def test_its_own_score_is_the_librarys(name, theirs):
    framing = framings()[name]
    y = LEVEL if framing.kind == "classes" else Y
    raw = PREDICTIONS[name]()
    assert framing.score(y, raw).shape == (N + NEW,)
    assert framing.score(y, raw).mean() == pytest.approx(theirs(y, raw), rel=1e-3)


@pytest.mark.parametrize("name", framings())
def test_what_is_shown_of_predictions_is_a_number_or_the_probability_of_each_level(name):
    framing = framings()[name]
    plain = framing.plain(PREDICTIONS[name]())
    if framing.kind == "classes":
        assert plain.shape == (N + NEW, 3)
        np.testing.assert_allclose(plain.sum(axis=1), 1.0)
    else:
        assert plain.shape == (N + NEW,)
