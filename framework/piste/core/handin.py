"""What was predicted elsewhere, checked line by line against the folds that it was made for."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd

from piste.core import notation
from piste.core.data import Raw, Target
from piste.core.errors import Fault, PisteError, Place, either, near
from piste.core.foldsheet import KEYS, split_digest
from piste.core.framing import Framing
from piste.core.kinds import decimal_mark
from piste.core.losses import Judgements
from piste.core.notation import Form, shown
from piste.core.outside import Outside
from piste.core.resolve import Resolved
from piste.core.split import Folds

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")
QUANTILE = re.compile(r"(?=.*[1-9])(q?0\.[0-9]+|q[0-9]{2}|q[0-9]{2}[1-9])")
ANSWER = "prediction"
ROUNDED = 0.01  # probabilities whose sum is off by no more were rounded; they are brought to 1
SHOWN = 3  # rows that a message names


def hand_in(raw: Raw, name: str, framing: str | None, framings: Mapping[str, Framing], resolved: Resolved, folds: Folds) -> Outside:
    """Take predictions that were made elsewhere, out of fold.

    Args:
        raw: the file: one line per row and repeat, with the columns `row`, `split` and, where folds are repeated, `repeat`, as they
            went out; and the predictions: `prediction` (a number, or a class in words), or quantiles (`q05` ... `q95`, or `0.05`
            ... `0.95`), or a probability for each class or level (`P(yes)`, or `yes`).
        name: of the row on the leaderboard.
        framing: by its name; told from the columns where not given.
        framings: all there are, by name.
        resolved: the problem.
        folds: the divisions of its rows.

    Raises:
        PisteError: lines are missing, doubled or belong nowhere; they were made for other folds; or a prediction is none.
    """
    if not NAME.fullmatch(name):
        raise PisteError(f"--name must be of up to 60 letters, digits, -, _ and ., but is {shown(name)}")
    lines = Judgements.of(folds, forward=resolved.rule.scheme == "forward")
    sheet = _Sheet(raw, decimal_mark(_texts(raw), ()) or "." if raw.decimal is None else raw.decimal)
    keys = sheet.columns(["row", "split", *(["repeat"] if lines.repeat.any() else [])])
    split = split_digest(resolved.table, folds)
    sheet.same_split(keys["split"], split)
    place = sheet.places(lines, keys["row"], keys.get("repeat"))
    answer = _answer(sheet, resolved, framing, framings)
    found = answer.values(sheet, resolved.table.target)
    ordered = np.full((len(lines.row), *found.shape[1:]), np.nan)
    ordered[place] = found
    return Outside(name, answer.framing.name, split, raw.path, _in_unit(ordered, lines.row, answer.framing, resolved))


def _texts(raw: Raw) -> list[pd.Series]:
    return [values for _, values in raw.frame.items() if isinstance(values.dtype, pd.StringDtype)]


def _in_unit(found: np.ndarray, rows: np.ndarray, framing: Framing, resolved: Resolved) -> np.ndarray:
    """Bring the values of several targets from their own units to that of the table."""
    melt = resolved.table.layout.melt
    if melt is None or framing.kind == "classes":
        return found
    output = rows % len(melt.names)
    centre, scale = (np.array(each)[output].reshape(-1, *(1,) * (found.ndim - 1)) for each in (melt.centres, melt.scales))
    return np.asarray((found - centre) / scale)


@dataclass(frozen=True, slots=True)
class _Sheet:
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
        values = notation.settle(self.raw.frame[column])
        readout = notation.read(values, Form("number", decimal=self.decimal))
        found = readout.values.to_numpy(dtype=float)
        bad = ~(np.abs(found) <= notation.LARGEST)
        if bad.any():
            rows = np.flatnonzero(bad)
            is_empty = np.isnan(found[rows[0]]) and not readout.unread[rows[0]]
            first = "is empty" if is_empty else f"holds {shown(values.iloc[rows[0]])}"
            count = f"{len(rows):,} of {len(bad):,} lines hold none: " if len(rows) > 1 else ""
            raise PisteError(self.fault(f"must hold a finite number in every line, but {count}{self.raw.at(rows[0])} {first}", column, rows[0]))
        return found

    def words(self, column: str) -> np.ndarray:
        """Read a column of texts, (n_lines,); an empty cell is None."""
        values = notation.read(notation.settle(self.raw.frame[column]), Form("category", notation.MISSING_TEXT)).values
        return np.asarray(values.astype(object).where(values.notna(), None))

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

        def named(rows: np.ndarray, repeats: np.ndarray) -> str:
            several = len(numbers) > 1
            said = [f"{row:g} of repeat {again:g}" if several else f"{row:g}" for row, again in zip(rows[:SHOWN], repeats[:SHOWN], strict=True)]
            more = f" and {len(rows) - SHOWN:,} more" if len(rows) > SHOWN else ""
            return f"row{'s' * (len(rows) > 1)} {', '.join(said)}{more}"

        times = np.bincount(place[place >= 0], minlength=len(lines.row))
        warms_up = ~lines.counts
        absent = np.flatnonzero((times == 0) & (lines.counts | times[warms_up].any()))
        if len(absent):
            which = named(lines.row[absent], lines.repeat[absent])
            message = f"must hold a line for every row that the folds test, but lacks {len(absent):,} of {len(lines.row):,}: {which}"
            faults.append(self.fault(message, "row"))
        twice = np.flatnonzero(times > 1)
        if len(twice):
            first = np.flatnonzero(place == twice[0])[:2]
            where = " and ".join(self.raw.at(i) for i in first)
            which = named(lines.row[twice], lines.repeat[twice])
            message = f"must hold every row once, but {len(twice):,} stand{'s' * (len(twice) == 1)} there more often: {which} ({where})"
            faults.append(self.fault(message, "row", int(first[1])))
        nowhere = np.flatnonzero(place < 0)
        if len(nowhere):
            which = named(numbers[0][nowhere], numbers[-1][nowhere])
            message = f"must hold only rows that a fold tests, but {len(nowhere):,} line{'s' * (len(nowhere) > 1)} belong to none: {which}"
            faults.append(self.fault(message, "row", int(nowhere[0])))
        if faults:
            raise PisteError(*faults)


@dataclass(frozen=True, slots=True)
class _Answer:
    """How the file answers: the framing, and the columns that hold the answers."""

    framing: Framing
    columns: Mapping[str, float | str]  # column -> "" of one answer, its level of a quantile, its class of a probability

    def values(self, sheet: _Sheet, target: Target) -> np.ndarray:
        """Read the answers as a family of this framing's task would give them, (n_lines, ...)."""
        if self.framing.kind == "quantiles":
            return _resampled(np.stack([sheet.numbers(name) for name in self.columns], axis=1), [*map(float, self.columns.values())], self.framing.levels)
        if self.framing.kind != "classes":
            return sheet.numbers(ANSWER)
        if ANSWER in self.columns:
            return _certain(sheet, target.classes)
        given = {str(label): sheet.numbers(column) for column, label in self.columns.items()}
        return _probabilities(sheet, given, target.classes, [*self.columns])


