"""Tuning inside the training rows beside the full grid: `python -m benchmarks.tuning [FAMILY or SET ...]`."""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from benchmarks.figures import keep
from benchmarks.sets import SHARED
from piste.core.calibrate import temper
from piste.core.family import Family, Params, Rows, Task
from piste.core.features import Encoding, expand, learn
from piste.core.fit import fit_one
from piste.core.metrics import log_loss
from piste.core.model import predict
from piste.core.problem import Entry
from piste.core.search import settings
from piste.families import NAMES, family

PACKAGES = ("piste", "scikit-learn", "lightgbm", "numpy")
TRIALS = 9  # settings beside the default
MOST_ROWS = 2_500  # to learn from: the grid of the largest would take an hour
MOST_HELD = 10_000  # rows to judge by, which neither side sees
FOLDS = 5
SPLITS = 3
STOP_SHARE = 0.2
TARGETS = {"forest": 3.5, "boosting": 2.5, "svm": 3.0}  # times less; at a regret under 1 % in the mean over the sets


@dataclass(frozen=True)
class Table:
    """A set to learn from."""

    file: str
    target: str
    drop: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


TABLES = {
    "concrete": Table("data.csv", "strength"),
    "phoneme": Table("data.csv", "Class"),
    "california_housing": Table("housing.csv", "median_house_value"),
    "bike_hour": Table("hour.csv", "cnt", ("instant", "dteday", "casual", "registered"), ("season", "mnth", "hr", "weekday", "weathersit")),
    "adult": Table("data.csv.gz", "income", ("split",)),
}
CLASSES = ("phoneme", "adult")


@dataclass(frozen=True)
class Divided:
    """Rows to learn from and rows to judge by, as a family wants them, and the folds of the former."""

    task: Task
    expanded: pd.DataFrame
    y: np.ndarray
    learnt: np.ndarray  # row numbers
    held: np.ndarray
    part: np.ndarray  # (n_learnt,) fold of each

    def rows(self, kin: Family, train: np.ndarray, others: Sequence[np.ndarray]) -> tuple[Rows, list[Any]]:
        """Return training rows, and the matrices of other rows, encoded by what the training rows teach."""
        encoding: Encoding = learn(self.expanded, train, kin.matrix)
        named = (encoding.names, encoding.categorical)
        rows = Rows(encoding.apply(self.expanded.iloc[train]), self.y[train], np.ones(len(train)), *named)
        return rows, [encoding.apply(self.expanded.iloc[other]) for other in others]

    def stop(self, train: np.ndarray) -> np.ndarray:
        """Set a fifth of the training rows aside, of each class the same share."""
        rng, aside = np.random.default_rng(len(train)), np.zeros(len(train), dtype=bool)
        groups = self.y[train] if self.task.kind == "classes" else np.zeros(len(train))
        for group in np.unique(groups):
            members = rng.permutation(np.flatnonzero(groups == group))
            aside[members[: int(len(members) * STOP_SHARE)]] = True
        return aside


