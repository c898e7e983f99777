"""The comparison with other methods: same rows for all, honest errors and ranks, and no cell computed twice."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import rankdata
from sklearn.metrics import log_loss

from benchmarks.measure import Cost
from benchmarks.quality import __main__ as program
from benchmarks.quality import method, ours
from benchmarks.quality.boosted import HIST, hist_gradient_boosting
from benchmarks.quality.cell import Cell
from benchmarks.quality.kept import Kept
from benchmarks.quality.methods import METHODS, TITLES
from benchmarks.quality.networks import filled
from benchmarks.quality.ours import PISTE
from benchmarks.quality.summary import above_best, ranks, sentences, table
from benchmarks.quality.tables import SPLITS, TABLES, Division, Table, divide

HOLES = Table("", "y", codes=("code",), drop=("id",))
GRADES = Table("", "grade", classes=True)


def frame(n: int = 300) -> pd.DataFrame:
    """Return numbers with holes, a text, and a category written as a number."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    colour = rng.choice(["red", "blue", "green"], n)
    return pd.DataFrame(
        {
            "id": np.arange(n),
            "x": np.where(rng.random(n) < 0.1, np.nan, x),
            "code": rng.integers(1, 4, n),
            "colour": np.where(rng.random(n) < 0.1, None, colour),
            "y": x + (colour == "red") + rng.normal(0, 0.1, n),
        }
    )


def graded(n: int = 300) -> pd.DataFrame:
    """Return three classes that one number tells apart, whose order by alphabet is not that of the number."""
    x = np.random.default_rng(1).normal(size=n)
    return pd.DataFrame({"x": x, "grade": np.select([x < -0.5, x < 0.5], ["low", "middle"], "high")})


def test_the_held_out_fifth_is_the_same_whatever_the_cap_and_shares_no_row_with_those_to_learn_from():
    whole, capped = (divide("holes", replace(HOLES, drop=()), frame(), 0, rows) for rows in (1000, 50))
    assert (len(whole.X), len(capped.X), len(whole.X_held)) == (240, 50, 60)
    np.testing.assert_array_equal(whole.X_held["id"], capped.X_held["id"])
    np.testing.assert_array_equal(whole.X["id"][:50], capped.X["id"])
    assert not {*whole.X["id"]} & {*whole.X_held["id"]}


def test_other_divisions_hold_other_rows_out():
    held = [{*divide("holes", replace(HOLES, drop=()), frame(), split, 1000).X_held["id"]} for split in range(SPLITS)]
    assert held[0] != held[1] != held[2] != held[0]


def test_rows_to_learn_from_must_hold_every_class():
    with pytest.raises(AssertionError, match="every class"):
        divide("grades", GRADES, graded(), 0, 2)


def test_numbers_are_floats_categories_are_texts_and_what_is_missing_stays_missing():
    division = divide("holes", HOLES, frame(), 0, 1000)
    assert division.categories == ("code", "colour")
    assert division.numbers == ("x",)
    assert {type(value) for value in division.X["code"]} == {str}
    assert division.X["x"].isna().any()
    assert division.X["colour"].isna().any()
    assert not {"None", "nan"} & {*division.X["colour"].dropna()}


def test_a_category_that_the_rows_to_learn_from_do_not_know_is_missing():
    division = divide("holes", HOLES, frame(), 0, 1000)
    strange = replace(division, X_held=division.X_held.assign(colour="violet"))
    learnt, held = strange.levelled()
    assert held["colour"].isna().all()
    assert learnt["colour"].dtype == held["colour"].dtype
    known = division.X["colour"].notna()
    assert [*learnt["colour"][known]] == [*division.X["colour"][known]]
    assert learnt["colour"][~known].isna().all()


def test_numbers_are_filled_by_the_median_of_the_rows_to_learn_from_and_marked():
    division = divide("holes", HOLES, frame(), 0, 1000)
    learnt, held = filled(division)
    for part, before in ((learnt, division.X), (held, division.X_held)):
        holes = before["x"].isna()
        assert (part["x"][holes] == np.nanmedian(division.X["x"])).all()
        np.testing.assert_array_equal(part["x is missing"], holes)
    assert [*learnt] == [*held] == ["x", "code", "colour", "x is missing"]


def test_the_error_of_numbers_is_one_for_whoever_says_the_mean():
    division = divide("holes", HOLES, frame(), 0, 1000)
    assert division.errors(np.full(60, division.y_held.mean()))["error"] == pytest.approx(1)
    assert division.errors(division.y_held)["error"] == 0


def test_the_error_of_classes_is_scikit_learns_log_loss():
    division = divide("grades", GRADES, graded(), 0, 1000)
    shares = np.random.default_rng(0).dirichlet([1, 1, 1], len(division.y_held))
    found = division.errors(shares)
    assert found["error"] == pytest.approx(log_loss(division.y_held, shares, labels=[0, 1, 2]))
    assert found["error_rate"] == pytest.approx(np.mean(shares.argmax(axis=1) != division.y_held))


