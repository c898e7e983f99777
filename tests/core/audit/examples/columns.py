"""Columns from which nothing can be learnt, or something else than is thought."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.checks import Example, scene


def bookings(n_other: int) -> pd.DataFrame:
    """1,000 bookings of a chain of hotels, nearly all in one resort."""
    rng = np.random.default_rng(0)
    nights = rng.integers(1, 15, 1000)
    resort = np.array(["Alpha"] * (1000 - n_other) + ["Beta"] * n_other)
    return pd.DataFrame({"resort": resort, "nights": nights, "price": (90 * nights + rng.normal(0, 60, 1000)).round()})


def patients(*, afterwards: bool) -> pd.DataFrame:
    """Patients of whom the blood was tested: those who were ill, or whoever came on a weekday."""
    rng = np.random.default_rng(1)
    ill = rng.random(800) < 0.3
    tested = (rng.random(800) < np.where(ill, 0.9, 0.2)) if afterwards else rng.random(800) < 5 / 7
    blood = np.where(tested, rng.normal(14, 1.5, 800).round(1), np.nan)
    return pd.DataFrame({"age": rng.integers(18, 90, 800), "blood": blood, "ill": np.where(ill, "yes", "no")})


def flats(*, sold: float) -> pd.DataFrame:
    """Flats with their floor space; where it is not known, somebody wrote "ask", or nothing."""
    rng = np.random.default_rng(2)
    space = rng.normal(80, 20, 500).round(1)
    unknown = rng.random(500) < sold
    text = pd.Series(np.where(unknown, "ask", np.char.mod("%.1f", space)), dtype="str")
    return pd.DataFrame({"space": text, "rooms": rng.integers(1, 6, 500), "rent": (12 * space + rng.normal(0, 80, 500)).round()})


def orders(*names: str) -> pd.DataFrame:
    """Orders of a shop from several towns, as people typed them."""
    rng = np.random.default_rng(3)
    town = rng.choice(names, 600)
    return pd.DataFrame({"town": town, "items": rng.integers(1, 9, 600), "days": rng.gamma(4, 1, 600).round(2)})


EXAMPLES = [
    Example(
        "D03",
        on="resort",
        severity="note",
        fires=scene("`resort` is Alpha in 998 of 1,000 bookings.", "target: {column: price, kind: numeric}", lambda: bookings(2)),
        silent=scene("`resort` is Alpha in 980 of 1,000 bookings.", "target: {column: price, kind: numeric}", lambda: bookings(20)),
    ),
    Example(
        "D04",
        on="blood",
        severity="warn",
        fires=scene("Blood was tested mostly once a patient was known to be ill.", "target: ill", lambda: patients(afterwards=True)),
        silent=scene("Blood was tested on weekdays, ill or not.", "target: ill", lambda: patients(afterwards=False)),
    ),
    Example(
        "D06",
        on="space",
        severity="warn",
        fires=scene(
            "`space` holds numbers, but `ask` in a fifth of the cells, and so is read as text.",
            "target: {column: rent, kind: numeric}",
            lambda: flats(sold=0.2),
        ),
        silent=scene("The same flats, all with their space.", "target: {column: rent, kind: numeric}", lambda: flats(sold=0.0)),
    ),
    Example(
        "D06",
        on="town",
        severity="warn",
        fires=scene(
            "Towns are spelt as customers typed them: `Chamonix`, `chamonix`, `CHAMONIX`, `Zermatt`.",
            "target: {column: days, kind: numeric}",
            lambda: orders("Chamonix", "chamonix", "CHAMONIX", "Zermatt"),
        ),
        silent=scene(
            "Towns are chosen from a list: `Chamonix`, `Zermatt`, `Davos`.",
            "target: {column: days, kind: numeric}",
            lambda: orders("Chamonix", "Zermatt", "Davos"),
        ),
    ),
]
