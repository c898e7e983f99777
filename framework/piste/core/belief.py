"""What a row of the leaderboard believed of each line before it came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from piste.core.decision import probabilities
from piste.core.framing import Asked
from piste.core.losses import Column, Court
from piste.core.predictive import Classes, Point


@dataclass(frozen=True, slots=True)
class Belief:
    """Beliefs about the lines of a comparison, each learnt on other lines.

    `answer` is the expected value, or the probability of each class or level, (n_lines, n_classes). `quantiles` maps a share
    to the value below which it was believed to lie; empty where no spread was believed in. `levels` are the probabilities of
    the levels that a number is cut into, (n_lines, n_levels), or of classes; None where there are none.
    """

    answer: np.ndarray
    quantiles: Mapping[float, np.ndarray] = field(default_factory=dict)
    levels: np.ndarray | None = None


def belief(court: Court, asked: Asked, column: Column, shares: Sequence[float] = ()) -> Belief:
    """Return what a column believed.

    Args:
        court: the lines, and what came.
        asked: the framing of the column.
        column: with its predictions.
        shares: of the quantiles wanted.
    """
    answers, levels, lines = [], [], []
    believed = False  # in any spread; the part that only warms up has none to learn from
    quantiles: dict[float, list[np.ndarray]] = {share: [] for share in shares}
    for mine, predictive in court.spreads(asked, column.rule, column.raw):
        lines.append(mine)
        if isinstance(predictive, Classes):
            answers.append(asked.framing.plain(column.raw[mine]) if column.rule == "plug_in" else predictive.probabilities)
            levels.append(answers[-1])
        else:
            answers.append(predictive.mean())
            if court.came.thresholds is not None:
                levels.append(probabilities(predictive, court.came.thresholds[mine]))
        if isinstance(predictive, Classes) and predictive.thresholds is None:
            continue
        believed |= not isinstance(predictive, Point)
        for share in shares:
            quantiles[share].append(predictive.quantile(share))
    order = np.argsort(np.concatenate(lines), kind="stable")
    joined = {share: np.concatenate(parts)[order] for share, parts in quantiles.items() if believed and parts}
    return Belief(np.concatenate(answers)[order], joined, np.concatenate(levels)[order] if levels else None)
