"""A problem, from its file or from Python, with everything that is wrong with it said at once."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from piste.core.aside import closed_up, set_aside
from piste.core.contradictions import contradictions
from piste.core.cost import EventCost, QuantityCost
from piste.core.errors import Fault, PisteError, Place, near
from piste.core.problem import BLEND, Problem, located, short_budget, short_data, short_slices, short_target
from piste.edges.schema import schema
from piste.edges.strict_yaml import MOST_BYTES, Document, Keys, decoded, read
from piste.edges.wording import PlaceOf, faults, nowhere, worded

__all__ = ["load_problem", "make_problem", "salvaged", "schema", "worded"]

FILE = "problem.yaml"
PLACEHOLDERS: Mapping[str, Any] = {"data": {"path": "-"}, "target": {"column": "\0"}}  # so that the rest can still be judged
SHORT: Mapping[Keys, Callable[[Any], Any]] = {
    ("data",): short_data,
    ("target",): short_target,
    ("slices",): short_slices,
    ("decision", "budget"): short_budget,
}
SWITCHES = {word for yes_no in ("yes", "no", "on", "off") for word in (yes_no, yes_no.title(), yes_no.upper())}  # of YAML 1.1


def load_problem(path: Path, overrides: Sequence[str] = ()) -> Problem:
    """Read a problem.

    Args:
        path: a folder that holds a problem.yaml, or a YAML file.
        overrides: changes such as "search.trials=3": a dotted key and a value in YAML; null takes the key away.

    Raises:
        PisteError: everything that is wrong with it, each fault at its line.
    """
    loaded = _loaded(Path(path), overrides)
    if loaded.faults or loaded.rest is None:
        raise PisteError(*loaded.faults)
    return loaded.rest


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What is left of a problem once everything that is wrong with it is set aside.

    `problem` is None where no source or no target is left; `aside` names the fields that are gone.
    """

    problem: Problem | None
    faults: tuple[Fault, ...]
    aside: tuple[str, ...] = ()


def salvaged(path: Path, overrides: Sequence[str] = ()) -> Salvaged:
    """Read a problem as far as it can be read.

    Args:
        path: a folder that holds a problem.yaml, or a YAML file.
        overrides: changes, as `load_problem` takes them.

    Raises:
        PisteError: there is no such file.
    """
    loaded = _loaded(Path(path), overrides)
    faults = PisteError(*loaded.faults).faults
    rest = loaded.rest
    if rest is None or rest.data.path == PLACEHOLDERS["data"]["path"] or rest.target.column == PLACEHOLDERS["target"]["column"]:
        return Salvaged(None, faults)
    left, more = in_harmony(rest, _file(Path(path)).parent)
    return Salvaged(left, faults, (*loaded.lost, *more))


def in_harmony(problem: Problem, folder: Path) -> tuple[Problem | None, tuple[str, ...]]:
    """Set aside what the parts of a problem say against each other; return what is left, and the fields that are gone."""
    gone: list[str] = []
    while found := [*contradictions(problem), *_own_files(problem, folder)]:
        left = set_aside(problem, found[0].field)
        if left is None:
            return None, tuple(gone)
        problem, field = left
        gone.append(field)
    return problem, tuple(gone)


