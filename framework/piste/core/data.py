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
    values: np.ndarray  # (n_rows,) float for numeric and count; int codes for binary and category
    labels: tuple[str, ...] = ()  # of the codes, as text; for binary the positive class is the last


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

    @property
    def features(self) -> tuple[Column, ...]:
        """Return the columns that a model may see."""
        return tuple(column for column in self.columns if column.role == "feature")

    @property
    def kinds(self) -> Mapping[str, ColumnKind]:
        """Return the kind of each column."""
        return {column.name: column.kind for column in self.columns}
