"""How rows are set apart."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from piste.core.errors import PisteError
from piste.core.problem import Problem
from piste.core.split import Rule, make_folds, periods


def rule(**given) -> Rule:
    """Return a rule with usual values for what is not given."""
    usual = {"scheme": "kfold", "by": None, "together": None, "folds": 5, "repeats": 1, "gap": None, "holdout": None}
    return Rule(**usual | given)


def table(n: int = 120) -> pd.DataFrame:
    """Return days with three rows each, over three winters, and a customer who comes now and then."""
    winters = [pd.date_range(f"{year}-12-01", periods=n // 9, freq="D") for year in (2020, 2021, 2022)]
    days = np.repeat(np.concatenate(winters), 3)[: n // 3 * 3]
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "date": pd.to_datetime(days),
            "run": np.tile(["a", "b", "c"], len(days) // 3),
            "customer": rng.integers(0, 20, len(days)).astype(str),
            "season": np.repeat(["x", "y", "z"], len(days) // 3),
        }
    )


def folds(frame: pd.DataFrame, how: Rule, y: np.ndarray | None = None, *, classes: bool = False, seed: int = 0):
    """Set the rows of a frame apart."""
    problem = Problem.model_validate({"data": "x.csv", "target": "y", "time": "date"})
    return make_folds(problem, how, frame, np.arange(len(frame), dtype=float) if y is None else y, classes=classes, seed=seed)


SCHEMES = [
    rule(),
    rule(repeats=3),
    rule(together="customer"),
    rule(scheme="forward", folds=4),
    rule(scheme="forward", by="season"),
    rule(scheme="forward", by="week", folds=3, gap="2d"),
    rule(scheme="forward", together="date", folds=4),
    rule(scheme="leave_one_out", by="run"),
    rule(scheme="predefined", by="season"),
    rule(holdout=0.2),
    rule(scheme="forward", holdout=0.2, folds=3),
    rule(together="customer", holdout=0.2),
]


@pytest.mark.parametrize("how", SCHEMES, ids=str)
def test_no_row_is_on_both_sides_and_no_held_out_row_on_any(how):
    made = folds(table(), how)
    for fold in made.folds:
        assert len(fold.train)
        assert len(fold.test)
        assert not set(fold.train) & set(fold.test)
        assert not (set(fold.train) | set(fold.test)) & set(made.holdout)
    assert not set(made.whole.train) & set(made.holdout)
    assert set(made.whole.train) | set(made.holdout) == set(range(len(table())))


@pytest.mark.parametrize("how", SCHEMES, ids=str)
def test_some_training_rows_are_set_aside_for_stopping_and_never_all(how):
    for fold in (*(made := folds(table(), how)).folds, made.whole):
        assert fold.stop.shape == fold.train.shape
        assert fold.stop.any()
        assert not fold.stop.all()


@pytest.mark.parametrize("how", [rule(), rule(together="customer"), rule(scheme="leave_one_out", by="run")], ids=str)
def test_every_row_is_judged_once_in_a_repeat(how):
    made = folds(table(), how)
    assert sorted(np.concatenate([fold.test for fold in made.folds])) == list(range(len(table())))


@pytest.mark.parametrize("how", [rule(together="customer"), rule(together="customer", repeats=2, holdout=0.3)], ids=str)
def test_rows_that_belong_together_never_straddle(how):
    customers = table()["customer"].to_numpy()
    made = folds(table(), how)
    for fold in made.folds:
        assert not set(customers[fold.train]) & set(customers[fold.test])
        assert not set(customers[fold.train[fold.stop]]) & set(customers[fold.train[~fold.stop]])
    assert not set(customers[made.holdout]) & set(customers[made.whole.train])


@pytest.mark.parametrize("how", [each for each in SCHEMES if each.scheme == "forward"], ids=str)
def test_forward_always_learns_from_the_past(how):
    time = table()["date"].to_numpy()
    made = folds(table(), how)
    for fold in made.folds:
        assert time[fold.train].max() < time[fold.test].min()
        if len(np.unique(time[fold.train])) > 1:
            assert time[fold.train[~fold.stop]].max() < time[fold.train[fold.stop]].min()
    if len(made.holdout):
        assert time[made.whole.train].max() < time[made.holdout].min()


@pytest.mark.parametrize(("gap", "n"), [("2d", 3), ("360d", 2)])
def test_a_gap_leaves_out_the_rows_just_before_the_test_before_the_warm_up_too_where_any_are_left(gap, n):
    time = table()["date"].to_numpy()
    made = folds(table(), rule(scheme="forward", by="season", gap=gap)).folds
    assert len(made) == n
    for fold in made:
        assert time[fold.test].min() - time[fold.train].max() > np.timedelta64(int(gap[:-1]), "D")


@pytest.mark.parametrize("how", [each for each in SCHEMES if each.scheme == "forward"], ids=str)
def test_the_warm_up_is_the_end_of_what_the_first_fold_learns_from_and_is_judged_by_nobody(how):
    time = table()["date"].to_numpy()
    made = folds(table(), how)
    warm_up, first, *_ = made.folds
    assert [fold.warm_up for fold in made.folds] == [True] + [False] * (len(made.folds) - 1)
    assert set(warm_up.train) | set(warm_up.test) <= set(first.train)
    np.testing.assert_array_equal(warm_up.test, first.train[first.stop])
    assert time[warm_up.train].max() < time[warm_up.test].min()
    assert made.shown == made.folds[1:]
    assert not set(made.judged) & set(warm_up.test)


def test_rows_that_belong_together_never_straddle_the_warm_up():
    customers = np.arange(len(table())) // 5  # who come on two or three days, one after the other
    frame = table().assign(customer=customers)
    warm_up = folds(frame, rule(scheme="forward", by="season", together="customer")).folds[0]
    assert warm_up.warm_up
    assert not set(customers[warm_up.train]) & set(customers[warm_up.test])


@pytest.mark.parametrize("how", [each for each in SCHEMES if each.scheme != "forward"], ids=str)
def test_folds_that_learn_from_each_other_need_no_warm_up(how):
    assert not any(fold.warm_up for fold in folds(table(), how).folds)


def test_forward_by_season_tests_every_season_but_the_first():
    made = folds(table(), rule(scheme="forward", by="season"))
    assert [fold.name for fold in made.shown] == ["y", "z"]
    assert len(made.judged) == 2 * len(table()) // 3


def test_seasons_end_where_no_row_follows_for_two_months():
    codes, names = periods(pd.Series(pd.to_datetime(["2020-12-20", "2021-01-30", "2021-11-20", "2022-01-10", "2023-06-01"])), "season")
    assert codes.tolist() == [0, 0, 1, 1, 2]
    assert names == ["2020-21", "2021-22", "2023"]


def test_many_periods_share_a_fixed_number_of_folds():
    frame = pd.DataFrame({"date": pd.date_range("2020-01-01", periods=300, freq="D")})
    made = folds(frame, rule(scheme="forward", by="week", folds=4))
    assert len(made.shown) == 4
    assert max(len(fold.test) for fold in made.shown) < 1.3 * min(len(fold.test) for fold in made.shown)


def test_a_column_of_train_and_test_is_one_fold():
    frame = pd.DataFrame({"date": pd.date_range("2020-01-01", periods=10), "part": ["Train"] * 7 + ["test"] * 3})
    warm_up, fold = folds(frame, rule(scheme="predefined", by="part")).folds
    assert set(warm_up.train) | set(warm_up.test) == set(range(7))  # nothing else tells how far predictions are off
    assert (warm_up.warm_up, fold.warm_up) == (True, False)
    assert fold.train.tolist() == list(range(7))
    assert fold.test.tolist() == [7, 8, 9]


def test_stratified_keeps_the_share_of_each_class():
    y = np.repeat([0, 1], [90, 30])
    for fold in folds(table(120), rule(scheme="stratified"), y[: len(table())], classes=True).folds:
        assert np.mean(y[fold.test]) == pytest.approx(np.mean(y[: len(table())]), abs=0.05)


def test_the_same_seed_gives_the_same_folds_and_another_seed_others():
    first, same, other = (folds(table(), rule(), seed=seed).folds[0].test for seed in (0, 0, 1))
    assert first.tolist() == same.tolist()
    assert first.tolist() != other.tolist()


def test_intervals_are_over_days_where_a_day_stands_or_falls_together():
    made = folds(table(), rule(scheme="forward", by="season", together="date"))
    assert made.ordered
    assert len(np.unique(made.blocks)) == table()["date"].nunique()


@pytest.mark.parametrize(
    ("how", "field", "words"),
    [
        (rule(folds=500), "split.folds", "must be at most 117"),
        (rule(together="season", folds=5), "split.folds", "must be at most 3"),
        (rule(scheme="stratified"), "split.scheme", "needs classes"),
        (rule(scheme="predefined"), "split.by", "must name the column"),
        (rule(scheme="forward", by="century"), "split.by", "must divide the rows in time"),
        (rule(scheme="predefined", by="century"), "split.by", "must hold at least 2 values"),
        (rule(scheme="forward", by="season", holdout=("w",)), "split.holdout", "'w' is none of x, y, z"),
        (rule(scheme="forward", by="season", gap="9999d"), "split", "none is left"),
        (rule(together="broken"), "split.together", "missing in 1 rows"),
    ],
    ids=str,
)
def test_what_cannot_be_set_apart_is_refused_at_its_field(how, field, words):
    frame = table().assign(century="20", broken=["x"] * 116 + [None])
    with pytest.raises(PisteError) as refused:
        folds(frame, how)
    [fault] = refused.value.faults
    assert fault.field == field
    assert words in fault.message


@pytest.mark.parametrize(
    ("together", "which"), [(None, "4, the rows of the rarest class"), ("customer", "4, the rows of the commonest class")]
)
def test_more_folds_than_rows_of_a_class_are_refused(together, which):
    frame = pd.DataFrame({"date": pd.to_datetime(["2020-01-01"] * 8), "customer": list("aabbccde")})
    with pytest.raises(PisteError, match=f"split.folds: must be at most {which}, but is 5"):
        folds(frame, rule(scheme="stratified", together=together, folds=5), np.array([0, 1] * 4), classes=True)
