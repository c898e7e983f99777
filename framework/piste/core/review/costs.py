"""M12: whether another model would be best if too little cost more, or less."""

from __future__ import annotations

import numpy as np
import pandas as pd

from piste.core.case import Case
from piste.core.entrants import Entrant
from piste.core.finding import Finding

STEPS = 5  # factors tried, evenly on a log scale


def check(case: Case, _: tuple[Entrant, ...]) -> tuple[list[Finding], dict[str, pd.DataFrame]]:
    """Decide anew, for every row of the leaderboard, with what too little costs at every factor of `cost_range`."""
    decision = case.resolved.problem.decision
    if decision is None or decision.cost_range is None or not case.court.yardstick.priced:
        return [], {}
    low, high = decision.cost_range
    factors = np.unique(np.append(np.geomspace(low, high, STEPS), 1.0))
    table = pd.DataFrame([line for row in case.rows for line in _decided(case, row.id, factors)])
    means = table.pivot(index="factor", columns="row", values="cost")
    models = [row.id for row in case.rows if case.entrants[case.numbers[row.id]].is_model]
    if not models:
        return [], {"cost_range": table}
    mine = case.row_of(case.champion).id
    least = means[models].min(axis=1)
    rope = case.stakes.rope * means[mine] / means.loc[1.0, mine]
    lost = means[mine] - least > rope if mine in models else pd.Series(data=False, index=means.index)
    if not lost.any():
        return [], {"cost_range": table}
    at = float((means[mine] - least)[lost].idxmax())
    title = next(row.title for row in case.rows if row.id == means.loc[at, models].idxmin())
    message = f"If too little cost {at:.2g} times as much as written, {title} would be better by more than what counts as a difference"
    return [Finding("M12", "warn", f"cost x {at:.2g}", at, 1.0, message, "state what too little costs more exactly")], {"cost_range": table}


def _decided(case: Case, id: str, factors: np.ndarray) -> list[dict[str, object]]:
    """Return the mean cost of a row at each factor."""
    court, column = case.court, case.entrants[case.numbers[id]].column
    weight = court.weight[court.lines.row] * court.lines.counts
    spreads = list(court.spreads(case.plan.asked[column.framing], column.rule, column.raw))
    found: list[dict[str, object]] = []
    for factor in factors:
        yardstick = court.yardstick.scaled(float(factor))  # type: ignore[attr-defined]
        total = 0.0
        for mine, predictive in spreads:
            came = court.came.take(mine)
            total += float(weight[mine] @ yardstick.loss(yardstick.act(predictive, came), came))
        found.append({"row": id, "factor": float(factor), "cost": total / float(weight.sum())})
    return found
