"""What each column is for, and why."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from piste.core.data import Column, Role
from piste.core.kinds import what
from piste.core.melt import targets
from piste.core.notation import Form, shown
from piste.core.problem import Problem
from piste.core.references import used
from piste.core.target import Answer

DIFFERING = 0.95  # a text of which more cells differ names its row
ENOUGH = 20  # fewer rows than this say nothing about identifiers


def late_columns(problem: Problem) -> dict[str, str]:
    """Return the columns that are known only after, each with the reason.

    What is computed from such a column, or from a target, is known no earlier. What a target is computed from gives it
    away, unless the problem says that it is known before.
    """
    early = {*problem.known_at.always, *problem.known_at.decision}
    answers = targets(problem)
    late = dict.fromkeys(problem.known_at.after, "known only after")
    causes = [*answers]
    while causes:
        for name in used(str(problem.add.get(causes.pop(), 0))) - early - {*late, *answers}:
            late[name] = "known only after: the target is computed from it"
            causes.append(name)
    for name, text in problem.add.items():
        sources = sorted(used(str(text)) & {*late, *answers})
        if sources and name not in answers:
            late.setdefault(name, f"known only after: computed from '{sources[0]}'")
    return late


def assign(problem: Problem, values: pd.Series, form: Form, answers: Mapping[str, Answer], late: Mapping[str, str]) -> Column:
    """Decide what a column is for.

    Args:
        problem: may say it.
        values: (n_rows,) typed, under the column's name.
        form: how they are written.
        answers: the targets.
        late: columns known only after, with the reason.
    """
    name = str(values.name)
    distinct, missing = int(values.nunique()), int(values.isna().sum())
    holds = _holds(problem, name, form, distinct, missing)
    role, why = _said(problem, name, answers, late) or _seen(problem, values, form, distinct, missing) or ("feature", holds)
    if role == "split":
        why = f"{holds}; {why}"
    return Column(name, "identifier" if role == "identifier" else form.kind, role, why)


def _said(problem: Problem, name: str, answers: Mapping[str, Answer], late: Mapping[str, str]) -> tuple[Role, str] | None:
    """Return the role that the problem gives a column."""
    split = problem.split
    if name in answers:
        return "target", answers[name].why
    if name == problem.weight:
        return "weight", "weight of the row"
    if name in late:
        return "after", f"{late[name]}; never shown to a model"
    if problem.columns.get(name) == "drop":
        return "dropped", "left out: columns says drop"
    if name == split.by and split.scheme == "predefined":
        return "split", "says the fold (split.by), so not shown to a model"
    if name in (split.by, split.together) and name != problem.time and name not in (*problem.known_at.always, *problem.known_at.decision):
        return "split", f"sets rows apart (split.{'by' if name == split.by else 'together'}), so not shown to a model"
    return ("identifier", "declared identifier; left out") if problem.columns.get(name) == "identifier" else None


def _seen(problem: Problem, values: pd.Series, form: Form, distinct: int, missing: int) -> tuple[Role, str] | None:
    """Return the role of a column that no model can use, whatever it is for."""
    name = values.name
    if distinct == 0:
        return "dropped", "every cell is missing; left out"
    if distinct == 1 and not missing:
        return "dropped", f"every row holds {shown(values.iloc[0])}; left out"
    vouched = {*problem.columns, *problem.add, *problem.known_at.always, *problem.known_at.decision}
    if name in vouched or len(values) - missing <= ENOUGH:
        return None
    share = distinct / (len(values) - missing)
    if form.kind == "category" and share > DIFFERING:
        differs = "every value differs" if share == 1 else f"{share:.0%} of the values differ"
        return "identifier", f"identifier: {differs}; left out"
    if form.kind == "number" and values.iloc[0] in (0, 1) and np.array_equal(values, np.arange(len(values)) + values.iloc[0]):
        return "identifier", "identifier: counts the rows; left out"
    return None


def _holds(problem: Problem, name: str, form: Form, distinct: int, missing: int) -> str:
    """Say what a column holds: "number: 713 distinct values, 12 missing"."""
    plural = "s" * (distinct != 1)
    values = {
        "number": f"{distinct:,} distinct value{plural}",
        "datetime": f"{distinct:,} distinct date{plural}",
        "boolean": "yes and no",
    }.get(form.kind, f"text, {distinct:,} level{plural}")
    start = f"added as {problem.add[name]}" if name in problem.add else f"{'declared ' * (name in problem.columns)}{form.kind}"
    return ", ".join(filter(None, [f"{start}: {values}", what(form.kind, form), f"{missing:,} missing" if missing else ""]))
