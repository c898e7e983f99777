"""Examples of the checks of how rows that are predicted differ from those that models learn from."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.checks import Example, scene


def takings(growth: float) -> pd.DataFrame:
    """Return 600 days of a shop, in which what rain and weekends bring grows from day to day, or does not."""
    rng = np.random.default_rng(0)
    day = pd.date_range("2023-01-02", periods=600)
    rain, weekend = rng.exponential(4, 600).round(1), np.where(day.day_of_week >= 5, "yes", "no")
    usual = 200 + 60 * (weekend == "yes") - 5 * rain + growth * np.arange(600)
    return pd.DataFrame({"day": day, "rain": rain, "weekend": weekend, "takings": (usual + rng.normal(0, 10, 600)).round(1)})


def patients(*, alike: bool) -> pd.DataFrame:
    """Return 800 patients of two hospitals; the second takes those of any kind, or the old, whose stays are hard to predict."""
    rng = np.random.default_rng(0)
    second = np.arange(800) >= 500
    age = np.where(second & (not alike), rng.integers(60, 95, 800), rng.integers(18, 70, 800))
    stay = 2 + age / 10 + rng.normal(0, 0.5 + np.where(age > 65, 3.0, 0.0), 800)
    side = np.where(second, "hospital 2", "train")
    return pd.DataFrame({"age": age, "pulse": rng.normal(75, 9, 800).round(), "side": side, "stay": stay.clip(1).round(1)})


def sales(renewed: int) -> pd.DataFrame:
    """Return 600 sales by eight agents; of the latest fifty sales of each hundred so many are by agents who are new."""
    rng = np.random.default_rng(0)
    agent = rng.choice([f"agent {letter}" for letter in "ABCDEFGH"], 600).astype(object)
    new = np.arange(600) % 100 < renewed
    agent[new] = [f"agent {number}" for number in np.flatnonzero(new) // 100]
    price = rng.integers(50, 500, 600)
    day = pd.date_range("2023-01-01", periods=600)
    return pd.DataFrame({"day": day, "agent": agent, "price": price, "sold": np.where(rng.random(600) < 0.4, "yes", "no")})


IN_ROWS = "target: takings\ntime: day\nsplit: {scheme: kfold}"
BY_SIDE = "target: stay\nsplit: {scheme: predefined, by: side}"
IN_TIME = "target: sold\ntime: day"

EXAMPLES = [
    Example(
        "L11",
        on="day",
        severity="warn",
        fires=scene(
            "600 days of a shop whose takings grow, shuffled into folds: each day is predicted from days after it, too.",
            IN_ROWS,
            lambda: takings(0.5),
        ),
        silent=scene(
            "The same shop with takings that do not grow: here, the past is as good a teacher as the future.", IN_ROWS, lambda: takings(0.0)
        ),
    ),
    Example(
        "L12",
        on="hospital 2",
        severity="warn",
        fires=scene(
            "Models learn from 500 patients of one hospital, and are tested on 300 of another, who are older.",
            BY_SIDE,
            lambda: patients(alike=False),
        ),
        silent=scene("The same, with patients of the same ages in both hospitals.", BY_SIDE, lambda: patients(alike=True)),
    ),
    Example(
        "L13",
        on="agent",
        severity="note",
        fires=scene("600 sales; five of every hundred are by an agent who had just begun.", IN_TIME, lambda: sales(5)),
        silent=scene("The same sales, all by the eight agents who were always there.", IN_TIME, lambda: sales(0)),
    ),
]
