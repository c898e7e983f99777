"""The eight steps in order: problem, data, audit, plan, fit, losses, verdict, track."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from piste import drafting, watch
from piste.bench import Bench
from piste.checking import Checked, audited, checked, in_short, noted, standing
from piste.core.check import Examined
from piste.core.comparison import Comparison
from piste.core.errors import PisteError, near
from piste.core.finding import Finding
from piste.core.foldsheet import FoldSheet, fold_sheet, split_digest
from piste.core.handin import hand_in
from piste.core.judge import Members, Settle, members
from piste.core.layout import Layout, answered
from piste.core.leaderboard import foremost
from piste.core.model import Model
from piste.core.outside import Outside
from piste.core.problem import Problem
from piste.core.report.framed import Framed, explain
from piste.core.review.evidence import UNSEEDED
from piste.core.search import Candidate
from piste.drafting import New
from piste.edges import ledger, outsiders, shelf
from piste.edges.executors import Executor, Processes, default_workers
from piste.edges.models import read_model, unpack
from piste.edges.shelf import Shelved
from piste.edges.sources import read_file
from piste.edges.store import Store, versions
from piste.edges.tracking import Refit, Tracker, TrackingDown, open_store
from piste.engine import Engine, wanted_model
from piste.estimate import Estimate, estimate
from piste.families import NAMES
from piste.framings import framings
from piste.prepare import Prepared, lenient, load, prepare
from piste.result import Result
from piste.watch import Watcher, silent
from piste.work import Refitted, fit_model

DEADLINE = 600.0  # seconds that a cell may take
IMPORTED = ("piste.work", "scipy.stats", "scipy.linalg", "sklearn.pipeline", "pyarrow.pandas_compat", "skops.io")  # once for all workers
BEHIND = {"linear": "sklearn.linear_model", "tree": "sklearn.tree", "forest": "sklearn.ensemble", "boosting": "lightgbm",
          "svm": "sklearn.svm", "kernel": "sklearn.kernel_ridge", "neighbours": "sklearn.neighbors", "neural": "torch"}  # fmt: skip
MOST_NAMED = 8  # rows in a message
SERVING = ("piste", "numpy", "pandas", "scipy", "scikit-learn", "lightgbm", "skops")  # what a logged model needs


def home(mlruns: str | Path | None) -> Path:
    """Return where results are kept: as given, or PISTE_MLRUNS, or mlruns/ in the working directory."""
    return Path(mlruns or os.environ.get("PISTE_MLRUNS") or "mlruns").resolve()


def run(
    problem: str | Path | Problem,
    *,
    changes: Sequence[str] = (),
    quick: bool = False,
    code: bool = True,
    workers: int | None = None,
    deadline: float = DEADLINE,
    mlruns: str | Path | None = None,
    watcher: Watcher = silent,
) -> Result:
    """Compare all families on a problem, log the comparison to MLflow, and return it.

    Args:
        problem: a folder with a problem.yaml, a yaml file, or a Problem.
        changes: changes to the file such as "search.trials=3".
        quick: baselines and each family's default only.
        code: whether code of the problem's folder may run.
        workers: processes; one per core where not given.
        deadline: seconds that a cell may take.
        mlruns: where results are kept; PISTE_MLRUNS, or mlruns/ in the working directory, where not given.
        watcher: hears of the progress.

    Raises:
        PisteError: the problem or its data cannot work.
    """
    prepared = prepare(problem, changes, watcher, quick=quick, code=code)
    told = partial(in_short, problem=problem)
    return _compared(prepared, told, changes, quick=quick, workers=workers, deadline=deadline, where=home(mlruns), watcher=watcher)


def new(name: str | Path, *, data: str | Path | None = None, target: str | None = None, question: str = "") -> New:
    """Draft a problem: from a table with guesses at all that can be told from it, else a worksheet to fill in.

    Args:
        name: the folder to make; its last part is what the problem is called.
        data: the table, which stays where it is.
        target: the column to predict; of a worksheet, what the answer is called.
        question: in plain words; a worksheet needs one.

    Raises:
        PisteError: something of it will not do; then nothing is written.
    """
    if data is not None:
        return drafting.from_table(Path(name), Path(data), target, question.strip())
    if not question.strip():
        raise PisteError('must come with a table (--data FILE --target COLUMN), or with a question (--question "..."): neither is given')
    return drafting.from_question(Path(name), question.strip(), target)


def check(
    problem: str | Path | Problem,
    *,
    changes: Sequence[str] = (),
    code: bool = True,
    today: date | None = None,
    mlruns: str | Path | None = None,
    watcher: Watcher = silent,
) -> Checked:
    """Look for what is wrong with a problem and its rows before anything is fitted; nothing is written.

    Faults of the file and of the table do not end it: what is wrong is set aside, and the rest is looked at.

    Args:
        problem: a folder with a problem.yaml, a yaml file, or a Problem.
        changes: changes to the file such as "search.trials=3".
        code: whether code of the problem's folder may run.
        today: by which acknowledgements count; this day where not given.
        mlruns: where earlier comparisons are kept, which may have used the holdout.
        watcher: hears when code of the problem's folder runs.

    Raises:
        PisteError: there is no such file.
    """
    found = lenient(problem, changes, watcher, code=code)
    file = home(mlruns) / "results.sqlite"
    before = None
    if found.prepared is not None and len(found.prepared.folds.holdout) and file.exists():
        with Store(file) as store:
            before = _judged_before(found.prepared, store)
    return checked(found, before, today or date.today())


def _judged_before(prepared: Prepared, store: Store) -> np.ndarray | None:
    """Return how many earlier comparisons have judged each row that is held out; None where none is."""
    table, holdout = prepared.resolved.table, prepared.folds.holdout
    return ledger.judged_before(store, prepared.resolved.name, table.digest, holdout, len(table.frame)) if len(holdout) else None


def _compared(
    prepared: Prepared,
    told: Callable[[Sequence[Finding]], str],
    changes: Sequence[str],
    *,
    quick: bool,
    workers: int | None,
    deadline: float,
    where: Path,
    watcher: Watcher,
) -> Result:
    """Audit, compare, keep and log."""
    started = time.time()
    track = prepared.resolved.problem.track
    tracker = open_store(track.uri, where, track.experiment)  # a bad uri is said before the work, not after it
    with Store(where / "results.sqlite") as store:
        audit = audited(prepared, store, _judged_before(prepared, store))
        settle = partial(standing, prepared=prepared, today=date.today())
        if line := told(settle(audit.findings)):
            watcher(watch.Said(line))
        outside = _outside(prepared, store, watcher)
        with Engine(prepared, store, watcher, lambda: _workers(prepared, workers), deadline) as engine:
            comparison, members, models = _compare(engine, outside, audit, settle, quick=quick)
        comparison = noted(comparison, prepared)
        before = shelf.by_key(store, comparison.key)
        began = before.started if before else started
        shelved = Shelved(comparison, "", began, _keys(models), _plain(members), tuple(changes), quick)
        shelf.keep(store, shelved)
        link = _log(prepared, shelved, models, tracker, watcher)
        shelf.keep(store, replace(shelved, link=link))
    return Result(comparison, link, lambda id: _model(prepared, shelved, id, models[id].packed if id in models else b""))


def _outside(prepared: Prepared, store: Store, watcher: Watcher) -> tuple[Outside, ...]:
    """Return the predictions from outside that belong to these folds; say of others that they are left out."""
    kept = outsiders.kept(store, prepared.resolved.name)
    split = split_digest(prepared.resolved.table, prepared.folds)
    for name in dict.fromkeys(each.name for each in kept if each.split != split):
        watcher(watch.Said(f"'{name}', from outside, is left out: it was predicted for other rows or other folds."))
    return tuple(each for each in kept if each.split == split)


def _compare(
    engine: Engine, outside: Sequence[Outside], audit: Examined, settle: Settle, *, quick: bool
) -> tuple[Comparison, Members, dict[str, Refitted]]:
    """Fit, judge, and refit: a first leaderboard after the defaults, the whole one at the end."""
    bench = Bench(engine, outside, audit, settle)
    engine.watcher(watch.Planned(engine.prepared.plan))
    for stage in ("baseline", "default", "search"):
        bench.compute(stage)
        if stage == "default" and not quick and engine.fitted:
            engine.watcher(watch.FirstBoard(bench.conclude(bench.weigh(), (), None)))
    if not quick:
        bench.repeat()
    bench.compute("self-test")
    case = bench.weigh()
    curve = None if quick else bench.curve(case)
    if not engine.fitted:
        engine.watcher(watch.Said(f"Nothing has changed: all {len(engine.prepared.plan.cells)} cells are stored, nothing is fitted."))
    found = members(case)
    kept = foremost(case.rows, case.row_of(case.champion).id, case.row_of(case.base).id)  # all would take gigabytes
    models = engine.refits([row for row in case.rows if row.id in kept and not row.is_outside], case.states, found)
    case = replace(case, measured=_measured(models[case.row_of(case.champion).id]))
    return bench.conclude(case, bench.self_test(), curve, UNSEEDED if quick else bench.seeds(case)), found, models


def _measured(model: Refitted) -> dict[str, float]:
    """Return what a model takes in use; nothing where none is stored."""
    return {"latency_ms": model.latency_ms, "model_mb": len(model.packed) / 1e6} if model.packed else {}


def _workers(prepared: Prepared, workers: int | None) -> Executor:
    used = {entry.family for entry, _ in prepared.plan.entries.values()}
    families = [name for name in NAMES if name in used]
    own = [f"piste.families.{name}" for name in families] + [f"piste.framings.{name}" for name in framings()]
    behind = [package for name, package in BEHIND.items() if name in families]
    return Processes(workers or default_workers(), (*IMPORTED, *behind, *own))


def _keys(models: Mapping[str, Refitted]) -> dict[str, str]:
    return {id: model.key for id, model in models.items()}


def _plain(members: Members) -> dict[str, list[shelf.Fitted]]:
    return {id: [(weight, each.entry, dict(each.params), each.points) for weight, each in shares] for id, shares in members.items()}


def _log(prepared: Prepared, shelved: Shelved, models: Mapping[str, Refitted], tracker: Tracker, watcher: Watcher) -> str:
    """Write a comparison to MLflow and return its link; where MLflow cannot be reached, say so and go on."""
    whole = prepared.folds.whole.train
    sample = prepared.resolved.table.frame.iloc[whole[:5]]
    requirements = tuple(f"{name}=={version.partition('+')[0]}" for name, version in versions(SERVING).items() if version)
    try:
        with ExitStack() as stack:
            refits = {}
            for id, model in models.items():
                folder = None
                if model.packed:
                    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
                    unpack(model.packed, folder)
                refits[id] = Refit(folder, sample[[*model.inputs]], model.example, requirements, model.history, model.reason)
            return tracker.log(shelved.comparison, refits, lambda done, total: watcher(watch.Logged(done, total)), started=shelved.started)
    except TrackingDown as down:
        watcher(watch.Said(str(down)))
        return ""


def judge(
    problem: str | Path,
    predictions: str | Path,
    *,
    name: str,
    framing: str | None = None,
    code: bool = True,
    workers: int | None = None,
    deadline: float = DEADLINE,
    mlruns: str | Path | None = None,
    watcher: Watcher = silent,
) -> Result:
    """Judge predictions that were made elsewhere, on the folds that `folds` gave, beside the latest comparison of a problem.

    They are kept: every later comparison on the same folds has them too, until they are forgotten.

    Args:
        problem: a folder with a problem.yaml, or a yaml file.
        predictions: a file with a line for each line of the folds; csv, parquet, json lines or excel.
        name: what they are called.
        framing: what they are: mean, distribution, quantiles or classes; told from the columns where not given.
        code: whether code of the problem's folder may run.
        workers: processes, where something must be computed anew.
        deadline: seconds that a cell may take.
        mlruns: where results are kept.
        watcher: hears of the progress.

    Raises:
        PisteError: there is no comparison yet, or the predictions do not fit the folds.
    """
    latest = show(problem, mlruns=mlruns)
    prepared = prepare(problem, latest.changes, watcher, quick=latest.quick, code=code)
    taken = hand_in(read_file(Path(predictions)), name, framing, framings(), prepared.resolved, prepared.folds)
    where = home(mlruns)
    with Store(where / "results.sqlite") as store:
        outsiders.keep(store, prepared.resolved.name, taken)
    told = partial(in_short, problem=problem)
    return _compared(prepared, told, latest.changes, quick=latest.quick, workers=workers, deadline=deadline, where=where, watcher=watcher)


def forget(problem: str | Path, name: str, *, mlruns: str | Path | None = None) -> int:
    """Leave the predictions of a name out of all later comparisons; return how many files of them there were.

    Raises:
        PisteError: there are none.
    """
    _, _, called = load(problem, ())
    file = home(mlruns) / "results.sqlite"
    if file.exists():
        with Store(file) as store:
            known = dict.fromkeys(each.name for each in outsiders.kept(store, called))
            if n := outsiders.forget(store, called, name):
                return n
    else:
        known = {}
    raise PisteError(f"'{called}' has no predictions from outside called '{name}'.{near(name, known)}")


def frame(problem: str | Path | Problem, *, changes: Sequence[str] = (), code: bool = True, watcher: Watcher = silent) -> Framed:
    """Explain each way to put a problem to a model, before anything is fitted.

    Raises:
        PisteError: the problem or its data cannot work.
    """
    prepared = prepare(problem, changes, watcher, quick=True, code=code)
    return explain(prepared.resolved, prepared.folds, prepared.plan, prepared.study, framings())


def folds(problem: str | Path | Problem, *, changes: Sequence[str] = (), code: bool = True, watcher: Watcher = silent) -> FoldSheet:
    """Return the folds of a problem, for someone who predicts elsewhere.

    Raises:
        PisteError: the problem or its data cannot work.
    """
    prepared = prepare(problem, changes, watcher, quick=True, code=code)
    return fold_sheet(prepared.resolved.table, prepared.resolved.problem.unit, prepared.folds)


def show(problem: str | Path, *, mlruns: str | Path | None = None) -> Shelved:
    """Return the latest comparison of a problem.

    Raises:
        PisteError: there is none yet.
    """
    _, _, name = load(problem, ())
    file = home(mlruns) / "results.sqlite"
    found = None
    if file.exists():
        with Store(file) as store:
            found = shelf.latest(store, name)
    if found is None:
        raise PisteError(f"{file.parent}: holds no comparison of '{name}' yet. Run: piste run {problem}")
    return found


def plan(
    problem: str | Path | Problem,
    *,
    changes: Sequence[str] = (),
    quick: bool = False,
    code: bool = True,
    workers: int | None = None,
    mlruns: str | Path | None = None,
    watcher: Watcher = silent,
) -> Estimate:
    """Lay out a run without computing it; the times are extrapolated from fits on a few hundred rows."""
    prepared = prepare(problem, changes, watcher, quick=quick, code=code)
    count = workers or default_workers()
    with ExitStack() as stack:
        folder = home(mlruns)
        if not (folder / "results.sqlite").exists():  # nothing is written for a look ahead
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        store = stack.enter_context(Store(folder / "results.sqlite"))
        engine = stack.enter_context(Engine(prepared, store, watcher, lambda: _workers(prepared, count), DEADLINE))
        return estimate(engine, count)


def predict(
    problem: str | Path,
    rows: pd.DataFrame,
    *,
    path: str = "",
    lines: np.ndarray | None = None,
    row: str | None = None,
    mlruns: str | Path | None = None,
    code: bool = True,
) -> pd.DataFrame:
    """Answer new rows with the champion of the latest comparison of a problem, or with another of its rows.

    Args:
        problem: a folder with a problem.yaml, or a yaml file.
        rows: (n_rows, n_columns) to answer.
        path: how faults name the rows' source.
        lines: (n_rows,) where each row stands in it.
        row: id of the row of the leaderboard that answers; the champion where not given.
        mlruns: where results are kept.
        code: whether code of the problem's folder may run, where the model must be fitted anew.

    Raises:
        PisteError: there is no comparison yet, or no such row in it, or the rows cannot be read.
    """
    shelved = show(problem, mlruns=mlruns)
    id = row or shelved.comparison.champion
    with Store(home(mlruns) / "results.sqlite") as store:
        record = store.get(shelved.models[id]) if id in shelved.models else None
    packed = record.blob if record else None
    prepared = None if packed else prepare(problem, shelved.changes, silent, quick=shelved.quick, code=code)
    model, layout = _model(prepared, shelved, id, packed or b"")
    return answered(layout, model.predict, rows, path=path, lines=lines)


def predict_file(
    problem: str | Path, rows: Path, *, row: str | None = None, mlruns: str | Path | None = None, code: bool = True
) -> pd.DataFrame:
    """Answer the rows of a file: its columns, with the answers behind them.

    Raises:
        PisteError: as `predict`, or the file cannot be read.
    """
    raw = read_file(rows)
    answers = predict(problem, raw.frame, path=str(rows), lines=raw.lines, row=row, mlruns=mlruns, code=code)
    kept = raw.frame.reset_index(drop=True).map(_unformula)
    taken = {name: f"{name} (answer)" for name in answers.columns if name in kept}
    return pd.concat([kept, answers.rename(columns=taken)], axis=1)


def _unformula(cell: object) -> object:
    """Disarm a text that a spreadsheet would run as a formula (CWE-1236); numbers stay."""
    if not isinstance(cell, str) or not cell.startswith(("=", "+", "-", "@", "\t", "\r")):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell


def _model(prepared: Prepared | None, shelved: Shelved, id: str, packed: bytes) -> tuple[Model, Layout]:
    """Read the model of a row of the leaderboard, or fit it anew where none is stored."""
    if packed:
        return read_model(packed)
    ids = [row.id for row in shelved.comparison.judged if not row.is_outside]
    if id not in ids:
        guess = near(id, ids) or f" There are {', '.join(map(repr, ids[:MOST_NAMED]))}{' and others' * (len(ids) > MOST_NAMED)}"
        raise PisteError(f"row: must be the id of a row of the leaderboard that piste has fitted, but is '{id}'.{guess}")
    assert prepared, "without a stored model, the problem is prepared to fit it"
    row = shelved.comparison.row(id)
    parts = [(weight, Candidate(row.framing, entry, 0, params, tuple(points))) for weight, entry, params, points in shelved.members[id]]
    wanted = wanted_model(prepared, row, shelved.comparison.states[id], parts)
    return fit_model(prepared.study, wanted, prepared.folder.resolve()), prepared.layout.requiring(wanted.question.columns)