def make_problem(**keys: Any) -> Problem:
    """Return a problem written in Python; the keys are those of problem.yaml, and None stands for a key left out.

    Raises:
        PisteError: everything that is wrong with it.
    """
    checked = _checked({key: value for key, value in keys.items() if value is not None}, nowhere)
    found = [fault for _, fault in checked.wrong]
    found += _contrary(checked.problem, found, checked.unread, Path())
    if found:
        raise PisteError(*dict.fromkeys(found))
    return checked.problem


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What a file says without what is wrong in it, every fault, and the fields of the values that were wrong."""

    rest: Problem | None
    faults: tuple[Fault, ...]
    lost: tuple[str, ...] = ()


def _loaded(path: Path, overrides: Sequence[str]) -> _Loaded:
    file = _file(path)
    content = _content(file)
    try:
        document = read(decoded(content, str(file)), str(file))
    except PisteError as error:
        return _Loaded(None, error.faults)
    if not isinstance(document.value, dict):
        return _Loaded(None, (*document.faults, _no_problem(document, str(file))))
    changed = [fault for override in overrides for fault in _override(document, override)]
    empty = _empty(document)
    written: dict[str, Any] = document.value
    for keys, _ in empty:
        written = _without(written, keys)
    checked = _checked(written, lambda keys, character: _place_of(document, keys, character))
    wrong = dict([*checked.wrong, *_switches(document), *empty])  # of one value, the last word
    said = [fault for keys, fault in wrong.items() if not _unread(document, keys)]
    places = {_dotted(keys): place for keys, place in document.places.items()}
    problem = located(checked.problem, str(file), places, document.ends)
    faults = [*document.faults, *changed, *said]
    faults += _contrary(problem, faults, checked.unread | {_field(keys) for keys, _ in empty}, file.parent)
    rest = (wrong and _rest(document, wrong, str(file), places)) or problem
    return _Loaded(rest, tuple(dict.fromkeys(faults)), tuple(map(_dotted, wrong)))


def _rest(document: Document, wrong: Iterable[Keys], path: str, places: Mapping[str, Place]) -> Problem | None:
    """Return the problem without the values that are wrong, and of a list without the items; None where it cannot do without."""
    listed = {keys[: next((place + 1 for place, key in enumerate(keys) if isinstance(key, int)), 2)] for keys in wrong}
    rest: Any = document.value
    for keys in sorted(listed, key=lambda keys: [key if isinstance(key, int) else -1 for key in keys], reverse=True):
        rest, places = _taken_out(rest, keys) or {}, closed_up(places, _dotted(keys))
    try:
        return located(Problem.model_validate(rest, context=_known(rest)), path, places, document.ends)
    except ValidationError:
        return None


def _taken_out(value: Any, keys: Keys) -> Any:
    """Return a value without what the keys lead to; None where nothing is left."""
    if not keys or not isinstance(value, dict | list):
        return None
    if isinstance(value, list):
        inner = _taken_out(value[int(keys[0])], keys[1:])
        return [*value[: int(keys[0])], *([] if inner is None else [inner]), *value[int(keys[0]) + 1 :]] or None
    inner = _taken_out(value.get(str(keys[0])), keys[1:])
    others = {key: each for key, each in value.items() if key != keys[0]}
    return ({**others, keys[0]: inner} if inner is not None else others) or None


def _contrary(problem: Problem, found: Sequence[Fault], unread: set[str], folder: Path) -> list[Fault]:
    """Return what the parts of a problem say against each other, where nothing else is wrong with the same field."""
    known = {fault.field for fault in found if fault.field}
    return [fault for fault in (*contradictions(problem, unread), *_own_files(problem, folder)) if fault.field not in known]


@dataclass(frozen=True, slots=True)
class _Checked:
    """What the schema says of a problem: the problem without what is wrong, and what that is."""

    problem: Problem
    wrong: tuple[tuple[Keys, Fault], ...]

    @property
    def unread(self) -> set[str]:
        """Return the fields that were given, but wrongly."""
        return {_field(keys) for keys, _ in self.wrong}


def _checked(written: Mapping[str, Any], place_of: PlaceOf) -> _Checked:
    """Validate, take away what is wrong, and validate the rest: a fault hides no other."""
    known, wrong = _known(written), dict[Keys, Fault]()
    while True:
        try:
            return _Checked(Problem.model_validate(written, context=known), tuple(wrong.items()))
        except ValidationError as error:
            before = written
            for keys, fault in faults(error, place_of, written):
                wrong.setdefault(keys, fault)
                written = _without(written, keys)
            assert written != before, f"what is wrong is taken away, or this never ends: {[*wrong]}"


def _without(written: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
    """Take a value away, or what holds it; in the place of what must be there stands something."""
    top, rest = str(keys[0]), dict(written)
    value = rest.pop(top, None)
    if len(keys) > 1 and isinstance(value, Mapping) and keys[1] in value and len(value) > 1:
        return {**rest, top: {key: each for key, each in value.items() if key != keys[1]}}
    return {**rest, top: PLACEHOLDERS[top]} if top in PLACEHOLDERS else rest


def _known(written: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names that may be written; what nobody asks for is not imported."""
    known: dict[str, Any] = {}
    if "families" in written:
        from piste.families import NAMES as FAMILIES

        known["families"] = (*FAMILIES, BLEND)
    if "framings" in written:
        from piste.framings import NAMES as FRAMINGS

        known["framings"] = FRAMINGS
    if "metric" in written:
        from piste.core.metrics import METRICS

        known["metrics"] = tuple(METRICS)
    if "acknowledge" in written:
        from piste.core import audit, review

        exact = {id: check.exact for id, check in audit.checks().items()}
        known["checks"] = exact | {id: check.exact for id, check in review.checks().items()}
    return known