def divided(name: str, split: int) -> Divided:
    """Divide a set."""
    about = TABLES[name]
    frame = pd.read_csv(SHARED / name / about.file).drop(columns=[*about.drop])
    rng = np.random.default_rng([split, 2025])
    frame = frame.iloc[rng.permutation(len(frame))].reset_index(drop=True)
    classes = name in CLASSES
    y = pd.factorize(frame[about.target], sort=True)[0] if classes else frame[about.target].to_numpy(float)
    X = frame.drop(columns=about.target)
    for column in X.columns:
        if column in about.categories or not pd.api.types.is_numeric_dtype(X[column]):
            X[column] = X[column].astype("str").where(X[column].notna())
    n = min(MOST_ROWS, len(X) * 4 // 5)
    part = np.empty(n, dtype=int)
    for group in np.unique(y[:n]) if classes else [None]:
        members = np.arange(n) if group is None else np.flatnonzero(y[:n] == group)
        part[rng.permutation(members)] = np.arange(len(members)) % FOLDS
    task = (
        Task("classes", n - n // FOLDS, int(y.max()) + 1, exchangeable=True) if classes else Task("mean", n - n // FOLDS, exchangeable=True)
    )
    return Divided(task, expand(X, [*X.columns]), y, np.arange(n), np.arange(n, min(len(X), n + MOST_HELD)), part)


@dataclass(frozen=True)
class Outcome:
    """What predictions of every row came to, and the CPU seconds that they took."""

    out_of_fold: np.ndarray  # (n_learnt, ...)
    held: np.ndarray  # (n_held, ...)
    fold_seconds: float  # of all folds
    chosen: tuple[int, ...] = ()  # of each fold, then of the refit


def of_setting(kin: Family, at: Divided, point: Params) -> Outcome:
    """Fit one setting on every fold, and on all rows."""
    return _outcome(kin, at, lambda rows, stop: (0, point))


def of_choice(kin: Family, at: Divided, points: Sequence[Params]) -> Outcome:
    """Choose a setting inside the training rows of every fold, and inside all rows."""

    def chosen(rows: Rows, stop: np.ndarray) -> tuple[int, Params]:
        assert kin.tune, "only families that tune are measured"
        number = kin.tune(at.task, points, rows, stop, 7)
        return number, points[number]

    return _outcome(kin, at, chosen)


def _outcome(kin: Family, at: Divided, choose: Any) -> Outcome:
    shape = (at.task.n_classes,) if at.task.n_classes else ()
    found, seconds, chosen = np.zeros((len(at.learnt), *shape)), 0.0, []
    for fold in [*range(FOLDS), None]:
        train = at.learnt if fold is None else at.learnt[at.part != fold]
        test = at.held if fold is None else at.learnt[at.part == fold]
        rows, [X] = at.rows(kin, train, [test])
        task = replace(at.task, n_train=len(train))
        start = time.process_time()
        number, point = choose(rows, at.stop(train))
        estimator, _ = fit_one(task, kin, point, rows, at.stop(train), 11)
        said = predict(task, estimator, X)
        chosen.append(number)
        if fold is None:
            return Outcome(found, said, seconds, tuple(chosen))
        seconds += time.process_time() - start
        found[at.part == fold] = said
    raise AssertionError("the refit comes last")


def errors(at: Divided, outcome: Outcome) -> tuple[float, float]:
    """Return the error out of fold and on held-out rows: RMSE, or log loss once probabilities are repaired, as piste judges them."""
    y, held = at.y[at.learnt], at.y[at.held]
    if at.task.kind != "classes":
        return float(np.sqrt(np.mean((y - outcome.out_of_fold) ** 2))), float(np.sqrt(np.mean((held - outcome.held) ** 2)))
    repair = temper(outcome.out_of_fold, y, np.ones(len(y)))
    return float(log_loss(y, repair.apply(outcome.out_of_fold)).mean()), float(log_loss(held, repair.apply(outcome.held)).mean())


def measured(kin: Family, name: str, split: int) -> dict[str, Any]:
    """Measure both sides on one division of a set."""
    at = divided(name, split)
    points = settings(kin.space(at.task), Entry(name=kin.name, family=kin.name), TRIALS, split)
    grid = [of_setting(kin, at, point) for point in points]
    scored = [errors(at, each) for each in grid]
    best = min(range(len(points)), key=lambda number: scored[number][0])
    inside = of_choice(kin, at, points)
    seconds = sum(each.fold_seconds for each in grid)
    return {
        "family": kin.name,
        "target": TARGETS[kin.name],
        "set": name,
        "split": split,
        "rows": len(at.learnt),
        "settings": len(points),
        "grid_seconds": seconds,
        "inside_seconds": inside.fold_seconds,
        "ratio": seconds / inside.fold_seconds,
        "ratio_with_default": seconds / (inside.fold_seconds + grid[0].fold_seconds),
        "grid": scored[best][1],
        "default": scored[0][1],
        "inside": (error := errors(at, inside)[1]),
        "regret": error / scored[best][1] - 1,
        "chosen": inside.chosen,
        "grid_chose": best,
    }


def line(outcomes: Sequence[dict[str, Any]]) -> str:
    """Lay the splits of one set out."""
    first = outcomes[0]
    seconds = [statistics.median(each[side] for each in outcomes) for side in ("grid_seconds", "inside_seconds")]
    ratios = [statistics.median(each[name] for each in outcomes) for name in ("ratio", "ratio_with_default")]
    regrets = [100 * statistics.mean(each["regret"] for each in outcomes)]
    regrets += [100 * statistics.mean(each["default"] / each["grid"] - 1 for each in outcomes)]
    times = "".join(f"{each:>9.1f} s" for each in seconds) + "".join(f"{each:>8.1f}x" for each in ratios)
    return f"{first['family']:10}{first['set']:20}{first['rows']:>7,}{times}" + "".join(f"{each:>+9.2f} %" for each in regrets)


def main(words: Sequence[str]) -> None:
    """Measure families that tune on the sets that are here, print a table, and write the figures."""
    tuning = [name for name in TARGETS if name in NAMES and family(name).tune]
    chosen = [name for name in tuning if name in words] or tuning
    sets = [name for name in TABLES if name in words] or [*TABLES]
    if unknown := set(words) - {*tuning, *TABLES}:
        sys.exit(f"there is no '{sorted(unknown)[0]}': choose from {', '.join([*tuning, *TABLES])}")
    print(f"{'':30}{'rows':>7}{'grid':>11}{'inside':>11}{'less':>9}{'+ default':>9}{'regret':>11}{'default':>11}")
    everything = []
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a setting that does not converge is said so in piste; here it is timed
        for name in chosen:
            found = []
            for each in sets:
                if not (SHARED / each / TABLES[each].file).exists():
                    print(f"{each}: left out, needs ../shared/data/{each}/{TABLES[each].file}")
                    continue
                found.append([measured(family(name), each, split) for split in range(SPLITS)])
                print(line(found[-1]), flush=True)
            if not found:
                continue
            ratio = statistics.median(each["ratio"] for rows in found for each in rows)
            regret = 100 * statistics.mean(statistics.mean(each["regret"] for each in rows) for rows in found)
            print(f"{name:10}{'all':20}{'':7}{'':22}{ratio:>8.1f}x{'':9}{regret:>+9.2f} %   target {TARGETS[name]:g}x, under 1 %\n")
            everything += [each for rows in found for each in rows]
    print(f"CPU seconds of {FOLDS} folds, median of {SPLITS} divisions; the grid fits every setting, inside chooses and fits one.")
    print("+ default: beside the column of the default, which piste fits too. regret: error of the setting chosen inside against")
    print("that of the grid's, on rows that neither sees, mean of the divisions; default: of the default against the grid's.")
    keep("tuning", PACKAGES, everything, whole=len(everything) == len(TARGETS) * len(TABLES) * SPLITS)


if __name__ == "__main__":
    main(sys.argv[1:])