def test_certainty_in_the_wrong_class_costs_the_same_in_any_precision():
    division = divide("grades", GRADES, graded(), 0, 1000)
    wrong = np.eye(3)[(division.y_held + 1) % 3]
    assert division.errors(wrong)["error"] == division.errors(wrong.astype(np.float32))["error"] == pytest.approx(23 * np.log(2), rel=1e-6)


@pytest.mark.parametrize("prediction", [np.zeros(59), np.full(60, np.nan), np.zeros((60, 1))], ids=["too few", "nan", "a column"])
def test_predictions_of_another_shape_or_without_a_value_are_no_result(prediction):
    with pytest.raises(ValueError, match="finite and of shape"):
        divide("holes", HOLES, frame(), 0, 1000).errors(prediction)


@pytest.mark.parametrize(("about", "rows", "bound"), [(HOLES, frame, 0.6), (GRADES, graded, 0.3)], ids=["numbers", "classes"])
def test_a_method_answers_in_the_targets_unit_or_in_the_order_of_the_labels(about, rows, bound):
    division = divide("any", about, rows(), 0, 1000)
    [answer] = hist_gradient_boosting(division, HIST.settings, 0)
    assert division.errors(answer.prediction)["error"] < bound


def test_piste_answers_by_its_champion_and_by_the_row_of_least_cost():
    division = divide("any", GRADES, graded(150), 0, 1000)
    few = {"families": ["linear"], "search": {"trials": 0}, "split": {"folds": 2, "repeats": 1}}
    answers = {answer.row: answer for answer in ours.compare(division, few, 0)}
    assert [*answers] == [*PISTE.rows] == ["piste", "piste_best"]
    assert all(division.errors(answer.prediction)["error"] < 0.6 for answer in answers.values())
    assert all(answer.note.count("/") == 2 for answer in answers.values())


def errors() -> pd.DataFrame:
    """Return errors whose ranks can be told by hand."""
    rows = {"piste": [0.2, 0.3, 0.1], "piste_best": [0.1, 0.1, 0.1], "catboost": [0.1, 0.4, 0.2], "tabm": [0.3, 0.2, 0.2]}
    return pd.DataFrame(rows, index=["a", "b", "c"])


@pytest.mark.parametrize(("row", "other"), [("piste", "piste_best"), ("piste_best", "piste")])
def test_ranks_are_those_of_scipy_among_the_others_and_one_row_of_piste(row, other):
    ranked = errors().drop(columns=other)
    expected = rankdata(ranked.to_numpy(), axis=1).mean(axis=0)
    np.testing.assert_allclose(ranks(errors(), row)[ranked.columns], expected)


def test_above_the_lowest_is_a_geometric_mean():
    assert above_best(errors())["piste"] == pytest.approx((2 * 3 * 1) ** (1 / 3) - 1)
    assert above_best(errors())["piste_best"] == 0


@pytest.mark.parametrize(
    ("took", "verdict"),
    [(50, "lies within both"), (100, "lies within both"), (150, "lies within that of the slowest only"), (500, "exceeds both")],
)
def test_the_time_is_held_against_that_of_the_slowest_two_others(took, verdict):
    seconds = pd.Series({"piste": took, "piste_best": took, "catboost": 100, "tabm": 300, "hist": 1})
    said = sentences(errors().assign(hist=1.0), seconds, TITLES)[-1]
    assert said == f"The slowest two others are TabM (300 s) and CatBoost (100 s): the CPU time of piste ({took} s) {verdict}."


def test_the_place_by_mean_rank_is_said_of_both_rows_of_piste():
    seconds = pd.Series({"piste": 5, "piste_best": 5, "catboost": 1, "tabm": 3})
    champion, best, _ = sentences(errors(), seconds, TITLES)
    assert champion == "By mean rank piste's champion is first of 3: 1.67; CatBoost 2.17, TabM 2.17."
    assert best == "By mean rank piste's row of least cost is first of 3: 1.17; CatBoost 2.33, TabM 2.50."


def test_a_set_that_is_not_finished_shows_a_gap_and_takes_no_part_in_ranks():
    found = errors()
    found.loc["b", "tabm"] = np.nan
    shown = table(found, found.iloc[:0], pd.Series(dict.fromkeys(found, 1.0)), TITLES)
    assert "mean rank, 2 sets" in shown
    assert [line.split()[-1] for line in shown.splitlines() if line.startswith("b ")] == ["-"]


