"""The door for Python: check a problem and run it, and see both where someone watches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

from piste import api
from piste.checking import Checked
from piste.core.problem import Problem
from piste.result import Result
from piste.terminal import Screen, paper
from piste.terminal.audit import as_text
from piste.watch import Watcher, silent

WIDTH = 120  # characters of what is shown outside of a terminal


def run(
    problem: str | Path | Problem,
    *,
    changes: Sequence[str] = (),
    quick: bool = False,
    code: bool = True,
    workers: int | None = None,
    deadline: float = api.DEADLINE,
    mlruns: str | Path | None = None,
    watcher: Watcher | None = None,
) -> Result:
    """Compare all families on a problem, log the comparison to MLflow, and return it.

    Args:
        problem: a folder with a problem.yaml, a yaml file, or a `piste.Problem`.
        changes: changes to the file such as "search.trials=3".
        quick: baselines and each family's default only.
        code: whether code of the problem's folder may run.
        workers: processes; one per core where not given.
        deadline: seconds that a cell may take.
        mlruns: where results are kept; PISTE_MLRUNS, or mlruns/ in the working directory, where not given.
        watcher: hears of the progress; where not given, it is drawn in a terminal or a notebook.

    Raises:
        PisteError: the problem or its data cannot work.
    """
    console = paper(stderr=True)
    if watcher is None and (console.is_terminal or console.is_jupyter):
        with Screen(console) as screen:
            return run(problem, changes=changes, quick=quick, code=code, workers=workers, deadline=deadline, mlruns=mlruns, watcher=screen)
    return api.run(
        problem, changes=changes, quick=quick, code=code, workers=workers, deadline=deadline, mlruns=mlruns, watcher=watcher or silent
    )


def check(
    problem: str | Path | Problem,
    *,
    changes: Sequence[str] = (),
    code: bool = True,
    today: date | None = None,
    mlruns: str | Path | None = None,
) -> Checked:
    """Look for what is wrong with a problem and its rows before anything is fitted; shown, it is the screen of `piste check`.

    Args:
        problem: a folder with a problem.yaml, a yaml file, or a `piste.Problem`.
        changes: changes to the file such as "search.trials=3".
        code: whether code of the problem's folder may run.
        today: by which acknowledgements count; this day where not given.
        mlruns: where earlier comparisons are kept, which may have used the holdout.

    Raises:
        PisteError: there is no such file.
    """
    found = api.check(problem, changes=changes, code=code, today=today, mlruns=mlruns)
    return replace(found, drawn=partial(as_text, width=None if paper().is_terminal else WIDTH))
