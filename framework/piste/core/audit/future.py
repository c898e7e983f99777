"""L08: whether training rows are later than the rows that they are tested on, or their answers are not known yet."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pandas as pd

from piste.core.audit.cures import split
from piste.core.audit.measures.groups import FLATTERS, SURE, compare, flattery
from piste.core.audit.survey import Survey
from piste.core.check import Found, NotApplicable, check
from piste.core.finding import Finding, Severity, percent
from piste.core.horizon import delay, distance
from piste.core.pasted import scalar

PERIODS = 20  # that time is cut into, at equal numbers of rows
IN_ORDER = 0.95  # of the steps from row to row: the file is sorted by it
AHEAD = 0.1  # of the tested rows
UNKNOWN_BLOCK, UNKNOWN_WARN = 0.5, 0.05  # of the tested rows are decided on before all answers of training are known
YEARS = (1900, 2100)
LIKELY = 1.0  # standard errors, where the problem itself says when rows happened
MICROSECOND = timedelta(microseconds=1)


@check(
    "L08",
    "Future in training",
    "block",
    "warn",
    "note",
    computed="Forward: the times of the training rows, and when their answers are known (target.delay), against when each tested row is "
    "decided on (decision.made_at). Any other split: whether training rows are later than the judged ones, by `time`, by a date that "
    "the problem does not name as its time, or by a year in whose order the file stands; and how much better a quick model is with "
    "the rows around a moment than without the whole period.",
    threshold="Forward: later training rows for 10% of the tested rows block, fewer warn; answers that are not known yet warn from 5% "
    "of the tested rows, block from 50%, and are noted else. Not forward: warns where knowing the rows around improves scores by more "
    "than 3%, by 1 standard error where the problem names the time itself, by 2 of other dates; else a split that ignores `time` is noted, "
    "and other dates are passed over.",
    alarm="A date that is a property, such as a birthday, or rows that do not drift: one acknowledgement. Simulated days without drift, "
    "shuffled beside a named time, were warned of in 28% of tables of 150 rows, 12% of 400 and 2% of 1,500; by 2 standard errors "
    "it would be 12%, 7% and 2%.",
    source="Kapoor and Narayanan 2023 (L3.1); Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 5.10.",
)
def future_in_training(survey: Survey) -> Found | NotApplicable:
    """Training rows that are later than the rows they are tested on, or whose answers are not known yet when those are decided on."""
    found = clocks(survey)
    if survey.resolved.rule.scheme == "forward":
        return Found(tuple(_claimed_forward(survey, found[0])))
    if not found:
        return NotApplicable("nothing in the table says when a row happened")
    findings = [finding for clock in found if (finding := _not_forward(survey, clock)) is not None]
    return Found(tuple(findings[:1]))


@dataclass(frozen=True, slots=True)
class Clock:
    """A column that says when."""

    name: str
    at: np.ndarray  # (n_rows,) microseconds, which floats hold exactly, or years; NaN where it is missing
    dated: bool  # dates, not years
    declared: bool  # as the problem's `time`


def clocks(survey: Survey) -> list[Clock]:
    """Return the problem's time; where it names none, dates, and years in whose order the file stands."""
    problem = survey.resolved.problem
    if problem.time:
        values = survey.frame[problem.time]
        return [Clock(problem.time, _numbers(values), pd.api.types.is_datetime64_any_dtype(values), declared=True)]
    found = []
    for column in survey.resolved.table.columns:
        values = survey.frame[column.name]
        if column.role not in ("feature", "identifier", "dropped", "split"):
            continue
        dated = pd.api.types.is_datetime64_any_dtype(values)
        clock = Clock(column.name, _numbers(values), dated, declared=False) if dated or _years(values) else None
        if clock and (dated or in_order(survey, clock)):
            found.append(clock)
    return sorted(found, key=lambda clock: (not clock.dated, not in_order(survey, clock)))


