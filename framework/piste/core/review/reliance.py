"""M01 and M03: how much of what the champion knows depends on one column, and whether it knows more than can be known."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from piste.core.audit.cures import known_at
from piste.core.audit.survey import vouched
from piste.core.check import Found, NotApplicable, check
from piste.core.finding import Finding, percent, short
from piste.core.plan import BASELINE
from piste.core.review.evidence import RULES, Evidence

MOST = 0.98  # R2, or area under the ROC curve: problems that are worth a model are rarely solved to this degree
FORESEEN = 0.95  # of what perfect foresight would save
MUCH = 0.5  # of what is gained over the rule
TWICE = 2.0  # as much as the next column
ALONE = {True: 2 * MOST - 1, False: MOST}  # a column's own skill from which on it is too good by itself: of classes 2 AUC - 1


@check(
    "M01",
    "Too good to be true",
    "block",
    "note",
    computed="The champion's R2 or area under the ROC curve on rows that it had not seen, the share of what perfect foresight would save, "
    "and its cost beside what rows that look alike but end differently allow at best (D05). Then: which single column explains it, by what "
    "it predicts alone or by what is lost without it.",
    threshold="0.98; 95%; below what is possible. A block only where a column explains it that nobody says is known in time: as good "
    "alone, or the one that carries it (M03). Noted where none does: there are easy problems.",
    alarm="One line of `known_at`, after a look at when the column is written down.",
    source="Kaufman, Rosset, Perlich and Stitelman, Leakage in data mining, 2012; Kapoor and Narayanan, Leakage and the reproducibility "
    "crisis in machine-learning-based science, 2023 (L2).",
)
def too_good(evidence: Evidence) -> Found | NotApplicable:
    """The champion predicts more than can be known: then some column is likely to hold the answer, and not to be there in time."""
    if evidence.keeps_rule:
        return RULES
    signs = [sign for sign in (_score(evidence), _foreseen(evidence), _impossible(evidence)) if sign is not None]
    if not signs:
        return Found()
    number, threshold, what = signs[0]
    title = evidence.row.title
    column = _explains(evidence)
    if column is None:
        message = f"{title} {what}: that is rare, and no single column is known to explain it"
        follows = "Either the question is an easy one, or some column holds the answer and will not be there in use"
        fix = "look at ten rows, and ask of every column whether it was known when the decision was made"
        return Found([Finding("M01", "note", "champion", number, threshold, message, fix, follows, field="known_at")])
    message = f"{title} {what}, and '{column}' alone explains that; nothing says when it is known"
    follows = f"If '{column}' is filled in only afterwards, the model is worth nothing in use"
    fix = "filled in only afterwards: list it under known_at: after. Known before: under known_at: decision"
    paste = known_at(evidence.case.resolved.problem, "after", [column])
    return Found([Finding("M01", "block", column, number, threshold, message, fix, follows, paste, "known_at")])


@check(
    "M03",
    "One column carries it",
    "note",
    computed="A quick model with and without each column, before training (L03): what is lost without the most important one, as a share "
    "of what the quick model gains over the best rule.",
    threshold="More than half, and at least twice as much as without the next column: two that matter as much are not one.",
    alarm="None: a good column is no fault. It is good to know what the model stands on.",
    source="Breck, Cai, Nielsen, Salib and Sculley, The ML test score, 2017 (data tests: know what each feature brings and costs).",
)
def one_column(evidence: Evidence) -> Found | NotApplicable:
    """Most of the champion's value depends on one column: on a day on which that one is late or wrong, so is the model."""
    if evidence.keeps_rule:
        return RULES
    stakes = shares(evidence)
    if not stakes:
        return NotApplicable("no stake of any column is known from before training")
    carries = _carries(stakes)
    if carries is None:
        return Found()
    column, share = carries
    problem = evidence.case.resolved.problem
    if column in {*problem.known_at.always, *problem.unit, problem.time}:
        return Found()  # a calendar is never late
    rule = evidence.case.row_of(evidence.case.base).family.removeprefix(f"{BASELINE}:")
    message = f"{'All' if share >= 1 else percent(share)} of what a model gains over the rule depends on '{column}'"
    follows = (
        f"On a day without '{column}' no model may be better than the rule '{rule}', which comes to {evidence.amount(evidence.base_loss)}"
    )
    fix = f"agree on what is done when '{column}' is late or wrong: fall back to the rule '{rule}', or keep a second model without it"
    return Found([Finding("M03", "note", column, share, MUCH, message, fix, follows, field=f"columns.{column}")])


def _score(evidence: Evidence) -> tuple[float, float, str] | None:
    for name, words in (
        ("r2", "explains {} of how the target varies"),
        ("roc_auc", "tells two classes apart {} of the time (guessing: 50%)"),
    ):
        found = evidence.row.metrics.get(name, math.nan)
        if found > MOST:
            return found, MOST, words.format(percent(found))
    return None


def _foreseen(evidence: Evidence) -> tuple[float, float, str] | None:
    found = evidence.row.value
    return (found, FORESEEN, f"saves {percent(found)} of what perfect predictions would save") if found > FORESEEN else None


def _impossible(evidence: Evidence) -> tuple[float, float, str] | None:
    """Hold the champion's cost, at the upper end of its interval, against what rows that are alike in all columns cost at least."""
    floor = evidence.audit.tables.get("floor")
    if floor is None or floor.empty:
        return None
    least, most = float(floor["cost_lo"].iloc[0]), evidence.row.cost_hi
    name = evidence.case.court.yardstick.name
    words = f"comes to {name} {short(evidence.row.cost)}, where rows that are equal in all columns leave at least {short(least)}"
    return (most, least, words) if most < least else None


def _explains(evidence: Evidence) -> str | None:
    """Return the column that explains the champion by itself, and that nobody vouches for; None where none does."""
    findings = [each for each in evidence.audit.findings if each.check in ("L01", "L02", "L03")]
    known = vouched(evidence.case.resolved.problem) | {each.on for each in findings if each.acknowledged}
    alone = ALONE[bool(evidence.case.court.target.labels)]
    carries = _carries(shares(evidence))
    heavy = [carries[0]] if carries else []
    strong = [each.on for each in findings if each.check == "L01" or (each.check == "L02" and each.number >= alone)]
    return next((column for column in (*heavy, *strong) if column not in known), None)


def _carries(stakes: Sequence[tuple[str, float]]) -> tuple[str, float] | None:
    """Return the one column that more than half depends on, with its share; of two that matter as much, neither does it alone."""
    if not stakes or stakes[0][1] <= MUCH or (len(stakes) > 1 and stakes[0][1] < TWICE * stakes[1][1]):
        return None
    return stakes[0]


def shares(evidence: Evidence) -> list[tuple[str, float]]:
    """Return the columns with the share of the value that is lost without each, by the audit's quick model, the largest first."""
    stakes = evidence.audit.tables.get("stakes")
    if stakes is None or stakes.empty:
        return []
    ranked = stakes.sort_values("share", ascending=False, kind="stable")
    return [(str(column), float(share)) for column, share in zip(ranked["column"], ranked["share"], strict=True) if np.isfinite(share)]
