"""All series at once: one row for all the rows that differ in one column alone, such as all runs of a date."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from piste.core.errors import Fault, PisteError

Value = str | float  # of `column`: a text, a number, or a time as text


@dataclass(frozen=True, slots=True)
class Pivot:
    """How long rows become wide ones: plain values, learnt from features alone.

    What says the same of every long row of a wide row is kept once. What only says which series a row is of, such as the
    length of a run, is left out: the place of an output says it already. What varies with both gets a column for each
    series, "queue [Meadow]".
    """

    column: str  # whose values become outputs
    keys: tuple[str, ...]  # the other unit columns: together they name a wide row
    values: tuple[Value, ...]  # of `column`, ascending: the order of the outputs
    once: tuple[str, ...]  # features kept once
    each: tuple[str, ...]  # features that have a wide column for each value

    @staticmethod
    def learn(expanded: pd.DataFrame, unit: pd.DataFrame, column: str) -> Pivot:
        """Learn how the rows of a table become wide.

        Args:
            expanded: (n_rows, n_features) numbers, and categories as text, as `features.expand` gives them.
            unit: (n_rows, k) the columns that name a row, `column` among them.
            column: whose values become outputs.

        Raises:
            PisteError: `column` has fewer than 2 values, two rows stand in one place, or wide columns would share a name.
        """
        keys = tuple(str(name) for name in unit if name != column)
        assert 0 < len(keys) < unit.shape[1], (
            f"the problem's unit must hold '{column}' beside what names a wide row, but holds {list(unit)}"
        )
        series, found = pd.factorize(_plain(unit[column]), sort=True)
        if len(found) < 2:
            raise PisteError(Fault(f"must name a column with at least 2 values, but '{column}' holds {len(found)}", "wide"))
        wide = _number(unit, keys)
        levels = {str(name): pd.factorize(values)[0] for name, values in expanded.items()}
        alone = {name for name, codes in levels.items() if _follows(codes, series)}
        once = tuple(name for name, codes in levels.items() if name not in alone and _follows(codes, wide))
        each = tuple(name for name in levels if name not in alone and name not in once)
        pivot = Pivot(column, keys, tuple(found.tolist()), once, each)
        _refuse_twins(pivot.names)
        pivot._refuse_repeats(wide, series)
        return pivot

    @property
    def names(self) -> tuple[str, ...]:
        """Return the name of each wide column."""
        return (*self.once, *(f"{name} [{_word(value)}]" for name in self.each for value in self.values))

    @property
    def n_outputs(self) -> int:
        """Return the number of series."""
        return len(self.values)

    def rows(self, unit: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Return the wide row of each long row, numbered as they first appear, and the place of its output in it.

        Args:
            unit: (n_rows, ...) the unit columns of the table or of new rows, among others, in any order.

        Returns:
            (n_rows,) and (n_rows,); the place is -1 for a value of `column` that is missing or was never seen.

        Raises:
            PisteError: two rows stand in one place.
        """
        values = _plain(unit[self.column])
        place = np.asarray(pd.Index(self.values).get_indexer(values))
        codes = _number(unit, self.keys)
        self._refuse_repeats(codes, place)
        return codes, place

    def frame(self, expanded: pd.DataFrame, unit: pd.DataFrame) -> pd.DataFrame:
        """Return the wide rows, (n_wide, n_wide_features), of the table or of new rows.

        What is kept once comes from the first long row that knows it. A long row that is absent leaves its own columns
        missing, and so does one of a series that was never seen.

        Raises:
            PisteError: as `rows`; or a feature that is kept once has two values in one wide row.
        """
        codes, place = self.rows(unit)
        n_wide = int(codes.max(initial=-1)) + 1
        columns = {name: self._kept(expanded[name], codes, n_wide) for name in self.once}
        known = np.flatnonzero(place >= 0)
        at = np.full((n_wide, self.n_outputs), -1)  # the long row that fills each place; -1: none
        at[codes[known], place[known]] = known
        names = iter(self.names[len(self.once) :])
        columns |= {next(names): _take(expanded[name], rows) for name in self.each for rows in at.T}
        return pd.DataFrame(columns, index=pd.RangeIndex(n_wide))

    def y(self, values: np.ndarray, codes: np.ndarray, place: np.ndarray, n_wide: int) -> np.ndarray:
        """Return what is learnt, (n_wide, n_outputs); NaN where there is no such long row.

        Args:
            values: (n_rows,) of the long rows.
            codes: (n_rows,) as `rows` gives them.
            place: (n_rows,) as `rows` gives them.
            n_wide: the number of wide rows.
        """
        y = np.full((n_wide, self.n_outputs), np.nan)
        known = place >= 0
        y[codes[known], place[known]] = values[known]
        return y

    def long(self, predictions: np.ndarray, codes: np.ndarray, place: np.ndarray) -> np.ndarray:
        """Return the prediction of each long row, (n_rows,), from (n_wide, n_outputs); NaN where the place is -1."""
        return np.where(place >= 0, predictions[codes, np.maximum(place, 0)], np.nan)

    def sides(self, codes: np.ndarray, train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the wide rows to learn from, all of whose long rows are in training, and those with any row to test.

        A wide row of which training holds a part and nothing holds the rest, as at a gap, is on neither side.

        Args:
            codes: (n_rows,) as `rows` gives them.
            train: row numbers of the training part.
            test: row numbers of the test part.

        Raises:
            PisteError: a wide row is torn: some of its long rows are in training, and some in the test.
        """
        size, trained, tested = (np.bincount(codes[rows], minlength=len(codes)) for rows in (slice(None), train, test))
        torn = int(((trained > 0) & (tested > 0)).sum())
        if torn:
            of = " and ".join(f"'{key}'" for key in self.keys)
            together = f"Add the line `split: {{together: {self.keys[0]}}}`"
            raise PisteError(
                f"rows that share {of} must stand on one side of a fold to be one row (wide: {self.column}), "
                f"but {torn:,} of {int((size > 0).sum()):,} are torn. {together}"
            )
        return np.flatnonzero((size > 0) & (trained == size)), np.flatnonzero(tested)

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @staticmethod
    def from_json(state: Mapping[str, Any]) -> Pivot:
        """Read what `to_json` wrote."""
        lists = (tuple(state[name]) for name in ("keys", "values", "once", "each"))
        return Pivot(state["column"], *lists)

    def _kept(self, values: pd.Series, codes: np.ndarray, n_wide: int) -> Any:
        levels = pd.factorize(values)[0]
        known = np.flatnonzero(levels >= 0)
        first = np.full(n_wide, -1)
        first[codes[known[::-1]]] = known[::-1]
        other = known[levels[known] != levels[first[codes[known]]]]
        if len(other):
            pair = (int(first[codes[other[0]]]), int(other[0]))
            rows, found = (" and ".join(str(each) for each in both) for both in ([i + 1 for i in pair], [values.iloc[i] for i in pair]))
            message = (
                f"must be the same in all rows that share {' and '.join(self.keys)}, as where it was learnt, but rows {rows} hold {found}"
            )
            raise PisteError(Fault(message, str(values.name)))
        return _take(values, first)

    def _refuse_repeats(self, codes: np.ndarray, place: np.ndarray) -> None:
        known = np.flatnonzero(place >= 0)
        cell = codes[known] * np.int64(len(self.values)) + place[known]
        again = np.flatnonzero(pd.Series(cell).duplicated().to_numpy())
        if len(again):
            second = int(again[0])
            first = int(np.argmax(cell == cell[second]))
            pair = f"rows {known[first] + 1} and {known[second] + 1}"
            names = " and ".join((*self.keys, self.column))
            raise PisteError(Fault(f"must name one row each for wide: {self.column}, but {pair} share {names}", "unit"))


def _plain(values: pd.Series) -> pd.Series:
    """Return the values as JSON can hold them: times as text."""
    if not pd.api.types.is_datetime64_any_dtype(values):
        return values
    codes, moments = pd.factorize(values)
    words = pd.Series([moment.isoformat() for moment in pd.DatetimeIndex(moments)], dtype="str")
    return words.reindex(codes).set_axis(values.index)


def _number(unit: pd.DataFrame, keys: Iterable[str]) -> np.ndarray:
    """Number the wide rows as they first appear, (n_rows,); a missing key is a key like any other."""
    return np.asarray(unit.groupby(list(keys), sort=False, dropna=False).ngroup())


def _follows(levels: np.ndarray, groups: np.ndarray) -> bool:
    """Say whether each group holds one level; missing ones, -1, count as one level and as one group."""
    first = np.full(int(groups.max(initial=-1)) + 2, 0)
    first[groups[::-1]] = np.arange(len(groups))[::-1]
    return bool((levels == levels[first[groups]]).all())


def _take(values: pd.Series, rows: np.ndarray) -> Any:
    """Return the values of these rows; missing where the row is -1."""
    return values.array.take(rows, allow_fill=True)


def _word(value: Value) -> str:
    """Write a value of the column so that no two read the same."""
    return value if isinstance(value, str) else f"{value:.0f}" if value.is_integer() else repr(value)


def _refuse_twins(names: Iterable[str]) -> None:
    name, count = Counter(names).most_common(1)[0] if names else ("", 1)
    if count > 1:
        raise PisteError(Fault(f"must be named differently: {count} wide columns would be called '{name}'", name))
