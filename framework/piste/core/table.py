"""From a table as it was read to typed columns, each with its role and the reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from piste.core import cells, expression
from piste.core.cells import MISSING, MISSING_TEXT, Form
from piste.core.data import Column, Raw, Role, Table
from piste.core.errors import Fault, PisteError, Place, near
from piste.core.kinds import Decimal, Trouble, decimal_mark, infer, what
from piste.core.layout import PLURALS, Layout, Slot, added, infinite
from piste.core.problem import ColumnKind, Problem
from piste.core.split import PERIODS
from piste.core.target import Answer, read_target

DIFFERING = 0.95  # a text of which more cells differ names its row
ENOUGH = 20  # fewer rows than this say nothing about identifiers


def make_table(problem: Problem, raw: Raw) -> Table:
    """Type the columns of a table, and decide what each is for.

    Raises:
        PisteError: the problem and the table do not fit each other; all faults of a stage at once.
    """
    if len(raw.frame) < 2:
        raise PisteError(
            Fault(f"must hold at least 2 rows below the names, but holds {len(raw.frame)}", "", Place(raw.path, raw.header_line))
        )
    _raise([*_names(problem, raw), *_expressions(problem, raw)])
    raw = replace(raw, decimal=raw.decimal or _decimal(problem, raw))
    columns, faults = _read_columns(problem, raw)
    _raise(faults)
    frame = pd.DataFrame({name: values for name, (values, _) in columns.items()})
    forms = {name: form for name, (_, form) in columns.items()}
    late = _late(problem)
    frame, faults = _add(problem, raw, frame)
    _raise(faults)
    name = problem.target.column
    answer = read_target(problem, raw, frame[name] if name in problem.add else cells.settle(raw.frame[name]))
    forms |= {added_name: Form("number") for added_name in problem.add} | {name: answer.form}
    frame[name] = answer.values
    raw = replace(raw, lines=raw.lines[answer.keep])
    frame = frame[answer.keep].reset_index(drop=True)
    _raise(_checks(problem, raw, frame))
    kept = tuple(_column(problem, frame[str(column)], forms[str(column)], answer, late) for column in frame)
    if not any(column.role == "feature" for column in kept):
        reasons = "; ".join(f"{column.name}: {column.why}" for column in kept if column.role != "target")
        raise PisteError(problem.fault("data", f"must have a column to learn from beside the target, but has none. {reasons}".strip()))
    return Table(
        frame=frame,
        columns=kept,
        target=answer.target,
        weight=frame[problem.weight].to_numpy(dtype=float) if problem.weight else np.ones(len(frame)),
        digest=raw.digest,
        notes=(*raw.notes, *_notes(raw, frame, answer, forms)),
        layout=_layout(problem, kept, forms),
    )


def _raise(faults: list[Fault]) -> None:
    if faults:
        raise PisteError(*faults)


def _names(problem: Problem, raw: Raw) -> list[Fault]:
    """Find every name in the problem that the table does not have, or that stands where it must not."""
    known = [str(name) for name in raw.frame.columns]
    every = [*known, *problem.add]
    period = problem.split.by in PERIODS and problem.time is not None
    wanted = [
        *_named("target.column", "target", [problem.target.column], every),
        *_named("weight", "weight", [problem.weight], every),
        *_named("time", "time", [problem.time], known),
        *_named("split.by", "split.by", [] if period else [problem.split.by], every),
        *_named("split.together", "split.together", [problem.split.together], every),
        *((f"columns.{name}", "columns", name, every) for name in problem.columns),
        *(item for field in ("unit", "known_at.always", "known_at.decision", "known_at.after") for item in _listed(problem, field, every)),
    ]
    faults = [
        replace(
            problem.fault(place, f"no column '{name}' in {raw.path} ({raw.word} {raw.header_line}).{_closest(name, choices)}"), field=field
        )
        for place, field, name, choices in wanted
        if name not in choices
    ]
    target = problem.target.column
    taken = {"weight": problem.weight, "time": problem.time, "split.by": problem.split.by, "split.together": problem.split.together}
    faults += [problem.fault(field, f"must not be the target '{target}'") for field, name in taken.items() if name == target]
    faults += [
        problem.fault(field, f"must not name the target '{target}': it is what is predicted")
        for field, names in {
            "unit": problem.unit,
            "known_at.always": problem.known_at.always,
            "known_at.decision": problem.known_at.decision,
            "columns": tuple(problem.columns),
        }.items()
        if target in names
    ]
    early = {*problem.known_at.always, *problem.known_at.decision}
    faults += [
        problem.fault("known_at.after", f"must not name '{name}': it is listed as known before too")
        for name in problem.known_at.after
        if name in early
    ]
    faults += [
        problem.fault(f"add.{name}", f"must have a new name, but {raw.path} has a column '{name}'") for name in problem.add if name in known
    ]
    return faults


def _named(place: str, field: str, names: list[str | None], choices: list[str]) -> list[tuple[str, str, str, list[str]]]:
    return [(place, field, name, choices) for name in names if name is not None]


def _listed(problem: Problem, field: str, choices: list[str]) -> list[tuple[str, str, str, list[str]]]:
    names: Iterable[str] = problem.unit if field == "unit" else getattr(problem.known_at, field.rpartition(".")[2])
    return [(f"{field}.{i}", field, name, choices) for i, name in enumerate(names)]


def _closest(name: str, choices: list[str]) -> str:
    guess = near(name, choices)
    if guess or not choices:
        return guess
    shown = ", ".join(f"'{choice}'" for choice in choices[:10])
    return f" There are {shown}{f' and {len(choices) - 10} more' if len(choices) > 10 else ''}"


def _decimal(problem: Problem, raw: Raw) -> Decimal:
    texts = (values for _, values in raw.frame.items() if isinstance(values.dtype, pd.StringDtype))
    return decimal_mark(texts, problem.data.missing)


def _read_columns(problem: Problem, raw: Raw) -> tuple[dict[str, tuple[pd.Series, Form]], list[Fault]]:
    """Type every column but the target, which has rules of its own."""
    sources = {name for text in problem.add.values() for name in _sources(str(text))}
    found: dict[str, tuple[pd.Series, Form]] = {}
    faults: list[Fault] = []
    for name in map(str, raw.frame.columns):
        unseen = problem.columns.get(name) == "drop" or name in problem.known_at.after or name == problem.target.column
        try:
            found[name] = _read_column(problem, raw, name, cells.settle(raw.frame[name]))
        except PisteError as error:
            if not unseen or name in sources:
                faults += error.faults
            else:
                text = Form("category", (*MISSING_TEXT, *problem.data.missing))
                found[name] = (cells.read(cells.settle(raw.frame[name]), text).values, text)
    return found, faults


def _read_column(problem: Problem, raw: Raw, name: str, values: pd.Series) -> tuple[pd.Series, Form]:
    declared = problem.columns.get(name)
    if name == problem.weight or name == problem.time:
        declared = "number" if name == problem.weight else "datetime"
    form = infer(values, problem.data.missing, raw.decimal, raw.at)
    if declared not in (None, "drop"):
        form = _declare(declared, form, values, problem.data.missing)
    if isinstance(form, Trouble):
        message = form.message.replace("NAME", name)
        raise PisteError(Fault(message, name, _place(raw, form.row)))
    readout = cells.read(values, form)
    bad = readout.unread | infinite(readout.values)
    if bad.any():
        raise PisteError(_unread(problem, raw, name, form, values, bad))
    return readout.values, form


def _declare(declared: ColumnKind, form: Form | Trouble, values: pd.Series, missing: tuple[str, ...]) -> Form | Trouble:
    """Return the form of a declared kind: as inferred where it fits, else the plainest of that kind."""
    if isinstance(form, Form) and form.kind == declared:
        return form
    if isinstance(form, Trouble) and declared in ("number", "datetime") and form.message.startswith(("must be", "must say")):
        return form  # more than one reading: declaring the kind does not tell which
    if declared == "datetime" and cells.as_text(values).str.fullmatch(r"\d{8}").any():
        return Form("datetime", (*MISSING, *missing), date="%Y%m%d")
    return Form(declared, (*(MISSING if declared in ("number", "datetime") else MISSING_TEXT), *missing))


def _unread(problem: Problem, raw: Raw, name: str, form: Form, values: pd.Series, bad: np.ndarray) -> Fault:
    """Word that cells do not hold what the column is declared, or inferred, to hold."""
    row, count = int(np.argmax(bad)), int(bad.sum())
    tail = f"{count:,} of {len(bad):,} cells {'does' if count == 1 else 'do'} not: the first is '{values.iloc[row]}' ({raw.at(row)})"
    if form.kind == "number" and not cells.read(values, form).unread.any():
        message = f"must hold finite numbers below 1e300, but {tail}. Mark it missing by `data: {{missing: ['{values.iloc[row]}']}}`"
        return Fault(message, name, _place(raw, row))
    message = f"must hold {PLURALS[form.kind]}, but {tail}"
    if name == problem.time:
        form_of_dates = "Write its cells as year-month-day, such as 2020-12-31 or 2020-12-31 18:00"
        return problem.fault("time", f"'{name}' in {raw.path} {message}. {form_of_dates}")
    field = "weight" if name == problem.weight else f"columns.{name}"
    return problem.fault(field, f"{message}. Mark what is none by `data: {{missing: [...]}}`, or declare another kind")


def _place(raw: Raw, row: int) -> Place:
    """Return where a row stands, as editors count; of a source without lines, the source."""
    return Place(raw.path, int(raw.lines[row]) if raw.word == "line" else 0)


def _sources(text: str) -> set[str]:
    """Return the columns that an expression uses; none where it does not parse, which is reported elsewhere."""
    try:
        return expression.columns(expression.parse(text))
    except expression.ExpressionError:
        return set()


def _expressions(problem: Problem, raw: Raw) -> list[Fault]:
    """Find the added columns that cannot be computed: from the table and those before them, of the row alone."""
    faults = []
    known, later = list(map(str, raw.frame.columns)), list(problem.add)
    for name, written in problem.add.items():
        later.remove(name)
        field, text = f"add.{name}", str(written)
        try:
            parsed = expression.parse(text)
        except expression.ExpressionError as error:
            faults.append(problem.fault(field, f"must be an expression, but {error}"))
            continue
        if expression.aggregates(parsed) or expression.lags(parsed):
            faults.append(
                problem.fault(field, f"must be computed from the row alone, but '{text}' looks at other rows: only baselines may")
            )
        faults += [
            problem.fault(field, f"names '{column}', which is added further down: move it up")
            if column in later
            else problem.fault(field, f"names a column '{column}' that {raw.path} does not have.{_closest(column, known)}")
            for column in sorted(expression.columns(parsed) - {*known})
        ]
        known.append(name)
    return faults


def _add(problem: Problem, raw: Raw, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[Fault]]:
    """Compute the added columns, in the order of the file."""
    frame, faults = frame.copy(), []
    for name, written in problem.add.items():
        try:
            frame[name] = added(str(written), frame)
        except expression.ExpressionError as error:
            faults.append(problem.fault(f"add.{name}", f"must fit its columns, but {error}"))
            frame[name] = np.nan  # so that those computed from it are judged too
        huge = infinite(frame[name])
        if huge.any():
            row = int(np.argmax(huge))
            faults.append(problem.fault(f"add.{name}", f"must stay below 1e300, but is {frame[name].iloc[row]:g} in {raw.at(row)}"))
    return frame, faults


def _late(problem: Problem) -> dict[str, str]:
    """Return the columns that are known only after, each with the reason.

    What is computed from such a column, or from the target, is known no earlier. What the target is computed from gives
    it away, unless the problem says that it is known before.
    """
    early = {*problem.known_at.always, *problem.known_at.decision}
    target = problem.target.column
    late = dict.fromkeys(problem.known_at.after, "known only after")
    if target in problem.add:
        late |= dict.fromkeys(_sources(str(problem.add[target])) - early, "known only after: the target is computed from it")
    for name, text in problem.add.items():
        causes = sorted(_sources(str(text)) & {*late, target})
        if causes and name != target:
            late.setdefault(name, f"known only after: computed from '{causes[0]}'")
    return late


def _checks(problem: Problem, raw: Raw, frame: pd.DataFrame) -> list[Fault]:
    """Check the columns that the problem gives a duty."""
    faults: list[Fault] = []
    if problem.weight:
        weight = frame[problem.weight].to_numpy(dtype=float)
        wrong = ~(weight >= 0)
        if wrong.any():
            row = int(np.argmax(wrong))
            shown = "missing" if np.isnan(weight[row]) else f"{weight[row]:g}"
            faults.append(problem.fault("weight", f"must be a number >= 0 in every row, but is {shown} in {raw.at(row)}"))
        elif not weight.any():
            faults.append(problem.fault("weight", "must be above 0 in some row, but is 0 in every row"))
    for field, name in {"time": problem.time, "split.by": problem.split.by, "split.together": problem.split.together}.items():
        if name in frame and frame[name].isna().any():
            absent = frame[name].isna().to_numpy()
            where = f"{int(absent.sum()):,} of them, the first in {raw.at(int(np.argmax(absent)))}"
            faults.append(problem.fault(field, f"must hold a value in every row, but '{name}' is missing in {where}"))
    if problem.unit:
        keys = frame[list(problem.unit)]
        again = keys.duplicated()
        if again.any():
            second = int(np.argmax(again))
            first = int(np.argmax((keys.isna() & keys.iloc[second].isna() | (keys == keys.iloc[second])).all(axis=1)))
            shown = " and ".join(f"{name} {_shown(value)}" for name, value in keys.iloc[second].items())
            message = f"must name one row each, but {raw.word}s {raw.lines[first]} and {raw.lines[second]} are both {shown}"
            more = f" ({int(again.sum()):,} rows repeat an earlier one)" if again.sum() > 1 else ""
            faults.append(problem.fault("unit", f"{message}{more}. Add the column that tells them apart"))
    return faults


def _shown(value: object) -> str:
    if isinstance(value, pd.Timestamp):
        return str(value.date() if value == value.normalize() else value)
    return f"{value:g}" if isinstance(value, float) else f"'{value}'"


def _column(problem: Problem, values: pd.Series, form: Form, answer: Answer, late: dict[str, str]) -> Column:
    """Decide what a column is for."""
    name, declared, known = str(values.name), problem.columns.get(str(values.name)), problem.known_at
    kind = form.kind
    described = _described(problem, name, values, form)
    role: Role = "feature"
    distinct = int(values.nunique())
    full = values.notna().all()
    early = name in known.always or name in known.decision
    if name == problem.target.column:
        role, described = "target", answer.why
    elif name == problem.weight:
        role, described = "weight", "weight of the row"
    elif name in late:
        role, described = "after", f"{late[name]}; never shown to a model"
    elif declared == "drop":
        role, described = "dropped", "left out: columns says drop"
    elif (
        name in (problem.split.by, problem.split.together) and name != problem.time and (problem.split.scheme == "predefined" or not early)
    ):
        duty = "by" if name == problem.split.by else "together"
        role, described = "split", f"{described}; sets rows apart (split.{duty}), so not shown to a model"
    elif distinct == 0:
        role, described = "dropped", "every cell is missing; left out"
    elif distinct == 1 and full:
        role, described = "dropped", f"every row holds {_shown(values.iloc[0])}; left out"
    elif declared == "identifier" or (declared is None and not early and name not in problem.add and (why := _identifies(values, kind))):
        kind, role = "identifier", "identifier"
        described = "declared identifier; left out" if declared else f"identifier: {why}; left out"
    return Column(name, kind, role, described)


def _described(problem: Problem, name: str, values: pd.Series, form: Form) -> str:
    """Say what a column holds: "number: 713 distinct values, 12 missing"."""
    distinct, missing = int(values.nunique()), int(values.isna().sum())
    plural = "s" * (distinct != 1)
    holds = {
        "number": f"{distinct:,} distinct value{plural}",
        "datetime": f"{distinct:,} distinct date{plural}",
        "boolean": "yes and no",
    }.get(form.kind, f"text, {distinct:,} level{plural}")
    start = f"added as {problem.add[name]}" if name in problem.add else f"{'declared ' * (name in problem.columns)}{form.kind}"
    return ", ".join(filter(None, [f"{start}: {holds}", what(form.kind, form), f"{missing:,} missing" if missing else ""]))


def _identifies(values: pd.Series, kind: ColumnKind) -> str:
    """Tell why a column does no more than name its row; empty where it does more."""
    present = values.dropna()
    if len(present) <= ENOUGH:
        return ""
    if kind == "category":
        distinct = present.nunique()
        if distinct == len(present):
            return "every value differs"
        return f"{distinct / len(present):.0%} of the values differ" if distinct > DIFFERING * len(present) else ""
    counting = kind == "number" and len(present) == len(values) and values.iloc[0] in (0, 1)
    return "counts the rows" if counting and np.array_equal(values, np.arange(len(values)) + values.iloc[0]) else ""


def _notes(raw: Raw, frame: pd.DataFrame, answer: Answer, forms: dict[str, Form]) -> list[str]:
    notes = []
    gone = int((~answer.keep).sum())
    if gone:
        notes.append(f"{gone:,} row{'s' * (gone > 1)} without a target left out")
    twice = int(frame.duplicated().sum())
    if twice:
        notes.append(f"{twice:,} of {len(frame):,} rows repeat an earlier row in every column")
    for name, form in forms.items():
        if form.kind == "number" and (said := what(form.kind, form)):
            notes.append(f"{name}: {said}")
        if form.offset:
            notes.append(f"{name}: times are on the clock {'of UTC' if form.offset == '+00:00' else 'UTC' + form.offset}")
    return notes


def _layout(problem: Problem, columns: tuple[Column, ...], forms: dict[str, Form]) -> Layout:
    """Lay out what new rows bring: features and the time, what they are computed from, and what a rule may look at."""
    usable = [column for column in columns if column.role not in ("target", "weight", "after")]
    slots = tuple(Slot(column.name, forms[column.name], str(problem.add.get(column.name, ""))) for column in usable)
    needed = [column.name for column in usable if column.role == "feature"]
    return Layout(slots).requiring([*needed, *([problem.time] if problem.time in {column.name for column in usable} else [])])
