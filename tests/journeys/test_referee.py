"""The referee: folds go out, predictions made elsewhere come back, and are judged as if a model of piste had made them."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from piste import api
from piste.cli import main
from piste.core.comparison import Comparison, Judged
from piste.edges import shelf
from piste.edges.store import Store

PROBLEM = """\
data: sklearn:diabetes
target: {column: target, kind: numeric}
split: {scheme: kfold, folds: 3, repeats: 1}
families: [linear, {forest: {trees: random, max_features: 0.5, min_samples_leaf: 1}}]
search: {trials: 0}
"""

# A person's own script, as the page has it: scikit-learn, pandas and the two files, no piste.
PAGE = Path(__file__).parents[2] / "docs" / "referee.md"
[SCRIPT] = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)

NUMBERS = ("cost", "cost_lo", "cost_hi", "gain_vs_baseline", "gain_lo", "gain_hi")


@pytest.fixture(scope="module")
def refereed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which a problem was run, its folds written, and a script and a spreadsheet have answered and been judged."""
    folder = tmp_path_factory.mktemp("referee")
    (folder / "diabetes").mkdir()
    (folder / "diabetes" / "problem.yaml").write_text(PROBLEM)
    place = ["--mlruns", str(folder / "mlruns")]
    assert main(["run", str(folder / "diabetes"), "--quick", *place]) == 0
    assert main(["folds", str(folder / "diabetes"), "-o", str(folder / "folds.csv")]) == 0
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=folder, check=True)
    pd.read_csv(folder / "forest.csv").sample(frac=1, random_state=7).to_csv(folder / "forest.csv", index=False)
    from sklearn.datasets import load_diabetes

    y = load_diabetes(return_X_y=True, scaled=False)[1]
    folds, trains = pd.read_csv(folder / "folds.csv"), pd.read_csv(folder / "folds-train.csv")
    means = trains.assign(y=y[trains["row"]]).groupby("fold")["y"].mean()
    folds.assign(prediction=folds["fold"].map(means)).to_excel(folder / "constant.xlsx", index=False)
    assert main(["judge", str(folder / "diabetes"), str(folder / "forest.csv"), "--name", "script", *place]) == 0
    assert main(["judge", str(folder / "diabetes"), str(folder / "constant.xlsx"), "--name", "spreadsheet", *place]) == 0
    return folder


def latest(folder: Path) -> Comparison:
    """Return the latest comparison."""
    with Store(folder / "mlruns" / "results.sqlite") as store:
        found = shelf.latest(store, "diabetes")
    assert found is not None
    return found.comparison


def same(mine: Judged, ours: Judged) -> None:
    """Compare all numbers of two rows that do not speak of fitting."""
    for name in NUMBERS:
        assert getattr(mine, name) == pytest.approx(getattr(ours, name), rel=1e-9, abs=1e-9), name
    assert mine.metrics == pytest.approx(ours.metrics, rel=1e-9)
    assert mine.fold_costs == pytest.approx(ours.fold_costs, rel=1e-9)
    assert mine.tied_with_best == ours.tied_with_best


def test_a_plain_scikit_learn_forest_on_the_exported_folds_gets_the_numbers_of_our_forest(refereed):
    found = latest(refereed)
    same(found.row("mean/outside:script/plug_in"), found.row("mean/forest/plug_in"))


def test_a_constant_column_of_a_spreadsheet_ties_with_the_constant(refereed):
    found = latest(refereed)
    same(found.row("mean/outside:spreadsheet/plug_in"), found.row("mean/baseline:constant/plug_in"))


def test_what_came_first_is_still_there_and_all_count_among_the_candidates(refereed):
    found = latest(refereed)
    assert {row.family for row in found.judged if row.is_outside} == {"outside:script", "outside:spreadsheet"}
    assert found.n_columns == 5
    assert "corrected for trying 5 candidates" in found.verdict.sentence
    assert found.losses["mean/outside:script/1/plug_in"].to_numpy() == pytest.approx(found.losses["mean/forest/0/plug_in"].to_numpy())


