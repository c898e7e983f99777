"""New rows are read as the table was read."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from piste.core.data import Raw, Table
from piste.core.errors import PisteError
from piste.core.layout import Layout, typed
from piste.core.problem import Problem
from piste.core.table import make_table

N = 24
ROWS = pd.DataFrame(
    {
        "price": [f"${i + 1},000" for i in range(N)],
        "kind": ["003", "NA", "b"] * 8,
        "open": ["yes", "no"] * 12,
        "day": [f"{13 + i % 12}/{1 + i // 12}/2020" for i in range(N)],
        "extra": ["1", "2"] * 12,
        "id": [f"k{i}" for i in range(N)],
        "y": [f"{i * 7 % 5}.5" for i in range(N)],
    },
    dtype="str",
)


@pytest.fixture
def table() -> Table:
    problem = Problem.model_validate(
        {
            "data": {"path": "rows.csv", "missing": ["gone"]},
            "target": "y",
            "columns": {"extra": "drop"},
            "add": {"per_unit": "price / extra", "twice": "per_unit * 2"},
        }
    )
    return make_table(problem, Raw(ROWS, "rows.csv", np.arange(2, N + 2)))


@pytest.fixture
def layout(table) -> Layout:
    """Return the layout as a model file brings it back."""
    return Layout.from_json(json.loads(json.dumps(table.layout.to_json())))


def test_the_rows_of_the_table_are_read_as_the_table(table, layout):
    again = typed(layout, ROWS.drop(columns="y"))

    pd.testing.assert_frame_equal(again, table.frame[list(again)])
    assert list(again) == ["price", "kind", "open", "day", "extra", "id", "per_unit", "twice"]


def test_order_does_not_matter_and_other_columns_are_passed_over(layout):
    shuffled = ROWS.iloc[:, ::-1].assign(more="x")

    pd.testing.assert_frame_equal(typed(layout, shuffled), typed(layout, ROWS))


def test_typed_values_are_read_as_the_texts_that_they_stand_for(layout):
    rows = ROWS.assign(
        price=np.arange(1, N + 1) * 1000, open=[True, False] * 12, day=pd.to_datetime(ROWS["day"], dayfirst=True), extra=[1.0, 2.0] * 12
    )

    pd.testing.assert_frame_equal(typed(layout, rows), typed(layout, ROWS))


def test_every_missing_column_is_named_with_what_comes_close(layout):
    with pytest.raises(PisteError) as caught:
        typed(layout, ROWS.drop(columns=["open"]).rename(columns={"price": "Price"}), path="new.csv")

    assert [fault.field for fault in caught.value.faults] == ["price", "open"]
    assert "Did you mean 'Price'?" in str(caught.value)


def test_a_column_that_an_added_one_needs_is_required(layout):
    with pytest.raises(PisteError, match="extra"):
        typed(layout, ROWS.drop(columns="extra"))


def test_a_column_that_no_model_sees_may_be_absent(layout):
    assert "id" not in typed(layout, ROWS.drop(columns="id"))


def test_only_the_columns_of_a_model_may_be_asked_for(layout):
    asked = layout.requiring(["twice"])

    assert [slot.name for slot in asked.slots if slot.required] == ["price", "extra", "per_unit", "twice"]
    assert typed(asked, ROWS[["price", "extra"]])["twice"].tolist() == typed(layout, ROWS)["twice"].tolist()


def test_a_level_that_was_never_seen_stays_a_text(layout):
    assert typed(layout, ROWS.assign(kind="new"))["kind"].tolist() == ["new"] * N


def test_a_missing_cell_is_missing_in_every_kind(layout):
    rows = ROWS.astype(object)
    rows.loc[0, ["price", "kind", "open", "day"]] = None
    rows.loc[1, ["price", "kind", "open", "day"]] = "gone"

    assert typed(layout, rows)[["price", "kind", "open", "day"]].isna().sum(axis=1).tolist()[:3] == [4, 4, 0]


@pytest.mark.parametrize(
    ("column", "cell"), [("price", "cheap"), ("open", "perhaps"), ("day", "2020-01-31"), ("day", "31/2/2020"), ("price", float("inf"))]
)
def test_a_cell_that_cannot_be_read_is_refused_at_its_line(layout, column, cell):
    rows = ROWS.astype(object)
    rows.loc[4, column] = cell

    with pytest.raises(PisteError) as caught:
        typed(layout, rows, path="new.csv", lines=np.arange(2, N + 2))

    [fault] = caught.value.faults
    assert (fault.field, fault.place.line) == (column, 6)
    assert str(cell) in fault.message


def test_all_cells_that_cannot_be_read_are_named_at_once(layout):
    with pytest.raises(PisteError) as caught:
        typed(layout, ROWS.assign(price="cheap", open="perhaps"))

    assert len(caught.value.faults) == 2


def test_nested_values_are_refused(layout):
    with pytest.raises(PisteError, match="dict"):
        typed(layout, ROWS.assign(kind=[{"a": 1}] * N))


def test_no_rows_give_no_rows(layout):
    empty = typed(layout, ROWS.iloc[:0])

    assert len(empty) == 0
    assert empty.dtypes.astype(str).tolist() == typed(layout, ROWS).dtypes.astype(str).tolist()


def test_columns_of_one_name_are_refused(layout):
    with pytest.raises(PisteError, match="more have this name"):
        typed(layout, pd.concat([ROWS, ROWS[["kind"]]], axis=1))


def test_a_weight_is_asked_for_only_where_a_feature_is_computed_from_it():
    def made(**problem: object) -> Table:
        return make_table(
            Problem.model_validate({"data": "rows.csv", "target": "y", "weight": "extra", **problem}), Raw(ROWS, "rows.csv", np.arange(N))
        )

    assert "extra" not in typed(made().layout, ROWS.drop(columns="extra"))
    with pytest.raises(PisteError, match="extra"):
        typed(made(add={"z": "extra * 2"}).layout, ROWS.drop(columns="extra"))
