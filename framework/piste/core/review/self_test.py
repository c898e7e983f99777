"""M11: whether the pipeline finds something where there is nothing to find."""

from __future__ import annotations

import numpy as np
import pandas as pd

from piste.core.check import Found, NotApplicable, check
from piste.core.entrants import Entrant
from piste.core.finding import Finding
from piste.core.review.evidence import Evidence
from piste.core.statistics import sample

SURE = 3.0  # standard errors


@check(
    "M11",
    "The setup gives the answer away",
    "block",
    computed="A tree, and every model of the author's own, are fitted once more on answers shuffled over the rows at random, and held "
    "against the constant on that target.",
    threshold="A gain of more than three standard errors of the paired difference, over blocks of rows.",
    alarm="About once in 1,000 comparisons; a run with another `seed` tells.",
    source="Ojala and Garriga, Permutation tests for studying classifier performance, 2010.",
)
def finds_nothing(evidence: Evidence) -> Found | NotApplicable:
    """A model finds something where there is nothing to find: code of the pipeline shows it the answer."""
    if not evidence.self_test:
        return NotApplicable("no model was fitted on shuffled answers")
    case = evidence.case
    constant, *models = sorted(evidence.self_test, key=lambda each: not each.is_baseline)
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
    return Found(findings, {"self_test": pd.DataFrame(told)})


def _finding(model: Entrant, errors: float) -> Finding:
    name = model.label.title
    message = f"With the answers shuffled at random, '{name}' still beats the constant: something in your setup gives it the answer"
    follows = "Its score on the true answers may be just that answer read back, and so may the scores of all other models"
    fix = "check your own code: models, rules, columns"
    return Finding("M11", "block", model.column.entry, errors, SURE, message, fix, follows, field="families")
