"""M12: whether another model would be best if too little cost more, or less."""

from __future__ import annotations

import numpy as np
import pandas as pd

from piste.core.case import Case, currency
from piste.core.check import Found, NotApplicable, check
from piste.core.finding import Finding, short
from piste.core.review.evidence import Evidence
from piste.core.statistics import sample

STEPS = 5  # factors tried, evenly on a log scale


@check(
    "M12",
    "Another model, if costs were a little different",
    "warn",
    computed="At each of five factors of `decision.cost_range` on what too little costs, every row of the leaderboard decides anew; the "
    "champion's cost less that of the model which is then best.",
    threshold="A gap beyond what counts as no difference, scaled by the champion's cost there, and beyond one standard error of the paired "
    "difference: what the choice of the champion itself lets pass is not blamed.",
    alarm="A thought about what a mistake really costs.",
    source="Ehm, Gneiting, Jordan and Kruger, Of quantiles and expectiles: consistent scoring functions, Choquet representations and "
    "forecast rankings, 2016 (Murphy diagrams).",
)
def robust(evidence: Evidence) -> Found | NotApplicable:
    """Another model would be the better choice if too little cost as much as `cost_range` says that it may."""
    case = evidence.case
    decision = case.resolved.problem.decision
    if decision is None or decision.cost_range is None or not case.court.yardstick.priced:
        return NotApplicable("the problem does not say between which factors its cost may lie (decision.cost_range)")
    low, high = decision.cost_range
    factors = np.unique(np.append(np.geomspace(low, high, STEPS), 1.0).round(9))
    losses = {row.id: _decided(case, row.id, factors) for row in case.rows}
    weight = case.court.weight[case.court.lines.judged]
    means = pd.DataFrame({id: np.average(each, axis=1, weights=weight) for id, each in losses.items()}, index=factors)
    table = means.rename_axis("factor").reset_index().melt("factor", var_name="row", value_name="cost")[["row", "factor", "cost"]]
    if case.champion not in case.models:
        return Found([], {"cost_range": table})
    mine = evidence.row.id
    best = means[[row.id for row in case.rows if case.numbers[row.id] in case.models]].idxmin(axis=1)
    beyond = {
        float(factor): gap
        for place, factor in enumerate(factors)
        if (gap := _beyond(case, losses[mine][place], losses[best[factor]][place], float(means.loc[factor, mine] / means.loc[1.0, mine])))
        > 0
    }
    if not beyond:
        return Found([], {"cost_range": table})
    at = max(beyond, key=lambda factor: beyond[factor])
    title = next(row.title for row in case.rows if row.id == best[at])
    message = f"If too little cost {at:.2g} times as much as you wrote, {title} would be clearly better"
    more = f"{short(float(means.loc[at, mine] - means.loc[at, best[at]]))}{currency(case.court.yardstick.name)}"
    finding = Finding(
        "M12", "warn", f"cost x {at:.2g}", at, 1.0, message, "state more exactly what too little costs, and narrow cost_range to it",
        f"At that cost, your current {evidence.row.title} costs {more} more a decision", field="decision.cost_range",
    )  # fmt: skip
    return Found([finding], {"cost_range": table})


def _beyond(case: Case, mine: np.ndarray, best: np.ndarray, scale: float) -> float:
    """Return by how much the champion costs more than the best, beyond what the choice of the champion lets pass."""
    judged = case.court.lines.judged
    pair = np.stack([mine, best], axis=1)
    drawn = sample(pair, case.court.weight[judged], case.folds.blocks[judged], ordered=case.folds.ordered, seed=case.resolved.problem.seed)
    error = drawn.difference(0, 1)[0]
    return float(drawn.mean[0] - drawn.mean[1]) - max(case.choice.rope * scale, error if np.isfinite(error) else np.inf)


def _decided(case: Case, id: str, factors: np.ndarray) -> np.ndarray:
    """Return what every tested row of a leaderboard row costs at each factor, (n_factors, n_judged)."""
    court, column = case.court, case.entrants[case.numbers[id]].column
    spreads = list(court.spreads(case.plan.asked[column.framing], column.rule, column.raw))
    found = []
    for factor in factors:
        yardstick = court.yardstick.scaled(float(factor))  # type: ignore[attr-defined]
        lost = np.zeros(len(column.raw))
        for mine, predictive in spreads:
            came = court.came.take(mine)
            lost[mine] = yardstick.loss(yardstick.act(predictive, came), came)
        found.append(court.lines.mean(lost))
    return np.stack(found)
