"""M12: whether another model would be best if too little cost more, or less."""

from __future__ import annotations

import numpy as np
import pandas as pd

from piste.core.case import Case
from piste.core.entrants import Entrant
from piste.core.finding import Finding
from piste.core.statistics import sample

STEPS = 5  # factors tried, evenly on a log scale


def check(case: Case, _: tuple[Entrant, ...]) -> tuple[list[Finding], dict[str, pd.DataFrame]]:
    """Decide anew, for every row of the leaderboard, with what too little costs at every factor of `cost_range`."""
    decision = case.resolved.problem.decision
    if decision is None or decision.cost_range is None or not case.court.yardstick.priced:
        return [], {}
    low, high = decision.cost_range
    factors = np.unique(np.append(np.geomspace(low, high, STEPS), 1.0).round(9))
    losses = {row.id: _decided(case, row.id, factors) for row in case.rows}
    weight = case.court.weight[case.court.lines.judged]
    means = pd.DataFrame({id: np.average(each, axis=1, weights=weight) for id, each in losses.items()}, index=factors)
    table = means.rename_axis("factor").reset_index().melt("factor", var_name="row", value_name="cost")[["row", "factor", "cost"]]
    if case.champion not in case.models:
        return [], {"cost_range": table}
    mine = case.row_of(case.champion).id
    best = means[[row.id for row in case.rows if case.numbers[row.id] in case.models]].idxmin(axis=1)
    beyond = {
        float(factor): gap
        for place, factor in enumerate(factors)
        if (gap := _beyond(case, losses[mine][place], losses[best[factor]][place], float(means.loc[factor, mine] / means.loc[1.0, mine])))
        > 0
    }
    if not beyond:
        return [], {"cost_range": table}
    at = max(beyond, key=lambda factor: beyond[factor])
    title = next(row.title for row in case.rows if row.id == best[at])
    message = f"If too little cost {at:.2g} times as much as written, {title} would be better by more than what counts as a difference"
    return [Finding("M12", "warn", f"cost x {at:.2g}", at, 1.0, message, "state what too little costs more exactly")], {"cost_range": table}


def _beyond(case: Case, mine: np.ndarray, best: np.ndarray, scale: float) -> float:
    """Return by how much the champion costs more than the best, beyond what the choice of the champion lets pass."""
    judged = case.court.lines.judged
    pair = np.stack([mine, best], axis=1)
    drawn = sample(pair, case.court.weight[judged], case.folds.blocks[judged], ordered=case.folds.ordered, seed=case.resolved.problem.seed)
    error = drawn.difference(0, 1)[0]
    return float(drawn.mean[0] - drawn.mean[1]) - max(case.choice.rope * scale, error if np.isfinite(error) else np.inf)


def _decided(case: Case, id: str, factors: np.ndarray) -> np.ndarray:
    """Return what every judged row of a leaderboard row costs at each factor, (n_factors, n_judged)."""
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
