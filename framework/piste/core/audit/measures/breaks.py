"""Where a column of numbers jumps to another level in time, or is stuck at one value; arrays in, places out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from piste.core.audit.measures.units import DEGREES, Way, factor_words

MOST_CHUNKS = 60  # of time
FEWEST_CHUNKS = 12
PER_CHUNK = 5  # values
SIDE = 3  # chunks on either side of a jump that are compared
ABRUPT = 0.8  # of the whole jump, from one side of its place to the other
ALONE = 2.0  # times the next greatest change between neighbours: seasons come back, a new gauge does not
JUMP = float(np.log(3.0))
KNOWN_JUMP = float(np.log(1.55))  # where it is that of two units
CLEAR, SHARP = 3.0, 6.0  # times the noise about the two levels: of a large jump, and of one by a known factor
SHIFT = 3.0  # interquartile ranges within a chunk, for what may be negative
YEAR = 365.25 * 86_400.0  # seconds
SEASONS = 1.5  # years that show a season
BETTER = 2.0  # in the criterion, by which a step must beat what is smooth
LEAST_SIZE = 0.02  # of the rows: what the season leaves of a step
LOCAL = 0.4  # of the height, by which it may differ at short distances
SURELY = 6.0  # standard errors
LEAST_STEP = float(np.log(1.45))
BLURRED = 0.12  # standard error of a factor's logarithm from which it may be any
RESTING = 0.02  # of the values, in other runs of a value that a column rests at
ABRUPTLY = 5.0  # times the next longest run of it
FAR_OFF = 0.1  # quantile of the distances from it, beyond which its neighbours lie
LONG_RUN = 12
RUN_TIMES = 5.0  # as long as 99 of 100 runs
LUCKY_RUN = 3.0  # times the longest run that chance leads to expect


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
    ranges: np.ndarray  # (n_chunks,) interquartile range
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
    return Chunked(logs, quartiles[1], ranges, spread, signed)


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
class Step:
    """A step of a level in time, season aside.

    Args:
        start: first chunk after it.
        height: by how much the level differs after it.
        error: standard error of the height, by how far chunks stray and how alike neighbours are.
    """

    start: int
    height: float
    error: float


def step(levels: np.ndarray, when: np.ndarray) -> Step | None:
    """Find the one step that explains a series best beside the season, if nothing smooth explains it as well.

    Least squares on two waves a year and a step at each place in turn. The step must show at short distances as well as at long
    ones, and be twice the next best one; neither a line nor a curved trend with more waves may explain the series about as well.

    Args:
        levels: (n_chunks,) NaN where a chunk says nothing.
        when: (n_chunks,) when each begins, in seconds.
    """
    there = np.flatnonzero(~np.isnan(levels))
    z, t = levels[there], when[there] / YEAR
    n = len(z)
    if n < 2 * FEWEST_CHUNKS or np.ptp(z) <= 0 or np.ptp(t) <= 0:
        return None
    u = 2 * (t - t.min()) / np.ptp(t) - 1
    waves = 2 if np.ptp(t) >= SEASONS else 0
    base = _out_of([np.ones(n), *_waves(t, waves)])
    places = np.arange(2 * SIDE, n - 2 * SIDE + 1)
    steps = base((np.arange(n)[:, None] >= places).astype(float))  # (n, n_places), without what the season explains
    left = base(z[:, None])[:, 0]
    size = (steps**2).sum(axis=0)
    heights = steps.T @ left / np.maximum(size, 1e-12)
    gains = np.where(size > LEAST_SIZE * n, heights**2 * size, 0.0)
    best = int(np.argmax(gains))
    rest = left - heights[best] * steps[:, best]
    unexplained = float(rest @ rest)
    if gains[best] <= 0:
        return None
    criterion = _criterion(unexplained, n, 3 + 2 * waves)  # the place is chosen, too
    for powers, more in ((2, waves), (4, waves), (6, waves), (6, 2 * waves)):
        smooth = _out_of([u**k for k in range(powers)] + _waves(t, more))(z[:, None])[:, 0]
        if criterion + BETTER > _criterion(float(smooth @ smooth), n, powers + 2 * more):
            return None
    again = steps.T @ rest / np.maximum(size, 1e-12)
    if np.abs(np.where(gains > 0, again, 0.0)).max() > abs(heights[best]) / ALONE:
        return None
    place, height = int(places[best]), float(heights[best])
    spread = float(np.sqrt(unexplained / max(1, n - 3 - 2 * waves)))
    alike = float(np.clip(rest[1:] @ rest[:-1] / max(unexplained, 1e-300), 0.0, 0.9))
    error = spread / np.sqrt(size[best]) * np.sqrt((1 + alike) / (1 - alike))
    stepped = rest + height * (np.arange(n) >= place)
    for width in (SIDE, 2 * SIDE):
        local = float(stepped[place : place + width].mean() - stepped[place - width : place].mean())
        if abs(local - height) > max(LOCAL * abs(height), 2.5 * spread * np.sqrt(2 / width)):
            return None
    return Step(int(there[place]), height, float(error))


def _criterion(unexplained: float, n: int, terms: int) -> float:
    """Return Schwarz's criterion: the lower, the better a curve of so many terms explains a series."""
    return n * float(np.log(max(unexplained, 1e-300) / n)) + terms * float(np.log(n))


