"""M04, M06, M10."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from tests.cases import after
from tests.checks import Example

N = 1200
PLACE = np.array(["valley", "middle", "summit", "glacier", "park"])[np.arange(N) % 5]
CLINICS = """
    target: patients
    split: {scheme: leave_one_out, by: place}
    columns: {place: category}
"""
GRADES = """
    target: skiers
    slices: {columns: [grade], worse_than_overall: 25%}
    split: {folds: 4, repeats: 1}
"""
WINTERS = """
    target: skiers
    time: day
    split: {scheme: forward, folds: 2}
"""


def clinics() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"place": PLACE, "beds": rng.uniform(10, 50, N), "patients": rng.normal(100, 10, N)})


def runs() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    grade = np.array(["green", "blue", "black"])[np.arange(N) % 3]
    return pd.DataFrame({"grade": grade, "snow": rng.uniform(0, 80, N), "skiers": rng.normal(300, 50, N)})


def winters(snow: float) -> Callable[[], pd.DataFrame]:
    """Return days of which those at the end had up to so many centimetres of snow, and those before up to 60."""

    def rows() -> pd.DataFrame:
        rng = np.random.default_rng(0)
        depth = rng.uniform(0, np.where(np.arange(N) > 0.9 * N, snow, 60.0))
        day = pd.date_range("2000-01-03", periods=N, freq="7D")
        return pd.DataFrame({"day": day, "snow": depth, "skiers": rng.normal(300, 50, N)})

    return rows


def off(target: str, error: Callable[[pd.DataFrame], Any]) -> Callable[[pd.DataFrame], dict[str, Any]]:
    """Return predictions that are off by this much, to both sides."""
    return lambda frame: {"linear": frame[target].to_numpy() + error(frame) * np.where(np.arange(N) % 2, 1, -1)}


EXAMPLES = [
    Example(
        "M04",
        on="glacier",
        severity="warn",
        fires=after(
            "At two of five places, the glacier and the park, a model is worse than the mean of the others.",
            CLINICS,
            clinics,
            off(
                "patients", lambda frame: np.where(frame["place"].isin(["glacier", "park"]), np.where(frame["place"] == "park", 12, 13), 3)
            ),
        ),
        silent=after(
            "At each of five places a model misses by less than the mean of the others does.",
            CLINICS,
            clinics,
            off("patients", lambda frame: np.where(frame["place"].isin(["glacier", "park"]), 5, 3)),
        ),
    ),
    Example(
        "M06",
        on="grade black",
        severity="warn",
        fires=after(
            "On black runs the model misses by 30 skiers, on the others by 10.",
            GRADES,
            runs,
            off("skiers", lambda frame: np.where(frame["grade"] == "black", 30, 10) + frame["snow"] / 20),
        ),
        silent=after(
            "On black runs it misses by 11 skiers, on the others by 10.",
            GRADES,
            runs,
            off("skiers", lambda frame: np.where(frame["grade"] == "black", 11, 10) + frame["snow"] / 20),
        ),
    ),
    Example(
        "M10",
        on="snow",
        severity="warn",
        fires=after(
            "The last tenth of the days brought up to 120 cm of snow, where no day before had more than 60; there the model is far off.",
            WINTERS,
            winters(120),
            off("skiers", lambda frame: np.where(frame["snow"] > 60, 40, 10)),
        ),
        silent=after(
            "No day brought more snow than the days before it had.",
            WINTERS,
            winters(60),
            off("skiers", lambda frame: 10),
        ),
    ),
]
