"""How a rule makes an action of a prediction, in words, with the costs of the problem."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from piste.core.decision import Actions, ByMetric, Quantity
from piste.core.framing import Rule
from piste.core.resolve import Resolved


def deciding(resolved: Resolved, rule: Rule) -> str:
    """Say how a rule decides, as a sentence without a full stop."""
    yardstick = resolved.yardstick
    if isinstance(yardstick, ByMetric):
        return _answering(yardstick)
    if isinstance(yardstick, Quantity):
        return _providing(yardstick, rule)
    assert isinstance(yardstick, Actions), "a decision is about an amount or about actions"
    levels = resolved.table.target.classes
    if rule == "plug_in":
        chosen = yardstick.costs.argmin(axis=0)
        said = ", ".join(f"{yardstick.actions[action]} for {level}" for action, level in zip(chosen, levels, strict=True))
        taken = f"takes the prediction for certain, and what costs least at the level that it names: {said}"
    else:
        said = "; ".join(_switches(yardstick, levels))
        taken = "weighs what each action costs at each level by how likely the level is, and takes what is expected to cost least"
        taken = f"{taken} ({said})" if said else taken
    if yardstick.budget is None:
        return taken
    shared = f"the rows of one {' and '.join(resolved.together)} share {yardstick.budget}, which go where they save most"
    return f"{taken}; {shared}"


def _answering(yardstick: ByMetric) -> str:
    """Say what is judged where no decision has a cost."""
    what = {
        "mean": "the expected value is the answer",
        "median": "the middle of what may come is the answer: it may as well be more as less",
        "probabilities": "the probabilities themselves are the answer",
    }[yardstick.metric.functional]
    return f"{what}, judged by {yardstick.name}; what a mistake costs is not said"


def _providing(yardstick: Quantity, rule: Rule) -> str:
    """Say how much is provided."""
    if rule == "plug_in":
        return "provides what is predicted, and no more: too much and too little are taken to cost the same"
    dear, cheap = (f"{cost:g} {yardstick.name}" for cost in (yardstick.under, yardstick.over))
    level = f"{100 * yardstick.level:.3g} %"
    share = f"{yardstick.under:g} / ({yardstick.under:g} + {yardstick.over:g})"
    return f"provides what is enough in {level} of such cases: one too few costs {dear}, one too many {cheap}, and {share} is {level}"


def _switches(yardstick: Actions, levels: Sequence[str]) -> Iterator[str]:
    """Say between each two neighbouring levels how likely the upper one must be for another action to cost less."""
    for lower in range(len(levels) - 1):
        pair = yardstick.costs[:, [lower, lower + 1]]
        steps = [(share, yardstick.actions[action]) for share, action in envelope(pair)]
        if len(steps) < 2:
            continue
        then = ", ".join(f"{action} once it is above {100 * share:.2g} %" for share, action in steps[1:])
        chance = f"the chance of {levels[lower + 1]}"
        if len(levels) == 2:
            yield f"{steps[0][1]} while {chance} is small, {then}"
        else:
            yield f"if it can be {levels[lower]} or {levels[lower + 1]} only: {steps[0][1]} while {chance} is small, {then}"


def envelope(costs: np.ndarray) -> list[tuple[float, int]]:
    """Return which action costs least as the second of two levels grows likelier: from which probability on, and its number.

    Args:
        costs: (n_actions, 2) at the first level and at the second.

    >>> [(round(share, 4), action) for share, action in envelope(np.array([[0.0, 200.0], [40.0, 0.0]]))]
    [(0.0, 0), (0.1667, 1)]
    """
    at = 0.0
    now = min(range(len(costs)), key=lambda action: (costs[action, 0], costs[action, 1]))
    found = [(at, now)]
    slopes = costs[:, 1] - costs[:, 0]
    while True:
        crossings = [
            ((costs[action, 0] - costs[now, 0]) / (slopes[now] - slopes[action]), float(slopes[action]), action)
            for action in range(len(costs))
            if slopes[action] < slopes[now]
        ]
        later = [each for each in crossings if at <= each[0] < 1]
        if not later:
            return found
        at, _, now = min(later)
        found.append((float(at), now))
