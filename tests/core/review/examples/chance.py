"""M02, M05, M11."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from piste.core.entrants import self_test_of
from piste.core.fit import dealt
from piste.core.seeds import Reseeded
from tests.cases import Written, after, answers
from tests.checks import Example

N = 400
SHOP = """
    target: orders
    split: {folds: 4, repeats: 1}
"""


def shop() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    visits = rng.uniform(100, 500, N)
    return pd.DataFrame({"visits": visits, "orders": visits / 10 + rng.normal(0, 5, N)})


def off(error: float) -> Callable[[pd.DataFrame], dict[str, Any]]:
    """Return predictions that are off by this much."""
    return lambda frame: {"linear": frame["orders"].to_numpy() + error * np.random.default_rng(1).normal(size=N)}


def redrawn(times: float) -> Callable[[Written], dict[str, Any]]:
    """Return what the champion loses under two more seeds: under one a little more, under the other so many times as much."""

    def beside(made: Written) -> dict[str, Any]:
        own, court = made.case.losses[:, made.case.champion], made.case.court
        return {"reseeded": Reseeded(np.stack([own, 1.001 * own, times * own], axis=1), court.weight[court.lines.judged])}

    return beside


def tested(share: float) -> Callable[[Written], dict[str, Any]]:
    """Return a model that on a target dealt at random knows this share of it."""

    def beside(made: Written) -> dict[str, Any]:
        at, target = made.at, made.at.resolved.table.target
        values = dealt(target, 0).values
        noise = 3 * np.random.default_rng(2).normal(size=N)
        found = {("mean", "tree", 0): answers(at, values.mean() + share * (values - values.mean()) + noise)}
        return {"self_test": self_test_of(at.resolved, at.folds, at.plan, made.case.court, found)}

    return beside


EXAMPLES = [
    Example(
        "M02",
        on="constant",
        severity="note",
        fires=after("A model foretells the orders of a day no better than their mean does.", SHOP, shop, off(12.5)),
        silent=after("A model misses by 8 orders where the mean misses by 12.", SHOP, shop, off(8)),
    ),
    Example(
        "M05",
        on="linear",
        severity="warn",
        fires=after("Fitted under a third seed, the model's squared error is a half more.", SHOP, shop, off(8), redrawn(1.5)),
        silent=after("Under three seeds its squared error differs by a hundredth.", SHOP, shop, off(8), redrawn(1.01)),
    ),
    Example(
        "M11",
        on="tree",
        severity="block",
        fires=after(
            "The orders were dealt to the days at random, so that nothing is left to learn, and a tree still finds half of them.",
            SHOP,
            shop,
            off(8),
            tested(0.5),
        ),
        silent=after("Of orders dealt to the days at random a tree finds nothing.", SHOP, shop, off(8), tested(0.0)),
    ),
]
