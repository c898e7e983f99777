"""The search of one framing x family under way: which settings are computed next, on which folds, and when it ends."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from piste.core.budget import SPENT, Budget
from piste.core.fit import Left, Outcome, Predicted
from piste.core.plan import Cell
from piste.core.search import TUNED, Candidate, Key

Found = Mapping[Key, Sequence[Outcome]]  # candidate key -> what each fold gave
Dropped = Callable[[Sequence[Candidate], Sequence[int]], Collection[Key]]  # candidates, and folds so far -> the hopeless among them


@dataclass(slots=True)
class Hunt:
    """Takes settings in batches, as the budget allows, and each batch through the rounds of folds; what is dropped goes no further.

    What comes next hangs on what came of its own cells alone, so no other row matters, and no order in which cells finish.
    """

    planned: Sequence[Cell]  # the search as it was planned, one cell for each fold
    default: Candidate
    rounds: Sequence[Sequence[int]]  # of folds
    names: Sequence[str]  # of all folds
    budget: Budget
    dropped: Dropped
    left: dict[Key, Left] = field(default_factory=dict)  # what goes no further, and why
    changed: dict[Key, Candidate] = field(default_factory=dict)  # choices inside the training rows, from fewer settings than planned
    said: str = ""  # how the budget ended it; empty where it did not
    _waiting: list[Candidate] = field(init=False)
    _whole: list[Candidate] = field(init=False, default_factory=list)  # complete on all folds
    _batch: list[Candidate] = field(init=False, default_factory=list)
    _round: int = field(init=False, default=0)
    _pending: set[tuple[Key, int]] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        """Begin with every setting waiting."""
        self._waiting = [*self.planned[0].candidates]
        if self._tunes:
            self.rounds = [[number for part in self.rounds for number in part]]  # one column: there is nothing to drop

    @property
    def _tunes(self) -> bool:
        return bool(self.planned[0].candidates[0].points)

    def begin(self, found: Found) -> list[Cell]:
        """Return the first cells; none where the budget allows none."""
        return self._next_batch(found)

    def heard(self, key: Key, fold: int, found: Found) -> list[Cell]:
        """Return what is wanted once a candidate is computed on a fold: nothing while others of its round are not, or at the end."""
        self._pending.discard((key, fold))
        if self._pending:
            return []
        folds = [number for part in self.rounds[: self._round + 1] for number in part]
        fit = [each for each in self._batch if all(isinstance(found[each.key][number], Predicted) for number in folds)]
        if self._round == len(self.rounds) - 1:
            self._whole += fit
            return self._next_batch(found)
        gone = self.dropped([self.default, *self._whole, *fit], folds)
        self.left |= {each.key: Left(f"dropped after {self.names[folds[-1]]}") for each in fit if each.key in gone}
        self._batch = [each for each in fit if each.key not in self.left]
        self._round += 1
        return self._cells() if self._batch else self._next_batch(found)

    def _next_batch(self, found: Found) -> list[Cell]:
        taken = [seconds for each in (self.default, *self._whole) if (seconds := _seconds(found, each)) is not None]
        self._round, self._batch = 0, []
        if self._tunes:
            self._batch = self._choice(taken)
        else:
            tried = [each for each in self.planned[0].candidates if each not in self._waiting]
            spent = sum(_spent(found, each) for each in tried)
            n = self.budget.allows(taken, spent, len(self._waiting))
            self._batch, self._waiting = self._waiting[:n], self._waiting[n:]
            if not self._batch and self._waiting:
                self.said = f"{SPENT}: {len(tried) + 1} of {len(self.planned[0].candidates) + 1} settings tried"
                self.left |= {each.key: Left(SPENT) for each in self._waiting}
        return self._cells() if self._batch else []

    def _choice(self, taken: Sequence[float]) -> list[Candidate]:
        """Return the choice inside the training rows, from as many settings as the budget allows; nothing once it is made."""
        if not self._waiting:
            return []
        [planned] = self._waiting
        self._waiting = []
        n, most = self.budget.points(taken, len(planned.points)), len(planned.points)
        if n == most:
            return [planned]
        self.said = f"{SPENT}: {max(n, 1)} of {most} settings tried"
        if not n:
            self.left[planned.key] = Left(SPENT)
            return []
        fewer = replace(planned, params={TUNED: n}, points=planned.points[:n])
        self.changed[planned.key] = fewer
        return [fewer]

    def _cells(self) -> list[Cell]:
        """Return the cells of the round: the planned ones where they hold what is wanted."""
        folds, batch = self.rounds[self._round], tuple(self._batch)
        self._pending = {(each.key, fold) for each in batch for fold in folds}
        planned = {cell.fold: cell for cell in self.planned}
        return [cell if (cell := planned[fold]).candidates == batch else replace(cell, candidates=batch) for fold in folds]


def _seconds(found: Found, candidate: Candidate) -> float | None:
    """Return what a candidate has taken on all folds; None where one is lacking."""
    parts = found.get(candidate.key, ())
    return _spent(found, candidate) if parts and all(isinstance(part, Predicted) for part in parts) else None


def _spent(found: Found, candidate: Candidate) -> float:
    parts = [part for part in found.get(candidate.key, ()) if isinstance(part, Predicted)]
    return sum(part.fit_seconds + part.predict_seconds for part in parts)
