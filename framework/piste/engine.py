"""Runs the cells that are not stored yet, and stores what comes of each before anything is made of it."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from piste import watch
from piste.core.comparison import Judged
from piste.core.decision import Actions, Quantity
from piste.core.family import Family
from piste.core.fit import Failed, Outcome, Predicted
from piste.core.framing import State
from piste.core.judge import Members
from piste.core.levels import cuts_of
from piste.core.model import Question
from piste.core.plan import Cell, Stage
from piste.core.search import Candidate
from piste.edges.executors import Executor, TaskFailed, TimedOut
from piste.edges.models import question_json
from piste.edges.packing import Ref
from piste.edges.store import Record, Store, fingerprint, key, versions
from piste.prepare import Prepared, past_of
from piste.watch import Finished, Spared, Started, Watcher
from piste.work import Refitted, Share, Wanted, compute, compute_model, join_models, needed

PACKAGES = ("numpy", "pandas", "scipy", "scikit-learn", "lightgbm", "torch")  # whose versions may change a number
HERE = Path(__file__).parent
EXAMPLE_ROWS = 5
SPARED = "spared"  # the kind of a record of a cell that was planned, and is not computed as it was

States = Mapping[str, State]  # row id -> what makes its predictions a distribution


@dataclass(slots=True)
class Engine:
    """Computes cells and refits for one prepared problem; workers start when the first is needed."""

    prepared: Prepared
    store: Store
    watcher: Watcher
    start: Callable[[], Executor]
    deadline: float
    fitted: int = 0  # cells that were not stored
    _base: str = field(init=False)
    _rules_digest: str = field(init=False, default="")
    _executor: Executor | None = field(init=False, default=None)
    _study: Ref | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Digest what determines every cell alike."""
        resolved, study = self.prepared.resolved, self.prepared.study
        columns = [(column.name, column.kind, column.role) for column in resolved.table.columns]
        data = _digest(study.expanded)
        weight = hashlib.sha256(study.weight.tobytes() + np.ascontiguousarray(study.target.values).tobytes()).hexdigest()
        code = fingerprint(*sorted((HERE / "core").glob("*.py")), *sorted((HERE / "numeric").glob("*.py")))
        self._base = key(resolved.table.digest, columns, data, weight, study.target.kind, study.seed, code, versions(PACKAGES))

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Let the workers go; after an exception at once."""
        if self._executor is not None:
            self._executor.close(now=kind is not None)

    @property
    def executor(self) -> Executor:
        """Return the workers."""
        if self._executor is None:
            self._executor = self.start()
        return self._executor

    def cells(self, cells: Sequence[Cell], more: deque[Cell] | None = None) -> Iterator[tuple[Cell, Sequence[Outcome]]]:
        """Yield every cell with what came of it, the stored ones first, the others as they finish.

        A cell of several candidates that fails is computed again candidate by candidate, so that a bad one costs its
        own row only; it is yielded in these parts.

        Args:
            cells: that are wanted.
            more: whoever is told of a cell may put here which are wanted after it.
        """
        more = deque() if more is None else more
        more.extendleft(reversed(cells))
        queue: deque[Cell] = deque()
        running: dict[Future[Any], tuple[Cell, float]] = {}
        while more or queue or running:
            if more:
                yield from self._looked_up(more, queue)
                continue
            while queue and len(running) < self.executor.workers:
                cell = queue.popleft()
                self.watcher(Started(cell))
                entry = self.prepared.plan.entries[cell.entry][0]
                future = self.executor.submit(compute, self.sent(), cell, entry, self.prepared.folder.resolve(), timeout=self.deadline)
                running[future] = cell, time.perf_counter()
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                cell, began = running.pop(future)
                self.fitted += 1
                if (outcomes := self._kept(cell, future)) is None:
                    queue.extendleft(reversed(cell.alone()))
                    continue
                self.watcher(Finished(cell, time.perf_counter() - began, outcomes))
                yield cell, outcomes

    def _looked_up(self, more: deque[Cell], queue: deque[Cell]) -> Iterator[tuple[Cell, Sequence[Outcome]]]:
        """Yield those of the cells that are stored, and put the others into the queue."""
        keys = {cell: self.cell_key(cell) for cell in more}
        more.clear()
        stored = self.store.get_many(list(keys.values()))
        for cell, name in keys.items():
            record = stored.get(name)
            if record is None or record.kind == SPARED or self._retry(record):
                queue.append(cell)
            elif record.kind == "divided":
                more.extend(cell.alone())
            else:
                outcomes = _read(record, cell)
                self.watcher(Finished(cell, 0.0, outcomes))
                yield cell, outcomes

    def _kept(self, cell: Cell, future: Future[Any]) -> Sequence[Outcome] | None:
        """Store what came of a cell; None where it is divided, because one of its candidates may be the bad one."""
        try:
            found: list[Predicted] = future.result()
        except TaskFailed as failure:
            if len(cell.candidates) > 1:
                self.store.replace(self.cell_key(cell), "divided", {"reason": str(failure)}, {})
                return None
            self._keep_failure(cell, failure)
            return [Failed(str(failure))]
        self.store.replace(self.cell_key(cell), "cell", *_written(found))
        return found

    def spare(self, cell: Cell) -> None:
        """Note that a cell is not computed as it was planned, so that a look ahead does not count it as work."""
        self.store.put(self.cell_key(cell), SPARED, {}, {})
        self.watcher(Spared(cell))

    def stored(self) -> set[int]:
        """Return id() of the cells that are stored."""
        keys = {id(cell): self.cell_key(cell) for cell in self.prepared.plan.cells}
        records = self.store.get_many(list(keys.values()))
        return {number for number, name in keys.items() if name in records and not self._retry(records[name])}

    def _keep_failure(self, cell: Cell, failure: TaskFailed) -> None:
        """Store a failure that would come again; a death (out of memory, killed) may not, so the next run tries again."""
        meta = {"reason": str(failure), "deadline": failure.seconds if isinstance(failure, TimedOut) else None}
        if type(failure).__name__ != "Died":
            self.store.replace(self.cell_key(cell), "failed", meta, {})

    def _retry(self, record: Record) -> bool:
        """Tell whether a stored failure is worth another try: it ran into a shorter deadline than now."""
        return record.kind == "failed" and (record.meta.get("deadline") or np.inf) < self.deadline

    def cell_key(self, cell: Cell) -> str:
        """Return the key of all that determines what comes of a cell."""
        fold = self.prepared.folds.folds[cell.fold]
        points = [[dict(candidate.params), *map(dict, candidate.points)] for candidate in cell.candidates]
        largest = max(len(each.train) for each in self.prepared.folds.folds)
        rules = self._rules(self.prepared.plan.entries[cell.entry][1])
        stages: dict[Stage, list[Any]] = {
            "curve": [cell.share],
            "self-test": [cell.stage],
            "seeds": ["seeds", cell.draw],
            "repeat": ["seeds", cell.draw],
        }
        more = stages.get(cell.stage, [])
        asked = [cell.framing, *self._form(cell.framing)]
        return key(self._base, rules, _fold_digest(fold), largest, cell.fold, asked, self._code(cell.framing, cell.entry), points, *more)

    def _form(self, framing: str) -> list[Any]:
        """Return what the form of a framing adds to its name: nothing where rows are the table's own."""
        form = self.prepared.study.forms[framing]
        added = self.prepared.study.added.get(framing)
        shape = [form.wide, form.apart] if form.wide or form.apart else []
        target = self.prepared.study.target
        cut = target.thresholds is not None and self.prepared.plan.asked[framing].framing.kind == "classes"
        learnt = [hashlib.sha256(target.codes.tobytes()).hexdigest()] if cut else []  # levels, which the digest of the data does not tell
        return [form.framing, *shape, *([] if added is None else [_digest(added)]), *learnt]

    def _rules(self, family: Family) -> str:
        """Return the digest of what only rules read, so that a rule more leaves the models' cells as they are."""
        if family.matrix != "raw":
            return ""
        self._rules_digest = self._rules_digest or _digest(self.prepared.study.rules)
        return self._rules_digest

    def _code(self, framing: str, entry: str) -> list[Any]:
        """Return what names a family and a framing, and their code."""
        written, kin = self.prepared.plan.entries[entry]
        folder = HERE / "families" / (written.family or "")
        sources = sorted(folder.rglob("*.py")) if folder.is_dir() else [folder.with_suffix(".py")]
        if own := written.file or (written.factory or "").partition(":")[0]:
            sources = [self.prepared.folder / own]
        asked = self.prepared.plan.asked[framing].framing.name
        return [kin.name, written.factory, fingerprint(*sources, HERE / "framings" / f"{asked}.py")]

    def sent(self) -> Ref:
        """Return the study as the workers have it."""
        if self._study is None:
            self._study = self.executor.put(self.prepared.study)
        return self._study

    def refits(self, rows: Sequence[Judged], states: States, members: Members) -> dict[str, Refitted]:
        """Return each row of the leaderboard fitted on every row but the holdout; a blend is joined from its members.

        Args:
            rows: of the leaderboard.
            states: row id -> what makes its predictions a distribution.
            members: row id -> what to fit.
        """
        wanted = {row.id: wanted_model(self.prepared, row, states[row.id], members[row.id]) for row in rows}
        models: dict[str, Wanted] = {}  # by key
        named: dict[str, str] = {}  # what is fitted once, whatever rows and blends it is part of -> its key
        for each in sorted(wanted.values(), key=lambda each: len(each.members)):
            for part in (each,) if len(each.members) == 1 else each.alone():
                if _same(part) not in named:
                    models[named.setdefault(_same(part), self._refit_key(part))] = part
        joined = {id: each for id, each in wanted.items() if self._refit_key(each) not in models}
        where, layout = self.prepared.folder.resolve(), self.prepared.layout
        sample = self.prepared.resolved.table.frame.iloc[self.prepared.folds.whole.train[:EXAMPLE_ROWS]]
        tasks = {key: (compute_model, self.sent, each, layout, sample, where) for key, each in models.items()}
        total = len(tasks) + len(joined)
        found = self._models(tasks, 0, total)
        parts = {id: [found[named[_same(part)]] for part in each.alone()] for id, each in joined.items()}
        whole = {
            self._refit_key(joined[id]): (join_models, [part.packed for part in each], joined[id], layout, sample, where)
            for id, each in parts.items()
            if all(part.packed for part in each)
        }
        found |= self._models(whole, len(tasks), total)
        for id, made in parts.items():
            if reason := next((part.reason for part in made if not part.packed), ""):
                found[self._refit_key(joined[id])] = Refitted(b"", f"a member has no model: {reason}", {}, None)
        return {id: found[self._refit_key(each)] for id, each in wanted.items()}

    def _models(self, tasks: Mapping[str, Sequence[Any]], before: int, total: int) -> dict[str, Refitted]:
        """Return what is wanted by key; from the store where it is there.

        Args:
            tasks: key -> a function and its arguments; one without arguments of its own is called for its value.
            before: how many of the total are done already, for the watcher.
            total: of all such calls.
        """
        found = {key: _refitted(record) for key, record in self.store.get_many(list(tasks)).items()}
        running = {}
        for name, (function, *arguments) in tasks.items():
            if name not in found:
                given = [argument() if callable(argument) else argument for argument in arguments]
                running[self.executor.submit(function, *given, timeout=self.deadline)] = name
        while running:
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                name = running.pop(future)
                try:
                    found[name] = replace(future.result(), key=name)
                    self.store.put(name, "model", *_written_model(found[name]), blob=found[name].packed)
                except TaskFailed as failure:
                    found[name] = Refitted(b"", f"the fit on all rows failed: {failure}", {}, None, key=name)
                self.watcher(watch.Refitted(before + len(found), total))
        return found

    def comparison_key(self) -> str:
        """Return the key of all that determines the comparison."""
        prepared = self.prepared
        source = prepared.resolved.problem.question
        return key("comparison", [self.cell_key(cell) for cell in prepared.plan.cells], prepared.printed, source)

    def _refit_key(self, wanted: Wanted) -> str:
        members = [[share.weight, share.entry.name, dict(share.params), *map(dict, share.points)] for share in wanted.members]
        asked = wanted.question.asked
        code = [self._code(asked, _row_name(share)) for share in wanted.members]
        layout = self.prepared.layout.to_json()
        rules = [self._rules(self.prepared.plan.entries[_row_name(share)][1]) for share in wanted.members]
        whole, said = _fold_digest(self.prepared.folds.whole), question_json(wanted.question)
        return key("model", self._base, rules, whole, self._form(asked), said, members, code, layout)