def _numbers(values: pd.Series) -> np.ndarray:
    if pd.api.types.is_datetime64_any_dtype(values):
        naive = values.dt.tz_localize(None) if values.dt.tz is not None else values
        return np.where(naive.isna(), np.nan, naive.astype("datetime64[us]").astype("int64").to_numpy(dtype=float))
    return values.to_numpy(dtype=float) if pd.api.types.is_numeric_dtype(values) else np.full(len(values), np.nan)


def _years(values: pd.Series) -> bool:
    if not pd.api.types.is_numeric_dtype(values):
        return False
    known = values.dropna()
    low, high = YEARS
    return known.nunique() >= 3 and bool(known.between(low, high).all()) and bool((known == known.round()).all())


def in_order(survey: Survey, clock: Clock) -> bool:
    """Tell whether the rows of the file stand in the order of a clock, forwards or backwards."""
    at = clock.at[survey.rows]
    steps = np.diff(at[~np.isnan(at)])
    return len(steps) > 0 and max(float(np.mean(steps >= 0)), float(np.mean(steps <= 0))) >= IN_ORDER


def _ahead(survey: Survey, at: np.ndarray) -> float:
    """Return the share of the tested rows, over folds, for which some training row is later."""
    later, n = 0, 0
    for fold in survey.folds.shown:
        if np.isnan(at[fold.train]).all():
            continue
        known = at[fold.test][~np.isnan(at[fold.test])]
        later += int(np.sum(known < np.nanmax(at[fold.train])))
        n += len(known)
    return later / n if n else 0.0


def _claimed_forward(survey: Survey, clock: Clock) -> list[Finding]:
    problem, rule = survey.resolved.problem, survey.resolved.rule
    if (share := _ahead(survey, clock.at)) > 0:
        severity: Severity = "block" if share >= AHEAD else "warn"
        by = f"the values of '{rule.by}' overlap in '{clock.name}'" if rule.by else f"rows overlap in '{clock.name}'"
        message = f"The split is called forward, but {percent(share)} of the tested rows are predicted using later rows: {by}"
        consequence = "Models learn from what comes after the moment that they predict, which nobody will know then"
        fix = "cut by a period of the time itself, such as month, or by a column whose values follow one another in time"
        limit = AHEAD if severity == "block" else 0.0
        paste = split(problem, by="month") if clock.dated and rule.by else ""
        return [Finding("L08", severity, rule.by or clock.name, share, limit, message, fix, consequence, paste, "split.by")]
    return _too_soon(survey, clock) if clock.dated else []


def _too_soon(survey: Survey, clock: Clock) -> list[Finding]:
    """Find tested rows that are decided on before all answers of their training rows are known."""
    problem = survey.resolved.problem
    made_at = problem.decision.made_at if problem.decision else None
    if made_at is None and problem.target.delay is None:
        return []
    wait = delay(problem) / MICROSECOND
    lead = np.zeros(len(clock.at))  # from the decision to the row
    if made_at is not None:
        lead += distance(made_at) / MICROSECOND
        if ":" in made_at:  # at a time of day: the later in its day a row is, the longer before it was decided on
            lead += clock.at % (timedelta(days=1) / MICROSECOND)
    soon, n, needed = 0, 0, 0.0
    for fold in survey.folds.shown:
        decided = clock.at[fold.test] - lead[fold.test]
        known = clock.at[fold.train].max() + wait
        early = decided < known
        soon += int(early.sum())
        n += len(early)
        if early.any():
            first = clock.at[fold.test].argmin()
            needed = max(needed, float(lead[fold.test][first] + wait))
    share = soon / n if n else 0.0
    if share == 0:
        return []
    gap = _length(needed)
    severity: Severity = "block" if share >= UNKNOWN_BLOCK else "warn" if share >= UNKNOWN_WARN else "note"
    limit = {"block": UNKNOWN_BLOCK, "warn": UNKNOWN_WARN, "note": 0.0}[severity]
    message = (
        f"{soon:,} of the tested rows ({percent(share)}) are decided on before the answers of their latest training rows are known: "
        f"that takes {gap}"
    )
    consequence = "Models learn from answers that will not be there yet when they are used"
    fix, paste = f"leave the last {gap} before each test out of training", split(problem, gap=gap)
    if any(clock.at[fold.train].min() >= clock.at[fold.test].min() - needed for fold in survey.folds.shown):
        fix, paste = f"{fix}; the first test has no earlier rows left then, so cut time into fewer, longer periods", ""
    return [Finding("L08", severity, "gap", share, limit, message, fix, consequence, paste, "split.gap")]


