"""A comparison in MLflow: whole, once, and never left half-written."""

from __future__ import annotations

import base64
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import types
import zlib
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pandas as pd
import pytest

from piste.core.errors import PisteError
from piste.core.finding import Finding
from piste.edges.tracking import Refit, TrackingDown, open_store
from piste.edges.view import TAG
from tests.comparisons import classification, decided
from tests.comparisons import regression as compared

STARTED = 1_750_000_000.25


def regression(*families, seed=0):
    """Return a comparison with the three baselines, two rows without a result, and these families."""
    return compared(families=families or ("tree",), seed=seed)


class Stopped(BaseException):
    """As Ctrl-C, at a place of our choice."""


@pytest.fixture(scope="module")
def refit(tmp_path_factory):
    model_dir = tmp_path_factory.mktemp("model") / "model"
    model_dir.mkdir()
    (model_dir / "model.json").write_text('{"times": 3}')
    example = pd.DataFrame(
        {"snow_cm": [1, 2], "open": [True, False], "day": pd.to_datetime(["2024-01-01", "2024-01-02"]), "run": ["a", None]}
    )
    history = {"train_loss": np.array([3.0, 2.0, 1.5])}
    return Refit(model_dir, example, np.array([3.0, 6.0]), ("numpy==2.4.6",), history)


@pytest.fixture
def store(new_store):
    """Return a store of the test's own."""
    return new_store()


@pytest.fixture(scope="module")
def logged(empty_database, tmp_path_factory, refit):
    """Return a comparison that was logged, and where; only to be looked at."""
    folder = tmp_path_factory.mktemp("logged") / "mlruns"
    folder.mkdir()
    shutil.copy(empty_database, folder / "mlflow.db")
    comparison = regression("neural", "forest", "tree", "blend")
    refits = {"mean/neural/mean": refit, "mean/blend/mean": Refit(None, pd.DataFrame(), None, reason="a blend is stored by its members")}
    store = open_store(None, folder)
    link = store.log(comparison, refits)
    return types.SimpleNamespace(store=store, comparison=comparison, link=link)


def client(store):
    from mlflow import MlflowClient

    return MlflowClient(store.uri)


def runs(store, experiment="ski-runs"):
    """Return the active runs of an experiment: parents, children by title."""
    found = client(store).get_experiment_by_name(experiment)
    all_runs = client(store).search_runs([found.experiment_id], max_results=1000)
    parents = [run for run in all_runs if run.data.tags["piste.role"] == "comparison"]
    return parents, {run.info.run_name: run for run in all_runs if run.data.tags["piste.role"] == "candidate"}


def artifacts(store, run):
    return {file.path for file in client(store).list_artifacts(run.info.run_id)}


def local(run, name):
    return Path(urlsplit(run.info.artifact_uri).path) / name


def fingerprint(store):
    """Return all that the active runs hold, but what differs by nature: ids."""
    parents, children = runs(store)
    return [
        (run.info.run_name, run.info.status, run.info.start_time, sorted(run.data.metrics.items()), sorted(run.data.params.items()))
        for run in [*parents, *children.values()]
    ]


def test_every_row_is_a_child_of_one_parent(logged):
    comparison = logged.comparison
    [parent], children = runs(logged.store)
    assert set(children) == {row.title for row in (*comparison.judged, *comparison.absent)}
    assert {run.data.tags["mlflow.parentRunId"] for run in children.values()} == {parent.info.run_id}
    assert {run.data.tags["piste.comparison"] for run in (parent, *children.values())} == {comparison.key}


