"""A strict reading of YAML 1.2's core: plain values, each with its place; what could surprise is refused.

Built on PyYAML's event stream in pure Python, because its loaders follow YAML 1.1 (`no` is false, `18:00` is 1080), let
the last of two equal keys win, and in C can be crashed by a deep file. Here `no`, `18:00`, `2025-11-03` and `007` are
texts; tags, anchors, aliases and merge keys, which no problem needs, are refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from piste.core.errors import Fault, PisteError, Place

MOST_BYTES = 256 * 1024
MOST_LEVELS = 20
MOST_DIGITS = 300
Keys = tuple[str | int, ...]  # the way to a value: keys of mappings, numbers of list items

UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
BASED = re.compile(r"0o[0-7]+|0x[0-9a-fA-F]+")
FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}

# What PyYAML finds -> what a person reads, and whether the fault is where something began (or else where it was noticed).
WORDS = (
    (r"found character '\\t'", "a tab stands where only blanks may: indent with blanks", False),
    (r"found character '(.)' that cannot start", r"a value cannot start with '\1': put it in quotes", False),
    (r"could not find expected ':'", "this line is no 'key: value' line: a colon and a blank are missing after the key", True),
    (
        r"mapping values are not allowed",
        "a ': ' cannot stand here: put a text that holds one in quotes, or check the indentation and the line above",
        False,
    ),
    (r"sequence entries are not allowed", "a list item ('- ') cannot start here: put it on a line of its own", False),
    (r"mapping keys are not allowed", "a '? ' cannot stand here: put the text in quotes", False),
    (r"unexpected (end of stream|document separator)", "the quote that opens here is never closed", True),
    (r"expected ',' or '(.)'", r"the bracket that opens here is not closed by '\1', or a comma is missing in it", True),
    (r"expected <block end>", "this line does not line up with the ones above: check the indentation", False),
    (r"expected the node content", "a value is missing before this", False),
    (r"tag|URI", "a value cannot start with '!': put it in quotes (tags are not read)", True),
    (r"escape (character|sequence)", "a backslash in double quotes starts an escape: double it, or use single quotes", False),
    (r"(anchor|alias)", "a value cannot start with '&' or '*': put it in quotes (anchors and aliases are not read)", True),
    (r"block scalar", "behind '|' or '>' nothing else may stand: the text begins on the next line", True),
    (r"directive|YAML document", "a line cannot start with '%' (directives are not read)", True),
    (r"expected '<document start>'", "this does not belong to the lines above: a problem is one list of 'key: value' lines", False),
    (r"", "this cannot be read as YAML", False),
)


@dataclass(frozen=True, slots=True)
class Scalar:
    """How a value was written."""

    place: Place  # of its first character
    plain: bool  # without quotes
    counts: bool  # whether its characters stand one after the other from `place` on


@dataclass(frozen=True, slots=True)
class Document:
    """A file as plain values, where each of them stands, and what is wrong so far."""

    value: Any
    places: dict[Keys, Place] = field(default_factory=dict)  # of every key and list item; () is the whole
    scalars: dict[Keys, Scalar] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    unread: set[Keys] = field(default_factory=set)  # None stands there for what is already a fault
    ends: dict[str, int] = field(default_factory=dict)  # last line of each key at the edge, with all that belongs to it


def decoded(content: bytes, path: str) -> str:
    """Return the text of a file.

    Raises:
        PisteError: too large, not UTF-8, or it holds characters that no editor shows.
    """
    if len(content) > MOST_BYTES:
        raise PisteError(Fault(f"must hold at most {MOST_BYTES // 1024} KiB, but is larger: a problem is a page or two", place=Place(path)))
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise PisteError(Fault("must be UTF-8, but is UTF-16: save it as UTF-8", place=Place(path)))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before, byte = error.object[: error.start], error.object[error.start]  # without the mark of the byte order
        message = f"must be UTF-8, but holds the byte 0x{byte:02x}: save it as UTF-8"
        raise PisteError(Fault(message, place=_end(before.decode(), path))) from error
    if match := UNPRINTABLE.search(text):
        message = f"must be text, but holds the control character U+{ord(match[0]):04X}: remove it"
        raise PisteError(Fault(message, place=_end(text[: match.start()], path)))
    return text


def _end(text: str, path: str) -> Place:
    """Return the place behind a text."""
    return Place(path, text.count("\n") + 1, len(text.rpartition("\n")[2]) + 1)


def read(text: str, path: str) -> Document:
    """Read one document; faults that leave the rest readable are kept with it.

    Args:
        text: as `decoded` returns it.
        path: how faults name the file.

    Raises:
        PisteError: it cannot be read to its end.
    """
    reader = _Reader(text, path)
    try:
        return reader.document()
    except yaml.MarkedYAMLError as error:
        raise PisteError(*reader.found.faults, _worded(error, path)) from error
    except _Stop as stop:
        raise PisteError(*reader.found.faults, stop.fault) from None


def plain(text: str) -> Any:
    """Return what a text without quotes means by the core rules of YAML 1.2; a leading zero keeps a number a text.

    Raises:
        ValueError: a number that is not finite, or far too long.

    >>> [plain(text) for text in ("18:00", "no", "1e3", "0x1F", "007", "true", "~", "2025-11-03")]
    ['18:00', 'no', 1000.0, 31, '007', True, None, '2025-11-03']
    """
    if text in CONSTANTS:
        return CONSTANTS[text]
    if NOT_FINITE.fullmatch(text):
        raise ValueError("must be a finite number")
    if len(text) > MOST_DIGITS and (INT.fullmatch(text) or BASED.fullmatch(text) or FLOAT.fullmatch(text)):
        raise ValueError(f"must be a number of at most {MOST_DIGITS} digits")
    if INT.fullmatch(text):
        return int(text)
    if BASED.fullmatch(text):
        return int(text, 0)
    if not FLOAT.fullmatch(text):
        return text
    value = float(text)
    if abs(value) == float("inf"):
        raise ValueError("must be a number that a computer can hold")
    return value


def _worded(error: yaml.MarkedYAMLError, path: str) -> Fault:
    said = f"{error.context or ''} {error.problem or ''}"
    for pattern, words, began in WORDS:
        if match := re.search(pattern, said):
            mark = error.context_mark if began and error.context_mark else error.problem_mark
            return Fault(match.expand(words), place=_place(path, mark))
    raise AssertionError("the last pattern matches everything")


def _place(path: str, mark: Any) -> Place:
    return Place(path, mark.line + 1, mark.column + 1)


class _Stop(Exception):
    """Nothing behind this fault can be read."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