def test_the_sentence_says_how_each_stands_beside_the_champion(refereed):
    said = latest(refereed).verdict.sentence
    assert "From outside, 'script' is too close to the champion to tell apart" in said
    assert "From outside, 'spreadsheet' does worse than the champion" in said


def test_the_row_is_marked_in_mlflow_and_holds_no_model(refereed):
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{refereed / 'mlruns' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("diabetes")
    runs = client.search_runs([experiment.experiment_id], "tags.`piste.outside` = 'true' and tags.`piste.latest` = 'true'")
    assert {run.data.tags["piste.family"] for run in runs} == {"outside:script", "outside:spreadsheet"}
    assert all("folds not verified" in run.data.tags["mlflow.note.content"] for run in runs)
    assert not [output for run in runs for output in (run.outputs.model_outputs if run.outputs else ())]


def test_the_same_file_again_changes_nothing_and_fits_nothing(refereed):
    before = latest(refereed)
    said: list[object] = []
    again = api.judge(
        refereed / "diabetes", refereed / "forest.csv", name="script", mlruns=refereed / "mlruns", workers=1, watcher=said.append
    )
    assert again.comparison.key == before.key
    assert any("nothing is fitted" in getattr(event, "text", "") for event in said)


def test_a_later_run_shows_it_until_it_is_forgotten(refereed, tmp_path, capsys):
    shutil.copytree(refereed, tmp_path / "copy")
    problem, place = tmp_path / "copy" / "diabetes", tmp_path / "copy" / "mlruns"
    shown = api.run(problem, quick=True, mlruns=place, workers=1).comparison
    assert {row.family for row in shown.judged if row.is_outside} == {"outside:script", "outside:spreadsheet"}
    assert main(["judge", str(problem), "--name", "script", "--forget", "--mlruns", str(place)]) == 0
    assert "'script' is left out from now on" in capsys.readouterr().out
    left = api.run(problem, quick=True, mlruns=place, workers=1).comparison
    assert {row.family for row in left.judged if row.is_outside} == {"outside:spreadsheet"}
    assert main(["judge", str(problem), "--name", "scripts", "--forget", "--mlruns", str(place)]) == 2
    assert "has no predictions from outside called 'scripts'" in capsys.readouterr().err


def test_on_other_folds_it_is_left_out_and_that_is_said(refereed, tmp_path):
    shutil.copytree(refereed, tmp_path / "copy")
    said: list[object] = []
    found = api.run(
        tmp_path / "copy" / "diabetes",
        changes=["split.folds=4", "families=[linear]"],
        quick=True,
        mlruns=tmp_path / "copy" / "mlruns",
        workers=1,
        watcher=said.append,
    ).comparison
    assert not [row for row in found.judged if row.is_outside]
    assert "'script', from outside, is left out: it was predicted for other rows or other folds." in [
        getattr(event, "text", "") for event in said
    ]


def test_who_knows_the_answer_is_best_on_the_board_but_new_rows_are_answered_by_a_model_that_is_here(refereed, tmp_path, capsys):
    shutil.copytree(refereed, tmp_path / "copy")
    problem, place = tmp_path / "copy" / "diabetes", tmp_path / "copy" / "mlruns"
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True, scaled=False, as_frame=True)
    folds = pd.read_csv(refereed / "folds.csv")
    off = np.random.default_rng(0).normal(size=len(folds))
    folds.assign(prediction=y.to_numpy()[folds["row"]] + off).to_parquet(tmp_path / "oracle.parquet")
    code = main(["judge", str(problem), str(tmp_path / "oracle.parquet"), "--name", "oracle", "--json", "--mlruns", str(place)])
    assert code == 0
    found = json.loads(capsys.readouterr().out)
    best = next(row for row in found["leaderboard"] if row["status"] == "ok")
    assert best["family"] == "outside:oracle"
    assert not found["champion"].split("/")[1].startswith("outside:")
    assert "From outside, 'oracle' does better than the champion" in found["verdict"]["sentence"]
    assert "there is no model of it here to ship" in found["verdict"]["sentence"]
    assert len(api.predict(problem, X.head(3), mlruns=place)) == 3


