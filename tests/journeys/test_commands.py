"""The commands, as a person types them."""

from __future__ import annotations

import io
import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import piste
from piste import api
from piste.cli import main

COLUMNS = [
    "framing", "family", "rule", "params", "cost", "cost_lo", "cost_hi", "gain_vs_baseline", "tied_with_best", "metrics",
    "train_metrics", "fit_seconds", "predict_seconds", "status", "reason",
]  # fmt: skip


BAD_MODELS = """\
data: rows.csv
target: visitors
known_at: {after: [sold]}
framings: [mean]
split: {folds: 2, repeats: 1}
search: {trials: 0}
families: [linear, {raises: 'bad.py:Raises'}, {hangs: 'bad.py:Hangs'}, {dies: 'bad.py:Dies'}, {empty: 'bad.py:Empty'}]
"""


@pytest.fixture(scope="module")
def counters(problem: Path) -> Path:
    """Return the folder of the small problem, run once without the search."""
    assert main(["run", str(problem), "--quick", "--mlruns", str(problem / "mlruns")]) == 0
    return problem


def said(counters: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command on the problem, and return what it printed."""
    command, *rest = arguments
    assert main([command, str(counters), *rest]) == 0
    return capsys.readouterr().out


def test_show_prints_the_leaderboard_the_sentence_and_the_next_commands(counters, capsys):
    out = said(counters, capsys, "show", "--mlruns", str(counters / "mlruns"))
    for words in (
        "Poisson regression (alpha 0.001)",
        "Decision tree (at least 10 rows a leaf",
        "champion",
        "below the rule 'by_counter'",
        "/#/experiments/",
        "piste ui",
    ):
        assert words in out
    assert "skipped: perceptron: takes classes only" in out


def test_json_holds_the_same_as_data(counters, capsys):
    found = json.loads(said(counters, capsys, "show", "--json", "--mlruns", str(counters / "mlruns")))
    assert {"problem", "digest", "verdict", "champion", "cost_name", "leaderboard", "findings", "link"} <= set(found)
    assert set(COLUMNS) <= set(found["leaderboard"][0])
    assert found["cost_name"] == "rmse"
    costs = [row["cost"] for row in found["leaderboard"] if row["status"] == "ok"]
    assert costs == sorted(costs)
    assert {row["family"] for row in found["leaderboard"]} >= {"linear", "tree", "boosting", "blend", "perceptron", "baseline:last_week"}


def test_predict_answers_new_rows_with_the_champion(counters, tmp_path, capsys):
    new = tmp_path / "new.csv"
    new.write_text("warmth,counter,date,note\n0.5,north,2024-05-01,=1+1\n-1,south,2024-05-02,\n")
    out = said(counters, capsys, "predict", str(new), "--mlruns", str(counters / "mlruns"))
    answers = pd.read_csv(io.StringIO(out))
    assert answers["prediction"].between(5, 80).all()
    assert answers.loc[0, "note"] == "'=1+1"  # no spreadsheet runs it


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("counter,date\nnorth,2024-05-01\n", "warmth: must be a column of the rows, but is not"),
        ("Warmth,counter,date\n1,north,2024-05-01\n", "Did you mean 'Warmth'?"),
        ("warmth,counter,date\nwarm,north,2024-05-01\n", "new.csv:2: warmth: must hold numbers"),
        ("warmth,counter,date\n", "new.csv"),
        ("warmth,counter,date\n1,north,2024-05-01,7\n", "new.csv:2"),
    ],
)
def test_rows_that_cannot_be_answered_are_refused_by_name(counters, table, expected, tmp_path, capsys):
    new = tmp_path / "new.csv"
    new.write_text(table)
    assert main(["predict", str(counters), str(new), "--mlruns", str(counters / "mlruns")]) == 2
    printed = capsys.readouterr()
    assert expected in printed.err
    assert printed.out == ""


def test_an_unseen_level_and_a_missing_value_are_answered(counters, tmp_path, capsys):
    new = tmp_path / "new.csv"
    new.write_text("warmth,counter,date\n,north,2024-05-01\n1,east,2024-05-01\n")
    out = said(counters, capsys, "predict", str(new), "--mlruns", str(counters / "mlruns"))
    assert pd.read_csv(io.StringIO(out))["prediction"].notna().all()


def test_the_resolved_problem_can_be_saved_and_run_as_it_stands(counters, tmp_path, capsys):
    resolved = said(counters, capsys, "check", "--resolved")
    assert "# known only after" in resolved
    saved = tmp_path / "counters" / "problem.yaml"
    saved.parent.mkdir()
    saved.write_text(resolved)
    (saved.parent / "rows.csv").write_bytes((counters / "rows.csv").read_bytes())
    assert main(["check", str(saved.parent), "--resolved"]) == 0
    again = capsys.readouterr().out
    uncommented = [[line.partition("  # ")[0].rstrip() for line in text.splitlines()] for text in (resolved, again)]
    assert uncommented[0] == uncommented[1]


def test_plan_lists_the_cells_and_writes_nothing(counters, tmp_path, capsys):
    out = said(counters, capsys, "run", "--plan", "--mlruns", str(tmp_path / "none"))
    assert "workers, by fits on a few hundred rows" in out
    assert "boosting" in out
    assert not (tmp_path / "none").exists()


def test_a_flag_changes_the_run_without_touching_the_file(counters, tmp_path, capsys):
    before = (counters / "problem.yaml").read_bytes()
    out = said(
        counters, capsys, "run", "--families", "tree", "--trials", "1", "--set", "seed=3", "--json", "--mlruns", str(tmp_path / "runs")
    )
    rows = json.loads(out)["leaderboard"]
    assert {row["family"] for row in rows if not row["family"].startswith("baseline:")} == {"tree"}
    assert (counters / "problem.yaml").read_bytes() == before


def test_help_costs_less_than_a_fifth_of_a_second_of_cpu():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-m", "piste.cli", "--help"], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 0.2


def test_check_on_a_csv_imports_neither_torch_nor_mlflow(counters):
    heavy = "[m for m in ('torch', 'mlflow', 'matplotlib') if m in sys.modules]"
    code = f"import sys; from piste.cli import main; main(['check', {str(counters)!r}]); print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_model_that_raises_hangs_or_dies_costs_its_own_row(counters, tmp_path, capsys):
    folder = tmp_path / "counters"
    folder.mkdir()
    (folder / "rows.csv").write_bytes((counters / "rows.csv").read_bytes())
    (folder / "bad.py").write_text(
        "import os, signal, time\n"
        "from sklearn.linear_model import Ridge\n\n"
        "class Raises(Ridge):\n    def fit(self, X, y, sample_weight=None):\n        raise ValueError('no luck')\n\n"
        "class Hangs(Ridge):\n    def fit(self, X, y, sample_weight=None):\n        time.sleep(1000)\n\n"
        "class Dies(Ridge):\n    def fit(self, X, y, sample_weight=None):\n        os.kill(os.getpid(), signal.SIGKILL)\n\n"
        "class Empty(Ridge):\n    def predict(self, X):\n        return super().predict(X) * float('nan')\n"
    )
    (folder / "problem.yaml").write_text(BAD_MODELS)
    out = said(folder, capsys, "run", "--json", "--deadline", "3", "--mlruns", str(tmp_path / "runs"))
    rows = {row["family"]: row for row in json.loads(out)["leaderboard"]}
    assert rows["linear"]["status"] == "ok"
    assert {name: rows[name]["status"] for name in ("raises", "hangs", "dies", "empty")} == dict.fromkeys(
        ("raises", "hangs", "dies", "empty"), "failed"
    )
    assert "no luck" in rows["raises"]["reason"]
    assert "deadline of 3 s" in rows["hangs"]["reason"]
    assert "killed" in rows["dies"]["reason"]
    assert "no finite number" in rows["empty"]["reason"]
    alone = piste.run(folder, changes=["families=[linear]"], mlruns=tmp_path / "alone").leaderboard
    assert rows["linear"]["cost"] == pytest.approx(alone.loc[alone["family"] == "linear", "cost"].item(), rel=1e-5)


def test_mlflow_loads_the_champion_and_answers_as_piste_does(counters, capsys):
    import mlflow
    from mlflow import MlflowClient

    uri = f"sqlite:///{counters / 'mlruns' / 'mlflow.db'}"
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("counters")
    [run] = client.search_runs([experiment.experiment_id], "tags.`piste.champion` = 'true'")
    [output] = run.outputs.model_outputs
    before = mlflow.get_tracking_uri()
    mlflow.set_tracking_uri(uri)
    try:
        model = mlflow.pyfunc.load_model(f"models:/{output.model_id}")
    finally:
        mlflow.set_tracking_uri(before)
    rows = pd.read_csv(counters / "rows.csv", parse_dates=["date"]).head(7)
    answered = model.predict(rows[model.metadata.get_input_schema().input_names()])
    pd.testing.assert_frame_equal(answered, piste.predict(counters, rows, mlruns=counters / "mlruns"))
    kept = Path(client.get_logged_model(output.model_id).artifact_location.removeprefix("file://"))
    assert not [path.name for path in kept.rglob("*") if path.suffix in (".pkl", ".pickle", ".joblib", ".pt")]


def test_any_row_of_the_leaderboard_answers_and_one_that_is_none_is_refused_with_those_there_are(counters, capsys):
    rows = pd.read_csv(counters / "rows.csv").head(3)
    rows.to_csv(counters / "new.csv", index=False)
    told = {}
    for row in api.show(counters, mlruns=counters / "mlruns").comparison.judged:
        arguments = ["predict", str(counters), str(counters / "new.csv"), "--row", row.id, "--mlruns", str(counters / "mlruns")]
        assert main(arguments) == 0
        told[row.id] = capsys.readouterr().out
        answers = piste.predict(counters, rows, row=row.id, mlruns=counters / "mlruns")
        assert len(answers) == 3
        assert answers["prediction"].notna().all()
    assert len({*told.values()}) > 1
    assert main([*arguments[:4], "mean/forst", *arguments[5:]]) == 2
    assert "row: must be the id of a row of the leaderboard that piste has fitted, but is 'mean/forst'" in capsys.readouterr().err


def test_a_rule_that_looks_back_answers_new_rows_from_the_past_that_its_model_holds(counters, tmp_path):
    rows = pd.read_csv(counters / "rows.csv")
    rows["visitors"] = rows.groupby("counter")["visitors"].transform(
        lambda each: list(each[:7]) * 12 + list(each[:6])
    )  # week by week the same
    folder = tmp_path / "weekly"
    folder.mkdir()
    rows.to_csv(folder / "rows.csv", index=False)
    (folder / "problem.yaml").write_text((counters / "problem.yaml").read_text())
    result = piste.run(folder, changes=["families=[tree]", "search.trials=0"], mlruns=tmp_path / "runs")
    assert result.champion == "mean/baseline:last_week/plug_in"
    last = rows[rows["date"].isin(sorted(rows["date"].unique())[-7:])]
    ahead = last.assign(date=(pd.to_datetime(last["date"]) + pd.Timedelta(days=7)).dt.strftime("%Y-%m-%d")).drop(columns="visitors")
    for answers in (result.predict(ahead), piste.predict(folder, ahead, mlruns=tmp_path / "runs")):
        np.testing.assert_array_equal(answers["prediction"], last["visitors"])
