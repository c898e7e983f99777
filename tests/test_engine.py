"""What is computed, what is found, and what a key hangs on."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import piste
from piste.core.fit import Failed, Outcome, Predicted
from piste.core.plan import Cell
from piste.edges.executors import Died, InProcess, Raised, TimedOut
from piste.edges.store import Store
from piste.engine import Engine
from piste.prepare import Prepared, prepare
from piste.watch import silent
from tests.fits import judged

OWN = "from sklearn.linear_model import Ridge\n\ndef make():\n    return Ridge(alpha=1.0)\n"


def frame(n: int = 60) -> pd.DataFrame:
    """Return rows of two numbers with a weight."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    return pd.DataFrame({"x": x, "z": rng.normal(size=n), "w": rng.uniform(1, 2, n), "y": x + rng.normal(0, 0.3, n)})


def prepared(folder: Path, rows: pd.DataFrame | None = None, **keys: Any) -> Prepared:
    """Prepare a small problem whose folder this is."""
    if not (folder / "own.py").exists():
        (folder / "own.py").write_text(OWN)
    usual = {"families": ["linear", "tree", {"mine": "own.py:make"}, "blend"], "search": {"trials": 2}, "split": {"folds": 2, "repeats": 1}}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # the folder of a problem written in Python
        problem = piste.Problem(**{"data": frame() if rows is None else rows, "target": "y", **usual, **keys})
        return prepare(problem, (), silent, quick=False, code=True)


class Runs:
    """An executor that computes at once in this process, or fails as it is told."""

    workers = 2

    def __init__(self, fails: Callable[[Cell, float], Exception | None] = lambda cell, timeout: None) -> None:
        self.fails = fails
        self.cells: list[Cell] = []

    def put(self, value: Any) -> Any:
        return value

    def submit(self, function: Callable[..., Any], *args: Any, timeout: float | None) -> Future[Any]:
        future: Future[Any] = Future()
        [cell] = [each for each in args if isinstance(each, Cell)]
        self.cells.append(cell)
        if failure := self.fails(cell, timeout or math.inf):
            future.set_exception(failure)
        else:
            future.set_result(function(*args))
        return future

    def close(self, *, now: bool = False) -> None:
        pass


@pytest.fixture
def store(tmp_path):
    """Return an empty store."""
    with Store(tmp_path / "results.sqlite") as opened:
        yield opened


def compute(at: Prepared, store: Store, executor: Any, deadline: float = 10.0) -> dict[tuple[str, str, int], list[Outcome]]:
    """Compute every cell, and return what came by candidate."""
    found: dict[tuple[str, str, int], list[Outcome]] = {}
    with Engine(at, store, silent, lambda: executor, deadline) as engine:
        for cell, outcomes in engine.cells(at.plan.cells):
            for candidate, outcome in zip(cell.candidates, () if cell.stage == "self-test" else outcomes, strict=False):
                found.setdefault(candidate.key, [Failed("not computed")] * len(at.folds.folds))[cell.fold] = outcome
    return found


Key = tuple[str, str, str, int]


def keys(at: Prepared, store: Store) -> dict[Key, str]:
    """Return the key of each cell by stage, framing, entry and fold."""
    engine = Engine(at, store, silent, InProcess, 10.0)
    return {(cell.stage, cell.framing, cell.entry, cell.fold): engine.cell_key(cell) for cell in at.plan.cells}


def changed(before: dict[Key, str], after: dict[Key, str], of: int = 2) -> set[str]:
    """Return the entries whose cells have other keys; or the framings."""
    assert before.keys() <= after.keys()
    return {cell[of] for cell, key in before.items() if after[cell] != key}


ALL = {"baseline:constant", "linear", "tree", "mine"}


def test_cells_that_are_stored_are_not_computed_again(tmp_path, store):
    at = prepared(tmp_path)
    first, again = Runs(), Runs()
    before = compute(at, store, first)
    after = compute(prepared(tmp_path), store, again)
    assert len(first.cells) == len(at.plan.cells)
    assert again.cells == []
    for key, outcomes in before.items():
        for one, other in zip(outcomes, after[key], strict=True):
            np.testing.assert_array_equal(one.predictions, other.predictions)
            assert (one.train_metrics, one.fit_seconds, one.notes) == (other.train_metrics, other.fit_seconds, other.notes)


def test_every_cell_has_a_key_of_its_own(tmp_path, store):
    found = keys(prepared(tmp_path), store)
    assert len(set(found.values())) == len(found)


