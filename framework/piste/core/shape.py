"""The rows that models are fitted on: the table's own, all of a date as one, or those of each value of a column by themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from piste.core.errors import PisteError
from piste.core.family import MatrixKind, Rows
from piste.core.features import Encoding, learn
from piste.core.framing import Form
from piste.core.wide import Pivot

LEAST_WHOLE = 0.2  # of the rows that are made of several must be whole


@dataclass(frozen=True, slots=True)
class Shape:
    """How a frame becomes the matrices of one or more models, and their predictions one again; plain values.

    There is a model for each encoding; where yes/no questions are asked of levels, one for each question.
    """

    encodings: tuple[Encoding, ...]
    questions: int = 0  # yes/no questions asked of each row; 0: the task itself
    apart: str = ""  # the column whose values have a model each
    values: tuple[str, ...] = ()  # (n_encodings,) of that column
    pivot: Pivot | None = None

    def matrices(self, features: pd.DataFrame, names: pd.DataFrame) -> list[Any]:
        """Return the matrix of each encoding.

        Args:
            features: (n_rows, n_features) expanded.
            names: (n_rows, ...) columns that say which row it is.
        """
        if self.pivot:
            return [self.encodings[0].apply(self.pivot.frame(features, names))]
        if self.apart:
            sides = zip(self.encodings, self._sides(names), strict=True)
            return [encoding.apply(features[mine]) for encoding, mine in sides]
        return [self.encodings[0].apply(features)]

    def joined(self, predictions: Sequence[np.ndarray], names: pd.DataFrame) -> np.ndarray:
        """Put the predictions of all models together, one line per row."""
        parts = list(predictions)
        if step := self.questions:
            parts = [np.stack([each[:, 1] for each in parts[i : i + step]], axis=1) for i in range(0, len(parts), step)]
        if self.pivot:
            codes, place = self.pivot.rows(names)
            if (place < 0).any():
                raise PisteError(f"'{self.pivot.column}' holds a value that was never seen: there is no model for it")
            return self.pivot.long(parts[0], codes, place)
        if not self.apart:
            return parts[0]
        found = np.empty((len(names), *parts[0].shape[1:]))
        for mine, each in zip(self._sides(names), parts, strict=True):
            found[mine] = each
        return found

    def _sides(self, names: pd.DataFrame) -> list[np.ndarray]:
        column = texts(names[self.apart])
        if unseen := sorted(set(column) - set(self.values)):
            raise PisteError(f"'{self.apart}' holds '{unseen[0]}', which no training row had: there is no model for it")
        return [column == value for value in self.values]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "encodings": [encoding.to_json() for encoding in self.encodings],
            "questions": self.questions,
            "apart": self.apart,
            "values": list(self.values),
            "pivot": self.pivot.to_json() if self.pivot else None,
        }

    @staticmethod
    def from_json(state: Mapping[str, Any]) -> Shape:
        """Read what `to_json` wrote."""
        encodings = tuple(Encoding.from_json(each) for each in state["encodings"])
        pivot = Pivot.from_json(state["pivot"]) if state["pivot"] else None
        return Shape(encodings, state["questions"], state["apart"], tuple(state["values"]), pivot)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What one model learns: its rows, and those of them that are set aside for early stopping."""

    train: Rows
    stop: np.ndarray  # (n_train,) mask


@dataclass(frozen=True, slots=True)
class Source:
    """The rows of the table that a framing x family looks at."""

    features: pd.DataFrame  # (n_rows, n_features) expanded
    names: pd.DataFrame  # (n_rows, ...) columns that say which row it is
    y: np.ndarray  # (n_rows,) what is learnt
    weight: np.ndarray  # (n_rows,)


def texts(column: pd.Series) -> np.ndarray:
    """Return the values of a column as texts, (n_rows,); a missing one is a value of its own."""
    return np.asarray(column.astype(object).where(column.notna(), "missing").map(str), dtype=object)


def lay_out(
    source: Source, form: Form, matrix: MatrixKind, train: np.ndarray, stop: np.ndarray, test: np.ndarray, n_levels: int
) -> tuple[Shape, list[Lesson]]:
    """Learn from training rows how models are given their rows, and lay out what each learns.

    Args:
        source: the table.
        form: of the framing.
        matrix: the kind that the family wants.
        train: row numbers of the training part.
        stop: (n_train,) mask of those set aside.
        test: row numbers of the rows to predict; nothing but their names is looked at.
        n_levels: levels that are asked about one by one; 0 where the task is learnt as it is.

    Raises:
        PisteError: too few whole rows for `wide`.
    """
    if form.wide:
        return _wide(source, form.wide, matrix, train, stop, test)
    column = texts(source.names[form.apart].iloc[train]) if form.apart else np.full(len(train), "")
    values = sorted(set(column))
    encodings: list[Encoding] = []
    lessons = []
    for value in values:
        mine = column == value
        rows = train[mine]
        encodings.append(learn(source.features, rows, matrix))
        X = encodings[-1].apply(source.features.iloc[rows])
        asked = [(source.y[rows] >= level).astype(int) for level in range(1, n_levels)] if n_levels else [source.y[rows]]
        whole = [Rows(X, y, source.weight[rows], encodings[-1].names, encodings[-1].categorical) for y in asked]
        lessons += [Lesson(each, stop[mine]) for each in whole]
    return Shape(tuple(encodings), max(0, n_levels - 1), form.apart or "", tuple(values) if form.apart else ()), lessons


def _wide(
    source: Source, column: str, matrix: MatrixKind, train: np.ndarray, stop: np.ndarray, test: np.ndarray
) -> tuple[Shape, list[Lesson]]:
    """Lay out one row for all rows that differ in one column alone, such as all runs of a date."""
    pivot = Pivot.learn(source.features, source.names, column)
    codes, place = pivot.rows(source.names)
    n_wide = int(codes.max()) + 1
    rows, _ = pivot.sides(codes, train, test)
    y = pivot.y(source.y, codes, place, n_wide)
    whole = rows[~np.isnan(y[rows]).any(axis=1)]
    if len(whole) < LEAST_WHOLE * len(rows):
        raise PisteError(f"only {len(whole):,} of {len(rows):,} rows hold a value for every '{column}', too few to learn all at once")
    weight = np.bincount(codes, weights=source.weight, minlength=n_wide) / np.maximum(1, np.bincount(codes, minlength=n_wide))
    aside = np.zeros(n_wide, dtype=bool)
    aside[codes[train[stop]]] = True
    features = pivot.frame(source.features, source.names)
    encoding = learn(features, whole, matrix)
    train_rows = Rows(encoding.apply(features.iloc[whole]), y[whole], weight[whole], encoding.names, encoding.categorical)
    return Shape((encoding,), pivot=pivot), [Lesson(train_rows, aside[whole])]
