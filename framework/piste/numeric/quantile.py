"""Linear quantile regression by an interior point method, each answer with a bound on how far it is from the best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

GAP, GAP_FLOOR = 1e-6, 1e-7
"""How far above the smallest possible loss an answer may be: a share of it, and of the target's standard deviation."""

MOST_STEPS = 100  # 5 to 30 suffice
ROUNDING = 1e-15  # what vanishes at the optimum, when all that is left of the gap is rounding
STEP_SHARE = 0.99  # of the way to the nearest bound: with 0.9995, steps went in circles on one small table in a thousand
JITTER = 1e-13  # of a diagonal element, added to it: makes Newton's equations solvable where columns are collinear


@dataclass(frozen=True, slots=True)
class Lines:
    """A linear function for each level."""

    coef: np.ndarray  # (n_levels, n_features)
    intercept: np.ndarray  # (n_levels,)
    gap: np.ndarray  # (n_levels,) the penalised loss is at most so much above the smallest possible one, in the target's unit
    closed: bool  # whether each gap is as small as GAP and GAP_FLOOR ask for

    def __call__(self, X: np.ndarray) -> np.ndarray:
        """Return the quantiles of rows, (n_samples, n_levels)."""
        return np.asarray(X @ self.coef.T + self.intercept)


@dataclass(frozen=True, slots=True)
class Program:
    """Minimise upper @ max(y - X beta, 0) + lower @ max(X beta - y, 0) + beta' diag(penalty) beta / 2."""

    X: np.ndarray  # (n_samples, n_columns)
    y: np.ndarray  # (n_samples,)
    upper: np.ndarray  # (n_samples,) price of a prediction that is too low
    lower: np.ndarray  # (n_samples,) price of one that is too high
    penalty: np.ndarray  # (n_columns,)


@dataclass(frozen=True, slots=True)
class Point:
    """Where the interior point method stands.

    The residual is `over - under`, both above 0. `price` is the multiplier of that equation, between -lower and upper;
    `up` and `down` are its distances from both, kept apart from it because at the end they are smaller than its rounding.
    """

    beta: np.ndarray
    over: np.ndarray
    under: np.ndarray
    price: np.ndarray
    up: np.ndarray
    down: np.ndarray

    def moved(self, share: float, way: Way) -> Point:
        """Return the point a share of the way on."""
        return Point(
            self.beta + share * way.beta,
            self.over + share * way.over,
            self.under + share * way.under,
            self.price + share * way.price,
            self.up - share * way.price,
            self.down + share * way.price,
        )

    def products(self) -> float:
        """Return the sum of what vanishes at the optimum."""
        return float(self.over @ self.up + self.under @ self.down)


@dataclass(frozen=True, slots=True)
class Way:
    """Where to go from a point."""

    beta: np.ndarray
    over: np.ndarray
    under: np.ndarray
    price: np.ndarray


