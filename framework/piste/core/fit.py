"""One cell: candidates of a family learn the training rows of a fold and predict its test rows."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from piste.core.data import Target
from piste.core.family import Family, Params, Rows, Task
from piste.core.features import learn
from piste.core.framing import Framing
from piste.core.metrics import usual
from piste.core.model import Constant, Member, predict
from piste.core.plan import Cell
from piste.core.split import Fold, Folds

TRAIN_SAMPLE = 2_000  # training rows that the metrics beside the out-of-fold ones are taken on


@dataclass(frozen=True, slots=True)
class Study:
    """What all cells of a comparison share; read-only, sent to each worker once."""

    expanded: pd.DataFrame  # features, as core/features.py expands them
    rules: pd.DataFrame  # the further columns that baselines read: units, time, lags
    target: Target
    weight: np.ndarray
    folds: Folds
    seed: int


@dataclass(frozen=True, slots=True)
class Predicted:
    """What one candidate did on one fold."""

    predictions: np.ndarray  # (n_test,) or (n_test, n_classes)
    train_metrics: dict[str, float]
    fit_seconds: float
    predict_seconds: float
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a candidate has no predictions on a fold, as a sentence."""

    reason: str


Outcome = Predicted | Failed
_Fitted = tuple[tuple[np.ndarray, ...], float, float, tuple[str, ...]]  # predictions, fit and predict seconds, notes


def seed_of(seed: int, cell_parts: Sequence[object], params: Params) -> int:
    """Derive a seed from what is fitted, so that order and workers change nothing."""
    text = json.dumps([seed, [str(part) for part in cell_parts], sorted(params.items())], default=str)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % 2**31


def fit_cell(study: Study, cell: Cell, family: Family, framing: Framing, clock: Callable[[], float]) -> list[Predicted]:
    """Fit every candidate of a cell and predict the fold's test rows, and a sample of its training rows.

    Args:
        study: table and folds.
        cell: what to fit.
        family: of the cell's entry.
        framing: of the cell.
        clock: seconds.

    Raises:
        Exception: whatever the family raises; the caller tries the candidates one by one.
    """
    fold = study.folds.folds[cell.fold]
    task = _task(study, framing, max(len(each.train) for each in study.folds.folds))
    data = _Prepared.of(study, fold, family, framing)
    sample = _sample(len(fold.train), study.seed)
    tests = (data.matrix(fold.test), data.train.take(sample).X)
    seeds = [seed_of(study.seed, (cell.framing, cell.fold), candidate.params) for candidate in cell.candidates]
    one_class = framing.kind == "classes" and len(np.unique(data.train.y)) == 1
    if family.fit_fold and not one_class:
        start = clock()
        points = [candidate.params for candidate in cell.candidates]
        found = family.fit_fold(task, points, data.train, fold.stop, tests, seeds)
        share = (clock() - start) / len(points)
        outcomes: list[_Fitted] = [(predictions, share, 0.0, ()) for predictions in found]
    else:
        outcomes = [
            _fit_and_predict(task, family, candidate.params, data.train, fold.stop, tests, seed, clock)
            for candidate, seed in zip(cell.candidates, seeds, strict=True)
        ]
    y = data.train.y[sample]
    weight = data.train.sample_weight[sample]
    return [
        Predicted(at_test, usual(study.target.kind, y, at_train, weight), fit_seconds, predict_seconds, notes)
        for (at_test, at_train), fit_seconds, predict_seconds, notes in outcomes
    ]


def refit(study: Study, family: Family, framing: Framing, params: Params, weight: float) -> Member:
    """Fit one candidate on every row but the holdout."""
    data = _Prepared.of(study, study.folds.whole, family, framing)
    task = _task(study, framing, len(study.folds.whole.train))
    seed = seed_of(study.seed, (framing.name, "whole"), params)
    estimator, _ = fit_one(task, family, params, data.train, study.folds.whole.stop, seed)
    return Member(weight, family.name, data.encoding, estimator)


def fit_one(task: Task, family: Family, params: Params, train: Rows, stop: np.ndarray, seed: int) -> tuple[Any, tuple[str, ...]]:
    """Fit one candidate; return the estimator, and notes such as "not converged"."""
    if task.kind == "classes" and len(present := np.unique(train.y)) == 1:
        return Constant(int(present[0])), ("only one class in the training rows",)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if family.fit:
            estimator = family.fit(task, params, train, stop, seed)
        else:
            estimator = family.build(task, params, seed)
            estimator.fit(train.X, train.y, sample_weight=train.sample_weight)
    stuck = any(warning.category.__name__ == "ConvergenceWarning" for warning in caught)
    return estimator, ("not converged",) * stuck


def _fit_and_predict(
    task: Task,
    family: Family,
    params: Params,
    train: Rows,
    stop: np.ndarray,
    tests: tuple[Any, ...],
    seed: int,
    clock: Callable[[], float],
) -> _Fitted:
    start = clock()
    estimator, notes = fit_one(task, family, params, train, stop, seed)
    fitted = clock()
    at_test = predict(task, estimator, tests[0])
    predicted = clock()
    rest = [predict(task, estimator, X) for X in tests[1:]]
    return (at_test, *rest), fitted - start, predicted - fitted, notes


def _task(study: Study, framing: Framing, n_train: int) -> Task:
    return Task(framing.kind, n_train, len(study.target.labels) if framing.kind == "classes" else 0)


def _sample(n: int, seed: int) -> np.ndarray:
    """Choose training rows to judge, in order."""
    return np.arange(n) if n <= TRAIN_SAMPLE else np.sort(np.random.default_rng([seed, 4]).choice(n, TRAIN_SAMPLE, replace=False))


@dataclass(frozen=True, slots=True)
class _Prepared:
    """The matrices of a fold, learnt on its training rows."""

    frame: pd.DataFrame
    encoding: Any
    train: Rows

    @staticmethod
    def of(study: Study, fold: Fold, family: Family, framing: Framing) -> _Prepared:
        frame = pd.concat([study.expanded, study.rules], axis=1) if family.matrix == "raw" else study.expanded
        encoding = learn(frame, fold.train, family.matrix)
        y = framing.y(study.target)[fold.train]
        X = encoding.apply(frame.iloc[fold.train])
        return _Prepared(frame, encoding, Rows(X, y, study.weight[fold.train], encoding.names, encoding.categorical))

    def matrix(self, rows: np.ndarray) -> Any:
        return self.encoding.apply(self.frame.iloc[rows])
