"""From cells to the case that is judged: what the engine computes becomes columns once, and nothing is computed twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import piste
from piste.bench import Bench
from piste.core.check import Examined
from piste.core.comparison import Comparison
from piste.core.finding import Finding
from piste.core.fit import Failed, Predicted
from piste.core.plan import Cell
from piste.edges.executors import InProcess
from piste.edges.store import Store
from piste.engine import Engine
from piste.prepare import Prepared, prepare
from piste.watch import Began, Better, Event, Finished, Said, silent

HONEST = "from sklearn.tree import DecisionTreeRegressor\n\ndef make():\n    return DecisionTreeRegressor(max_depth=3)\n"
LEAKY = """\
import numpy as np
from sklearn.tree import DecisionTreeRegressor

SEEN = {}


class Remembers(DecisionTreeRegressor):
    def fit(self, X, y, sample_weight=None):
        SEEN.update(zip((row.tobytes() for row in X), y))
        return super().fit(X, y)

    def predict(self, X):
        return np.array([SEEN.get(row.tobytes(), guess) for row, guess in zip(X, super().predict(X))])


def make():
    return Remembers(max_depth=3)
"""


def rows(n: int = 200) -> pd.DataFrame:
    """Return two numbers and what one of them moves, day by day."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    y = 10 + np.sin(2 * x) + rng.normal(0, 0.3, n)
    return pd.DataFrame({"x": x, "z": rng.normal(size=n), "day": pd.date_range("2020-01-01", periods=n), "y": y})


def prepared(folder: Path, own: str = HONEST, *, quick: bool = False, **keys: Any) -> Prepared:
    """Prepare a problem whose folder holds a family of its own."""
    (folder / "own.py").write_text(own)
    usual = {"families": ["linear", "tree", {"mine": "own.py:make"}, "blend"], "search": {"trials": 2}, "split": {"folds": 4, "repeats": 1}}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # the folder of a problem written in Python
        problem = piste.Problem(**{"data": rows().drop(columns="day"), "target": "y", **usual, **keys})
        return prepare(problem, (), silent, quick=quick, code=True)


class Heard(list[Event]):
    """Everything that a watcher was told."""

    def __call__(self, event: Event) -> None:
        self.append(event)

    @property
    def fitted(self) -> int:
        """Return how many cells were not stored."""
        return sum(isinstance(event, Finished) and event.seconds > 0 for event in self)


@contextmanager
def bench_of(at: Prepared, folder: Path, heard: Heard | None = None) -> Iterator[Bench]:
    """Return a bench that computes in this process."""
    with Store(folder / "results.sqlite") as store, Engine(at, store, silent if heard is None else heard, InProcess, 60.0) as engine:
        yield Bench(engine)


def compared(at: Prepared, folder: Path, heard: Heard | None = None) -> Comparison:
    """Compute all there is, and say what was found."""
    with bench_of(at, folder, heard) as bench:
        for stage in ("baseline", "default", "search"):
            bench.compute(stage)
        bench.repeat()
        bench.compute("self-test")
        case = bench.weigh()
        return bench.conclude(case, bench.self_test(), bench.curve(case), bench.seeds(case))


def test_a_candidate_becomes_columns_once_all_its_folds_are_there(tmp_path):
    at = prepared(tmp_path)
    with bench_of(at, tmp_path) as bench:
        bench.compute("baseline")
        assert {key[1] for key in bench.entrants} == {"baseline:constant"}
        bench.compute("default")
        assert {key[1] for key in bench.entrants} == {"baseline:constant", "linear", "tree", "mine"}
        assert all(key[2] == 0 for key in bench.entrants)
        first = bench.weigh()
        bench.compute("search")
        second = bench.weigh()
    assert len(first.entrants) == 5  # with the blend
    assert len(second.entrants) > 5
    kept = {each.column.name: each for each in second.entrants}
    assert all(kept[each.column.name].column is each.column for each in first.entrants if each.column.entry != "blend")


def test_columns_stand_in_the_order_of_the_plan_whatever_finished_first(tmp_path):
    at = prepared(tmp_path)
    with bench_of(at, tmp_path) as bench:
        for stage in ("search", "default", "baseline"):
            bench.compute(stage)
        case = bench.weigh()
    assert [each.column.entry for each in case.entrants[:-1]] == [candidate.entry for candidate in at.plan.candidates]


