"""From a problem that is ready to run to what the audit says of it."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from piste.core import review
from piste.core.acknowledge import entry, idle, settle
from piste.core.audit import Survey, audit, checks
from piste.core.check import Examined, ordered
from piste.core.comparison import Comparison
from piste.core.errors import Fault, Place
from piste.core.finding import Finding, Severity, sentence
from piste.core.problem import Problem
from piste.core.report.tables import plain
from piste.edges.annotations import Level, Remark
from piste.edges.ledger import keep, kept
from piste.edges.store import Store, fingerprint, key, versions
from piste.families.boosting import PROBE
from piste.prepare import Lenient, Prepared

HERE = Path(__file__).parent
LEVELS: Mapping[Severity, Level] = {"block": "error", "warn": "warning", "note": "notice"}
FAILED = "it could not be computed"  # how the reason of a check begins that failed
MOST_NAMED = 4  # findings of a severity on one line
PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "lightgbm")  # whose versions may change what is found
BESIDE = {"acknowledge", "data", "track"}  # keys that change nothing of what is found: the rows have a digest of their own


def survey_of(prepared: Prepared, *, faults: Sequence[Fault] = (), judged_before: np.ndarray | None = None) -> Survey:
    """Return what the audit looks at.

    Args:
        prepared: a problem ready to run.
        faults: what had to be set aside before it was.
        judged_before: (n_rows,) how many earlier comparisons have judged each row.
    """
    return Survey(
        prepared.resolved,
        prepared.folds,
        prepared.plan,
        prepared.study,
        PROBE,
        tuple(faults),
        judged_before,
        time.perf_counter,
    )


def _sentences(finding: Finding) -> str:
    """Say all of a finding, the lines to paste below it."""
    said = [sentence(each) for each in (finding.message, finding.consequence, finding.fix) if each]
    return "\n".join([" ".join(said), *([finding.paste] if finding.paste else [])])


def listing(checked: Checked) -> str:
    """Say what was found, a line each."""
    return "\n".join([*map(str, checked.faults), *(f"{each.severity} {each.check} {each.on}: {each.message}" for each in checked.findings)])


@dataclass(frozen=True, repr=False)
class Checked:
    """What a look at a problem and its rows has found.

    Args:
        name: of the problem.
        problem: without what is wrong with it; None where nothing is left.
        prepared: None where the data or the target are of no use.
        faults: everything that is wrong with the file and the table, in order of place.
        aside: fields and columns that were set aside, so that the rest could be looked at.
        examined: what the checks said; the findings that somebody takes as they are, marked.
        today: by which acknowledgements count.
        drawn: what it looks like.
    """

    name: str
    problem: Problem | None
    prepared: Prepared | None
    faults: tuple[Fault, ...]
    aside: tuple[str, ...]
    examined: Examined
    today: date
    drawn: Callable[[Checked], str] = field(default=listing, compare=False)

    def __repr__(self) -> str:
        """Draw it."""
        return self.drawn(self)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Return what was found, the gravest first; of what is a fault too, the finding."""
        return self.examined.findings

    @property
    def open(self) -> tuple[Finding, ...]:
        """Return the findings that nobody takes as they are."""
        return tuple(each for each in self.findings if not each.acknowledged)

    @cached_property
    def plain_faults(self) -> tuple[Fault, ...]:
        """Return the faults that no finding tells of."""
        told = {each.check for each in self.findings}
        return tuple(each for each in self.faults if not each.check or each.check not in told)

    def of(self, severity: str) -> tuple[Finding, ...]:
        """Return the open findings of a severity."""
        return tuple(each for each in self.open if each.severity == severity)

    def exit_code(self, *, strict: bool) -> int:
        """Return 2 where something must be fixed first, 1 where a warning is open and that counts, else 0."""
        if self.faults or self.prepared is None or self.of("block"):
            return 2
        return 1 if strict and self.of("warn") else 0

    def place(self, finding: Finding) -> Place:
        """Return where in the file a finding belongs."""
        if fault := next((each for each in self.faults if each.check == finding.check and each.field == finding.field), None):
            return fault.place
        return self.problem.fault(finding.field, "").place if self.problem else Place()

    def replaced(self, pasted: str) -> tuple[tuple[int, int], ...]:
        """Return the lines, each first and last, of the keys in the file that lines to paste hold whole."""
        stand = [self.problem.lines(key) for key in re.findall(r"^(\w+):", pasted, re.MULTILINE)] if self.problem else []
        return tuple(sorted(lines for lines in stand if lines))

    def entry(self, finding: Finding) -> str:
        """Return the item of `acknowledge` that takes a finding as it is; empty for what cannot be taken so."""
        check = checks().get(finding.check)
        if check is None or check.exact or finding.severity == "note" or self.prepared is None:
            return ""
        return entry(finding, check, self.prepared.resolved.table.kinds, self.today)

    def remarks(self) -> tuple[Remark, ...]:
        """Return each fault and each open finding at its line, the gravest first."""
        faults = [Remark("error", each.place, each.field or "problem", each.message) for each in self.plain_faults]
        findings = [Remark(LEVELS[each.severity], self.place(each), f"{each.check} {each.on}", _sentences(each)) for each in self.open]
        return (*faults, *findings)

    def as_json(self) -> dict[str, Any]:
        """Return what `--json` prints: plain values only."""
        findings = [
            {**asdict(each), **asdict(self.place(each)), "acknowledge": "" if each.acknowledged else self.entry(each)}
            for each in self.findings
        ]
        told = {
            "problem": self.name,
            "digest": self.prepared.resolved.table.digest if self.prepared else "",
            "faults": [{"check": each.check, "field": each.field, "message": each.message, **asdict(each.place)} for each in self.faults],
            "aside": list(self.aside),
            "findings": findings,
            "spared": dict(self.examined.spared),
            "silent": list(self.examined.silent),
            "resolved": self.prepared.printed if self.prepared else "",
        }
        return {name: plain(value) for name, value in told.items()}


