"""Class probabilities from scores that each tell two classes apart: a sigmoid for each pair, then one coupling of all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from piste.numeric.activations import sigmoid

CHUNK = 1024  # rows whose couplings are solved at once


def pairs(n_classes: int) -> list[tuple[int, int]]:
    """Return the pairs of classes; a positive score of a pair means the second.

    >>> pairs(3)
    [(0, 1), (0, 2), (1, 2)]
    """
    return [(i, j) for i in range(n_classes) for j in range(i + 1, n_classes)]


def platt(scores: np.ndarray, positive: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """Fit P(positive) = sigmoid(slope * score + offset) to rows that the scores were not learnt from.

    The slope is never negative: scores that order held-out rows backwards have found nothing, and say nothing.

    Args:
        scores: (n_samples,)
        positive: (n_samples,) of bool
        weight: (n_samples,)

    Source: Platt, 1999, for the targets drawn in from 0 and 1; Lin, Lin and Weng, A Note on Platt's Probabilistic
    Outputs, 2007, for the Newton steps.
    """
    n_positive, n_negative = weight[positive].sum(), weight[~positive].sum()
    if n_positive + n_negative == 0:
        return 1.0, 0.0  # nothing to learn from: the margin as log odds
    target = np.where(positive, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    flat = float(np.log((n_positive + 1) / (n_negative + 1)))
    spread = float(np.std(scores))
    if not (spread > 0 and n_positive > 0 and n_negative > 0):
        return 0.0, flat
    unit = np.column_stack([scores / spread, np.ones(len(scores))])
    found = np.array([0.0, flat])
    value = _log_loss(unit @ found, target, weight)
    for _ in range(100):
        p = sigmoid(unit @ found)
        gradient = unit.T @ (weight * (p - target))
        curvature = (unit * (weight * p * (1 - p))[:, None]).T @ unit + 1e-12 * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        if gradient @ step < 1e-10:
            break
        size = 1.0
        while (new := _log_loss(unit @ (found - size * step), target, weight)) > value - 1e-4 * size * (gradient @ step) and size > 1e-10:
            size /= 2
        found, value = found - size * step, new
    return (float(found[0] / spread), float(found[1])) if found[0] > 0 else (0.0, flat)


def _log_loss(logit: np.ndarray, target: np.ndarray, weight: np.ndarray) -> float:
    return float(weight @ (np.logaddexp(0.0, logit) - target * logit))


def couple(first_wins: np.ndarray) -> np.ndarray:
    """Return the class probabilities that agree best with those of the pairs.

    Args:
        first_wins: (n_samples, n_classes, n_classes): at [:, i, j] the probability of i where it is i or j.

    Source: Wu, Lin and Weng, Probability Estimates for Multi-class Classification by Pairwise Coupling, 2004, second method.
    """
    n_samples, n_classes = first_wins.shape[:2]
    everyone = np.arange(n_classes)
    system = np.ones((n_samples, n_classes + 1, n_classes + 1))
    system[:, :-1, :-1] = -first_wins * first_wins.transpose(0, 2, 1)
    lost = first_wins.transpose(0, 2, 1) ** 2
    system[:, everyone, everyone] = lost.sum(axis=2) - lost[:, everyone, everyone]
    system[:, -1, -1] = 0.0
    answer = np.zeros((n_samples, n_classes + 1, 1))
    answer[:, -1] = 1.0
    shares = np.maximum(np.linalg.solve(system, answer)[:, :-1, 0], 0.0)
    return shares / shares.sum(axis=1, keepdims=True)


@dataclass(frozen=True, slots=True)
class Pairwise:
    """A sigmoid for each pair of classes."""

    n_classes: int
    slope: np.ndarray  # (n_pairs,) >= 0
    offset: np.ndarray  # (n_pairs,)

    @staticmethod
    def learn(scores: np.ndarray, code: np.ndarray, weight: np.ndarray, n_classes: int) -> Pairwise:
        """Fit the sigmoids.

        Args:
            scores: (n_samples, n_pairs) of rows that they were not learnt from; NaN where a row has none.
            code: (n_samples,) classes 0..n_classes-1.
            weight: (n_samples,)
            n_classes: at least 2.
        """
        fitted = []
        for number, (i, j) in enumerate(pairs(n_classes)):
            usable = ((code == i) | (code == j)) & np.isfinite(scores[:, number])
            fitted.append(platt(scores[usable, number], code[usable] == j, weight[usable]))
        slope, offset = np.array(fitted).T
        return Pairwise(n_classes, slope, offset)

    def probabilities(self, scores: np.ndarray) -> np.ndarray:
        """Return class probabilities, (n_samples, n_pairs) -> (n_samples, n_classes)."""
        second = np.clip(sigmoid(scores * self.slope + self.offset), 1e-7, 1 - 1e-7)  # libsvm's bounds
        if self.n_classes == 2:
            return np.column_stack([1 - second[:, 0], second[:, 0]])
        parts = [self._coupled(second[start : start + CHUNK]) for start in range(0, len(second), CHUNK)]
        return np.concatenate([np.empty((0, self.n_classes)), *parts])

    def _coupled(self, second: np.ndarray) -> np.ndarray:
        wins = np.full((len(second), self.n_classes, self.n_classes), 0.5)
        for number, (i, j) in enumerate(pairs(self.n_classes)):
            wins[:, i, j], wins[:, j, i] = 1 - second[:, number], second[:, number]
        return couple(wins)

    def to_state(self) -> dict[str, Any]:
        """Return plain arrays."""
        return {"slope": self.slope, "offset": self.offset}

    @staticmethod
    def from_state(state: Mapping[str, Any], n_classes: int) -> Pairwise:
        """Read what `to_state` wrote."""
        return Pairwise(n_classes, np.asarray(state["slope"], dtype=float), np.asarray(state["offset"], dtype=float))
