"""Columns that were computed from the whole file, the answer among it, before piste saw it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from piste.core.audit import cures
from piste.core.audit.measures.encoded import Encoded
from piste.core.audit.measures.rolled import Order, Rolled, rolled
from piste.core.audit.measures.skill import far, near
from piste.core.audit.survey import Survey
from piste.core.check import Found, NotApplicable, check
from piste.core.finding import Finding, percent
from piste.core.melt import OUTPUT

CENTRED = 1e-6  # of the standard deviation: a mean that is none
UNIT = 1e-3  # from a standard deviation of 1
ALIKE = 3  # columns whose standard deviations agree to a millionth were scaled together, whatever to
FEWEST_ROWS = 20
MOST_KEYS = 4  # categories of which each may hold a series, where no unit says it
LONG = 5  # rows that a series of such a category has in the mean, at least


@check(
    "L09",
    "Made from the whole file",
    "block",
    "note",
    computed="each number column's mean and standard deviation; and by every value of a column the mean, median, sum or class share of the "
    "target in its rows, also smoothed towards the overall mean, of logarithms, in other units, with the row itself or its fold left out; "
    "and whether a column is a straight line of the target within every group",
    threshold="a mean of 0 to a millionth and a standard deviation of 1 to a thousandth, or three columns from 0 to 1 (noted: it hardly "
    "matters); a column that is "
    "the target's statistic to a millionth, or nearer in all groups than honest guesses come once in a million",
    alarm="a scaled file costs nothing; an exact target statistic is no chance",
    source="Kapoor and Narayanan 2023 (L1.2); scikit-learn, common pitfalls: data leakage during pre-processing, TargetEncoder",
)
def made_from_the_file(survey: Survey) -> Found | NotApplicable:
    """Columns scaled by, or replaced with statistics of the target over, rows that include those on which models are judged."""
    if len(survey.rows) < FEWEST_ROWS:
        return NotApplicable(f"fewer than {FEWEST_ROWS} rows tell no statistic from chance")
    return Found([*_scaled(survey), *(_encoding(survey, each) for each in survey.encodings if not _by_date(survey, each))])


@check(
    "L10",
    "Aggregate of its own answer",
    "block",
    computed="each number column against the mean, sum, median, maximum, minimum and standard deviation of the target "
    "over every window of 2 to 30 rows that "
    "holds the row itself or only later ones, over all rows so far, exponentially weighted, and as a change since the row before; in order "
    "of time within each series, over all rows, and as the file stands; and against the target's statistics by date",
    threshold="a match in 99% of the rows in which the row's own answer makes a difference, to the last digit "
    "that the column is written with",
    alarm="none: no column matches by chance, and one that looks back only is not said to",
    source="Kapoor and Narayanan 2023 (L2, L3.1)",
)
def own_answer(survey: Survey) -> Found | NotApplicable:
    """A rolling, running or daily statistic of the target that includes the row's own answer, or later ones."""
    target = survey.resolved.table.target
    if survey.resolved.problem.target.columns:
        return NotApplicable("several targets lie one below the other")
    if survey.has_classes and len(target.labels) > 2:
        return NotApplicable("classes have no running mean")
    if len(survey.rows) < FEWEST_ROWS:
        return NotApplicable(f"fewer than {FEWEST_ROWS} rows tell no statistic from chance")
    found = [_encoding(survey, each) for each in survey.encodings if _by_date(survey, each)]
    taken = {each.column for each in survey.encodings} | {name for each in survey.copies for name in each.columns if len(each.columns) == 1}
    columns = {name: survey.frame[name].to_numpy(dtype=float) for name in _numbers(survey) if name not in taken}
    y = near(target.values.astype(float)).copy()
    y[survey.folds.holdout] = np.nan
    for order in _orders(survey):
        for name, how in rolled(y, columns, order).items():
            found.append(_rolling(survey, name, how, order))
            del columns[name]
    return Found(found)


def _numbers(survey: Survey) -> list[str]:
    kinds = survey.resolved.table.kinds
    names = [each.name for each in survey.features if kinds[each.name] == "number" and each.name != OUTPUT]
    return [name for name in names if not far(survey.frame[name].to_numpy(dtype=float))]


