"""M13: whether two framings that are as good lead to other actions."""

from __future__ import annotations

import numpy as np
import pandas as pd

from piste.core.case import Case
from piste.core.check import Found, NotApplicable, check
from piste.core.comparison import Judged
from piste.core.decision import Actions
from piste.core.finding import Finding, percent
from piste.core.losses import Column
from piste.core.review.evidence import RULES, Evidence

MANY = 0.2  # of the rows
APART = 0.5  # of what amounts are usually off by: closer ones count as the same
MOST_LISTED = 1_000


@check(
    "M13",
    "Framings disagree",
    "note",
    computed="The best model, and the best of those of another framing: in which share of the tested rows do they lead to another "
    "action? Of amounts, to one that lies further off than half of what the best is usually off by.",
    threshold="More than 20% of the rows, where the two cost the same but for what counts as no difference.",
    alarm="None: the list names the rows on which a person's judgement may be worth most.",
    source="Breiman, Statistical modeling: the two cultures, 2001 (many models that are as good); Marx, Calmon and Ustun, Predictive "
    "multiplicity in classification, 2020.",
)
def agreed(evidence: Evidence) -> Found | NotApplicable:
    """Two framings are as good, and still lead to other actions in many rows: there the data do not say what is right."""
    case = evidence.case
    if not case.court.yardstick.priced:
        return NotApplicable("nothing is decided: the problem gives no cost")
    if evidence.keeps_rule:
        return RULES
    models = sorted((row for row in case.rows if case.numbers[row.id] in case.models), key=lambda row: _mean(case, row))
    best = models[0]
    other = next((row for row in models if row.framing != best.framing), None)
    if other is None:
        return NotApplicable("the question is asked in one way only")
    if _mean(case, other) - _mean(case, best) > case.choice.rope:
        return Found()
    mine, theirs = (case.entrants[case.numbers[row.id]].column for row in (best, other))
    differs = case.court.lines.mean(_apart(case, mine, theirs)) > 0.5  # of the repeats
    share = float(np.average(differs, weights=case.court.weight[case.court.lines.judged]))
    if share <= MANY:
        return Found()
    titles = f"'{best.framing}' ({best.title}) or '{other.framing}' ({other.title})"
    message = f"Predicting {titles} costs the same, but leads to different actions in {percent(share)} of rows"
    follows = "In these rows, what is done depends on the framing, and nothing in the data says which is right"
    fix = "look at the rows listed (table disagreement), and ask someone who knows them what to do there, and why"
    table = _listed(case, best, other, differs)
    return Found([Finding("M13", "note", f"{best.framing}, {other.framing}", share, MANY, message, fix, follows, field="framings")], table)


def _mean(case: Case, row: Judged) -> float:
    return float(case.sample.mean[case.numbers[row.id]])


def _apart(case: Case, mine: Column, theirs: Column) -> np.ndarray:
    """Tell which lines are acted on in another way, (n_lines,) 0 or 1."""
    if isinstance(case.court.yardstick, Actions):
        return np.asarray(mine.action != theirs.action, dtype=float)
    counts = case.court.lines.counts
    off = float(np.mean(np.abs(case.court.came.y - mine.action)[counts]))
    return np.asarray(np.abs(mine.action - theirs.action) > APART * off, dtype=float)


def _listed(case: Case, best: Judged, other: Judged, differs: np.ndarray) -> dict[str, pd.DataFrame]:
    """List the rows by what names them, with both actions (of the first repeat)."""
    lines, yardstick = case.court.lines, case.court.yardstick
    counted = np.flatnonzero(lines.counts)
    first = counted[np.unique(lines.place[counted], return_index=True)[1]][differs][:MOST_LISTED]
    rows = lines.row[first]
    frame = case.resolved.table.frame
    named: dict[str, object] = {name: frame[name].to_numpy()[rows] for name in case.resolved.problem.unit}
    for row in (best, other):
        action = case.entrants[case.numbers[row.id]].column.action[first]
        named[row.id] = np.array(yardstick.actions)[action] if isinstance(yardstick, Actions) else action
    return {"disagreement": pd.DataFrame({"row": rows, **named})}
