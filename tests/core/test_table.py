"""A table as read becomes typed columns with roles and reasons."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piste.core.data import Raw, Table
from piste.core.errors import PisteError
from piste.core.layout import Layout, answered, typed
from piste.core.melt import settled
from piste.core.problem import Problem
from piste.core.table import make_table
from piste.edges.sources import read

N = 40
Y = [f"{i}" for i in range(N)]


def table(columns: dict[str, list], /, *, notes: tuple[str, ...] = (), **problem: Any) -> Table:
    texts = {name: pd.Series(cells, dtype="str" if isinstance(cells[0], str) else None) for name, cells in columns.items()}
    frame = pd.DataFrame(texts)
    raw = Raw(frame, "data.csv", np.arange(2, len(frame) + 2), digest="d" * 64, notes=notes)
    return make_table(Problem.model_validate({"data": "data.csv", "target": "y", **problem}), raw)


def roles(made: Table) -> dict[str, str]:
    return {column.name: column.role for column in made.columns}


def why(made: Table, name: str) -> str:
    return next(column.why for column in made.columns if column.name == name)


X = [f"{i * i}" for i in range(N)]  # a feature, so that there is one


def test_every_column_has_one_of_three_types_and_rows_are_numbered_from_0():
    made = table({"x": X, "c": ["a", "b"] * 20, "b": ["yes", "no"] * 20, "d": [f"2020-01-{1 + i % 28:02d}" for i in range(N)], "y": Y})

    assert {name: str(dtype) for name, dtype in made.frame.dtypes.items()} == {
        "x": "float64",
        "c": "str",
        "b": "float64",
        "d": "datetime64[us]",
        "y": "float64",
    }
    assert list(made.frame.index) == list(range(N))


@pytest.mark.parametrize(
    ("cells", "problem", "role"),
    [
        (["a", "b"] * 20, {}, "feature"),
        (["same"] * N, {}, "dropped"),
        ([""] * N, {}, "dropped"),
        ([*["same"] * 39, ""], {}, "feature"),
        ([f"k{i}" for i in range(N)], {}, "identifier"),
        ([f"k{i}" for i in range(N)], {"columns": {"c": "category"}}, "feature"),
        ([f"k{i}" for i in range(N)], {"known_at": {"always": ["c"]}}, "feature"),
        ([f"k{i // 2}" for i in range(N)], {}, "feature"),
        ([f"{i}" for i in range(N)], {}, "identifier"),
        ([f"{i + 1}" for i in range(N)], {}, "identifier"),
        ([f"{i + 1}" for i in range(N)], {"columns": {"c": "number"}}, "feature"),
        ([f"{i + 2}" for i in range(N)], {}, "feature"),
        (["a", "b"] * 20, {"columns": {"c": "identifier"}}, "identifier"),
        (["a", "b"] * 20, {"columns": {"c": "drop"}}, "dropped"),
        (["a", "b"] * 20, {"known_at": {"after": ["c"]}}, "after"),
        (["1", "2"] * 20, {"weight": "c"}, "weight"),
        (["a", "b"] * 20, {"split": {"together": "c"}}, "split"),
        (["a", "b"] * 20, {"split": {"together": "c"}, "known_at": {"decision": ["c"]}}, "feature"),
        (["a", "b"] * 20, {"split": {"scheme": "leave_one_out", "by": "c"}}, "split"),
        (["a", "b"] * 20, {"split": {"scheme": "predefined", "by": "c"}, "known_at": {"always": ["c"]}}, "split"),
    ],
)
def test_a_column_gets_the_role_that_it_can_play(cells, problem, role):
    assert roles(table({"x": X, "c": cells, "y": Y}, **problem))["c"] == role


def test_few_rows_say_nothing_about_identifiers():
    made = table({"x": ["a", "b", "c", "d"], "z": ["1", "2", "3", "4"], "y": ["1.5", "2.5", "3.5", "4"]})

    assert roles(made) == {"x": "feature", "z": "feature", "y": "target"}


def test_the_time_stays_a_feature_where_rows_of_a_day_stand_together():
    days = [f"2020-01-{1 + i // 2:02d}" for i in range(N)]

    assert roles(table({"x": X, "d": days, "y": Y}, time="d", split={"together": "d"}))["d"] == "feature"


def test_a_period_of_the_time_is_no_column():
    days = [f"2020-01-{1 + i // 2:02d}" for i in range(N)]

    assert roles(table({"x": X, "d": days, "y": Y}, time="d", split={"by": "month"})) == {"x": "feature", "d": "feature", "y": "target"}


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (["1", "2", "NA", ""] * 10, "number: 2 distinct values, 20 missing"),
        (["a", "b", "c", "?"] * 10, "category: text, 3 levels, 10 missing"),
        (["$1", "$2"] * 20, "number: 2 distinct values, read without its '$'"),
        (["31/12/2020", "1/2/2021"] * 20, "datetime: 2 distinct dates, written like 31/12/2020"),
        (["yes", "no"] * 20, "boolean: yes and no"),
    ],
)
def test_a_column_says_what_it_holds(cells, said):
    assert why(table({"x": X, "c": cells, "y": Y}), "c") == said


def test_an_added_column_is_computed_from_the_row():
    made = table({"x": X, "c": ["3", "4"] * 20, "y": Y}, add={"hypotenuse": "sqrt(x * x + c * c)", "twice": "hypotenuse * 2"})

    np.testing.assert_allclose(made.frame["twice"], 2 * np.hypot(made.frame["x"], made.frame["c"]))
    assert why(made, "twice").startswith("added as hypotenuse * 2")


def test_a_dropped_column_may_be_computed_with():
    made = table({"a": X, "b": ["1", "3"] * 20, "y": Y}, columns={"a": "drop", "b": "drop"}, add={"total": "a + b"})

    assert roles(made) == {"a": "dropped", "b": "dropped", "y": "target", "total": "feature"}
    assert made.frame["total"][1] == 1 + 3


def test_what_is_computed_from_something_known_after_or_from_the_target_is_known_after():
    made = table(
        {"x": X, "late": ["1", "3"] * 20, "y": Y},
        known_at={"after": ["late"], "always": ["share"]},
        add={"share": "late / x", "again": "share + 1", "answer": "y * 2"},
    )

    assert [roles(made)[name] for name in ("share", "again", "answer")] == ["after"] * 3


def test_what_the_target_is_computed_from_is_known_after_unless_the_problem_vouches_for_it():
    columns = {"x": X, "period": [f"{i + 1}" for i in range(N)], "area": ["2", "3"] * 20}
    add = {"scaled": "period * 3", "y": "log(scaled) / area"}

    made = table(columns, add=add, known_at={"always": ["area"]})

    assert roles(made) == {"x": "feature", "period": "after", "area": "feature", "scaled": "after", "y": "target"}
    np.testing.assert_allclose(made.target.values, np.log(3 * np.arange(1, N + 1)) / made.frame["area"])


def test_rows_without_a_target_are_left_out_everywhere_and_that_is_said():
    made = table({"x": X, "w": ["1", "2"] * 20, "y": [*Y[:-2], "", "NA"]}, weight="w", target={"column": "y", "kind": "numeric"})

    assert len(made.frame) == len(made.weight) == len(made.target.values) == N - 2
    assert "2 rows without a target left out" in made.notes


def test_rows_that_repeat_are_said():
    made = table({"x": [*X, "0"], "y": [*Y, "0"]})

    assert made.notes == ("1 of 41 rows repeat an earlier row in every column",)


def test_notes_of_the_reading_are_kept():
    assert table({"x": X, "y": Y}, notes=("the first column left out",)).notes == ("the first column left out",)


def test_weights_are_ones_where_none_are_named():
    np.testing.assert_array_equal(table({"x": X, "y": Y}).weight, np.ones(N))


def test_a_column_that_no_model_sees_need_not_make_sense():
    messy = [*["1"] * 38, "x", "true"]

    assert roles(table({"x": X, "c": messy, "y": Y}, columns={"c": "drop"}))["c"] == "dropped"
    with pytest.raises(PisteError, match="'x'"):
        table({"x": X, "c": messy, "y": Y}, columns={"c": "drop"}, add={"z": "c + 1"})


def test_faults_of_several_columns_and_the_target_are_said_at_once():
    with pytest.raises(PisteError) as caught:
        table({"a": [*["1"] * 39, "x"], "b": [*["1"] * 39, "1e308"], "y": [*Y[:-1], "many"]})

    assert len(caught.value.faults) == 3


def test_names_that_are_not_there_are_said_at_once():
    with pytest.raises(PisteError) as caught:
        table({"x": X, "y": Y}, weight="w", time="t", unit=["u"], known_at={"after": ["v"]}, add={"z": "q + 1"}, split={"together": "g"})

    assert {fault.field for fault in caught.value.faults} == {"weight", "time", "unit", "known_at.after", "add.z", "split.together"}


def test_the_raw_frame_is_left_as_it_was():
    frame = pd.DataFrame({"x": X, "y": Y}, dtype="str")
    before = frame.copy()

    make_table(Problem.model_validate({"data": "data.csv", "target": "y"}), Raw(frame, "data.csv", np.arange(N)))

    pd.testing.assert_frame_equal(frame, before)


def test_the_same_rows_typed_or_as_text_give_the_same_table():
    typed = {"x": [i / 3 for i in range(N)], "b": [True, False] * 20, "y": [float(i * i) for i in range(N)]}
    written = {name: [str(cell) for cell in cells] for name, cells in typed.items()}

    pd.testing.assert_frame_equal(table(typed).frame, table(written).frame)


CELLS = (
    "", "NA", "?", "1", "2", "3.5", "-1", "007", "1,5", "1,234", "$5", "€6", "45%", "inf", "1e308", "x" * 99, "two\nlines", "p", "p ", "é",
    "yes", "no", "True", "2020-01-01", "01/02/2020", "13/02/2020",
)  # fmt: skip


@given(st.integers(0, 12).flatmap(lambda n: st.lists(st.lists(st.sampled_from(CELLS), min_size=n, max_size=n), min_size=2, max_size=4)))
def test_any_cells_are_typed_or_refused_in_one_line_each(columns):
    frame = pd.DataFrame({f"c{i}": pd.Series(cells, dtype="str") for i, cells in enumerate(columns)})
    raw = Raw(frame, "data.csv", np.arange(2, len(frame) + 2))
    faults = ()
    try:
        made = make_table(Problem.model_validate({"data": "data.csv", "target": "c0"}), raw)
        again = typed(made.layout, frame)
    except PisteError as error:
        faults = error.faults

    assert all("must" in fault.message and "\n" not in str(fault) and len(str(fault)) < 600 for fault in faults)
    if not faults:
        assert set(made.frame.dtypes.astype(str)) <= {"float64", "str", "datetime64[us]"}
        assert len(again) != len(made.frame) or again.equals(made.frame[list(again)])


# What a careful person would say of real tables: the target's kind and labels, columns that are no features, and the kinds
# of the features that are not numbers.
REAL = {
    "ski_resort3": ("data.csv", "TOTAL_VISITS", "count", {}, {"datetime": "Date"}),
    "bike_hour": ("hour.csv", "cnt", "count", {"instant": "identifier"}, {"datetime": "dteday"}),
    "adult": (
        "data.csv.gz",
        "income",
        ("<=50K", ">50K"),
        {},
        {"category": "workclass education marital_status occupation relationship race sex native_country split"},
    ),
    "wine_quality": ("data.csv", "quality", "numeric", {}, {"category": "type"}),
    "galton_families": ("GaltonFamilies.csv", "childHeight", "numeric", {"rownames": "identifier"}, {"category": "family gender"}),
    "concrete": ("data.csv", "strength", "numeric", {}, {}),
    "german_credit": (
        "data.csv",
        "class",
        ("good", "bad"),
        {},
        {
            "category": "status history purpose savings employment personal_status other_debtors property other_plans housing job "
            "telephone foreign"
        },
    ),
    "telco_churn": (
        "Telco-Customer-Churn.csv",
        "Churn",
        ("No", "Yes"),
        {"customerID": "identifier"},
        {
            "boolean": "Partner Dependents PhoneService PaperlessBilling",
            "category": "gender MultipleLines InternetService OnlineSecurity OnlineBackup DeviceProtection TechSupport StreamingTV "
            "StreamingMovies Contract PaymentMethod",
        },
    ),
    "titanic": ("titanic.csv", "survived", ("0", "1"), {"name": "identifier"}, {"category": "sex ticket cabin embarked"}),
    "metro_traffic": (
        "Metro_Interstate_Traffic_Volume.csv",
        "traffic_volume",
        "count",
        {},
        {"datetime": "date_time", "category": "holiday weather_main weather_description"},
    ),
    "pedestrian_melbourne": ("data.csv.gz", "Count", "count", {}, {"datetime": "Date", "category": "Sensor"}),
}


@pytest.mark.parametrize("name", REAL)
def test_real_tables_are_understood(name, shared):
    file, target, kind, others, kinds = REAL[name]
    problem = Problem.model_validate({"data": file, "target": target})

    made = make_table(problem, read(problem, shared(name)))

    assert (made.target.labels if isinstance(kind, tuple) else made.target.kind) == kind
    assert {column.name: column.role for column in made.columns if column.role not in ("feature", "target")} == others
    found: dict[str, set[str]] = {}
    for column in made.features:
        if column.kind != "number":
            found.setdefault(column.kind, set()).add(column.name)
    assert found == {kind: set(names.split()) for kind, names in kinds.items()}


def test_house_prices_in_ames_are_understood(shared):
    problem = Problem.model_validate({"data": "AmesHousing.csv", "target": "SalePrice"})

    made = make_table(problem, read(problem, shared("ames")))

    assert made.target.kind == "numeric"
    assert {column.name for column in made.columns if column.role == "identifier"} == {"Order", "PID"}
    assert made.kinds["MS SubClass"] == "category"  # 020, 060: codes of a type of dwelling
    assert (made.frame["Alley"] == "NA").sum() == 2732  # no alley, which is no missing value
    assert made.frame["Lot Frontage"].isna().sum() == 490
    assert sum(column.kind == "number" for column in made.features) == 35


def test_blank_charges_of_new_customers_are_missing(shared):
    problem = Problem.model_validate({"data": "Telco-Customer-Churn.csv", "target": "Churn"})

    made = make_table(problem, read(problem, shared("telco_churn")))

    assert made.frame["TotalCharges"].isna().sum() == 11
    assert (made.frame.loc[made.frame["TotalCharges"].isna(), "tenure"] == 0).all()


SEVERAL = {"x": X, "c": ["a", "b"] * 20, "y": Y, "z": [f"{i * i % 7}.5" for i in range(N)]}


def test_several_targets_make_a_row_for_each():
    made = table(SEVERAL, target=["y", "z"])

    assert len(made.frame) == len(made.weight) == len(made.target.values) == 2 * N
    assert roles(made) == {"x": "feature", "c": "feature", "row": "identifier", "output": "feature", "value": "target"}
    assert made.frame[["x", "row", "output"]].iloc[2:4].to_numpy().tolist() == [[1.0, "3", "y"], [1.0, "3", "z"]]
    assert {name: str(dtype) for name, dtype in made.frame.dtypes.items()} == {
        "x": "float64",
        "c": "str",
        "row": "str",
        "output": "str",
        "value": "float64",
    }


def test_several_targets_count_alike_unless_the_problem_speaks_of_their_unit():
    alike = table(SEVERAL, target=["y", "z"])
    plain = table(SEVERAL, target=["y", "z"], decision={"cost": {"over": 1, "under": 4}})

    assert alike.target.values[::2].std() == pytest.approx(1.0)
    assert alike.target.values[1::2].std() == pytest.approx(1.0)
    assert plain.target.values[:4].tolist() == [0.0, 0.5, 1.0, 1.5]
    assert "each in standard deviations from its mean, so that all count alike" in alike.notes[-1]
    assert "each in its own unit" in plain.notes[-1]
    for made in (alike, plain):
        np.testing.assert_array_equal(made.frame["value"], made.target.values)


def test_several_counts_are_counts_in_their_own_unit_alone():
    columns = {"x": X, "y": Y, "z": [f"{2 * i}" for i in range(N)]}

    assert table(columns, target=["y", "z"]).target.kind == "numeric"
    assert table(columns, target={"columns": ["y", "z"], "kind": "count"}).target.kind == "count"
    assert table(columns, target=["y", "z"], decision={"cost": {"over": 1, "under": 4}}).target.kind == "count"


def test_a_row_without_every_target_is_left_out_and_that_is_said():
    made = table({**SEVERAL, "z": ["", *SEVERAL["z"][1:]]}, target=["y", "z"])

    assert len(made.frame) == 2 * N - 2
    assert "1 row without every target left out" in made.notes
    assert made.frame["row"].iloc[0] == "3"


def test_what_a_column_is_for_does_not_hang_on_the_number_of_targets():
    columns = {**SEVERAL, "id": [f"k{i}" for i in range(N)], "again": ["same"] * N, "w": ["1", "2"] * 20}

    one, two = (table(columns, weight="w", target=target) for target in ("y", ["y", "z"]))

    assert {name: role for name, role in roles(two).items() if name in ("id", "again", "w", "x", "c")} == {
        name: role for name, role in roles(one).items() if name in ("id", "again", "w", "x", "c")
    }
    assert two.weight.tolist() == np.repeat(one.weight, 2).tolist()


def test_what_is_computed_from_a_target_of_a_list_is_known_after():
    assert roles(table(SEVERAL, target=["y", "z"], add={"half": "z / 2", "more": "x + 1"}))["half"] == "after"


def test_new_rows_of_several_targets_bring_the_columns_of_the_table_and_get_a_line_each():
    made = table(SEVERAL, target=["y", "z"])
    layout = Layout.from_json(json.loads(json.dumps(made.layout.to_json())))
    rows = pd.DataFrame({"c": ["b", "a"], "x": ["4", "9"]})

    def predict(long: pd.DataFrame) -> pd.DataFrame:
        assert long[["x", "output"]].to_numpy().tolist() == [[4.0, "y"], [4.0, "z"], [9.0, "y"], [9.0, "z"]]
        return pd.DataFrame({"prediction": np.zeros(4)})

    answer = answered(layout, predict, rows)

    assert answer["y"].tolist() == pytest.approx([19.5] * 2)  # the mean of 0 to 39
    assert list(answer) == ["y", "z"]


@pytest.mark.parametrize("written", [{}, {"time": "d"}, {"time": "d", "split": {"scheme": "kfold"}}])
def test_a_settled_problem_makes_the_same_table(written):
    columns = {**SEVERAL, "d": [f"2020-01-{1 + i // 2:02d}" for i in range(N)]}
    frame = pd.DataFrame(columns, dtype="str")
    problem = Problem.model_validate({"data": "data.csv", "target": ["y", "z"], **written})

    one, two = (make_table(each, Raw(frame, "data.csv", np.arange(2, N + 2))) for each in (problem, settled(problem)))

    pd.testing.assert_frame_equal(one.frame, two.frame)
    assert roles(one) == roles(two)


def test_a_unit_names_the_rows_of_the_source_whatever_their_targets():
    keys = ["a", "b"] * 20

    with pytest.raises(PisteError, match="lines 2 and 4"):
        table({**SEVERAL, "k": keys}, target=["y", "z"], unit=["k"])
    made = table({**SEVERAL, "k": [f"{i}" for i in range(N)]}, target=["y", "z"], unit=["k", "output"])
    assert len(made.frame) == 2 * N


@pytest.mark.parametrize(
    ("columns", "problem", "place", "said"),
    [
        (SEVERAL, {"target": ["y", "zz"]}, "target", "no column 'zz'"),
        ({**SEVERAL, "output": X}, {"target": ["y", "z"]}, "target", "must leave the name 'output' free"),
        ({**SEVERAL, "value": X}, {"target": ["y", "z"]}, "target", "must leave the name 'value' free"),
        (SEVERAL, {"target": ["y", "z"], "add": {"row": "x + 1"}}, "target", "must leave the name 'row' free"),
        (SEVERAL, {"target": ["y", "c"]}, "target.1", "must hold numbers"),
        (SEVERAL, {"target": "y", "split": {"together": "row"}}, "split.together", "no column 'row'"),
    ],
)
def test_what_several_targets_cannot_be_is_refused(columns, problem, place, said):
    with pytest.raises(PisteError, match=said) as caught:
        table(columns, **problem)

    assert [fault.field for fault in caught.value.faults] == [place]


def test_a_number_is_cut_into_levels_by_columns_that_new_rows_must_bring():
    columns = {"x": X, "area": ["10", "20"] * 20, "y": Y}

    made = table(columns, target={"column": "y", "levels": {"of": "y / area", "cuts": [1, 1.5]}}, columns={"area": "drop"})

    np.testing.assert_array_equal(made.target.codes, np.digitize(np.arange(N) / np.tile([10, 20], 20), [1, 1.5]))
    with pytest.raises(PisteError, match="area: must be a column of the rows"):
        typed(made.layout.requiring(["x"]), pd.DataFrame({"x": ["1"]}))


def test_buildings_have_two_targets(shared):
    problem = Problem.model_validate({"data": "data.csv", "target": ["heating", "cooling"]})
    raw = read(problem, shared("energy_enb"))

    made = make_table(problem, raw)
    back = made.layout.melt.back(pd.DataFrame({"prediction": made.target.values}))

    assert len(made.frame) == 2 * 768
    np.testing.assert_allclose(back, raw.frame[["heating", "cooling"]].astype(float))
