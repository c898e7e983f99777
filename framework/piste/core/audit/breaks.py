"""Where a column of numbers is in two units, jumps to another level, or is stuck at one value; arrays in, places out."""

from __future__ import annotations

from collections.abc import Mapping
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
STEP_ROWS = 5_000  # that tell the steps
CONVERTED = 0.95  # of the values off the steps that come back to them
FEW = 10  # values off the steps
FEW_SHARE = 0.005
MOST_CHUNKS = 60  # of time
FEWEST_CHUNKS = 12
PER_CHUNK = 5  # values
SIDE = 3  # chunks on either side of a jump that are compared
ABRUPT = 0.8  # of the whole jump, from one side of its place to the other
ALONE = 2.0  # times the next greatest change between neighbours: seasons come back, a new gauge does not
JUMP = float(np.log(3.0))
KNOWN_JUMP = float(np.log(1.55))  # where it is that of two units
NEAR_FACTOR = 0.06
CLEAR, SHARP = 3.0, 6.0  # times the noise about the two levels: of a large jump, and of one by a known factor
SHIFT = 3.0  # interquartile ranges within a chunk, for what may be negative
ALIKE = 0.25  # of an interquartile range, by which two clusters may differ in shape
LONG_RUN = 12
RUN_TIMES = 5.0  # as long as 99 of 100 runs
LUCKY_RUN = 3.0  # times the longest run that chance leads to expect


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

    An exact test, where a column is written in steps and the conversion was not rounded: 2.1 and 5.7 are tenths, 0.826772 is not, but
    times 2.54 it is 2.1.

    Args:
        x: (n_rows,) NaN where missing.
    """
    seen = ~np.isnan(x) & (x != 0)
    values = x[seen]
    if len(values) < 2 * FEW:
        return None
    step = _step(values[:: max(1, len(values) // STEP_ROWS)])
    if step is None:
        return None
    off = ~_on(values, step, 1e-6)
    few = max(FEW, FEW_SHARE * len(values))
    if not few <= off.sum() <= (1 - ON_STEPS) * len(values) or len(np.unique(values[off])) < FEW:
        return None
    finer = float(_on(values[off], step / 1000, 1e-4).mean())  # with more decimals only
    for way in WAYS:
        if finer > 0.5 and way.factor.is_integer():
            continue  # times 12 or 60, halves and quarters are whole, too
        home = way.back(values[off])
        if _on(home, step, 2e-3).mean() >= CONVERTED and np.ptp(home) > 10 * step:
            rows = np.zeros(len(x), dtype=bool)
            rows[np.flatnonzero(seen)[off]] = True
            return Converted(rows, way.unit, way.usual, way.factor, step)
    return None


@dataclass(frozen=True, slots=True)
class _Way:
    """A way back from a unit to the usual one: times a factor, after an offset."""

    unit: str
    usual: str
    factor: float
    before: float = 0.0
    after: float = 0.0

    def back(self, values: np.ndarray) -> np.ndarray:
        """Return values in the usual unit."""
        return np.asarray((values + self.before) * self.factor + self.after)


def _ways() -> list[_Way]:
    """Return every way that does not merely shift the decimal mark, the smallest change first."""
    shifts = (10.0, 100.0, 1000.0)
    ways = [
        way
        for (large, small), factor in FACTORS.items()
        if factor not in shifts
        for way in (_Way(large, small, factor), _Way(small, large, 1 / factor))
    ]
    degrees = [
        _Way("degrees Fahrenheit", "degrees Celsius", 1 / 1.8, before=-32.0),
        _Way("degrees Celsius", "degrees Fahrenheit", 1.8, after=32.0),
    ]
    return sorted(ways, key=lambda way: abs(np.log(way.factor))) + degrees


WAYS = _ways()


def _step(values: np.ndarray) -> float | None:
    """Return the largest decimal step that many values are multiples of: tenths before hundredths."""
    largest = float(np.abs(values).max())
    top = int(np.floor(np.log10(largest))) if largest > 0 else 0
    for power in range(top, max(FINEST, top - 12) - 1, -1):
        for part in (1.0, 0.5):
            step = part * 10.0**power
            if _on(values, step, 1e-6).mean() > ON_STEPS:
                return step
    return None


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
    z = np.sort(np.log(x[seen]))
    cut = int(np.argmax(np.diff(z))) + 1
    low, high = z[:cut], z[cut:]
    if min(len(low), len(high)) < max(FEW, FEW_SHARE * len(z)) or min(len(np.unique(low)), len(np.unique(high))) < FEW:
        return None
    levels = (0.1, 0.25, 0.5, 0.75, 0.9)
    below, above = np.quantile(low, levels), np.quantile(high, levels)
    height = float(above[2] - below[2])
    width = max(float(above[3] - above[1]), float(below[3] - below[1]))
    off = float(np.abs(above - below - height).max())
    allowed = width * (ALIKE + 2 / np.sqrt(min(len(low), len(high))))
    if high[0] - low[-1] < width or off > allowed or not factor_words(float(np.exp(height))):
        return None
    rarer = np.zeros(len(x), dtype=bool)
    more = len(high) < len(low)
    rarer[seen] = (np.log(x[seen]) >= high[0]) if more else (np.log(x[seen]) <= low[-1])
    return TwoScales(rarer, float(np.exp(height if more else -height)))


def factor_words(ratio: float) -> str:
    """Say which units are so far apart; empty where none are.

    >>> factor_words(2.54), factor_words(0.001), factor_words(1.3)
    ('as from inches to centimetres', 'as from ones to thousands', '')
    """
    close = [
        (abs(np.log(ratio / times)), names)
        for names, factor in FACTORS.items()
        for names, times in ((names, factor), (names[::-1], 1 / factor))
        if abs(np.log(ratio / times)) < NEAR_FACTOR
    ]
    return f"as from {' to '.join(min(close)[1])}" if close else ""


@dataclass(frozen=True, slots=True)
class Jump:
    """A stretch of time in which a column lies at another level.

    Args:
        start, stop: chunks [start, stop) that lie elsewhere.
        inside, outside: level there, and before or after.
        noise: standard deviation of the chunks about the two levels.
    """

    start: int
    stop: int
    inside: float
    outside: float
    noise: float

    @property
    def height(self) -> float:
        """Return by how much the level differs."""
        return self.inside - self.outside


def jump(levels: np.ndarray) -> Jump | None:
    """Find the stretch that differs most in level from all before and after it, if it begins and ends abruptly as nothing else does.

    Args:
        levels: (n_chunks,) of consecutive chunks of time; NaN where a chunk says nothing.
    """
    there = np.flatnonzero(~np.isnan(levels))
    z = levels[there]
    n = len(z)
    if n < FEWEST_CHUNKS:
        return None
    total, sums = z.sum(), np.concatenate([[0.0], np.cumsum(z)])
    start, stop = np.triu_indices(n + 1, k=SIDE)
    size = stop - start
    fits = (size <= n - SIDE) & ((start == 0) | (start >= SIDE)) & ((stop == n) | (stop <= n - SIDE)) & ((start > 0) | (stop < n))
    start, stop, size = start[fits], stop[fits], size[fits]
    inside = (sums[stop] - sums[start]) / size
    outside = (total - (sums[stop] - sums[start])) / (n - size)
    best = int(np.argmax(size * (n - size) * (inside - outside) ** 2))  # least squares
    a, b, low, high = int(start[best]), int(stop[best]), float(outside[best]), float(inside[best])
    if (b == n and a * 2 < n) or (a == 0 and b * 2 > n):  # the shorter side is the odd one
        a, b, low, high = (0, a, high, low) if b == n else (b, n, high, low)
    height = abs(high - low)
    edges = [edge for edge in (a, b) if 0 < edge < n]
    change = np.array([abs(np.median(z[k : k + SIDE]) - np.median(z[k - SIDE : k])) for k in range(SIDE, n - SIDE + 1)])
    places = np.arange(SIDE, n - SIDE + 1)
    apart = np.all([np.abs(places - edge) > SIDE for edge in edges], axis=0)
    at = [float(change[places == edge][0]) for edge in edges]
    if min(at) < ABRUPT * height or height < ALONE * float(change[apart].max(initial=0.0)):
        return None
    within = np.concatenate([z[a:b] - high, z[:a] - low, z[b:] - low])
    return Jump(int(there[a]), int(there[b - 1]) + 1, high, low, float(np.sqrt(np.mean(within**2))))


@dataclass(frozen=True, slots=True)
class Chunked:
    """The level of a column in each chunk of time."""

    logs: np.ndarray  # (n_chunks,) median of the logarithm of its size, zeros aside; NaN where there are too few
    middle: np.ndarray  # (n_chunks,) median
    spread: float  # interquartile range within a chunk, the median over chunks
    signed: bool  # whether it takes both signs


def chunked(x: np.ndarray, chunk: np.ndarray, n_chunks: int) -> Chunked:
    """Take the level of a column in each chunk.

    Args:
        x: (n_rows,) NaN where missing.
        chunk: (n_rows,) number of each row's chunk.
        n_chunks: how many there are.
    """
    seen = ~np.isnan(x)
    values, codes = x[seen], chunk[seen]
    order = np.lexsort((values, codes))
    quartiles = _quantiles(values[order], codes[order], n_chunks, (0.25, 0.5, 0.75))
    size = np.abs(values)
    sized = size > 0
    order = np.lexsort((size[sized], codes[sized]))
    with np.errstate(divide="ignore"):
        logs = np.log(_quantiles(size[sized][order], codes[sized][order], n_chunks, (0.5,))[0])
    ranges = quartiles[2] - quartiles[0]
    spread = float(np.nanmedian(ranges)) if (~np.isnan(ranges)).any() else 0.0
    signed = bool(0.01 < (values < 0).mean() < 0.99) if len(values) else False
    return Chunked(logs, quartiles[1], spread, signed)


def _quantiles(values: np.ndarray, codes: np.ndarray, n_chunks: int, levels: tuple[float, ...]) -> np.ndarray:
    """Return quantiles of each chunk, (n_levels, n_chunks), from values sorted within chunks; NaN where a chunk has too few."""
    sizes = np.bincount(codes, minlength=n_chunks)
    first = np.cumsum(sizes) - sizes
    found = np.full((len(levels), n_chunks), np.nan)
    enough = sizes >= PER_CHUNK
    for number, level in enumerate(levels):
        found[number, enough] = values[(first + ((sizes - 1) * level).astype(int))[enough]]
    return found


def level_break(levels: Chunked, *, clear: float = CLEAR) -> tuple[Jump, float] | None:
    """Find a jump of a column to another level: by a factor, or by an amount where it takes both signs or keeps far from zero.

    Args:
        levels: of the column.
        clear: times the noise about the two levels that a jump must be.

    Returns:
        The jump, and the factor; NaN for an amount.
    """
    if not levels.spread > 0:
        return None  # it does not vary: a number of a year or a season, that steps by itself
    if not levels.signed and (found := jump(levels.logs)):
        height, factor = abs(found.height), float(np.exp(found.height))
        if height >= max(JUMP, clear * found.noise) or (height >= max(KNOWN_JUMP, SHARP * found.noise) and factor_words(factor)):
            return found, factor
    if (found := jump(levels.middle)) and abs(found.height) >= max(SHIFT * levels.spread, clear * found.noise):
        return found, float("nan")
    return None


@dataclass(frozen=True, slots=True)
class Stuck:
    """Runs of equal values that are too long to be true."""

    longest: int  # values
    first: int  # place of the longest run's first value
    value: float
    runs: int
    rows: int


def stuck(x: np.ndarray, series: np.ndarray) -> Stuck | None:
    """Find runs of one value, in a column that otherwise changes; 0 and the ends of its range aside, where it may rest.

    Args:
        x: (n_rows,) in order of series, and of time within each; NaN where missing.
        series: (n_rows,) number of each row's series.
    """
    if len(x) < 10 * LONG_RUN or len(np.unique(x[~np.isnan(x)])) < FEWEST_CHUNKS:
        return None
    same = (x[1:] == x[:-1]) & (series[1:] == series[:-1])
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    lengths = np.diff(np.append(starts, len(x)))
    value = x[starts]
    may_rest = np.isnan(value) | (value == 0) | (value == np.nanmin(x)) | (value == np.nanmax(x))
    usual = float(np.quantile(lengths[~np.isnan(value)], 0.99))
    long = ~may_rest & (lengths > max(LONG_RUN, RUN_TIMES * usual))
    if not long.any():
        return None
    free = int(lengths[~long].sum())
    again = float((lengths[~long] - 1).sum()) / max(1, free)  # share of values that equal the one before, by chance
    lucky = np.log(max(2, free)) / np.log(1 / again) if 0 < again < 1 else 1.0
    long &= lengths > LUCKY_RUN * lucky
    if not long.any():
        return None
    longest = int(np.argmax(np.where(long, lengths, 0)))
    return Stuck(int(lengths[longest]), int(starts[longest]), float(value[longest]), int(long.sum()), int(lengths[long].sum()))
