"""Columns whose values gather rows that belong together, and how much better a model looks on groups that it knows from training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from piste.core.audit.measures.quick import effort, on, standing
from piste.core.audit.survey import thinned
from piste.core.case import currency
from piste.core.data import Column
from piste.core.finding import short
from piste.core.split import Fold, Folds

if TYPE_CHECKING:
    from piste.core.audit.survey import Survey

FEWEST_GROUPS = 10
LARGEST = 0.1  # of the rows: a larger group is a kind of rows, not one of many things that rows are of
FEWEST_LEVELS, LEAST_LEVELS = 30, 0.02  # a column that models see has at least so many values, and so many for each row, or they come again
OVERLAPPING = 0.1  # of the groups begin again in the file; else each is over before the next begins
REPEATING = 0.05  # of the rows lie in groups of two or more, or there is little to straddle
ROUGH = 3.0  # standard errors by which the means of a number's values jump from one to the next, where the number is a name
MOST_KEYS = 3  # tried: a second or so
MOST_ROWS, LEAST_ROWS = 6_000, 1_500
CELLS = 200_000  # rows x columns x trees of a round that one model sees
NUMBERED = 0.9  # of the whole numbers between the least and the greatest are there: they count
SMOOTH = 0.3  # rank correlation of how often neighbouring numbers come: amounts are more or less usual, names are not
N_FOLDS = 3
FLATTERS = 0.03  # of the cost: from where on checks of splits speak
SURE = 2.0  # standard errors
FEWEST_ROWS = 60  # fewer tell nothing
UNEVEN = 0.1  # by which the sizes of training parts may differ
MANY = 50  # rows of one group that are looked at, where groups are so large that few would be


@dataclass(frozen=True, slots=True)
class Key:
    """A column that may say what rows are of."""

    column: Column
    codes: np.ndarray  # (n_rows,) group of each row of the table; -1 where it is missing
    n_groups: int  # among the rows that may be looked at
    straddling: float  # share of the tested rows whose group is in training too


@dataclass(frozen=True, slots=True)
class Flattery:
    """What a quick model costs on rows whose group it has learnt from, and on rows of groups that are new to it."""

    known: float  # as people read it
    new: float
    standing: float  # standard errors between groups by which the difference is above zero

    def flatters(self, sure: float) -> bool:
        """Tell whether the difference counts, and is so many standard errors above zero."""
        return self.share > FLATTERS and self.standing > sure

    @property
    def share(self) -> float:
        """Return by how much of the cost on new groups the known ones flatter."""
        return (self.new - self.known) / self.new if self.new > 0 else 0.0


def compare(survey: Survey, found: Flattery, here: str, there: str) -> str:
    """Say what a quick model costs in two places: "The rmse of a quick model is 2.2 where ..., and 2.3 where ..."."""
    yardstick, known, new = survey.resolved.yardstick, short(found.known), short(found.new)
    if yardstick.priced:
        unit = currency(yardstick.name)
        return f"A decision by a quick model costs {known}{unit} {here}, and {new}{unit} {there}"
    return f"The {yardstick.name} of a quick model is {known} {here}, and {new} {there}"


def keys(survey: Survey) -> list[Key]:
    """Return the columns that may say what rows are of, the likeliest first, where folds tear their groups apart.

    Values that come again, such as a weekday or a country, are no groups: what is learnt of them is of use for the rows to come.
    So a column that models see must have many values of few rows each, and a number's values must be names, not amounts; or its texts
    must follow one another in the file, each over before the next begins. A column that models do not see, such as an identifier, is
    a likelier key; and a date always is: other dates follow.
    """
    rule = survey.resolved.rule
    found = [
        key
        for column in survey.resolved.table.columns
        if column.role in ("feature", "identifier", "dropped") and column.name not in (rule.together, rule.by)
        if (key := _key(survey, column)) is not None
    ]
    return sorted(found, key=lambda key: (_place(key.column), -key.n_groups))[:MOST_KEYS]


def _place(column: Column) -> int:
    unseen = column.role != "feature"
    return 0 if unseen else 1 if column.kind == "datetime" else 2 if column.kind == "category" else 3


def _key(survey: Survey, column: Column) -> Key | None:
    rows, values = survey.rows, survey.frame[column.name]
    is_number = pd.api.types.is_float_dtype(values)
    codes = np.asarray(pd.factorize(values, sort=is_number)[0])
    sizes = np.bincount(codes[rows][codes[rows] >= 0])
    sizes = sizes[sizes > 0]
    if len(sizes) < FEWEST_GROUPS or sizes.max() > LARGEST * len(rows) or sizes[sizes > 1].sum() < REPEATING * len(rows):
        return None
    if is_number and not _whole(values.to_numpy()[rows]):
        return None
    seen = column.role == "feature"
    if seen and column.kind != "datetime" and len(sizes) < max(FEWEST_LEVELS, LEAST_LEVELS * len(rows)):
        runs = 1 + int(np.sum(codes[rows][1:] != codes[rows][:-1]))
        if is_number or runs > (1 + OVERLAPPING) * len(sizes):
            return None
    if seen and is_number and not (_names(values.to_numpy()[rows]) and roughness(codes[rows], survey.y[rows]) > ROUGH):
        return None
    if column.role == "dropped" and _told(survey, codes, len(sizes)):
        return None
    straddling = torn(survey.folds, codes)
    return Key(column, codes, len(sizes), straddling) if straddling > 0 else None


def _whole(values: np.ndarray) -> bool:
    known = values[~np.isnan(values)]
    return bool(np.array_equal(known, np.round(known)))


def _names(values: np.ndarray) -> bool:
    """Tell whether whole numbers look like names: they count, or all have as many digits, and neighbours come not alike often."""
    numbers, sizes = np.unique(values[~np.isnan(values)], return_counts=True)
    low, high = float(numbers[0]), float(numbers[-1])
    counts = len(numbers) >= NUMBERED * (high - low + 1)
    as_long = low >= 1_000 and len(f"{low:.0f}") == len(f"{high:.0f}")
    if not (counts or as_long) or len(sizes) < 3:
        return False
    ranks = pd.Series(sizes).rank().to_numpy()
    return ranks.std() == 0 or ranks[:-1].std() == 0 or ranks[1:].std() == 0 or float(np.corrcoef(ranks[:-1], ranks[1:])[0, 1]) < SMOOTH


def _told(survey: Survey, codes: np.ndarray, n_groups: int) -> bool:
    """Tell whether a column with few values says which group it is: then it is known wherever that column is."""
    most = max(FEWEST_LEVELS, LEAST_LEVELS * len(survey.rows))
    for column in survey.features:
        other = pd.factorize(survey.frame[column.name].iloc[survey.rows])[0]
        n_levels = int(other.max()) + 1
        if (
            n_groups <= n_levels < most
            and len(np.unique(other.astype(np.int64) * (codes.max() + 2) + codes[survey.rows] + 1)) <= n_levels + 1
        ):
            return True
    return False


def roughness(codes: np.ndarray, y: np.ndarray) -> float:
    """Return by how many standard errors the group means of a target jump from each group to the next, beyond what chance makes them.

    An amount that matters moves the target smoothly, a name by leaps: the difference between a group's mean and the mean of its two
    neighbours is then larger than the rows within groups tell.

    Args:
        codes: (n_rows,) groups in the order of their values; -1: none.
        y: (n_rows,) the target; of several classes their codes, whose order is as good as any for a test by chance.
    """
    known = codes >= 0
    names, codes = np.unique(codes[known], return_inverse=True)
    ranks = pd.Series(y[known]).rank().to_numpy()
    size = np.bincount(codes)
    mean = np.bincount(codes, ranks) / size
    within = float(np.sum((ranks - mean[codes]) ** 2)) / max(1, len(ranks) - len(names))
    if len(names) < 3 or within == 0:
        return 0.0
    leap = mean[1:-1] - (mean[:-2] + mean[2:]) / 2
    expected = within * (1 / size[1:-1] + (1 / size[:-2] + 1 / size[2:]) / 4)
    squares = leap**2 / expected - 1  # of mean 0 and variance 2 where there are no groups; neighbours share means, hence the 2
    return float(squares.mean() / np.sqrt(2 * 2 / len(squares)))


def torn(folds: Folds, codes: np.ndarray) -> float:
    """Return the share of the tested rows, a mean over folds, whose group is in their training part too."""
    met, n = 0, 0
    for fold in folds.shown:
        known = np.zeros(codes.max() + 2, dtype=bool)
        known[codes[fold.train]] = True
        known[-1] = False  # the place of -1: what is missing belongs to nothing
        met += int(known[codes[fold.test]].sum())
        n += len(fold.test)
    return met / n if n else 0.0


def flattery(survey: Survey, codes: np.ndarray) -> Flattery | None:
    """Compare a quick model on folds that tear groups apart with the same on folds that keep them whole, on the same rows.

    Args:
        survey: the problem.
        codes: (n_rows,) group of each row; -1: a group of its own.
    """
    groups = np.where(codes < 0, codes.max() + 1 + np.arange(len(codes)), codes)
    rows = _rows(survey, groups)
    if len(rows) < FEWEST_ROWS or not survey.study.weight[rows].any():
        return None
    blocks = survey.folds.blocks
    found = []
    divided = [list(_folds(rows, kept, blocks, survey.study.seed)) for kept in (blocks, groups)]
    if min(map(len, divided)) < N_FOLDS:
        return None
    fewest = min(len(fold.train) for folds in divided for fold in folds)  # else the one with more rows to learn from looks better
    for folds in (tuple(_thinner(fold, fewest, survey.study.seed) for fold in each) for each in divided):
        quick = on(survey, replace(survey.folds, folds=folds, ordered=False))
        found.append((quick, quick.losses()[0]))
    (one, known), (_, new) = found
    return Flattery(one.cost(known), one.cost(new), standing(new - known, one.weight, groups[one.judged]))


def _thinner(fold: Fold, n_train: int, seed: int) -> Fold:
    """Leave out training rows at random, where there are many more than are wanted."""
    if len(fold.train) <= (1 + UNEVEN) * n_train:
        return fold
    kept = np.sort(np.random.default_rng([seed, 16]).permutation(len(fold.train))[:n_train])
    return replace(fold, train=fold.train[kept], stop=fold.stop[kept])


def _rows(survey: Survey, groups: np.ndarray) -> np.ndarray:
    """Draw the rows that are looked at: whole groups; of large ones some rows each."""
    most = int(min(MOST_ROWS, max(LEAST_ROWS, CELLS // effort(survey))))
    rows = survey.rows
    if len(rows) > most and np.bincount(groups[rows]).max() > MANY:
        mixed = np.random.default_rng([survey.study.seed, 11]).permutation(rows)
        nth = pd.Series(groups[mixed]).groupby(groups[mixed]).cumcount().to_numpy()
        rows = np.sort(mixed[nth < max(MANY, most // len(np.unique(groups[rows])))])
    return thinned(rows, groups, most, survey.study.seed)


def _folds(rows: np.ndarray, kept: np.ndarray, blocks: np.ndarray, seed: int) -> Iterator[Fold]:
    """Yield folds that keep groups whole; rows of the problem's own blocks are never on both sides."""
    names, codes = np.unique(kept[rows], return_inverse=True)
    part = (np.random.default_rng([seed, 12]).permutation(len(names)) % N_FOLDS)[codes]
    for number in range(N_FOLDS):
        test = rows[part == number]
        train = rows[(part != number) & ~np.isin(blocks[rows], blocks[test])]
        if len(train) > 1 and len(test):
            yield Fold(f"part {number + 1}", 0, train, np.zeros(len(train), dtype=bool), test)
