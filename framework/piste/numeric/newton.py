"""Penalised likelihoods of linear scores: many penalties side by side, by Newton steps whose matrices are renewed only when stale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

Likelihood = Literal["logistic", "softmax", "poisson"]

CLOSE = 1e-22  # what is left to gain, as a share of the loss's scale, at which a problem is solved: scores are some 1e-11 off in the mean
ROUGH = 1e-4  # the same, for the problem that says where to begin
STALE = 0.03  # of the step before: steps that shrink by less ask for a new matrix
MOST_STEPS = 200  # 5 to 15 suffice
SHORTEST = 1e-6  # share of a step below which a line is given up
MOST_SCORES = 4_000_000  # rows x problems x scores held at once
MOST_PRODUCTS = 400_000  # rows x columns x problems up to which all matrices are summed in one call
JITTER = 1e-13  # of the mean diagonal element


@dataclass(frozen=True, slots=True)
class Rows:
    """What is learnt from: columns with a last one of ones, and the answers in columns."""

    X: np.ndarray  # (n_samples, n_columns)
    y: np.ndarray  # (n_samples, n_scores): 0 or 1 for classes, counts
    weight: np.ndarray  # (n_samples,) of sum 1


@dataclass(frozen=True, slots=True)
class Fits:
    """A linear function of scores for each penalty."""

    coef: np.ndarray  # (n_penalties, n_features, n_scores)
    intercept: np.ndarray  # (n_penalties, n_scores)
    solved: np.ndarray  # (n_penalties,) bool

    def scores(self, X: np.ndarray) -> np.ndarray:
        """Return the scores of rows, (n_penalties, n_samples, n_scores)."""
        n_penalties, n_features, n_scores = self.coef.shape
        flat = X @ self.coef.transpose(1, 0, 2).reshape(n_features, -1) + self.intercept.reshape(-1)
        return flat.reshape(len(X), n_penalties, n_scores).transpose(1, 0, 2)


def answers(likelihood: Likelihood, scores: np.ndarray) -> np.ndarray:
    """Return probabilities or means from scores, (..., n_scores); exp may overflow, which the caller tells numpy to bear with."""
    if likelihood == "poisson":
        return np.exp(scores)
    if likelihood == "logistic":
        return 1 / (1 + np.exp(-scores))
    shares = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return shares / shares.sum(axis=-1, keepdims=True)


def fit_scores(likelihood: Likelihood, X: np.ndarray, y: np.ndarray, weight: np.ndarray, penalties: Sequence[float]) -> Fits:
    """Minimise the weighted mean negative log likelihood + penalty / 2 x sum of squared coefficients, at each penalty.

    The problem in the middle is solved roughly first; its answer, and its matrix of second derivatives, are where all begin.
    A step along an old matrix costs one product of rows and coefficients for all problems together, a new matrix one of columns
    with columns for one problem. A step is taken as far as it makes the next one along the same matrix shorter.

    Args:
        likelihood: logistic, one score; softmax, one score a class, whose coefficients sum to 0; poisson, one score, the log mean.
        X: (n_samples, n_features), columns of one scale, such as standardised ones.
        y: (n_samples, n_scores) 0 or 1 for classes (softmax: a column each), counts with a sum above 0 for poisson.
        weight: (n_samples,) >= 0, above 0 for some row of every class.
        penalties: above 0.

    Source: the natural monotonicity test of Deuflhard, Newton Methods for Nonlinear Problems, 2004.
    """
    penalty, n_features = np.asarray(penalties, dtype=float), X.shape[1]
    rows = Rows(np.column_stack([X, np.ones(len(X))]), y, weight / weight.sum())
    n_scores, n_problems = y.shape[1], len(penalty)
    found, solved = np.zeros((n_problems, n_features + 1, n_scores)), np.zeros(n_problems, dtype=bool)
    middle = np.argsort(penalty, kind="stable")[[n_problems // 2]]
    with np.errstate(over="ignore", invalid="ignore"):  # on a step that is too long, and not taken
        roughly = _Search(likelihood, rows, penalty[middle], _constant(likelihood, rows)[None], None)
        begin, _ = roughly.run(ROUGH)
        shared = roughly.curvature(np.array([0]))
        at_once = max(1, MOST_SCORES // (len(X) * n_scores))
        for start in range(0, n_problems, at_once):
            some = slice(start, min(n_problems, start + at_once))
            coef = np.repeat(begin, some.stop - start, axis=0)
            found[some], solved[some] = _Search(likelihood, rows, penalty[some], coef, shared).run(CLOSE)
    return Fits(found[:, :n_features], found[:, n_features], solved)


def _constant(likelihood: Likelihood, rows: Rows) -> np.ndarray:
    """Return the coefficients that give every row the same answer, (n_columns, n_scores)."""
    coef, mean = np.zeros((rows.X.shape[1], rows.y.shape[1])), rows.weight @ rows.y
    coef[-1] = np.log(mean / (1 - mean)) if likelihood == "logistic" else np.log(mean)
    return coef


class _Search:
    """Problems on the way to their answers; whichever is solved leaves."""

    def __init__(self, likelihood: Likelihood, rows: Rows, penalty: np.ndarray, coef: np.ndarray, shared: np.ndarray | None) -> None:
        """Begin from coefficients, (n_problems, n_columns, n_scores), with a matrix of second derivatives without penalty, if any."""
        self.likelihood, self.rows, self.coef = likelihood, rows, coef
        shrunk = np.ones(coef.shape[1:])
        shrunk[-1] = 0.0
        self.shrinking = penalty[:, None, None] * shrunk
        self.answer, self.gradient = self._at(coef)
        matrices = self.curvature(np.arange(len(coef))) if shared is None else np.repeat(shared, len(coef), axis=0)
        self.inverse = _inverted(matrices, self.shrinking)
        self.fresh = np.full(len(coef), shared is None)
        self.step, self.gain = self._ahead(self.gradient)
        self.share = np.ones(len(coef))

    def run(self, close: float) -> tuple[np.ndarray, np.ndarray]:
        """Go on until all are as close as that to solved; return coefficients, and which are solved."""
        found, solved = self.coef.copy(), np.zeros(len(self.coef), dtype=bool)
        enough = close * (float(self.rows.weight @ self.rows.y[:, 0]) if self.likelihood == "poisson" else 1.0)
        left = np.arange(len(found))
        for _ in range(MOST_STEPS):
            done = self.gain <= enough
            if (ended := done | (self.share < SHORTEST)).any():
                found[left], solved[left[done]] = self.coef, True
                left = left[~ended]
                if not len(left):
                    return found, solved
                self._keep(~ended)
            stale = self._advance() & (self.gain > enough)
            if stale.any():
                self.inverse[stale] = _inverted(self.curvature(np.flatnonzero(stale)), self.shrinking[stale])
                self.step, self.gain = self._ahead(self.gradient)
            self.fresh = stale
        found[left] = self.coef
        return found, solved

    def _advance(self) -> np.ndarray:
        """Take the steps that make the next ones shorter, shorten the others, and return which matrices are stale."""
        coef = self.coef + self.share[:, None, None] * self.step
        answer, gradient = self._at(coef)
        step, gain = self._ahead(gradient)
        taken = gain < (1 - self.share / 4) ** 2 * self.gain  # not so where it is no number
        stale = np.where(taken, gain > STALE**2 * self.gain, ~self.fresh)
        self.share = np.where(taken, 1.0, np.where(self.fresh, self.share / 2, self.share))
        if taken.all():
            self.coef, self.answer, self.gradient, self.step, self.gain = coef, answer, gradient, step, gain
        else:
            self.coef[taken], self.answer[:, taken], self.gradient[taken] = coef[taken], answer[:, taken], gradient[taken]
            self.step[taken], self.gain[taken] = step[taken], gain[taken]
        return stale

    def curvature(self, chosen: np.ndarray) -> np.ndarray:
        """Return the second derivatives of some problems' mean loss without penalty, (n_chosen, size, size)."""
        X, weight = self.rows.X, self.rows.weight[:, None]
        n_columns, n_scores = X.shape[1], self.coef.shape[2]
        answer = self.answer[:, chosen]  # (n_samples, n_chosen, n_scores)
        if self.likelihood != "softmax":
            mean = answer[:, :, 0]
            root = np.sqrt(weight * mean * (1 - mean) if self.likelihood == "logistic" else weight * mean)
            if len(X) * n_columns * len(chosen) <= MOST_PRODUCTS:
                scaled = X * root.T[:, :, None]
                return scaled.transpose(0, 2, 1) @ scaled
            return np.stack([(scaled := X * column[:, None]).T @ scaled for column in root.T])
        found = np.empty((len(chosen), n_columns, n_scores, n_columns, n_scores))
        for number, shares in enumerate(answer.transpose(1, 0, 2)):
            for a in range(n_scores):
                for b in range(a, n_scores):
                    each = weight[:, 0] * shares[:, a] * ((a == b) - shares[:, b])
                    block = (X * each[:, None]).T @ X
                    found[number, :, a, :, b] = found[number, :, b, :, a] = block
        found[:, -1, :, -1, :] += 1 / n_scores  # intercepts that move together change nothing: keeps the matrix invertible
        return found.reshape(len(chosen), n_columns * n_scores, -1)

    def _at(self, coef: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the answers, (n_samples, n_problems, n_scores), and the gradients, of the shape of `coef`."""
        n_problems, n_columns, n_scores = coef.shape
        scores = self.rows.X @ coef.transpose(1, 0, 2).reshape(n_columns, -1)
        answer = answers(self.likelihood, scores.reshape(-1, n_problems, n_scores))
        surplus = (answer - self.rows.y[:, None]) * self.rows.weight[:, None, None]
        pull = (self.rows.X.T @ surplus.reshape(len(surplus), -1)).reshape(n_columns, n_problems, n_scores)
        return answer, pull.transpose(1, 0, 2) + self.shrinking * coef

    def _ahead(self, gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the step along the matrices at hand, and twice what it should gain."""
        flat = gradient.reshape(len(gradient), -1)
        step = -(self.inverse @ flat[:, :, None])[:, :, 0]
        return step.reshape(gradient.shape), -(step * flat).sum(axis=1)

    def _keep(self, rest: np.ndarray) -> None:
        self.coef, self.shrinking, self.gradient, self.step = (each[rest] for each in (self.coef, self.shrinking, self.gradient, self.step))
        self.inverse, self.fresh, self.gain, self.share = (each[rest] for each in (self.inverse, self.fresh, self.gain, self.share))
        self.answer = self.answer[:, rest]


def _inverted(curvature: np.ndarray, shrinking: np.ndarray) -> np.ndarray:
    """Return the inverse matrices of second derivatives with the penalties on their diagonals; overwrites the former."""
    each = np.arange(curvature.shape[-1])
    diagonal = curvature[:, each, each] + shrinking.reshape(len(shrinking), -1)
    curvature[:, each, each] = diagonal + JITTER * diagonal.mean(axis=1, keepdims=True) + np.finfo(float).tiny
    return np.linalg.inv(curvature)
