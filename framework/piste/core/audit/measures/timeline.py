"""Rows in order of time, series by series, and what the spacing of their times tells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from piste.core.audit.survey import Survey
from piste.core.split import SEASON_GAP, text

DAY = 86_400.0  # seconds
MOST_LEVELS = 1_000  # of a column that may tell series apart
FIRST_ROWS = 3_000  # that show whether it has more
MOST_MISSING = 1_000_000  # steps that are counted one by one
FEWEST_SURE = 20  # times that can be read in one way only
DISORDER = 0.01  # of them, out of order
CLOSED = 0.05  # of the days or hours at which a slot of the week or the day has a row: it is closed, not missing


@dataclass(frozen=True, slots=True)
class Timeline:
    """Rows in order of their series, and of time within each.

    Args:
        rows: (n_rows,) row numbers of the table.
        series: (n_rows,) number of each row's series.
        time: (n_rows,) seconds since 1970.
        names: of the columns that tell series apart.
    """

    rows: np.ndarray
    series: np.ndarray
    time: np.ndarray
    names: tuple[str, ...]

    def thinned(self, most: int) -> Timeline:
        """Return at most about so many of the rows, at even distances."""
        every = slice(None, None, max(1, len(self.rows) // most))
        return Timeline(self.rows[every], self.series[every], self.time[every], self.names)

    @property
    def follows(self) -> np.ndarray:
        """Mark the rows whose predecessor is of the same series, (n_rows,)."""
        return np.concatenate([[False], self.series[1:] == self.series[:-1]])

    @property
    def gaps(self) -> np.ndarray:
        """Return the time since the predecessor, (n_rows,); NaN at the start of a series."""
        return np.where(self.follows, np.diff(self.time, prepend=np.nan), np.nan)

    def at(self, time: float) -> str:
        """Write a time as people read it."""
        return text(pd.Timestamp(round(time), unit="s"))

    def span(self, length: float) -> str:
        """Write a length of time as people say it: "1 hour", "10 days"."""
        for unit, seconds in {"year": 365.25 * DAY, "month": 30.4375 * DAY, "day": DAY, "hour": 3600.0, "minute": 60.0}.items():
            times = length / seconds
            if times >= (2 if unit in ("year", "month") else 1):
                return f"{times:.0f} {unit}{'s' * (round(times) != 1)}"
        return f"{length:g} seconds"


def timeline(survey: Survey, rows: np.ndarray) -> Timeline | None:
    """Put rows in order of time; None where the problem names no time.

    Series are told apart by what names a row beside the time; where the problem does not say, by the one column that tells rows of
    the same time apart, if there is one.
    """
    name = survey.resolved.problem.time
    if name is None:
        return None
    frame = survey.frame.iloc[rows]
    numbers = ((frame[name] - pd.Timestamp(0)) / pd.Timedelta(seconds=1)).to_numpy(dtype=float)
    names = tuple(each for each in survey.resolved.problem.unit if each != name) or _telling_apart(survey, frame, numbers)
    series = frame.groupby([*names], sort=False, dropna=False).ngroup().to_numpy() if names else np.zeros(len(rows), dtype=int)
    order = np.lexsort((rows, numbers, series))
    return Timeline(rows[order], series[order], numbers[order], names)


def _telling_apart(survey: Survey, frame: pd.DataFrame, time: np.ndarray) -> tuple[str, ...]:
    """Return the one column that tells rows of the same time apart; none where all times differ, or no column does."""
    codes = pd.factorize(time)[0]
    most = int(np.bincount(codes).max())  # rows of one time: there must be as many levels
    for column in survey.resolved.table.columns if most > 1 else ():
        if column.role == "target" or column.name == survey.resolved.problem.time or column.kind == "datetime":
            continue
        values = frame[column.name]
        if values.iloc[:FIRST_ROWS].nunique() > MOST_LEVELS:
            continue
        levels = pd.factorize(values, use_na_sentinel=False)[0]
        many = int(levels.max()) + 1
        if most <= many <= min(MOST_LEVELS, len(levels) // 2) and len(np.unique(codes * many + levels)) == len(codes):
            return (column.name,)
    return ()


def turned(when: pd.Series, series: np.ndarray) -> np.ndarray:
    """Mark times whose day and month seem to have changed places: only so are they in the order in which the rows stand.

    Days after the 12th can be no months, so what stands between two of them must lie between them.

    Args:
        when: (n_rows,) in the order of the file.
        series: (n_rows,) number of each row's series.

    Returns:
        (n_rows,) marks; none where rows do not stand in order of time.
    """
    order = np.argsort(series, kind="stable")
    stood, at = when.iloc[order].reset_index(drop=True), series[order]
    day, month = stood.dt.day.to_numpy(), stood.dt.month.to_numpy()
    either = (day <= 12) & (day != month)
    days = stood.dt.normalize()
    sure = np.flatnonzero(~either & stood.notna().to_numpy())
    found = np.zeros(len(when), dtype=bool)
    if len(sure) < FEWEST_SURE or not either.any():
        return found
    numbers = days.to_numpy().astype("datetime64[D]").astype(np.int64)
    neighbours = at[sure][1:] == at[sure][:-1]
    if (np.diff(numbers[sure])[neighbours] < 0).mean() > DISORDER:
        return found
    place = np.flatnonzero(either)
    after = np.searchsorted(sure, place)
    inner = (after > 0) & (after < len(sure))
    place, after = place[inner], after[inner]
    one = (at[sure[after - 1]] == at[place]) & (at[sure[after]] == at[place])
    place, low, high = place[one], numbers[sure[after - 1]][one], numbers[sure[after]][one]
    swapped = pd.to_datetime({"year": stood.dt.year.to_numpy()[place], "month": day[place], "day": month[place]})
    other = swapped.to_numpy().astype("datetime64[D]").astype(np.int64)
    own = numbers[place]
    wrong = ((own < low) | (own > high)) & (other >= low) & (other <= high)
    found[order[place[wrong]]] = True
    return found


@dataclass(frozen=True, slots=True)
class Spacing:
    """How times follow each other within a series.

    Args:
        step: the commonest time between rows.
        share: of the rows that come one step after the one before, repeated times aside.
        repeated: rows at a time that their series has already had.
        missing: steps without a row; season breaks, and slots of the day or week at which there is never one, aside.
        present: distinct times of all series.
        longest: the longest gap, season breaks aside, in seconds; 0 where there is none.
        before: when it begins.
        skipped: days on which just one hour of the night is missing, in a month and on the day on which clocks are put forward.
        halves: the commonest step in the first half of the time, and in the second, each with its share of the rows there.
    """

    step: float
    share: float
    repeated: int
    missing: int
    present: int
    longest: float
    before: float
    skipped: tuple[float, ...]
    halves: tuple[tuple[float, float], tuple[float, float]]


def spacing(line: Timeline) -> Spacing | None:
    """Return how times follow each other; None where no row follows another."""
    gaps = line.gaps
    repeated = int((gaps == 0).sum())
    forward = gaps > 0
    steps, ends, starts = gaps[forward], line.time[forward], line.time[forward] - gaps[forward]
    if not len(steps):
        return None
    step, share = _commonest(steps)
    season = SEASON_GAP.total_seconds()
    long = steps > season
    breaks = len(np.unique(np.round(ends[long] / season))) if long.any() else 0
    wide = (steps > 1.5 * step) & (~long if breaks > 1 else True)
    missing = np.round(steps[wide] / step).astype(np.int64) - 1
    lost = int(missing.sum())
    skipped: tuple[float, ...] = ()
    if 0 < lost <= MOST_MISSING:
        absent = _absent(starts[wide], missing, step)
        lost = int(_open(absent, line.time, step).sum())
        skipped = _put_forward(absent, line, step) if step == 3600.0 else ()
    at = int(np.argmax(np.where(wide, steps, 0.0)))
    middle = np.median(line.time)
    halves = [_commonest(part) if len(part) else (step, 1.0) for part in (steps[ends <= middle], steps[ends > middle])]
    present = int(forward.sum()) + len(np.unique(line.series))
    longest = float(steps[at]) if wide.any() else 0.0
    return Spacing(step, share, repeated, lost, present, longest, float(starts[at]), skipped, (halves[0], halves[1]))


def _commonest(steps: np.ndarray) -> tuple[float, float]:
    values, counts = np.unique(np.round(steps, 6), return_counts=True)
    return float(values[counts.argmax()]), float(counts.max() / counts.sum())


def _absent(starts: np.ndarray, missing: np.ndarray, step: float) -> np.ndarray:
    """Return the times at which there should be a row, (n_missing,)."""
    place = np.arange(int(missing.sum())) - np.repeat(np.cumsum(missing) - missing, missing)
    return np.asarray(np.repeat(starts, missing) + (place + 1) * step)


def _open(absent: np.ndarray, time: np.ndarray, step: float) -> np.ndarray:
    """Mark the times at which there are rows on other days: of the week where steps are days, of the day where they are shorter."""
    if step > DAY or step < 60:
        return np.ones(len(absent), dtype=bool)
    slots = 7 if step == DAY else 24

    def slot(when: np.ndarray) -> np.ndarray:
        return (when // DAY % 7 if slots == 7 else when % DAY // 3600).astype(int)

    there = np.bincount(slot(np.unique(time)), minlength=slots)
    return np.asarray(there[slot(absent)] > CLOSED * there.max())


def _put_forward(absent: np.ndarray, line: Timeline, step: float) -> tuple[float, ...]:
    """Return the Sundays on which one hour between 1 and 3 o'clock is all that is missing, in the months of the change."""
    days, counts = np.unique(absent // DAY, return_counts=True)
    present = np.isin(absent, line.time)  # another series has it
    hours = absent % DAY // 3600
    alone = np.isin(absent // DAY, days[counts == 1]) & ~present & (hours >= 1) & (hours <= 3)
    dates = pd.to_datetime(absent[alone], unit="s")
    sundays = (dates.day_of_week == 6) & dates.month.isin([3, 4, 9, 10])
    return tuple(np.unique(absent[alone][sundays]).tolist())