def wanted_model(prepared: Prepared, row: Judged, state: State, members: Sequence[tuple[float, Candidate]]) -> Wanted:
    """Say what is refitted for a row of the leaderboard."""
    resolved, table = prepared.resolved, prepared.resolved.table
    asked = prepared.plan.asked[row.framing]
    shares = tuple(Share(weight, prepared.plan.entries[each.entry][0], each.params, each.points) for weight, each in members)
    rules = tuple(str(share.params["expression"]) for share in shares if "expression" in share.params)
    yardstick = resolved.yardstick
    stakes = yardstick if isinstance(yardstick, Quantity | Actions) else None
    question = Question(
        title=row.title,
        asked=row.framing,
        framing=asked.framing,
        rule=next(rule for rule in asked.framing.rules(yardstick) if rule == row.rule),
        state=state,
        task=resolved.task(asked, len(prepared.folds.whole.train)),
        target=table.target.name,
        labels=table.target.classes if asked.framing.kind == "classes" else (),
        features=tuple(column.name for column in table.features),
        also=needed(shares, table.frame.columns, table.target.name),
        added=asked.form.add,
        rules=rules,
        past=past_of(resolved, (*asked.form.add, *rules)),
        names=resolved.problem.unit if asked.form.wide or asked.form.apart else (),
        cuts=cuts_of(resolved.problem) if asked.framing.kind == "classes" or isinstance(stakes, Actions) else None,
        stakes=stakes,
        together=resolved.together,
    )
    return Wanted(question, shares)


