"""A file of predictions that were made elsewhere: its lines, each of which belongs to a row that a fold tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from piste.core import notation
from piste.core.data import Raw
from piste.core.errors import Fault, PisteError, Place, near
from piste.core.losses import Judgements
from piste.core.notation import Form, shown

SHOWN = 3  # rows that a message names


@dataclass(frozen=True, slots=True)
class Sheet:
    """The file, and how its faults are worded."""

    raw: Raw
    decimal: str

    def fault(self, message: str, column: str = "", row: int | None = None) -> Fault:
        """Word a fault, at a line where one is meant."""
        line = 0 if row is None or self.raw.word != "line" else int(self.raw.lines[row])
        return Fault(message, column, Place(self.raw.path, line))

    def columns(self, names: Sequence[str]) -> dict[str, pd.Series]:
        """Return columns that must be there."""
        there = [str(name) for name in self.raw.frame]
        absent = [name for name in names if name not in there]
        if absent:
            told = "as `piste folds` wrote it: add the predictions to its lines"
            raise PisteError(*(self.fault(f"must be a column, {told}; but is not there.{near(name, there)}", name) for name in absent))
        return {name: self.raw.frame[name] for name in names}

    def numbers(self, column: str) -> np.ndarray:
        """Read a column of numbers, (n_lines,).

        Raises:
            PisteError: a cell is empty, or no finite number.
        """
        values = self._settled(column)
        readout = notation.read(values, Form("number", decimal=self.decimal))
        found = readout.values.to_numpy(dtype=float)
        bad = ~(np.abs(found) <= notation.LARGEST)
        if bad.any():
            rows = np.flatnonzero(bad)
            is_empty = np.isnan(found[rows[0]]) and not readout.unread[rows[0]]
            first = "is empty" if is_empty else f"holds {shown(values.iloc[rows[0]])}"
            count = f"{len(rows):,} of {len(bad):,} lines hold none: " if len(rows) > 1 else ""
            message = f"must hold a finite number in every line, but {count}{self.raw.at(rows[0])} {first}"
            raise PisteError(self.fault(message, column, rows[0]))
        return np.asarray(found)

    def words(self, column: str) -> np.ndarray:
        """Read a column of texts, (n_lines,); an empty cell is None."""
        values = notation.read(self._settled(column), Form("category", notation.MISSING_TEXT)).values
        return np.asarray(values.astype(object).where(values.notna(), None))

    def _settled(self, column: str) -> pd.Series:
        try:
            return notation.settle(self.raw.frame[column])
        except notation.UnsettledError as error:
            raise PisteError(self.fault(f"must hold numbers or texts, but holds {error}", column, error.row)) from error

    def same_split(self, column: pd.Series, split: str) -> None:
        """Refuse predictions that were made for other folds."""
        other = (column.astype("str").str.strip() != split).fillna(value=True).to_numpy(dtype=bool)
        if other.any():
            row = int(np.argmax(other))
            tip = "The data or the folds have changed since: export them again with `piste folds`, and predict anew"
            message = f"must be '{split}', the folds as they are now, but is {shown(column.iloc[row])} in {self.raw.at(row)}. {tip}"
            raise PisteError(self.fault(message, "split", row))

    def places(self, lines: Judgements, row: pd.Series, repeat: pd.Series | None) -> np.ndarray:
        """Return the place among all lines of each line of the file, (n_lines,).

        Raises:
            PisteError: a line is missing, there twice, or belongs to no fold. All lines of the fold that warms up may be missing.
        """
        numbers = [np.asarray(self.numbers(str(column.name))) for column in (row, *(() if repeat is None else (repeat,)))]
        n_repeats = int(lines.repeat.max()) + 1
        given = numbers[0] * n_repeats + (numbers[1] if repeat is not None else 0)
        valid = np.all([number == np.round(number) for number in numbers], axis=0) & (numbers[0] >= 0)
        if repeat is not None:
            valid &= (numbers[1] >= 0) & (numbers[1] < n_repeats)
        wanted = lines.row * n_repeats + lines.repeat
        place = pd.Index(wanted).get_indexer(np.where(valid, given, -1))
        self._refuse_lines(lines, place, numbers)
        return np.asarray(place)

    def _refuse_lines(self, lines: Judgements, place: np.ndarray, numbers: Sequence[np.ndarray]) -> None:
        """Refuse lines that are missing, doubled, or belong nowhere, each kind in a sentence of its own."""
        faults = []
        several = len(numbers) > 1
        times = np.bincount(place[place >= 0], minlength=len(lines.row))
        warms_up = ~lines.counts
        absent = np.flatnonzero((times == 0) & (lines.counts | times[warms_up].any()))
        if len(absent):
            which = _named(lines.row[absent], lines.repeat[absent], several=several)
            message = f"must hold a line for every row that the folds test, but lacks {len(absent):,} of {len(lines.row):,}: {which}"
            faults.append(self.fault(message, "row"))
        twice = np.flatnonzero(times > 1)
        if len(twice):
            first = np.flatnonzero(place == twice[0])[:2]
            where = " and ".join(self.raw.at(i) for i in first)
            which = _named(lines.row[twice], lines.repeat[twice], several=several)
            count = f"{len(twice):,} {'stand' if len(twice) > 1 else 'stands'} there more often"
            message = f"must hold every row once, but {count}: {which} ({where})"
            faults.append(self.fault(message, "row", int(first[1])))
        nowhere = np.flatnonzero(place < 0)
        if len(nowhere):
            which = _named(numbers[0][nowhere], numbers[-1][nowhere], several=several)
            count = f"{len(nowhere):,} {'lines belong' if len(nowhere) > 1 else 'line belongs'} to none"
            message = f"must hold only rows that a fold tests, but {count}: {which}"
            faults.append(self.fault(message, "row", int(nowhere[0])))
        if faults:
            raise PisteError(*faults)


def _named(rows: np.ndarray, repeats: np.ndarray, *, several: bool) -> str:
    """Name a few rows, with their repeats where there are several."""
    pairs = zip(rows[:SHOWN], repeats[:SHOWN], strict=True)
    said = ", ".join(f"{row:.15g} of repeat {repeat:.15g}" if several else f"{row:.15g}" for row, repeat in pairs)
    more = f" and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else ""
    return f"row{'s' * (len(rows) > 1)} {said}{more}"