def pinball(y: np.ndarray, predicted: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Return the pinball loss of every row and level, (n_samples, n_levels).

    What a prediction falls short by costs the level; what it exceeds by, 1 - level.

    Args:
        y: (n_samples,)
        predicted: (n_samples, n_levels)
        levels: (n_levels,)

    >>> pinball(np.array([10.0]), np.array([[8.0, 14.0]]), (0.9, 0.9)).round(6)
    array([[1.8, 0.4]])
    """
    short = y[:, None] - predicted
    level = np.asarray(levels)
    return np.maximum(level * short, (level - 1) * short)


def fit_lines(X: np.ndarray, y: np.ndarray, weight: np.ndarray, levels: Sequence[float], alpha: float) -> Lines:
    """Find for each level the linear function of the smallest mean pinball loss + alpha / 2 x sum of squared coefficients.

    The penalty stands beside the loss of the target divided by its standard deviation, so that it has no unit; the
    intercept is not penalised.

    Args:
        X: (n_samples, n_features), columns of one scale, such as standardised ones.
        y: (n_samples,)
        weight: (n_samples,) >= 0, above 0 for some row.
        levels: (n_levels,) between 0 and 1.
        alpha: >= 0.

    Ten levels of 28,000 rows x 60 columns take some 3 s on one core; for a level of 1,000 rows scikit-learn's linear program takes 30 to 70
    times as long, of 4,000 rows 100 times.

    Source: Portnoy and Koenker, The Gaussian Hare and the Laplacian Tortoise, 1997, for the method; Mehrotra, On the
    Implementation of a Primal-Dual Interior Point Method, 1992, for its steps.
    """
    used = weight > 0
    X, y, weight = X[used], y[used], weight[used] / weight[used].sum()
    centre = float(weight @ y)
    spread = float(np.sqrt(weight @ (y - centre) ** 2)) or 1.0
    design = np.column_stack([np.ones(len(y)), X])
    penalty = np.full(design.shape[1], float(alpha))
    penalty[0] = 0.0
    solved = [minimise(Program(design, (y - centre) / spread, weight * level, weight * (1 - level), penalty)) for level in levels]
    beta = np.array([found for found, _, _ in solved]) * spread
    gap = np.array([left for _, left, _ in solved]) * spread
    return Lines(beta[:, 1:], beta[:, 0] + centre, gap, all(closed for _, _, closed in solved))


def minimise(program: Program) -> tuple[np.ndarray, float, bool]:
    """Return the best coefficients found, the gap that they leave, and whether that is closed."""
    X, penalty = program.X, program.penalty
    point = _start(program)
    best, least, closed = point.beta, np.inf, False
    for _ in range(MOST_STEPS):
        rest = program.y - X @ point.beta
        lack = X.T @ point.price - penalty * point.beta
        loss = float(program.upper @ np.maximum(rest, 0) + program.lower @ np.maximum(-rest, 0))
        gap = _gap(loss, rest, lack, point)
        if gap < least:
            best, least = point.beta, gap
        closed = least <= GAP * (loss + float(penalty @ point.beta**2) / 2) + GAP_FLOOR
        before = point.products()
        if closed or before < ROUNDING:
            break
        newton = _Newton(program, point, rest, lack)
        straight = newton.way(0.0, 0.0)
        ahead = point.moved(_share(point, straight), straight).products()
        centred = before / (2 * len(rest)) * (ahead / before) ** 3  # the less the straight way gains, the further from the bounds
        curved = newton.way(centred + straight.over * straight.price, centred - straight.under * straight.price)
        point = point.moved(_share(point, curved), curved)
    return best, least, closed


def _start(program: Program) -> Point:
    """Return least squares, moved to the level, in the middle of its bounds."""
    weight = program.upper + program.lower
    beta = _factorised(program.X, weight, program.penalty)(program.X.T @ (weight * program.y))
    rest = program.y - program.X @ beta
    order = np.argsort(rest)
    reached = np.searchsorted(np.cumsum(weight[order]), program.upper.sum())
    shift = rest[order[min(reached, len(order) - 1)]]
    beta[0] += shift
    rest = rest - shift
    room = max(1e-3, float(weight @ np.abs(rest)))
    over, under = np.maximum(rest, 0) + room, np.maximum(-rest, 0) + room
    return Point(beta, over, under, np.zeros(len(rest)), program.upper, program.lower)


def _gap(loss: float, rest: np.ndarray, lack: np.ndarray, point: Point) -> float:
    """Bound how far the penalised loss of a point is above the smallest possible one.

    The Lagrangian is convex in beta with gradient -lack. So it is, and thereby the smallest loss is, nowhere lower than its value
    here less the largest lack times the distance (sum of absolute differences) to the optimum, taken to be at most that to 0, and 1.
    """
    return loss - float(point.price @ rest) + float(np.abs(lack).max() * (1 + np.abs(point.beta).sum()))


class _Newton:
    """Newton's equations at a point: factorised once, solved for several right hand sides."""

    def __init__(self, program: Program, point: Point, rest: np.ndarray, lack: np.ndarray) -> None:
        self.X, self.point, self.rest, self.lack = program.X, point, rest, lack
        self.scale = 1 / (point.over / point.up + point.under / point.down)
        self.solve = _factorised(program.X, self.scale, program.penalty)

    def way(self, over_up: np.ndarray | float, under_down: np.ndarray | float) -> Way:
        """Return the way to where over * up and under * down have these values, to first order."""
        point = self.point
        error = self.rest - over_up / point.up + under_down / point.down
        beta = self.solve(self.X.T @ (self.scale * error) + self.lack)
        price = self.scale * (error - self.X @ beta)
        over = (over_up + point.over * price) / point.up - point.over
        under = (under_down - point.under * price) / point.down - point.under
        return Way(beta, over, under, price)


def _share(point: Point, way: Way) -> float:
    """Return how much of a way, at most all of it, stays inside the bounds."""
    bounded = ((point.over, way.over), (point.under, way.under), (point.up, -way.price), (point.down, way.price))
    nearest = max(float((-step / value).max()) for value, step in bounded)
    return min(1.0, STEP_SHARE / nearest) if nearest > 0 else 1.0


def _factorised(X: np.ndarray, scale: np.ndarray, penalty: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return how to solve with X' diag(scale) X + diag(penalty), factorised with a jitter where columns are collinear."""
    from scipy.linalg import LinAlgError, cho_factor, cho_solve

    matrix = X.T @ (X * scale[:, None])
    matrix[np.diag_indices_from(matrix)] += penalty
    diagonal = np.maximum(matrix.diagonal(), 1e-12 * matrix.diagonal().max())  # of a column of zeros too
    jitter = JITTER
    while True:
        try:
            factor = cho_factor(matrix + np.diag(jitter * diagonal), lower=True)
        except LinAlgError:
            jitter *= 100
            assert jitter < 1, "a matrix of squares with its diagonal doubled is positive definite"
        else:
            break

    def solved(right: np.ndarray) -> np.ndarray:
        found = cho_solve(factor, right)
        return np.asarray(found + cho_solve(factor, right - matrix @ found))  # takes back most of what the jitter did

    return solved
