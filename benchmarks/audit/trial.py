"""One trial: a table and its problem are written into a folder of their own, and checked as a user would check them."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from benchmarks.audit.faults import Fault
from benchmarks.audit.planting import Problem
from benchmarks.audit.rule import Said
from benchmarks.audit.tables import CleanTable
from piste.checking import survey_of
from piste.core.audit import audit
from piste.core.errors import PisteError
from piste.prepare import prepare
from piste.watch import silent


@dataclass(frozen=True)
class Heard:
    """What was said of one table.

    Args:
        said: all of it that is open.
        failed: checks that could not be computed, with their errors.
        seconds: that it took.
        seen: the columns that models would see; empty where the file was refused.
    """

    said: tuple[Said, ...]
    failed: tuple[str, ...]
    seconds: float
    seen: frozenset[str] = frozenset()


def tried(frame: pd.DataFrame, problem: Problem) -> Heard:
    """Check a table of texts and its problem."""
    with tempfile.TemporaryDirectory(prefix="piste-bench-audit-") as name:
        folder = Path(name)
        frame.to_csv(folder / "data.csv", index=False)
        data: Any = problem["data"]
        data = {**data, "path": "data.csv"} if isinstance(data, dict) else "data.csv"
        text = yaml.safe_dump({**problem, "data": data}, sort_keys=False, allow_unicode=True)
        (folder / "problem.yaml").write_text(text, encoding="utf-8")
        return heard(folder)


def heard(path: Path) -> Heard:
    """Check a problem where it stands, and return what is said of it."""
    start = time.perf_counter()
    try:
        survey = survey_of(prepare(path, (), silent, quick=True, code=False))
        found = audit(survey)
    except PisteError as error:
        refused = tuple(Said(fault.check, "block", fault.field, fault.message, refusal=True) for fault in error.faults)
        return Heard(refused, (), time.perf_counter() - start)
    said = tuple(Said(each.check, each.severity, each.on, each.message) for each in found.findings if not each.acknowledged)
    failed = tuple(f"{name}: {reason}" for name, reason in found.spared.items() if reason.startswith("it could not be computed"))
    return Heard(said, failed, time.perf_counter() - start, frozenset(column.name for column in survey.features))


def clean(table: CleanTable) -> Heard:
    """Check a table as it is."""
    return heard(table.problem_file)


def planted(fault: Fault, frame: pd.DataFrame, problem: Problem) -> Heard:
    """Check a table with a fault in it."""
    return tried(*fault.planted(frame, problem))
