"""What is predicted: its kind, and its values as numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from piste.core import notation
from piste.core.data import Raw, Target
from piste.core.errors import Fault, PisteError, near
from piste.core.kinds import Trouble, infer
from piste.core.layout import PLURALS, infinite
from piste.core.notation import MISSING, MISSING_TEXT, Cells, Form, shown
from piste.core.problem import Problem, TargetKind

FEW = 10  # whole numbers with no more distinct values than this may be grades: not taken for a count
FAR = 1000  # whole numbers that never come below this are prices or years: not taken for a count
CLASSES = ("binary", "category", "ordered")
LEADING = re.compile(r"[^0-9+-]{0,2}([+-]?[0-9]+(?:\.[0-9]+)?)(?![0-9])")  # "18-25", "<50", "3 stars"
MOST_CLASSES = 1000
SHOWN = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """The target of every row that has one."""

    target: Target
    keep: np.ndarray  # (n_rows,) mask: rows with a target
    values: pd.Series  # (n_rows,) as a column of the table: float64, or the labels
    form: Form
    why: str


def read_target(problem: Problem, raw: Raw, values: pd.Series) -> Answer:
    """Read the target.

    Args:
        problem: names it, and may declare its kind.
        raw: the table as it was read; names places.
        values: (n_rows,) the target's cells.

    Raises:
        PisteError: it cannot be what it is said to be, or nothing can be learnt of it.
    """
    kind, own = _declared(problem), problem.data.missing
    form = infer(values, own, raw.decimal, raw.at)
    if kind in CLASSES:
        form = Form("category", (*MISSING_TEXT, *own))
    elif kind is not None and form.kind != "number":
        form = Form("number", (*MISSING, *own))
    if isinstance(form, Trouble):
        otherwise = ", or say `kind: category`" if form.mostly and not problem.target.columns else ""
        raise PisteError(_fault(problem, f"in {raw.path} {form.message}{otherwise}"))
    if form.kind == "datetime":
        raise PisteError(_fault(problem, "must be a number or a class, but holds dates. Predict a duration in days instead"))
    if problem.target.columns and form.kind != "number":
        raise PisteError(_fault(problem, f"must hold numbers, as all targets of a list do, but holds {PLURALS[form.kind]}"))
    return _numbers(problem, raw, values, form) if form.kind == "number" else _classes(problem, raw, values, form)


def read_targets(problem: Problem, raw: Raw, frame: pd.DataFrame) -> dict[str, Answer]:
    """Read the targets of a list, each a number.

    Args:
        problem: names them, and may declare the kind of all.
        raw: the table as it was read; names places.
        frame: (n_rows, n_columns) with the cells of the targets.

    Returns:
        The answer of each, by name. A row has all targets or counts for none: `keep` is the same in every answer.

    Raises:
        PisteError: a target is no number, or nothing can be learnt of it; the faults of all at once.
    """
    found, faults = {}, []
    for number, name in enumerate(problem.target.columns):
        one = problem.model_copy(update={"target": problem.target.model_copy(update={"column": name})})
        try:
            answer = read_target(one, raw, frame[name])
            if answer.target.labels:
                two = " and ".join(answer.target.labels)
                raise PisteError(
                    _fault(one, f"must hold numbers, but {two} are taken for classes. Say `kind: numeric` to predict them all the same")
                )
            found[name] = answer
        except PisteError as error:
            faults += [problem.fault(_place(problem, number), fault.message) for fault in error.faults]
    if faults:
        raise PisteError(*faults)
    keep = np.logical_and.reduce([answer.keep for answer in found.values()])
    for number, (name, answer) in enumerate(found.items()):
        if answer.values[keep].nunique() < 2:
            what = "must differ between the rows that hold every target" if keep.any() else "must stand in a row with all other targets"
            faults.append(problem.fault(_place(problem, number), f"'{name}' {what}, but does not"))
    if faults:
        raise PisteError(*faults)
    return {name: replace(answer, keep=keep) for name, answer in found.items()}


def _place(problem: Problem, number: int) -> str:
    return problem.written(f"target.columns.{number}", f"target.{number}")


def _declared(problem: Problem) -> TargetKind | None:
    """Return the kind that the problem says: classes whose order it gives are ordered."""
    return "ordered" if problem.target.order else problem.target.kind


def _fault(problem: Problem, message: str, field: str = "target") -> Fault:
    return problem.fault(field, f"'{problem.target.column}' {message}")


def _numbers(problem: Problem, raw: Raw, values: pd.Series, form: Form) -> Answer:
    readout = notation.read(values, form)
    numbers = readout.values.to_numpy()
    kind = problem.target.kind
    if readout.unread.any():
        row = int(np.argmax(readout.unread))
        message = f"must hold numbers for kind {kind}, but {_cells(readout.unread)} not: the first is {shown(values.iloc[row])}"
        otherwise = "" if problem.target.columns else ". For classes, say `kind: category`"
        raise PisteError(_fault(problem, f"{message} ({raw.at(row)}){otherwise}"))
    huge = infinite(readout.values)
    if huge.any():
        row = int(np.argmax(huge))
        raise PisteError(_fault(problem, f"must be finite and below 1e300, but is {numbers[row]:g} in {raw.at(row)}"))
    keep = _present(problem, raw, readout.values)
    seen = numbers[keep]
    distinct = np.unique(seen)
    whole, least = bool(np.all(distinct == np.round(distinct))), distinct[0]
    if kind == "count" and not (whole and least >= 0):
        wrong = keep & ~((numbers == np.round(numbers)) & (numbers >= 0))
        row = int(np.argmax(wrong))
        message = f"must hold whole numbers from 0 for kind count, but {_cells(wrong)} not: the first is {numbers[row]:g}"
        raise PisteError(_fault(problem, f"{message} ({raw.at(row)}). Say `kind: numeric`"))
    if kind is None and whole and len(distinct) == 2 and 1 < np.sum(seen == least) < len(seen) - 1:
        return _classes(problem, raw, values, Form("category", form.missing))
    if problem.target.positive is not None:
        raise PisteError(_fault(problem, "must be binary to have a positive class, but holds numbers", "target.positive"))
    kind = kind or ("count" if whole and 0 <= least < FAR and len(distinct) > FEW else "numeric")
    target = Target(problem.target.column, kind, seen.astype(float))
    return Answer(target, keep, readout.values, form, _why_number(problem, kind, distinct, whole=whole))


def _why_number(problem: Problem, kind: TargetKind, distinct: np.ndarray, *, whole: bool) -> str:
    span = f"{len(distinct):,} distinct values from {distinct[0]:g} to {distinct[-1]:g}"
    if problem.target.kind:
        return f"declared {kind}; {span}"
    if kind == "count":
        return f"count: whole numbers from 0, {span}"
    grades = "; if they are classes, say `kind: category`" if whole and len(distinct) <= FEW else ""
    return f"numeric: {span}{grades}"


def _present(problem: Problem, raw: Raw, values: pd.Series) -> np.ndarray:
    """Mark the rows with a target, and see that they differ."""
    keep: np.ndarray = values.notna().to_numpy()
    distinct = values[keep].unique()
    if len(distinct) == 0:
        raise PisteError(_fault(problem, f"must hold values, but every cell of it in {raw.path} is missing"))
    if len(distinct) == 1:
        raise PisteError(_fault(problem, f"must differ between rows to be predicted, but every row holds {shown(distinct[0])}"))
    return keep


def _classes(problem: Problem, raw: Raw, values: pd.Series, form: Form) -> Answer:
    if pd.api.types.is_float_dtype(values) or notation.as_text(values).str.fullmatch(r"\s*[+-]?[0-9]+\.[0-9]+\s*").any():
        _refuse_fractions(problem, raw, values, form)
    labels = notation.read(values, Form("category", form.missing)).values
    keep = _present(problem, raw, labels)
    _refuse_twins(problem, raw, notation.as_text(values).where(keep))
    counts = labels[keep].value_counts()
    if len(counts) > MOST_CLASSES:
        raise PisteError(
            _fault(
                problem, f"must hold at most {MOST_CLASSES:,} classes, but holds {len(counts):,}. Say `kind: numeric`, or merge rare ones"
            )
        )
    declared = _declared(problem)
    kind = declared or ("binary" if len(counts) == 2 else "category")
    if kind == "binary" and len(counts) != 2:
        raise PisteError(_fault(problem, f"must hold two classes for kind binary, but holds {len(counts)}: {_list(sorted(counts.index))}"))
    single = sorted(counts.index[counts == 1])
    if single:
        row = int(np.argmax((labels == single[0]).to_numpy()))
        message = (
            f"must hold at least two rows of every class, but {_list(single)} {'has' if len(single) == 1 else 'have'} one ({raw.at(row)})"
        )
        raise PisteError(_fault(problem, f"{message}. Merge rare classes, or leave them out by `data: {{missing: [{shown(single[0])}]}}`"))
    ordered = _in_order(problem, counts) if kind == "ordered" else _ordered(problem, counts)
    codes = pd.Categorical(labels[keep], categories=ordered).codes.astype(int)
    why = f"declared {kind}" if declared else f"{kind}: {len(counts)} classes"
    if kind == "ordered":
        why = f"{why}; from {shown(ordered[0])} up to {shown(ordered[-1])}"
    share = f"{shown(ordered[-1])} is the positive class, {counts[ordered[-1]] / counts.sum():.1%} of the rows"
    target = Target(problem.target.column, kind, codes, tuple(ordered))
    return Answer(target, keep, labels, Form("category", form.missing), f"{why}; {share}" if kind == "binary" else why)


def _refuse_fractions(problem: Problem, raw: Raw, values: pd.Series, form: Form) -> None:
    numbers = notation.read(values, Form("number", form.missing)).values.to_numpy()
    fractions = ~np.isnan(numbers) & (numbers != np.round(numbers))
    if fractions.any():
        row = int(np.argmax(fractions))
        raise PisteError(_fault(problem, f"must hold classes, but {numbers[row]:g} ({raw.at(row)}) is a fraction. Say `kind: numeric`"))


def _refuse_twins(problem: Problem, raw: Raw, texts: pd.Series) -> None:
    """Refuse labels that differ by case or blanks alone: one class, or a slip of the pen.

    A capital within a word, as in hId beside hid, is no slip: such a label is another class.
    """
    levels = Cells(pd.Series(pd.factorize(texts)[1], dtype="str"), pd.factorize(texts)[0])
    plain = levels.distinct.str.strip()
    usual = plain.str.islower() | plain.str.isupper() | (plain == plain.str.capitalize()) | (plain == plain.str.title())
    folded = plain.str.casefold().where(usual, plain)
    if not folded.duplicated().any():
        return
    second = int(np.argmax(folded.duplicated()))
    first = int(np.argmax(folded == folded[second]))
    pair = " and ".join(f"{shown(levels.distinct[i])} ({raw.at(levels.row(i))})" for i in (first, second))
    raise PisteError(_fault(problem, f"must spell every class in one way, but {pair} differ only by case or blanks"))


def _in_order(problem: Problem, counts: pd.Series) -> list[str]:
    """Return the classes of an ordered target, lowest first: as declared, or else by the numbers that they begin with."""
    order, seen = [*problem.target.order], sorted(counts.index)
    if order:
        faults = [
            problem.fault(
                f"target.order.{number}", f"must be a class of '{problem.target.column}', but no row is {shown(label)}.{near(label, seen)}"
            )
            for number, label in enumerate(order)
            if label not in seen
        ]
        if left := [label for label in seen if label not in order]:
            faults.append(
                problem.fault("target.order", f"must name every class of '{problem.target.column}', but leaves out {_list(left)}")
            )
        if faults:
            raise PisteError(*faults)
        return order
    leading = {label: LEADING.match(label) for label in seen}
    numbers = {label: float(match[1]) for label, match in leading.items() if match}
    if len(set(numbers.values())) < len(seen):
        raise PisteError(
            problem.fault("target.kind", f"must come with the order of the classes, lowest first: add `order: [{', '.join(seen[:SHOWN])}]`")
        )
    return sorted(seen, key=numbers.__getitem__)


def _ordered(problem: Problem, counts: pd.Series) -> list[str]:
    """Order classes by number or alphabet; of two, the positive one comes last."""
    labels = sorted(counts.index, key=lambda label: (0, float(label), label) if label.lstrip("+-").isdecimal() else (1, 0.0, label))
    positive = problem.target.positive
    if positive is None:
        rarer = labels[0] if counts[labels[0]] < counts[labels[1]] else labels[1]
        return labels if len(labels) != 2 or labels[1] == rarer else labels[::-1]
    if len(labels) != 2:
        raise PisteError(
            _fault(problem, f"must be binary to have a positive class, but holds {len(labels)}: {_list(labels)}", "target.positive")
        )
    wanted = notation.as_text(notation.settle(pd.Series([positive])))[0].strip()
    same = [label for label in labels if label == wanted] or [label for label in labels if label.casefold() == wanted.casefold()]
    if not same:
        raise PisteError(
            problem.fault(
                "target.positive", f"must be {' or '.join(shown(label) for label in labels)}, but is {shown(wanted)}.{near(wanted, labels)}"
            )
        )
    return [label for label in labels if label != same[0]] + same


def _cells(mask: np.ndarray) -> str:
    n = int(mask.sum())
    return f"{n:,} cell{'s do' if n > 1 else ' does'}"


def _list(labels: Sequence[str]) -> str:
    more = f" and {len(labels) - SHOWN} more" if len(labels) > SHOWN else ""
    return ", ".join(shown(label) for label in labels[:SHOWN]) + more
