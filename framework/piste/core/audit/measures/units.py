"""Which values of a column are in another unit than the others, as the values themselves tell; arrays in, rows out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

# How values come back to the unit of the others: what they are in, and what the others are in.
FACTORS: Mapping[tuple[str, str], float] = {
    ("inches", "centimetres"): 2.54,
    ("inches", "millimetres"): 25.4,
    ("feet", "metres"): 0.3048,
    ("yards", "metres"): 0.9144,
    ("miles", "kilometres"): 1.609344,
    ("square feet", "square metres"): 0.09290304,
    ("pounds", "kilograms"): 0.45359237,
    ("ounces", "grams"): 28.349523125,
    ("gallons", "litres"): 3.785411784,
    ("metres a second", "kilometres an hour"): 3.6,
    ("knots", "kilometres an hour"): 1.852,
    ("miles an hour", "metres a second"): 0.44704,
    ("hours", "minutes"): 60.0,
    ("hours", "seconds"): 3600.0,
    ("days", "hours"): 24.0,
    ("weeks", "days"): 7.0,
    ("years", "months"): 12.0,
    ("tens", "ones"): 10.0,
    ("hundreds", "ones"): 100.0,
    ("thousands", "ones"): 1000.0,
}
FINEST = -7  # power of ten of the finest steps looked for
ON_STEPS = 0.3  # of the values: the steps in which a column is written
MORE_ON = 0.05  # that finer steps must bring
MOST_STEPS = 4
DRAWN = 2_000  # values that show how many of any come back by chance
STEP_ROWS = 5_000  # that tell the steps
CONVERTED = 0.95  # of the values off the steps that come back to them
FEW = 10  # values off the steps
ON_GRID = 0.99  # of the values
MOST_CHANCE = 0.8  # of a value to lie that near a step, whatever its unit
MANY = 15  # distinct values of a part
GRID_VALUES = 20_000  # distinct ones; a column of more is not written in steps
MOST_OUTSIDE = 0.85  # of the values that look converted where they are not
SURE = 20.0  # nats: once in 10 million columns, for each of the ways that are tried
FEW_SHARE = 0.005
NEAR_FACTOR = 0.06
ENDS = 3  # values at either end, which lie apart by nature
WIDE_GAP = 4.0  # times the next widest
ALIKE = 0.25  # of an interquartile range, by which two clusters may differ in shape


@dataclass(frozen=True, slots=True)
class Converted:
    """Values in another unit than the others.

    Args:
        rows: (n_rows,) which they are.
        unit: what they seem to be in.
        usual: what the others are in.
        factor: what they are multiplied by to come back; of degrees, after or before 32 is taken off or added.
        step: in which the others are written.
    """

    rows: np.ndarray
    unit: str
    usual: str
    factor: float
    step: float


def converted(x: np.ndarray) -> Converted | None:
    """Find values that were converted: written in no steps, while the others go in steps to which one factor brings them back.

    Where a column is written in steps: 2.1 and 5.7 are tenths, 0.826772 is not, but times 2.54 it is 2.1. What was rounded after the
    conversion comes back near the steps only, 0.83 to 2.108: then many values must, more than chance brings that near.

    Args:
        x: (n_rows,) NaN where missing.
    """
    seen = ~np.isnan(x) & (x != 0)
    values = x[seen]
    if len(values) < 2 * FEW:
        return None
    for step in _steps(values[:: max(1, len(values) // STEP_ROWS)]):
        off = ~_on(values, step, 1e-6)
        if way := _way_back(values, off, step):
            rows = np.zeros(len(x), dtype=bool)
            rows[np.flatnonzero(seen)[off]] = True
            return Converted(rows, way.unit, way.usual, way.factor, step)
    return None


def _way_back(values: np.ndarray, off: np.ndarray, step: float) -> Way | None:
    """Return the way that brings values off the steps back to them, if there is one."""
    strays = values[off]
    if not max(FEW, FEW_SHARE * len(values)) <= len(strays) <= (1 - ON_STEPS) * len(values):
        return None
    distinct = np.unique(strays)
    if len(distinct) < FEW:
        return None
    grid = _grid(strays)
    usual = float(np.median(values[~off]))
    low, high = distinct[0], distinct[-1]
    drawn = np.random.default_rng(0).uniform(low, high, DRAWN)
    drawn = np.round(drawn / grid) * grid if grid else drawn
    drawn = drawn[~_on(drawn, step, 1e-6)]
    fits: list[tuple[float, Way]] = []
    for way in WAYS:
        tolerance = 2e-3 + 0.5 * grid * abs(way.factor) / step
        if 2 * tolerance > MOST_CHANCE:
            continue
        home = way.back(strays)
        if (5 * way.factor).is_integer() and not _nearer(strays, home, usual):
            continue  # times 12 or 3.6, averages and shillings are whole, too
        if _on(home, step, tolerance).mean() < CONVERTED or np.ptp(home) <= 10 * step or not len(drawn):
            continue
        chance = max(2 * tolerance, float(_on(way.back(drawn), step, tolerance).mean()))
        if chance < MOST_CHANCE:
            sure = _surprise(float(_on(way.back(distinct), step, tolerance).mean()), chance) * len(distinct)
            fits += [(sure, way)] * (sure >= SURE)
    surest = max((sure for sure, _ in fits), default=0.0)
    return next((way for sure, way in fits if sure >= 0.8 * surest), None)  # the smallest change first


def _nearer(strays: np.ndarray, home: np.ndarray, usual: float) -> bool:
    """Tell whether values that are brought back are of about the size of the others, and were not before."""
    now, before = (float(np.median(np.abs(each))) for each in (home, strays))
    return bool(usual and now and before and abs(np.log(now / abs(usual))) < 0.5 * abs(np.log(before / abs(usual))))


def _surprise(share: float, chance: float) -> float:
    """Return how much less likely a share of hits is by chance, in nats for each try (Kullback-Leibler)."""
    if share <= chance:
        return 0.0
    return float(share * np.log(share / chance) + (1 - share) * np.log(max(1 - share, 1e-300) / (1 - chance)))


@dataclass(frozen=True, slots=True)
class Way:
    """A way back from a unit to the usual one: times a factor, after an offset."""

    unit: str
    usual: str
    factor: float
    before: float = 0.0
    after: float = 0.0

    def back(self, values: np.ndarray) -> np.ndarray:
        """Return values in the usual unit."""
        return np.asarray((values + self.before) * self.factor + self.after)

    def there(self, values: np.ndarray) -> np.ndarray:
        """Return values of the usual unit in this one."""
        return np.asarray((values - self.after) / self.factor - self.before)


DEGREES = (
    Way("degrees Fahrenheit", "degrees Celsius", 1 / 1.8, before=-32.0),
    Way("degrees Celsius", "degrees Fahrenheit", 1.8, after=32.0),
)


def _ways() -> list[Way]:
    """Return every way that does not merely shift the decimal mark, the smallest change first."""
    shifts = (10.0, 100.0, 1000.0)
    ways = [
        way
        for (large, small), factor in FACTORS.items()
        if factor not in shifts
        for way in (Way(large, small, factor), Way(small, large, 1 / factor))
    ]
    return sorted(ways, key=lambda way: abs(np.log(way.factor))) + list(DEGREES)


WAYS = _ways()


def _grid(values: np.ndarray) -> float:
    """Return the decimal step that nearly all values are multiples of; 0 where they have more than six decimals."""
    for power in range(3, -7, -1):
        if _on(values, 10.0**power, 1e-6).mean() > ON_GRID:
            return float(10.0**power)
    return 0.0


def _steps(values: np.ndarray) -> list[float]:
    """Return the decimal steps that many values are multiples of, the largest first: tenths before hundredths, and halves of them."""
    largest = float(np.abs(values).max())
    top = int(np.floor(np.log10(largest))) if largest > 0 else 0
    steps: list[float] = []
    share = ON_STEPS
    for power in range(top, max(FINEST, top - 12) - 1, -1):
        for part in (1.0, 0.5):
            on = float(_on(values, part * 10.0**power, 1e-6).mean())
            if on > share:
                steps.append(part * 10.0**power)
                share = on + MORE_ON
    return steps[:MOST_STEPS]


def _on(values: np.ndarray, step: float, tolerance: float) -> np.ndarray:
    """Mark multiples of a step, to a tolerance in steps; of numbers too long for it, to their own precision."""
    times = values / step
    return np.asarray(np.abs(times - np.round(times)) <= np.maximum(tolerance, 1e-12 * np.abs(times)))


@dataclass(frozen=True, slots=True)
class TwoScales:
    """Two kinds of values with nothing between them, alike but for a factor.

    Args:
        rows: (n_rows,) those of the rarer kind.
        factor: by which they are larger than the others.
    """

    rows: np.ndarray
    factor: float


def two_scales(x: np.ndarray) -> TwoScales | None:
    """Find positive values that fall into two clusters which are spread alike, exactly one factor between two units apart.

    Args:
        x: (n_rows,) NaN where missing.
    """
    seen = ~np.isnan(x)
    if seen.sum() < 10 * FEW or not (x[seen] > 0).all():
        return None
    z = np.log(x[seen])
    clusters = _clusters(z)
    if clusters is None or not factor_words(float(np.exp(clusters.height)), clusters.error):
        return None
    rarer = np.zeros(len(x), dtype=bool)
    rarer[seen] = z >= clusters.top if clusters.above else z <= clusters.bottom
    return TwoScales(rarer, float(np.exp(clusters.height if clusters.above else -clusters.height)))


@dataclass(frozen=True, slots=True)
class _Clusters:
    """Two clusters that are spread alike, with nothing between them."""

    bottom: float  # end of the lower one
    top: float  # start of the upper one
    height: float  # from median to median
    error: float  # of the height
    above: bool  # whether the upper one is the rarer


def _clusters(values: np.ndarray) -> _Clusters | None:
    """Cut values at their widest gap, and tell whether both sides are clusters of one shape."""
    z = np.sort(values)
    gaps = np.diff(z)
    cut = int(np.argmax(gaps)) + 1
    low, high = z[:cut], z[cut:]
    if min(len(low), len(high)) < max(FEW, FEW_SHARE * len(z)) or min(len(np.unique(low)), len(np.unique(high))) < FEW:
        return None
    levels = (0.1, 0.25, 0.5, 0.75, 0.9)
    below, above = np.quantile(low, levels), np.quantile(high, levels)
    height = float(above[2] - below[2])
    width = max(float(above[3] - above[1]), float(below[3] - below[1]))
    off = float(np.abs(above - below - height).max())
    few = min(len(low), len(high))
    within = float(np.delete(gaps, cut - 1)[ENDS:-ENDS].max(initial=0.0))
    gap = float(high[0] - low[-1])
    if off > width * (ALIKE + 2 / np.sqrt(few)) or gap < min(width, max(WIDE_GAP * within, 0.1 * width)):
        return None
    return _Clusters(float(low[-1]), float(high[0]), height, width / np.sqrt(few), len(high) < len(low))


def factor_words(ratio: float, error: float = 0.0, *, close: float = NEAR_FACTOR) -> str:
    """Say which units are so far apart, to within a distance of their logarithms, or twice its error; empty where none are.

    >>> factor_words(2.54), factor_words(0.001), factor_words(1.3)
    ('as from inches to centimetres', 'as from ones to thousands', '')
    """
    fitting = [
        (abs(np.log(ratio / times)), names)
        for names, factor in FACTORS.items()
        for names, times in ((names, factor), (names[::-1], 1 / factor))
        if abs(np.log(ratio / times)) < max(close, 2 * error)
    ]
    return f"as from {' to '.join(min(fitting)[1])}" if fitting else ""


def other_part(x: np.ndarray, codes: Sequence[np.ndarray], ordered: np.ndarray) -> tuple[np.ndarray, Way] | None:
    """Find the part of the rows, by time or by a level of another column, where all values look converted and rounded.

    Of whole miles, 2 and 3 become 3 and 5 whole kilometres, and none becomes 4. Where all of many values are such as the conversion
    brings, and elsewhere about as few as chance brings, they were converted.

    Args:
        x: (n_rows,) NaN where missing.
        codes: of other columns, (n_rows,) each, the number of each row's level.
        ordered: (n_rows,) row numbers in order of time; empty where there is none.

    Returns:
        The rows, (n_rows,), and their way back.
    """
    seen = ~np.isnan(x) & (x != 0)
    values, place = np.unique(x[seen], return_inverse=True)
    if len(values) < MANY:
        return None
    grid = _grid(values)
    if not grid or len(values) > GRID_VALUES or not _on(values, grid, 1e-6).all():
        return None
    rows = np.flatnonzero(seen)
    at = np.full(len(x), -1)
    at[rows] = place
    line = ordered[seen[ordered]] if len(ordered) else ordered
    for way in WAYS:
        if way.factor > MOST_CHANCE or (1 / way.factor).is_integer():
            continue
        usual = np.round(way.back(values) / grid) * grid
        comes = np.abs(way.there(usual) - values) <= (0.5 + 1e-6) * grid
        if comes.mean() > MOST_OUTSIDE:
            continue
        if len(line) and (found := _longest(comes[at[line]])):
            first, last = found
            part = np.zeros(len(x), dtype=bool)
            part[line[first:last]] = True
            if _sure(at, part, seen, comes, way.factor, len(line)):
                return part & seen, way
        for level in codes:
            n = np.bincount(level[rows])
            wrong = np.bincount(level[rows], ~comes[place])
            for one in np.flatnonzero((wrong == 0) & (n >= MANY)).tolist():
                part = seen & (level == one)
                if _sure(at, part, seen, comes, way.factor, len(n)):
                    return part, way
    return None


def _longest(marks: np.ndarray) -> tuple[int, int]:
    """Return the longest run of marks, [first, last)."""
    ends = np.flatnonzero(np.diff(np.concatenate([[0], marks.astype(np.int8), [0]])))
    starts, stops = ends[::2], ends[1::2]
    if not len(starts):
        return 0, 0
    best = int(np.argmax(stops - starts))
    return int(starts[best]), int(stops[best])


def _sure(at: np.ndarray, part: np.ndarray, seen: np.ndarray, comes: np.ndarray, chance: float, tries: int) -> bool:
    """Tell whether chance does not bring so many values of a conversion in one part, and only there."""
    if -int(part.sum()) * np.log(chance) < SURE:
        return False  # however different they are
    inside, outside = np.unique(at[part & seen]), np.unique(at[~part & seen])
    if len(inside) < MANY or len(outside) < MANY:
        return False
    elsewhere = max(chance, float(comes[outside].mean()))
    return bool(elsewhere <= MOST_OUTSIDE and -len(inside) * np.log(elsewhere) - np.log(tries) >= SURE)