def _file(path: Path) -> Path:
    """Return the file that holds the problem."""
    try:
        is_folder = path.is_dir()
        if path.exists() and not is_folder:
            return path
        if (path / FILE).exists():
            return path / FILE
        home = path if is_folder else path.parent
        beside = sorted(other.name for other in home.iterdir()) if home.is_dir() else []
    except OSError as error:
        raise PisteError(Fault(f"must be a problem that can be read, but is not: {error.strerror}", place=Place(str(path)))) from error
    if not is_folder:
        message = f"must be a folder with a {FILE}, or a YAML file, but there is none.{near(path.name, beside)}"
        raise PisteError(Fault(message, place=Place(str(path))))
    others = [name for name in beside if name.endswith((".yaml", ".yml"))]
    hint = f" Did you mean '{path / others[0]}'?" if others else ""
    raise PisteError(Fault(f"must hold a {FILE}, but does not.{hint}", place=Place(str(path))))


def _content(file: Path) -> bytes:
    """Read a regular file, up to a little more than a problem may hold; a pipe would make us wait for ever."""
    descriptor = -1
    try:
        descriptor = os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PisteError(Fault("must be a file, but is a folder, a pipe or a device", place=Place(str(file))))
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise PisteError(Fault(f"must be a file that can be read, but is not: {error.strerror}", place=Place(str(file)))) from error
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _no_problem(document: Document, path: str) -> Fault:
    if document.value is None and not document.faults:
        return Fault("must say at least `data: FILE` and `target: COLUMN`, but is empty", place=Place(path))
    found = "a list" if isinstance(document.value, list) else "a single value"
    return Fault(f"must be lines of `key: value`, but is {found}", place=document.places.get((), Place(path)))


def _override(document: Document, override: str) -> Iterator[Fault]:
    """Change the document by one key=value; yield what is wrong with that."""
    label = f"--set {override}"
    key, sign, text = override.partition("=")
    keys: Keys = tuple(part.strip() for part in key.split("."))
    if not sign or not all(keys):
        yield Fault("must be key=value, such as search.trials=3", place=Place(label))
        return
    try:
        value = read(decoded(text.encode("utf-8", "surrogateescape"), label), label)
    except PisteError as error:
        yield from error.faults
        return
    yield from value.faults
    home = document.value
    for depth, part in enumerate(keys[:-1], start=1):
        inner = _written_out(keys[:depth], home.get(part))
        if not isinstance(inner, dict):
            yield Fault(
                f"must be set whole, since {part} is {'a list' if isinstance(inner, list) else 'a single value'}", key, Place(label)
            )
            return
        home[part] = inner
        document.places.setdefault(keys[:depth], Place(label))
        home = inner
    if value.value is None:
        home.pop(keys[-1], None)
    else:
        home[keys[-1]] = value.value
    for places in (document.places, document.scalars):
        for old in [old for old in places if old[: len(keys)] == keys]:
            del places[old]
    document.places[keys] = Place(label)


