"""Predictions that were made elsewhere, as columns of the comparison, and what is said of them beside the champion."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from piste.core.case import Case, errors_over
from piste.core.comparison import OUTSIDE, Judged
from piste.core.entrants import Entrant, Label
from piste.core.family import Params
from piste.core.fit import Predicted
from piste.core.framing import Asked, Form, Framing
from piste.core.losses import Court
from piste.core.plan import Plan
from piste.core.resolve import Resolved
from piste.core.split import Folds
from piste.core.statistics import claim

TIER = 8  # how simple they are is not known: of equals, a model that is here comes first
UNVERIFIED = "folds not verified: only who made the predictions knows that no fold learnt from the rows that it tests"


@dataclass(frozen=True, slots=True)
class Outside:
    """Out-of-fold predictions of anything: a program, a spreadsheet, a person."""

    name: str
    framing: str  # by the name of a framing
    split: str  # what they were made for, as `foldsheet.split_digest` names it
    file: str
    raw: np.ndarray  # (n_lines, ...) as a family of the framing's task would give them; NaN where a line was not predicted

    @property
    def digest(self) -> str:
        """Name all that matters of it: 64 hexadecimal digits."""
        about = json.dumps([self.name, self.framing, self.split, self.raw.shape])
        return hashlib.sha256(about.encode() + np.ascontiguousarray(self.raw, dtype="<f8").tobytes()).hexdigest()


def seated(
    outsiders: Sequence[Outside], resolved: Resolved, folds: Folds, plan: Plan, court: Court, framings: Mapping[str, Framing]
) -> tuple[Plan, tuple[Entrant, ...]]:
    """Make the columns of predictions from outside, under every rule of their framing.

    Several that share a name and a framing are tries of one row, which is corrected for the choice among them.

    Args:
        outsiders: in the order in which they came.
        resolved: the problem.
        folds: the divisions of the rows.
        plan: of the comparison.
        court: what columns are judged by.
        framings: by name.

    Returns:
        The plan with the framings that they need, and the columns.
    """
    asked = dict(plan.asked)
    entrants = []
    tries: dict[tuple[str, str], int] = {}
    for each in outsiders:
        framing = framings[each.framing]
        form = Form(framing.name)
        free = framing.name not in plan.asked or plan.asked[framing.name].form == form
        mine = Asked(framing.name if free else f"{framing.name} ({OUTSIDE})", framing, form)
        asked[mine.name] = mine
        number = tries[each.name, each.framing] = tries.get((each.name, each.framing), 0) + 1
        notes = (UNVERIFIED, *_left_out(each, folds, court))
        unknown = float("nan")
        parts = tuple(Predicted(np.empty(0), {}, unknown, unknown, notes) for _ in folds.shown)
        for rule in framing.rules(resolved.yardstick):
            params: Params = {"try": number, "file": each.file}
            column = court.column(mine, rule, f"{OUTSIDE}:{each.name}", number, params, each.raw)
            entrants.append(Entrant(column, Label(f"{each.name} (from outside)", TIER), parts, ()))
    return replace(plan, asked=asked), tuple(entrants)


def _left_out(each: Outside, folds: Folds, court: Court) -> tuple[str, ...]:
    """Say what follows where the fold that only warms up was not predicted."""
    if not np.isnan(each.raw[~court.lines.counts]).any():
        return ()
    first = folds.shown[0].name
    return (f"the fold that warms up was left out, so nothing is known of the spread in '{first}'",)


def said_of_outside(case: Case) -> str:
    """Say how predictions from outside stand beside the champion, one sentence each; empty where there are none.

    The champion is always a model that is here, or a rule: nothing else could answer new rows.
    """
    best: dict[str, Judged] = {}
    for row in case.rows:  # best first
        if row.is_outside:
            best.setdefault(row.family, row)
    if not best:
        return ""
    columns = range(len(case.entrants))
    errors, degrees = errors_over(case.resolved, case.folds, case.court, case.entrants, case.champion)
    confidence = case.resolved.problem.success.confidence
    over = claim(case.sample, case.champion, columns, confidence, errors=errors, degrees=degrees)
    ends = {row.family: (float(over.lower[case.numbers[row.id]]), float(over.upper[case.numbers[row.id]])) for row in best.values()}
    return " ".join(_sentence(case, row, *ends[row.family]) for row in best.values())


def _sentence(case: Case, row: Judged, lower: float, upper: float) -> str:
    """Word the gain of one over the champion, as the ends of its bounds have it."""
    champion = case.row_of(case.champion)
    than = "the rule" if case.entrants[case.champion].is_baseline else "the champion"
    name = row.family.removeprefix(f"{OUTSIDE}:")
    numbers = f"{case.court.yardstick.name} {row.cost:.4g} against {champion.cost:.4g}"
    corrected = f"{100 * case.resolved.problem.success.confidence:g} %, corrected for trying {len(case.entrants)} candidates"
    if lower > 0:
        most = f"{_share(case, lower):.1%} to {_share(case, upper):.1%} lower"
        held = "there is no model of it here to ship, and nobody has verified its folds"
        return f"From outside, '{name}' does better than {than}: {numbers}, {most} ({corrected}); {held}."
    if upper < 0:
        return f"From outside, '{name}' does worse than {than}: {numbers} ({corrected})."
    return f"From outside, '{name}' is too close to {than} to tell apart: {numbers}."


def _share(case: Case, gain: float) -> float:
    """Return a gain of mean losses over the champion as a share of its shown cost."""
    shown, mean = case.court.yardstick.shown, float(case.sample.mean[case.champion])
    return 1 - float(shown(max(0.0, mean - gain))) / float(shown(mean))
