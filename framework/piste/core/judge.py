"""From what the cells gave to a comparison, whole."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from piste.core.blend import blend
from piste.core.comparison import Absent, Comparison, Judged
from piste.core.data import Target
from piste.core.errors import PisteError
from piste.core.family import Params
from piste.core.fit import Failed, Outcome, Predicted
from piste.core.leaderboard import Facts, Label, rows
from piste.core.losses import Column, Judgements, loss_matrix, make_column
from piste.core.metrics import Metric
from piste.core.plan import BASELINE, Plan
from piste.core.problem import BLEND
from piste.core.resolve import Resolved
from piste.core.search import Candidate
from piste.core.split import Folds
from piste.core.statistics import Sample, sample
from piste.core.verdict import champion, decide, is_baseline

BLEND_TIER = 7
BLEND_TITLE = "Blend"
NO_SHARES = "needs a second fold: its shares for one fold are learnt on others"

Outcomes = Mapping[tuple[str, str, int], Sequence[Outcome]]  # candidate key -> what each fold gave
Members = Mapping[str, Sequence[tuple[float, Candidate]]]  # leaderboard row id -> shares and candidates to refit


@dataclass(frozen=True, slots=True)
class Entrant:
    """A column of the comparison, what it is called, what its folds gave, and the shares and candidates that make it."""

    column: Column
    label: Label
    parts: tuple[Predicted, ...]
    members: tuple[tuple[float, Candidate], ...]


def judge(
    resolved: Resolved, folds: Folds, plan: Plan, outcomes: Outcomes, *, key: str, printed: str, source: str
) -> tuple[Comparison, Members]:
    """Compare what has been computed so far; candidates that lack a fold are left out.

    Args:
        resolved: the problem.
        folds: divisions of the rows.
        plan: what was to be computed.
        outcomes: what came of it.
        key: of the comparison.
        printed: the resolved problem as text.
        source: where the rows came from.

    Raises:
        PisteError: no baseline could be computed, so there is nothing to compare with.

    Returns:
        The comparison, and what to refit for each of its rows.
    """
    lines = Judgements.of(folds, forward=resolved.rule.scheme == "forward")
    target, metric = resolved.table.target, resolved.metric
    y, weight = target.values[lines.row], resolved.table.weight[lines.row]
    entrants = _entrants(resolved, folds, plan, outcomes, lines)
    learnable = any(len(lines.others(fold)) for fold in np.unique(lines.fold))
    unblended = () if learnable else tuple(Absent(name, BLEND, BLEND_TITLE, "skipped", NO_SHARES) for name in plan.blended)
    if learnable:
        entrants += _blends(entrants, resolved, plan, lines, y, weight)
    columns = [each.column for each in entrants]
    failures = _failures(plan, outcomes)
    if not any(column.entry.startswith(f"{BASELINE}:") for column in columns):
        reasons = [reason for (_, entry), found in failures.items() if entry.startswith(f"{BASELINE}:") for reason in found]
        raise PisteError(f"no baseline could be computed, so there is nothing to compare with: {(reasons or ['none finished'])[0]}")
    losses = loss_matrix(columns, lines)
    drawn = sample(
        losses, resolved.table.weight[lines.judged], folds.blocks[lines.judged], ordered=folds.ordered, seed=resolved.problem.seed
    )
    facts = Facts(
        columns, losses, drawn, [each.label for each in entrants], [each.parts for each in entrants], y, weight, lines, metric, target.kind
    )
    judged = rows(facts, failures)
    numbers = {row.id: _number(columns, row.framing, row.family, row.params) for row in judged}
    chosen = champion(judged, _close(judged, numbers, drawn), [entry.name for entry in resolved.problem.families or ()])
    base = next(row for row in judged if is_baseline(row))
    question = f"'{target.name}'"
    have = {(row.framing, row.family) for row in judged}
    failed = [
        Absent(framing, entry, plan.entries[entry][1].title, "failed", reasons[0])
        for (framing, entry), reasons in failures.items()
        if (framing, entry) not in have
    ]
    comparison = Comparison(
        key=key,
        problem=resolved.name,
        question=resolved.problem.question or "",
        resolved=printed,
        digest=resolved.table.digest,
        source=source,
        n_rows=len(resolved.table.frame),
        n_judged=len(lines.judged),
        n_columns=len(columns),
        target=target,
        schema={column.name: column.kind for column in resolved.table.features},
        metric=metric.name,
        cost_name=metric.cost_name,
        judged=judged,
        absent=(*plan.absent, *unblended, *failed),
        champion=chosen.id,
        best_baseline=base.id,
        verdict=decide(judged, chosen, metric.cost_name, question, len(columns)),
        fold_names=tuple(fold.name for fold in folds.folds),
        predictions=_predictions(columns, numbers, lines, target, y),
        losses=_losses(columns, lines, folds, losses),
        columns=_described(entrants),
        trials=_trials(plan, outcomes, entrants, drawn, metric, judged),
        notes=resolved.table.notes,
    )
    return comparison, {id: entrants[number].members for id, number in numbers.items()}


def _entrants(resolved: Resolved, folds: Folds, plan: Plan, outcomes: Outcomes, lines: Judgements) -> list[Entrant]:
    found = []
    for candidate in plan.candidates:
        if made := column_of(resolved, folds, plan, candidate, outcomes.get(candidate.key, ()), lines):
            parts = tuple(part for part in outcomes[candidate.key] if isinstance(part, Predicted))
            found.append(Entrant(*made, parts, ((1.0, candidate),)))
    return found


def column_of(
    resolved: Resolved, folds: Folds, plan: Plan, candidate: Candidate, outcomes: Sequence[Outcome], lines: Judgements
) -> tuple[Column, Label] | None:
    """Return the column of a candidate and what it is called; None until every fold is predicted."""
    done = [part for part in outcomes if isinstance(part, Predicted)]
    if len(done) != len(folds.folds):
        return None
    framing = next(framing for framing in resolved.framings if framing.name == candidate.framing)
    raw = np.concatenate([part.predictions for part in done])
    target, metric = resolved.table.target, resolved.metric
    column = make_column(framing, candidate.entry, candidate.number, candidate.params, raw, target, metric, lines)
    kin = plan.entries[candidate.entry][1]
    task = resolved.task(framing, max(len(fold.train) for fold in folds.folds))
    return column, Label(kin.words(task, candidate.params), kin.tier)


def _blends(
    entrants: Sequence[Entrant], resolved: Resolved, plan: Plan, lines: Judgements, y: np.ndarray, weight: np.ndarray
) -> Iterator[Entrant]:
    """Make the blend of each framing that has at least two models."""
    framings = {framing.name: framing for framing in resolved.framings}
    for name in plan.blended:
        pool = [each for each in entrants if each.column.framing == name and not each.column.entry.startswith(f"{BASELINE}:")]
        if len({each.column.entry for each in pool}) < 2:
            continue
        raw, shares = blend([each.column for each in pool], y, weight, resolved.metric.loss, lines)
        ranked = sorted(zip(shares.tolist(), range(len(pool)), strict=True), key=lambda pair: (-pair[0], pair[1]))
        used = [(share, pool[i]) for share, i in ranked if share > 0]
        by_entry: dict[str, float] = {}
        for share, each in used:
            by_entry[each.column.entry] = by_entry.get(each.column.entry, 0.0) + share
        said = ", ".join(f"{share:.2g} {entry}" for entry, share in by_entry.items())
        column = make_column(framings[name], BLEND, 0, {}, raw, resolved.table.target, resolved.metric, lines)
        members = tuple((share, each.members[0][1]) for share, each in used)
        parts = _joint([each.parts for _, each in used], [share for share, _ in used])
        yield Entrant(column, Label(f"{BLEND_TITLE} ({said})", BLEND_TIER), parts, members)


def _joint(parts: Sequence[Sequence[Predicted]], shares: Sequence[float]) -> tuple[Predicted, ...]:
    """Say what the members of a blend cost together, fold by fold; it has no training predictions of its own."""
    return tuple(
        Predicted(
            np.tensordot(np.array(shares), np.stack([part.predictions for part in fold]), axes=1),
            {},
            sum(part.fit_seconds for part in fold),
            sum(part.predict_seconds for part in fold),
        )
        for fold in zip(*parts, strict=True)
    )


def _number(columns: Sequence[Column], framing: str, entry: str, params: Params) -> int:
    return next(i for i, c in enumerate(columns) if c.framing == framing and c.entry == entry and c.params == params)


def _close(judged: Sequence[Judged], numbers: Mapping[str, int], drawn: Sample) -> list[bool]:
    """Tell which rows are within one standard error of the best model."""
    best = next((numbers[row.id] for row in judged if not is_baseline(row)), None)
    if best is None:
        return [False] * len(judged)
    gaps = [(drawn.mean[numbers[row.id]] - drawn.mean[best], drawn.difference(numbers[row.id], best)[0]) for row in judged]
    return [bool(gap <= error) for gap, error in gaps]


def _failures(plan: Plan, outcomes: Outcomes) -> dict[tuple[str, str], list[str]]:
    """Say, per framing and entry, what each failed candidate died of."""
    found: dict[tuple[str, str], list[str]] = {}
    for candidate in plan.candidates:
        reasons = [part.reason for part in outcomes.get(candidate.key, ()) if isinstance(part, Failed)]
        if reasons:
            found.setdefault(candidate.key[:2], []).append(reasons[0])
    return found


def _predictions(columns: Sequence[Column], numbers: Mapping[str, int], lines: Judgements, target: Target, y: np.ndarray) -> pd.DataFrame:
    labels = np.array(target.labels)
    found: dict[str, np.ndarray] = {"row": lines.row, "fold": lines.fold, "repeat": lines.repeat, "y": labels[y] if target.labels else y}
    for id, number in numbers.items():
        action = columns[number].action
        found |= {f"{id}[{label}]": action[:, code] for code, label in enumerate(target.labels)} if action.ndim == 2 else {id: action}
    return pd.DataFrame(found)


def _losses(columns: Sequence[Column], lines: Judgements, folds: Folds, losses: np.ndarray) -> pd.DataFrame:
    frame = pd.DataFrame(losses, columns=[column.name for column in columns])
    return pd.concat([pd.DataFrame({"row": lines.judged, "block": folds.blocks[lines.judged]}), frame], axis=1)


def _described(entrants: Sequence[Entrant]) -> pd.DataFrame:
    columns = [each.column for each in entrants]
    return pd.DataFrame(
        {
            "column": [column.name for column in columns],
            "framing": [column.framing for column in columns],
            "family": [column.entry for column in columns],
            "rule": [column.rule for column in columns],
            "params": [json.dumps(dict(column.params)) for column in columns],
            "title": [each.label.title for each in entrants],
        }
    )


def _trials(
    plan: Plan, outcomes: Outcomes, entrants: Sequence[Entrant], drawn: Sample, metric: Metric, judged: Sequence[Judged]
) -> dict[str, pd.DataFrame]:
    """List, per row, every hyperparameter setting that was tried."""
    place = {each.members[0][1].key: i for i, each in enumerate(entrants) if each.column.entry != BLEND}
    tables = {}
    for row in judged:
        lines = []
        for candidate in plan.candidates:
            failed = [part.reason for part in outcomes.get(candidate.key, ()) if isinstance(part, Failed)]
            number = place.get(candidate.key)
            if candidate.key[:2] != (row.framing, row.family) or (number is None and not failed):
                continue
            cost = seconds = float("nan")
            if number is not None:
                cost = float(metric.shown(drawn.mean[number]))
                seconds = float(np.mean([part.fit_seconds for part in entrants[number].parts]))
            status, reason = ("failed", failed[0]) if failed else ("ok", "")
            lines.append({**candidate.params, "cost": cost, "fit_seconds": seconds, "status": status, "reason": reason})
        if lines:
            tables[row.id] = pd.DataFrame(lines).sort_values("cost", kind="stable", ignore_index=True)
    return tables
