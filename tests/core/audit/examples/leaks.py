"""Columns that hold the answer, or look as if they do."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.checks import Example, scene


def visits() -> pd.DataFrame:
    """Return two hundred days of a ski resort: skiers of the day and of the evening, and how cold it was."""
    rng = np.random.default_rng(0)
    cold = rng.normal(-4.0, 5.0, 200).round(1)
    day = rng.poisson(600 * np.exp(-((cold + 5) ** 2) / 60)) + 40
    night = rng.poisson(120, 200)
    return pd.DataFrame({"cold": cold, "day_tickets": day, "night_tickets": night, "visits": day + night})


def returns() -> pd.DataFrame:
    """Return three hundred orders of a shop: what was bought, whether it came back, and how the book-keeping calls that."""
    rng = np.random.default_rng(1)
    price = rng.gamma(4.0, 15.0, 300).round(2)
    back = rng.random(300) < 0.15 + 0.002 * price
    booking = np.where(back, "credit note", "settled")
    return pd.DataFrame({"price": price, "booking": booking, "came_back": np.where(back, "yes", "no")})


def stays() -> pd.DataFrame:
    """Return four hundred stays in a clinic: age, the bill, and the nights that it was written for."""
    rng = np.random.default_rng(2)
    nights = rng.poisson(5, 400) + 1
    bill = 900 * nights + rng.normal(0.0, 500.0, 400)
    return pd.DataFrame({"age": rng.integers(18, 95, 400), "bill": bill.round(2), "nights": nights})


EXAMPLES = [
    Example(
        "L01",
        on="day_tickets + night_tickets",
        severity="block",
        fires=scene("`day_tickets` and `night_tickets` are the two parts of `visits`.", "target: visits", visits),
        silent=scene(
            "The same days, with `day_tickets` alone: it is strong, but it is not the target.",
            "target: visits\nknown_at: {decision: [day_tickets]}",
            lambda: visits().drop(columns="night_tickets"),
        ),
    ),
    Example(
        "L01",
        on="booking",
        severity="block",
        fires=scene("`booking` is 'credit note' where an order came back, and 'settled' where it did not.", "target: came_back", returns),
        silent=scene(
            "As before, but two orders of a hundred were booked before it was known: `booking` errs.",
            "target: came_back",
            lambda: returns().assign(booking=lambda rows: rows["booking"].mask(np.arange(len(rows)) % 50 == 0, "open")),
        ),
    ),
    Example(
        "L02",
        on="bill",
        severity="warn",
        fires=scene(
            "`bill` is written at the end, 900 EUR a night and some extras. Nothing says when it is known.", "target: nights", stays
        ),
        silent=scene(
            "The same rows, and the author says that the bill is an estimate made on arrival.",
            "target: nights\nknown_at: {decision: [bill]}",
            stays,
        ),
    ),
]