def test_what_is_better_than_all_before_it_is_told_with_its_cost(tmp_path):
    heard = Heard()
    found = compared(prepared(tmp_path), tmp_path, heard)
    better = [event for event in heard if isinstance(event, Better)]
    assert [event.cost for event in better] == sorted((event.cost for event in better), reverse=True)
    assert better[0].title == "Baseline (constant: mean)"
    costs = np.sqrt(found.losses[[name for name in found.columns["column"] if "/blend/" not in name]].mean())
    assert better[-1].cost == pytest.approx(costs.min())
    assert {event.cost_name for event in better} == {"rmse"}
    assert [event.stage for event in heard if isinstance(event, Began)] == ["baseline", "default", "search", "self-test", "curve", "seeds"]


def test_nothing_is_computed_twice_the_self_test_and_the_curve_included(tmp_path):
    at = prepared(tmp_path)
    first, again = Heard(), Heard()
    before, after = compared(at, tmp_path, first), compared(prepared(tmp_path), tmp_path, again)
    beside = [event.cell for event in first if isinstance(event, Finished) and event.cell.stage in ("curve", "seeds")]
    assert {cell.stage for cell in beside} == {"curve", "seeds"}
    assert first.fitted == len(at.plan.cells) + len(beside)
    assert again.fitted == 0
    assert after.verdict == before.verdict
    pd.testing.assert_frame_equal(after.losses, before.losses, check_exact=True)
    pd.testing.assert_frame_equal(after.curve.points, before.curve.points, check_exact=True)
    for name in ("self_test", "seeds"):
        pd.testing.assert_frame_equal(after.tables[name], before.tables[name], check_exact=True)


def test_the_self_test_holds_the_tree_and_all_code_of_the_authors_own_against_the_constant(tmp_path):
    found = compared(prepared(tmp_path), tmp_path)
    assert found.tables["self_test"]["entry"].tolist() == ["tree", "mine"]
    assert not [finding for finding in found.findings if finding.check == "M11"]


def test_the_self_test_takes_no_part_in_the_comparison(tmp_path):
    at = prepared(tmp_path)
    found = compared(at, tmp_path)
    assert found.n_columns == len(at.plan.candidates) + 1
    np.testing.assert_array_equal(np.sort(found.predictions["y"]), np.sort(at.resolved.table.target.values))
    np.testing.assert_array_equal(found.predictions.sort_values("row")["y"], at.resolved.table.target.values)


def test_a_family_that_remembers_what_it_was_told_of_other_folds_is_caught_and_nothing_else_counts(tmp_path):
    found = compared(prepared(tmp_path, LEAKY), tmp_path)
    [finding] = [finding for finding in found.findings if finding.check == "M11"]
    assert (finding.severity, finding.on) == ("block", "mine")
    assert finding.number > 3
    assert found.champion.startswith("mean/mine")  # it would have won
    assert found.verdict.name == "fix first"
    assert found.verdict.sentence == (
        "No score counts until this is resolved: With the answers shuffled at random, 'Mine' still beats the constant: something in "
        "your setup gives it the answer. Check your own code: models, rules, columns."
    )


DAYS = {"data": rows(), "time": "day", "split": {"scheme": "forward", "folds": 4}}
LEVELS = {"target": {"column": "y", "levels": {"cuts": [9.5, 10.5]}}, "framings": ["mean", "classes"]}
COSTS = {"cost": {"wait": [0, 2, 6], "half": [1, 0, 2], "all": [3, 2, 0]}, "cost_range": [0.5, 2]}


@pytest.mark.parametrize(
    "keys",
    [
        DAYS,
        {**DAYS, "decision": {"cost": {"over": 1, "under": 4}}, "framings": ["mean", "quantiles"]},
        {**LEVELS, "decision": COSTS},
        {"data": rows().assign(y=lambda frame: np.where(frame["y"] > 10.4, "high", "low")).drop(columns="day")},
        {"data": rows().assign(site=np.arange(200) % 8).drop(columns="day"), "split": {"scheme": "leave_one_out", "by": "site"}},
    ],
    ids=["days", "days and amounts", "levels and actions", "classes", "sites"],
)
def test_honest_families_are_never_blamed(keys, tmp_path):
    families = ["linear", "tree", "boosting"]
    with bench_of(prepared(tmp_path, quick=True, families=families, **keys), tmp_path) as bench:
        for stage in ("baseline", "default", "self-test"):
            bench.compute(stage)
        found = bench.conclude(bench.weigh(), bench.self_test(), None)
    assert found.tables["self_test"]["entry"].tolist() == ["tree"]
    assert not [finding for finding in found.findings if finding.check == "M11"]


