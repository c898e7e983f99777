"""All that comes before the first fit: read, type, resolve, set apart, plan."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from piste.core import expression
from piste.core.features import expand
from piste.core.fit import Study
from piste.core.layout import Layout
from piste.core.model import rule_columns
from piste.core.plan import Plan, make_plan
from piste.core.problem import Problem
from piste.core.report.resolved import printed
from piste.core.resolve import Resolved, resolve
from piste.core.split import Folds, make_folds
from piste.core.table import make_table
from piste.edges.load import load_problem
from piste.edges.sources import read
from piste.families import NAMES
from piste.framings import framings
from piste.watch import Said, Watcher
from piste.work import Share, kin, needed


@dataclass(frozen=True, slots=True)
class Prepared:
    """A problem ready to run."""

    resolved: Resolved
    layout: Layout
    folds: Folds
    plan: Plan
    study: Study
    source: str
    folder: Path
    printed: str


def load(problem: str | Path | Problem, overrides: Sequence[str]) -> tuple[Problem, Path, str]:
    """Return a problem, its folder, and its name."""
    if isinstance(problem, Problem):
        return problem, Path.cwd(), problem.problem or "problem"
    path = Path(problem)
    read_problem = load_problem(path, overrides)
    folder = path if path.is_dir() else path.parent
    stem = "" if path.is_dir() or path.stem == "problem" else f"-{path.stem}"
    return read_problem, folder, read_problem.problem or f"{folder.resolve().name}{stem}"


def prepare(problem: str | Path | Problem, overrides: Sequence[str], watcher: Watcher, *, quick: bool, code: bool) -> Prepared:
    """Make a problem ready.

    Args:
        problem: a folder with a problem.yaml, a yaml file, or a Problem.
        overrides: changes such as "search.trials=3".
        watcher: is told when code of the problem's folder runs.
        quick: plan no search.
        code: whether code of the problem's folder may run.

    Raises:
        PisteError: the problem or its data cannot work.
    """
    problem, folder, name = load(problem, overrides)
    raw = read(problem, folder, code=code, say=lambda text: watcher(Said(text)))
    table = make_table(problem, raw)
    family = partial(kin, folder=folder)
    resolved = resolve(problem, name, table, framings(), NAMES, family)
    target = table.target
    folds = make_folds(problem, resolved.rule, table.frame, target.values, classes=bool(target.labels), seed=problem.seed)
    plan = make_plan(resolved, folds, family, lambda package: importlib.util.find_spec(package) is None, quick=quick)
    study = _study(resolved, folds, plan)
    return Prepared(resolved, table.layout, folds, plan, study, raw.path, folder, printed(resolved, folds, plan))


def _study(resolved: Resolved, folds: Folds, plan: Plan) -> Study:
    table, problem = resolved.table, resolved.problem
    expanded = expand(table.frame, [column.name for column in table.features])
    shares = [Share(1.0, plan.entries[candidate.entry][0], candidate.params) for candidate in plan.candidates]
    also = needed(shares, table.frame.columns, table.target.name)
    rules = pd.concat([rule_columns(table.frame, expanded, also), _lags(resolved, shares)], axis=1)
    return Study(expanded, rules, table.target, table.weight, folds, problem.seed)


def _lags(resolved: Resolved, shares: Sequence[Share]) -> pd.DataFrame:
    """Return the columns of earlier values that the rules look up, named as written, such as "count@-7d"."""
    problem, frame = resolved.problem, resolved.table.frame
    target = resolved.table.target
    known = frame if target.name in frame else frame.assign(**{target.name: np.asarray(target.values, dtype=float)})
    series = [name for name in problem.unit if name != problem.time]
    found = {}
    for share in shares:
        if "expression" in share.params:
            for column, lag in expression.lags(expression.parse(str(share.params["expression"]))):
                assert problem.time, "resolve refuses lags without a time"
                found[f"{column}{lag}"] = expression.lagged(known, column, lag, problem.time, series)
    return pd.DataFrame(found, index=frame.index)