def _same(wanted: Wanted) -> str:
    """Name what is fitted for a model of one member, whatever the model is called and decides by."""
    [share] = wanted.members
    return key(wanted.question.asked, share.entry.name, share.entry.family, dict(share.params), [*map(dict, share.points)])


def _row_name(share: Share) -> str:
    """Return the name of the plan's entry that a member came from."""
    return f"baseline:{share.entry.name}" if share.entry.family == "baseline" else share.entry.name


def _fold_digest(fold: Any) -> str:
    return hashlib.sha256(fold.train.tobytes() + b"|" + fold.stop.tobytes() + b"|" + fold.test.tobytes()).hexdigest()


def _digest(*frames: Any) -> str:
    """Digest frames by all their values."""
    import pandas as pd

    found = hashlib.sha256()
    for frame in frames:
        found.update(repr([(str(name), str(dtype)) for name, dtype in frame.dtypes.items()]).encode())
        if frame.shape[1]:
            found.update(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes())
    return found.hexdigest()


def _written(outcomes: Sequence[Predicted]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    about = [
        {
            "train": dict(each.train_metrics),
            "fit": each.fit_seconds,
            "predict": each.predict_seconds,
            "notes": list(each.notes),
            "chosen": list(each.chosen),
        }
        for each in outcomes
    ]
    return {"candidates": about}, {str(i): each.predictions for i, each in enumerate(outcomes)}


def _read(record: Record, cell: Cell) -> list[Outcome]:
    if record.kind == "failed":
        return [Failed(record.meta["reason"])]
    about = record.meta["candidates"]
    assert len(about) == len(cell.candidates), "a key belongs to one list of candidates"
    return [
        Predicted(record.arrays[str(i)], each["train"], each["fit"], each["predict"], tuple(each["notes"]), tuple(each["chosen"]))
        for i, each in enumerate(about)
    ]


def _written_model(model: Refitted) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    example = None if model.example is None else model.example.to_dict("list")
    return {"reason": model.reason, "example": example, "inputs": list(model.inputs), "latency_ms": model.latency_ms}, dict(model.history)


def _refitted(record: Record) -> Refitted:
    import pandas as pd

    example = record.meta["example"]
    shown = None if example is None else pd.DataFrame(example)
    inputs = tuple(record.meta["inputs"])
    return Refitted(record.blob or b"", record.meta["reason"], dict(record.arrays), shown, inputs, record.meta["latency_ms"], record.key)
