"""How well each column alone foretells the target."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from piste.core.audit.measures.skill import N_FOLDS, Known, dealt_out, luck
from tests.checks import surveyed


def known(y: np.ndarray, *, classes: bool = False, ranked: bool = True, seed: int = 0) -> Known:
    """Hold columns against a target whose rows are each a block."""
    return Known.of(y, np.ones(len(y)), dealt_out(np.arange(len(y)), ordered=False, seed=seed), classes=classes, ranked=ranked)


def test_the_skill_of_a_category_is_the_r2_of_the_means_of_the_other_folds():
    rng = np.random.default_rng(0)
    level = rng.integers(0, 4, 900)
    y = level * 2.0 + rng.normal(0, 1, 900)
    at = known(y)
    guess = np.empty(900)
    plain = np.empty(900)
    for fold in range(N_FOLDS):
        train, test = at.fold != fold, at.fold == fold
        means = pd.Series(y[train]).groupby(level[train]).agg(["sum", "size"])
        shrunk = (means["sum"] + y[train].mean()) / (means["size"] + 1)  # one row of the mean beside its own
        guess[test] = shrunk.loc[level[test]].to_numpy()
        plain[test] = y[train].mean()
    expected = 1 - np.sum((y - guess) ** 2) / np.sum((y - plain) ** 2)
    found = at.skill(pd.Series(level.astype(str)))
    assert found.score == pytest.approx(expected, abs=2e-3)
    assert np.isnan(found.spearman)


def test_the_skill_with_two_classes_is_twice_the_area_under_the_roc_curve_less_one():
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, 6000)
    y = (rng.random(6000) < 1 / (1 + np.exp(-2 * x))).astype(int)
    found = known(y, classes=True).skill(pd.Series(x))
    assert found.score == pytest.approx(2 * roc_auc_score(y, x) - 1, abs=0.02)


def test_the_skill_of_a_number_is_about_the_r2_of_the_best_curve():
    rng = np.random.default_rng(2)
    x = rng.uniform(-3, 3, 20_000)
    y = np.sin(x) + rng.normal(0, 0.5, 20_000)
    assert known(y).skill(pd.Series(x)).score == pytest.approx(r2_score(y, np.sin(x)), abs=0.02)


@pytest.mark.parametrize("classes", [True, False])
def test_noise_has_no_skill(classes):
    rng = np.random.default_rng(3)
    y = rng.integers(0, 3, 5000)
    found = known(y if classes else y.astype(float), classes=classes, ranked=False)
    assert abs(found.skill(pd.Series(rng.normal(0, 1, 5000))).score) < 0.06


def test_many_levels_do_not_know_the_target_by_heart():
    rng = np.random.default_rng(4)
    y = rng.normal(0, 1, 3000)
    assert known(y).skill(pd.Series(rng.integers(0, 1500, 3000).astype(str))).score < 0.05


def test_the_rank_correlation_is_spearmans_with_ties_and_missing_values():
    rng = np.random.default_rng(5)
    x = pd.Series(rng.integers(0, 9, 400).astype(float))
    y = x.to_numpy() + rng.normal(0, 3, 400)
    x[rng.random(400) < 0.2] = np.nan
    expected = x.corr(pd.Series(y), method="spearman")
    assert known(y).skill(x).spearman == pytest.approx(expected)


@pytest.mark.parametrize(
    ("column", "exact"),
    [
        (lambda y: y * 1.19 + 3, True),
        (lambda y: -y / 1000, True),
        (lambda y: y + 1e-4, True),
        (lambda y: y**2, False),
        (lambda y: y + np.where(np.arange(len(y)) == 7, 0.1, 0.0), False),
        (lambda y: np.full(len(y), 3.0), False),
        (lambda y: np.full(len(y), np.nan), False),
    ],
)
def test_a_straight_line_of_a_number_is_exact(column, exact):
    y = np.random.default_rng(6).gamma(2.0, 50.0, 300)
    assert known(y).exact(pd.Series(column(y))) is exact


@pytest.mark.parametrize(
    ("column", "exact"),
    [
        (lambda y: np.where(y == 1, "gone", "here"), True),
        (lambda y: np.where(y == 1, 8, np.where(np.arange(len(y)) % 2, 3, 4)).astype(float), True),
        (lambda y: np.where(np.arange(len(y)) == 5, "gone", np.where(y == 1, "gone", "here")), False),
        (lambda y: np.arange(len(y)).astype(float), False),
    ],
)
def test_one_class_for_each_of_a_few_values_is_exact(column, exact):
    y = (np.arange(60) % 3 == 0).astype(int)
    assert known(y, classes=True).exact(pd.Series(column(y))) is exact


def test_a_date_has_the_skill_of_its_best_calendar_part():
    day = pd.date_range("2023-01-01", periods=700)
    rng = np.random.default_rng(7)
    y = np.where(day.day_of_week >= 5, 90.0, 30.0) + rng.normal(0, 5, 700)
    survey = surveyed("target: sales\ntime: day", pd.DataFrame({"day": day, "sales": y}))
    assert survey.skills["day"].score > 0.9


def test_a_missing_value_is_a_value_of_its_own():
    rng = np.random.default_rng(8)
    y = rng.normal(0, 1, 1000)
    x = np.where(y > 1, np.nan, rng.normal(0, 1, 1000))
    assert known(y).skill(pd.Series(x)).score > 0.3


def test_rows_of_a_block_lie_in_one_fold():
    blocks = np.repeat(np.arange(50), 4)
    for ordered in (True, False):
        fold = dealt_out(blocks, ordered=ordered, seed=0)
        assert set(fold) == set(range(N_FOLDS))
        assert all(len(set(fold[blocks == block])) == 1 for block in range(50))


@pytest.mark.parametrize("rows", [2, 5, 19])
def test_few_rows_have_no_skill(rows):
    y = np.arange(rows, dtype=float)
    assert known(y).skill(pd.Series(y)).score == 0.0


def test_one_block_alone_has_no_skill():
    y = np.random.default_rng(9).normal(0, 1, 100)
    at = Known.of(y, np.ones(100), np.zeros(100, dtype=int), classes=False, ranked=True)
    assert at.skill(pd.Series(y)).score == 0.0


def test_numbers_that_no_square_holds_are_measured_all_the_same():
    y = np.random.default_rng(10).normal(0, 1, 300)
    for scale in (1e-200, 1e200):
        found = known(y * scale).skill(pd.Series(y * 3))
        assert found.exact
        assert found.score == pytest.approx(known(y).skill(pd.Series(y * 3)).score)
        assert known(y).exact(pd.Series(y * scale))


@pytest.mark.parametrize(("n", "share"), [(60, 0.5), (400, 0.25), (400, 0.1), (60, None), (400, None)])
def test_luck_is_a_skill_that_noise_does_not_reach(n, share):
    rng = np.random.default_rng(11)
    y = rng.gamma(2, 1, n) if share is None else np.where(np.arange(n) < share * n, "yes", "no")
    noise = pd.DataFrame(rng.normal(0, 1, (n, 60))).add_prefix("x").assign(y=y)
    survey = surveyed("target: y", noise)
    assert max(each.score for each in survey.skills.values()) < luck(survey) < 1.4
