"""One trial: a table and its problem are written into a folder of their own, and checked as a user would check them."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from benchmarks.audit.planting import Problem
from benchmarks.audit.rule import Said
from benchmarks.audit.tables import CleanTable
from piste.api import check


@dataclass(frozen=True)
class Heard:
    """What was said of one table.

    Args:
        said: all of it that is open.
        failed: checks that could not be computed, with their errors.
        seconds: that it took.
        seen: the columns that models would see; empty where nothing could be made ready.
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
    found = check(path, code=False)
    seconds = time.perf_counter() - start
    refused = [Said(each.check, "block", each.field, each.message, refusal=True) for each in found.plain_faults]
    said = [Said(each.check, each.severity, each.on, each.message) for each in found.open]
    failed = [f"{name}: {reason}" for name, reason in found.examined.spared.items() if reason.startswith("it could not be computed")]
    seen = [column.name for column in found.prepared.resolved.table.features] if found.prepared else []
    return Heard((*refused, *said), tuple(failed), seconds, frozenset(seen))


def clean(table: CleanTable) -> Heard:
    """Check a table as it is."""
    return heard(table.problem_file)
