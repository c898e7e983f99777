"""M02: whether the models' forecasts are worth anything over the rule to beat."""

from __future__ import annotations

import math

from piste.core.check import Found, NotApplicable, check
from piste.core.finding import Finding
from piste.core.review.evidence import Evidence


@check(
    "M02",
    "No better than the rule",
    "note",
    computed="The lower bound of what each model gains over the rule to beat; the bounds hold for all candidates at once.",
    threshold="No model's bound above nothing.",
    alarm="None: it says what is not known, and the verdict says what to do.",
    source="White, A reality check for data snooping, 2000; Romano and Wolf, Stepwise multiple testing, 2005.",
)
def better(evidence: Evidence) -> Found | NotApplicable:
    """No model is surely better than the best rule, once it is counted how many have been tried."""
    case = evidence.case
    if not case.models:
        return NotApplicable("there is no model")
    least = max(float(case.claim.lower[i]) for i in case.models)
    if not math.isfinite(least):
        return NotApplicable("rows that stand or fall together are too few for any bound")
    if least > 0:
        return Found()
    rule = case.entrants[case.base].column.entry.removeprefix("baseline:")
    message = f"No model is surely better than the rule '{rule}', counting that {len(case.entrants)} candidates were tried"
    follows = "The best of them may be first by luck, and the rule may do as well at no effort"
    return Found([Finding("M02", "note", rule, least, 0.0, message, "keep the rule, bring more rows, or ask differently", follows)])