@pytest.mark.parametrize(
    "change",
    [
        {"question": "How much?"},
        {"metric": "mae"},
        {"families": ["tree", {"mine": "own.py:make"}, "blend", "linear"]},
        {"families": ["linear", "tree", {"mine": "own.py:make"}]},
        {"problem": "other"},
        {"track": {"experiment": "other"}},
    ],
    ids=str,
)
def test_what_moves_no_prediction_changes_no_key_of_a_model(tmp_path, store, change):
    before, after = keys(prepared(tmp_path), store), keys(prepared(tmp_path, **change), store)
    moved = changed(before, after)
    assert moved == ({"baseline:constant"} if "metric" in change else set())  # the constant becomes the median


def test_a_family_more_leaves_the_keys_of_the_others(tmp_path, store):
    before = keys(prepared(tmp_path), store)
    after = keys(prepared(tmp_path, families=["neighbours", "linear", "tree", {"mine": "own.py:make"}]), store)
    assert before.items() <= after.items()


def test_more_trials_leave_the_keys_of_the_defaults(tmp_path, store):
    before, after = (keys(prepared(tmp_path, search={"trials": n}), store) for n in (2, 5))
    assert all(after[each] == key for each, key in before.items() if each[0] != "search")


def edited(column: str, value: float) -> pd.DataFrame:
    """Return the rows with one cell changed."""
    rows = frame()
    rows.loc[7, column] = value
    return rows


WEIGHED = {"weight": "w"}


@pytest.mark.parametrize(
    ("rows", "change"),
    [
        (edited("x", 9.0), {}),
        (edited("y", 9.0), {}),
        (edited("w", 9.0), WEIGHED),
        (frame().iloc[:-1], {}),
        (frame().rename(columns={"z": "zz"}), {}),
        (frame(), WEIGHED),
        (frame(), {"seed": 1}),
        (frame(), {"columns": {"z": "drop"}}),
        (frame(), {"columns": {"z": "category"}}),
        (frame(), {"add": {"twice": "2 * x"}}),
        (frame(), {"target": "z"}),
        (frame(), {"split": {"folds": 2, "repeats": 1, "holdout": 0.1}}),
    ],
    ids=[
        "a cell",
        "the target",
        "a weight",
        "a row less",
        "a name",
        "weights",
        "seed",
        "a drop",
        "a kind",
        "add",
        "another target",
        "holdout",
    ],
)
def test_what_may_move_a_prediction_changes_every_key(tmp_path, store, rows, change):
    before = keys(prepared(tmp_path, **(change if not rows.equals(frame()) else {})), store)
    assert changed(before, keys(prepared(tmp_path, rows, **change), store)) == ALL


def test_other_folds_are_other_cells(tmp_path, store):
    before, after = (keys(prepared(tmp_path, split={"folds": n, "repeats": 1}), store) for n in (2, 3))
    assert not set(before.values()) & set(after.values())


def test_hyperparameters_change_the_keys_of_their_entry_only(tmp_path, store):
    before = keys(prepared(tmp_path), store)
    after = keys(prepared(tmp_path, families=["linear", {"tree": {"max_depth": 3}}, {"mine": "own.py:make"}, "blend"]), store)
    assert changed(before, after) == {"tree"}


def test_what_a_file_of_the_users_own_holds_changes_the_keys_of_its_entry_only(tmp_path, store):
    before = keys(prepared(tmp_path), store)
    (tmp_path / "own.py").write_text(OWN.replace("1.0", "2.0"))
    assert changed(before, keys(prepared(tmp_path), store)) == {"mine"}


def test_another_function_of_the_same_file_is_another_family(tmp_path, store):
    (tmp_path / "own.py").write_text(OWN + "\ndef other():\n    return Ridge(alpha=5.0)\n")
    before = keys(prepared(tmp_path), store)
    after = keys(prepared(tmp_path, families=["linear", "tree", {"mine": "own.py:other"}, "blend"]), store)
    assert changed(before, after) == {"mine"}


def test_the_key_of_a_comparison_hangs_on_all_that_it_shows(tmp_path, store):
    def key(**change: Any) -> str:
        return Engine(prepared(tmp_path, **change), store, silent, InProcess, 10.0).comparison_key()

    found = [key(), key(question="Why?"), key(metric="mae"), key(seed=1), key(families=["linear"]), key(problem="other")]
    assert len(set(found)) == len(found)
    assert key() == found[0]


