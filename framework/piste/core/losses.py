"""From predictions to the loss matrix: one row per judged row, one column per candidate x rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from piste.core.data import Target
from piste.core.decision import Came, Yardstick
from piste.core.family import Params
from piste.core.framing import Asked, Others, Rule, State
from piste.core.predictive import Predictive
from piste.core.split import Folds

MOST_PARTS = 10  # into which many folds are gathered, each learning its spread from the others


@dataclass(frozen=True, slots=True)
class Judgements:
    """The lines that predictions come in: every test row of every fold, fold after fold.

    Lines of a fold that only warms up are judged by nobody; later folds learn from them how far predictions are off.
    """

    row: np.ndarray  # (n_lines,) row of the table
    fold: np.ndarray  # (n_lines,)
    part: np.ndarray  # (n_lines,) folds that learn from the others together
    repeat: np.ndarray  # (n_lines,)
    counts: np.ndarray  # (n_lines,) whether the line is judged
    judged: np.ndarray  # (n_judged,) the rows, each once, ascending
    place: np.ndarray  # (n_lines,) position of each judged line's row in `judged`; 0 elsewhere
    forward: bool  # only earlier folds may teach a later one

    @staticmethod
    def of(folds: Folds, *, forward: bool) -> Judgements:
        """Lay the lines out.

        Args:
            folds: divisions of the rows.
            forward: whether only earlier folds may teach a later one; a fold that only warms up is taught by none in any case,
                or what came in the test would come back to it by way of blends.
        """
        forward = forward or any(fold.warm_up for fold in folds.folds)
        sizes = [len(fold.test) for fold in folds.folds]
        row = np.concatenate([fold.test for fold in folds.folds])
        fold = np.repeat(np.arange(len(folds.folds)), sizes)
        repeat = np.array([each.repeat for each in folds.folds])[fold]
        counts = ~np.array([each.warm_up for each in folds.folds])[fold]
        judged, place = np.unique(row[counts], return_inverse=True)
        places = np.zeros(len(row), dtype=int)
        places[counts] = place
        many = not forward and len(folds.folds) > MOST_PARTS and int(repeat.max()) == 0
        return Judgements(row, fold, fold % MOST_PARTS if many else fold, repeat, counts, judged, places, forward)

    def others(self, part: int) -> np.ndarray:
        """Return the lines that may teach a part: those of the other parts of its repeat; forward in time, of earlier ones."""
        mine = self.part == part
        if self.forward:
            return np.flatnonzero(self.part < part)
        return np.flatnonzero((self.repeat == self.repeat[mine][0]) & ~mine)

    def mean(self, lines: np.ndarray) -> np.ndarray:
        """Average over the repeats: (n_lines,) -> (n_judged,)."""
        total = np.bincount(self.place[self.counts], weights=lines[self.counts])
        return np.asarray(total / np.bincount(self.place[self.counts]))


@dataclass(frozen=True, slots=True)
class Column:
    """What is compared: a candidate x rule, with its out-of-fold predictions."""

    framing: str
    entry: str
    number: int
    rule: Rule
    params: Params
    raw: np.ndarray  # (n_lines, ...) what the family predicted
    action: np.ndarray  # (n_lines, ...) what the rule made of it
    lines: np.ndarray  # (n_lines,) loss of each line

    @property
    def name(self) -> str:
        """Name the column in the loss matrix."""
        return f"{self.framing}/{self.entry}/{self.number}/{self.rule}"


@dataclass(frozen=True, slots=True)
class Court:
    """What all columns are judged by."""

    target: Target
    weight: np.ndarray  # (n_rows,)
    came: Came  # of the lines
    yardstick: Yardstick
    lines: Judgements

    def spreads(self, asked: Asked, rule: Rule, raw: np.ndarray) -> Iterator[tuple[np.ndarray, Predictive]]:
        """Yield the lines of each part with their predictive distribution, learnt on the predictions of other parts."""
        for part in np.unique(self.lines.part):
            mine = np.flatnonzero(self.lines.part == part)
            state = self.learn(asked, rule, raw, self.lines.others(part))
            thresholds = None if self.came.thresholds is None else self.came.thresholds[mine]
            yield mine, asked.framing.spread(rule, raw[mine], state, thresholds)

    def learn(self, asked: Asked, rule: Rule, raw: np.ndarray, others: np.ndarray) -> State:
        """Learn on some lines how predictions become a predictive distribution; lines that were not predicted (NaN) teach nothing."""
        others = others[np.isfinite(raw[others]).all(axis=tuple(range(1, raw.ndim)))]
        rows = self.lines.row[others]
        y = asked.framing.y(self.target)[rows]
        others_ = Others(raw[others], y, self.target.values[rows], self.weight[rows], self.target.kind == "count")
        return asked.framing.learn(rule, others_)

    def column(self, asked: Asked, rule: Rule, entry: str, number: int, params: Params, raw: np.ndarray) -> Column:
        """Turn one candidate's out-of-fold predictions into a column.

        Args:
            asked: the framing.
            rule: how predictions become actions.
            entry: name of the row of `families:`.
            number: of the candidate.
            params: hyperparameters.
            raw: (n_lines, ...) predictions.
        """
        action: np.ndarray | None = None
        for mine, predictive in self.spreads(asked, rule, raw):
            chosen = self.yardstick.act(predictive, self.came.take(mine))
            if action is None:
                action = np.empty((len(raw), *chosen.shape[1:]), dtype=chosen.dtype)
            action[mine] = chosen
        assert action is not None, "folds have lines"
        return Column(asked.name, entry, number, rule, params, raw, action, self.yardstick.loss(action, self.came))


def on_folds(court: Court, folds: Folds, numbers: Sequence[int], *, forward: bool) -> Court:
    """Return what columns are judged by on a few of the folds; a fold alone is taught by halves of its own blocks.

    Args:
        court: of all folds.
        folds: the divisions of the rows.
        numbers: of the folds, ascending.
        forward: whether only earlier folds may teach a later one.
    """
    lines = Judgements.of(replace(folds, folds=tuple(folds.folds[number] for number in numbers)), forward=forward)
    if len(numbers) == 1:
        lines = replace(lines, part=np.unique(folds.blocks[lines.row], return_inverse=True)[1] % 2)
    return replace(court, came=court.came.take(np.isin(court.lines.fold, numbers)), lines=lines)


def loss_matrix(columns: Sequence[Column], lines: Judgements) -> np.ndarray:
    """Return the losses, (n_judged, n_columns): over repeats the mean of the losses, never the loss of the mean."""
    return np.stack([lines.mean(column.lines) for column in columns], axis=1)


def by_row(columns: Sequence[Column]) -> Mapping[tuple[str, str, str], list[int]]:
    """Group the numbers of the columns by leaderboard row: framing x entry x rule."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for number, column in enumerate(columns):
        groups.setdefault((column.framing, column.entry, column.rule), []).append(number)
    return groups
