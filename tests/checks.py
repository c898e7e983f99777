"""Examples of checks: one on which a check speaks, and one on which it is silent. Tests run them; docs/checks.md prints them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import pandas as pd

import piste
from piste.checking import survey_of
from piste.core.audit import Survey
from piste.edges.strict_yaml import read
from piste.prepare import prepare
from piste.watch import silent


@dataclass(frozen=True)
class Scene:
    """One problem, as a page prints it, and what a check looks at in it."""

    says: str  # what is true of the rows, as a sentence: "`resort` is 'A' in 998 of 1,000 rows."
    problem: str  # the lines of problem.yaml that matter, without `data`
    subject: Callable[[], Any]  # what the check is handed


@dataclass(frozen=True)
class Example:
    """A check, a scene on which it speaks about `on` with a severity, and one on which it is silent."""

    check: str
    on: str
    severity: str
    fires: Scene
    silent: Scene  # the check finds nothing, or has nothing to look at


def scene(says: str, problem: str, rows: Callable[[], pd.DataFrame], **more: Any) -> Scene:
    """Return a scene before training.

    Args:
        says: what is true of the rows.
        problem: the lines of problem.yaml, without `data`; indented as one likes.
        rows: makes the table.
        more: arguments of `survey_of`.
    """
    lines = dedent(problem).strip()
    return Scene(says, lines, lambda: surveyed(lines, rows(), **more))


def surveyed(problem: str, rows: pd.DataFrame, **more: Any) -> Survey:
    """Survey a table, with a problem written as YAML without `data`."""
    keys: Any = read(problem, "problem.yaml").value
    at = prepare(piste.Problem(data=rows, **keys), (), silent, quick=True, code=True)
    return survey_of(at, **more)


def examples(folder: Path) -> list[Example]:
    """Return the examples that the files of a folder hold, each as EXAMPLES."""
    import importlib.util

    found: list[Example] = []
    for path in sorted(folder.glob("[a-z]*.py")):
        spec = importlib.util.spec_from_file_location(f"examples_{path.stem}", path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found += module.EXAMPLES
    return found
