"""The levels that a number is cut into: the least value of each, row by row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from piste.core import expression
from piste.core.data import Raw, Target, level_of
from piste.core.errors import PisteError
from piste.core.expression import Expression
from piste.core.notation import shown
from piste.core.problem import Problem

PROBES = 15  # values of the target, beside 0 and 1, at which an expression must lie on a straight line
STRAIGHT = 1e-9  # how far from it, as a share of what it is made of
DIGITS = 12  # of a threshold: 0.3 / (1 / 10) is 3, so that a count of 3 reaches it


@dataclass(frozen=True, slots=True)
class Cuts:
    """Where a number is cut: values of an expression that rises with it in a straight line."""

    of: str
    at: tuple[float, ...]  # ascending
    target: str

    @property
    def columns(self) -> frozenset[str]:
        """Return the columns that are read beside the target."""
        return frozenset(expression.columns(expression.parse(self.of)) - {self.target})

    def thresholds(self, frame: pd.DataFrame) -> np.ndarray:
        """Return the least value of every level but the first, (n_rows, n_cuts); the frame need not hold the target.

        Raises:
            PisteError: a row does not say what the levels are made of.
        """
        parsed = expression.parse(self.of)
        start, one = (_at(parsed, frame, self.target, value) for value in (0.0, 1.0))
        unknown = np.isnan(one - start)
        if unknown.any():
            row = int(np.argmax(unknown))
            raise PisteError(f"row {row + 1} must have levels of {self.of}, but {_why_missing(self, frame.iloc[row])}")
        with np.errstate(all="ignore"):
            exact = (np.array(self.at) - start[:, None]) / (one - start)[:, None]
            digits = 10.0 ** (DIGITS - 1 - np.floor(np.log10(np.abs(exact))))
            return np.where(exact == 0, 0.0, np.round(exact * digits) / digits)


def cuts_of(problem: Problem) -> Cuts | None:
    """Return where a problem cuts its target; None where it does not."""
    levels, name = problem.target.levels, problem.target.column
    return Cuts(f"`{name}`" if levels.of is None else str(levels.of), levels.cuts, name) if levels else None


def cut(problem: Problem, raw: Raw, frame: pd.DataFrame, target: Target, late: Mapping[str, str]) -> Target:
    """Cut a target into the levels that the problem asks for.

    Args:
        problem: asks for levels.
        raw: names places; its lines are those of the frame.
        frame: (n_rows, n_columns) typed rows.
        target: numbers.
        late: columns known only after, with the reason.

    Raises:
        PisteError: the target holds classes; the expression does not rise with it in a straight line in every row, or
            uses what is not known; or no row reaches a level.
    """
    cuts, levels = cuts_of(problem), problem.target.levels
    assert cuts, "a problem without levels has nothing to cut"
    assert levels, "cuts are made of levels"
    if target.labels:
        raise PisteError(problem.fault("target.levels", f"must cut numbers, but '{target.name}' holds classes"))
    if after := sorted(cuts.columns & late.keys()):
        raise PisteError(problem.fault("target.levels.of", f"must not use '{after[0]}': {late[after[0]]}", "L04"))
    try:
        _check_line(problem, raw, cuts, frame, target.values)
        thresholds = cuts.thresholds(frame)
    except expression.ExpressionError as error:
        raise PisteError(problem.fault("target.levels.of", f"must fit its columns, but {error}")) from error
    rows = np.bincount(level_of(target.values, thresholds), minlength=len(levels.labels))
    empty = [shown(name) for name, count in zip(levels.labels, rows, strict=True) if count == 0]
    if empty:
        raise PisteError(problem.fault("target.levels.cuts", f"must leave rows in every level, but no row is {' or '.join(empty)}"))
    return replace(target, levels=levels.labels, thresholds=thresholds)


def _at(parsed: Expression, frame: pd.DataFrame, target: str, value: float) -> np.ndarray:
    return expression.evaluate(parsed, frame.assign(**{target: value}))


def _check_line(problem: Problem, raw: Raw, cuts: Cuts, frame: pd.DataFrame, values: np.ndarray) -> None:
    """See that the expression is a straight line that rises with the target, in every row."""
    parsed = expression.parse(cuts.of)
    probes = np.linspace(values.min(), values.max(), PROBES)
    found = np.stack([_at(parsed, frame, cuts.target, value) for value in (0.0, 1.0, *probes)])  # (n_probes, n_rows)
    _refuse(problem, raw, "must be a number in every row", np.isnan(found).all(axis=0), lambda row: _why_missing(cuts, frame.iloc[row]))
    start, slope = found[0], found[1] - found[0]
    line = start + slope * probes[:, None]
    size = np.abs(start) + np.abs(slope) * np.abs(probes)[:, None]
    straight = (np.abs(found[2:] - line) <= STRAIGHT * size).all(axis=0)  # NaN is not
    rises = f"must rise with '{cuts.target}' in a straight line"
    _refuse(problem, raw, rises, ~straight, lambda _: "bends")
    _refuse(problem, raw, rises, ~(slope > 0), lambda row: "falls" if slope[row] < 0 else "stays the same")


def _refuse(problem: Problem, raw: Raw, must: str, wrong: np.ndarray, what: Callable[[int], str]) -> None:
    """Refuse the rows that are wrong, and say of the first what is."""
    if wrong.any():
        row = int(np.argmax(wrong))
        more = f" (the first of {int(wrong.sum()):,} such rows)" if wrong.sum() > 1 else ""
        raise PisteError(problem.fault("target.levels.of", f"{must}, but {what(row)} in {raw.at(row)}{more}"))


def _why_missing(cuts: Cuts, row: pd.Series) -> str:
    missing = sorted(name for name in cuts.columns if pd.isna(row[name]))
    return f"'{missing[0]}' is missing" if missing else "cannot be computed"
