"""M07, M12, M13, M14."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from tests.cases import Written, after
from tests.checks import Example

N = 1200
FORWARD = """
    target: meals
    time: day
    decision: {cost: {over: 2, under: 6}, currency: EUR}
    framings: [quantiles]
    split: {scheme: forward, folds: 2}
"""
STAFF = """
    target: {column: skiers, levels: {cuts: [100, 110], names: [low, medium, high]}}
    decision:
      cost: {nobody: [0, 4, 12], one: [3, 0, 6], two: [8, 4, 0]}
      currency: EUR
      cost_range: [0.25, 4]
    framings: [classes]
    split: {folds: 4, repeats: 1}
"""
TWO_WAYS = """
    target: {column: skiers, levels: {cuts: [100, 110], names: [low, medium, high]}}
    decision:
      cost: {nobody: [0, 4, 12], one: [3, 0, 6], two: [8, 4, 0]}
      currency: EUR
    framings: [classes, ordered]
    success: {same: 10%}
    split: {folds: 4, repeats: 1}
"""
FAST = """
    target: meals
    split: {folds: 4, repeats: 1}
    constraints: {latency_ms: 5}
"""


def canteen(later: float) -> Callable[[], pd.DataFrame]:
    """Return days on which the meals vary by 5 around what the bookings say, and towards the end by so many times as much."""

    def rows() -> pd.DataFrame:
        rng = np.random.default_rng(0)
        booked = rng.uniform(50, 150, N)
        spread = np.where(np.arange(N) < 0.6 * N, 5.0, 5.0 * later)
        return pd.DataFrame(
            {"day": pd.date_range("2020-01-01", periods=N), "booked": booked, "meals": booked + spread * rng.normal(size=N)}
        )

    return rows


def spread(frame: pd.DataFrame) -> dict[str, Any]:
    """Return quantiles of a normal distribution with a standard deviation of 5."""
    from scipy import stats

    from piste.framings.quantiles import LEVELS

    return {"linear": frame["booked"].to_numpy()[:, None] + 5 * stats.norm.ppf(LEVELS)}


def slopes() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"snow": rng.uniform(0, 80, N), "skiers": 100 + 10 * rng.normal(size=N)})


def sure(frame: pd.DataFrame, low: float, high: float, seed: int = 3) -> np.ndarray:
    """Return probabilities that are sure, but in these shares of the rows of the level below, or above."""
    code, luck = np.digitize(frame["skiers"], [100, 110]), np.random.default_rng(seed).random(N)
    return np.asarray(np.eye(3)[np.clip(code - (luck < low) + (luck > 1 - high), 0, 2)] * 0.94 + 0.02)


def reached(levels: np.ndarray) -> np.ndarray:
    """Return how likely each level is reached, (n_rows, 2), as the ordered way of asking has it."""
    return np.asarray(levels[:, ::-1].cumsum(axis=1)[:, :-1][:, ::-1])


def measured(latency_ms: float) -> Callable[[Written], dict[str, Any]]:
    """Return the comparison with a model that takes as long."""
    return lambda made: {"case": replace(made.case, measured={"latency_ms": latency_ms, "model_mb": 1.0})}


EXAMPLES = [
    Example(
        "M07",
        on="80% intervals",
        severity="warn",
        fires=after(
            "A model says how far the meals of a day may be from what is booked; in the last months they vary 2.5 times as much.",
            FORWARD,
            canteen(2.5),
            spread,
        ),
        silent=after("In the last months they vary as they did before.", FORWARD, canteen(1.0), spread),
    ),
    Example(
        "M12",
        on="cost x 4",
        severity="warn",
        fires=after(
            "One model puts one row in five a level too low, the other more than one in four a level too high: at the costs as written the "
            "first is cheaper, if too little cost four times as much the second.",
            STAFF,
            slopes,
            lambda frame: {"linear": sure(frame, 0.20, 0.0), "tree": sure(frame, 0.0, 0.28)},
        ),
        silent=after(
            "One model is seldom wrong, to either side: it is cheapest at any of these costs.",
            STAFF,
            slopes,
            lambda frame: {"linear": sure(frame, 0.02, 0.02), "tree": sure(frame, 0.0, 0.28)},
        ),
    ),
    Example(
        "M13",
        on="classes, ordered",
        severity="note",
        fires=after(
            "Two models are asked in two ways. Each is wrong in a quarter of the rows, and not in the same ones.",
            TWO_WAYS,
            slopes,
            lambda frame: {("classes", "linear"): sure(frame, 0.12, 0.13), ("ordered", "linear"): reached(sure(frame, 0.12, 0.13, seed=4))},
        ),
        silent=after(
            "Each is wrong in a quarter of the rows, and in nearly the same ones.",
            TWO_WAYS,
            slopes,
            lambda frame: {("classes", "linear"): sure(frame, 0.12, 0.13), ("ordered", "linear"): reached(sure(frame, 0.13, 0.12))},
        ),
    ),
    Example(
        "M14",
        on="latency_ms",
        severity="warn",
        fires=after(
            "The model takes 12 ms for one row, and 5 are allowed.",
            FAST,
            canteen(1.0),
            lambda frame: {"linear": frame["booked"].to_numpy()},
            measured(12.0),
        ),
        silent=after(
            "The model takes 2 ms for one row, and 5 are allowed.",
            FAST,
            canteen(1.0),
            lambda frame: {"linear": frame["booked"].to_numpy()},
            measured(2.0),
        ),
    ),
]
