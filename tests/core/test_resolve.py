"""Every choice that a problem leaves open, and its reason."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import pytest

import piste
from piste.core.errors import PisteError
from piste.prepare import Prepared, prepare
from piste.watch import silent
from tests.cases import fitted


def rows(n: int, *, seed: int = 0, **columns) -> pd.DataFrame:
    """Return n rows with a number, a group of four and a target, and further columns."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return pd.DataFrame({"x": x, "g": np.array(list("abcd"))[rng.integers(0, 4, n)], "y": x + rng.normal(size=n), **columns})


def made(frame: pd.DataFrame, target: str = "y", **keys) -> Prepared:
    """Prepare a problem on these rows, with linear models unless told otherwise."""
    problem = piste.Problem(data=frame, target=target, **{"families": ["linear"], **keys})
    return prepare(problem, (), silent, quick=False, code=False)


def seasons(n: int, per_day: int = 1) -> pd.Series:
    """Return the days of this many winters of 40 days each."""
    days = [pd.date_range(f"{2015 + k}-12-10", periods=40) for k in range(n)]
    return pd.Series(np.repeat(np.concatenate(days), per_day))


def classes(*counts: int) -> list[str]:
    """Return so many rows of each class."""
    return [f"class {code}" for code, n in enumerate(counts) for _ in range(n)]


@pytest.mark.parametrize(
    ("n", "scheme", "folds", "repeats"),
    [(12, "leave_one_out", 12, 1), (29, "leave_one_out", 29, 1), (30, "kfold", 5, 3), (1999, "kfold", 5, 3), (2000, "kfold", 5, 1)],
)
def test_the_fewer_rows_the_more_is_made_of_them(n, scheme, folds, repeats):
    prepared = made(rows(n))
    rule = prepared.resolved.rule
    assert (rule.scheme, rule.repeats) == (scheme, repeats)
    assert len(prepared.folds.folds) == folds * repeats


def test_classes_are_stratified_and_by_no_more_folds_than_the_rarest_has_rows():
    frame = rows(123, kind=classes(70, 50, 3))
    prepared = made(frame, "kind")
    assert (prepared.resolved.rule.scheme, prepared.resolved.rule.folds) == ("stratified", 3)
    for fold in prepared.folds.folds:
        assert (frame["kind"].iloc[fold.test] == "class 2").sum() == 1


def test_a_time_asks_for_the_future_from_the_past():
    prepared = made(rows(80, day=pd.date_range("2024-01-01", periods=80)), time="day")
    rule = prepared.resolved.rule
    assert (rule.scheme, rule.by, rule.together, rule.repeats) == ("forward", None, None, 1)
    for fold in prepared.folds.folds:
        assert fold.train.max() < fold.test.min()


def test_seasons_are_found_and_each_predicted_from_those_before():
    day = seasons(5)
    prepared = made(rows(len(day), day=day), time="day")
    assert prepared.resolved.rule.by == "season"
    assert [fold.name for fold in prepared.folds.shown] == ["2016-17", "2017-18", "2018-19", "2019-20"]
    assert "5 seasons found" in prepared.resolved.reasons["split.by"]


def test_rows_that_share_a_time_stand_or_fall_together():
    day = seasons(3, per_day=2)
    prepared = made(rows(len(day), day=day), time="day")
    assert prepared.resolved.rule.together == "day"
    assert len(np.unique(prepared.folds.blocks)) == 120


def test_groups_named_are_each_predicted_from_the_others():
    frame = rows(200)
    prepared = made(frame, split={"by": "g"})
    assert prepared.resolved.rule.scheme == "leave_one_out"
    assert [fold.name for fold in prepared.folds.folds] == ["a", "b", "c", "d"]
    for fold in prepared.folds.folds:
        assert set(frame["g"].iloc[fold.test]) == {fold.name}


def test_few_rows_that_belong_together_are_never_left_out_one_by_one():
    prepared = made(rows(28, who=np.repeat(list("abcdefg"), 4)), split={"together": "who"})
    assert prepared.resolved.rule.scheme == "kfold"