def test_a_self_test_that_failed_says_nothing(tmp_path):
    at = prepared(tmp_path, quick=True)
    with bench_of(at, tmp_path) as bench:
        for stage in ("baseline", "default", "self-test"):
            bench.compute(stage)
        key = next(key for key in bench.tested if key[1] == "mine")
        assert all(isinstance(each, Predicted) for each in bench.tested[key])
        bench.tested[key][1] = Failed("no luck")
        assert [each.column.entry for each in bench.self_test()] == ["baseline:constant", "tree"]
        bench.tested.clear()
        assert bench.self_test() == ()
        assert "self_test" not in bench.conclude(bench.weigh(), (), None).tables


def test_where_a_rule_is_champion_there_is_no_curve(tmp_path):
    frame = rows().drop(columns="day")
    frame["y"] = np.random.default_rng(3).permutation(frame["y"])
    heard = Heard()
    found = compared(prepared(tmp_path, data=frame), tmp_path, heard)
    assert found.champion == "mean/baseline:constant/plug_in"
    assert found.curve is None
    assert "seeds" not in found.tables
    assert found.spared["M05"] == "a rule is champion, not a model"
    assert not [event for event in heard if isinstance(event, Began) and event.stage in ("curve", "seeds")]


LUCKY = """\
import numpy as np
from sklearn.tree import DecisionTreeRegressor


class Lucky(DecisionTreeRegressor):
    def predict(self, X):
        return super().predict(X) + np.random.default_rng(self.random_state).normal(0, 0.3)


def make():
    return Lucky(max_depth=4, min_samples_leaf=10)
"""


def seeds_of(heard: Heard) -> list[Cell]:
    return [event.cell for event in heard if isinstance(event, Finished) and event.cell.stage == "seeds"]


def test_what_no_seed_changes_is_fitted_again_on_one_fold_only_and_costs_the_same(tmp_path):
    heard = Heard()
    found = compared(prepared(tmp_path, families=["linear"], search={"trials": 0}), tmp_path, heard)
    assert found.champion.startswith("mean/linear")
    assert {(cell.fold, cell.draw) for cell in seeds_of(heard)} == {(0, 1), (0, 2)}
    assert found.tables["seeds"]["cost"].nunique() == 1
    assert "M05" in found.silent


def test_what_a_seed_changes_by_no_more_than_counts_as_a_difference_is_fitted_again_on_one_fold_only(tmp_path):
    heard = Heard()
    found = compared(prepared(tmp_path, families=["forest"], search={"trials": 0}, success={"same": "20%"}), tmp_path, heard)
    assert {(cell.fold, cell.draw) for cell in seeds_of(heard)} == {(0, 1), (0, 2)}
    seeds = found.tables["seeds"]
    assert seeds["cost"].nunique() == 3
    assert (seeds["rows"] < len(found.losses)).all()
    assert "M05" in found.silent


def test_what_a_seed_changes_is_fitted_again_on_every_fold(tmp_path):
    heard = Heard()
    at = prepared(tmp_path, families=["forest"], search={"trials": 0}, success={"same": 0.0})
    found = compared(at, tmp_path, heard)
    assert found.champion.startswith("mean/forest")
    assert {(cell.fold, cell.draw) for cell in seeds_of(heard)} == {(fold, draw) for fold in range(4) for draw in (1, 2)}
    costs = found.tables["seeds"]["cost"]
    assert costs.nunique() == 3
    assert costs[0] == pytest.approx(found.row(found.champion).cost)


def test_a_model_whose_seed_decides_more_than_counts_as_a_difference_is_watched(tmp_path):
    found = compared(prepared(tmp_path, LUCKY, families=[{"mine": "own.py:make"}], search={"trials": 0}), tmp_path)
    assert found.champion.startswith("mean/mine")
    [finding] = [finding for finding in found.findings if finding.check == "M05"]
    assert finding.number > finding.threshold


def test_of_a_blend_each_member_is_fitted_again(tmp_path):
    heard = Heard()
    at = prepared(tmp_path, families=["forest", "neighbours", "blend"], search={"trials": 0}, success={"same": 0.0})
    found = compared(at, tmp_path, heard)
    assert found.champion.startswith("mean/blend")
    assert {cell.entry for cell in seeds_of(heard)} == {"forest", "neighbours"}
    assert {cell.entry for cell in seeds_of(heard) if cell.fold} == {"forest"}


def test_a_quick_run_says_why_no_other_seed_was_tried(tmp_path):
    with bench_of(prepared(tmp_path, quick=True), tmp_path) as bench:
        for stage in ("baseline", "default"):
            bench.compute(stage)
        found = bench.conclude(bench.weigh(), (), None)
    assert found.spared["M05"] == "nothing was fitted under other seeds: a quick run does not"


