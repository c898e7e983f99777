"""How well each column alone predicts the target, out of fold: the measure that several checks start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from piste.core.audit.survey import Survey

BINS = 3.0  # of a number at its quantiles, times the cube root of the rows: more lose to noise what they gain in shape
N_FOLDS = 3
CHUNKS = 10  # of each fold, where blocks follow each other in time: neighbouring days lie on one side, seasons on all
SHRINKAGE = 1.0  # rows of the mean that each bin has beside its own
FEWEST_ROWS = 20  # fewer tell nothing
FAR = 1e100  # beyond, squares overflow: such numbers are nobody's
LINE = 1e-9  # of the target's standard deviation: a straight line that misses by no more is one


@dataclass(frozen=True, slots=True)
class Skill:
    """What one column alone knows of the target.

    Args:
        score: share of the constant's squared error that it saves out of fold (R2); for classes twice the area under the ROC
            curve of its class shares less one, the mean over the classes. 0 is chance, 1 all; below 0 it misleads.
        spearman: rank correlation with a number, or with classes in order; NaN where ranks mean nothing.
        exact: whether it gives the target in every row: by a straight line, or by one class for each of a few values.
    """

    score: float
    spearman: float
    exact: bool


NONE = Skill(0.0, float("nan"), exact=False)


def skill(survey: Survey) -> Mapping[str, Skill]:
    """Return the skill of every feature column, by name, from the sample's rows; of a date that of its best calendar part."""
    rows, known = survey.sample, known_of(survey)
    expanded = survey.study.expanded
    found = {}
    for column in survey.features:
        parts = [column.name] if column.name in expanded else [str(name) for name in expanded if str(name).startswith(f"{column.name}.")]
        every = [known.skill(expanded[part].iloc[rows]) for part in parts]
        found[column.name] = max(every, key=lambda each: (each.exact, each.score), default=NONE)
    return found


def luck(survey: Survey) -> float:
    """Return the skill that hardly any column reaches by chance: four standard errors, simulated with columns of noise.

    Of a number that is the standard error at a few dozen rows, and less with more; of classes it grows as they get rare.
    """
    n = len(survey.sample)
    if not survey.has_classes:
        return float(4 / np.sqrt(n))
    share = np.bincount(survey.y[survey.sample]).max() / n
    return float(4 * 0.8 / np.sqrt(max(n * share * (1 - share), 1e-9)))


def known_of(survey: Survey) -> Known:
    """Return the target of the sample's rows, and its folds."""
    rows = survey.sample
    target = survey.resolved.table.target
    return Known.of(
        target.values[rows],
        survey.study.weight[rows],
        dealt_out(survey.folds.blocks[rows], ordered=survey.folds.ordered, seed=survey.study.seed),
        classes=survey.has_classes,
        ranked=not survey.has_classes or target.kind in ("binary", "ordered"),
    )


