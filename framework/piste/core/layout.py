"""How the columns of a table are read, kept as plain values, so that new rows are read the same way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from piste.core import expression, notation
from piste.core.errors import Fault, PisteError, Place, near
from piste.core.melt import Melt
from piste.core.notation import LARGEST, Form, shown


@dataclass(frozen=True, slots=True)
class Slot:
    """One column: how it is written, or the expression that it is computed by."""

    name: str
    form: Form
    expression: str = ""  # of `add`; empty where the rows bring the column themselves
    required: bool = True  # without it there is no prediction


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns that new rows bring, in the order of the table."""

    slots: tuple[Slot, ...] = ()
    always: tuple[str, ...] = ()  # columns that the decision looks at, whatever the model
    melt: Melt | None = None  # where several targets are answered: how rows become long, and answers one line again

    def requiring(self, names: Iterable[str]) -> Layout:
        """Return the layout that asks for these columns, and for those that they are computed from, and for no others."""
        wanted = {*names, *self.always}
        for slot in reversed(self.slots):  # an added column stands after what it uses
            if slot.expression and slot.name in wanted:
                wanted |= expression.columns(expression.parse(slot.expression))
        return replace(self, slots=tuple(replace(slot, required=slot.name in wanted) for slot in self.slots))

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        slots = [
            {"name": slot.name, "form": slot.form.to_json(), "expression": slot.expression, "required": slot.required}
            for slot in self.slots
        ]
        return {"slots": slots, "always": list(self.always), "melt": self.melt.to_json() if self.melt else None}

    @staticmethod
    def from_json(state: Mapping[str, Any]) -> Layout:
        """Read what `to_json` wrote."""
        slots = tuple(Slot(**{**slot, "form": Form.from_json(slot["form"])}) for slot in state["slots"])
        return Layout(slots, tuple(state["always"]), Melt.from_json(state["melt"]) if state["melt"] else None)


def typed(layout: Layout, frame: pd.DataFrame, *, path: str = "", lines: np.ndarray | None = None) -> pd.DataFrame:
    """Read new rows as the table was read. Other columns are ignored; the order does not matter.

    Args:
        layout: of the table.
        frame: (n_rows, n_columns) the new rows: texts, or values of any type.
        path: how faults name the source.
        lines: (n_rows,) where each row stands in it; row numbers from 1 where not given.

    Returns:
        (n_rows, n_slots) float64, str or datetime64; columns that are not required may be absent.

    Raises:
        PisteError: a required column is missing, or cells cannot be read; all such faults at once.
    """
    numbers = np.arange(1, len(frame) + 1) if lines is None else lines
    word = "row" if lines is None else "line"
    given = _by_name(frame, path)
    columns: dict[str, pd.Series] = {}
    faults: list[Fault] = []
    for slot in layout.slots:
        if slot.expression:
            continue
        if slot.name not in given:
            if slot.required:
                faults.append(Fault(f"must be a column of the rows, but is not.{near(slot.name, given)}", slot.name, Place(path)))
            continue
        try:
            readout = notation.read(notation.settle(given[slot.name]), slot.form)
        except notation.UnsettledError as error:
            faults.append(Fault(f"must hold {PLURALS[slot.form.kind]}, but holds {error}", slot.name, Place(path)))
            continue
        columns[slot.name] = readout.values
        bad = readout.unread | infinite(readout.values)
        if slot.required and bad.any():
            row = int(np.argmax(bad))
            message = f"must hold {PLURALS[slot.form.kind]}, but {word} {numbers[row]} holds {shown(given[slot.name].iloc[row])}"
            faults.append(Fault(message, slot.name, Place(path, int(numbers[row]) if word == "line" else 0)))
    if faults:
        raise PisteError(*faults)
    for slot in layout.slots:
        if slot.expression and (slot.required or expression.columns(expression.parse(slot.expression)) <= columns.keys()):
            columns[slot.name] = pd.Series(added(slot.expression, pd.DataFrame(columns, index=range(len(frame)))))
    ordered = {slot.name: columns[slot.name] for slot in layout.slots if slot.name in columns}
    return pd.DataFrame(ordered, index=pd.RangeIndex(len(frame)))


def answered(
    layout: Layout, predict: Callable[[pd.DataFrame], pd.DataFrame], frame: pd.DataFrame, *, path: str = "", lines: np.ndarray | None = None
) -> pd.DataFrame:
    """Answer new rows, one line each: a model of several targets is asked for each of them.

    Args:
        layout: of the table.
        predict: (n, n_columns) typed rows, as the model knows them -> (n, ...) answers.
        frame: as `typed`.
        path: as `typed`.
        lines: as `typed`.

    Raises:
        PisteError: as `typed`.
    """
    rows = typed(layout, frame, path=path, lines=lines)
    return layout.melt.back(predict(layout.melt.rows(rows))) if layout.melt else predict(rows)


PLURALS = {
    "number": "numbers",
    "boolean": "yes or no",
    "datetime": "dates",
    "category": "texts",
    "identifier": "texts",
    "drop": "texts",
}


def _by_name(frame: pd.DataFrame, path: str) -> dict[str, pd.Series]:
    """Return the columns by name without blanks around it; a name given twice is refused."""
    names = [str(name).strip() for name in frame.columns]
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise PisteError(*(Fault("must be one column, but more have this name", name, Place(path)) for name in twice))
    return {name: frame.iloc[:, i] for i, name in enumerate(names)}


def infinite(values: pd.Series) -> np.ndarray:
    """Mark the numbers that no model can take: infinite, or so large that their squares are."""
    if not pd.api.types.is_float_dtype(values):
        return np.zeros(len(values), dtype=bool)
    huge: np.ndarray = np.abs(values.to_numpy()) > LARGEST
    return huge


def added(text: str, frame: pd.DataFrame) -> np.ndarray:
    """Compute an added column, (n_rows,) float.

    Raises:
        ExpressionError: the expression does not parse, or does not fit the columns.
    """
    with np.errstate(all="ignore"):  # what cannot be computed is missing or infinite, which the caller judges
        return np.asarray(expression.evaluate(expression.parse(text), frame), dtype=float)
