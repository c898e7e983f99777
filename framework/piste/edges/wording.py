"""Pydantic's errors about a problem in plain words, each at its place."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from annotated_types import Ge, Le
from pydantic import ValidationError

from piste.core.errors import Fault, PisteError, Place, either, near
from piste.core.problem import LATER, Is, Part, Problem
from piste.edges.strict_yaml import Keys, plain

MOST_SHOWN = 60  # characters of a value
WORDS: Mapping[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple: "a list",
    dict: "a mapping of names (key: value)",
    Mapping: "a mapping of names (key: value)",
}


PlaceOf = Callable[[Keys, int], Place]


def nowhere(_keys: Keys, _character: int) -> Place:
    """Give no place: what is wrong with a problem written in Python has none."""
    return Place()


def worded(error: ValidationError, place_of: PlaceOf = nowhere, written: Any = None) -> PisteError:
    """Return what pydantic found, one fault for each value.

    Args:
        error: of validating a Problem.
        place_of: where a value stands, by its keys as written, such as ("families", 2, "tree", "max_depth"), and a
            character in it (from 1; 0: the whole).
        written: what was validated; tells which short forms stand there.
    """
    return PisteError(*(fault for _, fault in faults(error, place_of, written)))


def faults(error: ValidationError, place_of: PlaceOf, written: Any) -> Iterator[tuple[Keys, Fault]]:
    """Yield the keys of each value that is wrong, as written, and its fault; what the members of a union say is one."""
    seen: set[Keys] = set()
    for detail in error.errors(include_url=False):
        spot = _spot(tuple(detail["loc"]))
        keys = _as_written(spot.keys, written)
        if keys in seen:
            continue
        seen.add(keys)
        field = ".".join(map(str, keys))
        yield keys, Fault(_message(detail, spot, field), field, place_of(keys, detail.get("ctx", {}).get("position", 0)))


def found(value: Any, expected: str) -> str:
    """Show a value as it was found, and what to do where only its type is wrong.

    >>> found("0.8", "a number")
    "the text '0.8': leave out the quotes"
    """
    if value is None or value == "":
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    if type(value) in (int, float):
        return f"{value}: put it in quotes" if expected.startswith(("a text", "the name", "a name")) else str(value)
    if isinstance(value, Mapping | list | tuple):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    if not isinstance(value, str):
        return f"of type {type(value).__name__}"
    if "number" in expected and _is_number(value):
        return f"the text '{value}': leave out the quotes"
    return f"'{value}'" if len(value) <= MOST_SHOWN else f"'{value[:MOST_SHOWN]}...'"


def _is_number(text: str) -> bool:
    try:
        return isinstance(plain(text), int | float)
    except ValueError:
        return False


@dataclass(frozen=True, slots=True)
class _Member:
    """A type that a value may be, and what narrows it."""

    annotation: Any
    metadata: tuple[Any, ...] = ()

    @property
    def part(self) -> type[Part] | None:
        """Return the type where it is a part of a problem."""
        return self.annotation if isinstance(self.annotation, type) and issubclass(self.annotation, Part) else None

    @property
    def expected(self) -> str:
        """Say what the value must be."""
        said = next((each.words for each in self.metadata if isinstance(each, Is)), None)
        if said is not None:
            return said
        origin = typing.get_origin(self.annotation) or self.annotation
        if origin is Literal:
            return either(typing.get_args(self.annotation))
        if self.part is not None:
            return f"a mapping with {either(names(self.part))}"
        low = next((each.ge for each in self.metadata if isinstance(each, Ge)), None)
        high = next((each.le for each in self.metadata if isinstance(each, Le)), None)
        return WORDS[origin] + ("" if low is None else f" from {low} to {high}")


@dataclass(frozen=True, slots=True)
class _Spot:
    """A value of a problem: its keys, without pydantic's names for the members of unions, and what it may be."""

    keys: Keys
    members: tuple[_Member, ...]
    description: str = ""

    @property
    def expected(self) -> str:
        """Say what the value must be."""
        return " or ".join(dict.fromkeys(member.expected for member in self.members))

    @property
    def is_final(self) -> bool:
        """Tell whether what lies inside is said as a whole."""
        return any(isinstance(each, Is) for member in self.members if member.part is None for each in member.metadata)

    def step(self, way: str | int) -> _Spot:
        """Go one step further on pydantic's way to a value."""
        chosen = tuple(member for member in self.members if member.part is not None and member.part.__name__ == way)
        if chosen:  # one of several parts that may stand here
            return replace(self, members=chosen)
        for member in self.members:
            if member.part is not None:
                info = next((info for name, info in member.part.model_fields.items() if way in (name, info.alias)), None)
                inside = () if info is None else _members(info.annotation, tuple(info.metadata))
                return _Spot((*self.keys, way), inside, "" if info is None else info.description or "")
            origin, of = typing.get_origin(member.annotation), typing.get_args(member.annotation)
            if origin in (dict, Mapping):
                return _Spot((*self.keys, way), _members(of[1]))
            if origin is tuple and isinstance(way, int):
                return _Spot((*self.keys, way), _members(of[0]))
        return self  # the name of a member of a union


