"""Columns that are a running statistic of the target which includes the row's own value, or later ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from piste.core.audit.measures.relations import steadily

LONGEST = 30  # rows of a window
AHEAD = 28  # rows, the farthest later one that a column is compared with by itself
PLACES = 6_000  # rows, evenly spread, at which windows may be tried,
POSITIONS = 1_000  # at so many of which one is,
PREVIEW = 48  # and at so many first
TELLING = 20  # rows in which the own answer must make a difference, and as many that do not hold the column's usual value there
MATCH = 0.99
DIGITS = 5  # with which numbers may have been rounded
COARSE = 0.1  # of a column's standard deviation: digits so coarse prove nothing
EXACT = 1e-8  # of the spread: what the arithmetic of computers leaves in running sums
LINE = 1e-6
SETTLED = 60  # rows into a series
UNITS = 1e-3  # weight of the row before, below which a column is the target in other units, which L01 looks for

Statistic = Callable[[np.ndarray], np.ndarray]  # places in the order -> values
NOTHING: Statistic = lambda at: np.full(len(at), np.nan)  # noqa: E731  earlier rows alone give nothing


@dataclass(frozen=True, slots=True)
class Order:
    """An order of the rows in which windows may have been taken."""

    rows: np.ndarray  # (n_rows,) row numbers in order
    group: np.ndarray  # (n_rows,) of the rows in order: windows do not cross from one to the next
    words: str  # " by 'run' in order of time"


@dataclass(frozen=True, slots=True)
class Rolled:
    """What a column is: `words` with a place for the target, and in which share of the telling rows."""

    words: str
    share: float


@dataclass(frozen=True, slots=True)
class _Tried:
    """A statistic, and what it would be from earlier rows alone."""

    words: str
    at: np.ndarray  # places in the order
    value: Statistic
    past: Statistic


def rolled(y: np.ndarray, columns: Mapping[str, np.ndarray], order: Order) -> dict[str, Rolled]:
    """Return the columns that are a running statistic of the target with the row's own value in it.

    Args:
        y: (n_rows,) the target; NaN where it must not be looked at.
        columns: by name, (n_rows,) each.
        order: of the rows.
    """
    series = _Series.of(y[order.rows], order.group)
    names = list(columns)
    places = series.places
    X = np.stack([columns[name][order.rows[places]] for name in names], axis=1) if names else np.empty((len(places), 0))
    tolerance = _tolerance(X, float(np.nanstd(y)))
    tolerance[_earlier(series, X, tolerance)] = np.nan
    found: dict[str, Rolled] = {}
    for tried in _tries(series):
        left = np.flatnonzero(np.isfinite(tolerance))
        if not len(left):
            break
        few = tried.at[:: max(1, len(tried.at) // PREVIEW)]
        with np.errstate(invalid="ignore"):
            close = np.abs(X[np.ix_(np.searchsorted(places, few), left)] - tried.value(few)[:, None]) <= tolerance[left]
        for number in left[close.mean(axis=0) > 1 - 2 * (1 - MATCH) - 1 / len(few)]:
            if share := _match(tried, X[np.searchsorted(places, tried.at), number], float(tolerance[number])):
                found[names[number]] = Rolled(tried.words, share)
                tolerance[number] = np.nan
    for number in np.flatnonzero(np.isfinite(tolerance)):
        if how := _recursive(series, columns[names[number]][order.rows], float(tolerance[number])):
            found[names[number]] = how
    return found


def _tolerance(X: np.ndarray, spread: float) -> np.ndarray:
    """Return how far a value may be off by rounding, (n_columns,): half of its last digit; NaN where that proves nothing."""
    found = np.full(X.shape[1], np.nan)
    for number, column in enumerate(X.T):
        x = column[np.isfinite(column)]
        deviation = float(x.std()) if len(x) > TELLING else 0.0
        if not deviation > 0:
            continue
        found[number] = EXACT * max(spread, float(np.abs(x).max()))
        digits = next((d for d in range(DIGITS) if np.abs(x * 10**d - np.round(x * 10**d)).max() <= LINE), DIGITS)
        half = 0.5 * 10.0**-digits * (1 + LINE)
        if digits < DIGITS and half <= COARSE * deviation:
            found[number] = max(float(found[number]), half)
    return found


def _earlier(series: _Series, X: np.ndarray, tolerance: np.ndarray) -> np.ndarray:
    """Mark columns that are the target of some rows before, (n_columns,): of a total that only grows, that is a median of a window too."""
    found = np.zeros(X.shape[1], dtype=bool)
    for back in range(1, LONGEST + 1):
        at = series.inside(-back, 0)
        if len(at) >= TELLING:
            missed = np.abs(X[np.searchsorted(series.places, at)] - series.y[at - back][:, None])
            found |= np.mean(missed <= tolerance, axis=0) > MATCH
    return found


def _match(tried: _Tried, x: np.ndarray, tolerance: float) -> float:
    """Return the share of the telling rows in which a column is a statistic; 0 where it is not, or too few tell."""
    value, past = tried.value(tried.at), tried.past(tried.at)
    past = np.where(np.isfinite(past), past, np.median(value))
    telling = np.isfinite(x) & (np.abs(value - past) > 2 * tolerance)
    if telling.sum() < TELLING:
        return 0.0
    shown = value[telling]
    usual = np.unique(np.round(shown / tolerance), return_counts=True)[1].max()
    if len(shown) - usual < TELLING:
        return 0.0
    share = float(np.mean(np.abs(x[telling] - shown) <= tolerance))
    return share if share > MATCH else 0.0


@dataclass(frozen=True, slots=True)
class _Series:
    """The target in an order, cut into series."""

    y: np.ndarray
    first: np.ndarray  # (n_rows,) where the series of each row starts,
    last: np.ndarray  # and ends
    total: np.ndarray  # (n_rows + 1,) running sum of the target less its mean
    gaps: np.ndarray  # (n_rows + 1,) running count of what must not be looked at
    centre: float
    places: np.ndarray  # at which windows may be tried

    @staticmethod
    def of(y: np.ndarray, group: np.ndarray) -> _Series:
        start = np.flatnonzero(np.concatenate([[True], np.diff(group) != 0]))
        sizes = np.diff(np.append(start, len(y)))
        absent = np.isnan(y)
        centre = float(np.nanmean(y))
        total = np.concatenate([[0.0], np.cumsum(np.where(absent, 0.0, y - centre))])
        gaps = np.concatenate([[0], np.cumsum(absent)])
        places = np.unique(np.linspace(0, len(y) - 1, min(len(y), PLACES)).astype(int))
        return _Series(y, np.repeat(start, sizes), np.repeat(start + sizes - 1, sizes), total, gaps, centre, places)

    def inside(self, low: int, high: int) -> np.ndarray:
        """Return places whose window from `low` to `high` rows away lies in the series, and is known."""
        at = self.places
        at = at[(at + low >= self.first[at]) & (at + high <= self.last[at])]
        at = at[self.gaps[at + high + 1] == self.gaps[at + low]]
        some = np.unique(np.linspace(0, len(at) - 1, min(len(at), POSITIONS)).astype(int)) if len(at) else slice(0)
        return np.asarray(at[some])

    def sum(self, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
        """Return sums over the rows from `start` to before `stop`."""
        return np.asarray(self.total[stop] - self.total[start] + (stop - start) * self.centre)


def _tries(series: _Series) -> Iterator[_Tried]:
    """Yield the statistics, the plainest first."""
    for width in range(1, LONGEST + 1):
        for low in range(1 - width, 2):
            high = low + width - 1
            if low == high == 0:
                continue  # the target itself, which L01 looks for
            at = series.inside(low, high)
            if len(at) >= TELLING:
                yield from _window(series, at, low, high)
    for ahead in range(2, AHEAD + 1):
        at = series.inside(ahead, ahead)
        if len(at) >= TELLING:
            yield from _window(series, at, ahead, ahead)
    yield from _so_far(series)


def _window(series: _Series, at: np.ndarray, low: int, high: int) -> Iterator[_Tried]:
    width, n_past = high - low + 1, min(-low, high - low + 1) if low < 0 else 0
    where = _where(low, high)

    def total(at: np.ndarray) -> np.ndarray:
        return series.sum(at + low, at + high + 1)

    def past(at: np.ndarray) -> np.ndarray:
        return series.sum(at + low, at)

    if width == 1:
        yield _Tried(f"{{target}} of {where}", at, total, NOTHING)
        return
    yield _Tried(f"the mean of {{target}} over {where}", at, lambda at: total(at) / width, _over(past, n_past) if n_past else NOTHING)
    yield _Tried(f"the sum of {{target}} over {where}", at, total, past if n_past else NOTHING)
    if low in (1 - width, 0, 1, -(width // 2), -((width - 1) // 2)):
        for word, statistic in STATISTICS.items():
            before = _moving(series.y, statistic, low, -1) if n_past else NOTHING
            yield _Tried(f"the {word} {{target}} over {where}", at, _moving(series.y, statistic, low, high), before)


def _deviation(y: np.ndarray, axis: int) -> np.ndarray:
    return np.asarray(np.std(y, axis=axis, ddof=1)) if y.shape[axis] > 1 else np.full(len(y), np.nan)


STATISTICS: Mapping[str, Callable[..., np.ndarray]] = {
    "greatest": np.max,
    "least": np.min,
    "median": np.median,
    "standard deviation of": _deviation,
}


def _over(total: Statistic, n: int) -> Statistic:
    return lambda at: total(at) / n


def _moving(y: np.ndarray, statistic: Callable[..., np.ndarray], low: int, high: int) -> Statistic:
    return lambda at: statistic(y[at[:, None] + np.arange(low, high + 1)], axis=1)


def _where(low: int, high: int) -> str:
    width = high - low + 1
    if low == 1:
        return "the next row" if width == 1 else f"the next {width} rows"
    if low > 1:
        return f"the row {low} rows later"
    if high == 0:
        return f"the {width} rows that end with the row itself"
    if low == 0:
        return f"the {width} rows that begin with the row itself"
    return f"{width} rows: {-low} before, the row itself and {high} after"


def _so_far(series: _Series) -> Iterator[_Tried]:
    """Yield statistics over all rows of the series up to the row itself, and changes since the row before."""
    at = series.inside(-1, 0)
    at = at[series.gaps[at + 1] == series.gaps[series.first[at]]]
    if len(at) < TELLING:
        return
    y, first = series.y, series.first
    yield _Tried(
        "the mean of {target} over all rows up to the row itself",
        at,
        lambda at: series.sum(first[at], at + 1) / (at + 1 - first[at]),
        lambda at: series.sum(first[at], at) / (at - first[at]),
    )
    yield _Tried(
        "the sum of {target} over all rows up to the row itself",
        at,
        lambda at: series.sum(first[at], at + 1),
        lambda at: series.sum(first[at], at),
    )
    yield _Tried("the change of {target} since the row before", at, lambda at: y[at] - y[at - 1], NOTHING)
    fit = at[y[at - 1] != 0]
    if len(fit) >= TELLING:
        yield _Tried("the relative change of {target} since the row before", fit, lambda at: y[at] / y[at - 1] - 1, NOTHING)
        yield _Tried("the ratio of {target} to the row before", fit, lambda at: y[at] / y[at - 1], NOTHING)
    for word, running in {"greatest": np.fmax, "least": np.fmin}.items():
        so_far = np.concatenate([running.accumulate(y[a:b]) for a, b in pairwise([*np.unique(first), len(y)])])
        yield _Tried(f"the {word} {{target}} over all rows up to the row itself", at, _pick(so_far, 0), _pick(so_far, -1))
    yield _Tried("the median {target} over all rows up to the row itself", at, _medians(y, first, 1), _medians(y, first, 0))


def _pick(values: np.ndarray, away: int) -> Statistic:
    return lambda at: values[at + away]


def _medians(y: np.ndarray, first: np.ndarray, to: int) -> Statistic:
    return lambda at: np.array([np.median(y[first[i] : i + to]) for i in at])


def _recursive(series: _Series, x: np.ndarray, tolerance: float) -> Rolled | None:
    """Find a column that follows from its value in the row before and the row's own answer: an exponentially weighted mean."""
    at = series.inside(-1, 0)
    at = at[np.isfinite(x[at]) & np.isfinite(x[at - 1])]
    settled = at[at - series.first[at] >= SETTLED]  # a weighted mean of the first few rows counts them otherwise
    at = settled if len(settled) >= 3 * TELLING else at
    y = series.y[at]
    if len(at) < 3 * TELLING or not np.ptp(x[at]) > 0 or not np.ptp(y) > 0:
        return None
    lines = np.stack([x[at - 1] - x.mean(where=np.isfinite(x)), y - y.mean()], axis=1)
    slope = steadily(lines, x[at])
    if slope is None:
        return None
    kept, weight = float(slope[0]), float(slope[1])
    level = float(np.median(x[at] - lines @ slope))
    limit = max(3 * tolerance, LINE * float(x[at].std()))
    share = float(np.mean(np.abs(x[at] - level - lines @ slope) <= limit))
    if share <= MATCH or abs(kept) < UNITS or abs(weight) * float(y.std()) <= 10 * limit:
        return None
    if abs(kept + weight - 1) <= UNITS:
        return Rolled(f"a running mean of {{target}} in which the row itself counts {weight:.0%}", share)
    return Rolled("a running sum of {target} with the row itself in it", share)
