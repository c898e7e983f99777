"""A small problem with a time, two kinds of columns and a count, which every journey may run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PROBLEM = """\
question: How many people come to each counter tomorrow?
data: rows.csv
target: visitors
time: date
unit: [date, counter]
known_at: {after: [sold]}
split: {scheme: forward, folds: 3, together: date}
baselines: {by_counter: mean(visitors) by counter, last_week: visitors@-7d}
families: [linear, perceptron, tree, boosting, blend]
search: {trials: 2}
"""


def rows(n_days: int = 90) -> pd.DataFrame:
    """Return three counters over some days: weather, a weekly rhythm, and what was sold, which is known too late."""
    rng = np.random.default_rng(0)
    dates = np.repeat(pd.date_range("2024-01-01", periods=n_days), 3)
    counters = np.tile(["north", "south", "west"], n_days)
    warmth = np.repeat(rng.normal(size=n_days), 3)
    level = 3 + 0.4 * warmth + 0.5 * (dates.day_of_week >= 5) + 0.3 * (counters == "south")
    visitors = rng.poisson(np.exp(level))
    return pd.DataFrame({"date": dates, "counter": counters, "warmth": warmth.round(3), "sold": visitors * 2, "visitors": visitors})


@pytest.fixture(scope="module")
def problem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds the problem."""
    folder = tmp_path_factory.mktemp("problem") / "counters"
    folder.mkdir()
    (folder / "problem.yaml").write_text(PROBLEM)
    rows().to_csv(folder / "rows.csv", index=False)
    return folder