def only(entry: str, *numbers: int) -> Callable[[Cell], bool]:
    """Tell the cells that hold such a candidate."""
    return lambda cell: cell.entry == entry and any(candidate.number in numbers for candidate in cell.candidates)


def test_one_bad_candidate_costs_its_own_row(tmp_path, store):
    bad = only("tree", 1)
    executor = Runs(lambda cell, timeout: Raised("ValueError", "no luck", "") if bad(cell) else None)
    found = compute(prepared(tmp_path), store, executor)
    assert {key for key, outcomes in found.items() if any(isinstance(each, Failed) for each in outcomes)} == {("mean", "tree", 1)}
    assert [each.reason for each in found["mean", "tree", 1]] == ["ValueError: no luck"] * 2
    assert all(isinstance(each, Predicted) for each in found["mean", "tree", 2])


def test_a_cell_that_was_divided_is_found_in_its_parts_and_not_tried_again(tmp_path, store):
    bad = only("tree", 1)
    before = compute(prepared(tmp_path), store, Runs(lambda cell, timeout: Raised("ValueError", "no luck", "") if bad(cell) else None))
    again = Runs()
    after = compute(prepared(tmp_path), store, again)
    assert again.cells == []
    assert [each.reason for each in after["mean", "tree", 1]] == [each.reason for each in before["mean", "tree", 1]]


def slow(needed: float) -> Callable[[Cell, float], Exception | None]:
    """Make the default of `mine` take this many seconds."""
    return lambda cell, timeout: TimedOut(timeout) if cell.entry == "mine" and timeout < needed else None


def test_what_ran_into_its_deadline_is_tried_again_under_a_longer_one_only(tmp_path, store):
    at = prepared(tmp_path)
    found = compute(at, store, Runs(slow(60)), deadline=10.0)
    assert found["mean", "mine", 0][0].reason == "stopped at its deadline of 10 s"
    for deadline in (5.0, 10.0):
        again = Runs()
        assert isinstance(compute(at, store, again, deadline)["mean", "mine", 0][0], Failed)
        assert again.cells == []
    longer = Runs(slow(60))
    assert isinstance(compute(at, store, longer, deadline=100.0)["mean", "mine", 0][0], Predicted)
    assert {cell.entry for cell in longer.cells} == {"mine"}
    last = Runs()
    assert isinstance(compute(at, store, last, deadline=10.0)["mean", "mine", 0][0], Predicted)  # what is known stays known
    assert last.cells == []


def test_what_ran_into_a_longer_deadline_too_is_remembered_with_that_one(tmp_path, store):
    at = prepared(tmp_path)
    for deadline in (10.0, 20.0):
        compute(at, store, Runs(slow(60)), deadline)
    again = Runs(slow(60))
    found = compute(at, store, again, deadline=20.0)
    assert again.cells == []
    assert found["mean", "mine", 0][0].reason == "stopped at its deadline of 20 s"


def test_what_raised_would_raise_again_and_is_not_tried_whatever_the_deadline(tmp_path, store):
    at = prepared(tmp_path)
    compute(at, store, Runs(lambda cell, timeout: Raised("ValueError", "no luck", "") if cell.entry == "mine" else None))
    again = Runs()
    assert compute(at, store, again, deadline=1e6)["mean", "mine", 0][0].reason == "ValueError: no luck"
    assert again.cells == []


def test_what_died_is_tried_again_the_next_time(tmp_path, store):
    at = prepared(tmp_path)
    found = compute(at, store, Runs(lambda cell, timeout: Died(-9) if cell.entry == "mine" else None))
    assert "killed" in found["mean", "mine", 0][0].reason
    again = Runs()
    assert isinstance(compute(at, store, again)["mean", "mine", 0][0], Predicted)
    assert {cell.entry for cell in again.cells} == {"mine"}


def test_a_result_is_stored_before_anything_is_made_of_it(tmp_path, store):
    at = prepared(tmp_path)
    with Engine(at, store, silent, Runs, 10.0) as engine:
        for cell, _ in engine.cells(at.plan.cells):
            assert store.get(engine.cell_key(cell))
        assert engine.stored() == {id(cell) for cell in at.plan.cells}
        assert engine.fitted == len(at.plan.cells)


def test_workers_start_when_the_first_is_needed_and_not_where_all_is_stored(tmp_path, store):
    at = prepared(tmp_path)
    compute(at, store, Runs())

    def start() -> Any:
        raise AssertionError("nothing is to be computed")

    with Engine(at, store, silent, start, 10.0) as engine:
        assert len(list(engine.cells(at.plan.cells))) == len(at.plan.cells)


