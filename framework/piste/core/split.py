"""How rows are set apart: the same folds, and so the same judged rows, for every candidate."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from piste.core.errors import PisteError
from piste.core.problem import DURATION, Problem, Scheme

PERIODS = ("season", "year", "quarter", "month", "week", "day")
SEASON_GAP = pd.Timedelta(days=60)  # no row for longer than this ends a season
STOP_SHARE = 0.2  # of the training rows, set aside where a family stops early
MOST_GROUPS = 100  # that leave_one_out tests one by one


@dataclass(frozen=True, slots=True)
class Rule:
    """How rows are set apart, with every default filled in."""

    scheme: Scheme
    by: str | None
    together: str | None
    folds: int
    repeats: int
    gap: str | None
    holdout: float | tuple[str, ...] | None

    @property
    def exchangeable(self) -> bool:
        """Tell whether rows are set apart one by one, in no order."""
        alone = self.scheme in ("kfold", "stratified") or (self.scheme == "leave_one_out" and self.by is None)
        return alone and self.together is None


@dataclass(frozen=True, slots=True)
class Fold:
    """One division of the rows: row numbers of the table, ascending."""

    name: str
    repeat: int
    train: np.ndarray
    stop: np.ndarray  # (n_train,) mask: training rows set aside where a family stops early
    test: np.ndarray
    warm_up: bool = False  # judged by nobody: later folds learn from it how far predictions are off


@dataclass(frozen=True, slots=True)
class Folds:
    """All divisions of the rows.

    `blocks` says which rows stand or fall together, numbered in order of time where there is one: the unit of every
    interval. `whole` is the division of the refit: every row but the holdout is training.
    """

    folds: tuple[Fold, ...]
    whole: Fold
    blocks: np.ndarray  # (n_rows,)
    ordered: bool  # blocks follow each other in time
    holdout: np.ndarray

    @property
    def judged(self) -> np.ndarray:
        """Return the rows that some fold tests, ascending."""
        return np.unique(np.concatenate([fold.test for fold in self.shown]))

    @property
    def shown(self) -> tuple[Fold, ...]:
        """Return the folds that are judged."""
        return tuple(fold for fold in self.folds if not fold.warm_up)


def duration(text: str | None) -> pd.Timedelta:
    """Read "1d", "12h", "30min" or "2w".

    >>> duration("36h")
    Timedelta('1 days 12:00:00')
    """
    if text is None:
        return pd.Timedelta(0)
    match = DURATION.fullmatch(text)
    assert match, f"the schema lets no other duration through, but {text=}"
    return pd.Timedelta(float(match[1]), {"min": "min", "h": "h", "d": "D", "w": "W"}[match[2]])


def periods(times: pd.Series, by: str) -> tuple[np.ndarray, list[str]]:
    """Cut time into periods: the number of each row's period, in order of time, and their names.

    Args:
        times: (n_rows,) datetime64, none missing.
        by: one of PERIODS. A season ends where no row follows for SEASON_GAP.
    """
    if by == "season":
        order = np.argsort(times.to_numpy(), kind="stable")
        starts = np.concatenate([[False], np.diff(times.to_numpy()[order]) > SEASON_GAP.to_timedelta64()])
        codes = np.empty(len(times), dtype=int)
        codes[order] = np.cumsum(starts)
        spans = times.dt.year.groupby(codes).agg(["min", "max"])
        return codes, [f"{low}" if low == high else f"{low}-{high % 100:02d}" for low, high in spans.to_numpy()]
    frequency = {"year": "Y", "quarter": "Q", "month": "M", "week": "W", "day": "D"}[by]
    codes, names = pd.factorize(times.dt.to_period(frequency), sort=True)
    return codes, [str(name).partition("/")[0] for name in names]


def ordered_groups(column: pd.Series, time: pd.Series | None) -> tuple[np.ndarray, list[str]]:
    """Number the values of a column, in order of their first time, or else sorted."""
    codes, names = pd.factorize(column, sort=True)
    if time is None:
        return codes, [text(name) for name in names]
    rank = np.argsort(time.groupby(codes).min().to_numpy(), kind="stable")
    place = np.empty(len(rank), dtype=int)
    place[rank] = np.arange(len(rank))
    return place[codes], [text(names[i]) for i in rank]


def text(value: object) -> str:
    """Write a value of a column as people read it."""
    if isinstance(value, pd.Timestamp):
        return str(value.date()) if value == value.normalize() else str(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def make_folds(problem: Problem, rule: Rule, frame: pd.DataFrame, y: np.ndarray, *, classes: bool, seed: int) -> Folds:
    """Set rows apart.

    Args:
        problem: for the place of faults.
        rule: how.
        frame: (n_rows, n_columns) the typed table.
        y: (n_rows,) the target; class codes if `classes`.
        classes: whether y holds classes.
        seed: of the shuffles.

    Raises:
        PisteError: too few rows, groups, classes or periods for the rule; missing values in a column that it needs.
    """
    time = frame[problem.time] if problem.time else None
    _complete(problem, rule, frame)
    groups = ordered_groups(frame[rule.together], None)[0] if rule.together else None
    all_rows = np.arange(len(frame))
    held = _holdout(problem, rule, frame, groups, seed)
    rows = np.setdiff1d(all_rows, held)
    if len(rows) < 2:
        raise PisteError(problem.fault("split.holdout", "must leave at least 2 rows to learn from"))
    cuts = _cuts(problem, rule, frame, y, groups, rows, classes=classes, seed=seed)
    at = _Aside(rule, time, groups, frame.get(rule.by), y if classes else None, seed)
    folds = tuple(Fold(name, repeat, train, at.stop(train), test) for name, repeat, train, test in cuts)
    if rule.scheme == "forward" or len(folds) == 1:
        folds = (*_warm_up(at, folds[0]), *folds)
    blocks, ordered = _blocks(rule, frame, time, groups)
    return Folds(folds, Fold("all", 0, rows, at.stop(rows), np.array([], dtype=int)), blocks, ordered, held)


def _warm_up(at: _Aside, first: Fold) -> tuple[Fold, ...]:
    """Cut the training part of the first fold in two by the split's own rule, so that something is known out of sample there."""
    tail = first.train[first.stop]
    rest = first.train[~first.stop]
    if at.rule.gap and at.time is not None:
        rest = rest[(at.time.iloc[rest] < at.time.iloc[tail].min() - duration(at.rule.gap)).to_numpy()]
    if at.groups is not None:
        rest = rest[~np.isin(at.groups[rest], at.groups[tail])]
    return (Fold("warm-up", 0, rest, at.stop(rest), tail, warm_up=True),) if len(rest) > 1 and len(tail) else ()


