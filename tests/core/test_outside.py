"""Columns of predictions made elsewhere: judged like any other, never chosen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import piste
from piste.core.case import Case, weigh
from piste.core.entrants import court_of, entrants_of
from piste.core.fit import Failed, Outcome
from piste.core.foldsheet import split_digest
from piste.core.outside import UNVERIFIED, Outside, said_of_outside, seated
from piste.framings import framings
from piste.prepare import Prepared, prepare
from piste.watch import silent
from piste.work import compute

LEVELS = {"cuts": [9, 12], "names": ["low", "medium", "high"]}
COST = {"cost": {"wait": [0, 1, 3], "act": [2, 1, 0]}}


def frame(n: int = 200) -> pd.DataFrame:
    """Return counts, one a day, that are half known."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    return pd.DataFrame({"day": pd.date_range("2024-01-01", periods=n), "x": x, "y": rng.poisson(np.exp(2.3 + 0.3 * x)).astype(float)})


def prepared(**keys) -> Prepared:
    """Prepare a problem that decides on the counts."""
    usual = {
        "data": frame(),
        "target": {"column": "y", "kind": "count", "levels": LEVELS},
        "decision": COST,
        "families": ["linear"],
        "search": {"trials": 0},
        "split": {"folds": 10, "repeats": 1},
        "columns": {"day": "drop"},
    }
    return prepare(piste.Problem(**{**usual, **keys}), (), silent, quick=True, code=False)


def outside(at: Prepared, values: np.ndarray, name: str = "sheet", framing: str = "mean") -> Outside:
    """Return predictions of every line."""
    return Outside(name, framing, split_digest(at.resolved.table, at.folds), f"{name}.csv", np.asarray(values, dtype=float))


def came(at: Prepared) -> np.ndarray:
    """Return what came, line by line."""
    return at.resolved.table.target.values[np.concatenate([fold.test for fold in at.folds.folds])]


Found = dict[tuple[str, str, int], list[Outcome]]


def computed(at: Prepared) -> Found:
    """Fit the baselines, and every family's default."""
    found: Found = {}
    for cell in at.plan.cells:
        if cell.stage in ("baseline", "default"):
            for candidate, outcome in zip(cell.candidates, compute(at.study, cell, at.plan.entries[cell.entry][0], Path()), strict=True):
                found.setdefault(candidate.key, [Failed("not computed")] * len(at.folds.folds))[cell.fold] = outcome
    return found


def weighed(at: Prepared, found: Found, *outsiders: Outside) -> Case:
    """Judge a problem's baselines and models, and predictions from outside beside them."""
    court = court_of(at.resolved, at.folds)
    plan, seats = seated(outsiders, at.resolved, at.folds, at.plan, court, framings())
    known = {candidate.key: candidate for candidate in at.plan.candidates}
    made = [each for key, parts in found.items() for each in entrants_of(at.resolved, at.folds, at.plan, court, known[key], parts)]
    return weigh(at.resolved, at.folds, plan, court, made, found, None, seats)


@pytest.fixture(scope="module")
def at() -> Prepared:
    """Return the problem, prepared."""
    return prepared()


@pytest.fixture(scope="module")
def found(at: Prepared) -> Found:
    """Return what came of its cells."""
    return computed(at)


@pytest.fixture(scope="module")
def with_oracle(at: Prepared, found: Found) -> Case:
    """Return the problem judged beside someone who knows what comes."""
    return weighed(at, found, outside(at, came(at), "oracle"))


@pytest.mark.parametrize(
    ("framing", "rules"),
    [("mean", ["plug_in", "dressed"]), ("distribution", ["min_expected_cost"]), ("classes", ["plug_in", "min_expected_cost"])],
)
def test_there_is_a_column_under_every_rule_of_the_framing(at, framing, rules):
    values = came(at) if framing != "classes" else np.full((200, 3), 1 / 3)
    _, seats = seated([outside(at, values, framing=framing)], at.resolved, at.folds, at.plan, court_of(at.resolved, at.folds), framings())
    assert [each.column.rule for each in seats] == rules
    assert {each.column.name for each in seats} == {f"{framing}/outside:sheet/1/{rule}" for rule in rules}


def test_it_is_ranked_like_any_other_but_a_model_that_is_here_stays_champion(with_oracle):
    assert with_oracle.rows[0].family == "outside:oracle"
    level = np.asarray(with_oracle.court.came.level)
    assert with_oracle.rows[0].cost == pytest.approx(np.mean(level == 1))  # a medium day costs 1, whatever is done
    assert not with_oracle.entrants[with_oracle.champion].is_outside
    assert with_oracle.entrants[with_oracle.champion].is_model


