"""Keys of a problem.yaml and their reasons as lines: what is said as it is, what is only guessed behind a "# "."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from piste.core.cost import CLOCK
from piste.core.part import DURATION
from piste.core.pasted import scalar

WIDE = 100  # characters after which a list goes on below
PLAIN = re.compile(r"(\.\.?/|[A-Za-z])[\w ()+*/@.:-]*[\w).]", re.ASCII)  # reads back as itself outside of brackets
AMOUNT = re.compile(rf"{CLOCK}|-?{DURATION.pattern}|[0-9]+%")
HIDING = ("known_at.after", "columns", "split")  # keys that keep columns from models
SWITCHES = ("true", "false", "null", "yes", "no", "on", "off")  # which some readers of YAML take for more than a word
ORDER = (
    "question", "data", "target", "decision", "time", "unit", "known_at", "columns", "split", "baselines", "success", "slices",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """A key such as "known_at.after", its value, and why it is what it is; `said` where it is more than a guess."""

    key: str
    value: Any
    why: str = ""
    said: bool = False

    @property
    def top(self) -> str:
        """Return the key of the problem that it is, or stands in."""
        return self.key.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Draft:
    """A problem.yaml in the making: what is said, what is guessed, and what is written above each key."""

    lines: tuple[Line, ...]
    above: Mapping[str, str]  # by key, whole or in part: comments that stay comments
    heading: str = ""  # the first line, for editors

    def problem(self) -> dict[str, Any]:
        """Return the problem as it is once every guess is taken for right."""
        problem: dict[str, Any] = {}
        for line in self.lines:
            if line.key == line.top:
                problem[line.top] = line.value
            else:
                problem.setdefault(line.top, {})[line.key.partition(".")[2]] = line.value
        return problem

    def without(self, field: str) -> Draft:
        """Return the draft without the guesses that a fault at some field is about; without its last one where none is.

        Where `data` has no column to learn from, it is about the guesses that hide columns from models.
        """
        guesses = [line for line in self.lines if not line.said]
        assert guesses, "what is said has been read before anything was guessed"
        top = field.partition(".")[0]
        about = [line for line in guesses if f"{field}.".startswith(f"{line.key}.")] or [line for line in guesses if line.top == top]
        if top == "data":
            about = [line for line in guesses if line.key in HIDING or line.top in HIDING][:1]
        return replace(self, lines=tuple(line for line in self.lines if line not in (about or guesses[-1:])))

    def text(self) -> str:
        """Return the file: taking the "# " away from every guess leaves a problem.yaml, with comments that begin with "##"."""
        parts = [self.heading] if self.heading else []
        for top in ORDER:
            mine = [line for line in self.lines if line.top == top]
            said = any(line.said for line in mine)
            if about := self.above.get(top):
                parts += ["", *(f"## {line}" for line in about.splitlines())]
            elif mine and not said:
                parts.append("")
            parts += _section(top, mine, self.above, said=said) if mine else []
        return "\n".join(parts).lstrip("\n") + "\n"


def _section(top: str, lines: Sequence[Line], above: Mapping[str, str], *, said: bool) -> list[str]:
    """Write one key of the problem, with all that stands in it, and above each what is written there."""
    if lines[0].key == top:
        return _entry("" if said else "# ", top, lines[0])
    written = [f"{top}:" if said else f"# {top}:"]
    for line in lines:
        if line.key in above:
            written.append(f"{'  ## ' if said else '##   '}{above[line.key]}")
        written += _entry("  " if line.said else "  # " if said else "#   ", line.key.partition(".")[2], line)
    return written


def _entry(start: str, key: str, line: Line) -> list[str]:
    """Write one key and its value; a long list goes on below."""
    why = f"  # {' '.join(line.why.split())}" if line.why else ""
    head = f"{start}{scalar(key)}: "
    if isinstance(line.value, Mapping) and len(head + scalar(line.value)) > WIDE:
        return [f"{head.rstrip()}{why}", *(f"{start}  {scalar(name)}: {scalar(value)}" for name, value in line.value.items())]
    if not isinstance(line.value, list | tuple) or len(head + scalar(line.value)) <= WIDE:
        return [f"{head}{block(line.value)}{why}"]
    rows = [f"{start}  ["]
    for number, item in enumerate(line.value, start=1):
        text = f"{scalar(item)}{',' if number < len(line.value) else ']'}"
        if len(rows[-1]) + len(text) < WIDE:
            rows[-1] += f"{' ' * (not rows[-1].endswith('['))}{text}"
        else:
            rows.append(f"{start}   {text}")
    return [f"{start}{scalar(key)}:{why}", *rows]


def block(value: Any) -> str:
    """Write a value that stands alone on its line: a path, a moment and an expression need no quotes there.

    >>> block("../rows.csv"), block("mean(count) by hour"), block("-1d 18:00"), block("a: b"), block("../#1.csv")
    ('../rows.csv', 'mean(count) by hour', '-1d 18:00', '"a: b"', '"../#1.csv"')
    """
    if isinstance(value, str):
        words = value.casefold() not in SWITCHES and ": " not in value
        plain = (PLAIN.fullmatch(value) and words) or AMOUNT.fullmatch(value)
        return value if plain else json.dumps(value, ensure_ascii=False)
    return scalar(value)
