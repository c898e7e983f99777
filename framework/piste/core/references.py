"""Whether the table has every column that a problem names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from piste.core import expression
from piste.core.data import Raw
from piste.core.errors import Fault, near
from piste.core.melt import OUTPUT, ROW
from piste.core.problem import Problem
from piste.core.split import PERIODS

SHOWN = 10


def check_references(problem: Problem, raw: Raw) -> list[Fault]:
    """Find every column that the problem names, outright or in an added column's expression, and the table does not have."""
    return [*absent(problem, raw).values(), *_taken(problem, raw), *_expressions(problem, raw)]


def used(text: str) -> set[str]:
    """Return the columns that an expression uses."""
    return expression.columns(expression.parse(text))


def says_of(problem: Problem, name: str) -> bool:
    """Tell whether an expression of the problem names a column: of an added column, a baseline, the levels, or a framing."""
    texts = [*problem.add.values(), *problem.baselines.values(), *(text for _, text in _of_rows(problem))]
    return any(name in used(str(text)) for text in texts)


def absent(problem: Problem, raw: Raw) -> dict[str, Fault]:
    """Return what is wrong with each field that names a column outright: by its whole name, such as "known_at.after.1"."""
    table = list(map(str, raw.frame.columns))
    known = {*table, *problem.add, *((ROW, OUTPUT) if problem.target.columns else ())}
    faults: dict[str, Fault] = {}
    for place, field, name in _named(problem):
        if field == "split.by" and name in PERIODS and name not in known:
            if problem.time is None:
                message = f"must be a column, or come with the line `time: COLUMN` that says when: '{name}' is a period"
                faults[place] = problem.fault(place, message)
        elif name not in known or (field == "time" and name in problem.add):  # an expression gives numbers, not times
            message = f"no column '{name}' in {raw.path} ({raw.word} {raw.header_line}).{closest(name, [*table, *problem.add])}"
            faults[place] = replace(problem.fault(place, message), field=field)
    return faults


def _named(problem: Problem) -> Iterator[tuple[str, str, str]]:
    """Yield every column that the problem names: its place, the field in words, and the name."""
    if problem.target.columns:
        for number, name in enumerate(problem.target.columns):
            yield problem.written(f"target.{number}", f"target.columns.{number}"), "target", name
    else:
        yield "target.column", "target", problem.target.column
    single = {"weight": problem.weight, "time": problem.time, "split.by": problem.split.by, "split.together": problem.split.together}
    yield from ((field, field, name) for field, name in single.items() if name is not None)
    yield from ((f"columns.{name}", "columns", name) for name in problem.columns)
    known = problem.known_at
    for field, names in {
        "unit": problem.unit,
        "known_at.always": known.always,
        "known_at.decision": known.decision,
        "known_at.after": known.after,
    }.items():
        yield from ((f"{field}.{number}", field, name) for number, name in enumerate(names))
    if problem.slices is not None:
        for number, name in enumerate(problem.slices.columns):
            yield problem.written(f"slices.{number}", f"slices.columns.{number}"), "slices", name
    if problem.decision is not None and problem.decision.budget is not None:
        for number, name in enumerate(problem.decision.budget.per):
            yield f"decision.budget.per.{number}", "decision.budget.per", name


def _taken(problem: Problem, raw: Raw) -> list[Fault]:
    """Find the names that the long table of several targets gives to columns of its own."""
    if not problem.target.columns:
        return []
    own = {ROW: "the row that it comes from", OUTPUT: "which target a row is of", problem.target.column: "the values of all targets"}
    return [
        problem.fault("target", f"must leave the name '{name}' free, which is given to {what}, but {raw.path} has such a column: rename it")
        for name, what in own.items()
        if name in raw.frame or name in problem.add
    ]


def closest(name: str, choices: Sequence[str]) -> str:
    """Name the closest choice, as the end of a message; where none is close, the first few."""
    guess = near(name, choices)
    if guess or not choices:
        return guess
    more = f" and {len(choices) - SHOWN} more" if len(choices) > SHOWN else ""
    return f" There are {', '.join(repr(choice) for choice in choices[:SHOWN])}{more}"


def _expressions(problem: Problem, raw: Raw) -> list[Fault]:
    """Find the expressions whose columns are not in the table; those of added columns may name what was added before them."""
    faults = []
    known, later = dict.fromkeys(map(str, raw.frame.columns)), list(problem.add)
    for name, written in problem.add.items():
        later.remove(name)
        field = f"add.{name}"
        if name in known:
            faults.append(problem.fault(field, f"must have a new name, but {raw.path} has a column '{name}'"))
        faults += [
            problem.fault(field, f"names '{column}', which is added further down: move it up")
            if column in later
            else _unknown(problem, raw, field, column, list(known))
            for column in sorted(used(str(written)) - known.keys())
        ]
        known[name] = None
    for field, written in _of_rows(problem):
        own = {problem.target.column, ROW, OUTPUT} if problem.target.columns else set()
        faults += [_unknown(problem, raw, field, column, list(known)) for column in sorted(used(str(written)) - known.keys() - own)]
    return faults


def _of_rows(problem: Problem) -> Iterator[tuple[str, str | int | float]]:
    """Yield the expressions that may name every column: of levels, and of what framings add."""
    if problem.target.levels is not None and problem.target.levels.of is not None:
        yield "target.levels.of", problem.target.levels.of
    for ask in problem.framings or ():
        yield from ((f"{problem.at(ask)}.add.{number}", text) for number, text in enumerate(ask.add))


def _unknown(problem: Problem, raw: Raw, field: str, column: str, known: Sequence[str]) -> Fault:
    return problem.fault(field, f"names a column '{column}' that {raw.path} does not have.{closest(column, known)}")
