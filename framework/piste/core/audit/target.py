"""Whether there are answers enough to learn from, and whether the columns can tell them apart."""

from __future__ import annotations

import numpy as np
import pandas as pd

from piste.core.audit.measures.floor import Floor, floor
from piste.core.audit.survey import Survey
from piste.core.case import currency
from piste.core.check import Found, NotApplicable, check
from piste.core.finding import Finding, percent, short
from piste.core.problem import amount

FEWEST_OF_CLASS = 20
PER_FOLD = 5
FEWEST_BLOCKS = 30
USUAL_FOLDS = 5  # more folds do not ask for more rows of a class: each tests fewer
NEARLY_ALL = 0.99  # of the differences between rows
CONTRARY = 0.02  # of the rows, with a twin that chance does not bring
TWINS = 0.01  # of the rows; fewer say little about the others


@check(
    "D02",
    "Too little to learn from",
    "block",
    "warn",
    computed=(
        "The independent parts (days, groups; rows where none are named) outside the holdout, and those that hold each class, or each "
        "level that a number is cut into"
    ),
    threshold=(
        "Warns of fewer than 30 parts, where intervals rest on too few cases to be trusted, and of a class with fewer than 20, or than 5 "
        "for each fold where rows are dealt to folds (25 at most). Blocks where only one answer is left outside the holdout"
    ),
    alarm="A rare class is rare by nature: acknowledge it, and read its scores with their width in mind",
    source="A share of k cases is known to within 1/sqrt(k) at best (binomial, 95%); deepchecks, class imbalance",
)
def too_little(survey: Survey) -> Found:
    """Too few independent cases, or too few of some class, for a score to mean much."""
    target, rows = survey.resolved.table.target, survey.rows
    blocks = survey.folds.blocks[rows]
    if len(np.unique(target.values[rows])) < 2:
        value = target.labels[int(target.values[rows][0])] if target.labels else short(float(target.values[rows][0]))
        message = f"outside the holdout every row of '{target.name}' is {value}"
        consequence = "There is nothing to learn: every model answers the same"
        fix = "choose another holdout, or collect rows with other answers"
        return Found([Finding("D02", "block", target.name, 1, 2, message, fix, consequence, "", "split.holdout")])
    found = _few_blocks(survey, blocks)
    codes, needed = target.codes[rows], _needed(survey)
    for code, label in enumerate(target.classes):
        n = len(np.unique(blocks[codes == code]))
        if n < needed:
            found.append(_rare(survey, label, n, int((codes == code).sum()), needed))
    return Found(found)


def _needed(survey: Survey) -> int:
    """Return the parts that a class needs: some in every fold, and enough in all for a share of them to be told."""
    folds = min(survey.resolved.rule.folds, USUAL_FOLDS) if survey.resolved.rule.scheme in ("kfold", "stratified", "forward") else 0
    return max(FEWEST_OF_CLASS, PER_FOLD * folds)


def _parts(survey: Survey, n: int) -> str:
    """Name what stands or falls together: "7 rows", "12 values of 'patient'", "40 days"."""
    rule = survey.resolved.rule
    if rule.together:
        return f"{n:,} value{'s' * (n != 1)} of '{rule.together}'"
    if rule.scheme == "forward":
        return f"{n:,} day{'s' * (n != 1)}"
    if rule.scheme == "leave_one_out" and rule.by:
        return f"{n:,} value{'s' * (n != 1)} of '{rule.by}'"
    return f"{n:,} row{'s' * (n != 1)}"


def _few_blocks(survey: Survey, blocks: np.ndarray) -> list[Finding]:
    n = len(np.unique(blocks))
    if n >= FEWEST_BLOCKS:
        return []
    rule = survey.resolved.rule
    what = _parts(survey, n)
    message = f"your {len(blocks):,} rows come from only {what}: rows that share one are not independent"
    if len(blocks) == n:
        message = f"there are only {what} to learn from and to test on"
    consequence = (
        f"Only large differences between models will show: a mean over {n} of them is off by {percent(1 / np.sqrt(n))} of their spread"
    )
    on = rule.together or rule.by or survey.resolved.table.target.name
    field = "split.together" if rule.together else "data"
    return [
        Finding(
            "D02", "warn", on, n, FEWEST_BLOCKS, message, "collect more, and prefer the simplest model until then", consequence, "", field
        )
    ]