def test_what_the_author_wrote_stands_without_a_reason():
    prepared = made(rows(200), split={"scheme": "kfold", "folds": 4, "repeats": 2}, metric="mae", framings=["mean"], search={"trials": 1})
    rule = prepared.resolved.rule
    assert (rule.scheme, rule.folds, rule.repeats) == ("kfold", 4, 2)
    assert set(prepared.resolved.reasons) == {"baselines"}


@pytest.mark.parametrize(
    ("frame", "keys", "inferred"),
    [
        (rows(50), {}, {"split.scheme", "split.folds", "split.repeats", "metric", "framings", "search", "baselines", "families"}),
        (rows(2000), {}, {"split.scheme", "split.folds", "split.repeats", "metric", "framings", "search", "baselines", "families"}),
        (rows(20), {}, {"split.scheme", "split.repeats", "metric", "framings", "search", "baselines", "families"}),
        (
            rows(360, day=seasons(3, per_day=3)),
            {"time": "day"},
            {
                "split.scheme",
                "split.by",
                "split.together",
                "split.folds",
                "split.repeats",
                "metric",
                "framings",
                "search",
                "baselines",
                "families",
            },
        ),
    ],
    ids=["small", "large", "tiny", "time"],
)
def test_every_choice_made_for_the_author_has_its_reason(frame, keys, inferred):
    reasons = made(frame, families=None, **keys).resolved.reasons
    assert set(reasons) == inferred
    assert all(reasons.values())


# What needs no reason: what the author wrote, and the headings of what follows.
WRITTEN = r"(schema|data|columns|split|baselines|families|target|  column|  - .*|problem|time):?"


@pytest.mark.parametrize(
    ("frame", "keys"),
    [
        (rows(50), {}),
        (rows(2000), {}),
        (rows(60, kind=classes(40, 20)), {"target": "kind"}),
        (rows(360, day=seasons(3, per_day=3)), {"time": "day"}),
    ],
    ids=["small", "large", "classes", "time"],
)
def test_check_prints_the_reason_of_every_default(frame, keys):
    lines = made(frame, families=None, **keys).printed.splitlines()
    bare = [line for line in lines if "  # " not in line and not line.startswith("#")]
    assert [line for line in bare if not re.match(WRITTEN, line)] == []


