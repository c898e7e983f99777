"""Cases whose predictions a test writes down, so that it knows what is true of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pandas as pd

import piste
from piste.checking import survey_of
from piste.core.audit import audit
from piste.core.case import Case, weigh
from piste.core.check import Check, Examined, NotApplicable, ordered
from piste.core.comparison import Comparison
from piste.core.entrants import Outcomes, court_of, entrants_of
from piste.core.finding import Finding
from piste.core.fit import Failed, Outcome, Predicted
from piste.core.judge import Settle, conclude
from piste.core.review import Evidence
from piste.core.search import Candidate
from piste.edges.strict_yaml import read
from piste.prepare import Prepared, prepare
from piste.watch import silent
from piste.work import compute
from tests.checks import Scene

Said = Mapping[str | tuple[str, str], np.ndarray | Sequence[np.ndarray]]


@dataclass(frozen=True)
class Written:
    """A problem, what came of its cells, and the case that was made of it."""

    at: Prepared
    outcomes: Outcomes
    case: Case

    def evidence(self, **beside: Any) -> Evidence:
        """Return what checks are handed, with what was tried beside the comparison."""
        return Evidence(**{"case": self.case} | beside)

    def comparison(self, settle: Settle = ordered, **beside: Any) -> Comparison:
        """Say what was found."""
        return conclude(self.evidence(**beside), self.outcomes, key="k" * 64, printed="", source="rows", settle=settle)

    def audited(self) -> Examined:
        """Return what checks before training find."""
        return audit(survey_of(self.at))

    def column(self, entry: str, number: int = 0, rule: str | None = None) -> int:
        """Return the column of an entry's candidate."""
        found = [
            i
            for i, each in enumerate(self.case.entrants)
            if (each.column.entry, each.column.number) == (entry, number) and rule in (None, each.column.rule)
        ]
        return found[-1]


def prepared(frame: pd.DataFrame | str, *, target: str | dict[str, Any] = "y", trials: int = 0, **keys: Any) -> Prepared:
    """Prepare a problem on rows, or on what names their source; small unless it says otherwise."""
    usual: dict[str, Any] = {"families": ["linear", "tree"], "framings": ["mean"], "split": {"folds": 5, "repeats": 1}}
    problem = piste.Problem(data=frame, target=target, **usual | {"search": {"trials": trials}} | keys)
    return prepare(problem, (), silent, quick=False, code=True)


def written(frame: pd.DataFrame | str, said: Said, **keys: Any) -> Written:
    """Judge predictions that are written down.

    Args:
        frame: rows of the problem, or what names their source.
        said: an entry, or a framing and an entry -> what it predicts of every row, (n_rows, ...); or a list of such, one for
            each setting. Models that are not among them take no part; rules that are not are fitted.
        keys: of the problem.
    """
    lists = {key: each if isinstance(each, list | tuple) else [each] for key, each in said.items()}
    at = prepared(frame, **{"trials": max(len(each) for each in lists.values()) - 1} | keys)
    outcomes: dict[tuple[str, str, int], list[Outcome]] = {}
    for candidate in at.plan.candidates:
        predictions = lists.get((candidate.framing, candidate.entry), lists.get(candidate.entry, ()))
        if candidate.number < len(predictions):
            outcomes[candidate.key] = answers(at, predictions[candidate.number])
        elif candidate.entry.startswith("baseline:") and candidate.entry not in lists:
            outcomes[candidate.key] = fitted(at, candidate)
    used = sum(
        not candidate.entry.startswith("baseline:") or candidate.entry in lists
        for candidate in at.plan.candidates
        if candidate.key in outcomes
    )
    assert used >= sum(len(each) for each in lists.values()), "every prediction must find a setting: a family tries no setting twice"
    truth = at.truth()
    court = court_of(at.resolved, at.folds)
    entrants = [
        each
        for candidate in at.plan.candidates
        if candidate.key in outcomes
        for each in entrants_of(at.resolved, at.folds, at.plan, court, candidate, outcomes[candidate.key])
    ]
    return Written(at, outcomes, weigh(at.resolved, at.folds, at.plan, court, entrants, outcomes, truth))


def answers(at: Prepared, predictions: np.ndarray) -> list[Outcome]:
    """Return what every fold gives of predictions of all rows."""
    return [Predicted(predictions[fold.test], {}, 1.0, 0.1) for fold in at.folds.folds]


def fitted(at: Prepared, candidate: Candidate, stage: str = "") -> list[Outcome]:
    """Fit a candidate on every fold."""
    found: list[Outcome] = [Failed("not computed")] * len(at.folds.folds)
    for cell in at.plan.cells:
        if candidate.key in [each.key for each in cell.candidates] and stage in ("", cell.stage) and (stage or cell.stage != "self-test"):
            place = [each.key for each in cell.candidates].index(candidate.key)
            found[cell.fold] = compute(at.study, cell, at.plan.entries[cell.entry][0], Path())[place]
    return found


def told(check: Check[Evidence], case: Case, **beside: Any) -> tuple[list[Finding], dict[str, pd.DataFrame]]:
    """Return what a check after training finds, and its tables; neither where it has nothing to look at."""
    said = check.run(Evidence(case, **beside))
    return ([], {}) if isinstance(said, NotApplicable) else (list(said.findings), dict(said.tables))


Tried = Callable[[Written], Mapping[str, Any]]  # what was tried beside a comparison


def nothing(_: Written) -> Mapping[str, Any]:
    """Try nothing beside a comparison."""
    return {}


def after(
    says: str, problem: str, rows: Callable[[], pd.DataFrame], said: Callable[[pd.DataFrame], Said], beside: Tried = nothing
) -> Scene:
    """Return a scene after training.

    Args:
        says: what is true of the rows, and of what models answer.
        problem: the lines of problem.yaml, without `data`; indented as one likes.
        rows: makes the table.
        said: what models answer, as `written` takes it.
        beside: what was tried beside the comparison, as `Evidence` takes it.
    """
    lines = dedent(problem).strip()

    def subject() -> Evidence:
        frame = rows()
        keys: Any = read(lines, "problem.yaml").value
        made = written(frame, said(frame), **keys)
        return made.evidence(**beside(made))

    return Scene(says, lines, subject)