def test_a_child_holds_the_numbers_of_its_row_to_six_digits(logged):
    comparison = logged.comparison
    row = comparison.row("mean/tree/mean")
    child = runs(logged.store)[1][row.title]
    expected = {
        **{name: getattr(row, name) for name in ("cost", "cost_lo", "cost_hi", "gain_vs_baseline", "gain_lo", "gain_hi")},
        **{name: getattr(row, name) for name in ("fit_seconds", "predict_seconds")},
        "tied_with_best": float(row.tied_with_best),
        "fold_cost": row.fold_costs[-1],
        **row.metrics,
        **{f"train_{name}": value for name, value in row.train_metrics.items()},
    }
    assert child.data.metrics == {name: float(f"{value:.6g}") for name, value in expected.items()}
    assert child.data.params == {"max_depth": "8", "min_samples_leaf": "5"}
    history = client(logged.store).get_metric_history(child.info.run_id, "fold_cost")
    assert [(point.step, point.value) for point in history] == [(step, float(f"{cost:.6g}")) for step, cost in enumerate(row.fold_costs, 1)]


def test_a_child_says_what_it_is_in_tags_and_in_the_colour_of_its_family(logged):
    from piste.core.report.figures import colour

    comparison = logged.comparison
    children = runs(logged.store)[1]
    tags = children["Random forest (300 trees)"].data.tags
    assert (tags["piste.framing"], tags["piste.family"], tags["piste.rule"], tags["piste.status"]) == ("mean", "forest", "mean", "ok")
    assert tags["mlflow.runColor"] == colour("forest")
    champions = [title for title, run in children.items() if run.data.tags["piste.champion"] == "true"]
    assert champions == [comparison.row(comparison.champion).title]
    assert tags["mlflow.note.content"].startswith("RMSE ")


def test_a_row_without_a_result_has_its_reason_and_ends_as_it_did(logged):
    children = runs(logged.store)[1]
    assert (children["Perceptron"].info.status, children["Mine"].info.status) == ("FINISHED", "FAILED")
    assert children["Mine"].data.tags["piste.reason"] == "ValueError: 2 features, but 3 <were> expected"
    assert children["Mine"].data.metrics == {}


def test_the_parent_holds_the_whole_comparison(logged):
    comparison = logged.comparison
    [parent], _ = runs(logged.store)
    assert artifacts(logged.store, parent) == {
        *("resolved.yaml", "report.html", "leaderboard.json", "leaderboard.csv", "leaderboard.png", "figures", "tables"),
        *("comparison.json", "audit.json", "losses.parquet", "columns.parquet", "predictions.parquet"),
    }
    assert comparison.verdict.sentence in parent.data.tags["mlflow.note.content"]
    pd.testing.assert_frame_equal(pd.read_parquet(local(parent, "losses.parquet")), comparison.losses)
    pd.testing.assert_frame_equal(pd.read_parquet(local(parent, "predictions.parquet")), comparison.predictions)
    assert pd.read_csv(local(parent, "leaderboard.csv"))["rmse"].notna().sum() == len(comparison.judged)
    assert json.loads(local(parent, "comparison.json").read_text())["champion"] == comparison.champion


def test_the_parent_says_whether_its_scores_count_and_who_takes_what_as_it_is(tmp_path):
    taken = Finding("L02", "warn", "tickets (expert)", 0.83, 0.8, "strong", acknowledged="by ana until 2027-11-01: frozen at 18:00")
    grave = Finding("L01", "block", "casual", 1.0, 0.999, "copied", consequence="no score counts")
    comparison = replace(compared(), findings=(grave, taken), spared={"L14": "no holdout is declared"}, silent=("D03",))
    assert not comparison.valid
    assert replace(comparison, findings=(replace(grave, acknowledged="by ana"), taken)).valid
    store = open_store(None, tmp_path / "mlruns")
    store.log(comparison, {})
    [parent], _ = runs(store)
    assert parent.data.tags["piste.valid"] == "false"
    assert parent.data.tags["piste.acknowledged.L02.tickets _expert_"] == taken.acknowledged
    audit = json.loads(local(parent, "audit.json").read_text())
    assert (audit["valid"], audit["spared"], audit["silent"]) == (False, {"L14": "no holdout is declared"}, ["D03"])
    assert [(each["check"], each["acknowledged"]) for each in audit["findings"]] == [("L01", ""), ("L02", taken.acknowledged)]


