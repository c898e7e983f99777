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
    """Compare models with the constant on a target that was dealt to the rows at random: none must do better."""
    if not self_test:
        return [], {}
    constant, *models = sorted(self_test, key=lambda each: not each.is_baseline)
    lines = case.court.lines
    losses = np.stack([lines.mean(each.column.lines) for each in (constant, *models)], axis=1)
    blocks, weight = case.folds.blocks[lines.judged], case.court.weight[lines.judged]
    drawn = sample(losses, weight, blocks, ordered=case.folds.ordered, seed=case.resolved.problem.seed)
    told, findings = [], []
    for number, model in enumerate(models, start=1):
        gain, error = float(drawn.mean[0] - drawn.mean[number]), drawn.difference(0, number)[0]
        told.append({"entry": model.column.entry, "rule": float(drawn.mean[0]), "model": float(drawn.mean[number]), "error": error})
        if gain > SURE * error:
            findings.append(_finding(model, gain / error if error else float("inf")))
    return findings, {"self_test": pd.DataFrame(told)}


def _finding(model: Entrant, errors: float) -> Finding:
    name = model.label.title
    message = f"On a target dealt at random '{name}' still beats the constant: something in the pipeline tells it the answer"
    return Finding("M11", "block", model.column.entry, errors, SURE, message, "look at code of your own: families, baselines, features")
