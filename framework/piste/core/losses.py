"""From predictions to the loss matrix: one row per judged row, one column per candidate x rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from piste.core.data import Target
from piste.core.family import Params
from piste.core.framing import Framing
from piste.core.metrics import Metric
from piste.core.split import Folds


@dataclass(frozen=True, slots=True)
class Judgements:
    """The lines that predictions come in: every test row of every fold, fold after fold."""

    row: np.ndarray  # (n_lines,) row of the table
    fold: np.ndarray  # (n_lines,)
    repeat: np.ndarray  # (n_lines,)
    judged: np.ndarray  # (n_judged,) the rows, each once, ascending
    place: np.ndarray  # (n_lines,) position of each line's row in `judged`
    forward: bool  # only earlier folds may teach a later one

    @staticmethod
    def of(folds: Folds, *, forward: bool) -> Judgements:
        """Lay the lines out."""
        row = np.concatenate([fold.test for fold in folds.folds])
        fold = np.repeat(np.arange(len(folds.folds)), [len(each.test) for each in folds.folds])
        repeat = np.array([each.repeat for each in folds.folds])[fold]
        judged, place = np.unique(row, return_inverse=True)
        return Judgements(row, fold, repeat, judged, place, forward)

    def others(self, fold: int) -> np.ndarray:
        """Return the lines that may teach a fold: those of the other folds of its repeat; forward in time, of earlier ones."""
        mine = self.fold == fold
        if self.forward:
            return np.flatnonzero(self.fold < fold)
        return np.flatnonzero((self.repeat == self.repeat[mine][0]) & ~mine)

    def mean(self, lines: np.ndarray) -> np.ndarray:
        """Average over the repeats: (n_lines,) -> (n_judged,)."""
        total = np.bincount(self.place, weights=lines)
        return np.asarray(total / np.bincount(self.place))


@dataclass(frozen=True, slots=True)
class Column:
    """What is compared: a candidate x rule, with its out-of-fold predictions."""

    framing: str
    entry: str
    number: int
    rule: str
    params: Params
    raw: np.ndarray  # (n_lines,) or (n_lines, n_classes): what the family predicted
    action: np.ndarray  # the same shape: what the rule made of it, under the metric
    lines: np.ndarray  # (n_lines,) loss of each line

    @property
    def name(self) -> str:
        """Name the column in the loss matrix."""
        return f"{self.framing}/{self.entry}/{self.number}/{self.rule}"


def make_column(
    framing: Framing, entry: str, number: int, params: Params, raw: np.ndarray, target: Target, metric: Metric, lines: Judgements
) -> Column:
    """Turn one candidate's out-of-fold predictions into a column.

    Args:
        framing: says how predictions become a predictive distribution, learnt on other folds' predictions.
        entry: name of the row of `families:`.
        number: of the candidate.
        params: hyperparameters.
        raw: (n_lines,) or (n_lines, n_classes) predictions.
        target: what came.
        metric: the loss, and the summary of the distribution that it asks for.
        lines: where each prediction belongs.
    """
    y = target.values[lines.row]
    action = np.empty_like(raw)
    for fold in np.unique(lines.fold):
        mine, others = lines.fold == fold, lines.others(fold)
        action[mine] = framing.predictive(raw[mine], raw[others], y[others]).functional(metric.functional)
    return Column(framing.name, entry, number, framing.rule, params, raw, action, metric.loss(y, action))


def loss_matrix(columns: Sequence[Column], lines: Judgements) -> np.ndarray:
    """Return the losses, (n_judged, n_columns): over repeats the mean of the losses, never the loss of the mean."""
    return np.stack([lines.mean(column.lines) for column in columns], axis=1)


def by_row(columns: Sequence[Column]) -> Mapping[tuple[str, str, str], list[int]]:
    """Group the numbers of the columns by leaderboard row: framing x entry x rule."""
    groups: dict[tuple[str, str, str], list[int]] = {}
    for number, column in enumerate(columns):
        groups.setdefault((column.framing, column.entry, column.rule), []).append(number)
    return groups