@pytest.mark.parametrize(
    ("comparison", "title", "picture"),
    [
        (regression(), "Decision tree (depth 8)", "predicted_against_actual.png"),
        (classification(problem="ski-runs"), "Decision tree (depth 6)", "confusion_matrix.png"),
    ],
    ids=["regression", "classes"],
)
def test_a_child_has_two_figures_and_its_trials_as_a_table(store, comparison, title, picture):
    store.log(comparison, {})
    child = runs(store)[1][title]
    assert artifacts(store, child) == {picture, "cost_by_fold.png", "trials.json", "trials.csv"}
    assert local(child, picture).read_bytes().startswith(b"\x89PNG")
    assert json.loads(child.data.tags["mlflow.loggedArtifacts"]) == [{"path": "trials.json", "type": "table"}]
    trials = json.loads(local(child, "trials.json").read_text())
    assert [line[trials["columns"].index("status")] for line in trials["data"]] == ["ok", "ok", "failed"]


@pytest.fixture(scope="module")
def priced(empty_database, tmp_path_factory):
    """Return a comparison by what decisions cost, that was logged, and where; only to be looked at."""
    folder = tmp_path_factory.mktemp("priced") / "mlruns"
    folder.mkdir()
    shutil.copy(empty_database, folder / "mlflow.db")
    store = open_store(None, folder)
    store.log(decided(), {})
    return types.SimpleNamespace(store=store, comparison=decided())


def test_the_parent_holds_the_numbers_of_the_verdict(priced):
    [parent], _ = runs(priced.store)
    told = {"estimate": 41.6, "estimate_lo": 38.0, "estimate_hi": 45.3, "claimed": 18.4, "claimed_lo": 11.4, "claimed_hi": 24.8}
    assert {name: parent.data.metrics[name] for name in told} == told
    assert parent.data.metrics["n_columns"] == 100


def test_a_child_says_how_it_decides_and_what_it_then_does(priced):
    child = runs(priced.store)[1]["Forest (random forest, 300 trees), mean, prediction alone"]
    row = priced.comparison.row("mean/forest/plug_in")
    assert (child.data.tags["piste.framing"], child.data.tags["piste.rule"]) == ("mean", "plug_in")
    numbers = {"gain_lo": row.gain_lo, "gain_hi": row.gain_hi, "own_score": row.own_score, "value": row.value}
    numbers |= {"action/unstaffed": 0.3, "action/one_marshal": 0.5, "action/two_marshals": 0.2}
    assert {name: child.data.metrics[name] for name in numbers} == {name: float(f"{value:.6g}") for name, value in numbers.items()}


def test_the_best_row_of_each_family_and_framing_has_figures_of_its_own_and_no_other(priced):
    children = runs(priced.store)[1].values()
    drawn = {
        run.data.tags["piste.family"] + " " + run.data.tags["piste.rule"]
        for run in children
        if "cost_by_fold.png" in artifacts(priced.store, run)
    }
    comparison = priced.comparison
    best = {comparison.champion, comparison.best_baseline, "mean/boosting/dressed", "all_runs/linear/dressed"}
    best |= {"classes/forest/min_expected_cost", "classes/perceptron/min_expected_cost", "classes/baseline:constant/min_expected_cost"}
    assert drawn == {f"{row.family} {row.rule}" for row in comparison.judged if row.id in best}


def test_every_figure_of_the_report_is_a_file_too_and_so_are_the_tables_behind(priced):
    [parent], _ = runs(priced.store)
    names = ("framings", "actions", "cost_range", "gain_by_fold", "gain_by_slice", "learning_curve", "reliability", "coverage")
    page = local(parent, "report.html").read_text()
    for name in names:
        picture = local(parent, f"figures/{name}.svg").read_bytes()
        assert base64.b64encode(picture).decode() in page
    slices = pd.read_csv(local(parent, "tables/slices.csv"), dtype={"value": str})
    pd.testing.assert_frame_equal(slices, priced.comparison.tables["slices"], check_dtype=False)
    pd.testing.assert_frame_equal(
        pd.read_csv(local(parent, "tables/learning_curve.csv")), priced.comparison.curve.points, check_dtype=False
    )


