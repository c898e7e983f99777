"""Elastic nets from a Gram matrix: many penalties side by side, each solved exactly for the columns that are in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CLOSE = 1e-12  # of the largest product of a column with the target: how far the optimality conditions may be missed
ASKED = 1e-10  # the same, of what counts as solved: rounding comes on top where columns are nearly collinear
STEPS_PER_COLUMN = 10  # far above what is needed: some 5 for 10 columns, 20 for 30 columns that are strongly correlated
JITTER = 1e-14  # of a diagonal element of the Gram matrix, added to it: a column and its twin may both be in
TINY = np.finfo(float).tiny


@dataclass(frozen=True, slots=True)
class Problems:
    """Minimise b' gram b / 2 - cross' b + l1 |b| + l2 b' b / 2, for each problem."""

    gram: np.ndarray  # (n_features, n_features) of all, or (n_problems, n_features, n_features)
    cross: np.ndarray  # (n_problems, n_features)
    l1: np.ndarray  # (n_problems, 1) above 0
    l2: np.ndarray  # (n_problems, 1)
    diagonal: np.ndarray  # (n_problems, n_features) how each problem curves along each column

    @staticmethod
    def of(gram: np.ndarray, cross: np.ndarray, l1: np.ndarray, l2: np.ndarray) -> Problems:
        """Return problems; arguments as the fields of their names."""
        return Problems(gram, cross, l1, l2, np.einsum("...jj->...j", gram) + l2)

    def take(self, chosen: np.ndarray) -> Problems:
        """Return the chosen problems (a mask)."""
        gram = self.gram if self.gram.ndim == 2 else self.gram[chosen]
        return Problems(gram, self.cross[chosen], self.l1[chosen], self.l2[chosen], self.diagonal[chosen])

    def slope(self, coef: np.ndarray) -> np.ndarray:
        """Return the negative gradient of all but the l1 penalty, (n_problems, n_features)."""
        bent = coef @ self.gram if self.gram.ndim == 2 else (self.gram @ coef[:, :, None])[:, :, 0]
        return self.cross - bent - self.l2 * coef


def elastic_nets(problems: Problems) -> tuple[np.ndarray, np.ndarray]:
    """Return the coefficients of every problem, (n_problems, n_features), and which problems are solved.

    For given signs of the columns that are in, the answer is that of linear equations. On the way there, each change of a sign
    is a kink of the loss along a line, so that its lowest point on the line is found exactly; when no sign changes any more,
    the columns whose slope exceeds the l1 penalty come in, all at once. The loss falls with every step and a set of signs
    never returns, so that the search ends, after a few steps. All problems go side by side, each until it is solved.

    Source: the active set method of Osborne, Presnell and Turlach, A new approach to variable selection in least squares
    problems, 2000, with an exact search along each line.
    """
    answer, solved = np.zeros_like(problems.cross), np.zeros(len(problems.cross), dtype=bool)
    left, here = np.arange(len(answer)), problems
    bound = CLOSE * np.abs(here.cross).max(axis=1, keepdims=True, initial=0.0)
    coef = _ridge(here)
    coef *= np.abs(coef) * here.diagonal > here.l1
    slope, signs = here.slope(coef), np.sign(coef)
    for _ in range(STEPS_PER_COLUMN * (1 + problems.cross.shape[1])):
        coef, signs, ended = _moved(here, coef, slope, signs)
        slope = here.slope(coef)
        enters = (signs == 0) & (np.abs(slope) > here.l1 + bound) & ended
        signs += np.sign(slope) * enters
        done = ended[:, 0] & ~enters.any(axis=1)
        if done.any():
            answer[left[done]] = coef[done]
            missed = np.abs(slope - here.l1 * signs) - here.l1 * (signs == 0)
            solved[left[done]] = (missed <= bound * (ASKED / CLOSE)).all(axis=1)[done]
            rest = ~done
            left, here, bound = left[rest], here.take(rest), bound[rest]
            coef, slope, signs = coef[rest], slope[rest], signs[rest]
            if not len(left):
                break
    return answer, solved


def _ridge(problems: Problems) -> np.ndarray:
    """Solve without the l1 penalty, near enough to begin from."""
    gram, cross = problems.gram, problems.cross
    if gram.ndim == 2:
        values, vectors = np.linalg.eigh(gram)
        damping = np.maximum(values, 0.0) + problems.l2 + np.sqrt(JITTER) * values[-1] + TINY
        return (cross @ vectors / damping) @ vectors.T
    damping = problems.l2 + np.sqrt(JITTER) * np.abs(gram).max(axis=(1, 2))[:, None] + TINY
    return np.linalg.solve(gram + damping[:, :, None] * np.eye(gram.shape[1]), cross[:, :, None])[:, :, 0]


def _moved(problems: Problems, coef: np.ndarray, slope: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Go on to the lowest point towards the answer for given signs.

    Returns the coefficients there, their signs, and whether that answer is reached with the signs that it was asked for,
    (n_problems, 1).

    At a share t of the way the loss falls by (1 - t) x fall, until columns change their sign: then by 2 l1 |step| less for each.
    """
    aim = _solved(problems, signs)
    step = aim - coef
    wrong = aim * signs < 0
    ended = ~wrong.any(axis=1, keepdims=True)
    if ended.all():
        return aim, signs, ended
    fall = np.maximum((step * (slope - problems.l1 * signs)).sum(axis=1, keepdims=True), TINY)
    crossing = np.divide(-coef, step, out=np.full_like(coef, np.inf), where=wrong)
    order = np.argsort(crossing, axis=1)
    row = np.arange(len(coef))[:, None]
    kinks = np.cumsum((np.abs(step) * wrong)[row, order], axis=1) * (2 * problems.l1)
    lowest = np.maximum(crossing[row, order], 1 - kinks / fall).min(axis=1, keepdims=True)
    share = np.minimum(lowest, 1.0)
    moved = np.where(ended, aim, coef + share * step)
    moved[crossing == share] = 0.0
    kept = np.where(wrong, 0.0, signs)  # of columns that came in and did not move yet
    return moved, np.where(moved == 0, kept, np.sign(moved)), ended


def _solved(problems: Problems, signs: np.ndarray) -> np.ndarray:
    """Solve for the columns that are in, with the signs that they should have; the others are 0."""
    inside = signs != 0
    matrix = problems.gram * (inside[:, :, None] & inside[:, None, :])
    each = np.arange(signs.shape[1])
    matrix[:, each, each] = np.where(inside, problems.diagonal * (1 + JITTER) + TINY, 1.0)
    aim = np.where(inside, problems.cross - problems.l1 * signs, 0.0)
    return np.linalg.solve(matrix, aim[:, :, None])[:, :, 0]