def _answer(sheet: _Sheet, resolved: Resolved, wanted: str | None, framings: Mapping[str, Framing]) -> _Answer:
    """Tell how the file answers.

    Raises:
        PisteError: it does not, in more than one way, or in one that does not fit the target.
    """
    target = resolved.table.target
    fitting = {name: each for name, each in framings.items() if not each.cumulative and _fits(each, resolved)}
    if wanted is not None and wanted not in fitting:
        reason = framings[wanted].why_not(target) if wanted in framings else None
        tip = f" For ordered levels, hand in their probabilities as {either(fitting)}." if wanted in framings and framings[wanted].cumulative else ""
        raise PisteError(f"--as must be {either(fitting)}, but is '{wanted}'{f': {reason}' if reason else ''}.{tip or near(wanted, fitting)}")
    there = [str(name) for name in sheet.raw.frame]
    quantiles = {name: _level(name) for name in there if name not in KEYS and QUANTILE.fullmatch(name) and name not in target.classes}
    shares = {name: label for name in there if (label := _label(name, target.classes)) is not None}
    ways: dict[str, Mapping[str, float | str]] = {}
    for name, each in fitting.items():
        columns: Mapping[str, float | str] = quantiles if each.kind == "quantiles" else shares if each.kind == "classes" else {}
        if not columns and ANSWER in there and each.kind != "quantiles":
            columns = {ANSWER: ""}
        if columns:
            ways[name] = columns
    if wanted is None and not target.labels and ways.get("classes") == {ANSWER: ""}:
        del ways["classes"]  # of a number, a plain prediction is a number
    if wanted is None and len([name for name in ways if name != "distribution"]) > 1:
        raise PisteError(sheet.fault(f"answers in more than one way: say which by --as {either(ways)}"))
    chosen = wanted or next(iter(ways), None)
    if chosen is None or chosen not in ways:
        raise PisteError(sheet.fault(_asked_for(chosen, fitting, target, there)))
    if fitting[chosen].kind == "quantiles" and len(set(ways[chosen].values())) < max(2, len(ways[chosen])):
        raise PisteError(sheet.fault(f"must hold quantiles at two levels or more, each once, but holds {', '.join(ways[chosen])}"))
    return _Answer(fitting[chosen], ways[chosen])


def _fits(framing: Framing, resolved: Resolved) -> bool:
    """Tell whether a framing can be asked of the problem."""
    target = resolved.table.target
    levels_of_a_number = framing.kind == "classes" and not target.labels
    return framing.why_not(target) is None and (resolved.yardstick.priced or not levels_of_a_number)