def trial_lines(found: Comparison, family: str) -> pd.DataFrame:
    """Return the trials of a family's row."""
    [name] = [name for name in found.trials if name.split("/")[1] == family]
    return found.trials[name]


STUMPS = {"families": [{"tree": {"min_samples_leaf": [5, 6, 7, 90, 95]}}]}


def test_settings_that_are_hopeless_after_two_folds_have_no_column_and_are_listed_with_the_reason(tmp_path):
    heard = Heard()
    at = prepared(tmp_path, **STUMPS, split={"folds": 5, "repeats": 1})
    found = compared(at, tmp_path, heard)
    lines = trial_lines(found, "tree").set_index("min_samples_leaf")
    assert lines.loc[[90, 95], "status"].tolist() == ["left", "left"]
    assert set(lines.loc[[90, 95], "reason"]) == {"dropped after fold 2"}
    assert lines.loc[[90, 95], "cost"].isna().all()
    assert (lines.loc[[5, 6, 7], "status"] == "ok").all()
    assert found.n_columns == 1 + 3  # the constant, and the settings that are left
    searched = [event.cell for event in heard if isinstance(event, Finished) and event.cell.stage == "search"]
    sizes = {cell.fold: len(cell.candidates) for cell in searched}
    assert sizes == {0: 4, 1: 4, 2: 2, 3: 2, 4: 2}
    assert not [row for row in found.judged if any("failed" in note for note in row.notes)]


def test_what_is_dropped_is_the_same_when_all_is_stored_and_no_look_ahead_counts_it_as_work(tmp_path):
    keys = {**STUMPS, "split": {"folds": 5, "repeats": 1}}
    before = compared(prepared(tmp_path, **keys), tmp_path)
    again = Heard()
    after = compared(prepared(tmp_path, **keys), tmp_path, again)
    assert again.fitted == 0
    pd.testing.assert_frame_equal(after.losses, before.losses, check_exact=True)
    at = prepared(tmp_path, **keys)
    with bench_of(at, tmp_path) as bench:
        assert len(bench.engine.stored()) == len(at.plan.cells)


def test_a_row_of_hopeless_settings_keeps_its_default_however_bad(tmp_path):
    keys = {"families": ["linear", {"tree": {"min_samples_leaf": [95, 5]}}], "search": {"trials": 2}}
    found = compared(prepared(tmp_path, **keys), tmp_path)
    assert 95 in [json.loads(params).get("min_samples_leaf") for params in found.columns["params"]]


def test_a_budget_that_is_spent_is_said_in_the_row_and_on_the_screen_and_repeats_itself(tmp_path, monkeypatch):
    monkeypatch.setattr("piste.families.forest.TREES", 20)
    keys = {"families": ["linear", "neighbours", "forest"], "search": {"trials": 30, "minutes": 1e-6}}
    heard, again = Heard(), Heard()
    at = prepared(tmp_path, **keys)
    found = compared(at, tmp_path, heard)
    assert (trial_lines(found, "neighbours")["reason"] == "budget spent").any()
    [row] = [row for row in found.judged if row.family == "forest"]
    [note] = [note for note in row.notes if note.startswith("budget spent: ")]
    assert note.endswith(" settings tried")
    assert f"Forest (mean): {note}." in [event.text for event in heard if isinstance(event, Said)]
    once_more = compared(prepared(tmp_path, **keys), tmp_path, again)
    assert again.fitted == 0
    pd.testing.assert_frame_equal(once_more.losses, found.losses, check_exact=True)
    assert [(row.id, row.notes) for row in once_more.judged] == [(row.id, row.notes) for row in found.judged]