def test_it_counts_among_the_candidates_that_claims_are_corrected_for(at, found, with_oracle):
    assert len(with_oracle.claim.lower) == len(weighed(at, found).entrants) + 2


def test_no_blend_is_made_of_it():
    at = prepared(families=["linear", "tree", "blend"])
    found = computed(at)
    alone = {each.column.name: each.column.lines for each in weighed(at, found).entrants}
    beside = {each.column.name: each.column.lines for each in weighed(at, found, outside(at, came(at))).entrants if not each.is_outside}
    assert alone.keys() == beside.keys()
    assert any("/blend/" in name for name in alone)
    for name, losses in alone.items():
        np.testing.assert_array_equal(losses, beside[name])


def test_a_second_try_under_the_same_name_is_a_candidate_of_the_same_row(at, found):
    noise = np.random.default_rng(2).normal(size=(8, 200))
    case = weighed(at, found, *(outside(at, came(at).mean() + each) for each in noise))
    rows = [row for row in case.rows if row.is_outside]
    assert {row.id for row in rows} == {"mean/outside:sheet/plug_in", "mean/outside:sheet/dressed"}
    assert {row.n_trials for row in rows} == {8}
    best = {row.id: case.sample.mean[case.numbers[row.id]] for row in rows}
    assert all(row.cost >= best[row.id] for row in rows)
    assert any(row.cost > best[row.id] for row in rows), "the best of eight equal tries is too good by luck, and its row says so"


def test_every_row_says_that_its_folds_are_not_verified(with_oracle):
    assert all(UNVERIFIED in row.notes for row in with_oracle.rows if row.is_outside)
    assert not any(UNVERIFIED in row.notes for row in with_oracle.rows if not row.is_outside)


def test_what_it_takes_to_fit_it_is_not_known(with_oracle):
    assert np.isnan(with_oracle.rows[0].fit_seconds)


def test_without_the_fold_that_warms_up_the_first_spread_is_unknown_and_later_ones_are_learnt():
    at = prepared(columns={}, time="day", split={})
    values = np.full(len(came(at)), 10.0)
    found, lines = computed(at), court_of(at.resolved, at.folds).lines
    short = values.copy()
    short[~lines.counts] = np.nan
    whole, left = (weighed(at, found, outside(at, each)) for each in (values, short))
    notes = [note for row in left.rows if row.is_outside for note in row.notes]
    assert f"the fold that warms up was left out, so nothing is known of the spread in '{at.folds.shown[0].name}'" in notes
    of = {name: {e.column.rule: e.column for e in case.entrants if e.is_outside} for name, case in (("whole", whole), ("left", left))}
    first, last = lines.fold == 1, lines.fold == lines.fold.max()
    np.testing.assert_array_equal(of["left"]["dressed"].action[first], of["left"]["plug_in"].action[first])
    assert np.isfinite(left.losses).all()
    assert (of["whole"]["dressed"].action[last] != of["whole"]["plug_in"].action[last]).any()


def test_a_framing_whose_rows_have_a_form_of_their_own_lends_its_name_to_no_other():
    at = prepared(columns={}, time="day", unit=["day"], split={}, framings={"mean": {"as": "mean", "add": ["y@-7d"]}})
    case = weighed(at, computed(at), outside(at, came(at)))
    assert {row.framing for row in case.rows if row.is_outside} == {"mean (outside)"}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (lambda y: y, "From outside, 'sheet' does better than the champion: cost "),
        (lambda y: 30 - 2 * y, "From outside, 'sheet' does worse than the champion: cost "),
    ],
    ids=["better", "worse"],
)
def test_a_sentence_says_how_it_stands_beside_the_champion(at, found, values, expected):
    case = weighed(at, found, outside(at, values(came(at))))
    said = said_of_outside(case)
    assert expected in said
    assert said.count("From outside") == 1
    assert f"corrected for trying {len(case.entrants)} candidates" in said


def test_the_champions_own_predictions_from_outside_are_too_close_to_tell_apart(at, found):
    case = weighed(at, found)
    column = case.entrants[case.champion].column
    said = said_of_outside(weighed(at, found, outside(at, column.raw, framing=column.framing)))
    assert "'sheet' is too close to the champion to tell apart" in said


def test_where_nothing_came_from_outside_nothing_is_said(at, found):
    assert said_of_outside(weighed(at, found)) == ""