def checked(found: Lenient, judged_before: np.ndarray | None, today: date) -> Checked:
    """Look at a problem with every check before training.

    Args:
        found: the problem, as far as it could be made ready.
        judged_before: (n_rows,) how many earlier comparisons have judged each row; None where nobody counted.
        today: by which acknowledgements count.
    """
    examined = Examined()
    if found.prepared is not None:
        examined = settled(audit(survey_of(found.prepared, faults=found.faults, judged_before=judged_before)), found.prepared, today)
    return Checked(found.name, found.problem, found.prepared, found.faults, found.aside, examined, today)


def settled(examined: Examined, prepared: Prepared, today: date) -> Examined:
    """Return what was found with the findings that somebody takes as they are marked, and a note where one is no more."""
    found = standing(examined.findings, prepared, today)
    return replace(examined, findings=ordered((*found, *idle(found, prepared.resolved.problem, heard(checks(), examined.spared)))))


def standing(findings: Iterable[Finding], prepared: Prepared, today: date) -> tuple[Finding, ...]:
    """Return findings, of checks before or after training, with those marked that somebody takes as they are."""
    resolved = prepared.resolved
    return settle(findings, resolved.problem, {**checks(), **review.checks()}, resolved.table.kinds, today)


def heard(ids: Iterable[str], spared: Mapping[str, str]) -> tuple[str, ...]:
    """Return the checks that did not fail; one that did may yet find what it found before."""
    return tuple(id for id in ids if not spared.get(id, "").startswith(FAILED))


def noted(comparison: Comparison, prepared: Prepared) -> Comparison:
    """Return a comparison with a note for each acknowledgement that closes nothing, under a key that tells what was found.

    What the audit found is not all determined by the cells: a day passes, or an earlier comparison has used the holdout.
    """
    ran = heard({**checks(), **review.checks()}, comparison.spared)
    idle_ones = idle(comparison.findings, prepared.resolved.problem, ran)
    told = [
        [each.check, each.on, each.severity, each.acknowledged, each.number if each.check in checks() else 0.0]
        for each in comparison.findings
    ]
    return replace(comparison, key=key(comparison.key, told), findings=ordered((*comparison.findings, *idle_ones)))


def in_short(findings: Sequence[Finding], problem: object) -> str:
    """Name the findings that are open and more than notes, in a line or two; empty where there is none.

    Args:
        findings: of the audit.
        problem: that they are of, as its author named it.
    """
    said = []
    for severity, words in (("block", "to fix first"), ("warn", "to watch")):
        named = [f"{each.check} '{each.on}'" for each in findings if each.severity == severity and not each.acknowledged]
        more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
        said += [f"{len(named)} {words} ({', '.join(named[:MOST_NAMED])}{more})"] if named else []
    shown = "piste.check(problem)" if isinstance(problem, Problem) else f"piste check {shlex.quote(str(problem))}"
    return f"Before training: {', '.join(said)}. {shown} shows them." if said else ""


def audited(prepared: Prepared, store: Store, judged_before: np.ndarray | None) -> Examined:
    """Return what the audit finds in a problem that is ready to run; from the store where nothing has changed.

    What somebody takes as it is, is not marked yet: that depends on the day.
    """
    name = _determined(prepared, judged_before)
    examined = kept(store, name)
    if examined is None:
        examined = audit(survey_of(prepared, judged_before=judged_before))
        keep(store, name, examined)
    return examined


def _determined(prepared: Prepared, judged_before: np.ndarray | None) -> str:
    """Return the key of all that determines what the audit finds."""
    resolved = prepared.resolved
    columns = [(column.name, column.kind, column.role) for column in resolved.table.columns]
    asked = resolved.problem.model_dump(mode="json", by_alias=True, exclude=BESIDE)
    code = fingerprint(HERE / "core", HERE / "numeric", HERE / "families", HERE / "framings")
    return key("audit", resolved.table.digest, columns, asked, judged_before, code, versions(PACKAGES))
