"""From what the cells gave to a comparison, whole."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

import piste
from piste.core.case import weigh
from piste.core.check import Examined
from piste.core.comparison import Comparison
from piste.core.decision import Actions
from piste.core.entrants import court_of, entrants_of
from piste.core.errors import PisteError
from piste.core.finding import Finding
from piste.core.fit import Failed, Outcome
from piste.core.judge import Members, conclude, members
from piste.core.review import Evidence, checks
from piste.prepare import Prepared, prepare
from piste.watch import silent
from piste.work import compute
from tests.cases import written

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


def prepared(target: str | dict[str, Any], columns: tuple[str, ...] = ("x", "z"), **keys: Any) -> Prepared:
    """Prepare a problem on the rows."""
    usual = {"families": ["linear", "tree", "blend"], "search": {"trials": 2}, "split": {"folds": 3, "repeats": 2}}
    name = target if isinstance(target, str) else target["column"]
    problem = piste.Problem(data=frame()[[*columns, name]], target=target, **usual | keys)
    return prepare(problem, (), silent, quick=False, code=False)


def computed(at: Prepared) -> Outcomes:
    """Fit every cell."""
    found: Outcomes = {}
    for cell in at.plan.cells:
        if cell.stage == "self-test":
            continue
        for candidate, outcome in zip(cell.candidates, compute(at.study, cell, at.plan.entries[cell.entry][0], Path()), strict=True):
            found.setdefault(candidate.key, [Failed("not computed")] * len(at.folds.folds))[cell.fold] = outcome
    return found


def judged(at: Prepared, outcomes: Outcomes) -> tuple[Comparison, Members]:
    """Judge what came."""
    court = court_of(at.resolved, at.folds)
    entrants = [
        each
        for candidate in at.plan.candidates
        for each in entrants_of(at.resolved, at.folds, at.plan, court, candidate, outcomes.get(candidate.key, ()))
    ]
    case = weigh(at.resolved, at.folds, at.plan, court, entrants, outcomes, None)
    return conclude(Evidence(case), outcomes, key="k" * 64, printed=at.printed, source="rows"), members(case)


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


def weight_of(comparison: Comparison) -> np.ndarray:
    return comparison.losses["weight"].to_numpy()


def column_of(comparison: Comparison, id: str) -> np.ndarray:
    """Return the losses of the best column of a row."""
    row = comparison.row(id)
    described = comparison.columns
    mine = (described["framing"] == row.framing) & (described["family"] == row.family) & (described["rule"] == row.rule)
    names = described.loc[mine & (described["params"] == json.dumps(dict(row.params))), "column"]
    return comparison.losses[names.item()].to_numpy()


def test_every_number_of_the_matrix_is_what_the_prediction_shown_costs(numbers):
    at, _, comparison, _ = numbers
    for row in comparison.judged:
        shown = comparison.predictions
        loss = ((shown["y"] - shown[row.id]) ** 2).groupby(shown["row"]).mean()
        np.testing.assert_allclose(loss.loc[comparison.losses["row"]], column_of(comparison, row.id))
        plain = metrics.root_mean_squared_error(shown["y"], shown[row.id], sample_weight=at.resolved.table.weight[shown["row"]])
        assert row.metrics["rmse"] == pytest.approx(plain)
        if row.n_trials == 1:
            assert row.cost == pytest.approx(plain)


def test_losses_of_classes_are_those_of_the_probabilities_shown(classes):
    at, comparison, _ = classes
    labels = list(at.resolved.table.target.labels)
    for row in comparison.judged:
        shares = comparison.predictions[[f"{row.id}[{label}]" for label in labels]].to_numpy()
        plain = metrics.log_loss(comparison.predictions["y"], shares, labels=labels)
        assert column_of(comparison, row.id).mean() == pytest.approx(plain)
        assert row.metrics["log_loss"] == pytest.approx(plain)
        np.testing.assert_allclose(shares.sum(axis=1), 1.0)


def test_every_row_predicts_the_same_rows_once_in_each_repeat(numbers):
    _, _, comparison, _ = numbers
    for _, each in comparison.predictions.groupby("repeat"):
        assert sorted(each["row"]) == list(range(90))
    assert comparison.predictions.notna().all(axis=None)


def test_the_loss_matrix_has_a_row_per_judged_row_and_a_column_per_candidate_and_the_blend(numbers):
    at, _, comparison, _ = numbers
    assert comparison.losses["row"].tolist() == list(range(90))
    assert list(comparison.losses.columns) == ["row", "block", "weight", *comparison.columns["column"]]
    np.testing.assert_array_equal(weight_of(comparison), at.resolved.table.weight)
    assert comparison.n_columns == len(comparison.columns) == len(at.plan.candidates) + 1
    blend = comparison.row("mean/blend/plug_in")
    assert np.sqrt(np.average(comparison.losses["mean/blend/0/plug_in"], weights=weight_of(comparison))) == pytest.approx(blend.cost)


def test_each_row_shows_its_cheapest_setting_and_lists_all_that_were_tried(numbers):
    _, _, comparison, _ = numbers
    for row in comparison.judged:
        if row.family == "blend":
            assert row.id not in comparison.trials
            continue
        trials = comparison.trials[row.id]
        assert len(trials) == row.n_trials
        assert trials["cost"].is_monotonic_increasing
        assert trials["cost"][0] == pytest.approx(np.sqrt(np.average(column_of(comparison, row.id), weights=weight_of(comparison))))
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


def test_each_framing_has_its_rows_and_its_blend_under_every_rule():
    at = prepared("count", framings=["mean", "distribution"], metric="mae")
    comparison, _ = judged(at, computed(at))
    assert {row.id for row in comparison.judged} == {
        *(f"mean/{family}/{rule}" for family in ("baseline:constant", "linear", "tree", "blend") for rule in ("plug_in", "dressed")),
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


def test_of_a_single_fold_a_blend_learns_its_shares_from_rows_that_only_warm_up():
    rows = frame().assign(part=np.repeat(["train", "test"], [60, 30]))[["x", "z", "part", "y"]]
    split = {"scheme": "predefined", "by": "part"}
    problem = piste.Problem(data=rows, target="y", split=split, families=["linear", "tree", "blend"], search={"trials": 0})
    at = prepare(problem, (), silent, quick=True, code=False)
    comparison, _ = judged(at, computed(at))
    assert [fold.warm_up for fold in at.folds.folds] == [True, False]
    assert {row.family for row in comparison.judged} == {"baseline:constant", "linear", "tree", "blend"}
    assert comparison.n_judged == len(comparison.predictions) == 30
    assert comparison.fold_names == ("test",)


LEVELS = {"column": "y", "levels": {"cuts": [-0.5, 0.5], "names": ["low", "mid", "high"]}}
DECISION = {"cost": {"wait": [0, 2, 6], "half": [1, 0, 2], "all": [3, 2, 0]}, "currency": "EUR", "per_year": 500, "cost_range": [0.5, 2]}


@pytest.fixture(scope="module")
def priced():
    """Return a judged problem of a decision over levels of a number."""
    at = prepared(
        LEVELS,
        ("x", "z", "kind"),
        decision=DECISION,
        framings=["mean", "classes"],
        slices=["kind"],
        split={"folds": 3, "repeats": 1},
    )
    return at, *judged(at, computed(at))


def test_the_action_of_every_row_stands_beside_what_it_believed_and_costs_what_the_matrix_says(priced):
    at, comparison, _ = priced
    assert isinstance(at.resolved.yardstick, Actions)
    costs = np.array([DECISION["cost"][action] for action in at.resolved.yardstick.actions])
    level = np.digitize(comparison.predictions["y"], [-0.5, 0.5])
    for row in comparison.judged:
        action = comparison.predictions[f"{row.id} action"].to_numpy().astype(int)
        paid = pd.Series(costs[action, level], index=comparison.predictions["row"]).loc[comparison.losses["row"]]
        np.testing.assert_allclose(paid, column_of(comparison, row.id))
        assert sum(row.actions.values()) == pytest.approx(1)
        expected = ["low", "mid", "high"] if row.framing == "classes" else []
        assert [name for name in ("low", "mid", "high") if f"{row.id}[{name}]" in comparison.predictions] == expected


def test_a_priced_comparison_says_so_with_its_currency_and_its_year(priced):
    _, comparison, _ = priced
    assert (comparison.priced, comparison.per_year, comparison.cost_name) == (True, 500, "EUR")


def test_slices_and_what_nobody_could_ship_stand_in_the_matrix(priced):
    at, comparison, _ = priced
    assert list(comparison.losses.columns) == [
        "row", "block", "weight", "slice kind", *comparison.columns["column"], "foresight/reference/0/known",
    ]  # fmt: skip
    assert comparison.losses["slice kind"].tolist() == at.resolved.table.frame["kind"].tolist()
    assert "foresight/reference/0/known" not in set(comparison.columns["column"])
    assert (comparison.losses["foresight/reference/0/known"] == 0).all()
    assert comparison.row("foresight/reference/known").cost == 0


def test_tables_are_there_for_all_that_was_checked(priced):
    _, comparison, _ = priced
    assert {"folds", "slices", "reach", "cost_range"} <= set(comparison.tables)
    severities = [finding.severity for finding in comparison.findings]
    assert severities == sorted(severities, key=["block", "warn", "note"].index)


def test_every_row_keeps_what_makes_its_predictions_a_distribution_learnt_on_all_lines(priced):
    _, comparison, _ = priced
    assert set(comparison.states) == {row.id for row in comparison.judged}
    assert comparison.states["mean/linear/plug_in"] == {}
    dressed = comparison.states["mean/linear/dressed"]["residuals"]
    plain = comparison.predictions["y"] - comparison.predictions["mean/linear/plug_in"]
    np.testing.assert_allclose(np.sort(dressed), np.sort(plain))
    assert "temperature" in comparison.states["classes/tree/min_expected_cost"]


SMALL = written(frame()[["x", "y"]], {"linear": frame()["y"].to_numpy() + 0.1})
LEAK = Finding("L03", "warn", "x", 0.5, 0.05, "Is 'x' known in time?")
AUDIT = Examined((LEAK,), {"stakes": pd.DataFrame({"column": ["x"], "stake": [1.0], "share": [0.2]})}, {"L14": "no holdout"}, ("D01",))


def test_what_the_audit_found_stands_beside_what_was_found_after_training():
    comparison = SMALL.comparison(audit=AUDIT)
    assert LEAK in comparison.findings
    assert {finding.check[0] for finding in comparison.findings} == {"L", "M"}
    assert {"stakes", "folds"} <= set(comparison.tables)
    assert comparison.spared["L14"] == "no holdout"
    assert "M12" in comparison.spared
    assert "D01" in comparison.silent
    said = {finding.check for finding in comparison.findings} | set(comparison.spared) | set(comparison.silent)
    assert said == {*checks(), "L03", "L14", "D01"}


def test_no_check_after_training_fails():
    assert not [reason for reason in SMALL.comparison().spared.values() if "could not be computed" in reason]


def test_findings_of_the_audit_and_of_the_review_are_each_settled_once():
    asked: list[tuple[str, ...]] = []

    def settle(findings: Iterable[Finding]) -> tuple[Finding, ...]:
        found = tuple(findings)
        asked.append(tuple(each.check for each in found))
        return tuple(replace(each, acknowledged="by ana") for each in found)

    comparison = SMALL.comparison(settle=settle, audit=AUDIT)
    assert asked[0] == ("L03",)
    assert set("".join(check[0] for check in asked[1])) == {"M"}
    assert len(asked) == 2
    assert all(finding.acknowledged for finding in comparison.findings)


def test_a_block_of_the_audit_comes_first_in_the_verdict_and_one_that_is_acknowledged_does_not():
    block = replace(LEAK, check="L01", severity="block", fix="leave it out")
    blocked = Examined((block,))
    assert SMALL.comparison(audit=blocked).verdict.sentence.startswith(
        "No score counts until this is resolved: Is 'x' known in time? Leave it out."
    )
    taken = Examined((replace(block, acknowledged="by ana until 2027-01-01: it is"),))
    assert SMALL.comparison(audit=taken).verdict == SMALL.comparison().verdict
