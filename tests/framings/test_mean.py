"""Predictions dressed in the errors of rows that had no part in them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import KFold, cross_val_predict

from piste.core.framing import Others
from piste.framings.mean import FLOOR, FRAMING


def dressed(y: np.ndarray, predicted: np.ndarray, value: np.ndarray, *, counts: bool = False):
    """Return predictions in the errors of others."""
    return FRAMING.spread("dressed", value, FRAMING.learn("dressed", Others(predicted, y, y, np.ones(len(y)), counts)), None)


def covered(predictive, y: np.ndarray, level: float) -> float:
    """Return the share of what came within the central interval of a level."""
    low, high = predictive.quantile((1 - level) / 2), predictive.quantile((1 + level) / 2)
    return float(((y >= low) & (y <= high)).mean())


def test_a_forest_dressed_in_the_errors_on_its_own_training_rows_would_be_far_too_sure_and_ours_is_not():
    X, y = load_diabetes(return_X_y=True)
    forest = RandomForestRegressor(100, random_state=0)
    out_of_fold, in_sample = np.empty(len(y)), np.empty(len(y))
    held: list[float] = []
    fooled: list[float] = []
    for train, test in KFold(5, shuffle=True, random_state=0).split(X):
        fitted = forest.fit(X[train], y[train])
        out_of_fold[test], in_sample[train] = fitted.predict(X[test]), fitted.predict(X[train])
        other = cross_val_predict(RandomForestRegressor(100, random_state=0), X[train], y[train], cv=5)
        held.append(covered(dressed(y[train], other, out_of_fold[test]), y[test], 0.8))
        fooled.append(covered(dressed(y[train], in_sample[train], out_of_fold[test]), y[test], 0.8))
    assert np.mean(held) == pytest.approx(0.8, abs=0.05)
    assert np.mean(fooled) < 0.5  # nominal 80 %


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
@pytest.mark.parametrize("counts", [False, True])
def test_intervals_cover_as_often_as_they_say(level, counts):
    rng = np.random.default_rng(0)
    mean = rng.uniform(5, 50, 4000)
    y = (rng.poisson(mean * rng.gamma(9, 1 / 9, 4000)) if counts else mean + rng.standard_t(4, 4000)).astype(float)
    found = dressed(y[:2000], mean[:2000], mean[2000:], counts=counts)
    assert covered(found, y[2000:], level) == pytest.approx(level, abs=0.04)


def test_errors_of_a_count_grow_with_it_and_those_of_a_number_do_not():
    y = np.array([0.0, 5.0, 9.0, 30.0])
    wide = [dressed(y, np.full(4, 9.0), np.array([9.0, 99.0]), counts=each) for each in (True, False)]
    spans = [each.quantile(0.95) - each.quantile(0.05) for each in wide]
    assert spans[0][1] == pytest.approx(10 * spans[0][0])  # (99 + 1) / (9 + 1)
    assert spans[1][1] == spans[1][0]


def test_a_count_predicted_below_nothing_is_taken_for_almost_nothing():
    rng = np.random.default_rng(0)
    mean = rng.gamma(2, 10, 500)
    y = rng.poisson(mean).astype(float)
    low, floor = dressed(y, mean, np.array([-50.0, FLOOR * y.mean()]), counts=True).quantile(0.8)
    assert low == floor
    assert low >= 0


def test_a_prediction_taken_at_its_word_has_no_spread():
    told = Others(np.zeros(5), np.arange(5.0), np.arange(5.0), np.ones(5), counts=False)
    plain = FRAMING.spread("plug_in", np.array([3.0]), FRAMING.learn("plug_in", told), None)
    assert plain.quantile(0.01)[0] == plain.quantile(0.99)[0] == 3.0
