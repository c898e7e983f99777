"""D01: values that stand for something else, as they are said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import piste
from piste.checking import survey_of
from piste.core.audit.sentinels import stand_ins
from piste.core.check import Found
from piste.core.finding import Finding
from piste.edges.strict_yaml import read
from piste.prepare import prepare
from piste.watch import silent
from tests.checks import surveyed

NUMBER = "target: {column: y, kind: numeric}"


def rows(n: int = 500) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    x = rng.normal(50, 8, n).round(1)
    return pd.DataFrame({"x": x, "z": rng.normal(0, 1, n).round(2), "y": (x + rng.normal(100, 5, n)).round(1)})


def found(problem: str, table: pd.DataFrame) -> dict[str, Finding]:
    said = stand_ins.run(surveyed(problem, table))
    assert isinstance(said, Found)
    return {each.on: each for each in said.findings}


def test_a_code_warns_from_one_row_in_a_hundred_or_where_it_makes_the_spread():
    table = rows()
    assert found(NUMBER, table) == {}
    table.loc[:2, "x"] = -1
    assert found(NUMBER, table)["x"].severity == "note"
    table.loc[:5, "x"] = -1
    assert found(NUMBER, table)["x"].severity == "warn"
    table = rows()
    table.loc[:2, "x"] = -999
    assert found(NUMBER, table)["x"].severity == "warn"


def test_the_same_code_in_several_columns_is_one_finding_with_one_line():
    table = rows()
    table.loc[:9, "x"] = -999
    table.loc[20:39, "z"] = -999
    [(on, finding)] = found(NUMBER, table).items()
    assert on == "x + z"
    assert finding.severity == "warn"
    assert "'x' in 10 rows (2%) and 'z' in 20 rows (4%) are -999, probably a code" in finding.message
    table["seen"] = np.arange(len(table)) - 1100.0
    assert {"x", "z"} <= {*found(NUMBER, table)}, "where another column holds it honestly, each column has a line of its own"


def test_a_single_slip_warns_only_where_it_outweighs_all_other_rows():
    table = rows()
    table.loc[0, "x"] = 130
    assert found(NUMBER, table)["x"].severity == "note"
    table.loc[0, "x"] = 5000
    finding = found(NUMBER, table)["x"]
    assert finding.severity == "warn"
    assert "5000 in 1 row" in finding.message


def test_the_cost_of_a_code_in_the_answer_is_said_in_its_own_unit():
    table = rows()
    table.loc[:19, "y"] = 9999
    finding = found(NUMBER, table)["y"]
    assert finding.severity == "warn"
    assert f"to {table['y'].mean():.3g}" in finding.consequence
    assert f"from {table['y'][20:].mean():.3g}" in finding.consequence
    assert finding.field == "target"


def test_answers_that_are_missing_are_counted_and_warn_from_one_in_twenty():
    table = rows()
    table.loc[:9, "y"] = np.nan
    assert found(NUMBER, table)["y"].severity == "note"
    table.loc[:24, "y"] = np.nan
    finding = found(NUMBER, table)["y"]
    assert finding.severity == "warn"
    assert "25 rows (5%)" in finding.message
    table = rows()
    table.loc[0, "y"] = np.nan
    assert found(NUMBER, table) == {}


def test_a_class_that_says_that_nothing_is_known_is_named():
    table = rows().assign(y=np.tile(["yes", "no", "no", "unknown"], 125))
    finding = found("target: y", table)["y"]
    assert "'unknown' is a class" in finding.message
    assert found("target: y", table.assign(y=np.tile(["yes", "no", "no", "maybe"], 125))) == {}
    assert found("target: {column: y, kind: category}", table.assign(y=np.tile([-1, 0, 1, 1], 125))) == {}
    assert "y" in found("target: {column: y, kind: category}", table.assign(y=np.tile([1, 2, 3, 99], 125)))


def test_several_targets_are_looked_at_in_their_own_units():
    table = rows().assign(w=lambda each: each["y"] * 10)
    table.loc[:9, "w"] = -999
    said = found("target: [y, w]", table)
    assert list(said) == ["w"]
    assert "-999" in said["w"].message


def test_the_holdout_is_not_looked_at():
    table = rows()
    survey = surveyed(f"{NUMBER}\nsplit: {{scheme: kfold, holdout: 0.2}}", table)
    table.loc[survey.folds.holdout[:20], "x"] = -999
    assert found(f"{NUMBER}\nsplit: {{scheme: kfold, holdout: 0.2}}", table) == {}


def pasted(tmp_path: Path, table: pd.DataFrame, on: str) -> pd.DataFrame:
    """Paste what is found into the problem, and return the table as it then is."""
    table.to_csv(tmp_path / "rows.csv", index=False)
    problem = "data: rows.csv\ntarget: {column: y, kind: numeric}\n"
    (tmp_path / "problem.yaml").write_text(problem)
    said = stand_ins.run(survey_of(prepare(tmp_path, (), silent, quick=True, code=True)))
    assert isinstance(said, Found)
    [finding] = [each for each in said.findings if each.on == on]
    keys = {**read(problem, "").value, **read(finding.paste, "").value}  # what is pasted replaces what was there
    keys["data"] = {**({"path": keys["data"]} if isinstance(keys["data"], str) else keys["data"])}
    keys["data"]["path"] = str(tmp_path / keys["data"]["path"])
    at = prepare(piste.Problem(**keys), (), silent, quick=True, code=True)
    again = stand_ins.run(survey_of(at))
    assert isinstance(again, Found)
    left = [each.message for each in again.findings if "left out" not in each.message]  # rows without an answer are
    assert not left, "what was found is cured"
    return at.resolved.table.frame


@pytest.mark.parametrize("code", [-999, 9999, -9999.0])
def test_the_line_to_paste_marks_a_code_missing(tmp_path: Path, code: float):
    table = rows()
    table.loc[:19, "x"] = code
    assert pasted(tmp_path, table, "x")["x"].isna().sum() == 20


def test_a_code_that_is_an_amount_elsewhere_is_marked_in_its_own_column_alone(tmp_path: Path):
    table = rows().assign(steps=np.random.default_rng(1).integers(900, 1100, 500))
    table.loc[:19, "x"] = 999
    assert (table["steps"] == 999).any()
    frame = pasted(tmp_path, table, "x")
    assert frame["x_known"].isna().sum() == 20
    assert frame["steps"].notna().all()


@pytest.mark.parametrize("wrong", [0.0, 5000.0])
def test_the_lines_to_paste_put_a_column_without_the_wrong_values_in_its_place(tmp_path: Path, wrong: float):
    table = rows().rename(columns={"x": "snow depth"})
    table.loc[:1, "snow depth"] = wrong
    frame = pasted(tmp_path, table, "snow depth")
    assert frame["snow depth_known"].isna().sum() == 2


def test_the_answer_is_replaced_like_any_other_column(tmp_path: Path):
    table = rows()
    table.loc[:9, "y"] = 0
    assert len(pasted(tmp_path, table, "y")) == 490


def test_where_another_expression_names_the_answer_there_is_no_line_that_would_break_it():
    table = rows()
    table.loc[:9, "y"] = 0
    assert found(NUMBER, table)["y"].paste
    assert not found(f"{NUMBER}\nbaselines: {{rule: mean(y) + 1}}", table)["y"].paste