@pytest.mark.parametrize(
    ("frame", "target", "metric"),
    [
        (rows(40), "y", "rmse"),
        (rows(40, count=np.arange(40) // 3), "count", "rmse"),
        (rows(40, kind=classes(20, 20)), "kind", "log_loss"),
        (rows(60, kind=classes(20, 20, 20)), "kind", "log_loss"),
    ],
)
def test_the_metric_follows_the_target(frame, target, metric):
    assert made(frame, target).resolved.metric.name == metric


def test_the_framings_are_those_that_the_target_allows():
    frame = rows(60, count=np.arange(60) // 3, kind=classes(30, 30))
    asked = {target: [each.name for each in made(frame, target).resolved.asked] for target in ("y", "count", "kind")}
    assert asked == {"y": ["mean"], "count": ["mean", "distribution"], "kind": ["classes"]}


def test_all_families_are_asked_simplest_first_and_the_blend_last():
    entries = made(rows(40), families=None).resolved.entries
    tiers = [made(rows(40), families=None).plan.entries[entry.name][1].tier for entry in entries[:-1]]
    assert tiers == sorted(tiers)
    assert entries[-1].name == "blend"
    assert len(entries) == len({entry.name for entry in entries}) >= 10


def test_an_order_of_the_authors_own_is_kept():
    assert [entry.name for entry in made(rows(40), families=["tree", "linear"]).resolved.entries] == ["tree", "linear"]


def baselines(frame: pd.DataFrame, target: str = "y", **keys) -> dict[str, dict]:
    """Return what each baseline is told."""
    return {rule.name: dict(rule.params) for rule in made(frame, target, **keys).resolved.baselines}


def test_the_constant_is_always_a_baseline_and_is_the_median_where_absolute_errors_are_judged():
    assert baselines(rows(40)) == {"constant": {"rule": "constant", "target": "y", "statistic": "mean"}}
    assert baselines(rows(40), metric="mae")["constant"]["statistic"] == "median"
    assert list(baselines(rows(40), baselines={"twice": "2 * x"})) == ["constant", "twice"]


def test_a_time_and_units_give_a_climatology_and_the_last_value_of_each_series():
    day = seasons(3, per_day=4)
    found = baselines(rows(len(day), day=day, run=np.tile(list("abcd"), 120)), time="day", unit=["day", "run"])
    assert list(found) == ["constant", "climatology", "last_value"]
    assert found["climatology"]["by"] == "run+day.weekday"
    assert (found["last_value"]["by"], found["last_value"]["time"]) == ("run", "day")


def test_a_class_has_no_last_value():
    frame = rows(120, day=seasons(3), kind=classes(60, 60))
    assert "last_value" not in baselines(frame.sample(frac=1, random_state=0), "kind", time="day")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"metric": "log_loss"}, "metric: must judge a target of kind numeric: 'rmse', 'mse' or 'mae', but is 'log_loss'"),
        ({"framings": ["distribution"]}, "framings.0: must fit a target of kind numeric, but 'distribution' does not"),
        ({"families": [{"linear": {"apha": 1.0}}]}, "families.0.linear.apha: is not a hyperparameter of 'linear'"),
        ({"baselines": {"constant": 1}}, "baselines.constant: must have another name: the constant is always there"),
        ({"baselines": {"b": "2 * z"}}, "baselines.b: must be an expression on the table's columns"),
        ({"baselines": {"b": "y@-7d"}}, "baselines.b: must not look back in time (@) without"),
        ({"baselines": {"b": "x"}, "known_at": {"after": ["x"]}}, "baselines.b: must not use 'x': it is known only after"),
        ({"split": {"by": "g", "repeats": 2}}, "split.repeats: must be 1 for scheme 'leave_one_out'"),
        ({"split": {"gap": "1d"}}, "split.gap: must go with"),
    ],
)
def test_a_choice_that_does_not_fit_the_table_is_refused_at_its_field(keys, said):
    with pytest.raises(PisteError) as error:
        made(rows(40), **keys)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("where", "keys"),
    [("baselines.b", {"baselines": {"b": "{}"}}), ("framings.b.add.0", {"framings": {"b": {"as": "mean", "add": ["{}"]}}})],
)
@pytest.mark.parametrize(
    ("lag", "said"),
    [("y@-7d", "y@-7d is not one value: rows share day 2020-01-02"), ("y@-7", "the lag of y@-7 in 'day' needs a unit")],
)
def test_a_lag_that_finds_no_one_value_is_refused_at_its_field(where, keys, lag, said):
    days = pd.date_range("2020-01-01", periods=120).to_series(index=range(120))
    frame = rows(120, day=days.where(days.index != 20, days[1]))
    with pytest.raises(PisteError) as error:
        made(frame, time="day", **json.loads(json.dumps(keys).replace("{}", lag)))
    assert [fault.field for fault in error.value.faults] == [where]
    assert f"must look back at one value for each row, but {said}" in str(error.value)


def test_all_choices_that_do_not_fit_are_said_at_once():
    with pytest.raises(PisteError) as error:
        made(rows(40), metric="brier", framings=["classes"], families=[{"tree": {"depth": 3}}], baselines={"b": "nothing"})
    assert {fault.field for fault in error.value.faults} == {"metric", "framings.0", "families.0.tree.depth", "baselines.b"}


def test_a_baseline_of_the_authors_own_may_not_take_the_name_of_one_that_is_made():
    day = seasons(3)
    with pytest.raises(PisteError, match="last_value"):
        made(rows(len(day), day=day), time="day", baselines={"last_value": "2 * x"})


