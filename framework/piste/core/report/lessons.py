"""What a leaderboard of framings, families and rules teaches, in sentences."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

from piste.core.comparison import Comparison, Judged
from piste.core.report.words import decided_by
from piste.core.verdict import is_baseline

LEAST = 3  # kinds of models, ways, or pairs, below which nothing is said of what is usual


def asking(comparison: Comparison) -> str:
    """Say what moves the cost more: the kind of model, or how it is asked and decides; nothing where either hardly varies."""
    by_family: defaultdict[str, list[float]] = defaultdict(list)
    by_way: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for row in _models(comparison):
        by_family[row.family].append(row.cost)
        by_way[row.framing, row.rule].append(row.cost)
    spreads = [_spread(groups.values()) for groups in (by_family, by_way)]
    if not all(np.isfinite(spreads)):
        return ""
    by_way_moved, by_kind_moved = (_percent(spread) for spread in spreads)
    return (
        f"For the same kind of model, how it is asked and how it decides move the {comparison.cost_name} by {by_way_moved}; asked and "
        f"deciding the same way, the kind of model moves it by {by_kind_moved} (medians, from the cheapest to the dearest)."
    )


def deciding(comparison: Comparison) -> str:
    """Say what it brings to decide with the uncertainty, not by the prediction alone; nothing where no pair tells."""
    pairs: defaultdict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for row in _models(comparison):
        pairs[row.framing, row.family][decided_by(row.rule)] = row.cost
    alone, with_it = decided_by("plug_in"), decided_by("dressed")
    saved = [1 - costs[with_it] / costs[alone] for costs in pairs.values() if {alone, with_it} <= costs.keys() and costs[alone] > 0]
    if len(saved) < LEAST:
        return ""
    usual = float(np.median(saved))
    verb, alike = ("lowers", sum(share > 0 for share in saved)) if usual >= 0 else ("raises", sum(share < 0 for share in saved))
    return (
        f"Deciding with the uncertainty of a prediction, not by the prediction alone, {verb} the {comparison.cost_name} "
        f"in {alike} of {len(saved)} pairs, by {_percent(abs(usual))} in the median."
    )


def _models(comparison: Comparison) -> list[Judged]:
    return [row for row in comparison.judged if not is_baseline(row)]


def _spread(groups: Iterable[list[float]]) -> float:
    """Return how far the dearest is above the cheapest of a group, in the median over groups of two and more."""
    spreads = [max(group) / min(group) - 1 for group in groups if len(group) > 1 and min(group) > 0]
    return float(np.median(spreads)) if len(spreads) >= LEAST else float("nan")


def _percent(share: float) -> str:
    """Write a share.

    >>> _percent(0.123)
    '12 %'
    """
    return f"{share:.0%}".replace("%", " %")
