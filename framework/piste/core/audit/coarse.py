"""F06: whether models are shown levels alone, where the number behind them is known."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from piste.core import expression
from piste.core.audit.cures import given
from piste.core.audit.survey import Survey
from piste.core.check import Found, NotApplicable, check
from piste.core.data import Column
from piste.core.finding import Finding, percent
from piste.core.levels import cuts_of
from piste.core.pasted import scalar
from piste.core.resolve import with_target

MOST_KEPT = 0.9  # of what a number says: levels that keep as much throw nothing away
FEWEST_OF_A_CLASS = 5  # rows of a class that lie apart from all others in a column: chance does not do it from 50 rows on
FEWEST_ROWS = 50


@check(
    "F06",
    "Information thrown away",
    "warn",
    computed="The target is a number cut into levels and all `framings` ask for the levels; or it holds classes that follow from a number "
    "which stands in the table but is not shown to models (known only after, or dropped), since no value of it belongs to two "
    "classes. How much the levels keep: the share of the number's variance that lies between them, its ranks taken as a normal "
    "distribution's.",
    threshold="Levels keep less than 90%: two even ones keep 64%, three 79%, six 92%. Classes of at least 5 rows each, 50 in all.",
    alarm="One more framing is trained.",
    source="Cohen, The cost of dichotomization, 1983; Cox, Note on grouping, 1957; Royston, Altman and Sauerbrei 2006",
)
def information_thrown_away(survey: Survey) -> Found | NotApplicable:
    """Tell that models are shown levels only, where the number that they are cut from is known and says more."""
    resolved = survey.resolved
    target, rows = resolved.table.target, survey.sample
    if survey.lacks("framings", "target"):
        return NotApplicable("what is asked for had to be set aside")
    if target.levels:
        cuts = cuts_of(resolved.problem)
        assert cuts, "levels come of cuts"
        if any(each.framing.kind != "classes" for each in resolved.asked):
            return Found()
        number = expression.evaluate(expression.parse(cuts.of), with_target(resolved.table))[rows]
        kept = kept_by(number, target.codes[rows], resolved.table.weight[rows])
        names = ", ".join(f"'{each.name}'" for each in resolved.asked)
        listed = {each.name: given(each, "name") for each in resolved.problem.framings or ()}
        asks = {**listed, "quantiles": {"as": "quantiles"}}
        return Found([_levels_only(kept, target.name, names, f"framings: {scalar(asks)}", "framings")] if kept < MOST_KEPT else [])
    if not target.labels:
        return NotApplicable("the target is a number, and asked for as it is")
    hidden = [each for each in resolved.table.columns if each.role in ("after", "dropped") and each.kind == "number"]
    if not hidden:
        return NotApplicable("no number is kept from models that the classes could be cut from")
    return Found([finding for column in hidden for finding in _cut_from(survey, column)])


def kept_by(number: np.ndarray, codes: np.ndarray, weight: np.ndarray) -> float:
    """Return the share of a number's variance that lies between levels, its ranks taken as a normal distribution's.

    Args:
        number: (n_rows,); rows without one are left out.
        codes: (n_rows,) level of each row.
        weight: (n_rows,).
    """
    from scipy import stats

    there = np.isfinite(number) & (weight > 0)
    number, codes, weight = number[there], codes[there], weight[there]
    if len(np.unique(number)) < 2:
        return 1.0
    normal = stats.norm.ppf((stats.rankdata(number) - 0.5) / len(number))
    mean = np.average(normal, weights=weight)
    size = np.bincount(codes, weights=weight)
    levels = np.bincount(codes, weights=weight * (normal - mean)) / np.where(size > 0, size, 1.0)
    return float((size * levels**2).sum() / (weight * (normal - mean) ** 2).sum())


def _cut_from(survey: Survey, column: Column) -> Iterator[Finding]:
    """Find that the classes are cut from a column: that no value of it lies among those of another class."""
    target, rows = survey.resolved.table.target, survey.sample
    number = survey.frame[column.name].to_numpy(dtype=float)[rows]
    there = np.isfinite(number)
    number, codes, weight = number[there], target.values[rows][there], survey.resolved.table.weight[rows][there]
    size = np.bincount(codes, minlength=len(target.labels))
    if len(number) < FEWEST_ROWS or size.min() < FEWEST_OF_A_CLASS or len(np.unique(number)) <= len(size):
        return
    ends = pd.Series(number).groupby(codes).agg(["min", "max"])
    order = ends["min"].argsort().to_numpy()
    low, high = ends["min"].to_numpy()[order], ends["max"].to_numpy()[order]
    kept = kept_by(number, codes, weight)
    if (high[:-1] >= low[1:]).any() or kept >= MOST_KEPT:
        return
    cuts = [_between(below, above) for below, above in zip(high[:-1], low[1:], strict=True)]
    levels = {"cuts": cuts, "names": [target.labels[code] for code in order]}
    paste = f"target: {scalar({'column': column.name, 'levels': levels})}"
    yield _levels_only(kept, column.name, f"the classes of '{target.name}'", paste, "target")


def _between(below: float, above: float) -> float:
    """Return the shortest number above one and not above the other.

    >>> _between(199.0, 203.0), _between(0.0, 1.0), _between(1.24, 1.25)
    (200.0, 1.0, 1.25)
    """
    for digits in range(1, 17):
        step = 10.0 ** (math.floor(math.log10(max(abs(below), abs(above)))) + 1 - digits)
        number = float(f"{math.floor(above / step) * step:.15g}")
        if below < number <= above:
            return number
    return above


def _levels_only(kept: float, number: str, asked: str, paste: str, field: str) -> Finding:
    several = "," in asked or asked.startswith("the ")
    return Finding(
        "F06",
        "warn",
        number,
        kept,
        MOST_KEPT,
        f"Models predict only {asked}, which {'keep' if several else 'keeps'} {percent(kept)} of the information in '{number}'",
        "also predict the number: from it, levels can be decided just as well",
        "A value just above a limit and one far above it teach models the same, so more rows are needed for the same quality",
        paste,
        field,
    )
