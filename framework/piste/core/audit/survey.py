"""What the audit looks at: a problem, its rows, its folds, and what several checks need to know of them, computed once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from piste.core.audit.measures.copied import Copy, copies
from piste.core.audit.measures.encoded import Encoded, encodings
from piste.core.audit.measures.skill import Skill, skill
from piste.core.data import Column
from piste.core.entrants import Entrant, court_of, entrants_of
from piste.core.errors import Fault
from piste.core.family import Family
from piste.core.fit import Predicted, Study, fit_cell
from piste.core.losses import Court
from piste.core.plan import Plan
from piste.core.problem import Problem
from piste.core.references import used
from piste.core.resolve import Resolved
from piste.core.search import Candidate
from piste.core.split import Fold, Folds

MOST_ROWS = 50_000  # that checks look at which count more than once


@dataclass(frozen=True)
class Survey:
    """A problem before training.

    Row numbers are those of the table. A declared holdout is outside of all of it: `rows` leaves it out.

    Args:
        resolved: the problem with every choice made.
        folds: divisions of the rows.
        plan: what would be computed.
        study: what is learnt from.
        probe: a family whose defaults are quick, for the checks that need a model.
        faults: what had to be set aside before the rest could be looked at.
        judged_before: (n_rows,) how many earlier comparisons have judged each row; None where nobody counted.
        clock: seconds, for what fits.
    """

    resolved: Resolved
    folds: Folds
    plan: Plan
    study: Study
    probe: Family
    faults: tuple[Fault, ...] = ()
    judged_before: np.ndarray | None = None
    clock: Callable[[], float] = field(default=lambda: 0.0)

    @property
    def frame(self) -> pd.DataFrame:
        """Return the typed table, all of its rows: float64, text with NA, or datetime64."""
        return self.resolved.table.frame

    @property
    def rows(self) -> np.ndarray:
        """Return the rows that may be looked at, ascending: all but the holdout."""
        return self.folds.whole.train

    @cached_property
    def sample(self) -> np.ndarray:
        """Return at most MOST_ROWS of the rows, ascending; whole blocks, drawn at random by the problem's seed."""
        return thinned(self.rows, self.folds.blocks, MOST_ROWS, self.study.seed)

    @property
    def features(self) -> tuple[Column, ...]:
        """Return the columns that models see."""
        return self.resolved.table.features

    @cached_property
    def vouched(self) -> frozenset[str]:
        """Return the columns that the problem vouches for."""
        return vouched(self.resolved.problem)

    @property
    def has_classes(self) -> bool:
        """Tell whether the target is of classes, not a number."""
        return bool(self.resolved.table.target.labels)

    @property
    def y(self) -> np.ndarray:
        """Return the target, (n_rows,): a float, or the code of a class."""
        return self.resolved.table.target.values

    @cached_property
    def sampled_folds(self) -> Folds:
        """Return the folds with the rows of the sample only; a fold that loses one of its sides is gone."""
        return within(self.folds, self.sample)

    @cached_property
    def court(self) -> Court:
        """Return what predictions of the sampled folds are judged by."""
        return court_of(self.resolved, self.sampled_folds)

    @cached_property
    def rules(self) -> tuple[Entrant, ...]:
        """Return the rules to beat, predicted out of fold on the sampled folds; their losses are by the problem's yardstick."""
        return fitted(self, [cell.candidates[0] for cell in self.plan.cells if cell.stage == "baseline" and cell.fold == 0])

    @cached_property
    def skills(self) -> Mapping[str, Skill]:
        """Return how well each feature column alone predicts the target, by name."""
        return skill(self)

    @cached_property
    def copies(self) -> tuple[Copy, ...]:
        """Return the columns that give the target away, alone or together."""
        return copies(self)

    @cached_property
    def encodings(self) -> tuple[Encoded, ...]:
        """Return the columns that are a statistic of the target over groups of the rows."""
        return encodings(self)

    def lacks(self, *fields: str) -> bool:
        """Tell whether something that was said under one of these fields had to be set aside, so that its absence tells nothing."""
        return any(f"{fault.field}.".startswith(f"{field}.") for fault in self.faults for field in fields)

    def mean_loss(self, lines: np.ndarray) -> float:
        """Return the weighted mean of losses of the lines of the court, (n_lines,); `shown` makes of it the cost that people read."""
        judged = self.court.lines
        return float(np.average(judged.mean(lines), weights=self.court.weight[judged.judged]))

    def shown(self, loss: float) -> float:
        """Return a mean loss as people read it: a cost, or the metric (an RMSE, not a mean square)."""
        return float(self.resolved.yardstick.shown(max(0.0, loss)))


def vouched(problem: Problem) -> frozenset[str]:
    """Return the columns that somebody says are known at the decision; what names a row is, and what is computed from such."""
    known = {*problem.known_at.always, *problem.known_at.decision, *problem.unit, *([problem.time] if problem.time else [])}
    for name, text in problem.add.items():
        if used(str(text)) <= known:
            known.add(name)
    return frozenset(known)


def fitted(survey: Survey, candidates: list[Candidate]) -> tuple[Entrant, ...]:
    """Return the columns of candidates of the plan, fitted on the sampled folds."""
    folds = survey.sampled_folds
    study = replace(survey.study, folds=folds)
    cells = {candidate.key: cell for cell in survey.plan.cells for candidate in cell.candidates if cell.stage != "self-test"}
    found: list[Entrant] = []
    for candidate in candidates:
        cell = replace(cells[candidate.key], candidates=(candidate,))
        family, framing = survey.plan.entries[candidate.entry][1], survey.plan.asked[candidate.framing].framing
        outcomes: list[Predicted] = []
        for number in range(len(folds.folds)):
            outcomes += fit_cell(study, replace(cell, fold=number), family, framing, survey.clock)
        found += entrants_of(survey.resolved, folds, survey.plan, survey.court, candidate, outcomes)
    return tuple(found)


def thinned(rows: np.ndarray, blocks: np.ndarray, most: int, seed: int) -> np.ndarray:
    """Return at most about `most` of some rows, ascending: whole blocks, drawn at random.

    Args:
        rows: row numbers, ascending.
        blocks: (n_rows of the table,) which rows stand or fall together.
        most: rows wanted; one block may be more.
        seed: of the draw.
    """
    if len(rows) <= most:
        return rows
    names, sizes = np.unique(blocks[rows], return_counts=True)
    order = np.random.default_rng([seed, 8]).permutation(len(names))
    taken = np.cumsum(sizes[order]) <= max(most, sizes[order[0]])
    return rows[np.isin(blocks[rows], names[order[taken]])]


def within(folds: Folds, rows: np.ndarray) -> Folds:
    """Return folds with only some of their rows; a fold that loses one of its sides is gone."""
    kept = [_within(fold, rows) for fold in folds.folds]
    whole = [fold for fold in kept if len(fold.train) > 1 and len(fold.test)]
    return replace(folds, folds=tuple(whole), whole=_within(folds.whole, rows))


def _within(fold: Fold, rows: np.ndarray) -> Fold:
    mine = np.isin(fold.train, rows)
    return replace(fold, train=fold.train[mine], stop=fold.stop[mine], test=fold.test[np.isin(fold.test, rows)])
