"""Takes what the engine computes, cell by cell, to the case that is judged: each candidate becomes columns once."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np

from piste import watch
from piste.core.budget import Budget
from piste.core.case import Case, weigh
from piste.core.check import Examined, NotApplicable, ordered
from piste.core.comparison import Comparison, Curve
from piste.core.entrants import Entrant, court_of, entrants_of, self_test_of
from piste.core.fit import Failed, Outcome, Predicted
from piste.core.hunt import Hunt
from piste.core.judge import Settle, conclude
from piste.core.learning import drawn_for, learning_curve
from piste.core.losses import Column, Court, by_row, loss_matrix, on_folds
from piste.core.outside import Outside, seated
from piste.core.plan import Cell, Plan, Stage, curve_cells, repeat_cells, seed_cells
from piste.core.racing import hopeless, rounds
from piste.core.review.evidence import NOTHING, RULES, UNSEEDED, Evidence
from piste.core.search import Candidate, Key
from piste.core.seeds import Reseeded, alike, drawn_again, moved, reseeded
from piste.core.statistics import sample
from piste.edges.store import key as key_of
from piste.engine import Engine
from piste.framings import framings

Row = tuple[str, str]  # framing and entry
Kind = TypeVar("Kind")


@dataclass(slots=True)
class Bench:
    """What has been computed of one comparison, and the columns that came of it."""

    engine: Engine
    outside: Sequence[Outside] = ()  # predictions that were made elsewhere, for the same folds
    audit: Examined = NOTHING  # what was found before training
    settle: Settle = ordered  # marks the findings that somebody takes as they are
    outcomes: dict[Key, list[Outcome]] = field(default_factory=dict)
    again: dict[tuple[Key, int], dict[int, Outcome]] = field(default_factory=dict)  # under further seeds: candidate and draw -> fold -> ...
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
        if not cells:
            return
        self.engine.watcher(watch.Began(stage))
        if stage == "search":
            self._search(cells)
        else:
            for cell, found in self.engine.cells(cells):
                self._take(cell, found, self.tested if stage == "self-test" else self.outcomes)

    def _take(self, cell: Cell, found: Sequence[Outcome], into: dict[Key, list[Outcome]]) -> None:
        n_folds = len(self.engine.prepared.folds.folds)
        for candidate, outcome in zip(cell.candidates, found, strict=True):
            into.setdefault(candidate.key, [Failed("not computed")] * n_folds)[cell.fold] = outcome
            if into is self.outcomes:
                self._enter(candidate.key)

    def _search(self, cells: Sequence[Cell]) -> None:
        """Search every framing x family side by side, each by itself."""
        at = self.engine.prepared
        planned: dict[Row, list[Cell]] = {}
        for cell in cells:
            planned.setdefault((cell.framing, cell.entry), []).append(cell)
        budget = Budget.shared(at.resolved.problem.search.minutes, len(planned))
        names = [fold.name for fold in at.folds.folds]
        hunts = {
            row: Hunt(each, self.candidates[*row, 0], rounds(at.folds), names, budget, self._hopeless) for row, each in planned.items()
        }
        more: deque[Cell] = deque()
        computed: set[int] = set()
        for hunt in hunts.values():
            more.extend(hunt.begin(self.outcomes))
            self.candidates |= hunt.changed
        for cell, found in self.engine.cells((), more):
            computed.add(id(cell))
            self._take(cell, found, self.outcomes)
            for candidate in cell.candidates:
                more.extend(hunts[cell.framing, cell.entry].heard(candidate.key, cell.fold, self.outcomes))
        self._told(hunts)
        for cell in cells:
            if id(cell) not in computed:
                self.engine.spare(cell)

    def _told(self, hunts: Mapping[Row, Hunt]) -> None:
        """Note what the searches left out, and say where the budget was spent."""
        n_folds = len(self.engine.prepared.folds.folds)
        for (framing, entry), hunt in hunts.items():
            for key, left in hunt.left.items():
                parts = self.outcomes.setdefault(key, [left] * n_folds)
                self.outcomes[key] = [part if isinstance(part, Predicted) else left for part in parts]
            if hunt.said:
                title = self.plan.entries[entry][1].title
                self.engine.watcher(watch.Said(f"{title} ({framing}): {hunt.said}."))
        changed = {key: each for hunt in hunts.values() for key, each in hunt.changed.items()}
        self.plan = self.plan.with_candidates(changed, {row: hunt.said for row, hunt in hunts.items() if hunt.said})

    def _hopeless(self, candidates: Sequence[Candidate], folds: Sequence[int]) -> set[Key]:
        """Return those of a row's candidates that are hopeless by every rule, on the folds so far."""
        at = self.engine.prepared
        there = {each.key: self.outcomes.get(each.key) for each in candidates}
        whole = [each for each in candidates if (found := there[each.key]) and all(isinstance(found[fold], Predicted) for fold in folds)]
        court = on_folds(self.court, at.folds, folds, forward=self.court.lines.forward)
        columns = [column for each in whole for column in self._columns(court, each, folds)]
        if not columns:
            return set()
        losses, lines = loss_matrix(columns, court.lines), court.lines
        weight, blocks = court.weight[lines.judged], at.folds.blocks[lines.judged]
        drawn = sample(losses, weight, blocks, ordered=at.folds.ordered, seed=at.resolved.problem.seed)
        lost = hopeless(drawn, list(by_row(columns).values()))
        hopeful = {column.number for column, is_lost in zip(columns, lost, strict=True) if not is_lost}
        return {each.key for each in whole if each.number not in hopeful}

    def _columns(self, court: Court, candidate: Candidate, folds: Sequence[int]) -> list[Column]:
        at = self.engine.prepared
        parts = [part for fold in folds if isinstance(part := self.outcomes[candidate.key][fold], Predicted)]
        raw = np.concatenate([part.predictions for part in parts])
        asked = at.plan.asked[candidate.framing]
        rules = asked.framing.rules(at.resolved.yardstick)
        return [court.column(asked, rule, candidate.entry, candidate.number, candidate.params, raw) for rule in rules]

    def repeat(self) -> None:
        """Fit every model that draws at random under further seeds, where the problem asks for some; its losses become means over them.

        Which models draw is found by fitting one fold under one more seed.
        """
        at = self.engine.prepared
        n_seeds, n_folds = at.resolved.problem.search.seeds, len(at.folds.folds)
        whole = [each for key, each in self.candidates.items() if any(made.is_model for made in self.entrants.get(key, ()))]
        if n_seeds == 1 or not whole:
            return
        self.engine.watcher(watch.Began("repeat"))
        draws = range(1, n_seeds)
        self._again(repeat_cells(whole, (0,), draws[:1]))
        moving = [each for each in whole if not _alike(self.again[each.key, 1][0], self.outcomes[each.key][0])]
        self._again((*repeat_cells(moving, (0,), draws[1:]), *repeat_cells(moving, range(1, n_folds), draws)))
        for each in moving:
            found = [[self.again[each.key, draw][fold] for fold in range(n_folds)] for draw in draws]
            failed = [(fold, part) for parts in found for fold, part in enumerate(parts) if isinstance(part, Failed)]
            for fold, part in failed:
                self.outcomes[each.key][fold] = Failed(f"under another seed: {part.reason}")
            self.entrants[each.key] = entrants_of(at.resolved, at.folds, at.plan, self.court, each, self.outcomes[each.key], found)

    def _again(self, cells: Sequence[Cell]) -> None:
        for key, found in self._answers(cells, lambda cell: cell.draw).items():
            self.again.setdefault(key, {}).update(found)

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
        """Fit the champion under other seeds; beyond the first fold only what these change there, and only where that may matter."""
        members = drawn_again(case)
        if not members:
            return RULES
        self.engine.watcher(watch.Began("seeds"))
        cells = seed_cells(case.folds, members)
        first = [cell for cell in cells if cell.fold == 0]
        self._again([cell for cell in first if not self._known(cell)])
        moving = moved(case, first, self.again)
        others = [cell for cell in cells if cell.candidates[0].key in moving and not self._known(cell)]
        if others and not case.folds.folds[0].warm_up:
            there = reseeded(case, moving, self.again, (0,))
            if isinstance(there, NotApplicable) or there.spread <= case.choice.rope:
                return there
        self._again(others)
        return reseeded(case, moving, self.again)

    def _known(self, cell: Cell) -> bool:
        """Tell whether the candidate of a cell has been fitted under its seed already, beside others."""
        return cell.fold in self.again.get((cell.candidates[0].key, cell.draw), {})

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


def _alike(one: Outcome, other: Outcome) -> bool:
    """Tell whether two fits predict the same; one that failed is like none, so that its failure is told."""
    return isinstance(one, Predicted) and isinstance(other, Predicted) and alike(one.predictions, other.predictions)