def _waves(t: np.ndarray, many: int) -> list[np.ndarray]:
    return [wave(2 * np.pi * k * t) for k in range(1, many + 1) for wave in (np.sin, np.cos)]


def _out_of(columns: list[np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
    """Return what takes out of columns, (n, k), all that some others explain."""
    basis = np.linalg.qr(np.stack(columns, axis=1))[0]
    return lambda values: np.asarray(values - basis @ (basis.T @ values))


def known_step(levels: Chunked, when: np.ndarray) -> tuple[Step, float] | None:
    """Find a step that is surely there, as high as the factor between two units or threefold; spread alike on both sides but for it.

    Returns:
        The step, and its factor.
    """
    if levels.signed or not levels.spread > 0:
        return None
    found = step(levels.logs, when)
    if found is None or abs(found.height) < max(LEAST_STEP, SURELY * found.error) or found.error > BLURRED:
        return None
    factor = float(np.exp(found.height))
    if abs(found.height) < JUMP and not factor_words(factor, found.error, close=0.0):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        widths = np.where(levels.ranges > 0, np.log(levels.ranges), np.nan)
    before, after = widths[: found.start], widths[found.start :]
    if (~np.isnan(before)).sum() < SIDE or (~np.isnan(after)).sum() < SIDE:
        return None
    wider = float(np.nanmean(after) - np.nanmean(before))
    error = float(np.hypot(np.nanstd(before) / np.sqrt((~np.isnan(before)).sum()), np.nanstd(after) / np.sqrt((~np.isnan(after)).sum())))
    return (found, factor) if abs(wider - found.height) <= max(0.35 * abs(found.height), 3 * error) else None


def degrees(levels: Chunked, when: np.ndarray) -> tuple[Step, Way] | None:
    """Find a step that changes level and spread as degrees Fahrenheit and Celsius do, and that is gone once they are brought back.

    Returns:
        The step, and the way back of what comes after it.
    """
    found = step(levels.middle, when) if levels.spread > 0 else None
    if found is None or abs(found.height) < max(SURELY * found.error, 0.5 * levels.spread):
        return None
    before, after = slice(None, found.start), slice(found.start, None)
    with np.errstate(divide="ignore", invalid="ignore"):
        wider = float(np.log(np.nanmean(levels.ranges[after]) / np.nanmean(levels.ranges[before])))
    for way in DEGREES:
        if abs(wider + np.log(way.factor)) > 0.25:
            continue
        home = levels.middle.copy()
        home[after] = way.back(home[after])
        usual = float(np.nanmean(levels.ranges[before]))
        left = step_at(home, when, found.start)
        if abs(left) <= 0.35 * usual and abs(left) < 0.35 * abs(found.height):
            return found, way
    return None


def step_at(levels: np.ndarray, when: np.ndarray, start: int) -> float:
    """Return how high a step at a given chunk is, season aside."""
    there = np.flatnonzero(~np.isnan(levels))
    t = when[there] / YEAR
    base = _out_of([np.ones(len(t)), *_waves(t, 2 if np.ptp(t) >= SEASONS else 0)])
    mark, left = base((there >= start).astype(float)[:, None])[:, 0], base(levels[there][:, None])[:, 0]
    return float(mark @ left / max(float(mark @ mark), 1e-12))


@dataclass(frozen=True, slots=True)
class Stuck:
    """Runs of equal values that are too long to be true."""

    longest: int  # values
    first: int  # place of the longest run's first value
    value: float
    runs: int
    rows: int


def stuck(x: np.ndarray, series: np.ndarray) -> Stuck | None:
    """Find runs of one value, in a column that otherwise changes; 0 and the ends of its range aside, where it rests.

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
    may_rest = np.isnan(value) | _rests(value, lengths, series[starts])
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


def _rests(value: np.ndarray, lengths: np.ndarray, series: np.ndarray) -> np.ndarray:
    """Mark runs of 0 and of the ends of the range in which a column may well rest: rain in summer, snow, a scale at its limit.

    One run does not rest that is ABRUPTLY many times as long as the next one of its value, between neighbours that lie far from it,
    where hardly any other value is the same.
    """
    rests = np.zeros(len(value), dtype=bool)
    if np.isnan(value).all():
        return rests
    seen = ~np.isnan(value)
    for limit in np.unique([0.0, float(np.nanmin(value)), float(np.nanmax(value))]):
        runs = np.flatnonzero(value == limit)
        if not len(runs):
            continue
        rests[runs] = True
        longest = int(runs[np.argmax(lengths[runs])])
        others = lengths[runs[runs != longest]]
        if others.sum() > RESTING * lengths[seen].sum() or lengths[longest] < ABRUPTLY * others.max(initial=1):
            continue
        beside = [k for k in (longest - 1, longest + 1) if 0 <= k < len(value) and series[k] == series[longest] and seen[k]]
        away = np.quantile(np.abs(value[seen & (value != limit)] - limit), FAR_OFF) if (seen & (value != limit)).any() else np.inf
        rests[longest] = len(beside) < 2 or not all(abs(value[k] - limit) >= away for k in beside)
    return rests
