"""F03 and M02: whether a perfect forecast would be worth anything, and whether the models' forecasts are."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from piste.core.case import FORESIGHT, Case, currency
from piste.core.entrants import Entrant
from piste.core.finding import Finding, short

LITTLE = 0.05  # of what it costs to know nothing


def check(case: Case, _: tuple[Entrant, ...]) -> tuple[list[Finding], dict[str, pd.DataFrame]]:
    """Hold the value of perfect information against what is worthwhile, and the champion's gain against nothing."""
    return [*_foresight(case), *_gain(case)], {}


def _foresight(case: Case) -> list[Finding]:
    known = case.reference_losses.get(FORESIGHT)
    constant = [i for i, each in enumerate(case.entrants) if each.column.entry == "baseline:constant"]
    if known is None or not constant:
        return []
    weight = case.court.weight[case.court.lines.judged]
    ignorant = min(float(case.sample.mean[i]) for i in constant)
    saved = ignorant - float(np.average(known, weights=weight))
    decision = case.resolved.problem.decision
    per_year = decision.per_year if decision else None
    worthwhile = case.resolved.problem.success.worthwhile
    unit = currency(case.court.yardstick.name)
    if worthwhile is not None and per_year is not None and saved * per_year < worthwhile:
        message = (
            f"Perfect foresight is worth at most {saved * per_year:,.0f}{unit} a year over the best fixed choice, "
            f"less than the {worthwhile:,.0f} that make it worthwhile"
        )
        return [Finding("F03", "block", "decision", saved * per_year, worthwhile, message, "ask another question, or reconsider the costs")]
    if saved < LITTLE * ignorant:
        most = f"{short(saved)} of {short(ignorant)}{unit} a decision"
        message = f"Perfect foresight saves at most {most}: a forecast hardly changes what is done"
        return [Finding("F03", "warn", "decision", saved, LITTLE * ignorant, message, "check decision.cost: is this what mistakes cost?")]
    return []


def _gain(case: Case) -> list[Finding]:
    if not case.models:
        return []
    least = max(float(case.claim.lower[i]) for i in case.models)
    if least > 0 or math.isnan(least):
        return []
    rule = case.entrants[case.base].column.entry.removeprefix("baseline:")
    message = f"No model is surely better than the rule '{rule}', {len(case.entrants)} candidates accounted for"
    return [Finding("M02", "note", rule, least, 0.0, message)]
