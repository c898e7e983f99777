"""Whether the table has every column that a problem names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from piste.core import expression
from piste.core.data import Raw
from piste.core.errors import Fault, near
from piste.core.problem import Problem
from piste.core.split import PERIODS

SHOWN = 10


def check_references(problem: Problem, raw: Raw) -> list[Fault]:
    """Find every column that the problem names, outright or in an added column's expression, and the table does not have."""
    return [*_absent(problem, raw), *_expressions(problem, raw)]


def used(text: str) -> set[str]:
    """Return the columns that an expression uses."""
    return expression.columns(expression.parse(text))


def _absent(problem: Problem, raw: Raw) -> list[Fault]:
    table = list(map(str, raw.frame.columns))
    known = {*table, *problem.add}
    faults = []
    for place, field, name in _named(problem):
        if field == "split.by" and name in PERIODS and name not in known:
            if problem.time is None:
                message = f"must be a column, or come with the line `time: COLUMN` that says when: '{name}' is a period"
                faults.append(problem.fault(place, message))
        elif name not in known or (field == "time" and name in problem.add):  # an expression gives numbers, not times
            message = f"no column '{name}' in {raw.path} ({raw.word} {raw.header_line}).{closest(name, [*table, *problem.add])}"
            faults.append(replace(problem.fault(place, message), field=field))
    return faults


def _named(problem: Problem) -> Iterator[tuple[str, str, str]]:
    """Yield every column that the problem names: its place, the field in words, and the name."""
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


def closest(name: str, choices: Sequence[str]) -> str:
    """Name the closest choice, as the end of a message; where none is close, the first few."""
    guess = near(name, choices)
    if guess or not choices:
        return guess
    more = f" and {len(choices) - SHOWN} more" if len(choices) > SHOWN else ""
    return f" There are {', '.join(repr(choice) for choice in choices[:SHOWN])}{more}"


def _expressions(problem: Problem, raw: Raw) -> list[Fault]:
    """Find the added columns whose sources are neither in the table nor added before them."""
    faults = []
    known, later = dict.fromkeys(map(str, raw.frame.columns)), list(problem.add)
    for name, written in problem.add.items():
        later.remove(name)
        field, text = f"add.{name}", str(written)
        if name in known:
            faults.append(problem.fault(field, f"must have a new name, but {raw.path} has a column '{name}'"))
        parsed = expression.parse(text)
        faults += [
            problem.fault(field, f"names '{column}', which is added further down: move it up")
            if column in later
            else problem.fault(field, f"names a column '{column}' that {raw.path} does not have.{closest(column, list(known))}")
            for column in sorted(expression.columns(parsed) - known.keys())
        ]
        known[name] = None
    return faults