def test_the_dataset_carries_our_own_digest(logged):
    comparison = logged.comparison
    [parent], children = runs(logged.store)
    for run in (parent, *children.values()):
        [given] = client(logged.store).get_run(run.info.run_id).inputs.dataset_inputs
        assert given.dataset.digest == comparison.digest[:36]
        assert json.loads(given.dataset.profile)["num_rows"] == comparison.n_rows


def test_a_model_is_stored_with_signature_example_and_the_requirements_given(logged):
    from mlflow.models import Model

    child = client(logged.store).get_run(runs(logged.store)[1]["Neural network (2 x 64, tanh)"].info.run_id)
    [output] = child.outputs.model_outputs
    logged = client(logged.store).get_logged_model(output.model_id)
    assert (logged.name, str(logged.status), logged.source_run_id) == ("mean-neural-mean", "READY", child.info.run_id)
    assert {metric.key: metric.value for metric in logged.metrics}["cost"] == child.data.metrics["cost"]
    folder = Path(urlsplit(logged.artifact_location).path)
    saved = Model.load(str(folder))
    assert {column.name: column.type.name for column in saved.signature.inputs} == {
        "snow_cm": "double",
        "open": "double",
        "day": "datetime",
        "run": "string",
    }
    assert saved.flavors["python_function"]["loader_module"] == "piste.edges.models"
    assert (folder / "data" / "model" / "model.json").read_text() == '{"times": 3}'
    assert "numpy==2.4.6" in (folder / "requirements.txt").read_text().split()
    assert not list(folder.rglob("*.pkl"))


def test_mlflow_hands_the_stored_folder_to_our_loader(logged, monkeypatch):
    import mlflow.pyfunc

    class Times:
        def __init__(self, folder):
            self.factor = json.loads((Path(folder) / "model.json").read_text())["times"]

        def predict(self, frame):
            return self.factor * frame["snow_cm"].to_numpy()

    loader = types.ModuleType("piste.edges.models")
    loader._load_pyfunc = Times
    monkeypatch.setitem(sys.modules, "piste.edges.models", loader)
    child = client(logged.store).get_run(runs(logged.store)[1]["Neural network (2 x 64, tanh)"].info.run_id)
    place = client(logged.store).get_logged_model(child.outputs.model_outputs[0].model_id).artifact_location
    rows = pd.DataFrame({"snow_cm": [5.0], "open": [1.0], "day": pd.to_datetime(["2024-01-03"]), "run": ["b"]})
    assert mlflow.pyfunc.load_model(place).predict(rows).tolist() == [15.0]


def test_each_epoch_of_a_training_is_a_step(logged):
    child = runs(logged.store)[1]["Neural network (2 x 64, tanh)"]
    history = client(logged.store).get_metric_history(child.info.run_id, "epoch/train_loss")
    assert [(point.step, point.value) for point in history] == [(1, 3.0), (2, 2.0), (3, 1.5)]
    assert "training_curve.png" in artifacts(logged.store, child)


def test_a_model_that_is_not_stored_says_why(logged):
    child = client(logged.store).get_run(runs(logged.store)[1]["Blend (boosting, neural, forest)"].info.run_id)
    assert child.data.tags["piste.model"] == "a blend is stored by its members"
    assert not child.outputs or not child.outputs.model_outputs


def test_logging_again_logs_nothing(store):
    comparison = regression()
    first = store.log(comparison, {}, started=STARTED)
    before = fingerprint(store)
    seen = []
    assert store.log(comparison, {}, lambda done, total: seen.append(done)) == first
    assert fingerprint(store) == before
    assert not seen


