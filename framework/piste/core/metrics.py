"""Losses of single rows, which choose; and the usual metrics, which are shown beside them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from piste.core.problem import TargetKind

Functional = Literal["mean", "median", "probabilities"]


@dataclass(frozen=True, slots=True)
class Metric:
    """What ranks candidates: the mean of a loss over rows.

    Args:
        name: the word in `metric:`.
        cost_name: what the mean loss is called once `shown`.
        functional: the summary of a predictive distribution that this loss asks for (Gneiting 2011).
        loss: (y, prediction) -> (n_rows,) loss of each row; lower is better.
        shown: mean loss -> the number people read; increasing.
        kinds: of target that it can judge.
    """

    name: str
    cost_name: str
    functional: Functional
    loss: Callable[[np.ndarray, np.ndarray], np.ndarray]
    kinds: frozenset[TargetKind]
    shown: Callable[[np.ndarray], np.ndarray] = lambda mean: mean


def squared(y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Return the squared error of each row."""
    return np.asarray((y - prediction) ** 2)


def absolute(y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Return the absolute error of each row."""
    return np.asarray(np.abs(y - prediction))


def poisson(y: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Return the Poisson deviance of each row; predictions at or below 0 count as 1e-9.

    >>> poisson(np.array([0.0, 2.0]), np.array([1.0, 2.0]))
    array([2., 0.])
    """
    mean = np.maximum(prediction, 1e-9)
    ratio = np.where(y > 0, y, 1.0) / mean
    return np.asarray(2 * (np.where(y > 0, y * np.log(ratio), 0.0) - y + mean))


def log_loss(y: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return minus the log of the probability given to the class that came; at most 36 (2^-52)."""
    given = probabilities[np.arange(len(y)), y]
    return np.asarray(-np.log(np.clip(given, np.finfo(float).eps, 1.0)))


def brier(y: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return the Brier loss of each row: between 0 and 1 for two classes, up to 2 for more, as scikit-learn scales it."""
    came = np.eye(probabilities.shape[1])[y]
    total = ((probabilities - came) ** 2).sum(axis=1)
    return np.asarray(total / 2 if probabilities.shape[1] == 2 else total)


def zero_one(y: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    """Return 1 where the likeliest class did not come."""
    return np.asarray((probabilities.argmax(axis=1) != y).astype(float))


NUMBERS: frozenset[TargetKind] = frozenset({"numeric", "count"})
CLASSES: frozenset[TargetKind] = frozenset({"binary", "category", "ordered"})

METRICS = {
    metric.name: metric
    for metric in (
        Metric("rmse", "rmse", "mean", squared, NUMBERS, np.sqrt),
        Metric("mse", "mse", "mean", squared, NUMBERS),
        Metric("mae", "mae", "median", absolute, NUMBERS),
        Metric("poisson_deviance", "poisson_deviance", "mean", poisson, frozenset({"count"})),
        Metric("log_loss", "log_loss", "probabilities", log_loss, CLASSES),
        Metric("brier", "brier", "probabilities", brier, CLASSES),
        Metric("accuracy", "error_rate", "probabilities", zero_one, CLASSES),
    )
}


def usual(kind: TargetKind, y: np.ndarray, prediction: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Compute the metrics that people know, by scikit-learn's names; those that are undefined here are left out.

    Args:
        kind: of the target.
        y: (n_rows,) values; codes of classes or levels beside probabilities.
        prediction: (n_rows,) values, or (n_rows, n_classes) probabilities.
        weight: (n_rows,) row weights.
    """
    return _of_numbers(kind, y, prediction, weight) if prediction.ndim == 1 else _of_classes(y, prediction, weight)


def _mean(losses: np.ndarray, weight: np.ndarray) -> float:
    return float(np.average(losses, weights=weight))


def _of_numbers(kind: TargetKind, y: np.ndarray, prediction: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    squares = _mean(squared(y, prediction), weight)
    spread = _mean(squared(y, np.asarray(_mean(y, weight))), weight)
    found = {"rmse": squares**0.5, "mae": _mean(absolute(y, prediction), weight)}
    if spread > 0:
        found["r2"] = 1 - squares / spread
    if kind == "count" and (prediction > 0).all():
        found["poisson_deviance"] = _mean(poisson(y, prediction), weight)
    return found


def _of_classes(y: np.ndarray, probabilities: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    from sklearn import metrics

    label = probabilities.argmax(axis=1)
    n_classes = probabilities.shape[1]
    found = {
        "log_loss": _mean(log_loss(y, probabilities), weight),
        "brier": _mean(brier(y, probabilities), weight),
        "accuracy": 1 - _mean(zero_one(y, probabilities), weight),
    }
    present = np.unique(y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # classes that were predicted but never came
        found["balanced_accuracy"] = float(metrics.balanced_accuracy_score(y, label, sample_weight=weight))
        if n_classes == 2:
            found["f1"] = float(metrics.f1_score(y, label, sample_weight=weight, zero_division=0))
        else:
            found["f1_macro"] = float(metrics.f1_score(y, label, sample_weight=weight, average="macro", zero_division=0))
        if n_classes == 2 and len(present) == 2:
            found["roc_auc"] = float(metrics.roc_auc_score(y, probabilities[:, 1], sample_weight=weight))
            found["average_precision"] = float(metrics.average_precision_score(y, probabilities[:, 1], sample_weight=weight))
        elif len(present) == n_classes:
            normed = probabilities / probabilities.sum(axis=1, keepdims=True)
            areas = metrics.roc_auc_score(y, normed, multi_class="ovr", sample_weight=weight)
            found["roc_auc_ovr"] = float(areas)
    return found
