"""The champion once more under other seeds: how much of what it costs is the luck of what is drawn in fitting it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from piste.core.case import Case
from piste.core.check import NotApplicable
from piste.core.fit import Outcome, Predicted
from piste.core.losses import on_folds
from piste.core.plan import DRAWS, Cell
from piste.core.search import Candidate

ROUNDING = 1e-6  # a share of what is predicted, and of its spread; what a seed moves, it moves by more

Key = tuple[str, str, int]
Answers = Mapping[tuple[Key, int], Mapping[int, Outcome]]  # candidate key and draw -> fold -> what came of it


@dataclass(frozen=True, slots=True)
class Reseeded:
    """What the champion loses under several seeds, the comparison's own first."""

    losses: np.ndarray  # (n_judged, n_seeds)
    weight: np.ndarray  # (n_judged,)

    @property
    def means(self) -> np.ndarray:
        """Return the mean loss under each seed, (n_seeds,)."""
        return np.asarray(np.average(self.losses, axis=0, weights=self.weight))

    @property
    def spread(self) -> float:
        """Return the standard deviation of the means."""
        return float(self.means.std(ddof=1))


def drawn_again(case: Case) -> tuple[Candidate, ...]:
    """Return the candidates that the champion is made of; none where a rule is champion, in which nothing is drawn."""
    entrant = case.entrants[case.champion]
    return () if entrant.is_baseline else tuple(candidate for _, candidate in entrant.members)


def moved(case: Case, first: Sequence[Cell], answers: Answers) -> set[Key]:
    """Return the candidates whose predictions of a fold change with the seed, found by having fitted them.

    Args:
        case: the comparison.
        first: the cells of one fold.
        answers: what came of them; a candidate that failed counts as one that moved, so that its failure is told.
    """
    found = set()
    for cell in first:
        [candidate] = cell.candidates
        own = _raw(case, candidate.key)[case.court.lines.fold == cell.fold]
        part = answers[candidate.key, cell.draw][cell.fold]
        if not isinstance(part, Predicted) or not alike(part.predictions, own):
            found.add(candidate.key)
    return found


def alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether predictions are the same but for rounding: settings that are fitted together round as their company does.

    >>> alike(np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-9])), alike(np.array([1.0, 2.0]), np.array([1.0, 2.1]))
    (True, False)
    """
    spread = float(np.nanstd(other)) if np.isfinite(other).any() else 0.0
    return bool(np.allclose(one, other, rtol=ROUNDING, atol=ROUNDING * spread, equal_nan=True))


def reseeded(case: Case, moving: set[Key], answers: Answers, folds: Sequence[int] = ()) -> Reseeded | NotApplicable:
    """Judge the champion under every seed; a blend is joined anew by its shares, under the comparison's own seed too.

    Args:
        case: the comparison.
        moving: the candidates that a seed changes; the others are what they were.
        answers: what came of those on every fold.
        folds: on which it is judged; all where not given.
    """
    numbers = folds or range(len(case.folds.folds))
    champion = case.entrants[case.champion]
    court = on_folds(case.court, case.folds, folds, forward=case.court.lines.forward) if folds else case.court
    used = np.isin(case.court.lines.fold, numbers)
    column, asked = champion.column, case.plan.asked[champion.column.framing]
    losses = []
    for draw in range(DRAWS + 1):
        raw = np.zeros_like(column.raw[used])
        for share, candidate in champion.members:
            mine = _raw(case, candidate.key)[used]
            if draw and candidate.key in moving:
                parts = [answers[candidate.key, draw][fold] for fold in numbers]
                if failed := next((part for part in parts if not isinstance(part, Predicted)), None):
                    return NotApplicable(f"under another seed a part of the champion failed: {failed.reason}")
                mine = np.concatenate([part.predictions for part in parts if isinstance(part, Predicted)])
            raw = raw + share * mine
        again = court.column(asked, column.rule, column.entry, column.number, column.params, raw)
        losses.append(court.lines.mean(again.lines))
    return Reseeded(np.stack(losses, axis=1), court.weight[court.lines.judged])


def _raw(case: Case, key: Key) -> np.ndarray:
    """Return what a candidate predicted in the comparison, (n_lines, ...)."""
    return next(each.column.raw for each in case.entrants if len(each.members) == 1 and each.members[0][1].key == key)
