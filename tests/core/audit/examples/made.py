"""Columns that were computed from the whole file, the answer among it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from tests.checks import Example, scene


def flats() -> pd.DataFrame:
    """Return six hundred flats in twelve districts, with the mean rent of the district over all of them."""
    rng = np.random.default_rng(0)
    district = rng.integers(0, 12, 600)
    size = rng.normal(70.0, 20.0, 600).round()
    rent = (9.0 * size + 60.0 * district + rng.normal(0.0, 90.0, 600)).round()
    rows = pd.DataFrame({"district": [f"district {number}" for number in district], "size": size, "rent": rent})
    return rows.assign(usual_rent=rows.groupby("district")["rent"].transform("mean"))


def days() -> pd.DataFrame:
    """Return three hundred days of a shop."""
    rng = np.random.default_rng(1)
    day = pd.date_range("2024-01-01", periods=300)
    sales = rng.poisson(np.where(day.day_of_week == 5, 90, 50))
    return pd.DataFrame({"day": day, "adverts": rng.integers(0, 5, 300), "sales": sales})


def sales_of_the_week(shift: int) -> pd.DataFrame:
    """Return the days with the mean of seven days, which ends some days before the day itself."""
    rows = days()
    return rows.assign(week=rows["sales"].shift(shift).rolling(7, min_periods=1).mean().round(2))


EXAMPLES = [
    Example(
        "L09",
        on="usual_rent",
        severity="block",
        fires=scene("`usual_rent` is the mean rent of the district, over all rows of the file.", "target: rent", flats),
        silent=scene(
            "`usual_rent` comes from the tenants' union: the mean of other flats.",
            "target: rent",
            lambda: flats().assign(usual_rent=lambda rows: 380.0 + 60.0 * rows["district"].str[9:].astype(int)),
        ),
    ),
    Example(
        "L09",
        on="size",
        severity="note",
        fires=scene(
            "`size` has a mean of 0 and a standard deviation of 1 over all rows: somebody scaled the file.",
            "target: rent\ncolumns: {usual_rent: drop}",
            lambda: flats().assign(size=lambda rows: (rows["size"] - rows["size"].mean()) / rows["size"].std()),
        ),
        silent=scene("`size` is in square metres.", "target: rent\ncolumns: {usual_rent: drop}", flats),
    ),
    Example(
        "L10",
        on="week",
        severity="block",
        fires=scene(
            "`week` is the mean of the seven days that end with the day itself.",
            "target: {column: sales, kind: count}\ntime: day",
            lambda: sales_of_the_week(0),
        ),
        silent=scene(
            "`week` is the mean of the seven days before.",
            "target: {column: sales, kind: count}\ntime: day",
            lambda: sales_of_the_week(1),
        ),
    ),
]
