"""The data sets of the benchmark, each divided once: four fifths to learn from, a fifth that neither side sees."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

SHARED = Path(__file__).parents[2] / "shared" / "data"
HOLDOUT_SEED = 20250301  # which fifth is held out
FOLD_SEED = 0


@dataclass(frozen=True)
class Set:
    """A table to learn from, as a person would describe it to either side."""

    name: str
    file: str
    target: str
    task: Literal["regression", "classification"]
    metric: str  # scikit-learn's word for it, and piste's
    categories: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    most: int | None = None  # rows to learn from, for both sides: with more, one kind of model of the notebook takes over ten minutes

    @property
    def path(self) -> Path:
        """Return where the table is, whether or not it is there."""
        return SHARED / self.name / self.file

    def divided(self, split: int = 0, most: int | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the rows to learn from and the held-out rows.

        Args:
            split: which of several fifths is held out.
            most: rows to learn from; `self.most` where not given.
        """
        frame = pd.read_csv(self.path).drop(columns=[*self.drop])
        order = np.random.default_rng(HOLDOUT_SEED + split).permutation(len(frame))
        cut = len(frame) // 5
        learnt = order[cut:][: most or self.most]
        return frame.iloc[learnt].reset_index(drop=True), frame.iloc[order[:cut]].reset_index(drop=True)

    def score(self, y: np.ndarray, prediction: np.ndarray) -> float:
        """Return the error on held-out rows: RMSE, or the share of wrong labels; lower is better."""
        if self.task == "regression":
            return float(np.sqrt(np.mean((y - prediction) ** 2)))
        return float(np.mean(y.astype(str) != prediction.astype(str)))


SETS = {
    found.name: found
    for found in (
        Set("concrete", "data.csv", "strength", "regression", "rmse"),
        Set("phoneme", "data.csv", "Class", "classification", "accuracy"),
        Set(
            "bike_hour",
            "hour.csv",
            "cnt",
            "regression",
            "rmse",
            categories=("season", "mnth", "hr", "weekday", "weathersit"),
            drop=("instant", "dteday", "casual", "registered"),
        ),
        Set("california_housing", "housing.csv", "median_house_value", "regression", "rmse", categories=("ocean_proximity",), most=6_000),
        Set(
            "adult",
            "data.csv.gz",
            "income",
            "classification",
            "accuracy",
            categories=(*("workclass", "education", "marital_status", "occupation", "relationship", "race", "sex", "native_country"),),
            drop=("split",),
            most=8_000,
        ),
    )
}