def test_a_judged_row_is_whole_on_the_shelf(refereed):
    row = latest(refereed).row("mean/outside:script/plug_in")
    plain = dataclasses.asdict(row)
    assert plain["params"] == {"try": 1, "file": str(refereed / "forest.csv")}
    assert row.n_trials == 1
    assert np.isnan(row.fit_seconds)


def everything(folder: Path) -> dict[str, int]:
    """List a folder, whole, with when each file was last written to."""
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["nowhere.csv", "--name", "x"], "must be a file, but there is no"),
        (["short.csv", "--name", "x"], "row: must hold a line for every row that the folds test, but lacks 2 of 442: rows"),
        (["--name", "x"], "must name a file of predictions"),
        (["forest.csv", "--name", "x y"], "--name must be of up to 60 letters"),
        (["forest.csv", "--name", "x", "--as", "classes"], "--as must be 'mean' or 'quantiles', but is 'classes'"),
        (["forest.csv", "--name", "x", "--as", "quantiles"], "must hold predictions: quantiles"),
        (["folds.csv", "--name", "x"], "must hold predictions: `prediction`"),
        (["picture.png", "--name", "x"], "must end in"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_judged_is_refused_in_a_line_and_nothing_is_kept(refereed, monkeypatch, capsys, arguments, expected):
    monkeypatch.chdir(refereed)
    if not Path("short.csv").exists():
        pd.read_csv("forest.csv").iloc[2:].to_csv("short.csv", index=False)
        Path("picture.png").write_bytes(b"\x89PNG")
    before = everything(refereed / "mlruns")
    assert main(["judge", "diabetes", *arguments, "--mlruns", "mlruns"]) == 2
    printed = capsys.readouterr()
    assert expected in printed.err
    assert "Traceback" not in printed.err
    assert printed.out == ""
    assert everything(refereed / "mlruns") == before


def test_without_a_comparison_there_is_nothing_to_stand_beside(refereed, tmp_path, capsys):
    arguments = ["judge", str(refereed / "diabetes"), str(refereed / "forest.csv"), "--name", "x", "--mlruns", str(tmp_path / "none")]
    assert main(arguments) == 2
    assert "holds no comparison of 'diabetes' yet. Run: piste run" in capsys.readouterr().err


def test_folds_that_cannot_be_written_are_said_to_be_so(refereed, capsys):
    assert main(["folds", str(refereed / "diabetes"), "-o", str(refereed / "none" / "folds.csv")]) == 2
    assert "none/folds.csv: cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["frame", "folds"])
def test_what_comes_before_training_imports_nothing_that_trains(tmp_path, command):
    (tmp_path / "rows.csv").write_text("day,x,y\n" + "".join(f"2024-01-{i + 1:02d},{i % 5},{i * 7 % 11}\n" for i in range(31)))
    (tmp_path / "problem.yaml").write_text("data: rows.csv\ntarget: y\ntime: day\n")
    more = ["-o", str(tmp_path / "folds.csv")] if command == "folds" else []
    heavy = "[m for m in ('torch', 'mlflow', 'sklearn', 'lightgbm', 'matplotlib') if m in sys.modules]"
    code = f"import sys; from piste.cli import main; main({[command, str(tmp_path), *more]!r}); print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_frame_says_the_same_as_data(refereed, capsys):
    assert main(["frame", str(refereed / "diabetes")]) == 0
    printed = capsys.readouterr().out
    assert main(["frame", str(refereed / "diabetes"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    for words in (
        found["about"][0],
        found["ways"][0]["asks"],
        found["ways"][0]["loses"],
        found["ways"][0]["takes"][0],
        found["unasked"][0]["title"],
    ):
        assert words in printed
