"""What must be said of a table before it can be read at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from piste.core import notation
from piste.core.data import Raw, Table
from piste.core.draft.lines import Line
from piste.core.errors import PisteError
from piste.core.kinds import Trouble, infer
from piste.core.layout import infinite
from piste.core.notation import shown
from piste.core.problem import Problem
from piste.core.table import make_table

MARKS = {
    "none", "n.a.", "n.a", "na", "n/k", "nd", "n.d.", "nil", "missing", "unknown", "unbekannt", "not available", "not applicable", "empty",
    "tbd", "--", "---", ".", "..", "*", "x", "#value!", "#ref!", "#div/0!", "#null!", "#num!", "#name?",
}  # fmt: skip
MOST_RARE = 5  # classes of a single row that are left out


@dataclass(frozen=True, slots=True)
class Readable:
    """A table that can be read, with what had to be said for it."""

    table: Table
    lines: tuple[Line, ...]  # of `data` and `columns`


@dataclass(slots=True)
class _Said:
    data: dict[str, Any]
    columns: dict[str, str] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(self.data.get("missing", ()))


def read(raw: Raw, data: Mapping[str, Any], target: str, *, of_text: bool) -> Readable:
    """Find out what must be said of a table so that it can be read.

    Args:
        raw: the table as it was read.
        data: the `data` of the problem, written out: the path, and what has been said of the file.
        target: the column to predict.
        of_text: whether it comes from a text file, of which a decimal mark may be said.

    Raises:
        PisteError: nothing that may be said of it helps.
    """
    said = _Said(dict(data))
    while True:
        problem = Problem.model_validate({"data": said.data, "target": target, "columns": said.columns})
        try:
            table = make_table(problem, replace(raw, decimal=problem.data.decimal or raw.decimal))
        except PisteError as error:
            before = (dict(said.data), dict(said.columns))
            for fault in error.faults:
                _mend(said, raw, target, fault.field, of_text=of_text)
            if before == (said.data, said.columns):
                raise
            continue
        options = [Line(f"data.{key}", value, said.why.get(key, ""), said=True) for key, value in said.data.items()]
        kinds = [Line(f"columns.{name}", kind, said.why[name], said=True) for name, kind in said.columns.items()]
        return Readable(table, (*options, *kinds))


def _mend(said: _Said, raw: Raw, target: str, at: str, *, of_text: bool) -> None:
    """Say what a column needs, where anything helps: a decimal mark, a mark for missing cells, or how it is taken."""
    name = target if at.partition(".")[0] == "target" else at.removeprefix("columns.")
    if name not in raw.frame:
        return
    values = notation.settle(raw.frame[name])
    form = infer(values, said.missing, said.data.get("decimal") or raw.decimal, raw.at)
    if isinstance(form, Trouble):
        _settle(said, raw, target, name, values, form, of_text=of_text)
    elif name == target and form.kind in ("category", "boolean"):
        _leave_out(said, values)
    elif name != target and infinite(notation.read(values, form).values).any():
        said.columns[name] = "drop"
        said.why[name] = "holds numbers that no model can take"


def _settle(said: _Said, raw: Raw, target: str, name: str, values: pd.Series, trouble: Trouble, *, of_text: bool) -> None:
    cell = notation.as_text(values).iloc[trouble.row].strip()
    if of_text and "decimal" in trouble.message and "decimal" not in said.data:
        mark = "," if raw.decimal is None or "decimal comma" in trouble.message else "."
        said.data["decimal"] = mark
        said.why["decimal"] = f"{shown(cell)} in '{name}' may be read in two ways: say '{'.' if mark == ',' else ','}' where this is wrong"
    elif trouble.mostly and cell.casefold() in MARKS and cell not in said.missing:
        said.data["missing"] = [*said.missing, cell]
        said.why["missing"] = f"among {'dates' if trouble.kind == 'datetime' else 'numbers'} that stands for nothing, as in '{name}'"
    elif name != target:
        kind = "drop" if trouble.kind == "datetime" else "category"
        said.columns[name] = kind
        what = {"datetime": "dates", "number": "numbers", "boolean": "yes and no"}.get(trouble.kind, "values")
        taken = "left out until its dates are of one kind" if kind == "drop" else "taken as text"
        found = "may be read in two ways" if "may be" in trouble.message else f"is not as its other {what} are"
        said.why[name] = f"{shown(cell)} ({raw.at(trouble.row)}) {found}: {taken}"


def _leave_out(said: _Said, values: pd.Series) -> None:
    """Leave classes of a single row out, of which nothing can be learnt."""
    counts = notation.as_text(values).str.strip().value_counts()
    single = [str(label) for label in counts.index[counts == 1] if label not in said.missing]
    if single and len(single) <= MOST_RARE and (counts > 1).sum() > 1:
        said.data["missing"] = [*said.missing, *single]
        said.why["missing"] = "classes of one row, of which nothing can be learnt"
