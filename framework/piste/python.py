"""The door for Python: run a problem, and see it run where someone watches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from piste import api
from piste.core.problem import Problem
from piste.result import Result
from piste.terminal import Screen, paper
from piste.watch import Watcher, silent


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