def test_a_budget_that_suffices_changes_nothing(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    bounded = compared(prepared(tmp_path / "a", search={"trials": 2, "minutes": 1000}), tmp_path / "a")
    free = compared(prepared(tmp_path / "b"), tmp_path / "b")
    pd.testing.assert_frame_equal(bounded.losses, free.losses, check_exact=True)


def test_under_several_seeds_losses_are_the_means_of_each_and_what_draws_nothing_is_not_fitted_again(tmp_path):
    heard = Heard()
    at = prepared(tmp_path, LUCKY, families=["linear", {"mine": "own.py:make"}], search={"trials": 0, "seeds": 3})
    with bench_of(at, tmp_path, heard) as bench:
        for stage in ("baseline", "default", "search"):
            bench.compute(stage)
        own = {key: made[0].column for key, made in bench.entrants.items()}
        bench.repeat()
        case = bench.weigh()
    repeated = [event.cell for event in heard if isinstance(event, Finished) and event.cell.stage == "repeat"]
    fits = {(each.entry, cell.fold, cell.draw) for cell in repeated for each in cell.candidates}
    assert fits == {("linear", 0, 1)} | {("mine", fold, draw) for fold in range(4) for draw in (1, 2)}
    columns = {each.column.entry: each for each in case.entrants}
    np.testing.assert_array_equal(columns["linear"].column.lines, own["mean", "linear", 0].lines)
    y = at.resolved.table.target.values[bench.court.lines.row]
    under = [np.concatenate([bench.again[("mean", "mine", 0), draw][fold].predictions for fold in range(4)]) for draw in (1, 2)]
    expected = np.mean([(raw - y) ** 2 for raw in (own["mean", "mine", 0].raw, *under)], axis=0)
    np.testing.assert_allclose(columns["mine"].column.lines, expected, rtol=1e-12)
    assert not np.allclose(expected, (np.mean([own["mean", "mine", 0].raw, *under], axis=0) - y) ** 2)
    [row] = [row for row in case.rows if row.family == "mine"]
    assert row.details == ("mean loss of 3 seeds",)
    np.testing.assert_array_equal(columns["mine"].column.raw, own["mean", "mine", 0].raw)


def test_settings_that_draw_nothing_count_once_in_whatever_company_they_are_fitted(tmp_path):
    heard = Heard()
    at = prepared(tmp_path, families=["linear", "tree"], search={"trials": 5, "seeds": 2})
    found = compared(at, tmp_path, heard)
    assert {event.cell.fold for event in heard if isinstance(event, Finished) and event.cell.stage == "repeat"} == {0}
    assert not [row for row in found.judged if row.details]


def test_a_blend_under_several_seeds_is_made_anew_under_each(tmp_path):
    at = prepared(tmp_path, LUCKY, families=["linear", {"mine": "own.py:make"}, "blend"], search={"trials": 0, "seeds": 2})
    with bench_of(at, tmp_path) as bench:
        for stage in ("baseline", "default"):
            bench.compute(stage)
        bench.repeat()
        case = bench.weigh()
    [blended] = [each for each in case.entrants if each.column.entry == "blend"]
    [again] = blended.again
    y = at.resolved.table.target.values[bench.court.lines.row]
    np.testing.assert_allclose(blended.column.lines, ((blended.column.raw - y) ** 2 + (again - y) ** 2) / 2, rtol=1e-12)
    assert (again != blended.column.raw).any()


def test_the_champions_other_seeds_are_not_fitted_twice(tmp_path, monkeypatch):
    monkeypatch.setattr("piste.families.forest.TREES", 20)
    heard = Heard()
    at = prepared(tmp_path, families=["forest"], search={"trials": 0, "seeds": 3})
    found = compared(at, tmp_path, heard)
    fitted = [
        (cell.fold, cell.draw) for event in heard if isinstance(event, Finished) and (cell := event.cell).stage in ("repeat", "seeds")
    ]
    assert sorted(fitted) == [(fold, draw) for fold in range(4) for draw in (1, 2)]
    assert found.tables["seeds"]["cost"].nunique() == 3


def test_a_model_that_fails_under_another_seed_has_no_column(tmp_path):
    own = LUCKY.replace("return super()", "assert self.random_state % 2\n        return super()")
    at = prepared(tmp_path, own, families=["linear", {"mine": "own.py:make"}], search={"trials": 0, "seeds": 8})
    with bench_of(at, tmp_path) as bench:
        for stage in ("baseline", "default"):
            bench.compute(stage)
        bench.outcomes["mean", "mine", 0] = [Predicted(np.zeros(len(fold.test)), {}, 1.0, 0.1) for fold in at.folds.folds]
        bench._enter(("mean", "mine", 0))
        bench.repeat()
        case = bench.weigh()
    assert "mine" not in {each.column.entry for each in case.entrants}
    assert case.failures["mean", "mine"][0].startswith("under another seed: ")


def test_what_the_audit_found_is_settled_and_stands_in_the_comparison(tmp_path):
    leak = Finding("L03", "warn", "x", 0.5, 0.05, "Is 'x' known in time?")
    with bench_of(prepared(tmp_path, quick=True), tmp_path) as bench:
        bench.audit = Examined((leak,))
        bench.settle = lambda findings: tuple(replace(each, acknowledged="by ana") for each in findings)
        for stage in ("baseline", "default"):
            bench.compute(stage)
        found = bench.conclude(bench.weigh(), (), None)
    assert [finding.acknowledged for finding in found.findings if finding.check == "L03"] == ["by ana"]