def test_what_was_interrupted_is_written_anew_and_nothing_twice(new_store, refit):
    store, undisturbed = new_store(), new_store("undisturbed")
    comparison, refits = regression("neural", "tree"), {"mean/neural/mean": refit}

    def stop(done, total):
        if done == 3:
            raise Stopped

    with pytest.raises(Stopped):
        store.log(comparison, refits, stop, started=STARTED)
    assert any(run.info.status == "RUNNING" for run in runs(store)[0])
    store.log(comparison, refits, started=STARTED)
    undisturbed.log(comparison, refits, started=STARTED)
    assert fingerprint(store) == fingerprint(undisturbed)
    models = client(store).search_logged_models([runs(store)[0][0].info.experiment_id])
    assert len(models) == 1


def test_a_kill_at_any_row_leaves_nothing_running_after_the_next_call(store):
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom piste.edges.tracking import open_store\n"
        "sys.path.insert(0, sys.argv[2])\nfrom comparisons import regression\n"
        "def stop(done, total):\n    if done == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "open_store(None, Path(sys.argv[1])).log(regression(families=('tree', 'linear')), {}, stop)\n"
    )
    folder = Path(__file__).parents[1]
    killed = subprocess.run([sys.executable, "-c", program, str(store.mlruns), str(folder)], check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    other = regression(seed=1)
    store.log(other, {})
    parents, _ = runs(store)
    assert sorted(run.info.status for run in parents) == ["FINISHED", "KILLED"]
    store.log(regression("tree", "linear"), {})
    parents, children = runs(store)
    assert [run.info.status for run in parents] == ["FINISHED", "FINISHED"]
    assert "RUNNING" not in {run.info.status for run in children.values()}


def test_only_the_newest_comparison_is_latest(store):
    first, second = regression(), regression(seed=1)
    store.log(first, {})
    store.log(second, {})

    def latest():
        parents, _ = runs(store)
        found = client(store).search_runs([parents[0].info.experiment_id], "tags.`piste.latest` = 'true'")
        return {run.data.tags["piste.comparison"] for run in found}, len(found)

    assert latest() == ({second.key}, 7)
    store.log(first, {})
    assert latest() == ({first.key}, 7)


def test_the_link_opens_a_view_of_this_comparison_by_cost_with_bars_for_all(logged):
    comparison, link = logged.comparison, logged.link
    query = parse_qs(urlsplit(link).fragment.partition("?")[2])
    assert set(query) == {"workflowType", "viewStateShareKey", "compareRunsMode"}
    experiment = client(logged.store).get_experiment_by_name("ski-runs")
    packed = json.loads(experiment.tags[TAG + query["viewStateShareKey"][0]])["state"]
    state = json.loads(zlib.decompress(base64.b64decode(packed.removeprefix("deflate;"))))
    found = client(logged.store).search_runs([experiment.experiment_id], state["searchFilter"], order_by=["metrics.cost ASC"])
    judged = [run.info.run_name for run in found if "cost" in run.data.metrics]
    assert judged == [row.title for row in comparison.judged]
    assert len(found) == len(comparison.judged) + len(comparison.absent)
    bars = [card["metricKey"] for card in state["compareRunCharts"] if card["type"] == "BAR"]
    assert bars == ["cost", "gain_vs_baseline", "mae"]
    assert {card["type"] for card in state["compareRunCharts"]} == {"BAR", "LINE", "SCATTER"}
    assert min(card["runsCountToCompare"] for card in state["compareRunCharts"]) >= 50


def test_the_newest_link_is_that_of_the_comparison_asked_for_last(store):
    other = store.log(replace(regression(seed=1), problem="other"), {})
    last = store.log(regression(), {})
    assert store.newest() == last
    assert store.log(replace(regression(seed=1), problem="other"), {}) == other
    assert store.newest() == other
    assert store.newest("http://127.0.0.1:5017").startswith("http://127.0.0.1:5017/#/experiments/")


def test_the_experiment_may_have_a_name_of_its_own_and_its_files_stay_under_mlruns(store, tmp_path):
    store = open_store(None, store.mlruns, "../team a/ski: runs")
    store.log(regression(), {})
    [parent], _ = runs(store, "../team a/ski: runs")
    assert local(parent, "").resolve().is_relative_to(tmp_path / "mlruns" / "artifacts")


def test_an_experiment_deleted_in_mlflow_is_taken_back(store):
    store.log(regression(), {})
    client(store).delete_experiment(client(store).get_experiment_by_name("ski-runs").experiment_id)
    store.log(regression(seed=1), {})
    assert len(runs(store)[0]) == 2


def test_numbers_that_are_none_are_left_out(store):
    comparison = regression()
    odd = replace(comparison.judged[0], cost_hi=math.inf, metrics={"rmse": 1.0, "r2": math.nan})
    store.log(replace(comparison, judged=(odd, *comparison.judged[1:])), {})
    child = runs(store)[1][odd.title]
    assert not {"cost_hi", "r2"} & set(child.data.metrics)
    assert child.data.metrics["rmse"] == 1.0


def test_long_words_are_cut_to_what_mlflow_takes(store):
    comparison = regression()
    absent = (replace(comparison.absent[0], reason="because " * 3000),)
    row = replace(comparison.judged[0], params={"by": "x" * 9000}, notes=("note " * 3000,))
    store.log(replace(comparison, judged=(row, *comparison.judged[1:]), absent=absent), {})
    children = runs(store)[1]
    assert len(children[absent[0].title].data.tags["piste.reason"]) == 8000
    assert len(children[row.title].data.params["by"]) == 6000


def test_only_the_newest_views_are_kept(store):
    from piste.edges.view import MOST_VIEWS, view_id

    comparison = regression()
    store.log(comparison, {})
    experiment_id = client(store).get_experiment_by_name("ski-runs").experiment_id
    client(store).set_experiment_tag(experiment_id, TAG + "mine", json.dumps({"name": "my own", "createdAt": 1, "state": "{}"}))
    for age in range(MOST_VIEWS + 1):
        old = json.dumps({"name": "piste 2020-01-01 00:00", "createdAt": age, "state": "{}"})
        client(store).set_experiment_tag(experiment_id, f"{TAG}{age}", old)
    newest = regression(seed=1)
    store.log(newest, {})
    names = {name.removeprefix(TAG) for name in client(store).get_experiment(experiment_id).tags if name.startswith(TAG)}
    assert names == {"mine", view_id(comparison.key), view_id(newest.key), *(str(age) for age in range(3, MOST_VIEWS + 1))}


def test_our_settings_do_not_outlive_the_call(store, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    before = dict(os.environ)
    store.log(regression(), {})
    assert dict(os.environ) == before


def test_a_server_that_is_down_is_said_to_be_and_nothing_is_lost(tmp_path):
    store = open_store("http://me:secret@127.0.0.1:9", tmp_path / "mlruns")
    with pytest.raises(TrackingDown) as caught:
        store.log(regression(), {})
    message = str(caught.value)
    assert message.startswith("MLflow at http://127.0.0.1:9 could not be written to: ")
    assert f"The results are in {tmp_path / 'mlruns'}; run the same command again to log them." in message
    assert "secret" not in message


def test_a_database_of_ones_own_works_as_the_embedded_one_does(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/own/tracking.db", tmp_path / "mlruns")
    store.log(regression(), {})
    [parent], _ = runs(store)
    assert local(parent, "report.html").is_relative_to(tmp_path / "mlruns")


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("mlruns", "MLflow no longer writes plain folders"),
        ("file:///data/mlruns", "MLflow no longer writes plain folders"),
        ("htp://server", "Did you mean 'http'?"),
        ("ftp://me:secret@server", "but is 'ftp://server'"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
    ],
)
def test_an_address_that_mlflow_cannot_write_to_is_refused(tmp_path, uri, message):
    with pytest.raises(PisteError) as caught:
        open_store(uri, tmp_path)
    assert message in str(caught.value)
    assert str(caught.value).startswith("track.uri: must ")
    assert not list(tmp_path.iterdir())
