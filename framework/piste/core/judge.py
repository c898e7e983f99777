"""From what the cells gave to a comparison, whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from piste.core.blend import blend
from piste.core.comparison import Absent, Comparison
from piste.core.data import Target
from piste.core.family import Params
from piste.core.fit import Failed, Outcome, Predicted
from piste.core.leaderboard import Facts, Label, rows
from piste.core.losses import Column, Judgements, loss_matrix, make_column
from piste.core.plan import BASELINE, Plan
from piste.core.problem import BLEND
from piste.core.resolve import Resolved
from piste.core.search import Candidate
from piste.core.split import Folds
from piste.core.statistics import Sample, sample
from piste.core.verdict import champion, decide, is_baseline

BLEND_TIER = 7
BLEND_TITLE = "Blend"

Outcomes = Mapping[tuple[str, str, int], Sequence[Outcome]]  # candidate key -> what each fold gave
Members = Mapping[str, Sequence[tuple[float, Candidate]]]  # leaderboard row id -> shares and candidates to refit


@dataclass(frozen=True, slots=True)
class Pool:
    """The columns of a comparison, with what each is called and made of."""

    columns: tuple[Column, ...]
    labels: tuple[Label, ...]
    parts: tuple[tuple[Predicted, ...], ...]
    members: tuple[tuple[tuple[float, Candidate], ...], ...]


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
    pool = _blended(_columns(resolved, folds, plan, outcomes, lines), resolved, plan, lines, y, weight)
    losses = loss_matrix(pool.columns, lines)
    drawn = sample(
        losses, resolved.table.weight[lines.judged], folds.blocks[lines.judged], ordered=folds.ordered, seed=resolved.problem.seed
    )
    failures = _failures(plan, outcomes)
    facts = Facts(pool.columns, losses, drawn, pool.labels, pool.parts, y, weight, lines, metric, target.kind)
    judged = rows(facts, failures)
    numbers = {row.id: _number(pool.columns, row.framing, row.family, row.params) for row in judged}
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
        n_columns=len(pool.columns),
        target=target,
        schema={column.name: column.kind for column in resolved.table.features},
        metric=metric.name,
        cost_name=metric.cost_name,
        judged=judged,
        absent=(*plan.absent, *failed),
        champion=chosen.id,
        best_baseline=base.id,
        verdict=decide(judged, chosen, metric.cost_name, question, len(pool.columns)),
        fold_names=tuple(fold.name for fold in folds.folds),
        predictions=_predictions(pool, numbers, lines, target, y),
        losses=_losses(pool, lines, folds, losses),
        columns=_described(pool),
        trials=_trials(plan, outcomes, pool, drawn, metric.shown, judged),
        notes=resolved.table.notes,
    )
    return comparison, {id: pool.members[number] for id, number in numbers.items()}


def _columns(resolved: Resolved, folds: Folds, plan: Plan, outcomes: Outcomes, lines: Judgements) -> Pool:
    columns, labels, parts, members = [], [], [], []
    for candidate in plan.candidates:
        if found := column_of(resolved, folds, plan, candidate, outcomes.get(candidate.key, ()), lines):
            columns.append(found[0])
            labels.append(found[1])
            parts.append(tuple(part for part in outcomes[candidate.key] if isinstance(part, Predicted)))
            members.append(((1.0, candidate),))
    return Pool(tuple(columns), tuple(labels), tuple(parts), tuple(members))


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


def _blended(pool: Pool, resolved: Resolved, plan: Plan, lines: Judgements, y: np.ndarray, weight: np.ndarray) -> Pool:
    """Add the blend of each framing that has at least two models."""
    framings = {framing.name: framing for framing in resolved.framings}
    columns, labels, parts, members = map(list, (pool.columns, pool.labels, pool.parts, pool.members))
    for name in plan.blended:
        chosen = [i for i, column in enumerate(pool.columns) if column.framing == name and not column.entry.startswith(f"{BASELINE}:")]
        if len({pool.columns[i].entry for i in chosen}) < 2:
            continue
        raw, shares = blend([pool.columns[i] for i in chosen], y, weight, resolved.metric.loss, lines)
        used = [(float(share), i) for share, i in sorted(zip(shares, chosen, strict=True), key=lambda pair: (-pair[0], pair[1])) if share > 0]
        by_entry: dict[str, float] = {}
        for share, i in used:
            by_entry[pool.columns[i].entry] = by_entry.get(pool.columns[i].entry, 0.0) + share
        said = ", ".join(f"{share:.2g} {entry}" for entry, share in by_entry.items())
        columns.append(make_column(framings[name], BLEND, 0, {}, raw, resolved.table.target, resolved.metric, lines))
        labels.append(Label(f"{BLEND_TITLE} ({said})", BLEND_TIER))
        parts.append(_joint([pool.parts[i] for _, i in used], [share for share, _ in used]))
        members.append([(share, pool.members[i][0][1]) for share, i in used])
    return Pool(tuple(columns), tuple(labels), tuple(parts), tuple(tuple(each) for each in members))


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


def _close(judged: Sequence, numbers: Mapping[str, int], drawn: Sample) -> list[bool]:
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


def _predictions(pool: Pool, numbers: Mapping[str, int], lines: Judgements, target: Target, y: np.ndarray) -> pd.DataFrame:
    labels = np.array(target.labels)
    found: dict[str, np.ndarray] = {"row": lines.row, "fold": lines.fold, "repeat": lines.repeat, "y": labels[y] if target.labels else y}
    for id, number in numbers.items():
        action = pool.columns[number].action
        found |= {f"{id}[{label}]": action[:, code] for code, label in enumerate(target.labels)} if action.ndim == 2 else {id: action}
    return pd.DataFrame(found)


def _losses(pool: Pool, lines: Judgements, folds: Folds, losses: np.ndarray) -> pd.DataFrame:
    frame = pd.DataFrame(losses, columns=[column.name for column in pool.columns])
    return pd.concat([pd.DataFrame({"row": lines.judged, "block": folds.blocks[lines.judged]}), frame], axis=1)


def _described(pool: Pool) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "column": [column.name for column in pool.columns],
            "framing": [column.framing for column in pool.columns],
            "family": [column.entry for column in pool.columns],
            "rule": [column.rule for column in pool.columns],
            "params": [json.dumps(dict(column.params)) for column in pool.columns],
            "title": [label.title for label in pool.labels],
        }
    )


def _trials(plan: Plan, outcomes: Outcomes, pool: Pool, drawn: Sample, shown, judged: Sequence) -> dict[str, pd.DataFrame]:
    """List, per row, every hyperparameter setting that was tried."""
    place = {(column.framing, column.entry, column.number): i for i, column in enumerate(pool.columns)}
    tables = {}
    for row in judged:
        lines = []
        for candidate in plan.candidates:
            if candidate.key[:2] != (row.framing, row.family) or candidate.key not in outcomes:
                continue
            failed = [part.reason for part in outcomes[candidate.key] if isinstance(part, Failed)]
            number = place.get(candidate.key)
            if number is None and not failed:
                continue
            cost = float("nan") if number is None else float(shown(drawn.mean[number]))
            seconds = float("nan") if number is None else float(np.mean([part.fit_seconds for part in pool.parts[number]]))
            status, reason = ("failed", failed[0]) if failed else ("ok", "")
            lines.append({**candidate.params, "cost": cost, "fit_seconds": seconds, "status": status, "reason": reason})
        if lines:
            tables[row.id] = pd.DataFrame(lines).sort_values("cost", kind="stable", ignore_index=True)
    return tables
