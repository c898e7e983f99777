"""Checks after training, on the loss matrix and the predictions beside it. A check is one file here; it is found by being there."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from piste.core.case import Case
    from piste.core.entrants import Entrant
    from piste.core.finding import Finding

    Check = Callable[["Case", tuple["Entrant", ...]], tuple[list[Finding], dict[str, pd.DataFrame]]]

NAMES = tuple(sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py")))
ORDER = {"block": 0, "warn": 1, "note": 2}


def checks() -> dict[str, Check]:
    """Return every check by the name of its file."""
    return {name: importlib.import_module(f"{__name__}.{name}").check for name in NAMES}


def review(case: Case, self_test: tuple[Entrant, ...]) -> tuple[tuple[Finding, ...], dict[str, pd.DataFrame]]:
    """Run every check.

    Args:
        case: the comparison.
        self_test: the columns of a baseline and a model on a target dealt at random, judged on that target.

    Returns:
        The findings, the gravest first, and the tables that they were read from.
    """
    findings: list[Finding] = []
    tables: dict[str, pd.DataFrame] = {}
    for each in checks().values():
        found, seen = each(case, self_test)
        findings += found
        tables |= seen
    return tuple(sorted(findings, key=lambda finding: (ORDER[finding.severity], finding.check, finding.on))), tables