def test_seconds_are_those_of_the_sets_that_are_ranked(tmp_path):
    kept = Kept(tmp_path / "quality.json")
    cells = [
        Cell(name, split, 9, each) for name in ("concrete", "abalone") for split in range(SPLITS) for each in ("piste", "hist", "tabm")
    ]
    for cell in cells:
        if cell != Cell("abalone", 1, 9, "tabm"):
            kept.put(cell, {row: {"error": 1.0, "note": ""} for row in METHODS[cell.method].rows}, 10.0, 10.0)
    said = program.told(cells, kept)
    assert "mean rank, 1 sets" not in said
    assert "mean rank, 1 set " in said
    assert [line.split()[2:] for line in said.splitlines() if line.startswith("CPU seconds")] == [["30"] * 4]
    assert said.endswith("the CPU time of piste (30 s) lies within both.")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """Return the keys of the cells that are computed, instead of computing them."""
    done: list[str] = []

    def work(cell: Cell) -> tuple[dict[str, dict[str, float | str]], Cost]:
        done.append(cell.key)
        return {row: {"error": 1.0, "note": ""} for row in METHODS[cell.method].rows}, Cost(2.0, 1.0)

    class Here:
        """Runs at once, where a pool would start processes."""

        def __init__(self, jobs: int) -> None:
            self.jobs = jobs

        def __enter__(self) -> Here:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def submit(self, function: Callable[[Cell], object], cell: Cell) -> object:
            future: Future[object] = Future()
            try:
                future.set_result(function(cell))
            except subprocess.CalledProcessError as error:
                future.set_exception(error)
            return future

    monkeypatch.setattr(program, "work", work)
    monkeypatch.setattr(program, "ProcessPoolExecutor", Here)
    monkeypatch.setattr(program, "RESULTS", tmp_path / "quality.json")
    monkeypatch.setattr(program, "here", lambda name: Path(name))
    return done


def test_what_is_kept_is_not_computed_again_unless_it_is_asked_for(counted, capsys):
    words = ["concrete", "--methods", "hist", "piste"]
    assert program.main(words) == 0
    assert counted == [f"concrete/{split}/{program.ROWS}/{name}" for split in range(SPLITS) for name in ("piste", "hist")]
    program.main(words)
    assert len(counted) == 2 * SPLITS
    program.main([*words[:2], "hist", "--again"])
    assert len(counted) == 3 * SPLITS
    assert "CPU seconds" in capsys.readouterr().out


def test_a_method_with_other_settings_is_computed_again_and_no_other(counted, monkeypatch, capsys):
    words = ["concrete", "--methods", "hist", "piste"]
    program.main(words)
    changed = replace(METHODS["hist"], settings={"max_iter": 3})
    monkeypatch.setitem(METHODS, "hist", changed)
    counted.clear()
    program.main(words)
    assert [key.rpartition("/")[2] for key in counted] == ["hist"] * SPLITS
    capsys.readouterr()


def test_another_version_of_a_package_is_another_method(monkeypatch):
    before = HIST.determined_by()
    monkeypatch.setattr(method, "version", lambda package: "99+local")
    assert HIST.determined_by() != before
    assert HIST.determined_by()["versions"] == {"scikit-learn": "99"}


def test_a_method_whose_package_is_not_installed_is_left_out_by_name(counted, monkeypatch, capsys):
    monkeypatch.setitem(METHODS, "tabm", replace(METHODS["tabm"], packages=("no-such-package",)))
    program.main(["concrete", "--methods", "hist", "tabm"])
    assert "TabM: left out, needs no-such-package" in capsys.readouterr().out
    assert {key.rpartition("/")[2] for key in counted} == {"hist"}


def test_a_cell_that_fails_is_said_and_the_others_go_on(counted, monkeypatch, capsys):
    work = program.work

    def failing(cell: Cell) -> object:
        if cell.split == 1:
            raise subprocess.CalledProcessError(1, "cell")
        return work(cell)

    monkeypatch.setattr(program, "work", failing)
    assert program.main(["concrete", "--methods", "hist"]) == 1
    out, err = capsys.readouterr()
    assert f"concrete/1/{program.ROWS}/hist: failed" in err
    assert len(counted) == SPLITS - 1
    assert [line.split()[-1] for line in out.splitlines() if line.startswith("concrete ")] == ["-"]


def test_an_unknown_set_is_refused_with_the_choices(capsys):
    with pytest.raises(SystemExit):
        program.options(["concret"])
    assert "there is no set 'concret': choose from concrete" in capsys.readouterr().err


def test_results_are_on_the_disk_once_they_are_kept(tmp_path):
    file, cell = tmp_path / "deep" / "quality.json", Cell("concrete", 0, 500, "hist")
    Kept(file).put(cell, {"hist": {"error": 0.5, "note": ""}}, 2.0, 1.0)
    assert Kept(file).get(cell)["answers"] == {"hist": {"error": 0.5, "note": ""}}
    assert Kept(file).get(replace(cell, rows=501)) is None
    assert json.loads(file.read_text())["cells"]["concrete/0/500/hist"]["cpu_seconds"] == 2.0


def test_every_set_can_be_divided_with_the_default_cap(shared):
    for name, about in TABLES.items():
        division = divide(name, about, pd.read_csv(shared(name) / about.file), 0, program.ROWS)
        assert isinstance(division, Division)
        assert about.target not in division.X
        assert bool(division.labels) == about.classes
        assert np.isfinite(division.y).all()