@pytest.mark.parametrize("name", ["a number", "actions", "shapes", "lags"])
def test_rows_are_refitted_once_and_a_blend_is_joined_from_what_is_fitted(name, store):
    of = judged(name)
    fitted: list[str] = []

    class Counts(Runs):
        def submit(self, function: Callable[..., Any], *args: Any, timeout: float | None) -> Future[Any]:
            fitted.append(function.__name__)
            future: Future[Any] = Future()
            future.set_result(function(*args))
            return future

    with Engine(of.at, store, silent, Counts, 60.0) as engine:
        models = engine.refits(of.case.rows, of.states, of.members)
    assert set(models) == {row.id for row in of.case.rows}
    assert all(model.packed and not model.reason for model in models.values())
    assert {len(model.example) for model in models.values()} == {5}
    several = {candidate.key for members in of.members.values() for _, candidate in members}
    assert fitted.count("compute_model") == len(several)  # a fit for each candidate, however many rows decide by it
    assert len(fitted) == len(models) + len(several) - len({of.members[id][0][1].key for id in models if len(of.members[id]) == 1})

    def start() -> Any:
        raise AssertionError("nothing is to be fitted")

    with Engine(of.at, store, silent, start, 60.0) as engine:
        again = engine.refits(of.case.rows, of.states, of.members)
    assert {id: model.packed for id, model in again.items()} == {id: model.packed for id, model in models.items()}


def test_a_refit_that_decides_by_other_costs_is_another_model_of_the_same_fit(tmp_path, store):
    of = judged("actions")
    [row] = [row for row in of.case.rows if row.id == "mean/linear/dressed"]
    wanted = of.wanted(row.id)
    stakes = wanted.question.stakes
    dearer = replace(wanted, question=replace(wanted.question, stakes=stakes.scaled(2.0)))
    engine = Engine(of.at, store, silent, InProcess, 60.0)
    assert engine._refit_key(wanted) != engine._refit_key(dearer)
    assert engine._refit_key(wanted) == engine._refit_key(replace(wanted))


LEVELLED = {"column": "y", "levels": {"cuts": [0.0], "names": ["low", "high"]}}
DECIDED = {"target": LEVELLED, "decision": {"cost": {"a": [0, 4], "b": [3, 0]}}, "framings": ["mean", "classes"]}


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ({"decision": {"cost": {"a": [0, 9], "b": [3, 0]}}}, set()),
        ({"success": {"by": "20%"}}, set()),
        ({"slices": ["z"]}, set()),
        ({"target": LEVELLED | {"levels": {"cuts": [0.5], "names": ["low", "high"]}}}, {"classes"}),
        ({"target": LEVELLED | {"levels": {"cuts": [0.0], "names": ["few", "many"]}}}, set()),
    ],
    ids=["costs", "success", "slices", "cuts", "names"],
)
def test_what_a_decision_costs_moves_no_model_and_where_levels_are_cut_those_that_learn_levels(tmp_path, store, change, moved):
    before, after = (keys(prepared(tmp_path, **DECIDED | each), store) for each in ({}, change))
    assert changed(before, after, 1) == moved


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        ({"framings": {"mean": None, "more": {"as": "mean", "add": "x + z"}}}, {"more"}),
        ({"framings": {"mean": None, "more": {"as": "mean", "add": "x * z"}, "else": {"as": "mean", "add": "x + z"}}}, set()),
    ],
    ids=["another column", "another framing"],
)
def test_what_a_framing_adds_changes_its_own_keys_only(tmp_path, store, change, moved):
    framings = {"mean": None, "more": {"as": "mean", "add": "x * z"}}
    before, after = (keys(prepared(tmp_path, **each), store) for each in ({"framings": framings}, change))
    assert changed(before, after, 1) == moved
    assert len(set(after.values())) == len(after)


def test_a_share_of_the_rows_a_target_dealt_at_random_and_another_seed_are_cells_of_their_own(tmp_path, store):
    at = prepared(tmp_path)
    engine = Engine(at, store, silent, InProcess, 10.0)
    [cell] = [cell for cell in at.plan.cells if (cell.stage, cell.entry, cell.fold) == ("default", "tree", 0)]
    others = [replace(cell, stage="curve", share=share) for share in (0.25, 0.5)] + [replace(cell, stage="self-test")]
    others += [replace(cell, stage="seeds", draw=draw) for draw in (1, 2)]
    assert len({engine.cell_key(each) for each in (cell, *others)}) == 6
