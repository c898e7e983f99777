"""Expressions: what they mean, what they refuse, and that nothing in them is ever executed."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from piste.core import expression as ex
from piste.core.grammar import AGGREGATES, FUNCTIONS


@pytest.fixture
def days() -> pd.DataFrame:
    """Forty days on two runs; the weather of one is not known."""
    rng = np.random.default_rng(7)
    n = 40
    return pd.DataFrame(
        {
            "count": rng.poisson(50, n).astype(float),
            "tickets": rng.poisson(200, n).astype(float),
            "run": pd.Series(np.where(np.arange(n) % 2, "Larch", "Meadow"), dtype="str"),
            "hour": (np.arange(n) // 2 % 5).astype(float),
            "date": pd.date_range("2025-01-01", periods=n // 2).repeat(2),
            "weather": pd.Series([None, *rng.choice(["snow", "sun"], n - 1)], dtype="str"),
            "with blank": rng.normal(size=n),
        }
    )


def value(text: str, frame: pd.DataFrame) -> np.ndarray:
    return ex.evaluate(ex.parse(text), frame)


def learnt(text: str, train: pd.DataFrame, frame: pd.DataFrame) -> np.ndarray:
    return ex.apply(ex.learn(ex.parse(text), train), frame)


def fault(text: str) -> ex.ExpressionError:
    with pytest.raises(ex.ExpressionError) as caught:
        ex.parse(text)
    return caught.value


# values of rows


@pytest.mark.parametrize(
    ("text", "by_numpy"),
    [
        ("count + 2 * tickets", lambda d: d["count"] + 2 * d.tickets),
        ("count - tickets - 3", lambda d: d["count"] - d.tickets - 3),
        ("count / tickets / 2 * 3", lambda d: d["count"] / d.tickets / 2 * 3),
        ("-count * -2 - -(3 - hour)", lambda d: -d["count"] * -2 - -(3 - d.hour)),
        ("(count + tickets) * (hour - 1.5e1)", lambda d: (d["count"] + d.tickets) * (d.hour - 15)),
        ("log(tickets) + exp(hour) - sqrt(count)", lambda d: np.log(d.tickets) + np.exp(d.hour) - np.sqrt(d["count"])),
        ("abs(hour - 3)", lambda d: np.abs(d.hour - 3)),
        ("if hour >= 3 then count else tickets", lambda d: np.where(d.hour >= 3, d["count"], d.tickets)),
        ("if run == 'Larch' and hour != 2 then 1 else 0", lambda d: (d.run == "Larch") & (d.hour != 2)),
        ('if not (run == "Larch" or hour < 2) then 1 else 0', lambda d: ~((d.run == "Larch") | (d.hour < 2))),
        ("if hour < 1 then 10 else if hour < 3 then 20 else 30", lambda d: np.select([d.hour < 1, d.hour < 3], [10, 20], 30)),
        ("2 * if count > tickets / 4 then 1 else 2 + 3", lambda d: np.where(d["count"] > d.tickets / 4, 2, 10)),
        ("if date >= '2025-01-10' then 1 else 0", lambda d: d.date >= pd.Timestamp("2025-01-10")),
        ("if '2025-01-10' == date then 1 else 0", lambda d: d.date == pd.Timestamp("2025-01-10")),
        (".5 * count", lambda d: 0.5 * d["count"]),
        ("7", lambda d: np.full(len(d), 7.0)),
    ],
)
def test_a_value_is_what_numpy_computes(text: str, by_numpy: Callable[[pd.DataFrame], np.ndarray], days: pd.DataFrame) -> None:
    np.testing.assert_array_equal(value(text, days), np.asarray(by_numpy(days), dtype=float))


def test_a_column_with_a_blank_stands_in_backticks(days: pd.DataFrame) -> None:
    np.testing.assert_array_equal(value("`with blank` * 2", days), days["with blank"] * 2)


def test_what_has_no_value_is_missing_and_stays_so_quietly() -> None:
    frame = pd.DataFrame({"x": [0.0, -1.0, np.nan, 1e308, 4.0]})
    np.testing.assert_array_equal(value("log(x)", frame)[[0, 1, 2, 4]], [np.nan, np.nan, np.nan, np.log(4)])
    np.testing.assert_array_equal(value("1 / x", frame)[[0, 2]], [np.nan, np.nan])
    np.testing.assert_array_equal(value("1 / (1 / x)", frame)[:1], [np.nan])
    np.testing.assert_array_equal(value("x * 10 - x", frame)[[2, 3]], [np.nan, np.nan])
    np.testing.assert_array_equal(value("exp(x)", frame)[[3]], [np.nan])


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("w == 'snow'", [1, 0, np.nan]),
        ("not w == 'snow'", [0, 1, np.nan]),
        ("w == 'snow' and x > 0", [1, 0, 0]),  # the last is false whatever the weather was
        ("w == 'snow' or x > 0", [1, 1, np.nan]),
        ("w == 'snow' or x < 0", [1, 0, 1]),
        ("w != v", [0, 1, np.nan]),
    ],
)
def test_a_condition_on_a_missing_value_is_neither_true_nor_false(condition: str, wanted: list[float]) -> None:
    frame = pd.DataFrame({"w": ["snow", "sun", None], "v": ["snow", "snow", "snow"], "x": [1.0, 2.0, -1.0]})
    np.testing.assert_array_equal(value(f"if {condition} then 1 else 0", frame), wanted)


def test_a_batch_in_which_a_column_is_wholly_missing_is_answered() -> None:
    frame = pd.DataFrame({"w": [np.nan, np.nan], "x": [None, None], "y": [1.0, 2.0]})
    np.testing.assert_array_equal(value("if w == 'snow' then 1 else 0", frame), [np.nan, np.nan])
    np.testing.assert_array_equal(value("x + y", frame), [np.nan, np.nan])
    train = pd.DataFrame({"w": ["a", "b"], "y": [1.0, 3.0]})
    np.testing.assert_array_equal(learnt("mean(y) by w", train, frame), [2.0, 2.0])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wether + 1", "there is no column 'wether', named at character 1. Did you mean 'weather'?"),
        ("1 + weather", "'weather' at character 5 holds texts, not numbers"),
        ("log(date)", "'date' at character 5 holds dates, not numbers"),
        ("if weather == 3 then 1 else 0", "a text is compared with a number at character 4"),
        ("if weather > 'snow' then 1 else 0", "texts are compared with '>'"),
        ("if hour == '3' then 1 else 0", "leave out the quotes"),
        ("if date > 'soon' then 1 else 0", "compared with dates"),
        ("mean(count) by rnu", "there is no column 'rnu', named at character 1. Did you mean 'run'?"),
        ("cuont@-7d", "there is no column 'cuont'"),
        ("median(weather)", "'weather' at character 8 holds texts"),
    ],
)
def test_what_a_column_cannot_answer_is_said_before_any_row_is_computed(text: str, said: str, days: pd.DataFrame) -> None:
    with pytest.raises(ex.ExpressionError) as caught:
        ex.check(ex.parse(text), days)
    assert said in str(caught.value)


def test_a_check_passes_what_the_table_can_answer(days: pd.DataFrame) -> None:
    ex.check(ex.parse("tickets * (sum(count) / sum(tickets) by run and date) + count@-7d + share(weather == 'snow')"), days)


# aggregates


@pytest.mark.parametrize("name", ["mean", "median", "min", "max", "sum"])
def test_an_aggregate_by_group_is_what_pandas_computes(name: str, days: pd.DataFrame) -> None:
    wanted = days.groupby(["run", "hour"])["count"].transform(name)
    np.testing.assert_allclose(learnt(f"{name}(count) by run and hour", days, days), wanted, rtol=1e-15)


@pytest.mark.parametrize("level", [10, 25, 90])
def test_a_quantile_by_group_is_what_numpy_computes(level: int, days: pd.DataFrame) -> None:
    wanted = days.groupby("run")["count"].transform(lambda counts: np.quantile(counts, level / 100))
    np.testing.assert_allclose(learnt(f"q{level}(count) by run", days, days), wanted, rtol=1e-15)


def test_a_share_is_the_mean_of_a_condition(days: pd.DataFrame) -> None:
    known = days.dropna(subset="weather")
    wanted = (known.weather == "snow").groupby(known.run).mean()
    np.testing.assert_allclose(learnt("share(weather == 'snow') by run", days, days), days.run.map(wanted))


def test_a_share_of_anything_else_is_refused(days: pd.DataFrame) -> None:
    with pytest.raises(ex.ExpressionError, match="of 0 and 1"):
        ex.learn(ex.parse("share(count)"), days)


def test_aggregates_know_training_rows_alone(days: pd.DataFrame) -> None:
    train, test = days[:20], days[20:]
    np.testing.assert_array_equal(learnt("mean(count)", train, test), np.full(20, train["count"].mean()))


def test_a_group_that_training_never_saw_gets_the_value_of_all_training_rows() -> None:
    train = pd.DataFrame({"g": ["a", "a", "b", "c"], "y": [1.0, 2.0, 6.0, np.nan]})
    test = pd.DataFrame({"g": ["b", "new", None, "c", "a"]})
    np.testing.assert_array_equal(learnt("mean(y) by g", train, test), [6.0, 3.0, 3.0, 3.0, 1.5])


def test_by_behind_a_ratio_groups_both_of_its_sums(days: pd.DataFrame) -> None:
    sums = days.groupby(["run", "hour"])[["count", "tickets"]].transform("sum")
    wanted = days.tickets * (sums["count"] / sums["tickets"])
    np.testing.assert_allclose(learnt("tickets * (sum(count) / sum(tickets) by run and hour)", days, days), wanted, rtol=1e-15)


@pytest.mark.parametrize(
    ("text", "groups"),
    [
        ("mean(a) by g - mean(b)", [("g",), ()]),
        ("mean(a) / (mean(b) by g)", [(), ("g",)]),
        ("mean(a) / (mean(b) + 1) by g", [("g",), ("g",)]),
        ("(mean(a) + mean(b)) by g", [("g",), ("g",)]),
        ("mean(a) by g - mean(b) by h and i", [("g",), ("h", "i")]),
        ("mean(a - mean(b)) by g", [("g",), ()]),
        ("if x > mean(a) then mean(b) by g else 0", [(), ("g",)]),
    ],
)
def test_by_reaches_left_to_the_parenthesis_around_it(text: str, groups: list[tuple[str, ...]]) -> None:
    found = [lookup for _, lookup in sorted(ex.learn(ex.parse(text), pd.DataFrame({name: [0.0] for name in "abghix"})).lookups.items())]
    assert [lookup.by for lookup in found] == groups


def test_an_aggregate_may_hold_another(days: pd.DataFrame) -> None:
    deviation = days["count"] - days.groupby("run")["count"].transform("mean")
    wanted = deviation.groupby(days.hour).transform("mean")
    np.testing.assert_allclose(learnt("mean(count - mean(count) by run) by hour", days, days), wanted, atol=1e-12)


def test_groups_by_date_do_not_depend_on_its_resolution(days: pd.DataFrame) -> None:
    coarse = days.assign(date=days.date.astype("datetime64[s]"))
    np.testing.assert_array_equal(learnt("mean(count) by date", days, coarse), learnt("mean(count) by date", days, days))


def test_keys_of_another_kind_than_learnt_are_refused(days: pd.DataFrame) -> None:
    with pytest.raises(ex.ExpressionError, match="the groups of 'run' must be such as"):
        learnt("mean(count) by run", days, days.assign(run=1.0))


def test_what_was_learnt_survives_json(days: pd.DataFrame) -> None:
    text = "tickets * (sum(count) / sum(tickets) by run and date) + q75(count) by hour + share(weather == 'fog')"
    kept = ex.learn(ex.parse(text), days)
    back = ex.Learnt.from_json(json.loads(json.dumps(kept.to_json(), allow_nan=False)))
    shuffled = days.sample(frac=1, random_state=0)
    np.testing.assert_array_equal(ex.apply(back, shuffled), ex.apply(kept, shuffled))


def test_json_of_another_expression_is_refused(days: pd.DataFrame) -> None:
    kept = ex.learn(ex.parse("mean(count) by run"), days).to_json() | {"expression": "mean(count) by hour"}
    with pytest.raises(ValueError, match="do not belong"):
        ex.Learnt.from_json(kept)


def test_rows_are_never_written_to(days: pd.DataFrame) -> None:
    before = days.copy(deep=True)
    learnt("tickets * mean(count) by run and date - log(count)", days, days)
    pd.testing.assert_frame_equal(days, before)


# lags


def test_a_lag_is_the_same_series_exactly_so_long_before(days: pd.DataFrame) -> None:
    shuffled = days.sample(frac=1, random_state=1)
    wanted = shuffled.date.map(lambda date: date - timedelta(days=7))
    known = days.set_index(["run", "date"])["count"]
    slow = [known.get((run, date), np.nan) for run, date in zip(shuffled.run, wanted, strict=True)]
    np.testing.assert_array_equal(ex.lagged(shuffled, "count", ex.Lag(1.0, "w"), "date", ["run"]), slow)


def test_a_lag_of_a_gap_is_missing_not_the_nearest() -> None:
    frame = pd.DataFrame({"t": pd.to_datetime(["2025-01-01", "2025-01-03", "2025-01-04"]), "y": [1.0, 2.0, 3.0]})
    np.testing.assert_array_equal(ex.lagged(frame, "y", ex.Lag(1.0, "d"), "t", []), [np.nan, np.nan, 2.0])


def test_a_lag_in_numbers_survives_rounding() -> None:
    frame = pd.DataFrame({"year": [2020.1, 2020.2, 2020.3], "y": [1.0, 2.0, 3.0]})
    np.testing.assert_array_equal(ex.lagged(frame, "y", ex.Lag(0.1, ""), "year", []), [np.nan, 1.0, 2.0])


def test_a_lag_may_be_of_texts() -> None:
    frame = pd.DataFrame({"t": [1, 2], "w": ["snow", "sun"]})
    assert ex.lagged(frame, "w", ex.Lag(1.0, ""), "t", [])[1] == "snow"


@pytest.mark.parametrize(("lag", "said"), [(ex.Lag(1.0, ""), "needs a unit"), (ex.Lag(1.0, "d"), "needs no unit")])
def test_a_lag_must_fit_its_time(lag: ex.Lag, said: str) -> None:
    time = pd.to_datetime(["2025-01-01"]) if not lag.unit else [3]
    with pytest.raises(ex.ExpressionError, match=said):
        ex.lagged(pd.DataFrame({"t": time, "y": [1.0]}), "y", lag, "t", [])


def test_a_lag_of_two_different_values_at_once_is_refused() -> None:
    frame = pd.DataFrame({"t": [1, 1, 2], "y": [5.0, 6.0, 7.0]})
    with pytest.raises(ex.ExpressionError, match="rows share t 1"):
        ex.lagged(frame, "y", ex.Lag(1.0, ""), "t", [])


def test_a_lagged_column_is_read_under_its_written_name() -> None:
    frame = pd.DataFrame({"count@-7d": [4.0, np.nan], "count@-1.5h": [1.0, 2.0]})
    np.testing.assert_array_equal(value("count@-7d + count@-1.5h", frame), [5.0, np.nan])


# what an expression reads


def test_columns_lags_and_aggregates_are_named() -> None:
    parsed = ex.parse("a + b@-7d * mean(c) by d and `e f` - if g == 'x' then b@-7d else h@-30min")
    assert ex.columns(parsed) == {"a", "b", "c", "d", "e f", "g", "h"}
    assert ex.row_columns(parsed) == {"a", "d", "e f", "g"}
    assert ex.lags(parsed) == [("b", ex.Lag(7.0, "d")), ("h", ex.Lag(30.0, "min"))]
    assert ex.aggregates(parsed)
    assert not ex.aggregates(ex.parse("mean + share"))  # columns, where no parenthesis follows


@pytest.mark.parametrize(("text", "delta"), [("90min", timedelta(minutes=90)), ("1.5h", timedelta(hours=1.5)), ("2w", timedelta(days=14))])
def test_a_lag_has_a_length_of_time(text: str, delta: timedelta) -> None:
    [(_, lag)] = ex.lags(ex.parse(f"x@-{text}"))
    assert lag.delta == delta


# refusals


@pytest.mark.parametrize(
    ("text", "position", "said"),
    [
        ("mean(count) by run, hour", 19, "join columns with 'and'"),
        ("mean(count", 5, "the parenthesis opened at character 5 is not closed; did YAML split this at a comma?"),
        ("hour)", 5, "no parenthesis is open: did YAML split this at a comma?"),
        ("", 1, "it ends where a number, a column or a function is expected"),
        ("3 +", 4, "it ends where"),
        ("a b", 3, "'b' stands at character 3 where an operator or the end is expected"),
        ("x ** 2", 4, "write a power as a product"),
        ("x ^ 2", 3, "write a power as a product"),
        ("if a = 2 then 1 else 0", 6, "compare with =="),
        ("a.b", 2, "there are no attributes"),
        ("__class__", 1, "'__class__' stands at character 1"),
        ("a[0]", 2, "nothing is indexed"),
        ("medain(x)", 1, "Did you mean 'median'?"),
        ("open(x)", 1, "is no function"),
        ("q95(x)", 1, "q10 to q90"),
        ("count@7d", 6, "it looks back, never ahead"),
        ("count@-0d", 6, "must look back"),
        ("count@-7days", 6, "with min, h, d or w"),
        ("count@-9999999d", 6, "100 years"),
        ("if a then 1 else 0", 4, "where a condition is expected"),
        ("a > 2", 1, "write if ... then 1 else 0"),
        ("mean(a > 2)", 6, "write if ... then 1 else 0"),
        ("if a > 1 then 1", 16, "it ends where an operator or 'else' is expected"),
        ("'snow'", 1, "it can only be compared"),
        ("if 'a' == 'b' then 1 else 0", 4, "is not compared with a column"),
        ("if a < b < c then 1 else 0", 10, "a second comparison"),
        ("a by b", 3, "a column of that name goes in backticks"),
        ("(a) by b", 5, "has nothing to group"),
        ("mean(a) by b and b", 9, "names a column twice"),
        ("mean(a) by b@-7d", 13, "groups are formed by columns as they are"),
        ("1e999", 1, "too large"),
        ("a\x00", 2, "the character U+0000"),
        ("'open", 1, "close the text"),
        ("`open", 1, "close the name"),
        ("x" * 2001, 0, "2,001 characters; at most 2,000"),
        ("(" * 26, 26, "more than 25 levels deep"),
        ("-" * 26 + "1", 26, "more than 25 levels deep"),
    ],
)
def test_a_fault_is_named_at_its_character(text: str, position: int, said: str) -> None:
    error = fault(text)
    assert error.position == position
    assert said in str(error)


def test_an_error_survives_the_way_from_a_worker() -> None:
    error = pickle.loads(pickle.dumps(fault("a b")))
    assert (error.message, error.position) == (fault("a b").message, 3)


WORDS = st.sampled_from(
    [
        *"()+-*/,.@<>=!'\"`&|^% _",
        *FUNCTIONS,
        *AGGREGATES,
        *("q50", "if", "then", "else", "and", "or", "not", "by", "==", "!=", "<="),
        *("x", "y", "g", "@-7d", "1", "2.5", "1e3", "'snow'", "__class__", "__import__", "\n", "\x00", "é", "`a b`", " "),
    ]
)


def understood(text: str) -> ex.Expression | ex.ExpressionError:
    try:
        return ex.parse(text)
    except ex.ExpressionError as error:
        return error


@given(st.one_of(st.text(max_size=60), st.lists(WORDS, max_size=40).map(" ".join), st.lists(WORDS, max_size=40).map("".join)))
@example("x.__class__.__base__.__subclasses__()")
@example("@os.getpid()")
@example("9**9**9")
@settings(max_examples=500, deadline=None)
def test_any_text_is_understood_or_refused_with_its_place(text: str) -> None:
    found = understood(text)
    if isinstance(found, ex.ExpressionError):
        assert found.message
        assert 0 <= found.position <= len(text) + 1
    else:
        assert not any(name.startswith("__") for name in ex.columns(found) if f"`{name}`" not in text)


NUMBERS = st.recursive(
    st.sampled_from(["x", "y", "2", "0.5", "x@-7d", "mean(x)", "q50(y) by g"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from("+-*/"), inner).map(lambda parts: f"({' '.join(parts)})"),
        st.tuples(st.sampled_from(FUNCTIONS), inner).map(lambda parts: f"{parts[0]}({parts[1]})"),
        inner.map(lambda part: f"-{part}"),
        st.tuples(inner, st.sampled_from(["<", ">=", "=="]), inner).map(
            lambda p: f"(if {p[0]} {p[1]} {p[2]} or g == 'a' then {p[2]} else {p[0]})"
        ),
        st.tuples(st.sampled_from(["sum", "max", "median"]), inner).map(lambda parts: f"({parts[0]}({parts[1]}) by g)"),
    ),
    max_leaves=12,
)


@given(NUMBERS)
@settings(max_examples=150, deadline=None)
def test_whatever_is_understood_gives_one_finite_or_missing_value_per_row(text: str) -> None:
    frame = pd.DataFrame({"x": [0.0, -3.0, np.nan, 700.0], "y": [1.0, 1e300, -1e300, 2.0], "g": ["a", "b", None, "a"]})
    frame["x@-7d"] = [np.nan, 0.0, 1.0, 2.0]
    found = learnt(text, frame, frame)
    assert found.shape == (4,)
    assert found.dtype == float
    assert not np.isinf(found).any()


def test_the_longest_and_deepest_expressions_are_computed() -> None:
    frame = pd.DataFrame({"x": [1.0]})
    assert value("+".join(["x"] * 1000), frame)[0] == 1000
    assert value("(" * 24 + "x" + ")" * 24, frame)[0] == 1
    chain = "".join(f"if x < {-number} then 0 else " for number in range(60)) + "1"
    assert value(chain, frame)[0] == 1
    assert value("-(x*2+(if x>0 then " * 6 + "x" + " else 0))" * 6, frame).shape == (1,)
