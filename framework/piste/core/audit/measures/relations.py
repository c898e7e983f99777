"""Columns that give the target by plain arithmetic: sums, differences, means, products and ratios."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from piste.core.finding import short

MOST_COLUMNS = 200  # that are tried together: those that go most with the target
MOST_FITTED = 5_000  # rows that candidates are found on; they are held against all
MOST_WHOLE = 12  # times that a column may count in a sum
FEWEST_ROWS = 20  # in which the target differs from its usual value
TRIED = 8  # of the best pairs, and of the best triples
MOSTLY = 0.95  # of the rows in which a formula must hold
EXACTLY = 1e-6  # of the target's spread: what rounding leaves
NEARLY = 1e-3
KEPT = 0.75  # of the rows, those that a plane misses least, draw the next
STEPS = 6
LINE = 1e-9  # of the greatest distance from the mean: what the arithmetic of computers leaves


@dataclass(frozen=True, slots=True)
class Relation:
    """A formula that gives the target.

    Args:
        columns: in it.
        formula: in words of arithmetic: "'casual' + 'registered'".
        share: of the rows where the target differs from its usual value, in which it holds.
        exact: whether what it misses there is rounding, not a thousandth of the spread.
        known: whether all of its columns are known in every row.
        plain: whether its numbers are whole, as of sums and products; else it is a law with numbers of its own.
    """

    columns: tuple[str, ...]
    formula: str
    share: float
    exact: bool
    known: bool
    plain: bool


def relation(y: np.ndarray, columns: Mapping[str, np.ndarray]) -> Relation | None:
    """Return the formula of two columns or more, as few as can be, that gives the target; None where there is none.

    Args:
        y: (n_rows,) the target.
        columns: by name, (n_rows,) each, NaN where missing.
    """
    usable = {name: x for name, x in columns.items() if np.isfinite(x).sum() > FEWEST_ROWS and np.nanmin(x) < np.nanmax(x)}
    usual = float(np.median(y))
    spread = float(np.median(np.abs(y[y != usual] - usual))) if (y != usual).any() else 0.0
    if len(usable) < 2 or not spread > 0:
        return None
    some = np.unique(np.linspace(0, len(y) - 1, min(len(y), MOST_FITTED)).astype(int))
    thin = {name: x[some] for name, x in usable.items()}
    held = _Held(y, usable, usual, spread, some)
    for names in _likely(y[some], thin):
        if found := held.sum(names):
            return found
    with np.errstate(invalid="ignore", divide="ignore"):
        logs = {name: np.log(np.abs(x)) for name, x in thin.items() if np.mean(x > 0) > MOSTLY / 2 and np.nanmin(x) >= 0}
        answer = np.log(np.abs(y[some]))
    logs = {name: np.where(np.isfinite(x), x, np.nan) for name, x in logs.items()}
    positive = np.isfinite(answer)
    if len(logs) >= 2 and positive.sum() > FEWEST_ROWS and np.ptp(answer[positive]) > 0:
        for names in _likely(answer[positive], {name: x[positive] for name, x in logs.items()}):
            if found := held.product(names):
                return found
    return held.sum(wide) if (wide := _support(y[some], thin)) else None


def _likely(y: np.ndarray, columns: Mapping[str, np.ndarray]) -> Iterator[tuple[str, ...]]:
    """Yield the pairs and triples that explain the most of a target by a plane, the best first, pairs before triples.

    All are compared by their R2, which follows from the correlations alone; a missing value counts as the mean.
    """
    X = np.stack([_standard(x) for x in columns.values()], axis=1)
    target = _standard(y)
    with_y = X.T @ target / len(y)
    if X.shape[1] > MOST_COLUMNS:
        kept = np.sort(np.argsort(-np.abs(with_y))[:MOST_COLUMNS])
        X, with_y = X[:, kept], with_y[kept]
        names = [name for number, name in enumerate(columns) if number in set(kept.tolist())]
    else:
        names = list(columns)
    gram = X.T @ X / len(y)
    pairs = _pairs(gram, with_y)
    upper = np.triu_indices(len(names), 1)
    for place in np.argsort(-pairs[upper])[:TRIED]:
        yield names[upper[0][place]], names[upper[1][place]]
    triples: list[tuple[float, tuple[int, int, int]]] = []
    for i in range(len(names) - 2):
        left = gram[i, i]
        if not left > 0:
            continue
        rest = slice(i + 1, None)
        onto = gram[rest, i] / left
        inner = gram[rest, rest] - np.outer(onto, gram[i, rest])
        third = _pairs(inner, with_y[rest] - onto * with_y[i]) + with_y[i] ** 2 / left
        above = np.triu_indices(len(inner), 1)
        for place in np.argsort(-third[above])[:TRIED]:
            triples.append((float(third[above][place]), (i, i + 1 + int(above[0][place]), i + 1 + int(above[1][place]))))
    for _, chosen in sorted(triples, reverse=True)[:TRIED]:
        yield tuple(names[number] for number in chosen)


def _standard(x: np.ndarray) -> np.ndarray:
    filled = np.where(np.isfinite(x), x, np.nanmean(np.where(np.isfinite(x), x, np.nan)))
    centred = filled - filled.mean()
    scale = float(np.sqrt(np.mean(centred**2)))
    return np.asarray(centred / scale if scale > 0 else centred)


def _pairs(gram: np.ndarray, with_y: np.ndarray) -> np.ndarray:
    """Return the R2 of the plane of every pair, (n_columns, n_columns), from correlations; twins add nothing to each other."""
    own = np.diag(gram)
    determinant = np.outer(own, own) - gram**2
    twins = determinant <= 1e-9 * np.maximum(np.outer(own, own), 1e-12)
    explained = np.outer(with_y**2, own) + np.outer(own, with_y**2) - 2 * gram * np.outer(with_y, with_y)
    return np.where(twins, 0.0, explained / np.where(twins, 1.0, determinant))


def _support(y: np.ndarray, columns: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """Return the columns of a plane through every row, where there is one and it needs more than three; else none."""
    names = list(columns)[:MOST_COLUMNS]
    X = np.stack([columns[name] for name in names], axis=1)
    whole = np.isfinite(X).all(axis=1)
    if whole.sum() < len(names) + FEWEST_ROWS:
        return ()
    X, target = X[whole], y[whole] - y[whole].mean()
    X = X - X.mean(axis=0)
    scale = np.sqrt(np.mean(X**2, axis=0))
    X, names = X[:, scale > 0] / scale[scale > 0], [name for name, each in zip(names, scale, strict=True) if each > 0]
    if not target.any() or not names:
        return ()
    limit = EXACTLY * float(np.sqrt(np.mean(target**2)))
    slope, *_ = np.linalg.lstsq(X, target)
    if np.abs(target - X @ slope).max() > limit:
        return ()
    found = [name for name, each in zip(names, slope, strict=True) if abs(each) > limit]
    return tuple(found) if 3 < len(found) <= MOST_WHOLE else ()


@dataclass(frozen=True, slots=True)
class _Held:
    """Holds a formula against the rows."""

    y: np.ndarray
    columns: Mapping[str, np.ndarray]
    usual: float  # what the target is in the middle: a formula that only gives this says nothing
    spread: float
    some: np.ndarray  # rows that formulas are fitted on

    def _fitted(self, X: np.ndarray, y: np.ndarray, rows: np.ndarray) -> np.ndarray | None:
        few = self.some[rows[self.some]]
        return steadily(X[few], y[few]) if len(few) > FEWEST_ROWS else None

    def sum(self, names: Sequence[str]) -> Relation | None:
        """Return the weighted sum of columns that gives the target, where there is one."""
        X = np.stack([self.columns[name] for name in names], axis=1)
        known = np.isfinite(X).all(axis=1)
        if known.sum() <= FEWEST_ROWS + len(names):
            return None
        slope = self._fitted(X, self.y, known)
        if slope is None or not slope.all():
            return None
        unit = float(np.abs(slope).min())
        times = slope / unit
        plain = bool(np.all(np.abs(times - np.round(times)) <= 1e-3 * np.abs(times)) and np.abs(times).max() < MOST_WHOLE + 0.5)
        if plain:
            times = np.round(times)
            fit = self._fitted((X @ times)[:, None], self.y, known)
            unit = float(fit[0]) if fit is not None else unit
            if abs(unit - 1) < 1e-6:
                unit = 1.0
            slope = times * unit
        value = X[known] @ slope
        value = value + float(np.median(self.y[known] - value))
        share, exact = self._share(value, known)
        if share < MOSTLY or not (plain or (exact and share == 1)):
            return None
        return Relation(
            tuple(names), _sum_in_words(names, times if plain else slope, unit if plain else 1.0), share, exact, bool(known.all()), plain
        )

    def product(self, names: Sequence[str]) -> Relation | None:
        """Return the product of powers of columns that gives the target, where there is one."""
        X = np.stack([self.columns[name] for name in names], axis=1)
        known = np.isfinite(X).all(axis=1)
        inside = known & (X > 0).all(axis=1) & (self.y > 0)
        if inside.sum() <= FEWEST_ROWS + len(names):
            return None
        with np.errstate(invalid="ignore", divide="ignore"):
            power = self._fitted(np.log(X), np.log(self.y), inside)
        if power is None:
            return None
        power = np.round(power)
        if not power.all() or np.abs(power).max() > 2:
            return None
        value = np.prod(X[inside] ** power, axis=1)
        value = value * float(np.median(self.y[inside] / value))
        share, exact = self._share(value, inside)
        if share < MOSTLY:
            return None
        return Relation(tuple(names), _product_in_words(names, power), share, exact, bool(known.all()), plain=True)

    def _share(self, value: np.ndarray, rows: np.ndarray) -> tuple[float, bool]:
        """Return in which share of the telling rows a formula holds, and whether to within rounding."""
        y = self.y[rows]
        missed = np.abs(y - value)
        telling = np.abs(y - self.usual) > 10 * NEARLY * self.spread
        if telling.sum() < FEWEST_ROWS:
            return 0.0, False
        exactly = float(np.mean(missed[telling] <= EXACTLY * max(self.spread, float(np.abs(y).max()) * 1e-6)))
        return (exactly, True) if exactly >= MOSTLY else (float(np.mean(missed[telling] <= NEARLY * self.spread)), False)


def steadily(X: np.ndarray, y: np.ndarray) -> np.ndarray | None:
    """Return the slopes of a plane through most of the rows, which the others do not draw away; None where there is none.

    Source: Rousseeuw and Van Driessen, Computing LTS Regression for Large Data Sets, 2006 (its concentration steps).
    """
    kept = np.ones(len(y), dtype=bool)
    found = None
    for _ in range(STEPS):
        centre, level = X[kept].mean(axis=0), float(y[kept].mean())
        slope, _, rank, _ = np.linalg.lstsq(X[kept] - centre, y[kept] - level)
        if rank < X.shape[1]:
            break
        found = slope
        missed = np.abs(y - level - (X - centre) @ slope)
        nearest = missed <= np.quantile(missed, KEPT)
        if np.array_equal(nearest, kept) or missed.max() <= LINE * np.abs(y - level).max():
            break
        kept = nearest
    return None if found is None else np.asarray(found)


def _sum_in_words(names: Sequence[str], times: np.ndarray, unit: float) -> str:
    order = sorted(range(len(names)), key=lambda number: bool(times[number] < 0))
    text = ""
    for place, number in enumerate(order):
        by = times[number]
        lead = "-" if by < 0 else ""
        text += f" {'-' if by < 0 else '+'} " if place else lead
        text += f"'{names[number]}'" if abs(by) == 1 else f"{short(abs(by))} x '{names[number]}'"
    if unit == 1.0:
        return text
    return f"{short(unit)} x ({text})"


def _product_in_words(names: Sequence[str], power: np.ndarray) -> str:
    def factor(number: int) -> str:
        return f"'{names[number]}'" + (" squared" if abs(power[number]) == 2 else "")

    above = [factor(i) for i in range(len(names)) if power[i] > 0] or ["1"]
    below = [factor(i) for i in range(len(names)) if power[i] < 0]
    return " / ".join([" x ".join(above), *below])