def _complete(problem: Problem, rule: Rule, frame: pd.DataFrame) -> None:
    """Refuse missing values where a row would have no side."""
    needed = {"split.together": rule.together, "split.by": rule.by if rule.by in frame else None}
    if rule.scheme == "forward":
        needed["time"] = problem.time
    faults = [
        problem.fault(field, f"must be known in every row, but '{column}' is missing in {frame[column].isna().sum():,} rows")
        for field, column in needed.items()
        if column and frame[column].isna().any()
    ]
    if faults:
        raise PisteError(*faults)


Cut = tuple[str, int, np.ndarray, np.ndarray]


def _cuts(
    problem: Problem,
    rule: Rule,
    frame: pd.DataFrame,
    y: np.ndarray,
    groups: np.ndarray | None,
    rows: np.ndarray,
    *,
    classes: bool,
    seed: int,
) -> Iterator[Cut]:
    if rule.scheme == "forward":
        return _forward(problem, rule, frame.iloc[rows], None if groups is None else groups[rows], rows)
    if rule.scheme == "leave_one_out":
        return _leave_one_out(problem, rule, frame, rows)
    if rule.scheme == "predefined":
        return _predefined(problem, rule, frame, rows)
    return _kfold(problem, rule, y, groups, rows, classes=classes, seed=seed)


def _kfold(
    problem: Problem, rule: Rule, y: np.ndarray, groups: np.ndarray | None, rows: np.ndarray, *, classes: bool, seed: int
) -> Iterator[Cut]:
    from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

    stratified = rule.scheme == "stratified"
    if stratified and not classes:
        raise PisteError(problem.fault("split.scheme", "must be 'kfold' for a numeric target: 'stratified' needs classes"))
    units = len(rows) if groups is None else len(np.unique(groups[rows]))
    if units < rule.folds:
        what = "rows" if groups is None else f"values of '{rule.together}'"
        raise PisteError(problem.fault("split.folds", f"must be at most {units}, the number of {what}, but is {rule.folds}"))
    if stratified:
        sizes = np.bincount(y[rows])
        which, most = ("rarest", int(sizes.min())) if groups is None else ("commonest", int(sizes.max()))  # groups may lack a rare one
        if most < rule.folds:
            message = f"must be at most {most}, the rows of the {which} class, but is {rule.folds}"
            raise PisteError(problem.fault("split.folds", message + "; merge rare classes, or use scheme: kfold"))
    for repeat in range(rule.repeats):
        state = seed + repeat
        kinds = (StratifiedKFold, StratifiedGroupKFold) if stratified else (KFold, GroupKFold)
        splitter = kinds[groups is not None](rule.folds, shuffle=True, random_state=state)
        with warnings.catch_warnings():  # rarest class within groups: said by the check above where it can be helped
            warnings.simplefilter("ignore", UserWarning)
            parts = list(splitter.split(rows, y[rows], None if groups is None else groups[rows]))
        for number, (train, test) in enumerate(parts, start=1):
            name = f"fold {number}" + (f" (repeat {repeat + 1})" if rule.repeats > 1 else "")
            yield name, repeat, rows[train], rows[np.sort(test)]


