"""Small problems of every framing, form of rows and cost, fitted and judged in this process."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from piste.core.case import Case, weigh
from piste.core.entrants import court_of, entrants_of
from piste.core.framing import State
from piste.core.judge import Members, members
from piste.engine import wanted_model
from piste.prepare import Prepared
from piste.work import Wanted
from tests.cases import fitted, prepared

DAYS, RUNS = 40, ("a", "b", "c")
COST = {"over": 1, "under": 4}
EVENT = {"false_alarm": 40, "miss": 200}
MARSHALS = {"none": [0, 60, 240], "one": [40, 0, 90], "two": [90, 45, 0]}
LEVELS = {"of": "count / capacity", "cuts": [0.3, 0.6], "names": ["low", "mid", "high"]}
ORDER = ["low", "mid", "high"]


def rows(days: int = DAYS, *, seed: int = 0, start: str = "2024-01-01") -> pd.DataFrame:
    """Return days of three runs in no order, with a missing number here and there, and a target of each kind."""
    rng = np.random.default_rng(seed)
    n = days * len(RUNS)
    snow, run = np.repeat(rng.normal(size=days), len(RUNS)), np.tile(RUNS, days)
    size = pd.Series(run).map({"a": 10.0, "b": 16.0, "c": 25.0}).to_numpy()
    expected = size * np.exp(0.4 * snow - 0.8)
    count = rng.poisson(expected * rng.gamma(8, 1 / 8, n))
    return pd.DataFrame(
        {
            "day": np.repeat(pd.date_range(start, periods=days), len(RUNS)),
            "run": run,
            "snow": np.where(rng.random(n) < 0.05, np.nan, snow),
            "capacity": size,
            "y": expected + rng.normal(0, 2, n),
            "z": -expected + rng.normal(0, 1, n),
            "count": count,
            "busy": np.where(count > 0.6 * size, "yes", "no"),
            "kind": np.array(["red", "green", "blue"])[rng.permutation(np.argmax(rng.random((n, 3)) + np.eye(3)[count % 3], axis=1))],
            "grade": np.array(ORDER)[np.digitize(count / size, [0.3, 0.6])],
        }
    ).sample(frac=1, random_state=seed).reset_index(drop=True)  # fmt: skip


def problem(target: str | dict[str, Any] | list[str], framings: Any, **keys: Any) -> dict[str, Any]:
    """Return a problem on the rows, with the columns of the other targets left out."""
    named = target if isinstance(target, list) else [target["column"] if isinstance(target, dict) else target]
    others = {"y", "z", "count", "busy", "kind", "grade"} - set(named)
    return {"target": target, "framings": framings, "columns": dict.fromkeys(sorted(others), "drop"), "unit": ["day", "run"], **keys}


KFOLD = {"time": "day", "split": {"scheme": "kfold", "together": "day", "folds": 3, "repeats": 1}}
CUT = {"column": "count", "kind": "count", "levels": LEVELS}
TIMED = {"time": "day", "split": {"folds": 3}}
ALL_OF_A_COUNT = ["mean", "distribution", "quantiles"]
ALL_OF_LEVELS = [*ALL_OF_A_COUNT, "classes", "ordered"]
SHAPED = {
    "all_at_once": {"as": "mean", "wide": "run"},
    "each_run": {"as": "mean", "apart": "run"},
    "each_ordered": {"as": "ordered", "apart": "run"},
    "each_in_classes": {"as": "classes", "apart": "run"},
}
PROBLEMS: Mapping[str, dict[str, Any]] = {
    "a number": problem("y", ["mean"], **KFOLD),
    "a number by its median": problem("y", ["mean", "quantiles"], metric="mae", **KFOLD),
    "a count": problem({"column": "count", "kind": "count"}, ["mean", "distribution"], **KFOLD),
    "classes": problem("kind", ["classes"], **KFOLD),
    "an order": problem({"column": "grade", "kind": "ordered", "order": ORDER}, ["classes", "ordered"], **KFOLD),
    "an amount": problem({"column": "count", "kind": "count"}, ALL_OF_A_COUNT, decision={"cost": COST}, **KFOLD),
    "an event": problem("busy", ["classes"], decision={"cost": EVENT}, **KFOLD),
    "actions": problem(CUT, ALL_OF_LEVELS, decision={"cost": MARSHALS}, **KFOLD),
    "a budget": problem(CUT, ALL_OF_LEVELS, decision={"cost": MARSHALS, "budget": {"units": 2, "per": "day"}}, **KFOLD),
    "shapes": problem(CUT, SHAPED, decision={"cost": MARSHALS}, **TIMED | {"split": {"folds": 3, "together": "day"}}),
    "lags": problem(
        CUT,
        {"mean": None, "with_lags": {"as": "mean", "add": ["count@-1d", "count@-2d / capacity", "2 * capacity"]}},
        decision={"cost": MARSHALS},
        baselines={"last_week": "count@-7d"},
        **TIMED,
    ),
    "several": problem(["y", "z"], None, split={"folds": 3, "repeats": 1}),
}
SMALL = ["linear", {"tree": {"max_depth": 3, "min_samples_leaf": 5}}, "blend"]


@dataclass(frozen=True)
class Judged:
    """A problem, the case that was made of it, and what is refitted for each row of its leaderboard."""

    at: Prepared
    case: Case
    states: Mapping[str, State]
    members: Members

    def wanted(self, id: str) -> Wanted:
        """Say what is refitted for a row."""
        [row] = [row for row in self.case.rows if row.id == id]
        return wanted_model(self.at, row, self.states[id], self.members[id])


def case_of(at: Prepared) -> Judged:
    """Fit and judge a problem."""
    outcomes = {candidate.key: fitted(at, candidate) for candidate in at.plan.candidates}
    court = court_of(at.resolved, at.folds)
    entrants = [
        each
        for candidate in at.plan.candidates
        for each in entrants_of(at.resolved, at.folds, at.plan, court, candidate, outcomes[candidate.key])
    ]
    case = weigh(at.resolved, at.folds, at.plan, court, entrants, outcomes, at.truth())
    return Judged(at, case, case.states, members(case))


@cache
def judged(name: str) -> Judged:
    """Fit and judge one of the problems, once."""
    return case_of(prepared(rows(), **{"families": SMALL} | PROBLEMS[name]))