class _Reader:
    """Builds the values of one document from its events."""

    def __init__(self, text: str, path: str) -> None:
        self.source = text
        self.path = path
        self.found = Document(None)
        self.last = 0  # line of what was read last

    def fault(self, mark: Any, message: str) -> Fault:
        return Fault(message, place=_place(self.path, mark))

    def document(self) -> Document:
        value = None
        n_documents = 0
        events = yaml.parse(self.source, Loader=yaml.SafeLoader)
        for event in events:
            start: Any = event.start_mark
            if isinstance(event, yaml.DocumentStartEvent):
                n_documents += 1
                if n_documents > 1:
                    raise _Stop(self.fault(start, "must hold one document, but a second one starts here (---)"))
                if self.source[start.index : start.index + 1] == "%":
                    self.found.faults.append(self.fault(start, "directives (%) are not read: remove this line"))
            elif not isinstance(event, yaml.StreamStartEvent | yaml.StreamEndEvent | yaml.DocumentEndEvent):
                self.found.places[()] = _place(self.path, start)
                value = self.value(event, events, ())
        return replace(self.found, value=value)

    def passed(self, event: Any) -> None:
        """Remember the line on which an event ends; the end of an indented block has none, since it shows only in what follows."""
        end = event.end_mark
        if end.index > event.start_mark.index:
            self.last = end.line + (end.column > 0)

    def value(self, event: Any, events: Iterator[Any], keys: Keys) -> Any:
        if len(keys) > MOST_LEVELS:
            raise _Stop(self.fault(event.start_mark, f"must be nested at most {MOST_LEVELS} levels deep, but is deeper here"))
        if isinstance(event, yaml.AliasEvent):
            self.found.faults.append(
                self.fault(event.start_mark, "aliases (*) are not read: write the value out, or put the text in quotes")
            )
            return self.unread(keys)
        self.refuse_properties(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self.items(events, keys)
        if isinstance(event, yaml.MappingStartEvent):
            return self.entries(events, keys)
        return self.scalar(event, keys)

    def refuse_properties(self, event: Any) -> None:
        if event.anchor is not None:
            self.found.faults.append(self.fault(event.start_mark, "anchors (&) are not read: remove it, or put the text in quotes"))
        if event.tag is not None:
            self.found.faults.append(self.fault(event.start_mark, "tags (!) are not read: remove it, or put the text in quotes"))

    def unread(self, keys: Keys) -> None:
        self.found.unread.add(keys)

    def items(self, events: Iterator[Any], keys: Keys) -> list[Any]:
        items: list[Any] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                self.passed(event)
                break
            self.found.places[*keys, len(items)] = _place(self.path, event.start_mark)
            items.append(self.value(event, events, (*keys, len(items))))
        return items

    def entries(self, events: Iterator[Any], keys: Keys) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                self.passed(event)
                break
            key = self.key(event, events, keys, entries)
            value_keys = (*keys, "" if key is None else key)
            if key is not None:
                self.found.places[value_keys] = _place(self.path, event.start_mark)
            value = self.value(next(events), events, value_keys)
            if key is not None:
                entries[key] = value
            if key is not None and not keys:
                self.found.ends[key] = self.last
        return entries

    def text(self, event: Any) -> str:
        """Return the text of a scalar; two escaped halves of a character, as JSON writes them, are one."""
        whole: str = event.value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
        return whole

    def key(self, event: Any, events: Iterator[Any], keys: Keys, entries: dict[str, Any]) -> str | None:
        """Return a key, or None where it is a fault and its value is to be passed over."""
        if not isinstance(event, yaml.ScalarEvent):
            self.value(event, events, (*keys, ""))
            self.found.faults.append(self.fault(event.start_mark, "a key must be a text, but is a list, a mapping or an alias"))
            return None
        self.refuse_properties(event)
        self.passed(event)
        text = self.text(event)
        message = _wrong_key(text, plainly=event.style is None)
        if text in entries:
            message = f"the key '{text}' stands here a second time; the first is in line {self.found.places[*keys, text].line}"
        if message:
            self.found.faults.append(self.fault(event.start_mark, message))
        return None if message else text

    def scalar(self, event: Any, keys: Keys) -> Any:
        self.passed(event)
        text, start, end = self.text(event), event.start_mark, event.end_mark
        is_plain = event.style is None
        n_characters = len(text) + (0 if is_plain else 2)
        counts = start.line == end.line and end.column - start.column == n_characters and event.style not in ("|", ">")
        place = _place(self.path, start)
        self.found.scalars[keys] = Scalar(Place(place.path, place.line, place.column + (not is_plain)), is_plain, counts)
        strange = next((sign for sign in text if unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\t\n"), None)
        if strange is not None:
            what = "half a character" if unicodedata.category(strange) == "Cs" else "the control character"
            self.found.faults.append(self.fault(start, f"a text must not hold {what} U+{ord(strange):04X}"))
            return self.unread(keys)
        if not is_plain:
            return text
        try:
            return plain(text)
        except ValueError as error:
            shown = text if len(text) <= 20 else f"{text[:20]}..."
            self.found.faults.append(self.fault(start, f"{error}, but is {shown}; put it in quotes if it is a text"))
            return self.unread(keys)


def _wrong_key(text: str, *, plainly: bool) -> str:
    """Say what is wrong with the text of a key; empty where nothing is."""
    strange = [sign for sign in text if unicodedata.category(sign) in ("Cf", "Cc", "Cs") or (sign.isspace() and sign != " ")]
    if strange:
        return f"the key '{_visible(text)}' holds the character U+{ord(strange[0]):04X}, which no editor shows: retype it"
    if not text:
        return "a key must be a text, but is empty"
    if plainly and text == "<<":
        return "merge keys (<<) are not read: write the keys out"
    if plainly and not isinstance(_core(text), str):
        return f"a key must be a text, but is '{text}': put it in quotes"
    return ""


def _core(text: str) -> Any:
    """Return what a key without quotes means; a number that cannot be held is no text either."""
    try:
        return plain(text)
    except ValueError:
        return None


def _visible(text: str) -> str:
    return "".join(sign for sign in text if sign.isprintable())
