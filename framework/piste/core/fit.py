"""One cell: candidates of a family learn the training rows of a fold and predict its test rows."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from piste.core.curve import nested
from piste.core.data import Target
from piste.core.family import Family, Params, Rows, Task
from piste.core.framing import Form, Framing
from piste.core.metrics import usual
from piste.core.model import Constant, Member, predict
from piste.core.plan import Cell
from piste.core.search import Candidate
from piste.core.shape import Lesson, Source, lay_out
from piste.core.split import Fold, Folds

TRAIN_SAMPLE = 2_000  # training rows that the metrics beside the out-of-fold ones are taken on


@dataclass(frozen=True, slots=True)
class Study:
    """What all cells of a comparison share; read-only, sent to each worker once."""

    expanded: pd.DataFrame  # features, as core/features.py expands them
    rules: pd.DataFrame  # the further columns that baselines read: units, time, lags
    added: Mapping[str, pd.DataFrame]  # framing -> its further feature columns
    names: pd.DataFrame  # columns that say which row it is
    target: Target
    weight: np.ndarray
    folds: Folds
    forms: Mapping[str, Form]  # framing, as this problem names it -> its form
    seed: int
    exchangeable: bool = False  # rows are set apart one by one, in no order


@dataclass(frozen=True, slots=True)
class Predicted:
    """What one candidate did on one fold."""

    predictions: np.ndarray  # (n_test,) or (n_test, n_classes)
    train_metrics: dict[str, float]
    fit_seconds: float
    predict_seconds: float
    notes: tuple[str, ...] = ()
    chosen: tuple[int, ...] = ()  # of a candidate of several points: which, for each of the lessons


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a candidate has no predictions on a fold, as a sentence."""

    reason: str


@dataclass(frozen=True, slots=True)
class Left:
    """Why a candidate was not computed on a fold, though it might have been: "dropped after fold 2"."""

    reason: str


Outcome = Predicted | Failed | Left
_Fitted = tuple[list[np.ndarray], float, float, tuple[str, ...]]  # predictions, fit and predict seconds, notes


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
    if cell.stage == "curve":
        fold = _thinned(fold, study.folds.blocks, cell.share, study.seed)
    if cell.stage == "self-test":
        study = replace(study, target=dealt(study.target, study.seed))
    form = study.forms[cell.framing]
    source = _source(study, family, framing, cell.framing)
    n_levels = len(study.target.classes) if framing.cumulative else 0
    shape, lessons = lay_out(source, form, family.matrix, fold.train, fold.stop, fold.test, n_levels)
    sample = _sample(fold.train, study, form)
    asked = [(source.features.iloc[rows], study.names.iloc[rows]) for rows in (fold.test, sample)]
    matrices = [shape.matrices(features, names) for features, names in asked]
    task = _task(study, framing, form, max(len(each.train) for each in study.folds.folds))
    fitted: list[list[_Fitted]] = []  # by lesson, then by candidate
    chosen: list[list[int]] = []  # the same
    for number, lesson in enumerate(lessons):
        place = number // max(1, shape.questions)
        parts = (cell.framing, cell.fold, *(() if len(lessons) == 1 else (number,)), *((f"draw {cell.draw}",) if cell.draw else ()))
        choices = [_choice(task, family, each, lesson, study.seed, parts, clock) for each in cell.candidates]
        points = [choice.point for choice in choices]
        seeds = [seed_of(study.seed, parts, point) for point in points]
        found = _fit_all(task, family, points, lesson, [each[place] for each in matrices], seeds, clock)
        fitted.append([(part[0], part[1] + choice.seconds, *part[2:]) for part, choice in zip(found, choices, strict=True)])
        chosen.append([choice.number for choice in choices])
    y, weight = framing.y(study.target)[sample], study.weight[sample]
    outcomes = []
    for candidate, numbers, each in zip(cell.candidates, zip(*chosen, strict=True), zip(*fitted, strict=True), strict=True):
        at_test, at_train = (shape.joined([part[0][i] for part in each], names) for i, (_, names) in enumerate(asked))
        train_metrics = usual(study.target.kind, y, framing.plain(at_train), weight)
        notes = tuple(dict.fromkeys(note for part in each for note in part[3]))
        fit_seconds, predict_seconds = (sum(part[i] for part in each) for i in (1, 2))
        outcomes.append(Predicted(at_test, train_metrics, fit_seconds, predict_seconds, notes, numbers if candidate.points else ()))
    return outcomes


def refit(
    study: Study, family: Family, framing: Framing, name: str, params: Params, weight: float, points: Sequence[Params] = ()
) -> Member:
    """Fit one candidate of a framing, as the problem names it, on every row but the holdout; choose among its points there."""
    whole = study.folds.whole
    source = _source(study, family, framing, name)
    n_levels = len(study.target.classes) if framing.cumulative else 0
    form = study.forms[name]
    shape, lessons = lay_out(source, form, family.matrix, whole.train, whole.stop, whole.test, n_levels)
    task = _task(study, framing, form, len(whole.train))
    estimators = []
    for number, lesson in enumerate(lessons):
        parts = (name, "whole", *(() if len(lessons) == 1 else (number,)))
        point = points[tuned(task, family, points, lesson, study.seed, parts)] if points else params
        estimators.append(fit_one(task, family, point, lesson.train, lesson.stop, seed_of(study.seed, parts, point))[0])
    return Member(weight, family.name, shape, tuple(estimators))