def test_the_default_number_of_folds_fits_the_groups_that_stay_together():
    prepared = made(rows(40), split={"together": "g"})
    assert len({prepared.resolved.table.frame["g"].iloc[fold.test[0]] for fold in prepared.folds.folds}) == 4


def test_the_default_number_of_folds_fits_what_a_holdout_leaves_of_the_rarest_class():
    prepared = made(rows(65, kind=classes(60, 5)), "kind", split={"holdout": 0.5})
    left = np.setdiff1d(np.arange(65), prepared.folds.holdout)
    assert 2 <= prepared.resolved.rule.folds <= (left >= 60).sum()


def test_values_of_earlier_days_come_only_from_earlier_days_of_the_same_series():
    day = np.repeat(pd.date_range("2024-01-01", periods=60), 2)
    frame = rows(120, day=day, run=np.tile(["a", "b"], 60)).sample(frac=1, random_state=1).reset_index(drop=True)
    keys = {"time": "day", "unit": ["day", "run"], "baselines": {"week": "y@-7d", "day": "mean(y@-1d)"}}
    rules = made(frame, **keys).study.rules
    expected = {(d, r): y for d, r, y in frame[["day", "run", "y"]].itertuples(index=False)}  # looked up one by one
    for name, back in (("y@-7d", 7), ("y@-1d", 1)):
        slow = [expected.get((d - pd.Timedelta(days=back), r), np.nan) for d, r in zip(frame["day"], frame["run"], strict=True)]
        np.testing.assert_array_equal(rules[name], slow)


def test_no_value_of_a_day_moves_a_lag_of_that_day_or_before():
    day = pd.date_range("2024-01-01", periods=60)
    frame = rows(60, day=day)
    keys = {"time": "day", "baselines": {"week": "y@-7d"}}
    changed = frame.assign(y=np.where(np.arange(60) >= 30, 99.0, frame["y"]))
    before, after = (made(each, **keys).study.rules["y@-7d"].to_numpy() for each in (frame, changed))
    np.testing.assert_array_equal(before[:37], after[:37])
    assert (after[37:] == 99.0).all()


def slow_lag(frame: pd.DataFrame, column: str, days: int) -> pd.Series:
    """Return the value of a column so many days before in the same series, by pandas' own shift on a full calendar."""
    whole = frame.pivot(index="day", columns="run", values=column).asfreq("D").shift(days)
    return frame.merge(whole.stack(future_stack=True).rename("found").reset_index(), how="left", on=["day", "run"])["found"]


def counted() -> pd.DataFrame:
    """Return days of two runs in no order, with days that are missing."""
    day = np.repeat(pd.date_range("2024-01-01", periods=70), 2)
    frame = rows(140, day=day, run=np.tile(["a", "b"], 70))
    return frame.drop(index=frame.index[(frame["day"].dt.day == 9) & (frame["run"] == "a")]).sample(
        frac=1, random_state=1, ignore_index=True
    )


LAGS = {"time": "day", "unit": ["day", "run"]}


def test_lags_that_a_framing_adds_are_those_that_pandas_shifts():
    frame = counted()
    added = made(frame, framings={"l": {"as": "mean", "add": ["y@-1d", "x@-7d", "y@-2d - x@-7d", "2 * x"]}}, **LAGS).study.added["l"]
    assert added.columns.tolist() == ["y@-1d", "x@-7d", "y@-2d - x@-7d", "2 * x"]
    one, week, two = slow_lag(frame, "y", 1), slow_lag(frame, "x", 7), slow_lag(frame, "y", 2)
    assert one.isna().sum() > 2  # the first day, and those after a missing one
    for name, expected in (("y@-1d", one), ("x@-7d", week), ("y@-2d - x@-7d", two - week), ("2 * x", 2 * frame["x"])):
        np.testing.assert_allclose(added[name], expected, rtol=1e-12, err_msg=name)


