"""A problem without one of its fields, so that what is wrong with that one keeps nobody from looking at the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from piste.core.errors import Place
from piste.core.part import Part
from piste.core.problem import Problem, located

GONE = object()  # in the place of what cannot do without the part that was taken away
SOURCES = ("path", "url", "sklearn", "python", "frame")  # of the rows, one of which is given
LATE = "known_at.after"  # what stands there must not be seen by a model because of a fault
FALLBACK = {"split": "time"}  # where the usual split cannot be made either, it is for the sake of this


def set_aside(problem: Problem, field: str) -> tuple[Problem, str] | None:
    """Return a problem without a field, or else without the nearest that holds it, and which that was.

    None where nothing is left to look at: without its data, or its target, a problem is none.

    Args:
        problem: as its author wrote it.
        field: as faults name it, such as "split.folds", "known_at.after.1" or "columns.price".
    """
    if field == LATE and (safer := _not_early(problem)):
        return safer, field
    at = field
    while at:
        left = _without(problem, at)
        if left is GONE:
            return None
        if left is not None:
            assert isinstance(left, Problem), "a problem without a part is a problem"
            if all(getattr(left.data, source) is None for source in SOURCES):
                return None
            return located(left, problem._path, closed_up(problem._places, at), problem._ends), at
        at = at.rpartition(".")[0] or FALLBACK.get(at, "")
    return None


def _not_early(problem: Problem) -> Problem | None:
    """Return the problem with no column known early that is known only after; None where there is none such."""
    known = problem.known_at
    early = {name: tuple(each for each in getattr(known, name) if each not in known.after) for name in ("always", "decision")}
    if (early["always"], early["decision"]) == (known.always, known.decision):
        return None
    return problem.model_copy(update={"known_at": known.model_copy(update=early)})


def _without(value: Any, field: str) -> Any:
    """Return a value without what a dotted name in it means; None where it holds no such thing."""
    if isinstance(value, Part):
        return _of_part(value, field)
    if isinstance(value, Mapping):
        key = next((key for key in sorted(value, key=len, reverse=True) if f"{field}.".startswith(f"{key}.")), None)
        return None if key is None else {name: each for name, each in value.items() if name != key} or GONE
    if isinstance(value, tuple):
        number = _number(value, field.partition(".")[0])
        return None if number is None else (*value[:number], *value[number + 1 :]) or GONE
    return None


def _of_part(part: Part, field: str) -> Any:
    word, _, rest = field.partition(".")
    name = next((name for name, info in type(part).model_fields.items() if word in (name, info.alias)), None)
    if name is None:  # a short form: what stands inside is what the part is about
        inside = next((each for each in ("columns", "actions") if each in type(part).model_fields), None)
        name, rest = inside, field
    if name is None or name not in part.model_fields_set:
        return None
    left = _without(getattr(part, name), rest) if rest else GONE
    if left is None:
        return None
    if left is not GONE:
        return part.model_copy(update={name: left})
    info = type(part).model_fields[name]
    if info.is_required():
        return GONE
    usual = part.model_copy(update={name: info.get_default(call_default_factory=True)})
    usual.model_fields_set.discard(name)
    return usual


def _number(items: tuple[Any, ...], word: str) -> int | None:
    """Return the number of an item, which faults name by it, or by a name of its own."""
    if word.isdecimal():
        return int(word) if int(word) < len(items) else None
    return next((number for number, each in enumerate(items) if getattr(each, "name", None) == word), None)


def closed_up(places: Mapping[str, Place], field: str) -> dict[str, Place]:
    """Return where fields stand once one is gone; the items of a list behind it have moved up by one."""
    holder, _, last = field.rpartition(".")
    found: dict[str, Place] = {}
    for name, place in places.items():
        if f"{name}.".startswith(f"{field}."):
            continue
        rest = name.removeprefix(f"{holder}.").split(".") if holder and name.startswith(f"{holder}.") else [""]
        if last.isdecimal() and rest[0].isdecimal() and int(rest[0]) > int(last):
            name = ".".join([holder, str(int(rest[0]) - 1), *rest[1:]])
        found[name] = place
    return found
