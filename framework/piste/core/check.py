"""What a check is: a function that looks for one thing that goes wrong, and what is to be known of it."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

import pandas as pd

from piste.core.finding import Finding, Severity

Subject = TypeVar("Subject")  # what is looked at: a survey before training, a case after it

ORDER: Mapping[Severity, int] = {"block": 0, "warn": 1, "note": 2}


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found, and the tables that it was read from, by name."""

    findings: Sequence[Finding] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """Why a check has nothing to look at here, as the end of a sentence: "the problem names no time"."""

    reason: str


@dataclass(frozen=True, slots=True)
class Check(Generic[Subject]):
    """A check, whole: `run` looks, the rest is what docs/checks.md says of it.

    Args:
        id: in docs/checks.md; a letter for what it looks at, and a number.
        title: in a few words.
        severity: of its findings; several where it depends on what is found.
        detects: what it looks for, in a sentence.
        computed: how.
        threshold: from where on it speaks, and why from there.
        alarm: what a false alarm costs the user.
        source: where the idea and the threshold come from.
        run: looks.
        version: raised when its evidence changes its meaning, so that what was acknowledged is asked again.
        exact: whether it cannot be mistaken; then it cannot be acknowledged.
    """

    id: str
    title: str
    severity: tuple[Severity, ...]
    detects: str
    computed: str
    threshold: str
    alarm: str
    source: str
    run: Callable[[Subject], Found | NotApplicable]
    version: int = 1
    exact: bool = False


def check(
    id: str,
    title: str,
    *severity: Severity,
    computed: str,
    threshold: str,
    alarm: str,
    source: str,
    version: int = 1,
    exact: bool = False,
) -> Callable[[Callable[[Subject], Found | NotApplicable]], Check[Subject]]:
    """Make a check of the function below; the first paragraph of its docstring says what it detects."""

    def made(run: Callable[[Subject], Found | NotApplicable]) -> Check[Subject]:
        said = inspect.getdoc(run)
        assert said, f"{id} must say what it detects, in its docstring"
        detects = " ".join(said.partition("\n\n")[0].split())
        return Check(id, title, severity, detects, computed, threshold, alarm, source, run, version, exact)

    return made


def checks_of(package: str, folder: Path) -> dict[str, Check[Subject]]:
    """Return every check of a package by its id: whatever check one of its files holds is registered by being there."""
    found: dict[str, Check[Subject]] = {}
    for path in sorted(folder.glob("[a-z]*.py")):
        for each in vars(importlib.import_module(f"{package}.{path.stem}")).values():
            if isinstance(each, Check) and found.setdefault(each.id, each) is not each:
                raise AssertionError(f"two checks are called {each.id}")
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True)
class Examined:
    """What all checks of a kind said.

    `spared` maps the checks that had nothing to look at to the reason; `silent` names those that looked and found nothing.
    """

    findings: tuple[Finding, ...] = ()
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    spared: Mapping[str, str] = field(default_factory=dict)
    silent: tuple[str, ...] = ()


def examine(checks: Iterable[Check[Subject]], subject: Subject) -> Examined:
    """Run checks, and return what they found, the gravest first.

    A check that fails costs its own line: the others are heard, and it is said that this one was not.
    """
    findings: list[Finding] = []
    tables: dict[str, pd.DataFrame] = {}
    spared: dict[str, str] = {}
    silent: list[str] = []
    for each in checks:
        try:
            said = each.run(subject)
        except Exception as error:  # noqa: BLE001  one check must not take the others down; tests hold that none does this
            said = NotApplicable(f"it could not be computed ({type(error).__name__}: {error})")
        if isinstance(said, NotApplicable):
            spared[each.id] = said.reason
            continue
        findings += said.findings
        tables |= said.tables
        if not said.findings:
            silent.append(each.id)
    return Examined(ordered(findings), tables, spared, tuple(silent))


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings, the gravest first, those acknowledged last."""
    return tuple(sorted(findings, key=lambda each: (bool(each.acknowledged), ORDER[each.severity], each.check, each.on)))
