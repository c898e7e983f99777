"""Every number of the leaderboard can be computed again from what is logged, by the notebook of docs/report.md."""

from __future__ import annotations

import json
import re
import types
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest

from piste.edges.tracking import open_store
from tests.cases import written
from tests.journeys.conftest import rows

DOCS = Path(__file__).parents[2] / "docs" / "report.md"
NUMBERS = ["cost", "cost_lo", "cost_hi", "gain_vs_baseline", "gain_lo", "gain_hi"]
PROBLEMS = {
    "decided, forward in time": {
        "decision": {"cost": {"over": 1, "under": 3}, "currency": "EUR"},
        "split": {"scheme": "forward", "folds": 3, "together": "date"},
        "time": "date",
    },
    "by metric, few rows, repeated folds": {"split": {"scheme": "kfold", "folds": 3, "repeats": 2}},
    "days that stand or fall together": {"split": {"scheme": "kfold", "folds": 3, "together": "date"}, "success": {"confidence": 0.9}},
    "under ten days": {"split": {"scheme": "kfold", "folds": 3, "together": "date"}, "days": 9},
}


@pytest.fixture(scope="module", params=PROBLEMS.values(), ids=PROBLEMS)
def done(request, tmp_path_factory):
    """Return what the notebook computed, and what was logged beside the files that it read."""
    from mlflow import MlflowClient

    keys = {"days": 90, **request.param}
    frame = rows(keys.pop("days")).drop(columns="sold")
    rng, y = np.random.default_rng(1), frame["visitors"].to_numpy(dtype=float)
    noisy = {"linear": (9.0, 8.0, 8.2), "tree": (8.1, 7.9, 12.0)}  # typical errors of three settings each, hard to tell apart
    said = {entry: [y + rng.normal(0, error, len(y)) for error in errors] for entry, errors in noisy.items()}
    target = {"column": "visitors", "kind": "count"}
    case = written(frame, said, target=target, unit=["date", "counter"], slices={"columns": ["counter", "warmth"]}, **keys)
    store = open_store(None, tmp_path_factory.mktemp("notebook"))
    comparison = case.comparison()
    store.log(comparison, {})
    client = MlflowClient(store.uri)
    experiment = client.get_experiment_by_name(comparison.problem)
    [parent] = client.search_runs([experiment.experiment_id], "tags.`piste.role` = 'comparison'")
    folder = Path(urlsplit(parent.info.artifact_uri).path)
    [text] = re.findall(r"^```python\n(.*?)^```$", DOCS.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    found: dict[str, object] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        exec(compile(text, str(DOCS), "exec"), found)
    return types.SimpleNamespace(found=found, told=json.loads((folder / "comparison.json").read_text("utf-8")), folder=folder)


def test_the_leaderboard_is_the_one_that_was_logged(done):
    keys = ["framing", "family", "rule"]
    told = pd.DataFrame([row for row in done.told["leaderboard"] if row["status"] == "ok"]).set_index(keys)
    found = done.found["leaderboard"].set_index(keys)
    assert set(found.index) == set(told.index)
    assert len(found) >= 4
    for name in NUMBERS:
        np.testing.assert_allclose(found[name].loc[told.index], told[name].astype(float), rtol=1e-5, atol=1e-9, err_msg=name)
    assert found["tied_with_best"].loc[told.index].astype(bool).tolist() == told["tied_with_best"].tolist()


def test_the_champion_and_what_it_is_expected_to_cost_are_those_of_the_verdict(done):
    column = done.found["columns"].iloc[done.found["champion"]]
    assert f"{column['framing']}/{column['family']}/{column['rule']}" == done.told["champion"]
    assert done.found["estimate"] == pytest.approx([done.told["estimate"][end] for end in ("mean", "low", "high")], rel=1e-5)


def test_what_may_be_claimed_is_the_gain_of_a_column_between_its_bounds(done):
    bounds, told = done.found["bounds"], done.told["claimed"]["gain"]
    gains = np.stack([bounds.gain, bounds.lower, bounds.upper], axis=1)
    wanted = [told[end] for end in ("mean", "low", "high")]
    assert np.isclose(gains, wanted, rtol=1e-5).all(axis=1).any()


def test_the_parts_are_those_of_the_report(done):
    told = pd.read_csv(done.folder / "tables" / "slices.csv").set_index(["column", "value"])
    names = ["cost", "baseline", "cost_lo", "cost_hi", "gain", "gain_lo", "gain_hi"]
    found = pd.DataFrame(done.found["slices"], columns=["column", "value", *names]).set_index(["column", "value"])
    assert set(found.index) == set(told.index)
    assert len(found) >= 7
    for name in names:
        np.testing.assert_allclose(found[name].loc[told.index], told[name], rtol=1e-9, err_msg=name)