def _asked_for(chosen: str | None, fitting: Collection[str], target: Target, there: Sequence[str]) -> str:
    """Say which columns are wanted."""
    ways = [f"`{ANSWER}`"] if chosen != "quantiles" else []
    if chosen in (None, "quantiles") and "quantiles" in fitting:
        ways.append("quantiles (`q05`, `q50`, `q95`)")
    if chosen in (None, "classes") and "classes" in fitting:
        ways.append("a probability of each of " + ", ".join(f"`P({label})`" for label in target.classes))
    return f"must hold predictions: {' or '.join(ways)}, but holds none.{near(ANSWER, there)}"


def _level(name: str) -> float:
    """Return the level that a column of quantiles names.

    >>> _level("q05"), _level("q975"), _level("0.1")
    (0.05, 0.975, 0.1)
    """
    plain = name.removeprefix("q")
    return float(plain) if plain.startswith("0.") else float(f"0.{plain}")


def _label(name: str, labels: Sequence[str]) -> str | None:
    """Return the class that a column is of: "P(yes)", or "yes" itself; None of another column."""
    if name.startswith("P(") and name.endswith(")"):
        return name[2:-1]
    return name if name in labels and name not in (*KEYS, ANSWER) else None


def _resampled(given: np.ndarray, levels: Sequence[float], wanted: Sequence[float]) -> np.ndarray:
    """Return quantiles at other levels: straight lines between those given, and beyond them, over the normal distribution's own.

    So the quantiles of a normal distribution stay those of the same one, whatever the levels.

    Args:
        given: (n_lines, n_given), sorted or not.
        levels: (n_given,) between 0 and 1.
        wanted: (n_wanted,) ascending.

    >>> _resampled(np.array([[-1.0, 0.0, 1.0]]), [0.1, 0.5, 0.9], [0.3, 0.5]).round(3)
    array([[-0.409,  0.   ]])
    """
    order = np.argsort(levels)
    normal = NormalDist()
    at, to = (np.array([normal.inv_cdf(level) for level in each]) for each in (np.array(levels)[order], wanted))
    values = np.sort(given[:, order], axis=1)
    left = np.clip(np.searchsorted(at, to, side="right") - 1, 0, len(at) - 2)
    share = (to - at[left]) / (at[left + 1] - at[left])
    return np.asarray(values[:, left] + share * (values[:, left + 1] - values[:, left]))


def _certain(sheet: _Sheet, labels: Sequence[str]) -> np.ndarray:
    """Read a class in words in every line as certainty of it, (n_lines, n_classes)."""
    words = sheet.words(ANSWER)
    codes = pd.Index(labels).get_indexer(words)
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        n = int((codes < 0).sum())
        count = f"{n:,} lines hold none: " if n > 1 else ""
        first = "is empty" if words[row] is None else f"holds {shown(words[row])}"
        raise PisteError(sheet.fault(f"must be {either(labels)}, but {count}{sheet.raw.at(row)} {first}.{near(words[row], labels)}", ANSWER, row))
    return np.asarray(np.eye(len(labels))[codes])


def _probabilities(sheet: _Sheet, given: Mapping[str, np.ndarray], labels: Sequence[str], columns: Sequence[str]) -> np.ndarray:
    """Put the probabilities of all classes together, (n_lines, n_classes); of two classes, one is enough."""
    if unknown := [label for label in given if label not in labels]:
        raise PisteError(sheet.fault(f"must be a probability of {either(labels)}, but '{unknown[0]}' is none.{near(unknown[0], labels)}", f"P({unknown[0]})"))
    if len(given) < len(columns):
        raise PisteError(sheet.fault(f"must give every class one column, but gives {', '.join(columns)}"))
    for column, values in zip(columns, given.values(), strict=True):
        outside = (values < 0) | (values > 1)
        if outside.any():
            row = int(np.argmax(outside))
            message = f"must hold probabilities from 0 to 1, but {sheet.raw.at(row)} holds {values[row]:g} ({int(outside.sum()):,} such)"
            raise PisteError(sheet.fault(message, column, row))
    if len(labels) == 2 and len(given) == 1:
        [(label, values)] = given.items()
        given = {label: values, next(other for other in labels if other != label): 1 - values}
    if absent := [label for label in labels if label not in given]:
        raise PisteError(sheet.fault(f"must give every class a probability, but gives none to {either(absent)}"))
    found = np.stack([given[label] for label in labels], axis=1)
    total = found.sum(axis=1)
    off = np.abs(total - 1) > ROUNDED
    if off.any():
        row = int(np.argmax(off))
        message = f"must hold probabilities that sum to 1, but those of {int(off.sum()):,} lines do not: {sheet.raw.at(row)} sums to {total[row]:g}"
        raise PisteError(sheet.fault(message, row=row))
    return np.asarray(found / total[:, None])
