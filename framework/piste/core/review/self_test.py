"""M11: whether the pipeline finds something where there is nothing to find."""

from __future__ import annotations

import numpy as np
import pandas as pd

from piste.core.case import Case
from piste.core.entrants import Entrant
from piste.core.finding import Finding
from piste.core.statistics import sample

SURE = 3.0  # standard errors


def check(case: Case, self_test: tuple[Entrant, ...]) -> tuple[list[Finding], dict[str, pd.DataFrame]]:
    """Compare a model with a rule on a target whose blocks were dealt at random: it must not do better."""
    rules = [each for each in self_test if each.is_baseline]
    models = [each for each in self_test if not each.is_baseline]
    if not rules or not models:
        return [], {}
    lines = case.court.lines
    losses = np.stack([lines.mean(each[0].column.lines) for each in (rules, models)], axis=1)
    blocks, weight = case.folds.blocks[lines.judged], case.court.weight[lines.judged]
    drawn = sample(losses, weight, blocks, ordered=case.folds.ordered, seed=case.resolved.problem.seed)
    error = drawn.difference(0, 1)[0]
    gain = float(drawn.mean[0] - drawn.mean[1])
    table = pd.DataFrame([{"rule": float(drawn.mean[0]), "model": float(drawn.mean[1]), "error": error}])
    if not gain > SURE * error:
        return [], {"self_test": table}
    message = "On a target dealt at random a model still beats the rule: something in the pipeline tells it the answer"
    return [Finding("M11", "block", "pipeline", gain / error, SURE, message, "look at code of your own: families, baselines, features")], {
        "self_test": table
    }