@pytest.mark.parametrize(
    ("made_at", "delay", "lag", "known"),
    [
        ("-1d 18:00", None, "y@-1d", False),  # yesterday is not over at 18:00
        ("-1d 18:00", None, "y@-2d", True),
        ("-1d 18:00", "1d", "y@-2d", True),
        ("-1d 18:00", "2d", "y@-2d", False),
        ("-1d 18:00", None, "x@-1d", True),  # known of the row itself already
    ],
)
def test_a_lag_that_is_not_known_at_the_decision_is_refused_at_its_line(made_at, delay, lag, known):
    keys = {"framings": {"l": {"as": "mean", "add": ["2 * x", lag]}}, "decision": {"made_at": made_at}, **LAGS}
    target = {"column": "y", "delay": delay}

    def refused() -> list[str]:
        try:
            problem = piste.Problem(data=counted(), target=target, families=["linear"], **keys)
            prepare(problem, (), silent, quick=False, code=False)
        except PisteError as error:
            return [fault.field for fault in error.faults]
        return []

    assert refused() == ([] if known else ["framings.l.add.1"])


def test_a_row_late_in_its_day_may_need_a_longer_lag_than_one_at_midnight():
    frame = counted()
    keys = {"framings": {"l": {"as": "mean", "add": "y@-31h"}}, "decision": {"made_at": "-1d 18:00"}, **LAGS}
    target = {"column": "y", "delay": "1h"}

    def faults(hours: int) -> list[str]:
        at = frame.assign(day=frame["day"] + pd.Timedelta(hours=hours))
        try:
            prepare(piste.Problem(data=at, target=target, families=["linear"], **keys), (), silent, quick=False, code=False)
        except PisteError as error:
            return [fault.field for fault in error.faults]
        return []

    assert faults(12) == []  # 18 hours before noon, known an hour later: 19 hours back would do
    assert faults(0) == []
    late = pd.concat([frame, frame.assign(day=frame["day"] + pd.Timedelta(hours=23))], ignore_index=True)
    keys["framings"] = {"l": {"as": "mean", "add": "y@-29h"}}
    frame = late
    assert faults(0) == ["framings.l.add.0"]  # the row at 23:00 is decided on 29 hours before, and known an hour later: 30


@pytest.mark.parametrize("together", ["asked apart", "asked at once"])
def test_targets_in_a_list_are_predicted_as_each_is_alone_in_its_own_standard_deviations(together):
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(5)
    frame = rows(90).drop(columns="g").assign(z=rng.normal(size=90), w=rng.normal(size=90))
    frame["b"] = 2 * frame["z"] + rng.normal(0, 0.1, 90)
    families = [{"linear": {"penalty": "ridge", "alpha": 0.01}}]
    prepared = made(frame, ["y", "b"], families=families, split={"folds": 3, "repeats": 1})
    framing = "mean" if together == "asked apart" else "wide"
    [candidate] = [each for each in prepared.plan.candidates if (each.framing, each.entry) == (framing, "linear")]
    outputs = prepared.resolved.table.frame["output"].to_numpy()
    X = frame[["x", "z", "w"]].to_numpy()
    for fold, found in zip(prepared.folds.folds, fitted(prepared, candidate), strict=True):
        row = prepared.resolved.table.frame["row"].to_numpy().astype(int)
        train, test = (np.unique(row[rows]) - row.min() for rows in (fold.train, fold.test))
        assert not set(train) & set(test)  # both targets of a row stand on one side
        scaler = StandardScaler().fit(X[train])
        for name in ("y", "b"):
            y = (frame[name] - frame[name].mean()).to_numpy() / frame[name].std(ddof=0)
            alone = Ridge(alpha=0.01 * len(train)).fit(scaler.transform(X[train]), y[train])
            mine = outputs[fold.test] == name
            expected = alone.predict(scaler.transform(X))[row[fold.test][mine] - row.min()]
            np.testing.assert_allclose(found.predictions[mine], expected, rtol=0, atol=1e-9)
