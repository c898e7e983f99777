"""Takes what the engine computes, cell by cell, to the case that is judged: each candidate becomes columns once."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from piste import watch
from piste.core.case import Case, weigh
from piste.core.check import Examined, NotApplicable, ordered
from piste.core.comparison import Comparison, Curve
from piste.core.entrants import Entrant, court_of, entrants_of, self_test_of
from piste.core.fit import Failed, Outcome
from piste.core.judge import Settle, conclude
from piste.core.learning import drawn_for, learning_curve
from piste.core.losses import Court
from piste.core.outside import Outside, seated
from piste.core.plan import Cell, Plan, Stage, curve_cells, seed_cells
from piste.core.review.evidence import NOTHING, RULES, UNSEEDED, Evidence
from piste.core.search import Candidate
from piste.core.seeds import Reseeded, drawn_again, moved, reseeded
from piste.edges.store import key as key_of
from piste.engine import Engine
from piste.framings import framings

Key = tuple[str, str, int]
Kind = TypeVar("Kind")


@dataclass(slots=True)
class Bench:
    """What has been computed of one comparison, and the columns that came of it."""

    engine: Engine
    outside: Sequence[Outside] = ()  # predictions that were made elsewhere, for the same folds
    audit: Examined = NOTHING  # what was found before training
    settle: Settle = ordered  # marks the findings that somebody takes as they are
    outcomes: dict[Key, list[Outcome]] = field(default_factory=dict)
    tested: dict[Key, list[Outcome]] = field(default_factory=dict)  # of the self-test
    entrants: dict[Key, list[Entrant]] = field(default_factory=dict)
    best: float = math.inf
    court: Court = field(init=False)
    candidates: dict[Key, Candidate] = field(init=False)
    plan: Plan = field(init=False)  # with the framings of what comes from outside
    seats: tuple[Entrant, ...] = field(init=False)  # the columns of what comes from outside

    def __post_init__(self) -> None:
        """Lay out what columns are judged by."""
        at = self.engine.prepared
        self.court = court_of(at.resolved, at.folds)
        self.candidates = {candidate.key: candidate for candidate in at.plan.candidates}
        self.plan, self.seats = seated(self.outside, at.resolved, at.folds, at.plan, self.court, framings())

    def compute(self, stage: Stage) -> None:
        """Compute the cells of a stage."""
        cells = [cell for cell in self.engine.prepared.plan.cells if cell.stage == stage]
        if cells:
            self.engine.watcher(watch.Began(stage))
            self._take(cells, self.tested if stage == "self-test" else self.outcomes)

    def _take(self, cells: Sequence[Cell], into: dict[Key, list[Outcome]]) -> None:
        n_folds = len(self.engine.prepared.folds.folds)
        for cell, found in self.engine.cells(cells):
            for candidate, outcome in zip(cell.candidates, found, strict=True):
                into.setdefault(candidate.key, [Failed("not computed")] * n_folds)[cell.fold] = outcome
                if into is self.outcomes:
                    self._enter(candidate.key)

    def _enter(self, key: Key) -> None:
        """Make the columns of a candidate once all its folds are there, and tell of one that is better than all before it."""
        at = self.engine.prepared
        candidate = self.candidates[key]
        made = entrants_of(at.resolved, at.folds, at.plan, self.court, candidate, self.outcomes[key])
        if not made:
            return
        self.entrants[key] = made
        counts = self.court.lines.counts
        weight = self.court.weight[self.court.lines.row][counts]
        yardstick = self.court.yardstick
        for each in made:
            cost = float(yardstick.shown(np.average(each.column.lines[counts], weights=weight)))
            if cost < self.best:
                self.best = cost
                self.engine.watcher(watch.Better(each.label.title, yardstick.name, cost))

    def weigh(self) -> Case:
        """Judge what is there so far; candidates that lack a fold are left out."""
        at = self.engine.prepared
        ordered = [each for candidate in self.candidates.values() for each in self.entrants.get(candidate.key, ())]
        return weigh(at.resolved, at.folds, self.plan, self.court, ordered, self.outcomes, at.truth(), self.seats)

    def self_test(self) -> tuple[Entrant, ...]:
        """Return the column of the constant and those of the models of the self-test, judged on the target as it was dealt."""
        at = self.engine.prepared
        return self_test_of(at.resolved, at.folds, at.plan, self.court, self.tested)

    def curve(self, case: Case) -> Curve | None:
        """Compute the champion's learning curve."""
        champion = drawn_for(case)
        if champion is None:
            return None
        cells = curve_cells(case.plan, case.folds, champion)
        self.engine.watcher(watch.Began("curve"))
        return learning_curve(case, cells, self._answers(cells, lambda cell: cell.share))

    def seeds(self, case: Case) -> Reseeded | NotApplicable:
        """Fit the champion under other seeds; beyond the first fold only what these change there."""
        members = drawn_again(case)
        if not members:
            return RULES
        self.engine.watcher(watch.Began("seeds"))
        cells = seed_cells(case.folds, members)
        first = [cell for cell in cells if cell.fold == 0]
        answers = self._answers(first, lambda cell: cell.draw)
        moving = moved(case, first, answers)
        rest = [cell for cell in cells if cell.fold and cell.candidates[0].key in moving]
        for key, found in self._answers(rest, lambda cell: cell.draw).items():
            answers[key] |= found
        return reseeded(case, moving, answers)

    def _answers(self, cells: Sequence[Cell], by: Callable[[Cell], Kind]) -> dict[tuple[Key, Kind], dict[int, Outcome]]:
        """Compute cells that stand beside the comparison: candidate key and what sets a cell apart -> fold -> what came of it."""
        answers: dict[tuple[Key, Kind], dict[int, Outcome]] = {}
        for cell, found in self.engine.cells(cells):
            for candidate, outcome in zip(cell.candidates, found, strict=True):
                answers.setdefault((candidate.key, by(cell)), {})[cell.fold] = outcome
        return answers

    def conclude(
        self, case: Case, self_test: tuple[Entrant, ...], curve: Curve | None, reseeded: Reseeded | NotApplicable = UNSEEDED
    ) -> Comparison:
        """Say what was found."""
        at = self.engine.prepared
        key = self.engine.comparison_key()
        if self.outside:
            key = key_of(key, [each.digest for each in self.outside])
        evidence = Evidence(case, self_test, curve, self.audit, reseeded)
        return conclude(evidence, self.outcomes, key=key, printed=at.printed, source=at.source, settle=self.settle)
