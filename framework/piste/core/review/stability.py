"""M04: whether the champion's gain holds in every fold."""

from __future__ import annotations

import numpy as np
import pandas as pd

from piste.core.case import currency
from piste.core.check import Found, NotApplicable, check
from piste.core.finding import Finding, short
from piste.core.leaderboard import fold_costs
from piste.core.review.evidence import Evidence

MOST_FOLDS = 0.8
STEADY = 1.0  # standard deviation of the gain, as a share of its mean


@check(
    "M04",
    "Unstable over folds",
    "warn",
    computed="In each fold the cost of the rule to beat less that of the champion.",
    threshold="A gain in fewer than 80% of the folds, or gains whose standard deviation is larger than their mean.",
    alarm="A look at one fold. Where folds are few a single one decides.",
    source="Roberts et al., Cross-validation strategies for data with temporal, spatial, hierarchical, or phylogenetic structure, 2017.",
)
def steady(evidence: Evidence) -> Found | NotApplicable:
    """The champion's gain over the rule does not hold in every fold: in some season, site or group it is no better."""
    case = evidence.case
    base, champion = (np.array(fold_costs(case.court, case.entrants[i].column.lines)) for i in (case.base, case.champion))
    gain = base - champion
    names = [fold.name for fold in case.folds.shown]
    table = pd.DataFrame({"fold": names, "champion": champion, "baseline": base, "gain": gain})
    if case.champion == case.base or len(gain) < 2 or max(len(fold.test) for fold in case.folds.shown) == 1:
        return Found([], {"folds": table})
    better, spread = float(np.mean(gain > 0)), float(gain.std(ddof=1) / abs(gain.mean())) if gain.mean() else float("inf")
    if better >= MOST_FOLDS and spread <= STEADY:
        return Found([], {"folds": table})
    worst = names[int(gain.argmin())]
    least, yardstick = float(gain.min()), case.court.yardstick
    what, unit = ("a decision", currency(yardstick.name)) if yardstick.priced else (yardstick.name, "")
    by = f"{what} costs" if yardstick.priced else f"{what} is"
    by += (
        f" {short(abs(least))}{unit} {'more' if yardstick.priced else 'higher'} than the rule's"
        if least < 0
        else (f" only {short(least)}{unit} {'less' if yardstick.priced else 'lower'} than the rule's")
    )
    by = by.replace("than the rule's", "than by the rule") if yardstick.priced else by
    message = f"The champion is better than the rule in {int((gain > 0).sum())} of {len(gain)} test parts; worst in '{worst}', where {by}"
    follows = f"Where the next rows are like '{worst}', expect that instead of the average"
    return Found(
        [Finding("M04", "warn", worst, better, MOST_FOLDS, message, f"look at what is different in '{worst}'", follows)], {"folds": table}
    )
