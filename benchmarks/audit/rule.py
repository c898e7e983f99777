"""When a fault counts as caught: the rule that was fixed before any threshold was."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from benchmarks.audit.faults import Fault

Severity = Literal["block", "warn", "note"]
ALARMS = ("block", "warn")


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said of a table.

    Args:
        check: which check said it; empty where the file was refused for a reason that no check looks for.
        severity: of it; a refusal blocks.
        on: what it is about: a column, or a field of the problem.
        message: its sentence.
        refusal: whether the file could not be taken as it is.
    """

    check: str
    severity: Severity
    on: str
    message: str
    refusal: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what makes it the same on another table."""
        return self.check, self.on, self.severity

    def names(self, word: str) -> bool:
        """Tell whether it is about a column or a field of that name, or has the name in quotes."""
        plain = re.escape(word)
        return bool(re.search(rf"(?<!\w){plain}(?!\w)", self.on) or re.search(rf"(['\"`“‘]){plain}['\"`”’]", self.message))


def new(said: Iterable[Said], clean: Iterable[Said]) -> list[Said]:
    """Return what is said of a planted table and was not said of the clean one."""
    before = {each.key for each in clean}
    return [each for each in said if each.key not in before]


def catches(said: Said, fault: Fault) -> bool:
    """Tell whether one thing that is said, and is not said of the clean table, has caught a fault.

    A finding must come from one of the fault's checks and name what is wrong, unless those checks look at the table as a
    whole; a refusal must name it. Of a fault that deserves no more than a note, a note is enough.
    """
    if said.severity not in ALARMS and fault.deserves != "note":
        return False
    named = any(said.names(word) for word in fault.about)
    if said.check in fault.caught_by:
        return named or fault.whole
    return said.refusal and named
