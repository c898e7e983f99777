"""From a table as it was read to typed columns, each with its role and the reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from piste.core import expression, notation
from piste.core.data import Column, Raw, Table, Target
from piste.core.errors import Fault, PisteError, Place
from piste.core.kinds import Decimal, Trouble, decimal_mark, infer, what
from piste.core.layout import PLURALS, Layout, Slot, added, infinite
from piste.core.levels import cut, cuts_of
from piste.core.melt import OUTPUT, ROW, Melt, targets
from piste.core.notation import MISSING, MISSING_TEXT, Form, shown
from piste.core.problem import ColumnKind, Problem, TargetKind
from piste.core.references import check_references, used
from piste.core.roles import assign, late_columns
from piste.core.target import Answer, read_target, read_targets


def make_table(problem: Problem, raw: Raw) -> Table:
    """Type the columns of a table, and decide what each is for.

    Where the problem has several targets, the table is long: a row for each row of the source and each target. It is
    asked as `melt.settled` says.

    Args:
        problem: as its author wrote it.
        raw: its rows as they were read.

    Raises:
        PisteError: the problem and the table do not fit each other; all faults of a stage at once.
    """
    if len(raw.frame) < 2:
        raise PisteError(
            Fault(f"must hold at least 2 rows below the names, but holds {len(raw.frame)}", "", Place(raw.path, raw.header_line))
        )
    _raise(check_references(problem, raw))
    raw = replace(raw, decimal=raw.decimal or _decimal(problem, raw))
    frame, forms = _typed(problem, raw)
    answers = _answers(problem, raw, frame)
    frame = frame.assign(**{name: answer.values for name, answer in answers.items()})
    forms |= {name: answer.form for name, answer in answers.items()}
    keep = next(iter(answers.values())).keep
    raw = replace(raw, lines=raw.lines[keep])
    frame = frame[keep].reset_index(drop=True)
    _raise(_duties(problem, raw, frame))
    late = late_columns(problem)
    columns = tuple(assign(problem, values, forms[str(name)], answers, late) for name, values in frame.items())
    if not any(column.role == "feature" for column in columns):
        reasons = "; ".join(f"{column.name}: {column.why}" for column in columns if column.role != "target")
        raise PisteError(problem.fault("data", f"must have a column to learn from beside the target, but has none. {reasons}".strip()))
    table = Table(
        frame=frame,
        columns=columns,
        target=next(iter(answers.values())).target,
        weight=frame[problem.weight].to_numpy(dtype=float) if problem.weight else np.ones(len(frame)),
        digest=raw.digest,
        notes=(*raw.notes, *_notes(raw, frame, answers, forms)),
        layout=_layout(problem, columns, forms),
        lines=raw.lines,
        unanswered=int((~keep).sum()),
    )
    if problem.target.columns:
        return _melted(problem, raw, table, answers)
    return replace(table, target=cut(problem, raw, frame, table.target, late)) if problem.target.levels else table


def _answers(problem: Problem, raw: Raw, frame: pd.DataFrame) -> dict[str, Answer]:
    """Read the target, or all targets, by name."""
    if problem.target.columns:
        return read_targets(problem, raw, frame)
    return {problem.target.column: read_target(problem, raw, frame[problem.target.column])}


def _melted(problem: Problem, raw: Raw, table: Table, answers: Mapping[str, Answer]) -> Table:
    """Return the long table of several targets: a row for each row and target."""
    name, names, declared = problem.target.column, tuple(answers), problem.target.kind
    kind: TargetKind = "count" if declared == "count" or all(each.target.kind == "count" for each in answers.values()) else "numeric"
    one_unit = problem.decision is not None or declared == "count"  # which the problem itself speaks of
    melt = Melt.plain(names) if one_unit else Melt.alike(table.frame[[*names]])
    frame = melt.rows(table.frame.drop(columns=[*names]), raw.lines)
    frame[name] = values = melt.values(table.frame)
    listed = f"{', '.join(names[:-1])} and {names[-1]}"
    unit = "each in its own unit" if one_unit else "each in standard deviations from its mean, so that all count alike"
    return replace(
        table,
        frame=frame,
        columns=(
            *(column for column in table.columns if column.role != "target"),
            Column(ROW, "identifier", "identifier", f"the {raw.word} that a row comes from; left out"),
            Column(OUTPUT, "category", "feature", f"which target a row is of: {listed}"),
            Column(name, "number", "target", f"{listed}, {unit}"),
        ),
        target=Target(name, kind if one_unit else "numeric", values),
        weight=np.repeat(table.weight, len(names)),
        notes=(*table.notes, f"{len(names)} targets: every row is {len(names)} rows, {unit}; they stand or fall together"),
        layout=replace(table.layout, melt=melt),
        lines=np.repeat(raw.lines, len(names)),
    )


def _raise(faults: list[Fault]) -> None:
    if faults:
        raise PisteError(*faults)


def _decimal(problem: Problem, raw: Raw) -> Decimal:
    texts = (values for _, values in raw.frame.items() if isinstance(values.dtype, pd.StringDtype))
    return decimal_mark(texts, problem.data.missing)


def _typed(problem: Problem, raw: Raw) -> tuple[pd.DataFrame, dict[str, Form]]:
    """Type every column, and compute the added ones; the target is left as it came, since it has rules of its own."""
    wanted = targets(problem)
    sources = {name for text in problem.add.values() for name in used(str(text))}
    columns: dict[str, pd.Series] = {}
    forms: dict[str, Form] = {}
    faults: list[Fault] = []
    for name, cells_of in raw.frame.items():
        values = notation.settle(cells_of)
        if name in wanted and name not in sources:
            columns[name] = values
            continue
        try:
            columns[name], forms[name] = _read_column(problem, raw, str(name), values)
        except PisteError as error:
            unseen = problem.columns.get(str(name)) == "drop" or name in problem.known_at.after
            if unseen and name not in (*sources, problem.weight, problem.time):
                forms[name] = Form("category", (*MISSING_TEXT, *problem.data.missing))
                columns[name] = notation.read(values, forms[name]).values
            else:
                faults += error.faults
    there = [name for name in wanted if name in raw.frame]
    if faults and len(there) == len(wanted):
        faults += _target_faults(problem, raw)
    _raise(faults)
    frame, faults = _add(problem, raw, pd.DataFrame(columns))
    _raise(faults)
    frame = frame.assign(**{name: notation.settle(raw.frame[name]) for name in there})
    return frame, {**forms, **{name: Form("number") for name in problem.add}}


def _target_faults(problem: Problem, raw: Raw) -> tuple[Fault, ...]:
    """Judge the target too where other columns have failed, so that all is said at once."""
    try:
        _answers(problem, raw, pd.DataFrame({name: notation.settle(raw.frame[name]) for name in targets(problem)}))
    except PisteError as error:
        return error.faults
    return ()


def _read_column(problem: Problem, raw: Raw, name: str, values: pd.Series) -> tuple[pd.Series, Form]:
    declared = problem.columns.get(name)
    if name == problem.weight or name == problem.time:
        declared = "number" if name == problem.weight else "datetime"
    form = infer(values, problem.data.missing, raw.decimal, raw.at)
    if declared not in (None, "drop"):
        form = _declare(declared, form, values, problem.data.missing)
    if isinstance(form, Trouble):
        otherwise = f", or declare the column by `columns: {{{name}: category}}`" if form.mostly else ""
        raise PisteError(Fault(f"{form.message}{otherwise}", name, _place(raw, form.row)))
    readout = notation.read(values, form)
    bad = readout.unread | infinite(readout.values)
    if bad.any():
        raise PisteError(_unread(problem, raw, name, form, values, bad))
    return readout.values, form


def _declare(declared: ColumnKind, form: Form | Trouble, values: pd.Series, missing: tuple[str, ...]) -> Form | Trouble:
    """Return the form of a declared kind: as inferred where it fits, else the plainest of that kind."""
    if form.kind == declared:
        return form  # of a trouble too: it says better what is wrong with numbers, or with dates
    if declared == "datetime" and notation.as_text(values).str.fullmatch(r"\d{8}").any():
        return Form("datetime", (*MISSING, *missing), date="%Y%m%d")
    return Form(declared, (*(MISSING if declared in ("number", "datetime") else MISSING_TEXT), *missing))


def _unread(problem: Problem, raw: Raw, name: str, form: Form, values: pd.Series, bad: np.ndarray) -> Fault:
    """Word that cells do not hold what the column is declared, or inferred, to hold."""
    row, count = int(np.argmax(bad)), int(bad.sum())
    tail = f"{count:,} of {len(bad):,} cells {'does' if count == 1 else 'do'} not: the first is {shown(values.iloc[row])} ({raw.at(row)})"
    if form.kind == "number" and not notation.read(values, form).unread.any():
        message = f"must hold finite numbers below 1e300, but {tail}. Mark it missing by `data: {{missing: [{shown(values.iloc[row])}]}}`"
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


def _duties(problem: Problem, raw: Raw, frame: pd.DataFrame) -> list[Fault]:
    """Check the columns that the problem gives a duty."""
    faults = _weight_faults(problem, raw, frame[problem.weight].to_numpy(dtype=float)) if problem.weight else []
    for field, name in {"time": problem.time, "split.by": problem.split.by, "split.together": problem.split.together}.items():
        if name in frame and frame[name].isna().any():
            absent = frame[name].isna().to_numpy()
            where = f"{int(absent.sum()):,} of them, the first in {raw.at(int(np.argmax(absent)))}"
            faults.append(problem.fault(field, f"must hold a value in every row, but '{name}' is missing in {where}"))
    unit = [name for name in problem.unit if name in frame]  # all but those that a long table will have
    if OUTPUT in problem.unit and unit == [problem.time]:
        unit = []  # the time of each target's values, which `settled` puts where the author named no unit
    return [*faults, *(_unit_faults(problem, raw, frame, unit) if unit else [])]


def _weight_faults(problem: Problem, raw: Raw, weight: np.ndarray) -> list[Fault]:
    wrong = ~(weight >= 0)  # NaN among them
    if wrong.any():
        row = int(np.argmax(wrong))
        found = "missing" if np.isnan(weight[row]) else f"{weight[row]:g}"
        return [problem.fault("weight", f"must be a number >= 0 in every row, but '{problem.weight}' is {found} in {raw.at(row)}")]
    if not weight.any():
        return [problem.fault("weight", f"must be above 0 in some row, but '{problem.weight}' is 0 in every row")]
    return []


def _unit_faults(problem: Problem, raw: Raw, frame: pd.DataFrame, unit: list[str]) -> list[Fault]:
    keys = frame[unit]
    again = keys.duplicated().to_numpy()
    if not again.any():
        return []
    second = int(np.argmax(again))
    alike = (keys == keys.iloc[second]) | (keys.isna() & keys.iloc[second].isna())
    first = int(np.argmax(alike.all(axis=1)))
    pair = f"{raw.word}s {raw.lines[first]} and {raw.lines[second]}"
    values = " and ".join(f"{name} {shown(value)}" for name, value in keys.iloc[second].items())
    more = f" ({int(again.sum()):,} rows repeat an earlier one)" if again.sum() > 1 else ""
    telling = _telling(problem, frame[keys.duplicated(keep=False)], unit)
    tip = f"Add the column that tells them apart{f', such as {telling!r}' if telling else ''}"
    return [problem.fault("unit", f"must name one row each, but {pair} are both {values}{more}. {tip}", "F07")]


def _telling(problem: Problem, frame: pd.DataFrame, unit: list[str]) -> str | None:
    """Return the first column that is no measurement and tells rows of one name apart; None where there is none."""
    for name in frame:
        if name in (*unit, *targets(problem), problem.weight):
            continue
        measured = frame[name].dtype.kind == "f" and not (frame[name] == frame[name].round()).all()
        if not measured and not frame[[*unit, name]].duplicated().any():
            return str(name)
    return None


def _notes(raw: Raw, frame: pd.DataFrame, answers: Mapping[str, Answer], forms: dict[str, Form]) -> list[str]:
    notes = []
    gone = int((~next(iter(answers.values())).keep).sum())
    if gone:
        notes.append(f"{gone:,} row{'s' * (gone > 1)} without {'a target' if len(answers) == 1 else 'every target'} left out")
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
    usable = [column for column in columns if column.role not in ("target", "after")]
    slots = tuple(Slot(column.name, forms[column.name], str(problem.add.get(column.name, ""))) for column in usable)
    needed = [column.name for column in usable if column.role == "feature"]
    cuts = cuts_of(problem)
    always = tuple(sorted(cuts.columns)) if cuts else ()
    return Layout(slots, always).requiring([*needed, *([problem.time] if problem.time in {column.name for column in usable} else [])])
