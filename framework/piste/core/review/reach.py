"""M10: whether rows to predict lie beyond what the training rows show, and what that costs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from piste.core.check import Found, NotApplicable, check
from piste.core.features import expand, feature_kinds, without_clock
from piste.core.finding import Finding, Severity, percent
from piste.core.review.evidence import Evidence

MANY = 0.05  # of the tested rows
DEARER = 1.5  # times the loss of the others
ENOUGH = 30  # rows beyond, for their loss to be told
MARGIN = 0.01  # of a column's range


@check(
    "M10",
    "Rows beyond what training shows",
    "warn",
    "note",
    computed="The share of the tested rows in which some column lies beyond its range in the training rows, by more than a hundredth of "
    "it, or holds a level never seen there; and what these rows cost, over what the others cost.",
    threshold="More than 5% of the rows, or 1.5 times the cost on at least 30 rows. Noted only, where they cost no more than the others.",
    alarm="A look at one column. Of many columns one is out of its range by chance now and then, at no cost.",
    source="Meyer and Pebesma, Predicting into unknown space? Estimating the area of applicability of spatial prediction models, 2021.",
)
def within_reach(evidence: Evidence) -> Found | NotApplicable:
    """Rows to predict lie beyond what the training rows show, where a model can only guess how things go on."""
    case = evidence.case
    table = case.resolved.table
    expanded = without_clock(expand(table.frame, [column.name for column in table.features]))
    kinds = feature_kinds(expanded)
    if case.resolved.rule.scheme == "forward":
        passing = {f"{column.name}.days" for column in table.features if column.kind == "datetime"}
        kinds = {name: kind for name, kind in kinds.items() if name not in passing}  # that later days are later says nothing
    lines = case.court.lines
    outside = np.zeros(len(lines.row), dtype=bool)
    why: dict[str, int] = {}
    for number, fold in enumerate(case.folds.folds):
        if fold.warm_up:
            continue
        mine = lines.fold == number
        for name, kind in kinds.items():
            beyond = _beyond(expanded[name], kind, fold.train, fold.test)
            outside[mine] |= beyond
            why[name] = why.get(name, 0) + int(beyond.sum())
    counts = lines.counts
    share = float(outside[counts].mean())
    losses = case.entrants[case.champion].column.lines[counts]
    inside = float(losses[~outside[counts]].mean()) if (~outside[counts]).any() else float("nan")
    ratio = float(losses[outside[counts]].mean()) / inside if outside[counts].sum() >= ENOUGH and inside > 0 else float("nan")
    found = pd.DataFrame({"column": list(why), "rows": list(why.values())}).sort_values("rows", ascending=False, ignore_index=True)
    if not (share > MANY or ratio > DEARER):
        return Found([], {"reach": found})
    first = str(found["column"].iloc[0])
    dearer = f", and cost {ratio:.1f} times as much" if ratio > 1 else ", at no greater cost" if ratio <= 1 else ""
    message = f"{percent(share)} of the tested rows lie beyond what training shows, most by '{first}'{dearer}"
    severity: Severity = "warn" if ratio > DEARER or (share > MANY and not ratio <= 1) else "note"
    seen = evidence.amount(float(losses[outside[counts]].mean()))
    follows = f"On rows like these expect {seen}, not the average of all rows"
    fix = f"fall back to the rule there, or bring rows with more of '{first}'"
    return Found([Finding("M10", severity, first, share, MANY, message, fix, follows, field=f"columns.{first}")], {"reach": found})


def _beyond(column: pd.Series, kind: str, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    seen, asked = column.iloc[train], column.iloc[test]
    if kind == "category":
        return np.asarray(~asked.isin(seen.unique()) & asked.notna())
    low, high = float(seen.min()), float(seen.max())
    margin = MARGIN * (high - low)
    return np.asarray((asked < low - margin) | (asked > high + margin))
