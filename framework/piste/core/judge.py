"""From a case that has been weighed to a comparison, whole: what is said of it, and what is kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from piste.core.belief import belief
from piste.core.case import Case, claimed, in_next_period, versus
from piste.core.check import ordered
from piste.core.comparison import Absent, Comparison, Terms
from piste.core.entrants import Outcomes
from piste.core.finding import Finding
from piste.core.fit import Failed, Left, Outcome, Predicted
from piste.core.outside import said_of_outside
from piste.core.problem import BLEND
from piste.core.review import Evidence, review
from piste.core.review.slices import slice_names
from piste.core.search import Candidate
from piste.core.split import PERIODS
from piste.core.verdict import Facts, decide

Settle = Callable[[Iterable[Finding]], tuple[Finding, ...]]
Members = Mapping[str, Sequence[tuple[float, Candidate]]]  # leaderboard row id -> shares and candidates to refit


def conclude(evidence: Evidence, outcomes: Outcomes, *, key: str, printed: str, source: str, settle: Settle = ordered) -> Comparison:
    """Say what was found.

    Args:
        evidence: the comparison, judged, and what was tried beside it.
        outcomes: what came of the cells.
        key: of the comparison.
        printed: the resolved problem as text.
        source: where the rows came from.
        settle: marks the findings that somebody takes as they are: first those of the audit, then those after training.
    """
    case, audit, curve = evidence.case, evidence.audit, evidence.curve
    resolved, court, rows = case.resolved, case.court, case.rows
    champion, base = case.row_of(case.champion), case.row_of(case.base)
    audit = replace(audit, findings=settle(audit.findings))
    seen = review(replace(evidence, audit=audit))
    findings = ordered([*audit.findings, *settle(seen.findings)])
    have = {(row.framing, row.family) for row in rows}
    failed = [
        Absent(framing, entry, case.plan.entries[entry][1].title, "failed", reasons[0])
        for (framing, entry), reasons in case.failures.items()
        if (framing, entry) not in have
    ]
    claim = claimed(case)
    decision = resolved.problem.decision
    models = [row for row in rows if case.numbers[row.id] in case.models]
    verdict = decide(
        Facts(
            about=f"'{court.target.name}'",
            cost_name=court.yardstick.name,
            priced=court.yardstick.priced,
            per_year=decision.per_year if decision else None,
            n_columns=len(case.entrants),
            confidence=resolved.problem.success.confidence,
            champion=champion,
            base=base,
            rivals=[row for row in models if row.tied_with_best and row.id != champion.id],
            best=models[0] if models else None,
            claimed=claim,
            estimate=case.estimate,
            findings=findings,
            curve=curve,
            block=_blocks(case),
            holdout=len(case.folds.holdout) > 0,
        )
    )
    return Comparison(
        key=key,
        problem=resolved.name,
        question=resolved.problem.question or "",
        resolved=printed,
        digest=resolved.table.digest,
        source=source,
        n_rows=len(resolved.table.frame),
        n_judged=len(court.lines.judged),
        n_columns=len(case.entrants),
        target=court.target,
        schema={column.name: column.kind for column in resolved.table.features},
        metric=resolved.metric.name,
        cost_name=court.yardstick.name,
        judged=rows,
        absent=(*case.plan.absent, *failed),
        champion=champion.id,
        best_baseline=base.id,
        verdict=replace(verdict, sentence=f"{verdict.sentence} {said_of_outside(case)}".rstrip()),
        fold_names=tuple(fold.name for fold in case.folds.shown),
        predictions=_predictions(case),
        losses=_losses(case),
        columns=_described(case),
        trials=_trials(case, outcomes),
        states=case.states,
        priced=court.yardstick.priced,
        per_year=decision.per_year if decision else None,
        references=case.references,
        estimate=case.estimate,
        claimed=claim,
        next_period=in_next_period(case),
        versus=versus(case),
        curve=curve,
        terms=Terms(resolved.problem.seed, case.folds.ordered, case.choice.confidence, case.choice.rope, case.degrees),
        findings=findings,
        tables={**audit.tables, **seen.tables},
        spared={**audit.spared, **seen.spared},
        silent=tuple(sorted((*audit.silent, *seen.silent))),
        notes=resolved.table.notes,
    )


def members(case: Case) -> Members:
    """Return what to refit for each row of the leaderboard."""
    return {id: case.entrants[number].members for id, number in case.numbers.items()}


def _blocks(case: Case) -> str:
    """Say what stands or falls together, in the plural: rows, days, or values of a column."""
    rule = case.resolved.rule
    if rule.together:
        return f"values of '{rule.together}'" if rule.together != case.resolved.problem.time else "days"
    if rule.scheme == "forward":
        return "days"
    return f"values of '{rule.by}'" if rule.scheme == "leave_one_out" and rule.by and rule.by not in PERIODS else "rows"


def _predictions(case: Case) -> pd.DataFrame:
    court = case.court
    counts, target = court.lines.counts, court.target
    y = np.array(target.labels)[target.values[court.lines.row]] if target.labels else court.came.y
    found: dict[str, np.ndarray] = {"row": court.lines.row, "fold": court.lines.fold, "repeat": court.lines.repeat, "y": y}
    for id, number in case.numbers.items():
        column = case.entrants[number].column
        priced = court.yardstick.priced
        answer = belief(court, case.plan.asked[column.framing], column).answer if priced else column.action
        found |= {f"{id}[{name}]": answer[:, code] for code, name in enumerate(target.classes)} if answer.ndim == 2 else {id: answer}
        if priced:
            found[f"{id} action"] = column.action
    return pd.DataFrame(found)[counts].reset_index(drop=True)


def _losses(case: Case) -> pd.DataFrame:
    judged = case.court.lines.judged
    about: dict[str, np.ndarray] = {"row": judged, "block": case.folds.blocks[judged], "weight": case.court.weight[judged]}
    if slices := case.resolved.problem.slices:
        frame = case.resolved.table.frame
        about |= {f"slice {name}": slice_names(frame[name].iloc[judged]) for name in slices.columns}
    frame = pd.DataFrame(case.losses, columns=[each.column.name for each in case.entrants])
    known = {f"{name}/reference/0/known": losses for name, losses in case.reference_losses.items()}
    return pd.concat([pd.DataFrame(about), frame, pd.DataFrame(known)], axis=1)


def _described(case: Case) -> pd.DataFrame:
    columns, choice = [each.column for each in case.entrants], case.choice
    roles = np.full(len(columns), "", dtype=object)
    roles[[*choice.models]], roles[[*choice.baselines]] = "model", "rule"
    return pd.DataFrame(
        {
            "column": [column.name for column in columns],
            "framing": [column.framing for column in columns],
            "family": [column.entry for column in columns],
            "rule": [column.rule for column in columns],
            "params": [json.dumps(dict(column.params)) for column in columns],
            "title": [each.label.title for each in case.entrants],
            "role": roles,
            "rank": choice.rank,
            "error": case.claim.error if case.degrees is not None else np.full(len(columns), np.nan),
        }
    )


def _trials(case: Case, outcomes: Outcomes) -> dict[str, pd.DataFrame]:
    """List, per row, every hyperparameter setting that was tried; those among which a choice was made inside the training rows too."""
    place: dict[tuple[str, str, int, str], int] = {
        (*each.members[0][1].key, each.column.rule): i
        for i, each in enumerate(case.entrants)
        if each.column.entry != BLEND and not each.is_outside
    }
    shown = case.court.yardstick.shown
    tables = {}
    for row in case.rows:
        lines = []
        for candidate in case.plan.candidates:
            found = outcomes.get(candidate.key, ())
            failed = [part.reason for part in found if isinstance(part, Failed)]
            left = [part.reason for part in found if isinstance(part, Left)]
            number = place.get((*candidate.key, row.rule))
            if candidate.key[:2] != (row.framing, row.family) or (number is None and not failed and not left):
                continue
            cost = seconds = float("nan")
            if number is not None:
                cost = float(shown(case.sample.mean[number]))
                seconds = float(np.mean([part.fit_seconds for part in case.entrants[number].parts]))
            status, reason = ("left", left[0]) if left else ("failed", failed[0]) if failed else ("ok", "")
            lines.append({**candidate.params, "cost": cost, "fit_seconds": seconds, "status": status, "reason": reason})
            lines += _inside(candidate, found)
        if lines:
            tables[row.id] = pd.DataFrame(lines).sort_values("cost", kind="stable", ignore_index=True)
    return tables


def _inside(candidate: Candidate, found: Sequence[Outcome]) -> list[dict[str, Any]]:
    """List the settings that a candidate chooses from: no column of their own, so no cost."""
    parts = [part for part in found if isinstance(part, Predicted)]
    counts = Counter(number for part in parts for number in part.chosen)
    total, nothing = sum(counts.values()), float("nan")
    about = {"cost": nothing, "fit_seconds": nothing, "status": "inside"}
    return [{**point, **about, "reason": f"chosen {counts[number]} of {total} times"} for number, point in enumerate(candidate.points)]
