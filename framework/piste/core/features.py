"""From columns to the matrices that families want, learnt on training rows only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from piste.core.family import MatrixKind

FeatureKind = Literal["number", "category"]

ONEHOT_LEVELS = 30  # the most frequent ones get a column each, the rest share one
CODE_LEVELS = 250  # LightGBM's bins end at 255
AT_ONCE = 2_048  # rows that become matrix rows together, so that what lies between stays in the processor's cache
UNSEEN, MISSING = -2, -1  # codes of a category beside those of its levels
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
        X = np.empty((len(expanded), len(self.names)))
        blocks = [(_values(column, expanded[column.name]), *block) for column, block in zip(self.columns, self._blocks(), strict=True)]
        for start in range(0, len(X), AT_ONCE):
            rows = slice(start, start + AT_ONCE)
            for values, place, spread in blocks:
                X[rows, place] = spread(values[rows])
        X.flags.writeable = False
        return X

    def _blocks(self) -> Iterator[tuple[slice, Callable[[np.ndarray], np.ndarray]]]:
        """Yield for each table column where it stands in the matrix, and how its values become what stands there."""
        first = place = 0
        keep, means, scales = np.array(self.keep, dtype=int), np.array(self.mean), np.array(self.scale)
        for column in self.columns:
            width = len(_names(column, self.matrix))
            if self.matrix != "scaled":
                yield slice(first, first + width), partial(_spread, column, self.matrix)
            else:
                kept = slice(place, place + int(((keep >= first) & (keep < first + width)).sum()))
                place = kept.stop
                yield kept, _scaled(column, keep[kept] - first, means[kept], scales[kept])
            first += width

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
    columns: list[Number | Category] = []
    means, deviations = [np.empty(0)], [np.empty(0)]
    for name, kind in feature_kinds(expanded).items():
        values = expanded[name].iloc[train]
        column = _learn_number(name, values) if kind == "number" else _learn_category(name, values, matrix)
        columns.append(column)
        if matrix == "scaled":
            mean, deviation = _moments(column, _values(column, values))
            means.append(mean)
            deviations.append(deviation)
    if matrix != "scaled":
        return Encoding(matrix, tuple(columns))
    mean, deviation = np.concatenate(means), np.concatenate(deviations)
    keep = np.flatnonzero(deviation > 1e-12 * np.maximum(1.0, np.abs(mean)))
    return Encoding(matrix, tuple(columns), tuple(map(int, keep)), tuple(mean[keep].tolist()), tuple(deviation[keep].tolist()))


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


def _values(column: Number | Category, values: pd.Series) -> np.ndarray:
    """Return a table column, (n_rows,): numbers with NaN for missing ones, or the codes of levels, UNSEEN and MISSING."""
    if isinstance(column, Number):
        return np.asarray(values.to_numpy(dtype=float))
    codes = pd.Index(column.levels).get_indexer(values) if column.levels else np.full(len(values), -1)
    codes[codes < 0] = UNSEEN
    codes[values.isna().to_numpy()] = MISSING
    return np.asarray(codes)


def _spread(column: Number | Category, matrix: MatrixKind, values: np.ndarray) -> np.ndarray:
    """Return the matrix columns of one table column before they are scaled, (n_rows, 1 or more)."""
    if isinstance(column, Category):
        return np.asarray(np.where(values < 0, np.nan, values)[:, None] if matrix == "codes" else _hot(column)[values])
    if matrix != "scaled":
        return values[:, None]
    absent = np.isnan(values)
    filled = np.where(absent, column.fill, values)
    return np.stack([filled, absent], axis=1) if column.marked else filled[:, None]


def _scaled(column: Number | Category, keep: np.ndarray, mean: np.ndarray, scale: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return how a table column becomes those of its matrix columns that are kept, standardised."""
    if isinstance(column, Category):
        table = (_hot(column)[:, keep] - mean) / scale  # a row for every code
        return lambda codes: np.asarray(table[codes])

    def spread(values: np.ndarray) -> np.ndarray:
        return np.asarray((_spread(column, "scaled", values)[:, keep] - mean) / scale)

    return spread


def _hot(column: Category) -> np.ndarray:
    """Return the 0/1 columns of every code, (n_levels + 2, n_columns): row -2 is that of UNSEEN, row -1 that of MISSING."""
    n_levels, n_shown = len(column.levels), len(_onehot_levels(column))
    unseen, missing = np.arange(n_levels + 2) == n_levels, np.arange(n_levels + 2) == n_levels + 1
    marks = [unseen] * column.rest + [missing] * column.missing
    return np.column_stack([np.eye(n_levels + 2, n_levels)[:, n_levels - n_shown :], *marks])


def _moments(column: Number | Category, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the means and the standard deviations of the matrix columns of one table column, (1 or more,) each."""
    if isinstance(column, Number):
        spread = _spread(column, "scaled", values)
        return spread.mean(axis=0), spread.std(axis=0)
    hot = _hot(column)
    shares = np.bincount(values + len(hot) * (values < 0), minlength=len(hot)) / len(values)
    mean = shares @ hot
    return mean, np.sqrt(shares @ (hot - mean) ** 2)
