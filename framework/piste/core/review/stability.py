"""M04: whether the champion's gain holds in every fold."""

from __future__ import annotations

import numpy as np
import pandas as pd

from piste.core.case import Case
from piste.core.entrants import Entrant
from piste.core.finding import Finding
from piste.core.leaderboard import fold_costs

MOST_FOLDS = 0.8
STEADY = 1.0  # standard deviation of the gain, as a share of its mean


def check(case: Case, _: tuple[Entrant, ...]) -> tuple[list[Finding], dict[str, pd.DataFrame]]:
    """Compare the champion with the baseline to beat, fold by fold."""
    base, champion = (np.array(fold_costs(case.court, case.entrants[i].column.lines)) for i in (case.base, case.champion))
    gain = base - champion
    names = [fold.name for fold in case.folds.shown]
    table = pd.DataFrame({"fold": names, "champion": champion, "baseline": base, "gain": gain})
    if case.champion == case.base or len(gain) < 2 or max(len(fold.test) for fold in case.folds.shown) == 1:
        return [], {"folds": table}
    better, spread = float(np.mean(gain > 0)), float(gain.std(ddof=1) / abs(gain.mean())) if gain.mean() else float("inf")
    if better >= MOST_FOLDS and spread <= STEADY:
        return [], {"folds": table}
    worst = names[int(gain.argmin())]
    message = f"The gain does not hold everywhere: better than the rule in {int((gain > 0).sum())} of {len(gain)} folds, least in {worst}"
    return [Finding("M04", "warn", worst, better, MOST_FOLDS, message, f"look at what is different in {worst}")], {"folds": table}