def _scaled(survey: Survey) -> Iterator[Finding]:
    names = _numbers(survey)
    values = survey.frame[names].iloc[survey.rows]
    deviation = values.std(ddof=0).to_numpy()
    many = (values.nunique() > 2).to_numpy() & (deviation > 0)
    level = np.abs(values.mean().to_numpy()) <= CENTRED * deviation
    usual = pd.Series(deviation).map(lambda each: f"{each:.6g}")
    alike = (usual.groupby(usual).transform("size") >= ALIKE).to_numpy()
    near = np.abs(deviation - 1) <= max(UNIT, 1 / len(values))
    found = [name for name, yes in zip(names, many & level & (near | alike), strict=True) if yes]
    low, high, whole = values.min().to_numpy(), values.max().to_numpy(), (values % 1 > 0).any().to_numpy()
    between = [name for name, yes in zip(names, many & whole & (low == 0) & (high == 1), strict=True) if yes]
    if not found and len(between) < ALIKE:
        return
    how, by = "a mean of exactly 0 and one standard deviation", "the same numbers"
    if not found:
        found, how, by = between, "a range of exactly 0 to 1", "the same range"
    others = f" and {len(found) - 1} more columns" if len(found) > 2 else f" and '{found[1]}'" if len(found) == 2 else ""
    yield Finding(
        "L09",
        "note",
        found[0],
        float(len(found)),
        1.0,
        f"'{found[0]}'{others} {'have' if others else 'has'} {how}: scaled on the whole file, tested rows included",
        fix="give the columns as they were measured: they are scaled within each training part where a model needs it",
        consequence=f"Scores are hardly touched, but new rows must be scaled by {by}, which the file does not hold",
        field="data",
    )


def _by_date(survey: Survey, found: Encoded) -> bool:
    """Tell whether a statistic is of the rows of a date: an aggregate in time, not of a category."""
    return any(pd.api.types.is_datetime64_any_dtype(survey.frame[key]) for key in found.keys)


def _encoding(survey: Survey, found: Encoded) -> Finding:
    by_date, name = _by_date(survey, found), found.column
    statistic = found.statistic.replace("mean", "share") if survey.has_classes else found.statistic
    keys = " and ".join(f"'{key}'" for key in found.keys)
    instead = "compute it from days before" if by_date or not keys else f"give {keys} instead, or compute it from earlier rows"
    return Finding(
        "L10" if by_date else "L09",
        "block",
        name,
        found.share,
        0.99,
        f"'{name}' is the {statistic} of {found.answer} by {keys or 'some grouping of the rows'}, over the whole file, so it "
        "contains the answers that models are tested on",
        fix=f"leave it out; {instead}",
        consequence="Models see a piece of the answer, the more so the smaller the groups, and scores look better than they are",
        paste=cures.dropped(survey.resolved.problem, [name]),
        field=f"columns.{name}",
    )


def _rolling(survey: Survey, name: str, how: Rolled, order: Order) -> Finding:
    label = survey.resolved.problem.target.column
    return Finding(
        "L10",
        "block",
        name,
        how.share,
        0.99,
        f"'{name}' is {how.words.format(target=repr(label))}{order.words}"
        + ("" if how.share == 1 else f", in {percent(how.share)} of the rows"),
        fix="compute it so that it ends before the decision, or leave it out",
        consequence="Models see a piece of the answer that is not there yet in use, and scores look better than they are",
        paste=cures.known_at(survey.resolved.problem, "after", [name]),
        field="known_at",
    )


def _orders(survey: Survey) -> Iterator[Order]:
    """Yield the orders in which windows may have been taken, each once: by series in time, all rows in time, as the file stands."""
    problem, frame = survey.resolved.problem, survey.frame
    rows = np.arange(len(frame))
    time = pd.factorize(frame[problem.time], sort=True)[0] if problem.time else rows
    in_time = ", in order of time" if problem.time else ", in the order of the file"
    series = list(problem.series)
    choices: list[tuple[list[str], np.ndarray]] = [(series, time)] if series else []
    choices += [([], time), *(([], rows) for _ in [0] if problem.time)]
    if not series:
        kinds = survey.resolved.table.kinds
        names = [name for name, kind in kinds.items() if kind in ("category", "identifier") and name != problem.target.column]
        sized = [(name, int(frame[name].nunique())) for name in names]
        choices += [([name], time) for name, n in sized if 2 <= n <= len(frame) / LONG][:MOST_KEYS]
    seen: set[bytes] = set()
    for keys, step in choices:
        group = frame.groupby(keys, sort=False, dropna=False).ngroup().to_numpy() if keys else np.zeros(len(frame), dtype=int)
        order = np.lexsort((rows, step, group))
        mark = order.tobytes() + group[order].tobytes()
        if mark in seen:
            continue
        seen.add(mark)
        within = f" within each {' and '.join(repr(key) for key in keys)}" if keys else ""
        yield Order(order, group[order], f"{in_time if step is time else ', in the order of the file'}{within}")
