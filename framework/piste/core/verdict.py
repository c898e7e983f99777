"""Champion and verdict: what to do, in words that a manager understands."""

from __future__ import annotations

from collections.abc import Sequence

from piste.core.comparison import Judged, Verdict
from piste.core.plan import BASELINE

MATTERS = 0.05  # a gain below this share of the baseline's cost is too small to matter


def is_baseline(row: Judged) -> bool:
    """Tell a rule from a model."""
    return row.family.startswith(f"{BASELINE}:")


def champion(rows: Sequence[Judged], close: Sequence[bool], order: Sequence[str]) -> Judged:
    """Choose the simplest model that cannot be told from the best one; a baseline where no model does better, or can matter.

    Args:
        rows: the leaderboard, best first.
        close: (n_rows,) whether the paired difference to the best model is within one standard error.
        order: entries from most to least preferred; those not named go by tier.

    Source: the paired one-standard-error rule, Breiman et al. 1984; Yates et al. 2023.
    """
    models = [(row, near) for row, near in zip(rows, close, strict=True) if not is_baseline(row)]
    if not models or models[0][0].gain_vs_baseline <= 0 or all(row.gain_hi < MATTERS for row, _ in models):
        return next(row for row in rows if is_baseline(row))
    best = models[0][0]
    preference = {name: place for place, name in enumerate(order)}
    eligible = [row for row, near in models if near or row is best]
    return min(eligible, key=lambda row: (preference.get(row.family, len(order)), row.tier, row.cost))


def decide(rows: Sequence[Judged], chosen: Judged, cost_name: str, question: str, n_columns: int) -> Verdict:
    """Say what to do, with its numbers.

    Args:
        rows: the leaderboard, best first.
        chosen: the champion.
        cost_name: what cost means here.
        question: or what is predicted, as the subject of the sentence.
        n_columns: candidates compared.
    """
    base = next(row for row in rows if is_baseline(row))
    rule = f"'{base.family.removeprefix(f'{BASELINE}:')}'"
    if is_baseline(chosen):
        models = [row for row in rows if not is_baseline(row)]
        if not models:
            return Verdict("keep your rule", f"Keep the rule {rule} for {question}: no model finished.")
        gain, most = models[0].gain_vs_baseline, models[0].gain_hi
        least = f"the best of {n_columns} candidates gains {gain:.1%}, at most {most:.1%}, too little to matter"
        if gain <= 0:
            costs = f"the best model's {cost_name} is {_short(models[0].cost)}, the rule's {_short(base.cost)}"
            least = f"none of {n_columns} candidates does better; {costs}"
        return Verdict("keep your rule", f"Keep the rule {rule} for {question}: {least}.")
    numbers = f"{cost_name} {_short(chosen.cost)} ({_short(chosen.cost_lo)} to {_short(chosen.cost_hi)})"
    less = f"{chosen.gain_vs_baseline:.0%} below the best baseline, {rule} ({chosen.gain_lo:.0%} to {chosen.gain_hi:.0%})"
    if not chosen.gain_lo > 0:
        return Verdict(
            "get more data",
            f"These rows cannot tell whether any model beats the rule {rule} for {question}: {chosen.title} reaches {numbers}, {less}.",
        )
    others = [row for row in rows if row.tied_with_best and row is not chosen and not is_baseline(row)]
    tie = ""
    if others:
        simplest = all(row.tier >= chosen.tier for row in others)
        tie = f" It is {'the simplest' if simplest else 'one'} of {len(others) + 1} too close to tell apart."
    return Verdict(
        "best but unpriced",
        f"{chosen.title} answers best for {question}: {numbers}, {less}.{tie} "
        "Whether that is worth it, only the cost of a wrong decision can say.",
    )


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