def _members(annotation: Any, metadata: tuple[Any, ...] = ()) -> tuple[_Member, ...]:
    """Return the types that a value may be."""
    origin, of = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _members(of[0], (*of[1:], *metadata))
    if origin in (typing.Union, types.UnionType):
        return tuple(member for each in of if each is not type(None) for member in _members(each, metadata))
    return (_Member(annotation, metadata),)


def _spot(loc: Keys) -> _Spot:
    spot = _Spot((), (_Member(Problem),))
    for way in loc:
        if not spot.is_final:
            spot = spot.step(way)
    return spot


def _as_written(keys: Keys, written: Any) -> Keys:
    """Return the keys of a value as its author wrote them, in whichever of the short forms."""
    top = written.get(keys[0]) if isinstance(written, Mapping) and keys else None
    match keys:
        case ("families", int(number), *inner):
            return (keys[0], *_entry(top, number), *(inner[1:] if inner[:1] == ["params"] else ()))
        case ("framings", int(number), *inner):
            entry = _entry(top, number)
            return (keys[0], *entry, *(inner if inner != ["name"] and _holds(top, entry) else ()))
        case ("target" | "slices", "columns", *inner) if not isinstance(top, Mapping):
            return (keys[0], *inner)
        case ("decision", "cost", "actions", *inner) if inner:
            return ("decision", "cost", *inner)
        case ("decision", "budget", "units") if isinstance(top, Mapping) and not isinstance(top.get("budget"), Mapping):
            return ("decision", "budget")
    return keys


def _entry(items: Any, number: int) -> Keys:
    """Return the keys, below `families` or `framings`, that an entry stands at: of a mapping its name, of a list its number first."""
    if isinstance(items, Mapping):
        return ([*items][number],)
    item = items[number] if isinstance(items, list | tuple) else None
    return (number, *item) if isinstance(item, Mapping) and len(item) == 1 else (number,)


def _holds(value: Any, keys: Keys) -> bool:
    """Tell whether something is written below the keys."""
    for key in keys:
        if isinstance(value, str):  # one text for a list of one
            return False
        value = value[key]
    return isinstance(value, Mapping)


def _message(detail: Mapping[str, Any], spot: _Spot, field: str) -> str:
    expected, value = spot.expected, detail["input"]
    if detail["loc"][-1:] == ("[key]",):
        return "must have a name, but the name is empty"
    match detail["type"]:
        case "refused":
            return str(detail["ctx"]["message"])
        case "missing":
            return f"must be given: {spot.description}"
        case "extra_forbidden":
            return _unknown(tuple(detail["loc"]), field)
        case "too_short" if not value:
            return "must name at least one, but is empty"
    choices = [
        choice
        for member in spot.members
        if typing.get_origin(member.annotation) is Literal
        for choice in typing.get_args(member.annotation)
    ]
    hint = near(value, choices) if isinstance(value, str) else ""
    return f"must be {expected}, but is {found(value, expected)}" + (f".{hint}" if hint else "")


def _unknown(loc: Keys, field: str) -> str:
    """Say that a key is none, and which one may have been meant."""
    if field in LATER:
        return "is not supported yet"
    key, part = str(loc[-1]), next(member.part for member in _spot(loc[:-1]).members if member.part)
    holder = next(word for word in reversed(field.removesuffix(f".{key}").split(".")) if not word.isdecimal())
    if hint := near(key, names(part)):
        return f"is not a key of {'a problem' if part is Problem else repr(holder)}.{hint}"
    if part is not Problem:
        return f"is not a key of '{holder}'. It has {', '.join(names(part))}."
    homes = [
        f"{home}.{key}"
        for home in Problem.model_fields
        if any(key in names(member.part) for member in _spot((home,)).members if member.part)
    ]
    return "is not a key of a problem." + (f" Did you mean '{homes[0]}'?" if homes else "")


def names(part: type[Part]) -> list[str]:
    """Return the keys of a part as they are written in YAML, where a frame has no place and a name stands as a key."""
    return [info.alias or name for name, info in part.model_fields.items() if name not in ("frame", "name")]