def _to_write(keys: Keys) -> str:
    """Say what is to be written for a cost that was left blank, as `piste check` offers it; empty where it is none."""
    if keys[:2] != ("decision", "cost") or len(keys) != 3:
        return ""
    for shape in (QuantityCost, EventCost):
        if keys[2] in shape.model_fields:
            return f"must be a number above 0, {shape.model_fields[str(keys[2])].description}, but is still empty"
    return f"must be a list, what '{keys[2]}' costs at each level, the lowest level first, but is still empty"


def _written_out(keys: Keys, value: Any) -> Any:
    """Return a part of a problem so that a key of it can be set: short forms written out, what is absent empty."""
    if value is None:
        return {}
    return SHORT[keys](value) if keys in SHORT and not (keys == ("data",) and isinstance(value, list)) else value


def _empty(document: Document) -> list[tuple[Keys, Fault]]:
    """Find keys without a value; a hyperparameter may have none, and so may a family and a framing."""
    found = []
    for keys, value in _values(document.value, ()):
        if value is not None or keys[0] == "families" or isinstance(keys[-1], int) or _unread(document, keys):
            continue
        if keys[0] == "acknowledge" and keys[-1] in ("check", "on", "why", "by", "until"):  # the schema says what is to be written
            continue
        if keys[0] == "framings" and (len(keys) == 2 or (len(keys) == 3 and isinstance(keys[1], int))):
            continue
        message = _to_write(keys) or "must not be empty: give a value, or leave the key out"
        if len(keys) == 2 and keys[0] in ("add", "baselines"):
            message = "must be an expression, but is empty; did YAML split this at a comma? Then quote the whole expression"
        found.append((keys, Fault(message, _dotted(keys), _place_of(document, keys, 0))))
    return found


def _switches(document: Document) -> list[tuple[Keys, Fault]]:
    """Find words among hyperparameters that YAML once took for true and false, and now takes for texts."""
    message = "must be true or false, or a text in quotes, but is {} (which is no longer a truth value in YAML)"
    return [
        (keys, Fault(message.format(value), _dotted(keys), _place_of(document, keys, 0)))
        for keys, value in _values(document.value.get("families"), ("families",))
        if len(keys) > 3 and isinstance(value, str) and value in SWITCHES and keys in document.scalars and document.scalars[keys].plain
    ]


def _values(value: Any, keys: Keys) -> Iterator[tuple[Keys, Any]]:
    """Yield the keys of everything that is neither a list nor a mapping."""
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _values(inner, (*keys, key))
    else:
        yield keys, value


def _unread(document: Document, keys: Keys) -> bool:
    """Tell whether a value is a fault already, as it was written."""
    return any(keys[:depth] in document.unread for depth in range(1, len(keys) + 1))


def _place_of(document: Document, keys: Keys, character: int) -> Place:
    """Return where a value stands, or what holds it; a character of it, where its characters can be counted."""
    scalar = document.scalars.get(keys)
    if character and scalar is not None and scalar.counts:
        return replace(scalar.place, column=scalar.place.column + character - 1)
    while keys and keys not in document.places:
        keys = keys[:-1]
    return document.places.get(keys, Place())


def _dotted(keys: Keys) -> str:
    return ".".join(map(str, keys))


def _field(keys: Keys) -> str:
    return _dotted(keys[:2])


def _own_files(problem: Problem, folder: Path) -> Iterator[Fault]:
    """Find code of the problem's own that is not in its folder, links followed."""
    named = {
        f"families.{number}": entry.file or (entry.factory or "").rpartition(":")[0] for number, entry in enumerate(problem.families or ())
    }
    named |= {
        field: (function or "").rpartition(":")[0]
        for field, function in {"data.python": problem.data.python, "truth": problem.truth}.items()
    }
    home = folder.resolve()
    for field, name in named.items():
        file = (home / name).resolve()
        if name and not file.is_relative_to(home):
            yield problem.fault(field, f"must be a file in the problem's own folder, but '{name}' leads out of it")
        elif name and not file.is_file():
            beside = sorted(other.name for other in home.glob("*.py"))
            yield problem.fault(
                field, f"must be a file in the problem's own folder, but there is no '{name}'.{near(Path(name).name, beside)}"
            )
