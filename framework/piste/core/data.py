"""The table that a problem is about: columns with their kinds, the target, and one digest over it all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from piste.core.kinds import Decimal
from piste.core.layout import Layout
from piste.core.problem import ColumnKind, TargetKind

Role = Literal["feature", "target", "weight", "after", "identifier", "dropped", "split"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column, what it holds, what it is for, and why that was decided."""

    name: str
    kind: ColumnKind
    role: Role
    why: str


@dataclass(frozen=True, slots=True)
class Target:
    """What is predicted, as numbers."""

    name: str
    kind: TargetKind
    values: np.ndarray  # (n_rows,) float for numeric and count; int codes for binary, category and ordered
    labels: tuple[str, ...] = ()  # of the codes, as text; for binary the positive class is the last
    levels: tuple[str, ...] = ()  # names of the levels that a number is cut into, lowest first
    thresholds: np.ndarray | None = None  # (n_rows, n_levels - 1): the least value of every level but the first

    @property
    def classes(self) -> tuple[str, ...]:
        """Return the names of the classes, or of the levels that a number is cut into; none where it is not cut."""
        return self.labels or self.levels

    @property
    def codes(self) -> np.ndarray:
        """Return the code of each row's class or level, (n_rows,) int."""
        if self.thresholds is None:
            return self.values
        return level_of(self.values, self.thresholds)


def level_of(values: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return how many thresholds each value has reached.

    Args:
        values: (n_rows,).
        thresholds: (n_rows, n_levels - 1), ascending in each row.

    >>> level_of(np.array([1.0, 3.0]), np.array([[2.0, 4.0], [2.0, 3.0]]))
    array([0, 2])
    """
    return np.asarray((values[:, None] >= thresholds).sum(axis=1))


@dataclass(frozen=True, slots=True)
class Raw:
    """A table as it was read, before anything is decided about it.

    `lines` says where a row stood, so that a fault can name it: (n_rows,) line numbers of a text file, or row numbers
    from 1 elsewhere (sheets, databases, frames).
    """

    frame: pd.DataFrame  # text cells as str, missing cells as NA/NaN; numbers, booleans and datetimes where the source types them
    path: str  # how messages name the source: a path, or "sklearn:iris"
    lines: np.ndarray
    header_line: int = 1
    digest: str = ""  # sha256 over all rows and columns, 64 hexadecimal digits
    word: Literal["line", "row"] = "line"  # what `lines` counts
    decimal: Decimal = "."  # of text cells; None where the file does not tell
    notes: tuple[str, ...] = ()  # what was done while reading: "the first column has no name and counts the rows; left out"

    def at(self, row: int) -> str:
        """Name the place of a row: "line 7"."""
        return f"{self.word} {self.lines[row]}"


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of a problem, cleaned and typed; read-only.

    Every column of `frame` has one of three dtypes: float64 (number, boolean: 0/1), str with NA (category, identifier),
    datetime64 (datetime). All columns are there, whatever their role; the index is 0..n-1.
    """

    frame: pd.DataFrame
    columns: tuple[Column, ...]
    target: Target
    weight: np.ndarray  # (n_rows,) ones where the problem names none
    digest: str
    notes: tuple[str, ...] = ()  # what was done to the rows, for the reader: "12 rows without a target left out"
    layout: Layout = field(default_factory=Layout)  # how new rows are read
    lines: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=int))  # (n_rows,) where each stood, as `Raw` has it
    unanswered: int = 0  # rows of the source that were left out, since the target is missing there

    @property
    def features(self) -> tuple[Column, ...]:
        """Return the columns that a model may see."""
        return tuple(column for column in self.columns if column.role == "feature")

    @property
    def kinds(self) -> Mapping[str, ColumnKind]:
        """Return the kind of each column."""
        return {column.name: column.kind for column in self.columns}