def _forward(problem: Problem, rule: Rule, frame: pd.DataFrame, groups: np.ndarray | None, rows: np.ndarray) -> Iterator[Cut]:
    if problem.time is None:
        raise PisteError(problem.fault("split.scheme", "must not be 'forward' without `time`: add the line `time: COLUMN`"))
    time = frame[problem.time]
    codes, names = _steps(rule, frame, time)
    n_tests = len(names) - 1
    if n_tests < 1:
        found = f"all rows lie in one {rule.by}" if rule.by else "all rows have the same time"
        raise PisteError(problem.fault("split.by" if rule.by else "split.scheme", f"must divide the rows in time, but {found}"))
    wide = n_tests > rule.folds
    if wide:  # consecutive periods share a fold, at equal numbers of rows
        share = np.cumsum(np.bincount(codes)) / len(codes)
        joined = np.minimum((share * (rule.folds + 1) - 1e-9).astype(int), rule.folds)
        joined = np.unique(joined, return_inverse=True)[1]
        codes = joined[codes]
        names = [
            f"{names[members[0]]} to {names[members[-1]]}" for members in (np.flatnonzero(joined == j) for j in range(joined.max() + 1))
        ]
    gap = duration(rule.gap) if rule.gap else None
    for step in range(1, len(names)):
        test = codes == step
        train = codes < step
        if gap is not None:
            train &= (time < time[test].min() - gap).to_numpy()
        if groups is not None:
            train &= ~np.isin(groups, groups[test])
        if not train.any():
            raise PisteError(problem.fault("split", f"must leave rows to learn from before '{names[step]}', but none is left"))
        yield names[step], 0, rows[train], rows[test]


