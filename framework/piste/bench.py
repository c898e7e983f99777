"""Takes what the engine computes, cell by cell, to the case that is judged: each candidate becomes columns once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from piste import watch
from piste.core.case import Case, weigh
from piste.core.comparison import Comparison, Curve
from piste.core.entrants import Entrant, court_of, entrants_of
from piste.core.fit import Failed, Outcome, shuffled
from piste.core.judge import conclude
from piste.core.learning import drawn_for, learning_curve
from piste.core.losses import Court
from piste.core.plan import Cell, Stage, curve_cells
from piste.core.search import Candidate
from piste.engine import Engine

Key = tuple[str, str, int]


@dataclass(slots=True)
class Bench:
    """What has been computed of one comparison, and the columns that came of it."""

    engine: Engine
    outcomes: dict[Key, list[Outcome]] = field(default_factory=dict)
    tested: dict[Key, list[Outcome]] = field(default_factory=dict)  # of the self-test
    entrants: dict[Key, list[Entrant]] = field(default_factory=dict)
    best: float = math.inf
    court: Court = field(init=False)
    candidates: dict[Key, Candidate] = field(init=False)

    def __post_init__(self) -> None:
        """Lay out what columns are judged by."""
        self.court = court_of(self.engine.prepared.resolved, self.engine.prepared.folds)
        self.candidates = {candidate.key: candidate for candidate in self.engine.prepared.plan.candidates}

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
        return weigh(at.resolved, at.folds, at.plan, self.court, ordered, self.outcomes, at.truth())

    def self_test(self) -> tuple[Entrant, ...]:
        """Return the columns of the self-test, judged on the target as it was dealt."""
        at = self.engine.prepared
        target = shuffled(at.resolved.table.target, at.folds.blocks, at.resolved.problem.seed)
        resolved = replace(at.resolved, table=replace(at.resolved.table, target=target))
        court = court_of(resolved, at.folds)
        found = [entrants_of(resolved, at.folds, at.plan, court, self.candidates[key], each) for key, each in self.tested.items()]
        return tuple(each[-1] for each in found if each)

    def curve(self, case: Case) -> Curve | None:
        """Compute the champion's learning curve."""
        champion = drawn_for(case)
        if champion is None:
            return None
        cells = curve_cells(case.plan, case.folds, champion)
        self.engine.watcher(watch.Began("curve"))
        answers: dict[tuple[Key, float], dict[int, Outcome]] = {}
        for cell, found in self.engine.cells(cells):
            for candidate, outcome in zip(cell.candidates, found, strict=True):
                answers.setdefault((candidate.key, cell.share), {})[cell.fold] = outcome
        return learning_curve(case, cells, answers)

    def conclude(self, case: Case, self_test: tuple[Entrant, ...], curve: Curve | None) -> Comparison:
        """Say what was found."""
        at = self.engine.prepared
        key = self.engine.comparison_key()
        return conclude(case, self.outcomes, self_test, curve, key=key, printed=at.printed, source=at.source)
