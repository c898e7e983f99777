"""Rows that are there twice: copies to the last digit, answer included, and rows that hardly differ; against what chance brings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from piste.core.split import Fold

DIGITS = 6  # significant ones, to which numbers are compared
PAIRED = 1_500  # rows compared with one another, cell by cell
LOOKED_AT, MANY_ROWS = 1_000, 30_000  # test rows whose nearest training rows are searched; fewer where there are more rows
AT_ONCE = 4_000_000  # distances
FEWEST_LOOKED_AT = 50
NEIGHBOURS = 5
NEAR = 0.1  # of the distance to the last of the neighbours
ALIKE = 0.05  # of the standard deviation of the answer: about the same
MOVED = 0.5  # of the columns differ, if little: rows of a grid, which differ in one, are no copies


@dataclass(frozen=True, slots=True)
class Copies:
    """Rows that repeat another one in every column and in the answer.

    Args:
        row: (n_rows,) equal numbers for rows that are equal.
        pairs: pairs of equal rows.
        near: pairs of rows that are equal in all columns but one.
        chance: pairs that are expected to be equal by chance.
    """

    row: np.ndarray
    pairs: int
    near: int
    chance: float

    @property
    def beyond_chance(self) -> float:
        """Return the share of the pairs that chance does not bring."""
        return max(0.0, 1 - self.chance / self.pairs) if self.pairs else 0.0


def copies(columns: Sequence[pd.Series], seed: int) -> Copies:
    """Find the rows that are equal, and judge how many of them chance brings.

    Rows of few distinct values repeat by chance; then many more agree in all columns but one. Were columns independent, the numbers
    of pairs that differ in 0, 1 and 2 of p columns, each divided by the number of ways to choose those columns, would be log-concave
    (Newton's inequality on elementary symmetric polynomials): so the pairs that differ in one column and in two bound those that
    differ in none. Copies are in none of the two. The pairs that differ in a given column are taken for the least that chance makes
    equal, since few pairs that differ in two columns may be seen.

    Args:
        columns: (n_columns) of (n_rows,) each, the target among them.
        seed: of the hashes, and of the rows that are compared pair by pair.
    """
    odd = np.random.default_rng(seed).integers(0, 2**63, len(columns), dtype=np.uint64) * np.uint64(2) + np.uint64(1)
    parts = [_hashed(values) * factor for values, factor in zip(columns, odd, strict=True)]
    total = np.add.reduce(parts)
    row, pairs = _equal(total)
    if not pairs:
        return Copies(row, 0, 0, 0.0)
    p = len(parts)
    near = sum(_equal(total - part)[1] - pairs for part in parts)
    one, two = near / p, _two_apart(parts, seed) / max(1, p * (p - 1) / 2)
    return Copies(row, pairs, near, max(one, one**2 / two))


def met(copied: np.ndarray, folds: Sequence[Fold], n_rows: int) -> np.ndarray:
    """Return for each row the share of the folds testing it whose training part holds an equal row, (n_rows,); NaN where none tests it.

    Args:
        copied: (n_rows,) equal numbers for equal rows.
        folds: divisions of the rows.
        n_rows: of the table.
    """
    repeated = np.bincount(copied)[copied] > 1
    found, tests = np.zeros(n_rows), np.zeros(n_rows)
    known = np.zeros(int(copied.max()) + 1, dtype=bool)
    for fold in folds:
        tests[fold.test] += 1
        mine, others = fold.test[repeated[fold.test]], fold.train[repeated[fold.train]]
        known[copied[others]] = True
        found[mine] += known[copied[mine]]
        known[copied[others]] = False
    with np.errstate(invalid="ignore"):
        return found / tests


def rounded(values: np.ndarray) -> np.ndarray:
    """Round numbers to DIGITS significant ones; what is missing stays so.

    >>> rounded(np.array([123456.4, 0.00012345678, 0.0, -2.0]))
    array([ 1.23456e+05,  1.23457e-04,  0.00000e+00, -2.00000e+00])
    """
    size = np.abs(values)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # of zeros, and of the side that is not taken
        power = np.clip(DIGITS - 1 - np.floor(np.log10(size)), -300, 300)
        scale = 10.0 ** np.abs(power)  # a whole power of ten, so that equal numbers stay equal
        near = np.where(power >= 0, np.round(values * scale) / scale, np.round(values / scale) * scale)
    return np.where((size > 0) & np.isfinite(near), near, np.where(np.isnan(values), np.nan, 0.0))


def _hashed(values: pd.Series) -> np.ndarray:
    """Return a number of 64 bits for each cell; equal cells have equal ones."""
    if pd.api.types.is_float_dtype(values):
        return np.asarray(pd.util.hash_array(rounded(values.to_numpy())))
    return np.asarray(pd.util.hash_array(pd.factorize(values)[0]))


def _equal(hashes: np.ndarray) -> tuple[np.ndarray, int]:
    """Number the distinct hashes, and count the pairs of rows that share one."""
    row, size = np.unique(hashes, return_inverse=True, return_counts=True)[1:]
    return row, int((size * (size - 1) // 2).sum())


def _two_apart(parts: Sequence[np.ndarray], seed: int) -> float:
    """Estimate how many pairs of rows differ in two columns, from a sample; where it holds none, as if it held one."""
    n = len(parts[0])
    rows = np.random.default_rng([seed, 13]).permutation(n)[:PAIRED]
    apart = np.zeros((len(rows), len(rows)), dtype=np.uint16)
    for part in parts:
        cells = pd.factorize(part[rows])[0].astype(np.int16)
        apart += cells[:, None] != cells[None, :]
    return max(1.0, float((apart == 2).sum()) / 2) * (n * (n - 1)) / (len(rows) * (len(rows) - 1))


@dataclass(frozen=True, slots=True)
class Nearly:
    """Rows that hardly differ from a training row, and have its answer.

    Args:
        rows: row numbers that were looked at.
        twin: (n_looked_at,) whether a training row hardly differs and has about the same answer.
        chance: share of them that is expected by chance.
    """

    rows: np.ndarray
    twin: np.ndarray
    chance: float


def nearly(
    X: np.ndarray, levels: np.ndarray, y: np.ndarray, folds: Sequence[Fold], copied: np.ndarray, measured: np.ndarray, seed: int
) -> Nearly | None:
    """Find test rows that lie far nearer to their nearest training row than to the next ones; None where too little can be compared.

    In d dimensions the distances to the nearest of k rows and to the k-th, as powers of d, are as the least of k - 1 uniform
    numbers (Facco et al. 2017, with the two nearest): d is read from the median row, and says how many rows are that near by chance.

    Categories that differ are as far apart as two numbers by a standard deviation; those of a twin agree.

    Args:
        X: (n_rows, n_columns) scaled numbers, none missing.
        levels: (n_rows, n_categories) codes of categories.
        y: (n_rows, n_outputs) scaled answers: numbers, or one of 0 and 1 for each class.
        folds: of one repeat, over the same rows.
        copied: (n_rows,) equal numbers for rows that are equal: they are no neighbours.
        measured: (n_columns,) which numbers a copy would differ in, if little.
        seed: of the draw of rows.
    """
    most = LOOKED_AT if len(X) <= MANY_ROWS else max(FEWEST_LOOKED_AT, LOOKED_AT * MANY_ROWS // len(X))
    codes = X.astype(np.float32)
    fold_of = np.full(len(X), -1)
    for number, fold in enumerate(folds):
        fold_of[fold.test] = number
    rows = np.flatnonzero(fold_of >= 0)
    rows = np.sort(np.random.default_rng([seed, 14]).permutation(rows)[:most])
    ratio, like, alike = np.full(len(rows), np.nan), np.zeros(len(rows), dtype=bool), np.zeros(len(rows), dtype=bool)
    for number, fold in enumerate(folds):
        mine = np.flatnonzero(fold_of[rows] == number)
        if len(fold.train) < 2 * NEIGHBOURS or not len(mine):
            continue
        length = (codes[fold.train] ** 2).sum(axis=1)
        for few in np.array_split(mine, -(-len(mine) * len(fold.train) // AT_ONCE)):
            asked = rows[few]
            squares = length[None, :] - 2 * codes[asked] @ codes[fold.train].T
            for level in levels.T:
                squares += level[asked][:, None] != level[fold.train][None, :]
            squares[copied[asked][:, None] == copied[fold.train][None, :]] = np.inf
            nearest = np.argpartition(squares, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
            # Again from the coordinates: differences of large squares cannot tell how near rows are that hardly differ.
            near = fold.train[nearest]
            distances = np.sqrt(
                ((X[asked][:, None, :] - X[near]) ** 2).sum(axis=2) + (levels[asked][:, None, :] != levels[near]).sum(axis=2)
            )
            distances[np.isinf(np.take_along_axis(squares, nearest, axis=1))] = np.inf
            first, farthest = distances.argmin(axis=1), distances.max(axis=1)
            usable = (farthest > 0) & np.isfinite(farthest)
            ratio[few[usable]] = distances.min(axis=1)[usable] / farthest[usable]
            twin = near[np.arange(len(few)), first]
            moved = (X[twin] != X[asked])[:, measured].mean(axis=1) > MOVED
            same = (levels[twin] == levels[asked]).all(axis=1)
            like[few], alike[few] = moved & same, np.abs(y[twin] - y[asked]).max(axis=1) <= ALIKE
    seen = np.isfinite(ratio)
    if seen.sum() < FEWEST_LOOKED_AT:
        return None
    rows, ratio, like, alike = rows[seen], ratio[seen], like[seen], alike[seen]
    middle = float(np.median(ratio))
    if not 0 < middle < 1:
        return None
    others = NEIGHBOURS - 1
    dimension = np.log(1 - 0.5 ** (1 / others)) / np.log(middle)
    by_chance = 1 - (1 - NEAR**dimension) ** others
    # Where rows crowd, more are near than the median row tells; then no more of them than of others have the same answer.
    near, usual = (ratio < NEAR) & like, float(alike[like].mean()) if like.any() else 0.0
    crowd = float(np.mean(near & ~alike)) * usual / max(1 - usual, 1 / len(rows))
    return Nearly(rows, near & alike, max(by_chance * usual * float(like.mean()), min(crowd, float(np.mean(near & alike)))))
