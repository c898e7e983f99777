"""What a comparison found, whole: all that is printed, logged, drawn and shown again comes from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from piste.core.data import Target
from piste.core.family import Value


@dataclass(frozen=True, slots=True)
class Judged:
    """A row of the leaderboard: the best column of a framing x family x rule."""

    framing: str
    family: str  # the name of the entry in `families:`, e.g. "forest"; of a baseline, "baseline:climatology"
    rule: str
    title: str  # "Linear regression (ridge, alpha 0.3)"
    params: Mapping[str, Value]
    tier: int
    cost: float  # the mean loss in the unit of `cost_name`; lower is better
    cost_lo: float  # 95 % interval
    cost_hi: float
    gain_vs_baseline: float  # 1 - cost / cost of the best baseline
    gain_lo: float
    gain_hi: float
    tied_with_best: bool
    metrics: Mapping[str, float]  # out of fold, by scikit-learn's names
    train_metrics: Mapping[str, float]  # the same on training rows
    fold_costs: tuple[float, ...]  # (n_folds,) in the unit of `cost_name`, repeats apart
    fit_seconds: float  # of one fit, mean over the folds
    predict_seconds: float
    n_trials: int  # columns that it was chosen from
    notes: tuple[str, ...] = ()  # "2 of 10 trials failed: ...", "not converged"
    status: Literal["ok"] = "ok"
    reason: str = ""

    @property
    def id(self) -> str:
        """Name the row in frames, tags and file names."""
        return f"{self.framing}/{self.family}/{self.rule}"


@dataclass(frozen=True, slots=True)
class Absent:
    """A row without a result: a family that was skipped, or failed, with the reason as a sentence."""

    framing: str
    family: str
    title: str
    status: Literal["skipped", "failed"]
    reason: str

    @property
    def id(self) -> str:
        """Name the row in frames, tags and file names."""
        return f"{self.framing}/{self.family}"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do, in one word and in one sentence."""

    name: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that a comparison found.

    `predictions` has one line per judged row and repeat: `row` (0-based row of the table), `fold`, `repeat`, `y` (in
    words where classes), then one column per leaderboard row id (or `id[label]` for each class). `losses` has one line
    per judged row: `row`, `block`, then one column per candidate x rule, named by `columns`. `trials` has, per
    leaderboard row id, one line per hyperparameter setting: params, `cost`, `fit_seconds`, `status`, `reason`.
    """

    key: str  # sha256 of all that determines it, 64 hexadecimal digits
    problem: str
    question: str
    resolved: str  # the resolved problem as YAML, each default with its reason
    digest: str
    source: str  # "data/ski_days.csv"
    n_rows: int
    n_judged: int
    n_columns: int  # compared, hyperparameters included
    target: Target
    schema: Mapping[str, str]  # feature -> kind
    metric: str
    cost_name: str
    judged: tuple[Judged, ...]  # best first
    absent: tuple[Absent, ...]
    champion: str  # id of the row
    best_baseline: str  # id of the row
    verdict: Verdict
    fold_names: tuple[str, ...]  # "season 2023-24", "fold 1 (repeat 2)"
    predictions: pd.DataFrame
    losses: pd.DataFrame
    columns: pd.DataFrame  # one line per column of the loss matrix: column, framing, family, rule, params
    trials: Mapping[str, pd.DataFrame]
    notes: tuple[str, ...] = ()

    def row(self, id: str) -> Judged:
        """Return a judged row by its id."""
        return next(row for row in self.judged if row.id == id)
