"""One finding for each thing that a check speaks of, since what is acknowledged is known by check and name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from piste.core.check import ORDER
from piste.core.finding import Finding


def apiece(findings: Iterable[Finding]) -> list[Finding]:
    """Make one finding of all that are about the same thing: the gravest, which also says what the others say.

    Args:
        findings: of one check.
    """
    by_name: dict[str, list[Finding]] = {}
    for each in findings:
        by_name.setdefault(each.on, []).append(each)
    return [_together(sorted(some, key=lambda each: ORDER[each.severity])) for some in by_name.values()]


def _together(findings: list[Finding]) -> Finding:
    first, *others = findings
    message = "; besides, ".join(dict.fromkeys(each.message for each in findings))
    fix = "; ".join(dict.fromkeys(each.fix for each in findings if each.fix))
    return replace(first, message=message, fix=fix) if others else first