def tuned(task: Task, family: Family, points: Sequence[Params], lesson: Lesson, seed: int, parts: Sequence[object]) -> int:
    """Return which of the points is best by the training rows alone; the first where there is no choice, or nothing to choose by."""
    train, stop = lesson.train, lesson.stop
    if len(points) < 2 or stop.all() or (task.kind == "classes" and len(np.unique(train.y[~stop])) == 1):
        return 0
    assert family.tune, "only a family that tunes is given several points"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a screen may be crude; what is fitted in the end tells whether it has converged
        number = int(family.tune(task, points, train, stop, seed_of(seed, (*parts, "tune"), {})))
    assert 0 <= number < len(points), "one of the points is chosen"
    return number


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


def dealt(target: Target, seed: int) -> Target:
    """Return the target with its values dealt to the rows at random: nothing is left that could be learnt."""
    return replace(target, values=np.random.default_rng([seed, 6]).permutation(target.values))


@dataclass(frozen=True, slots=True)
class _Choice:
    """What a candidate is fitted with: its hyperparameters, or those of its points that the training rows speak for."""

    point: Params
    number: int = 0
    seconds: float = 0.0


def _choice(
    task: Task, family: Family, candidate: Candidate, lesson: Lesson, seed: int, parts: Sequence[object], clock: Callable[[], float]
) -> _Choice:
    if not candidate.points:
        return _Choice(candidate.params)
    start = clock()
    number = tuned(task, family, candidate.points, lesson, seed, parts)
    return _Choice(candidate.points[number], number, clock() - start)


def _fit_all(
    task: Task,
    family: Family,
    points: Sequence[Params],
    lesson: Lesson,
    tests: Sequence[Any],
    seeds: Sequence[int],
    clock: Callable[[], float],
) -> list[_Fitted]:
    """Fit every candidate on one lesson, all at once where the family can."""
    one_class = task.kind == "classes" and len(np.unique(lesson.train.y)) == 1
    if not family.fit_fold or one_class or task.n_outputs > 1 or not all(map(len, tests)):
        return [_fit_and_predict(task, family, point, lesson, tests, seed, clock) for point, seed in zip(points, seeds, strict=True)]
    start = clock()
    found = family.fit_fold(task, points, lesson.train, lesson.stop, tests, seeds)
    share = (clock() - start) / len(points)
    return [(list(each.predictions), share, 0.0, each.notes) for each in found]


def _fit_and_predict(
    task: Task, family: Family, params: Params, lesson: Lesson, tests: Sequence[Any], seed: int, clock: Callable[[], float]
) -> _Fitted:
    start = clock()
    estimator, notes = fit_one(task, family, params, lesson.train, lesson.stop, seed)
    fitted = clock()
    at_test = predict(task, estimator, tests[0])
    predicted = clock()
    return [at_test, *(predict(task, estimator, X) for X in tests[1:])], fitted - start, predicted - fitted, notes


def _source(study: Study, family: Family, framing: Framing, name: str) -> Source:
    """Return the rows as a framing x family looks at them."""
    frames = [study.expanded]
    if name in study.added:
        frames.append(study.added[name])
    if family.matrix == "raw":
        frames.append(study.rules)
    features = pd.concat(frames, axis=1) if len(frames) > 1 else study.expanded
    return Source(features.loc[:, ~features.columns.duplicated()], study.names, framing.y(study.target), study.weight)


def _task(study: Study, framing: Framing, form: Form, n_train: int) -> Task:
    n_parts = form.n_parts(study.names)
    task = framing.task(study.target, n_train // n_parts, n_parts if form.wide else 1)
    return replace(task, exchangeable=study.exchangeable)


def _thinned(fold: Fold, blocks: np.ndarray, share: float, seed: int) -> Fold:
    """Return a fold with a share of its training rows, whole blocks; the smaller shares lie within the larger."""
    kept = np.isin(fold.train, nested(blocks, fold.train, (share,), seed=seed)[0])
    return replace(fold, train=fold.train[kept], stop=fold.stop[kept])


def _sample(train: np.ndarray, study: Study, form: Form) -> np.ndarray:
    """Choose training rows to judge, in order; rows that are predicted at once stay together."""
    n = len(train)
    if n <= TRAIN_SAMPLE:
        return train
    rng = np.random.default_rng([study.seed, 4])
    if form.wide is None:
        return train[np.sort(rng.choice(n, TRAIN_SAMPLE, replace=False))]
    others = [name for name in study.names.columns if name != form.wide]
    codes = study.names.iloc[train].groupby(others, sort=False, dropna=False).ngroup().to_numpy()
    taken = rng.permutation(int(codes.max()) + 1)[: max(1, TRAIN_SAMPLE * (int(codes.max()) + 1) // n)]
    return train[np.isin(codes, taken)]