def _rare(survey: Survey, label: str, n: int, n_rows: int, needed: int) -> Finding:
    target = survey.resolved.table.target
    what = _parts(survey, n)
    rows = "" if n == n_rows else f" ({n_rows:,} rows)"
    kind = "class" if target.labels else "level"
    message = (
        f"the {kind} '{label}' of '{target.name}' has only {what}{rows}"
        if n
        else f"no row outside the holdout is '{label}', a {kind} of '{target.name}'"
    )
    consequence = (
        f"How many of them a model finds will be known to within {min(100, round(98 / np.sqrt(n)))} points of 100 only"
        if n
        else "No model can learn it, and none is judged by it"
    )
    ordered = target.kind == "ordered"
    fix = f"collect more of it, or merge it with {'the class next to it' if ordered or target.levels else 'another class'}"
    return Finding("D02", "warn", label, n, needed, message, fix, consequence, "", "target")


@check(
    "D05",
    "Contradictory rows",
    "note",
    "warn",
    computed=(
        "Rows that are equal in every column which a model or a rule may look at are grouped; each group is given the one answer that "
        "costs least, chosen with the truth at hand. What that still costs, no model can save. Squared errors are scaled by n / (n - 1), "
        "other losses are left a little too low. Rows without a twin count as predicted without an error"
    ),
    threshold=(
        "Notes it where 1% of the rows have a twin, in 10 groups or more, and answers differ. Warns where the cost that cannot be saved "
        "(its lower bound at 95%) is above what success asks for; and where 2% of the rows have a twin with another answer that neither "
        "chance brings (as few columns of few values do) nor the problem holds together"
    ),
    alarm="None: it is a bound; that one thing was answered twice is to be looked up once",
    source="Pure error of the lack-of-fit test (Draper and Smith, Applied Regression Analysis); deepchecks, conflicting labels",
)
def contradictory(survey: Survey) -> Found | NotApplicable:
    """Rows that no column tells apart, with different answers: what they cost, no model can save.

    The table "floor" holds it in one row: cost (of all rows, as people read it), cost_lo (its lower bound at 95%), cost_twins (of
    the rows with a twin), r2 (the most that can be reached where rows have twins; missing for classes), rows, share, groups,
    differing (groups whose answers differ).
    """
    found = floor(survey, survey.rows)
    if found is None:
        return NotApplicable("hardly any two rows are equal in all that models may look at")
    shown = survey.shown
    table = pd.DataFrame(
        [{"cost": shown(found.loss), "cost_lo": shown(found.lower), "cost_twins": shown(found.twins), "r2": found.r2, "rows": found.rows,
          "share": found.share, "groups": found.groups, "differing": found.differing}]
    )  # fmt: skip
    if found.share < TWINS or not found.differing or found.loss <= 0:
        return Found(tables={"floor": table})
    return Found([_contradiction(survey, found)], {"floor": table})


def _contradiction(survey: Survey, found: Floor) -> Finding:
    yardstick, target, shown = survey.resolved.yardstick, survey.resolved.table.target, survey.shown
    unit = currency(yardstick.name) if yardstick.priced else ""
    message = (
        f"{found.rows:,} of {len(survey.rows):,} rows have a twin that is equal in every column that models see, and in "
        f"{found.differing:,} of {found.groups:,} such groups '{target.name}' differs"
    )
    what = "the cost of a decision" if yardstick.priced else yardstick.name
    consequence = f"No model can get {what} below {short(shown(found.loss))}{unit}"
    if found.r2 < NEARLY_ALL and not yardstick.priced:
        consequence += f" or explain more than {percent(max(0.0, found.r2))} of the differences in '{target.name}'"
    asked = _asked(survey)
    on, number, fix = target.name, shown(found.lower), "add a column that tells these rows apart"
    if found.contrary >= CONTRARY:
        message += f"; by chance hardly any would be so alike, so the same thing was answered twice ({percent(found.contrary)} of the rows)"
        fix = "find out which answer is right, and keep one row of each; or if a column was lost that tells them apart, bring it back"
        return Finding("D05", "warn", on, found.contrary, CONTRARY, message, fix, consequence, "", "data")
    if number <= asked:
        return Finding("D05", "note", on, number, asked, message, f"if that is not enough, {fix}", consequence, "", "success")
    consequence += f"; success asks for {short(asked)}{unit}"
    return Finding("D05", "warn", on, number, asked, message, f"{fix}, or ask for less", consequence, "", "success")


def _asked(survey: Survey) -> float:
    """Return the cost that success asks for, as people read it; infinite where no rule can be judged."""
    costs = [survey.shown(survey.mean_loss(rule.column.lines)) for rule in survey.rules]
    return min(costs) - amount(survey.resolved.problem.success.by, min(costs)) if costs else float("inf")
