"""A quick model on a few folds, judged by the problem's own yardstick: what a column or a split is worth, in seconds."""

from __future__ import annotations

import warnings
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from piste.core.audit.survey import thinned, within
from piste.core.decision import Quantity
from piste.core.entrants import court_of
from piste.core.family import Family, Rows, Task
from piste.core.features import learn
from piste.core.losses import Court, Judgements
from piste.core.model import Constant, predict
from piste.core.split import Fold, Folds

if TYPE_CHECKING:
    from piste.core.audit.survey import Survey

MOST_ROWS = 20_000
LEAST_ROWS = 2_000
MOST_COLUMNS = 100  # of a table's; wider ones keep those that know most of the target by themselves
TREE = 50_000  # cells that take as long as what every tree of a round costs, however few rows there are
CELLS = 600_000  # rows x columns x trees of a round that a model may see: a tenth of a second of boosting
MOST_FOLDS, FEWEST_FOLDS = 5, 2
THREADS = 2  # LightGBM lets go of the interpreter while it trains; the numbers are the same on one thread
MOST_BLOCK = 0.1  # of the rows wanted: larger blocks are not drawn whole


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a model learns on one fold, and the rows that it is asked about."""

    train: Rows
    test: np.ndarray  # (n_test, n_columns)


@dataclass(frozen=True, slots=True)
class Quick:
    """Quick models on a few folds.

    Args:
        survey: the problem.
        folds: that models are tried on.
        court: what judges them.
        task: what they learn: a number, the quantile that an amount costs least at, or the probabilities of classes.
        lessons: one for each fold.
        parts: (n_columns of the matrix,) the column of the table that each is made of.
    """

    survey: Survey
    folds: Folds
    court: Court
    task: Task
    lessons: tuple[Lesson, ...]
    parts: np.ndarray

    @property
    def judged(self) -> np.ndarray:
        """Return the rows that are judged, ascending."""
        return self.court.lines.judged

    @property
    def weight(self) -> np.ndarray:
        """Return the weight of each tested row."""
        return np.asarray(self.court.weight[self.judged])

    @property
    def blocks(self) -> np.ndarray:
        """Return which tested rows stand or fall together, (n_judged,)."""
        return np.asarray(self.survey.folds.blocks[self.judged])

    def losses(self, without: Sequence[Collection[str]] = ((),)) -> list[np.ndarray]:
        """Return the loss of each tested row, (n_judged,), of a model for each collection of columns that it does without."""
        seen = [np.flatnonzero(~np.isin(self.parts, list(names))) for names in without]
        probe, seed = self.survey.probe, self.survey.study.seed
        found = fitted([Job(probe, self.task, lesson, kept, seed) for kept in seen for lesson in self.lessons])
        n = len(self.lessons)
        raws = [np.concatenate(found[start : start + n]) for start in range(0, len(found), n)]
        return [self.court.lines.mean(self._lines(raw)) for raw in raws]

    def _lines(self, raw: np.ndarray) -> np.ndarray:
        yardstick, asked = self.survey.resolved.yardstick, self.survey.resolved.plain
        if isinstance(yardstick, Quantity):  # the amount itself was asked for
            return yardstick.loss(raw, self.court.came)
        return self.court.column(asked, asked.framing.rules(yardstick)[-1], "probe", 0, {}, raw).lines

    def mean(self, losses: np.ndarray) -> float:
        """Return the weighted mean of losses of the tested rows."""
        return float(np.average(losses, weights=self.weight))

    def cost(self, losses: np.ndarray) -> float:
        """Return their mean as people read it: a cost, or the metric."""
        return self.survey.shown(self.mean(losses))

    def rule(self) -> np.ndarray | None:
        """Return the losses, (n_judged,), of the rule that does best on the tested rows; None where no rule has predicted."""
        lines = self.survey.court.lines
        places = np.searchsorted(lines.judged, self.judged)
        return min((lines.mean(each.column.lines)[places] for each in self.survey.rules), key=self.mean, default=None)

    def surely(self, differences: np.ndarray) -> float:
        """Return by how many standard errors the mean of differences between losses, (n_judged,), is above zero."""
        return standing(differences, self.weight, self.blocks)


def quick(survey: Survey) -> Quick | None:
    """Return quick models on the latest few folds of the problem's split; None where its sampled rows leave no fold."""
    folds = few(within(survey.sampled_folds, drawn(survey)), survey)
    return on(survey, folds) if folds.folds else None


