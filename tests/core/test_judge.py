"""From what the cells gave to a comparison, whole."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

import piste
from piste.core.comparison import Comparison
from piste.core.errors import PisteError
from piste.core.fit import Failed, Outcome
from piste.core.judge import Members, judge
from piste.prepare import Prepared, prepare
from piste.watch import silent
from piste.work import compute

Outcomes = dict[tuple[str, str, int], list[Outcome]]


def frame(n: int = 90) -> pd.DataFrame:
    """Return rows of numbers, counts, classes and days."""
    rng = np.random.default_rng(0)
    x, z = rng.normal(size=n), rng.normal(size=n)
    kind = np.select([x + rng.normal(size=n) > 0.7, x < -0.5], ["high", "low"], "middle")
    count = rng.poisson(np.exp(2 + 0.5 * x))
    day = pd.date_range("2024-01-01", periods=n)
    return pd.DataFrame(
        {"x": x, "z": z, "y": x + rng.normal(0, 0.5, n), "count": count, "kind": kind, "day": day, "w": rng.uniform(1, 3, n)}
    )


def prepared(target: str, columns: tuple[str, ...] = ("x", "z"), **keys) -> Prepared:
    """Prepare a problem on the rows."""
    usual = {"families": ["linear", "tree", "blend"], "search": {"trials": 2}, "split": {"folds": 3, "repeats": 2}}
    problem = piste.Problem(data=frame()[[*columns, target]], target=target, **usual | keys)
    return prepare(problem, (), silent, quick=False, code=False)


def computed(at: Prepared) -> Outcomes:
    """Fit every cell."""
    found: Outcomes = {}
    for cell in at.plan.cells:
        for candidate, outcome in zip(cell.candidates, compute(at.study, cell, at.plan.entries[cell.entry][0], Path()), strict=True):
            found.setdefault(candidate.key, [Failed("not computed")] * len(at.folds.folds))[cell.fold] = outcome
    return found


def judged(at: Prepared, outcomes: Outcomes) -> tuple[Comparison, Members]:
    """Judge what came."""
    return judge(at.resolved, at.folds, at.plan, outcomes, key="k" * 64, printed=at.printed, source="rows")


@pytest.fixture(scope="module")
def numbers():
    """Return a judged problem of numbers with weights, on repeated folds."""
    at = prepared("y", ("x", "z", "w"), weight="w")
    outcomes = computed(at)
    return at, outcomes, *judged(at, outcomes)


@pytest.fixture(scope="module")
def classes():
    """Return a judged problem of three classes."""
    at = prepared("kind")
    return at, *judged(at, computed(at))


def test_costs_are_the_root_mean_squared_errors_of_the_predictions_shown(numbers):
    at, _, comparison, _ = numbers
    weight = at.resolved.table.weight[comparison.predictions["row"]]
    for row in comparison.judged:
        predictions = comparison.predictions
        assert row.cost == pytest.approx(metrics.root_mean_squared_error(predictions["y"], predictions[row.id], sample_weight=weight))


def test_costs_of_classes_are_the_log_losses_of_the_probabilities_shown(classes):
    at, comparison, _ = classes
    labels = list(at.resolved.table.target.labels)
    for row in comparison.judged:
        shares = comparison.predictions[[f"{row.id}[{label}]" for label in labels]].to_numpy()
        assert row.cost == pytest.approx(metrics.log_loss(comparison.predictions["y"], shares, labels=labels))
        np.testing.assert_allclose(shares.sum(axis=1), 1.0)


def test_every_row_predicts_the_same_rows_once_in_each_repeat(numbers):
    _, _, comparison, _ = numbers
    for _, each in comparison.predictions.groupby("repeat"):
        assert sorted(each["row"]) == list(range(90))
    assert comparison.predictions.notna().all(axis=None)


def test_the_loss_matrix_has_a_row_per_judged_row_and_a_column_per_candidate_and_the_blend(numbers):
    at, _, comparison, _ = numbers
    assert comparison.losses["row"].tolist() == list(range(90))
    assert list(comparison.losses.columns[2:]) == list(comparison.columns["column"])
    assert comparison.n_columns == len(at.plan.candidates) + 1
    weight = at.resolved.table.weight
    best = comparison.row("mean/blend/plug_in")
    assert np.sqrt(np.average(comparison.losses["mean/blend/0/plug_in"], weights=weight)) == pytest.approx(best.cost)


def test_each_row_shows_its_cheapest_setting_and_lists_all_that_were_tried(numbers):
    _, _, comparison, _ = numbers
    for row in comparison.judged:
        if row.family == "blend":
            assert row.id not in comparison.trials
            continue
        trials = comparison.trials[row.id]
        assert len(trials) == row.n_trials
        assert trials["cost"].is_monotonic_increasing
        assert trials["cost"][0] == pytest.approx(row.cost)
        shown = trials.loc[0, list(row.params)].to_dict()
        assert shown == dict(row.params)


def test_what_is_refitted_is_the_setting_shown_and_of_a_blend_its_members_with_their_shares(numbers):
    _, _, comparison, members = numbers
    for row in comparison.judged:
        if row.family != "blend":
            [(share, candidate)] = members[row.id]
            assert (share, candidate.entry, dict(candidate.params)) == (1.0, row.family, dict(row.params))
    shares = [share for share, _ in members["mean/blend/plug_in"]]
    assert sum(shares) == pytest.approx(1.0)
    assert shares == sorted(shares, reverse=True)
    assert all(share > 0 for share in shares)


def test_columns_say_what_stands_behind_them(numbers):
    at, _, comparison, _ = numbers
    described = comparison.columns.set_index("column")
    for candidate in at.plan.candidates:
        found = described.loc[f"mean/{candidate.entry}/{candidate.number}/plug_in"]
        assert (found["family"], json.loads(found["params"])) == (candidate.entry, dict(candidate.params))


def test_champion_and_best_baseline_are_rows(numbers):
    _, _, comparison, _ = numbers
    assert comparison.row(comparison.champion).family in ("linear", "blend", "tree")
    assert comparison.row(comparison.best_baseline).family == "baseline:constant"
    assert comparison.verdict.name == "best but unpriced"


def test_a_candidate_that_failed_on_a_fold_is_left_out_and_its_row_says_so(numbers):
    at, outcomes, comparison, _ = numbers
    broken = {key: list(each) for key, each in outcomes.items()}
    broken["mean", "tree", 0][1] = Failed("no luck")
    found, _ = judged(at, broken)
    assert found.n_columns == comparison.n_columns - 1
    assert "1 of its trials failed: no luck" in found.row("mean/tree/plug_in").notes
    trials = found.trials["mean/tree/plug_in"]
    assert trials["status"].tolist().count("failed") == 1
    assert np.isnan(trials.loc[trials["status"] == "failed", "cost"].item())


def test_a_family_whose_every_candidate_failed_is_a_row_with_its_reason(numbers):
    at, outcomes, *_ = numbers
    broken = {key: [Failed("no luck")] * 6 if key[1] == "tree" else each for key, each in outcomes.items()}
    found, _ = judged(at, broken)
    [absent] = found.absent
    assert (absent.framing, absent.family, absent.title, absent.status, absent.reason) == (
        "mean",
        "tree",
        "Decision tree",
        "failed",
        "no luck",
    )
    assert {row.family for row in found.judged} == {"baseline:constant", "linear"}  # one model alone is no blend


def test_what_is_not_computed_yet_is_left_out_and_the_rest_judged(numbers):
    at, outcomes, comparison, _ = numbers
    found, _ = judged(at, {key: each for key, each in outcomes.items() if key[2] == 0})
    assert {row.family for row in found.judged} == {"baseline:constant", "linear", "tree", "blend"}
    assert found.n_columns == 4 < comparison.n_columns


def test_where_no_baseline_could_be_computed_there_is_nothing_to_compare_with(numbers):
    at, outcomes, *_ = numbers
    with pytest.raises(PisteError):
        judged(at, {key: each for key, each in outcomes.items() if not key[1].startswith("baseline:")})


def test_each_framing_has_its_rows_and_its_blend():
    at = prepared("count", framings=["mean", "distribution"], metric="mae")
    comparison, _ = judged(at, computed(at))
    assert {row.id for row in comparison.judged} == {
        "mean/baseline:constant/plug_in",
        *(f"mean/{family}/plug_in" for family in ("linear", "tree", "blend")),
        *(f"distribution/{family}/min_expected_cost" for family in ("linear", "tree", "blend")),
    }
    actions = comparison.predictions["distribution/tree/min_expected_cost"]
    assert (actions == actions.round()).all()  # the median of a count is a count


def test_forward_in_time_only_the_rows_that_came_later_are_judged():
    at = prepared("y", ("x", "z", "day"), time="day", split={"scheme": "forward", "folds": 3})
    comparison, _ = judged(at, computed(at))
    assert comparison.n_judged == len(comparison.losses) < comparison.n_rows == 90
    assert comparison.losses["row"].min() == comparison.n_rows - comparison.n_judged
    assert len(comparison.fold_names) == 3 == len(comparison.judged[0].fold_costs)


def test_a_held_out_row_is_nowhere():
    at = prepared("y", split={"folds": 3, "repeats": 1, "holdout": 0.2})
    comparison, _ = judged(at, computed(at))
    held = set(at.folds.holdout)
    assert len(held) == 18
    assert not held & set(comparison.predictions["row"])
    assert not held & set(at.folds.whole.train)
    changed = frame()
    changed.loc[sorted(held), ["x", "z"]] += 100.0
    changed.loc[sorted(held), "y"] = 1e6
    problem = at.resolved.problem.model_copy(update={"data": piste.Problem(data=changed[["x", "z", "y"]], target="y").data})
    again = prepare(problem, (), silent, quick=False, code=False)
    pd.testing.assert_frame_equal(judged(again, computed(again))[0].losses, comparison.losses, check_exact=True)


def test_of_a_single_fold_there_is_no_blend_since_nothing_teaches_its_shares():
    rows = frame().assign(part=np.repeat(["train", "test"], [60, 30]))[["x", "z", "part", "y"]]
    split = {"scheme": "predefined", "by": "part"}
    problem = piste.Problem(data=rows, target="y", split=split, families=["linear", "tree", "blend"], search={"trials": 0})
    at = prepare(problem, (), silent, quick=True, code=False)
    comparison, _ = judged(at, computed(at))
    assert {row.family for row in comparison.judged} == {"baseline:constant", "linear", "tree"}
    [absent] = comparison.absent
    assert (absent.family, absent.status) == ("blend", "skipped")
    assert "second fold" in absent.reason
