"""One endless table whose target no straight line gives: twenty numbers, ten categories, and as many of its rows as are asked for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

NUMBERS = 20
CATEGORIES = 10
LEVELS = (2, 3, 4, 5, 7, 10, 15, 25, 50, 200)  # of each category, the first ones the more common
MISSING = 0.05  # of the cells of two of the numbers
NOISE = 0.3  # of the standard deviation of what can be known
SEED = 7
PART = 10_000  # rows that are drawn at once
PROBLEM = """\
schema: piste/1
question: How do time and memory grow with the rows?
data: rows.csv
target: y
families: [{families}]
"""


def table(n_rows: int) -> pd.DataFrame:
    """Return the first rows: a longer table begins with all of a shorter one.

    Numbers that are normal, alike, skewed, and incomplete; a target of waves, products, steps, and a shift for every level.
    """
    parts = [_part(number) for number in range(-(-n_rows // PART))]
    return pd.concat(parts, ignore_index=True).iloc[:n_rows]


def _part(number: int) -> pd.DataFrame:
    rng, shifts = np.random.default_rng([SEED, number]), np.random.default_rng(SEED)  # every part has the same shifts
    X = rng.normal(size=(PART, NUMBERS))
    X[:, 5:10] = 0.7 * (X[:, :5] + X[:, 5:10])
    codes = [(levels * rng.random(PART) ** 1.5).astype(int) for levels in LEVELS]
    y = np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2] + (X[:, 3] > 0.5) * (1 + X[:, 4]) + 0.5 * X[:, 10] ** 2 + 0.3 * X[:, 15:18].sum(axis=1)
    for code, levels in zip(codes, LEVELS, strict=True):
        y += 0.3 * shifts.normal(size=levels)[code]
    y += NOISE * y.std() * rng.normal(size=PART)
    X[:, 10:15] = np.exp(X[:, 10:15])
    X[:, -2:][rng.random((PART, 2)) < MISSING] = np.nan
    numbers = {f"x{i}": column for i, column in enumerate(X.T.round(4))}
    categories = {
        f"c{i}": np.array([f"level {level}" for level in range(levels)])[code]
        for i, (code, levels) in enumerate(zip(codes, LEVELS, strict=True))
    }
    return pd.DataFrame({**numbers, **categories, "y": y.round(4)})


def write(n_rows: int, families: list[str], folder: Path) -> Path:
    """Write a problem and its table into a folder; return where the problem is."""
    import pyarrow as pa
    from pyarrow import csv

    csv.write_csv(pa.Table.from_pandas(table(n_rows), preserve_index=False), folder / "rows.csv")
    problem = folder / "problem.yaml"
    problem.write_text(PROBLEM.format(families=", ".join(families)), encoding="utf-8")
    return problem
