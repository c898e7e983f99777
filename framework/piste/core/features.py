"""From columns to the matrices that families want, learnt on training rows only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from piste.core.family import MatrixKind

FeatureKind = Literal["number", "category"]

ONEHOT_LEVELS = 30  # the most frequent ones get a column each, the rest share one
CODE_LEVELS = 250  # LightGBM's bins end at 255
OTHER = "other levels"
CLOCK = ".hour"
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def expand(frame: pd.DataFrame, features: Sequence[str]) -> pd.DataFrame:
    """Turn feature columns into numbers (float64) and categories (text): dates become their calendar parts.

    A date gives weekday, month and hour as categories, the day of the year and the days since 1970 as numbers: seasons and
    trends for models that extrapolate. Where every row is stamped at midnight, `without_clock` takes the hour away again.
    """
    columns: dict[str, pd.Series | np.ndarray] = {}
    for name in features:
        values = frame[name]
        if pd.api.types.is_datetime64_any_dtype(values):
            columns |= _calendar(name, values)
        else:
            columns[name] = values
    return pd.DataFrame(columns, index=frame.index)


def _calendar(name: str, times: pd.Series) -> dict[str, pd.Series]:
    at = times.dt
    return {
        f"{name}.weekday": at.day_name(),
        f"{name}.month": at.month_name(),
        f"{name}.day_of_year": at.day_of_year.astype(float),
        f"{name}.days": (times - pd.Timestamp(0, tz=at.tz)) / pd.Timedelta(days=1),
        f"{name}{CLOCK}": at.strftime("%H"),
    }


def without_clock(expanded: pd.DataFrame) -> pd.DataFrame:
    """Return the features of a table without the hours of dates that all have the same one.

    Decided on the table alone: new rows may be few, and all of one hour.
    """
    return expanded.drop(columns=[name for name in expanded if str(name).endswith(CLOCK) and expanded[name].nunique() < 2])


def feature_kinds(expanded: pd.DataFrame) -> dict[str, FeatureKind]:
    """Say which columns of an expanded frame are numbers and which are categories."""
    return {str(name): "number" if pd.api.types.is_numeric_dtype(dtype) else "category" for name, dtype in expanded.dtypes.items()}


@dataclass(frozen=True, slots=True)
class Number:
    """What was learnt of a numeric column."""

    name: str
    fill: float  # the median of the training rows, in place of a missing value
    marked: bool  # a 0/1 column says where it was missing


@dataclass(frozen=True, slots=True)
class Category:
    """What was learnt of a category: its levels in the training rows, of codes in their natural order, else by frequency."""

    name: str
    levels: tuple[str, ...]
    rest: bool  # rarer and unseen levels share a column; without it, all columns of an unseen level are 0
    missing: bool  # a column says where it was missing


@dataclass(frozen=True, slots=True)
class Encoding:
    """How an expanded frame becomes a matrix of one kind; plain values, so that a model file needs no pickle."""

    matrix: MatrixKind
    columns: tuple[Number | Category, ...]
    keep: tuple[int, ...] = ()  # scaled: matrix columns that varied in the training rows
    mean: tuple[float, ...] = ()  # scaled: of the kept columns
    scale: tuple[float, ...] = ()

    @property
    def categorical(self) -> tuple[int, ...]:
        """Return the numbers of the columns that hold codes."""
        if self.matrix != "codes":
            return ()
        return tuple(i for i, column in enumerate(self.columns) if isinstance(column, Category))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the name of each matrix column."""
        every = [name for column in self.columns for name in _names(column, self.matrix)]
        return tuple(every[i] for i in self.keep) if self.matrix == "scaled" else tuple(every)

    def apply(self, expanded: pd.DataFrame) -> Any:
        """Return the matrix, (n_rows, n_features) float64 and read-only; for "raw" the frame as it is."""
        if self.matrix == "raw":
            return expanded
        parts = [_encode(column, expanded[column.name], self.matrix) for column in self.columns]
        X = np.concatenate(parts, axis=1) if parts else np.empty((len(expanded), 0))
        if self.matrix == "scaled":
            X = (X[:, list(self.keep)] - np.array(self.mean)) / np.array(self.scale)
        X.flags.writeable = False
        return X

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @staticmethod
    def from_json(state: Mapping[str, Any]) -> Encoding:
        """Read what `to_json` wrote."""
        columns = tuple(
            Category(c["name"], tuple(c["levels"]), c["rest"], c["missing"]) if "levels" in c else Number(**c) for c in state["columns"]
        )
        return Encoding(state["matrix"], columns, tuple(state["keep"]), tuple(state["mean"]), tuple(state["scale"]))


