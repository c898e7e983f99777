"""M09: whether more rows would help."""

from __future__ import annotations

from piste.core.case import currency
from piste.core.check import Found, NotApplicable, check
from piste.core.finding import Finding, percent, short
from piste.core.review.evidence import RULES, Evidence

LIKELY = 0.8  # the probability from which on it is said


@check(
    "M09",
    "More rows would help",
    "note",
    computed="The champion is fitted on an eighth, a quarter and half of the training rows too; a power law through what these cost is "
    "drawn on to twice the rows, over blocks of tested rows drawn anew.",
    threshold="A probability of 80% or more that twice the rows lower the cost by more than what counts as no difference.",
    alarm="Rows that bring less than was hoped: no curve shows what another season, or another site, would teach.",
    source="Viering and Loog, The shape of learning curves: a review, 2022; the measured coverage of the band stands in core/curve.py.",
)
def grows(evidence: Evidence) -> Found | NotApplicable:
    """The champion still learns: with twice the rows it would very probably be better by more than what counts as no difference."""
    curve, case = evidence.curve, evidence.case
    if evidence.keeps_rule:
        return RULES
    if curve is None:
        return NotApplicable("no learning curve was drawn: a quick run draws none, nor do rows too few for one")
    if curve.falls < LIKELY:
        return Found()
    yardstick = case.court.yardstick
    what, unit = ("what a decision costs", currency(yardstick.name)) if yardstick.priced else (f"the {yardstick.name}", "")
    mine = curve.points[curve.points["title"] == curve.points["title"].iloc[0]]  # the champion's, on the folds of the curve
    now, then = short(float(mine["cost"].iloc[-1])), short(curve.at_double.mean)
    message = f"Twice the rows would lower {what} from {now} to about {then}{unit} ({percent(curve.falls)} sure that they help)"
    follows = "More rows now help more than more models, and the score shown is not the best that this question allows"
    return Found(
        [Finding("M09", "note", "rows", curve.falls, LIKELY, message, "collect more rows before more models", follows, field="data")]
    )
