"""M08, M09, M15."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from piste.core.comparison import Curve, Interval
from tests.cases import Written, after
from tests.checks import Example

N = 800
SHOP = """
    target: orders
    time: day
    split: {scheme: forward, folds: 3}
"""
WARD = """
    target: days
    families: [tree]
    search: {trials: 8}
    split: {folds: 4, repeats: 1}
"""


def shop(persists: float = 0.0) -> pd.DataFrame:
    """Return days of a shop that sells more at weekends, and on which what is unusual lasts to this extent until the next."""
    rng = np.random.default_rng(0)
    day = pd.date_range("2020-01-01", periods=N)
    mood = np.zeros(N)
    for i in range(1, N):
        mood[i] = persists * mood[i - 1] + np.sqrt(1 - persists**2) * rng.normal()
    visits = rng.uniform(100, 500, N)
    orders = visits / 10 + 12 * (day.day_of_week >= 5) + 8 * mood
    return pd.DataFrame({"day": day, "visits": visits, "orders": orders})


def by_visits(frame: pd.DataFrame) -> dict[str, Any]:
    """Return what the visits say, and nothing of weekends."""
    return {"linear": frame["visits"].to_numpy() / 10 + 12 * 2 / 7}


def by_all(frame: pd.DataFrame) -> dict[str, Any]:
    """Return all that the columns say."""
    return {"linear": frame["visits"].to_numpy() / 10 + 12 * (frame["day"].dt.day_of_week >= 5).to_numpy()}


def ward() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    age = rng.uniform(20, 90, N)
    return pd.DataFrame({"age": age, "days": 2 + age / 15 + rng.gamma(2.0, 1.5, N)})


def off(frame: pd.DataFrame) -> dict[str, Any]:
    """Return predictions that are off by 2 days."""
    return {"tree": frame["days"].to_numpy() + 2 * np.random.default_rng(1).normal(size=N)}


def curve(falls: float) -> Callable[[Written], dict[str, Any]]:
    """Return a learning curve that falls on with this probability."""
    points = pd.DataFrame({"title": "tree", "rows": [150, 300, 600], "cost": [2.6, 2.3, 2.0]})
    return lambda made: {"curve": Curve(points, Interval(1.6, 1.5, 1.7), falls, 0.5, ())}


def stuck(n: int) -> Callable[[Written], dict[str, Any]]:
    """Return the comparison with so many of the champion's fits cut short."""

    def beside(made: Written) -> dict[str, Any]:
        case = made.case
        champion = case.entrants[case.champion]
        parts = tuple(replace(part, notes=("not converged",) * (place < n)) for place, part in enumerate(champion.parts))
        entrants = [replace(each, parts=parts) if each is champion else each for each in case.entrants]
        return {"case": replace(case, entrants=entrants)}

    return beside


EXAMPLES = [
    Example(
        "M08",
        on="day.weekday",
        severity="note",
        fires=after("Orders rise at weekends. The model knows the visits only, so that it is too low then.", SHOP, shop, by_visits),
        silent=after("The model knows of weekends too, and what it misses follows nothing.", SHOP, shop, by_all),
    ),
    Example(
        "M08",
        on="day",
        severity="note",
        fires=after(
            "A good day is followed by a good day, and the model does not know of the day before.", SHOP, lambda: shop(0.7), by_all
        ),
        silent=after("A day's luck does not last until the next.", SHOP, shop, by_all),
    ),
    Example(
        "M09",
        on="rows",
        severity="note",
        fires=after("From half of the rows to all the error falls as much as from a quarter to half.", WARD, ward, off, curve(0.95)),
        silent=after("From half of the rows to all the error hardly falls.", WARD, ward, off, curve(0.1)),
    ),
    Example(
        "M15",
        on="tree",
        severity="note",
        fires=after("Two of four fits ended before they had converged.", WARD, ward, off, stuck(2)),
        silent=after("All fits converged.", WARD, ward, off, stuck(0)),
    ),
]