def learn(expanded: pd.DataFrame, train: np.ndarray, matrix: MatrixKind) -> Encoding:
    """Learn an encoding.

    Args:
        expanded: (n_rows, n_columns) as `expand` gives it.
        train: row numbers of the training part; no other row is looked at.
        matrix: the kind wanted.
    """
    if matrix == "raw":
        return Encoding(matrix, ())
    rows = expanded.iloc[train]
    columns = tuple(
        _learn_number(name, rows[name]) if kind == "number" else _learn_category(name, rows[name], matrix)
        for name, kind in feature_kinds(expanded).items()
    )
    plain = Encoding(matrix, columns)
    if matrix != "scaled":
        return plain
    parts = [_encode(column, rows[column.name], matrix) for column in columns]
    X = np.concatenate(parts, axis=1) if parts else np.empty((len(rows), 0))
    mean, deviation = X.mean(axis=0), X.std(axis=0)
    keep = np.flatnonzero(deviation > 1e-12 * np.maximum(1.0, np.abs(mean)))
    return Encoding(matrix, columns, tuple(map(int, keep)), tuple(mean[keep].tolist()), tuple(deviation[keep].tolist()))


def _learn_number(name: str, values: pd.Series) -> Number:
    numbers = values.to_numpy(dtype=float)
    seen = numbers[~np.isnan(numbers)]
    return Number(name, float(np.median(seen)) if len(seen) else 0.0, marked=0 < len(seen) < len(numbers))


def _learn_category(name: str, values: pd.Series, matrix: MatrixKind) -> Category:
    counts = values.value_counts()  # most frequent first; ties by name, so that row order does not matter
    ranked = sorted(counts.index, key=lambda level: (-counts[level], level))
    most = CODE_LEVELS if matrix == "codes" else ONEHOT_LEVELS
    kept = ranked[:most] if matrix != "codes" else sorted(ranked[:most], key=_natural(ranked[:most]))
    return Category(name, tuple(kept), rest=len(ranked) > most, missing=bool(values.isna().any()))


def _natural(levels: Sequence[str]) -> Callable[[str], float | str]:
    """Return the order that people would put levels in, which trees that split codes live by: 2 before 10, May before June."""
    for names in (WEEKDAYS, MONTHS):
        if set(levels) <= set(names):
            return names.index
    try:
        numbers = {level: float(level) for level in levels}
    except ValueError:
        return str.casefold
    return numbers.__getitem__


def _onehot_levels(column: Category) -> tuple[str, ...]:
    """Return the levels that get a column: of a plain yes/no, one is enough."""
    return column.levels[1:] if len(column.levels) == 2 and not column.rest and not column.missing else column.levels


def _names(column: Number | Category, matrix: MatrixKind) -> list[str]:
    if isinstance(column, Number):
        return [column.name] + [f"{column.name} is missing"] * (column.marked and matrix == "scaled")
    if matrix == "codes":
        return [column.name]
    shown = [*_onehot_levels(column), *[OTHER] * column.rest, *["missing"] * column.missing]
    return [f"{column.name}={level}" for level in shown]


def _encode(column: Number | Category, values: pd.Series, matrix: MatrixKind) -> np.ndarray:
    """Return the matrix columns of one table column, (n_rows, 1 or more)."""
    if isinstance(column, Number):
        numbers = values.to_numpy(dtype=float)
        if matrix != "scaled":
            return np.asarray(numbers[:, None])
        absent = np.isnan(numbers)
        filled = np.where(absent, column.fill, numbers)
        return np.stack([filled, absent.astype(float)], axis=1) if column.marked else filled[:, None]
    absent = values.isna().to_numpy()
    codes = pd.Index(column.levels).get_indexer(values) if column.levels else np.full(len(values), -1)
    codes = np.where(absent, -1, codes)
    if matrix == "codes":
        return np.where(codes < 0, np.nan, codes.astype(float))[:, None]
    first = len(column.levels) - len(_onehot_levels(column))
    hot = (codes[:, None] == np.arange(first, len(column.levels))).astype(float)
    extra = [((codes < 0) & ~absent).astype(float)[:, None]] * column.rest + [absent.astype(float)[:, None]] * column.missing
    return np.concatenate([hot, *extra], axis=1)