def _length(microseconds: float) -> str:
    """Write a length of time as the schema has it, rounded up to minutes; a microsecond more is "just after", and none.

    >>> _length(3600e6 * 30), _length(3600e6 * 48), _length(60e6 * 90 + 1)
    ('30h', '2d', '90min')
    """
    minutes = int(-(-(microseconds - 1) // 60e6))
    for size, unit in ((1_440, "d"), (60, "h")):
        if minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}min"


def _not_forward(survey: Survey, clock: Clock) -> Finding | None:
    """Judge a split that does not follow a clock."""
    problem, rule = survey.resolved.problem, survey.resolved.rule
    share = _ahead(survey, clock.at)
    if share < AHEAD:
        return None
    flattered = flattery(survey, _periods(clock.at))
    harmful = flattered is not None and flattered.flatters(LIKELY if clock.declared else SURE)
    if not harmful and not clock.declared:
        return None
    severity: Severity = "warn" if harmful and (clock.declared or in_order(survey, clock)) else "note"
    says = "says when rows happened" if clock.declared else "looks as if it says when rows happened"
    which = "all tested rows" if share > 0.995 else f"{percent(share)} of the tested rows"
    message = (
        f"'{clock.name}' {says}, but the split ({rule.scheme}) does not follow it: {which} are predicted using later rows, which you will "
        "not have in use"
    )
    if flattered is None:
        consequence = "Models learn from what comes after the moment that they predict"
    else:
        compared = compare(survey, flattered, "where it knows the rows before and after", "where it knows none of the period")
        much = f"{percent(flattered.share)} better than they are"
        sure = f"scores look {much}" if flattered.flatters(SURE) else f"scores may look {much}, though that may be chance"
        consequence = f"{compared}: {sure if harmful else 'no clear difference here'}"
    forward = split(problem, scheme="forward", by=None, folds=None, repeats=None)
    if clock.declared:
        fix, paste = "predict the future from the past", forward
    elif clock.dated:
        fix = f"if '{clock.name}' is when a row happened, say so, and predict the future from the past"
        paste = f"time: {scalar(clock.name)}" + (f"\n{forward}" if problem.split.scheme else "")
    else:
        fix = (
            f"if '{clock.name}' is when a row happened, leave one year out at a time; or write dates into the file, and name them by "
            "`time: COLUMN`"
        )
        paste = split(problem, scheme="leave_one_out", by=clock.name, folds=None, repeats=None, together=None)
    number, field = share if flattered is None else flattered.share, "split.scheme" if clock.declared else "time"
    return Finding(
        "L08",
        severity,
        clock.name,
        number,
        FLATTERS,
        message,
        fix,
        consequence,
        paste,
        field,
        harm=flattered.share if flattered and harmful else 0.0,
    )


def _periods(at: np.ndarray) -> np.ndarray:
    """Number periods that hold about as many rows each; rows of one time stay together; -1 where there is none."""
    ranks = pd.Series(at).rank(method="min").to_numpy()
    known = ~np.isnan(ranks)
    return np.where(known, np.nan_to_num(ranks - 1) * PERIODS // max(1, int(known.sum())), -1).astype(int)