def dealt_out(blocks: np.ndarray, *, ordered: bool, seed: int) -> np.ndarray:
    """Return the fold of each row, (n_rows,) from 0 to N_FOLDS - 1: whole blocks, at random, or in turn where they are in order."""
    names, codes = np.unique(blocks, return_inverse=True)
    place = np.arange(len(names)) if ordered else np.random.default_rng([seed, 9]).permutation(len(names))
    chunks = N_FOLDS * (CHUNKS if ordered else 1)
    return np.asarray((place * chunks // len(names))[codes] % N_FOLDS)


@dataclass(frozen=True, slots=True)
class Known:
    """The target and its folds, against which columns are held."""

    y: np.ndarray  # (n_rows,)
    weight: np.ndarray
    fold: np.ndarray
    ranks: np.ndarray | None  # of y; None where its order means nothing
    n_classes: int  # 0: y is a number

    @staticmethod
    def of(y: np.ndarray, weight: np.ndarray, fold: np.ndarray, *, classes: bool, ranked: bool) -> Known:
        """Prepare a target of numbers, or of class codes."""
        n_classes = int(y.max()) + 1 if classes and len(y) else 0
        y = y if classes or not len(y) else near(y)
        return Known(y, weight, fold, ranks_of(y.astype(float)) if ranked else None, n_classes)

    def skill(self, column: pd.Series) -> Skill:
        """Return what a column of numbers or texts knows; a missing value is a value of its own."""
        if len(column) < FEWEST_ROWS or self.y.min() == self.y.max() or not self.weight.any():
            return NONE
        numeric = pd.api.types.is_numeric_dtype(column)
        codes, levels = pd.factorize(column, sort=numeric, use_na_sentinel=True)  # -1: missing
        n_levels = len(levels)
        if n_levels < 2 and not (codes < 0).any():
            return NONE
        bins = codes
        if numeric:
            most = round(BINS * np.cbrt(len(codes)))
            counts = np.bincount(codes[codes >= 0], minlength=n_levels)
            middle = np.cumsum(counts) - (counts + 1) / 2
            bins = np.append((middle * most // max(1, counts.sum())).astype(int), -1)[codes] if n_levels > most else codes
        return Skill(self._score(bins + 1), self.spearman(column), self.exact(column))

    def _score(self, bins: np.ndarray) -> float:
        n_bins = int(bins.max()) + 1
        shape = (N_FOLDS, n_bins)
        if np.bincount(self.fold, self.weight, N_FOLDS).astype(bool).sum() < 2:
            return 0.0  # nothing is out of fold
        cell = self.fold * n_bins + bins
        size = np.bincount(cell, self.weight, N_FOLDS * n_bins).reshape(shape)
        if self.n_classes:
            K = self.n_classes
            mass = np.bincount(cell * K + self.y.astype(int), self.weight, N_FOLDS * n_bins * K).reshape(*shape, K)
            return _auc_skill(mass, _out_of_fold(mass, size[..., None]))
        y = self.y - self.y.mean()
        mass = np.bincount(cell, self.weight * y, N_FOLDS * n_bins).reshape(shape)
        guess = _out_of_fold(mass[..., None], size[..., None])[..., 0]
        plain = _out_of_fold(mass.sum(axis=1)[:, None, None], size.sum(axis=1)[:, None, None])[:, 0, 0]  # (N_FOLDS,)
        missed = float(np.sum(self.weight * (y - guess[self.fold, bins]) ** 2))
        constant = float(np.sum(self.weight * (y - plain[self.fold]) ** 2))
        return 1 - missed / constant if constant > 0 else 0.0

    def spearman(self, column: pd.Series) -> float:
        """Return the rank correlation of a column of numbers with the target, where the order of both means something; else NaN."""
        if self.ranks is None or not pd.api.types.is_numeric_dtype(column):
            return float("nan")
        x = column.to_numpy(dtype=float)
        seen = ~np.isnan(x)
        if seen.sum() < FEWEST_ROWS:
            return float("nan")
        return correlation(ranks_of(x[seen]), self.ranks if seen.all() else ranks_of(self.y[seen].astype(float)))

    def exact(self, column: pd.Series) -> bool:
        """Tell whether a column gives the target wherever it is known: by a straight line, or one class for each of a few values."""
        seen = column.notna().to_numpy()
        y = self.y[seen].astype(float)
        if len(y) < FEWEST_ROWS or y.min() == y.max():
            return False
        if self.n_classes:
            codes, levels = pd.factorize(column[seen])
            if len(levels) > 2 * self.n_classes:
                return False
            mass = np.bincount(codes * self.n_classes + self.y[seen].astype(int), minlength=len(levels) * self.n_classes)
            return bool(((mass.reshape(len(levels), -1) > 0).sum(axis=1) == 1).all())
        if not pd.api.types.is_numeric_dtype(column):
            return False
        x = near(column.to_numpy(dtype=float)[seen])
        x, y = x - x.mean(), y - y.mean()
        return bool(x @ x > 0 and np.abs(y - x * (x @ y) / (x @ x)).max() <= LINE * y.std())


def _out_of_fold(mass: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return what each bin says of the rows of a fold, from the other folds: (N_FOLDS, n_bins, n_classes)."""
    mass, size = mass.sum(axis=0) - mass, size.sum(axis=0) - size
    total = size.sum(axis=1, keepdims=True)
    prior = mass.sum(axis=1, keepdims=True) / np.where(total > 0, total, 1.0)
    return np.asarray((mass + SHRINKAGE * prior) / (size + SHRINKAGE))


def _auc_skill(mass: np.ndarray, guess: np.ndarray) -> float:
    """Return 2 AUC - 1, the mean over classes, each the mean over folds by their pairs.

    Args:
        mass: (n_folds, n_bins, n_classes) weight of the rows there are.
        guess: (n_folds, n_bins, n_classes) by which bins are put in order.
    """
    won = pairs = np.zeros(mass.shape[2])
    for there, by in zip(mass, guess, strict=True):
        other = there.sum(axis=1, keepdims=True) - there
        for way in (slice(None), slice(None, None, -1)):  # ties in both orders: half of their pairs are won
            order = np.argsort(by[way], axis=0, kind="stable")
            yes, no = (np.take_along_axis(part[way], order, axis=0) for part in (there, other))
            won = won + (yes * (np.cumsum(no, axis=0) - no / 2)).sum(axis=0) / 2
        pairs = pairs + there.sum(axis=0) * other.sum(axis=0)
    asked = pairs > 0
    return float(np.mean(2 * won[asked] / pairs[asked] - 1)) if asked.any() else 0.0


def far(x: np.ndarray) -> bool:
    """Tell whether numbers are too great or too small to be squared; missing ones do not count."""
    size = float(np.nanmax(np.abs(x), initial=0.0))
    return not (size == 0 or 1 / FAR < size < FAR)


def near(x: np.ndarray) -> np.ndarray:
    """Return numbers without a missing one in a unit of their own where they are too far to be squared; else as they are."""
    return np.asarray(x / np.abs(x).max()) if far(x) else x


def ranks_of(x: np.ndarray) -> np.ndarray:
    """Return the ranks of numbers, ties at their mean, (n_rows,)."""
    _, codes, counts = np.unique(x, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[codes])


def correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return Pearson's correlation; NaN where one of them is constant."""
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale > 0 else float("nan")
