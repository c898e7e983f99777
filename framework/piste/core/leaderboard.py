"""The rows of the leaderboard: of each framing x entry x rule its best column, with its interval."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from piste.core.comparison import Judged
from piste.core.fit import Predicted
from piste.core.losses import Column, Judgements, by_row
from piste.core.metrics import Metric, usual
from piste.core.plan import BASELINE
from piste.core.problem import TargetKind
from piste.core.statistics import Sample


@dataclass(frozen=True, slots=True)
class Label:
    """What a row is called, and how simple its model is."""

    title: str
    tier: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What the rows are made of: the columns, and what was measured beside them."""

    columns: Sequence[Column]
    losses: np.ndarray  # (n_judged, n_columns)
    sample: Sample  # of the losses
    labels: Sequence[Label]  # (n_columns,)
    parts: Sequence[Sequence[Predicted]]  # (n_columns, n_folds) what each fold gave; of a blend, nothing
    y: np.ndarray  # (n_lines,)
    weight: np.ndarray  # (n_lines,)
    lines: Judgements
    metric: Metric
    kind: TargetKind


def rows(facts: Facts, failures: Mapping[tuple[str, str], Sequence[str]]) -> tuple[Judged, ...]:
    """Return the rows, best first.

    Args:
        facts: columns and losses.
        failures: (framing, entry) -> what its failed trials died of.
    """
    groups = by_row(facts.columns)
    best = {key: min(numbers, key=lambda i: (facts.sample.mean[i], i)) for key, numbers in groups.items()}
    leader = min(best.values(), key=lambda i: (facts.sample.mean[i], i))
    baselines = [i for i in best.values() if facts.columns[i].entry.startswith(f"{BASELINE}:")]
    base = min(baselines, key=lambda i: (facts.sample.mean[i], i))
    found = [
        replace(_row(facts, number, leader, base), n_trials=len(groups[key]), notes=_notes(facts, number, failures.get(key[:2], ())))
        for key, number in best.items()
    ]
    return tuple(sorted(found, key=lambda row: (row.cost, row.tier, row.id)))


def _row(facts: Facts, number: int, leader: int, base: int) -> Judged:
    column, label = facts.columns[number], facts.labels[number]
    shown = facts.metric.shown
    mean = facts.sample.mean
    low, high = facts.sample.interval(number)
    with np.errstate(invalid="ignore", divide="ignore"):  # a baseline without a single error
        least, most = facts.sample.ratio(number, base)
        gain = 1 - float(shown(mean[number] / mean[base]))
        gains = [1 - float(shown(np.maximum(bound, 0.0))) for bound in (most, least)]
    parts = facts.parts[number]
    return Judged(
        framing=column.framing,
        family=column.entry,
        rule=column.rule,
        title=label.title,
        params=column.params,
        tier=label.tier,
        cost=float(shown(mean[number])),
        cost_lo=float(shown(np.maximum(low, 0.0))),
        cost_hi=float(shown(np.maximum(high, 0.0))),
        gain_vs_baseline=gain,
        gain_lo=gains[0],
        gain_hi=gains[1],
        tied_with_best=number == leader or not facts.sample.difference(number, leader)[1] > 0,
        metrics=usual(facts.kind, facts.y, column.action, facts.weight),
        train_metrics=_average([part.train_metrics for part in parts]),
        fold_costs=fold_costs(facts, number),
        fit_seconds=float(np.mean([part.fit_seconds for part in parts])) if parts else float("nan"),
        predict_seconds=float(np.mean([part.predict_seconds for part in parts])) if parts else float("nan"),
        n_trials=0,
    )


def fold_costs(facts: Facts, number: int) -> tuple[float, ...]:
    """Return the cost of a column in each fold."""
    lines, losses = facts.lines, facts.columns[number].lines
    each = [lines.fold == fold for fold in np.unique(lines.fold)]
    return tuple(float(facts.metric.shown(np.average(losses[mine], weights=facts.weight[mine]))) for mine in each)


def _average(metrics: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Average the metrics that every fold has."""
    if not metrics:
        return {}
    return {name: float(np.mean([each[name] for each in metrics])) for name in metrics[0] if all(name in each for each in metrics)}


def _notes(facts: Facts, number: int, failed: Sequence[str]) -> tuple[str, ...]:
    parts = facts.parts[number]
    said = dict.fromkeys(note for part in parts for note in part.notes)
    notes = [
        note if (n := sum(note in part.notes for part in parts)) == len(parts) else f"{note} in {n} of {len(parts)} folds" for note in said
    ]
    if failed:
        notes.append(f"{len(failed)} of its trials failed: {failed[0]}")
    return tuple(notes)
