"""The rows of the leaderboard: of each framing x entry x rule its best column, its cost corrected for that choice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from piste.core.belief import belief
from piste.core.comparison import Judged
from piste.core.decision import Actions
from piste.core.entrants import Entrant
from piste.core.fit import Predicted
from piste.core.framing import Asked
from piste.core.losses import Court, by_row
from piste.core.metrics import usual
from piste.core.statistics import Claim, Corrected, Sample, within


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rows are made of: the columns, and what was measured beside them."""

    entrants: Sequence[Entrant]  # (n_columns,)
    sample: Sample  # of the losses
    court: Court
    asked: Mapping[str, Asked]
    base: int  # column to beat
    claim: Claim  # of every column over the base
    foresight: float | None  # mean cost of perfect foresight; None where no decision is priced


def best_of_rows(facts: Facts) -> dict[tuple[str, str, str], list[int]]:
    """Return the columns of each row, its best one first."""
    groups = by_row([each.column for each in facts.entrants])
    return {key: sorted(numbers, key=lambda i: (facts.sample.mean[i], i)) for key, numbers in groups.items()}


def rows(
    facts: Facts, failures: Mapping[tuple[str, str], Sequence[str]], spent: Mapping[tuple[str, str], str] | None = None
) -> tuple[Judged, ...]:
    """Return the rows, best first.

    Args:
        facts: columns and losses.
        failures: (framing, entry) -> what its failed trials died of.
        spent: (framing, entry) -> how the budget ended its search.
    """
    spent = spent or {}
    groups = best_of_rows(facts)
    corrected = within(facts.sample, list(groups.values()))
    leader = min((numbers[0] for numbers in groups.values()), key=lambda i: (facts.sample.mean[i], i))
    found = [
        replace(
            _row(facts, numbers[0], leader, cost),
            n_trials=len(numbers),
            details=facts.entrants[numbers[0]].label.details,
            notes=_notes(facts.entrants[numbers[0]].parts, failures.get(key[:2], ()), spent.get(key[:2], "")),
        )
        for (key, numbers), cost in zip(groups.items(), corrected, strict=True)
    ]
    return tuple(sorted(found, key=lambda row: (row.cost, row.tier, row.id)))


def foremost(judged: Sequence[Judged], *also: str) -> frozenset[str]:
    """Return the ids of the rows that are looked at first: the best of each family and of each framing, and others named."""
    best: dict[tuple[str, str], str] = {}
    for row in judged:  # best first
        best.setdefault(("family", row.family), row.id)
        best.setdefault(("framing", row.framing), row.id)
    return frozenset({*best.values(), *also})


def _row(facts: Facts, number: int, leader: int, cost: Corrected) -> Judged:
    entrant, court = facts.entrants[number], facts.court
    column, label, parts = entrant.column, entrant.label, entrant.parts
    shown, base = court.yardstick.shown, float(facts.sample.mean[facts.base])
    ends = (base - cost.mean, float(facts.claim.lower[number]), float(facts.claim.upper[number]))
    gain, least, most = (share_saved(court, base, each) for each in ends)
    beyond = base - facts.foresight if facts.foresight is not None else 0.0  # what even perfect foresight saves
    counts = court.lines.counts
    weight = court.weight[court.lines.row][counts]
    answer = column.action if not court.yardstick.priced else belief(court, facts.asked[column.framing], column).answer
    y = court.came.y if answer.ndim == 1 or court.came.level is None else court.came.level
    framing = facts.asked[column.framing].framing
    own = framing.score(framing.y(court.target)[court.lines.row][counts], column.raw[counts])
    return Judged(
        framing=column.framing,
        family=column.entry,
        rule=column.rule,
        title=label.title,
        params=column.params,
        tier=label.tier,
        cost=float(shown(np.maximum(cost.mean, 0.0))),
        cost_lo=float(shown(np.maximum(cost.low, 0.0))),
        cost_hi=float(shown(np.maximum(cost.high, 0.0))),
        gain_vs_baseline=gain,
        gain_lo=least,
        gain_hi=most,
        tied_with_best=number == leader or not facts.sample.difference(number, leader)[1] > 0,
        metrics=usual(court.target.kind, y[counts], answer[counts], weight),
        train_metrics=_average([part.train_metrics for part in parts]),
        fold_costs=fold_costs(court, column.lines),
        fit_seconds=float(np.mean([part.fit_seconds for part in parts])) if parts else float("nan"),
        predict_seconds=float(np.mean([part.predict_seconds for part in parts])) if parts else float("nan"),
        n_trials=0,
        own_score=float(np.average(own, weights=weight)),
        actions=action_shares(court, column.action),
        value=(base - cost.mean) / beyond if beyond > 0 else float("nan"),
    )


def share_saved(court: Court, base: float, gain: float) -> float:
    """Return a gain of mean losses as a share of what the base is shown to cost.

    NaN where nothing is known of the gain, and where the base never errs, so that nothing can be saved.
    """
    shown = court.yardstick.shown
    return 1 - float(shown(max(0.0, base - gain))) / float(shown(base)) if base > 0 and np.isfinite(gain) else float("nan")


def action_shares(court: Court, action: np.ndarray) -> dict[str, float]:
    """Return how often each action is taken; nothing where actions are not priced."""
    if not isinstance(court.yardstick, Actions):
        return {}
    shares = np.bincount(action[court.lines.counts], minlength=len(court.yardstick.actions)) / court.lines.counts.sum()
    return dict(zip(court.yardstick.actions, shares.tolist(), strict=True))


def fold_means(court: Court, losses: np.ndarray) -> np.ndarray:
    """Return the mean of losses, (n_lines,), in each fold that is judged, (n_folds,)."""
    lines, weight = court.lines, court.weight[court.lines.row]
    return np.array([np.average(losses[lines.fold == f], weights=weight[lines.fold == f]) for f in np.unique(lines.fold[lines.counts])])


def fold_costs(court: Court, losses: np.ndarray) -> tuple[float, ...]:
    """Return the cost of losses, (n_lines,), in each fold that is judged."""
    return tuple(float(court.yardstick.shown(mean)) for mean in fold_means(court, losses))


def _average(metrics: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Average the metrics that every fold has."""
    if not metrics:
        return {}
    return {name: float(np.mean([each[name] for each in metrics])) for name in metrics[0] if all(name in each for each in metrics)}


def _notes(parts: Sequence[Predicted], failed: Sequence[str], spent: str) -> tuple[str, ...]:
    said = dict.fromkeys(note for part in parts for note in part.notes)
    notes = [
        note if (n := sum(note in part.notes for part in parts)) == len(parts) else f"{note} in {n} of {len(parts)} folds" for note in said
    ]
    if spent:
        notes.append(spent)
    if failed:
        notes.append(f"{len(failed)} of its trials failed: {failed[0]}")
    return tuple(notes)
