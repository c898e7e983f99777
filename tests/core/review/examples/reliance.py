"""M01 and M03."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from piste.checking import survey_of
from piste.core.audit import checks
from piste.core.check import examine
from tests.cases import Written, after
from tests.checks import Example

N = 600
STAY = """
    target: days
    decision: {cost: {over: 120, under: 300}, currency: EUR}
    split: {folds: 4, repeats: 1}
"""
SKI = """
    target: skiers
    known_at: {decision: [tickets, temperature]}
    split: {folds: 4, repeats: 1}
"""


def weighed(made: Written) -> dict[str, Any]:
    """Return what columns know alone, and what hangs on them."""
    return {"audit": examine([checks()["L02"], checks()["L03"]], survey_of(made.at))}


def ward() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    age = rng.uniform(20, 90, N)
    days = 2 + age / 15 + rng.gamma(2.0, 1.5, N)
    return pd.DataFrame({"age": age, "meals": 3 * days + rng.normal(0, 0.4, N), "days": days})


def slopes(tickets: float, temperature: float) -> pd.DataFrame:
    """Return days on which the number of skiers follows the tickets sold and the temperature this much."""
    rng = np.random.default_rng(1)
    sold, warmth = rng.normal(size=N), rng.normal(size=N)
    skiers = 900 + tickets * sold + temperature * warmth + 40 * rng.normal(size=N)
    return pd.DataFrame({"tickets": 400 + 100 * sold, "temperature": -4 + 3 * warmth, "skiers": skiers})


def off(column: str, error: float) -> Any:
    """Return predictions that are off by this much."""
    return lambda frame: {"linear": frame[column].to_numpy() + error * np.random.default_rng(2).normal(size=N)}


EXAMPLES = [
    Example(
        "M01",
        on="meals",
        severity="block",
        fires=after(
            "`meals` counts what a patient was served until the day of leaving. A model foretells the days in hospital almost exactly, "
            "and nothing says when `meals` is known.",
            STAY,
            ward,
            off("days", 0.1),
            weighed,
        ),
        silent=after(
            "The same, but that `meals` is left out: a model is off by 2 days, as it may be.",
            STAY + "    columns: {meals: drop}\n",
            ward,
            off("days", 2.0),
            weighed,
        ),
    ),
    Example(
        "M01",
        on="champion",
        severity="note",
        fires=after(
            "A model foretells the days in hospital almost exactly; all columns are said to be known in time.",
            STAY + "    known_at: {always: [age], decision: [meals]}\n",
            ward,
            off("days", 0.1),
            weighed,
        ),
        silent=after(
            "A model is off by 2 days, as it may be.",
            STAY + "    known_at: {always: [age], decision: [meals]}\n",
            ward,
            off("days", 2.0),
            weighed,
        ),
    ),
    Example(
        "M03",
        on="tickets",
        severity="note",
        fires=after(
            "The number of skiers follows the tickets sold on the evening before, and the temperature hardly.",
            SKI,
            lambda: slopes(300, 60),
            off("skiers", 60),
            weighed,
        ),
        silent=after(
            "The number of skiers follows the tickets sold on the evening before and the temperature alike.",
            SKI,
            lambda: slopes(150, 150),
            off("skiers", 60),
            weighed,
        ),
    ),
]
