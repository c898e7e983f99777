"""What a verdict rests on: each number that it was drawn from, as a line of words."""

from __future__ import annotations

import math
from collections.abc import Iterator

from piste.core.case import currency
from piste.core.comparison import Claimed, Comparison, Interval, Judged
from piste.core.finding import short
from piste.core.plan import BASELINE
from piste.core.verdict import is_baseline


def basis(comparison: Comparison) -> tuple[tuple[str, str], ...]:
    """Return the lines, each with what it is about; a line is left out where there is nothing to say."""
    return tuple(_lines(comparison))


def _lines(comparison: Comparison) -> Iterator[tuple[str, str]]:
    each = " a decision" if comparison.priced else ""
    champion, estimate, claimed = comparison.row(comparison.champion), comparison.estimate, comparison.claimed
    tried = f"corrected for having been chosen among {comparison.n_columns:,} candidates"
    if estimate:
        yield "What to expect", f"{_amount(comparison, _spanned(estimate))}{each}, {tried}"
    if claimed:
        yield from _claim(comparison, claimed)
    yield from _simplicity(comparison, champion)
    if comparison.next_period:
        yield "In one more period", f"a gain of {_amount(comparison, _spanned(comparison.next_period))}, going by how these differ"
    if comparison.versus:
        found, other = comparison.versus, comparison.row(comparison.versus.other)
        words = (
            f"better with a chance of {_percent(found.better)}, too close to matter {_percent(found.same)}, worse {_percent(found.worse)}"
        )
        yield "Beside the next best", f"against {other.title}, on other splits of the rows: {words}"
    if math.isfinite(champion.value) and not is_baseline(champion):
        yield "Of what could be saved", f"{_percent(champion.value)} of what perfect foresight would save over the best baseline"


def _claim(comparison: Comparison, claimed: Claimed) -> Iterator[tuple[str, str]]:
    """Say what is gained over the rule to beat."""
    rule = comparison.row(comparison.best_baseline).family.removeprefix(f"{BASELINE}:")
    champion = comparison.row(comparison.champion)
    who = "The best model" if is_baseline(champion) else "It"
    share = f"{_percent(claimed.share.mean)} ({_percent(claimed.share.low)} to {_percent(claimed.share.high)})"
    amount = f"{_amount(comparison, _spanned(claimed.gain))} a decision, " if comparison.priced else ""
    tried = f"the interval allows for {comparison.n_columns:,} candidates having been tried"
    yield "What may be claimed", f"{who} saves {amount}{share} over the rule '{rule}'; {tried}"
    if comparison.priced and comparison.per_year and math.isfinite(claimed.gain.low):
        year = Interval(*(end * comparison.per_year for end in (claimed.gain.mean, claimed.gain.low, claimed.gain.high)))
        yield "In a year", f"{_amount(comparison, _spanned(year))}, at {comparison.per_year:,.0f} decisions"
    wanted = f"a gain of {_percent(claimed.needed)} is what counts as worth it"
    enough = math.isfinite(claimed.n_required) and claimed.n_required <= claimed.n_blocks
    more = "; these rows suffice to show it" if enough else ""
    if math.isfinite(claimed.n_required) and not enough:
        more = f"; to show it would take about {claimed.n_required / claimed.n_blocks:.1f} times as many rows"
    yield "What was asked for", wanted + more


def _simplicity(comparison: Comparison, champion: Judged) -> Iterator[tuple[str, str]]:
    """Say what it costs to prefer the simpler model."""
    models = [row for row in comparison.judged if not is_baseline(row) and not row.is_outside]
    if is_baseline(champion) or len(models) < 2:
        return
    tied = sum(row.tied_with_best for row in models)
    best = models[0]
    if best.id == champion.id or best.cost >= champion.cost:
        yield "The price of simplicity", f"none: it is the lowest of all; {tied} of {len(models)} are too close to the best to tell apart"
        return
    apart = f", too close to tell apart; so are {tied} in all" if champion.tied_with_best else ""
    yield "The price of simplicity", f"{_amount(comparison, short(champion.cost - best.cost))}: {best.title} is lowest{apart}"


def _amount(comparison: Comparison, numbers: str) -> str:
    """Name what numbers count: money behind them, a metric before them."""
    return f"{numbers}{currency(comparison.cost_name)}" if comparison.priced else f"{comparison.cost_name} {numbers}"


def _spanned(interval: Interval) -> str:
    if not (math.isfinite(interval.low) and math.isfinite(interval.high)):
        return f"{short(interval.mean)} (an interval cannot be told)"
    return f"{short(interval.mean)} ({short(interval.low)} to {short(interval.high)})"


def _percent(share: float) -> str:
    """Write a share.

    >>> _percent(0.123), _percent(0.0123), _percent(float("nan"))
    ('12 %', '1.2 %', 'unknown')
    """
    if not math.isfinite(share):
        return "unknown"
    return (f"{share:.1%}" if abs(share) < 0.0995 else f"{share:.0%}").replace("%", " %")