def on(survey: Survey, folds: Folds) -> Quick:
    """Return quick models on some folds.

    Where no fold only warms up, the folds teach each other how far predictions are off, also later ones earlier ones: what is
    asked is how models differ that are all dressed alike.
    """
    court = court_of(survey.resolved, folds)
    if not any(fold.warm_up for fold in folds.folds):
        court = replace(court, lines=Judgements.of(folds, forward=False))
    asked, study = survey.resolved.plain, survey.study
    y, parts = asked.framing.y(study.target), sources(survey)
    expanded = study.expanded[list(parts)]
    lessons = tuple(lesson(expanded, y, study.weight, fold, survey.probe) for fold in folds.folds)
    task, yardstick = survey.resolved.task(asked, max(len(each.train.y) for each in lessons)), survey.resolved.yardstick
    if isinstance(yardstick, Quantity):
        task = Task("quantiles", task.n_train, levels=(yardstick.level,))
    return Quick(survey, folds, court, task, lessons, np.array([parts[name] for name in lessons[0].train.names], dtype=object))


def lesson(expanded: pd.DataFrame, y: np.ndarray, weight: np.ndarray, fold: Fold, probe: Family) -> Lesson:
    """Encode the rows of a fold, as its training rows teach it."""
    encoding = learn(expanded, fold.train, probe.matrix)
    train, test = (encoding.apply(expanded.iloc[rows]) for rows in (fold.train, fold.test))
    return Lesson(Rows(train, y[fold.train], weight[fold.train], encoding.names, encoding.categorical), test)


def sources(survey: Survey) -> dict[str, str]:
    """Return the column of the table that each expanded column is made of; of a wide table, the columns that know most."""
    columns = list(survey.features)
    if len(columns) > MOST_COLUMNS:
        known = survey.skills
        columns = sorted(columns, key=lambda each: (-known[each.name].score, each.name))[:MOST_COLUMNS]
    mine = {each.name for each in columns}
    return {part: name for part, name in made_of(survey).items() if name in mine}


def made_of(survey: Survey) -> dict[str, str]:
    """Return the column of the table that each expanded column is made of: a date has several calendar parts."""
    found: dict[str, str] = {}
    names = [str(name) for name in survey.study.expanded]
    for column in survey.features:
        if column.kind == "datetime":
            found |= {name: column.name for name in names if name.rpartition(".")[0] == column.name}
        else:
            found[column.name] = column.name
    return {name: found[name] for name in names if name in found}


def effort(survey: Survey) -> int:
    """Return what a row costs: columns times the trees of a round."""
    return max(1, len(sources(survey))) * trees(survey)


def trees(survey: Survey) -> int:
    """Return the trees of a round: one, or one for each of more than two classes."""
    n_classes = len(survey.resolved.table.target.labels)
    return n_classes if n_classes > 2 else 1


