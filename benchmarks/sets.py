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

    @property
    def path(self) -> Path:
        """Return where the table is, whether or not it is there."""
        return SHARED / self.name / self.file

    def divided(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return the rows to learn from and the held-out rows."""
        frame = pd.read_csv(self.path).drop(columns=[*self.drop])
        order = np.random.default_rng(HOLDOUT_SEED).permutation(len(frame))
        cut = len(frame) // 5
        return frame.iloc[order[cut:]].reset_index(drop=True), frame.iloc[order[:cut]].reset_index(drop=True)

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
    )
}
