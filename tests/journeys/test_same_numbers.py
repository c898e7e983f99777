"""The same problem and seed give the same numbers: twice, on one worker or two, after a kill, and fit nothing twice.

All that is said hangs on them: the claim, the learning curve and the self-test too.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import piste
from piste.core.plan import Cell
from piste.watch import Event, Finished

TIMES = ["fit_seconds", "predict_seconds"]


class Counting:
    """Keeps the cells that were fitted, not found."""

    def __init__(self) -> None:
        """Begin with none."""
        self.cells: list[Cell] = []

    def __call__(self, event: Event) -> None:
        """Keep a cell that took time."""
        if isinstance(event, Finished) and event.seconds > 0:
            self.cells.append(event.cell)

    @property
    def fitted(self) -> int:
        """Return how many there are."""
        return len(self.cells)


def timeless(result: piste.Result) -> pd.DataFrame:
    """Return the leaderboard without what a clock says."""
    return result.leaderboard.drop(columns=TIMES)


def equal(first: piste.Result, second: piste.Result) -> None:
    """Check that two results hold the same numbers, to the last bit."""
    pd.testing.assert_frame_equal(timeless(first), timeless(second), check_exact=True)
    pd.testing.assert_frame_equal(first.losses, second.losses, check_exact=True)
    pd.testing.assert_frame_equal(first.predictions, second.predictions, check_exact=True)
    assert first.verdict == second.verdict
    one, other = first.comparison, second.comparison
    assert (one.estimate, one.claimed, one.findings, one.champion) == (other.estimate, other.claimed, other.findings, other.champion)
    assert set(one.tables) == set(other.tables) >= {"folds", "reach", "self_test"}
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(table, other.tables[name], check_exact=True)
    pd.testing.assert_frame_equal(one.curve.points, other.curve.points, check_exact=True)
    assert replace(one.curve, points=None) == replace(other.curve, points=None)


def n_stored(mlruns: Path) -> int:
    """Count the cells in the store, which may not be there yet."""
    with (
        contextlib.suppress(sqlite3.Error),
        contextlib.closing(sqlite3.connect(f"file:{mlruns / 'results.sqlite'}?mode=ro", uri=True)) as store,
    ):
        return store.execute("SELECT count(*) FROM results").fetchone()[0]
    return 0


@pytest.fixture(scope="module")
def undisturbed(problem, tmp_path_factory) -> Path:
    """Return where the results of an undisturbed run on two workers are."""
    mlruns = tmp_path_factory.mktemp("undisturbed")
    piste.run(problem, mlruns=mlruns, workers=2)
    return mlruns


@pytest.fixture
def whole(problem, undisturbed) -> piste.Result:
    """Return the result of the undisturbed run."""
    return piste.run(problem, mlruns=undisturbed)


def test_one_worker_gives_the_numbers_of_two_and_a_second_run_fits_nothing(problem, tmp_path, undisturbed, whole):
    equal(piste.run(problem, mlruns=tmp_path / "one", workers=1), whole)
    watcher = Counting()
    again = piste.run(problem, mlruns=undisturbed, workers=2, watcher=watcher)
    equal(again, whole)
    assert watcher.fitted == 0
    assert again.link == whole.link
    pd.testing.assert_frame_equal(again.leaderboard, whole.leaderboard)  # the times of the first are kept


def test_a_family_more_costs_that_family(problem, undisturbed):
    watcher = Counting()
    piste.run(problem, changes=["families=[linear,perceptron,tree,neighbours,boosting,blend]"], mlruns=undisturbed, watcher=watcher)
    stages = Counter(cell.stage for cell in watcher.cells if cell.entry == "neighbours")
    assert (stages["default"], stages["search"]) == (4, 4)  # on three folds and the one that warms up
    assert all(cell.entry == "neighbours" or cell.stage == "curve" for cell in watcher.cells)  # another champion has a curve of its own


def test_after_kill_9_the_same_command_ends_with_the_same_numbers(problem, tmp_path, whole):
    mlruns = tmp_path / "killed"
    command = [sys.executable, "-m", "piste.cli", "run", str(problem), "--mlruns", str(mlruns)]
    for enough in (4, 12):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while n_stored(mlruns) < enough and process.poll() is None:
            assert time.monotonic() < deadline, "no cell was stored in two minutes"
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    kept = n_stored(mlruns)
    watcher = Counting()
    equal(piste.run(problem, mlruns=mlruns, watcher=watcher), whole)
    assert 0 < watcher.fitted <= n_stored(mlruns) - kept
    assert_none_runs(mlruns)


def test_ctrl_c_keeps_what_is_finished(problem, tmp_path, whole):
    mlruns = tmp_path / "interrupted"
    command = [sys.executable, "-m", "piste.cli", "run", str(problem), "--mlruns", str(mlruns)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while n_stored(mlruns) < 4 and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "the same command goes on from here" in said
    assert "Traceback" not in said
    equal(piste.run(problem, mlruns=mlruns), whole)


def assert_none_runs(mlruns: Path) -> None:
    """Check that MLflow holds each run once, and none that is still running."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{mlruns / 'mlflow.db'}")
    [experiment] = [each for each in client.search_experiments() if each.name == "counters"]
    runs = client.search_runs([experiment.experiment_id])
    assert {run.info.status for run in runs} == {"FINISHED"}
    names = [(run.data.tags.get("mlflow.parentRunId"), run.data.tags.get("piste.framing"), run.info.run_name) for run in runs]
    assert len(names) == len(set(names))