def drawn(survey: Survey) -> np.ndarray:
    """Return the rows that quick models see, ascending: whole blocks, unless those are so large that few would be drawn."""
    most = int(np.clip(CELLS // effort(survey), LEAST_ROWS, MOST_ROWS))
    rows, blocks = survey.sample, survey.folds.blocks
    if len(rows) > most and np.bincount(blocks[rows]).max() > MOST_BLOCK * most:
        return np.sort(np.random.default_rng([survey.study.seed, 10]).choice(rows, most, replace=False))
    return thinned(rows, blocks, most, survey.study.seed)


def few(folds: Folds, survey: Survey) -> Folds:
    """Return the latest few folds of one repeat, as many as the time allows; groups left out one by one are left out together."""
    once = [fold for fold in folds.folds if fold.repeat == 0]
    shown = [fold for fold in once if not fold.warm_up]
    if len(shown) < 2:
        return replace(folds, folds=tuple(once if shown else ()))
    work = effort(survey) * max(len(fold.train) for fold in shown) + TREE * trees(survey)
    most = int(np.clip(2 * CELLS // work, FEWEST_FOLDS, MOST_FOLDS))
    if survey.resolved.rule.scheme == "leave_one_out" and len(shown) > most:
        shown = [gathered(shown[number::most]) for number in range(most)]
    return replace(folds, folds=tuple(each for each in shown[-most:] if len(each.train) > 1))


def gathered(folds: Sequence[Fold]) -> Fold:
    """Return one fold that tests what several do, and trains on what none of them tests."""
    train = reduce(np.intersect1d, [fold.train for fold in folds])
    return Fold(folds[0].name, 0, train, np.zeros(len(train), dtype=bool), np.unique(np.concatenate([fold.test for fold in folds])))


@dataclass(frozen=True, slots=True)
class Job:
    """One model to fit on some columns of a lesson, and the rows to predict with it."""

    probe: Family
    task: Task
    lesson: Lesson
    columns: np.ndarray  # numbers of the matrix columns that it sees
    seed: int

    def done(self) -> np.ndarray:
        """Fit and predict."""
        train, test = _seen(self.lesson.train, self.columns), _columns(self.lesson.test, self.columns)
        if self.task.kind == "classes" and len(present := np.unique(train.y)) == 1:
            return predict(self.task, Constant(int(present[0])), test)
        params = {name: dimension.default for name, dimension in self.probe.space(self.task).items()}
        if self.probe.fit:
            estimator = self.probe.fit(self.task, params, train, np.zeros(len(train.y), dtype=bool), self.seed)
        else:
            estimator = self.probe.build(self.task, params, self.seed)
            estimator.fit(train.X, train.y, sample_weight=train.sample_weight)
        return predict(self.task, estimator, test)


def fitted(jobs: Sequence[Job]) -> list[np.ndarray]:
    """Return the predictions of each job; several are fitted at once, which changes no number."""
    with warnings.catch_warnings(), ThreadPoolExecutor(THREADS) as pool:
        warnings.simplefilter("ignore")  # once for all threads, which share what is caught
        return list(pool.map(Job.done, jobs))


def standing(differences: np.ndarray, weight: np.ndarray, blocks: np.ndarray) -> float:
    """Return a weighted mean over its standard error between blocks; 0 where one block alone tells.

    >>> standing(np.array([1.0, 3.0]), np.ones(2), np.array([0, 1]))
    2.0
    >>> standing(np.array([1.0, 3.0]), np.ones(2), np.array([0, 0]))
    0.0
    """
    mean, error = float(np.average(differences, weights=weight)), error_of(differences, weight, blocks)
    if error == 0:
        return float(np.sign(mean)) * np.inf if mean else 0.0
    return mean / error


def error_of(values: np.ndarray, weight: np.ndarray, blocks: np.ndarray) -> float:
    """Return the standard error of a weighted mean whose rows stand or fall together in blocks; infinite where there is one block."""
    names, codes = np.unique(blocks, return_inverse=True)
    if len(names) < 2:
        return float("inf")
    off = np.bincount(codes, weight * (values - np.average(values, weights=weight))) / weight.sum()
    return float(np.sqrt(off @ off * len(names) / (len(names) - 1)))


def _columns(X: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Return some columns of a matrix; where none is left, one that says nothing."""
    return X[:, kept] if len(kept) else np.zeros((len(X), 1))


def _seen(rows: Rows, kept: np.ndarray) -> Rows:
    places = {int(old): new for new, old in enumerate(kept)}
    categorical = tuple(places[old] for old in rows.categorical if old in places)
    return Rows(_columns(rows.X, kept), rows.y, rows.sample_weight, tuple(rows.names[old] for old in kept), categorical)
