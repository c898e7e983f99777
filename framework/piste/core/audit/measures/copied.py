"""What gives the target away by itself or together: copies, recodings, cuts, and formulas of two columns or more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from piste.core.audit.measures.relations import Relation, relation
from piste.core.audit.measures.skill import FEWEST_ROWS, Known, correlation, far, ranks_of
from piste.core.finding import short
from piste.core.melt import OUTPUT, targets

if TYPE_CHECKING:
    from piste.core.audit.survey import Survey

COPIED = 0.999  # rank correlation, or share of the errors of a constant that are gone
NEAR = 0.9  # below, ties need not be counted
FEWEST_VALUES = 5  # of column and target, for their order to be no chance
DISTINCT = 100  # values of a number in the rarest class, for its range to be no chance
MOST_LEVELS = 50  # that a target may be cut into,
LEVEL_ROWS = 20  # each of as many rows, and half as many distinct targets
RARE = 5  # rows of the second class, for names that go with it to be no chance


@dataclass(frozen=True, slots=True)
class Copy:
    """Columns that give the target.

    Args:
        columns: one, or the two or more that do so together.
        number: rank correlation, or the share of rows in which it holds.
        message: as a finding says it.
        law: whether the formula has numbers of its own, as a law of nature may.
    """

    columns: tuple[str, ...]
    number: float
    message: str
    law: bool = False


def copies(survey: Survey) -> tuple[Copy, ...]:
    """Return what gives the target away in the sample: columns by themselves, then what is left of them together."""
    return tuple(_copies(survey))


def _copies(survey: Survey) -> Iterator[Copy]:
    target = survey.resolved.table.target
    for label, rows in _answers(survey):
        y = target.values[rows]
        if len(rows) < FEWEST_ROWS or far(y):
            continue
        known = Known.of(y, np.ones(len(rows)), np.zeros(len(rows), dtype=int), classes=survey.has_classes, ranked=not survey.has_classes)
        left: dict[str, np.ndarray] = {}
        for column in survey.features:
            if column.name == OUTPUT:
                continue
            values = survey.frame[column.name].iloc[rows]
            if found := _alone(survey, label, known, values):
                yield found
            elif pd.api.types.is_datetime64_any_dtype(values):
                left[column.name] = ((values - values.min()) / pd.Timedelta(days=1)).to_numpy(dtype=float)
            elif pd.api.types.is_numeric_dtype(values) and not far(values.to_numpy(dtype=float)):
                left[column.name] = values.to_numpy(dtype=float)
        while not survey.has_classes and (formula := relation(y.astype(float), left)):
            yield _together(label, formula)
            left = {name: x for name, x in left.items() if name not in formula.columns}


def _answers(survey: Survey) -> Iterator[tuple[str, np.ndarray]]:
    """Yield each target and the rows of the sample that hold its values."""
    names = targets(survey.resolved.problem)
    if len(names) == 1:
        yield names[0], survey.sample
        return
    of = survey.frame[OUTPUT].iloc[survey.sample].to_numpy()
    for name in names:
        yield name, survey.sample[of == name]


def _alone(survey: Survey, label: str, known: Known, values: pd.Series) -> Copy | None:
    """Return how one column gives the target, or None."""
    name = str(values.name)
    numeric = pd.api.types.is_numeric_dtype(values)
    seen = values.notna().to_numpy()
    if seen.sum() < FEWEST_ROWS or pd.api.types.is_datetime64_any_dtype(values):
        return None
    where = "in every row" if seen.all() else "wherever it is known"
    if known.n_classes:
        return _recoded(label, known, values, where)
    y = known.y[seen]
    if numeric and known.exact(values):
        return Copy((name,), 1.0, f"'{name}' is {_line(values.to_numpy(dtype=float)[seen], y, label)} {where}")
    alike = _same_order(values.to_numpy(dtype=float)[seen], y) if numeric else 0.0
    if abs(alike) >= COPIED and not is_clock(survey, values):
        order = "the order" if alike > 0 else "the reverse order"
        message = f"'{name}' puts the rows in {order} of '{label}' (rank correlation {abs(alike):.4f}, where 1 is the same order)"
        return Copy((name,), abs(alike), message)
    codes, levels = pd.factorize(values[seen])
    if (
        3 <= len(levels) <= MOST_LEVELS
        and np.bincount(codes).min() >= LEVEL_ROWS
        and _ranges(codes, y, LEVEL_ROWS // 2)
        and not is_clock(survey, values)
    ):
        return Copy((name,), 1.0, f"'{name}' is '{label}' cut into {len(levels)} ranges: no value of one lies within another")
    return None


def _same_order(x: np.ndarray, y: np.ndarray) -> float:
    """Return the rank correlation as a share of the highest that the ties of both allow, from -1 to 1: noise within a tie costs nothing."""
    if min(len(np.unique(x)), len(np.unique(y))) < FEWEST_VALUES:
        return 0.0
    own, other = ranks_of(x), ranks_of(y)
    found = correlation(own, other)
    return found if abs(found) < NEAR else found / abs(correlation(np.sort(own), np.sort(other if found > 0 else -other)))


def _recoded(label: str, known: Known, values: pd.Series, where: str) -> Copy | None:
    """Return how one column gives the classes: by other names, or by ranges of its own."""
    seen = values.notna().to_numpy()
    name, classes = str(values.name), known.y[seen].astype(int)
    codes, levels = pd.factorize(values[seen])
    counts = np.bincount(classes)
    wrong = len(classes) - int(counts.max())  # of a constant
    if len(levels) <= 2 * known.n_classes and np.sort(counts)[-2:].min() >= RARE:
        mass = np.bincount(codes * known.n_classes + classes, minlength=len(levels) * known.n_classes).reshape(len(levels), -1)
        missed = len(classes) - int(mass.max(axis=1).sum())
        if missed <= (1 - COPIED) * wrong:
            where = where if not missed else f"in all rows but {missed:,}"
            return Copy((name,), 1 - missed / wrong, f"'{name}' is '{label}' by other names: each value goes with one class {where}")
    if pd.api.types.is_numeric_dtype(values) and _ranges(classes, values.to_numpy(dtype=float)[seen], DISTINCT):
        return Copy((name,), 1.0, f"'{name}' tells every class of '{label}' from the others: each has its own range of values")
    return None


def _ranges(codes: np.ndarray, values: np.ndarray, least: int) -> bool:
    """Tell whether groups lie in separate ranges of a number, but for one in a thousand of its values.

    Args:
        codes: (n_rows,) of the groups.
        values: (n_rows,).
        least: distinct values that each group must have, so that the ranges are no chance.
    """
    distinct, places = np.unique(values, return_inverse=True)
    low = np.full(len(distinct), codes.max() + 1)
    high = np.full(len(distinct), -1)
    np.minimum.at(low, places, codes)
    np.maximum.at(high, places, codes)
    pure = low == high
    present = np.unique(codes)
    if len(present) < 2 or np.bincount(low[pure], minlength=int(codes.max()) + 1)[present].min() < least:
        return False
    changes = int((np.diff(low[pure]) != 0).sum()) + int((~pure).sum())
    return changes - (len(present) - 1) <= (1 - COPIED) * len(distinct)


def is_clock(survey: Survey, values: pd.Series) -> bool:
    """Tell whether a column only goes one way along the file, or along time: a target that does so too is no leak of it."""
    codes = values if pd.api.types.is_numeric_dtype(values) else pd.Series(pd.factorize(values)[0], index=values.index)
    orders = [codes.to_numpy(dtype=float)]
    if survey.resolved.problem.time:
        orders.append(codes.to_numpy(dtype=float)[np.argsort(survey.frame[survey.resolved.problem.time].loc[values.index], kind="stable")])
    return any(one_way(each[np.isfinite(each)]) for each in orders)


def one_way(x: np.ndarray) -> bool:
    """Tell whether numbers never fall, or never rise."""
    steps = np.diff(x)
    return bool((steps >= 0).all() or (steps <= 0).all())


def _line(x: np.ndarray, y: np.ndarray, label: str) -> str:
    """Say how a column follows from the target, which it is a straight line of: "'cnt' times 0.001, plus 3"."""
    x, y = x[np.argsort(y)[[0, -1]]], np.sort(y)[[0, -1]]
    slope = float((x[1] - x[0]) / (y[1] - y[0]))
    start = float(x[0] - slope * y[0])
    text = f"'{label}'" + (f" times {short(slope)}" if abs(slope - 1) > 1e-9 else "")
    if abs(start) > 1e-9 * max(1.0, float(np.abs(x).max())):
        text += f", {'plus' if start > 0 else 'minus'} {short(abs(start))},"
    return text


def _together(label: str, found: Relation) -> Copy:
    rows = "the rows" if found.known else "the rows where all are known"
    where = ("in every row" if found.known else f"in all of {rows}") if found.share == 1 else f"in {found.share:.1%} of {rows}"
    about = "" if found.exact else ", to within a thousandth of its spread,"
    return Copy(found.columns, found.share, f"{found.formula} is '{label}'{about} {where}", law=not found.plain)
