"""What a comparison found, whole: all that is printed, logged, drawn and shown again comes from here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from piste.core.data import Target
from piste.core.family import Value
from piste.core.finding import Finding

OUTSIDE = "outside"  # what the names of rows begin with whose predictions were made elsewhere, as in "outside:sheet"


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
    n_trials: int  # columns that it was chosen from; the cost is corrected for the choice
    own_score: float = float("nan")  # mean of the loss that its framing is fitted by
    actions: Mapping[str, float] = field(default_factory=dict)  # how often it takes each action, where actions are priced
    value: float = float("nan")  # share of what perfect foresight would save over the best baseline
    details: tuple[str, ...] = ()  # how it came about: "chose 300 trees in 3 of 4 folds, ..."
    notes: tuple[str, ...] = ()  # what to look after: "2 of 10 trials failed: ...", "not converged"
    status: Literal["ok"] = "ok"
    reason: str = ""

    @property
    def id(self) -> str:
        """Name the row in frames, tags and file names."""
        return f"{self.framing}/{self.family}/{self.rule}"

    @property
    def is_outside(self) -> bool:
        """Tell a row whose predictions were made elsewhere: there is no model of it here."""
        return self.family.startswith(f"{OUTSIDE}:")


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
class Interval:
    """A number with its 95 % interval; an end is NaN where too little is known."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Claimed:
    """What may be claimed of the champion against the baseline to beat, corrected for all candidates at once.

    Gains are of mean losses: in the unit of the cost, or of the loss behind the metric (squared errors behind RMSE); the
    shares are of the shown cost.
    """

    gain: Interval  # the baseline's mean loss minus the champion's; the ends hold for all columns at once
    share: Interval  # the same as a share of the baseline's shown cost
    best: float  # the largest upper end of any model's share: what no model can exceed
    delta: float  # the smallest gain worth shipping
    needed: float  # as a share of the baseline's shown cost
    n_blocks: int
    n_required: float  # blocks that would settle it if the gain is what it seems; infinite where it is not above delta
    by: str  # "blocks drawn again", "few blocks: Student's t", "Nadeau and Bengio"


@dataclass(frozen=True, slots=True)
class Versus:
    """The champion beside the best of the other rows, and the baseline: probabilities over other splits (Benavoli et al. 2017)."""

    other: str  # id of the row
    worse: float
    same: float  # within what counts as no difference
    better: float


@dataclass(frozen=True, slots=True)
class Terms:
    """What the numbers were computed under: with the losses and the columns beside them, anyone can compute them again."""

    seed: int
    ordered: bool  # blocks follow each other in time, and are drawn in runs
    confidence: float  # of the claim
    rope: float  # a difference of mean losses too small to matter
    degrees: float | None  # of freedom of the errors in `columns`, where rows are so few that those of the bootstrap are too small


@dataclass(frozen=True, slots=True)
class Curve:
    """What more rows would bring the champion."""

    points: pd.DataFrame  # entry, title, rows, blocks, cost, cost_lo, cost_hi: a line per curve and size, the champion's first
    at_double: Interval  # the champion's cost on twice the rows, 80 % band
    falls: float  # probability that twice the rows bring more than counts as no difference
    matters: float  # probability that with twice the rows the gain over the baseline reaches delta
    sentences: tuple[str, ...]  # who overtakes whom, and what more rows would bring


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that a comparison found.

    `predictions` has one line per judged row and repeat: `row` (0-based row of the table), `fold`, `repeat`, `y` (in
    words where classes), then one column per leaderboard row id (or `id[label]` for each class), and where a decision is
    priced `id action`. `losses` has one line per judged row: `row`, `block`, `weight`, `slice NAME` for each column of
    `slices`, then one column per candidate x rule, named by `columns`, and the reference rows. `trials` has, per
    leaderboard row id, one line per hyperparameter setting: params, `cost`, `fit_seconds`, `status`, `reason`; settings that were
    chosen from inside the training rows have status "inside" and no cost, the choice itself is a line of its own (`tuned`); settings
    that were dropped on the way, or that the budget did not reach, have status "left".
    Of `columns`, `role` is "model" where a column may be champion, "rule" where it is to be beaten, else empty; the lower its `rank`,
    the simpler it is; `error` is the standard error of its gain where `terms.degrees` is given, else missing.
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
    columns: pd.DataFrame  # one line per column of the loss matrix: column, framing, family, rule, params, title, role, rank, error
    trials: Mapping[str, pd.DataFrame]
    states: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # row id -> what makes its predictions a distribution
    priced: bool = False  # whether costs are those of a decision, not a metric
    per_year: float | None = None  # decisions
    references: tuple[Judged, ...] = ()  # what nobody could ship: perfect foresight, the truth of a simulated world
    estimate: Interval | None = None  # what the champion will cost, corrected for having been chosen
    claimed: Claimed | None = None
    next_period: Interval | None = None  # gain of the champion to be expected in one more period, where periods are few
    versus: Versus | None = None
    curve: Curve | None = None
    terms: Terms | None = None
    findings: tuple[Finding, ...] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)  # what findings were read from: cost_range, slices, stakes ...
    spared: Mapping[str, str] = field(default_factory=dict)  # checks that had nothing to look at, each with its reason
    silent: tuple[str, ...] = ()  # checks that looked and found nothing
    notes: tuple[str, ...] = ()

    @property
    def valid(self) -> bool:
        """Tell whether its scores count: nothing is open that must be resolved first."""
        return not any(each.severity == "block" and not each.acknowledged for each in self.findings)

    def row(self, id: str) -> Judged:
        """Return a judged row by its id."""
        return next(row for row in (*self.judged, *self.references) if row.id == id)
