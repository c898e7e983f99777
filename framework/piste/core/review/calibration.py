"""M07: whether probabilities and intervals keep their word."""

from __future__ import annotations

import numpy as np
import pandas as pd

from piste.core.belief import Belief, belief
from piste.core.case import Case
from piste.core.check import Found, NotApplicable, check
from piste.core.finding import Finding, percent, short
from piste.core.pasted import scalar
from piste.core.reliability import coverage, reliability
from piste.core.review.evidence import Evidence

INTERVALS = {0.8: (0.1, 0.9), 0.9: (0.05, 0.95)}
SURE = 3.0  # standard errors
SLACK = 0.01  # by which a share may always be off
SLOPES = (0.8, 1.2)


@check(
    "M07",
    "Probabilities or intervals that are not right",
    "warn",
    computed="The share of what came that the champion's 80% and 90% intervals hold; and for each class or level the slope of a "
    "logistic line of what came over the log-odds that it was given, both on rows that it had not seen.",
    threshold="A share away from what is promised by more than three standard errors, over blocks of rows, and 1%; a slope outside "
    "0.8 to 1.2 that is away from 1 by more than three standard errors. Whole numbers that lie on the ends of an interval do not count.",
    alarm="Hardly any: at three standard errors chance does it about once in 400 times. A look at the picture of reliability tells.",
    source="Gneiting, Balabdaoui and Raftery, Probabilistic forecasts, calibration and sharpness, 2007; Cox, Two further applications "
    "of a model for binary regression, 1958 (the slope).",
)
def calibrated(evidence: Evidence) -> Found | NotApplicable:
    """The champion's probabilities or intervals are not right.

    What comes at "80%" must come in 80 of 100 cases, since the cheapest action is worked out from these shares.
    """
    case, entrant = evidence.case, evidence.champion
    shares = sorted(share for ends in INTERVALS.values() for share in ends)
    held = belief(case.court, case.plan.asked[entrant.column.framing], entrant.column, shares)
    intervals, covered = _intervals(evidence, held)
    levels, believed = _levels(case, held)
    tables = {name: table for name, table in (("coverage", intervals), ("reliability", levels)) if len(table)}
    used = entrant.column.rule != "plug_in" and (case.court.yardstick.priced or held.levels is not None)
    if not tables:
        return NotApplicable("the champion says a number and no more")
    return Found([*covered, *believed] if used else [], tables)


def _intervals(evidence: Evidence, held: Belief) -> tuple[pd.DataFrame, list[Finding]]:
    case, asked = evidence.case, evidence.plainly_asked
    lines = case.court.lines
    counts, rows = lines.counts, lines.row
    found, findings = [], []
    for level, (low, high) in INTERVALS.items() if held.quantiles else ():
        ends = (held.quantiles[low][counts], held.quantiles[high][counts])
        y, weight, blocks = case.court.came.y[counts], case.court.weight[rows][counts], case.folds.blocks[rows][counts]
        share, error = coverage(*ends, y, weight, blocks)
        inner, inner_error = coverage(np.nextafter(ends[0], np.inf), np.nextafter(ends[1], -np.inf), y, weight, blocks)
        found.append({"level": level, "share": share, "error": error, "width": float(np.average(ends[1] - ends[0], weights=weight))})
        narrow = level - share > max(SLACK, SURE * error)
        wide = inner - level > max(SLACK, SURE * inner_error)  # what lies on the ends does not count: whole numbers must lie somewhere
        if narrow or wide:
            word = "narrow" if narrow else "wide"
            message = f"The champion's {level:.0%} intervals contain {percent(share)} of what came: they are too {word}"
            told = (
                "Surprises come more often than its decisions allow for" if narrow else "Its decisions allow for surprises that do not come"
            )
            fix = "predict the spread itself (framing quantiles), or use another framing"
            paste = f"framings: {scalar([*asked, 'quantiles'])}" if asked and "quantiles" not in asked else ""
            findings.append(Finding("M07", "warn", f"{level:.0%} intervals", share, level, message, fix, told, paste, field="framings"))
    return pd.DataFrame(found), findings


def _levels(case: Case, held: Belief) -> tuple[pd.DataFrame, list[Finding]]:
    came = case.court.came
    if held.levels is None or came.level is None:
        return pd.DataFrame(), []
    lines = case.court.lines
    counts, rows = lines.counts, lines.row
    weight, blocks = case.court.weight[rows][counts], case.folds.blocks[rows][counts]
    tables, findings = [], []
    for code, name in enumerate(case.court.target.classes):
        told = reliability(held.levels[counts, code], (came.level[counts] == code).astype(float), weight, blocks)
        tables.append(told.bins.assign(level=name, slope=told.slope, slope_error=told.slope_error))
        away = max(SLOPES[0] - told.slope, told.slope - SLOPES[1])
        if np.isfinite(told.slope) and away > 0 and abs(told.slope - 1) > SURE * told.slope_error:
            word = "too sure" if told.slope < 1 else "not sure enough"
            message = f"The champion is {word} of '{name}': where it says twice as likely, it is {short(2**told.slope)} times as likely"
            more = "far from what comes" if told.slope < 1 else "closer to the average than they need be"
            follows = f"Its probabilities are {more}, and the cheapest action is worked out from them"
            fix = "use the probabilities of another framing, or of another kind of model"
            findings.append(Finding("M07", "warn", name, told.slope, 1.0, message, fix, follows, field="framings"))
    return pd.concat(tables, ignore_index=True), findings
