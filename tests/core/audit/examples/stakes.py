"""Examples of the check of what depends on columns of which nobody says when they are known."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.checks import Example, scene


def ski_days() -> pd.DataFrame:
    """Return 600 days of a ski lift: skiers follow the tickets that were sold, and a little the snow; nothing follows the lunch menu."""
    rng = np.random.default_rng(0)
    tickets, snow = rng.integers(50, 400, 600), rng.integers(0, 60, 600)
    skiers = np.round(1.5 * tickets + snow + rng.normal(0, 30, 600)).clip(0)
    return pd.DataFrame(
        {"tickets": tickets, "snow": snow, "lunch": rng.choice(["soup", "pasta", "stew"], 600), "skiers": skiers.astype(int)}
    )


ASKED = """
    target: {column: skiers, kind: count}
    decision: {made_at: -1d 18:00, cost: {over: 1, under: 3}, currency: EUR, per_year: 120}
    """

EXAMPLES = [
    Example(
        "L03",
        on="tickets",
        severity="warn",
        fires=scene(
            "600 days of a ski lift. How many skiers come follows from the tickets that were sold: by 18:00 the day before, or later?",
            ASKED + "known_at: {decision: [snow]}",
            ski_days,
        ),
        silent=scene(
            "The same days, and it is said that tickets are sold by then. Nobody says when the menu is known, but nothing depends on it.",
            ASKED + "known_at: {decision: [tickets, snow]}",
            ski_days,
        ),
    ),
]
