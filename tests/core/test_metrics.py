"""Losses of rows, and the usual metrics, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics

from piste.core.metrics import METRICS, usual

RNG = np.random.default_rng(0)
Y = RNG.poisson(5, 300).astype(float)
PREDICTION = np.maximum(Y + RNG.normal(size=300), 0.1)
WEIGHT = RNG.gamma(2, size=300)
CODES = {2: RNG.integers(0, 2, 300), 4: RNG.integers(0, 4, 300)}
SHARES = {k: RNG.dirichlet(np.ones(k), 300) for k in (2, 4)}


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("rmse", metrics.root_mean_squared_error),
        ("mse", metrics.mean_squared_error),
        ("mae", metrics.mean_absolute_error),
        ("poisson_deviance", metrics.mean_poisson_deviance),
    ],
)
def test_the_mean_loss_of_a_number_is_scikit_learns(name, theirs):
    metric = METRICS[name]
    mean = np.average(metric.loss(Y, PREDICTION), weights=WEIGHT)
    assert metric.shown(mean) == pytest.approx(theirs(Y, PREDICTION, sample_weight=WEIGHT))


@pytest.mark.parametrize("k", [2, 4])
@pytest.mark.parametrize("name", ["log_loss", "brier", "accuracy"])
def test_the_mean_loss_of_a_class_is_scikit_learns(name, k):
    y, shares = CODES[k], SHARES[k]
    theirs = {
        "log_loss": metrics.log_loss(y, shares, labels=range(k), sample_weight=WEIGHT),
        "brier": metrics.brier_score_loss(y, shares[:, 1] if k == 2 else shares, labels=range(k), sample_weight=WEIGHT),
        "accuracy": 1 - metrics.accuracy_score(y, shares.argmax(axis=1), sample_weight=WEIGHT),
    }
    assert np.average(METRICS[name].loss(y, shares), weights=WEIGHT) == pytest.approx(theirs[name])


def test_a_certain_mistake_costs_much_but_not_everything():
    assert METRICS["log_loss"].loss(np.array([0]), np.array([[0.0, 1.0]]))[0] == pytest.approx(36.04, abs=0.01)


def test_the_usual_metrics_of_numbers_are_scikit_learns():
    found = usual("count", Y, PREDICTION, WEIGHT)
    assert found["r2"] == pytest.approx(metrics.r2_score(Y, PREDICTION, sample_weight=WEIGHT))
    assert found["rmse"] == pytest.approx(metrics.root_mean_squared_error(Y, PREDICTION, sample_weight=WEIGHT))
    assert set(found) == {"rmse", "mae", "r2", "poisson_deviance"}


def test_the_usual_metrics_of_two_classes_are_scikit_learns():
    found = usual("binary", CODES[2], SHARES[2], WEIGHT)
    assert found["roc_auc"] == pytest.approx(metrics.roc_auc_score(CODES[2], SHARES[2][:, 1], sample_weight=WEIGHT))
    assert found["f1"] == pytest.approx(metrics.f1_score(CODES[2], SHARES[2].argmax(axis=1), sample_weight=WEIGHT))
    assert found["average_precision"] == pytest.approx(metrics.average_precision_score(CODES[2], SHARES[2][:, 1], sample_weight=WEIGHT))


def test_the_usual_metrics_of_more_classes_are_scikit_learns():
    found = usual("category", CODES[4], SHARES[4], WEIGHT)
    expected = metrics.roc_auc_score(CODES[4], SHARES[4], multi_class="ovr", sample_weight=WEIGHT)
    assert found["roc_auc_ovr"] == pytest.approx(expected)
    assert found["balanced_accuracy"] == pytest.approx(
        metrics.balanced_accuracy_score(CODES[4], SHARES[4].argmax(axis=1), sample_weight=WEIGHT)
    )


def test_a_metric_that_is_undefined_is_left_out():
    assert "r2" not in usual("numeric", np.ones(5), np.arange(5.0), np.ones(5))
    assert "roc_auc" not in usual("binary", np.zeros(5, dtype=int), np.full((5, 2), 0.5), np.ones(5))
    assert "poisson_deviance" not in usual("count", np.arange(5.0), np.zeros(5), np.ones(5))
