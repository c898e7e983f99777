"""The one error that reaches a user: where, what must hold, what was found, what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A spot in a file, as editors count: lines and columns from 1; 0 where unknown."""

    path: str = ""
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return ":".join(str(part) for part in (self.path, self.line, self.column) if part)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. Reads as `path:line:col: field: must ..., but ...`.

    `check` is the id of the check before training whose finding it is; empty for what no check looks for.
    """

    message: str
    field: str = ""
    place: Place = Place()
    check: str = ""

    def __str__(self) -> str:
        return ": ".join(part for part in (str(self.place), self.field, self.message) if part)


class PisteError(Exception):
    """What a user did or gave that cannot work; all faults found at once, in the order of the file."""

    def __init__(self, *faults: Fault | str) -> None:
        """Keep the faults, sorted by place; plain text becomes a fault without a place."""
        found = [fault if isinstance(fault, Fault) else Fault(fault) for fault in faults]
        self.faults = tuple(sorted(found, key=lambda fault: fault.place))
        super().__init__("\n".join(str(fault) for fault in self.faults))

    def __reduce__(self) -> tuple[type[PisteError], tuple[Fault, ...]]:
        """Survive the way from a worker process."""
        return type(self), self.faults


def near(word: object, choices: Iterable[str]) -> str:
    """Name the closest choice, as the end of a message; empty where none is close.

    >>> near("forwrad", ["kfold", "forward"])
    " Did you mean 'forward'?"
    """
    known = {choice.casefold(): choice for choice in choices}
    close = difflib.get_close_matches(str(word).strip().casefold(), known, n=1, cutoff=0.6)
    return f" Did you mean '{known[close[0]]}'?" if close else ""


def either(choices: Iterable[str]) -> str:
    """List choices as prose.

    >>> either(["a", "b", "c"])
    "'a', 'b' or 'c'"
    """
    return joined([f"'{choice}'" for choice in choices], "or")


def both(names: Iterable[str]) -> str:
    """List names as prose.

    >>> both(["a", "b", "c"])
    "'a', 'b' and 'c'"
    """
    return joined([f"'{name}'" for name in names], "and")


def joined(words: Sequence[str], joint: str) -> str:
    """Join words as people do.

    >>> joined(["a", "b", "c"], "or"), joined(["a"], "or"), joined([], "or")
    ('a, b or c', 'a', '')
    """
    return f"{', '.join(words[:-1])} {joint} {words[-1]}" if len(words) > 1 else "".join(words)