def _steps(rule: Rule, frame: pd.DataFrame, time: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Number the periods that time is cut into; rows of one time are never torn apart."""
    if rule.by in PERIODS and rule.by not in frame:
        return periods(time, rule.by)
    if rule.by:
        return ordered_groups(frame[rule.by], time)
    codes, names = pd.factorize(time, sort=True)
    return codes, [text(name) for name in names]


def _leave_one_out(problem: Problem, rule: Rule, frame: pd.DataFrame, rows: np.ndarray) -> Iterator[Cut]:
    if rule.by:
        codes, names = ordered_groups(frame[rule.by].iloc[rows], None)
    else:
        codes, names = np.arange(len(rows)), [f"row {row + 1}" for row in rows]
    if not 2 <= len(names) <= MOST_GROUPS:
        what = f"values of '{rule.by}'" if rule.by else "rows"
        message = f"must leave one of 2 to {MOST_GROUPS} {what} out at a time, but there are {len(names):,}"
        tip = f"; use `scheme: kfold` with `together: {rule.by}`" if rule.by and len(names) > MOST_GROUPS else ""
        raise PisteError(problem.fault("split.by" if rule.by else "split.scheme", message + tip))
    for code, name in enumerate(names):
        yield name, 0, rows[codes != code], rows[codes == code]


def _predefined(problem: Problem, rule: Rule, frame: pd.DataFrame, rows: np.ndarray) -> Iterator[Cut]:
    if rule.by is None:
        raise PisteError(problem.fault("split.by", "must name the column that holds the folds when scheme is 'predefined'"))
    codes, names = ordered_groups(frame[rule.by].iloc[rows], None)
    if len(names) < 2:
        raise PisteError(problem.fault("split.by", f"must hold at least 2 values, but '{rule.by}' only holds '{names[0]}'"))
    lowered = [name.casefold() for name in names]
    if "train" in lowered and len(names) == 2:  # a fixed split: one fold, the other value is the test
        train = codes == lowered.index("train")
        yield names[1 - lowered.index("train")], 0, rows[train], rows[~train]
        return
    for code, name in enumerate(names):
        yield name, 0, rows[codes != code], rows[codes == code]


def _holdout(problem: Problem, rule: Rule, frame: pd.DataFrame, groups: np.ndarray | None, seed: int) -> np.ndarray:
    """Choose the rows set aside from everything: the latest in time, or whole groups at random, or named values."""
    if rule.holdout is None:
        return np.array([], dtype=int)
    if not isinstance(rule.holdout, float):
        if rule.by is None:
            raise PisteError(problem.fault("split.holdout", "must be a share of the rows where `split.by` names no column or period"))
        codes, names = (
            _steps(rule, frame, frame[problem.time]) if rule.scheme == "forward" and problem.time else ordered_groups(frame[rule.by], None)
        )
        if unknown := [value for value in rule.holdout if value not in names]:
            message = f"must hold values of '{rule.by}', but '{unknown[0]}' is none of {', '.join(names[:8])}"
            raise PisteError(problem.fault("split.holdout", message + (", ..." if len(names) > 8 else "")))
        return np.flatnonzero(np.isin(codes, [names.index(value) for value in rule.holdout]))
    if rule.scheme == "forward" and problem.time:
        return _latest(frame[problem.time], rule.holdout)
    return _whole_groups(np.arange(len(frame)) if groups is None else groups, rule.holdout, np.random.default_rng([seed, 1]))


def _latest(time: pd.Series, share: float) -> np.ndarray:
    """Return about the latest share of rows; rows of one time stay together."""
    rank = time.rank(method="min").to_numpy()
    late = np.flatnonzero(rank > len(time) * (1 - share))
    return late if len(late) else np.flatnonzero(rank == rank.max())


def _whole_groups(groups: np.ndarray, share: float, rng: np.random.Generator) -> np.ndarray:
    """Return about a share of rows, drawn as whole groups; never all of them."""
    codes, sizes = np.unique(groups, return_inverse=True, return_counts=True)[1:]
    order = rng.permutation(len(sizes))
    taken = np.cumsum(sizes[order]) <= max(len(groups) * share, sizes[order[0]])
    taken[-1] &= len(sizes) == 1
    return np.flatnonzero(np.isin(codes, order[taken]))


@dataclass(frozen=True, slots=True)
class _Aside:
    """Set training rows aside for early stopping, by the split's own rule."""

    rule: Rule
    time: pd.Series | None
    groups: np.ndarray | None
    by: pd.Series | None
    labels: np.ndarray | None  # class codes
    seed: int

    def stop(self, train: np.ndarray) -> np.ndarray:
        """Return the mask (n_train,) of the rows set aside."""
        aside = np.zeros(len(train), dtype=bool)
        rng = np.random.default_rng([self.seed, 2, len(train)])
        if self.rule.scheme == "forward" and self.time is not None:
            aside[_latest(self.time.iloc[train], STOP_SHARE)] = True
        elif self.groups is not None:
            aside[_whole_groups(self.groups[train], STOP_SHARE, rng)] = True
        elif self.rule.scheme == "leave_one_out" and self.by is not None and self.by.iloc[train].nunique() >= 5:
            aside[_whole_groups(pd.factorize(self.by.iloc[train])[0], STOP_SHARE, rng)] = True
        elif self.labels is not None:
            for label in np.unique(self.labels[train]):  # the same share of every class
                members = rng.permutation(np.flatnonzero(self.labels[train] == label))
                aside[members[: int(len(members) * STOP_SHARE)]] = True
        else:
            aside[rng.permutation(len(train))[: int(len(train) * STOP_SHARE)]] = True
        if not aside.any() or aside.all():  # too few to divide: the last row alone
            aside[:] = False
            aside[-1:] = len(train) > 1
        return aside


def _blocks(rule: Rule, frame: pd.DataFrame, time: pd.Series | None, groups: np.ndarray | None) -> tuple[np.ndarray, bool]:
    """Number the rows that stand or fall together: the declared groups, or the days of a forward split, or single rows."""
    forward = rule.scheme == "forward" and time is not None
    if groups is not None and rule.together:
        return (ordered_groups(frame[rule.together], time)[0], True) if forward else (groups, False)
    if forward:
        assert time is not None
        days = time.dt.normalize() if hasattr(time, "dt") else time
        return pd.factorize(days, sort=True)[0], True
    if rule.scheme == "leave_one_out" and rule.by:
        return ordered_groups(frame[rule.by], None)[0], False
    return np.arange(len(frame)), False
