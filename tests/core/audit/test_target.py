"""D02 and D05: too few answers, and answers that contradict each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from piste.core.audit.target import contradictory, too_little
from piste.core.check import Found, NotApplicable
from piste.core.finding import Finding
from tests.checks import surveyed

NUMBER = "target: {column: y, kind: numeric}"


def rows(n: int, **more: object) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"x": rng.normal(0, 1, n), "y": rng.normal(0, 1, n), **more})


def found(problem: str, table: pd.DataFrame) -> list[Finding]:
    said = too_little.run(surveyed(problem, table))
    assert isinstance(said, Found)
    return list(said.findings)


@pytest.mark.parametrize(("n", "warns"), [(29, True), (30, False)])
def test_thirty_independent_rows_are_enough(n: int, warns: bool):
    assert bool(found(NUMBER, rows(n))) == warns


@pytest.mark.parametrize(("groups", "warns"), [(29, True), (30, False)])
def test_rows_of_one_group_count_as_one(groups: int, warns: bool):
    table = rows(300, patient=[f"p{i % groups}" for i in range(300)])
    said = found(f"{NUMBER}\nsplit: {{scheme: kfold, together: patient}}", table)
    assert bool(said) == warns
    if warns:
        assert "29 values of 'patient'" in said[0].message


@pytest.mark.parametrize(("n", "warns"), [(24, True), (25, False)])
def test_a_class_needs_five_rows_for_each_of_five_folds(n: int, warns: bool):
    said = found("target: y", rows(500).assign(y=["yes"] * n + ["no"] * (500 - n)))
    assert [each.on for each in said] == ["yes"] * warns


@pytest.mark.parametrize(("n", "warns"), [(19, True), (20, False)])
def test_a_class_needs_twenty_rows_where_none_are_dealt_to_folds(n: int, warns: bool):
    table = rows(500, part=np.tile(["train", "test"], 250)).assign(y=["yes"] * n + ["no"] * (500 - n))
    said = found("target: y\nsplit: {scheme: predefined, by: part}", table)
    assert [each.on for each in said] == ["yes"] * warns


def test_a_class_is_counted_in_whole_groups():
    table = rows(600, patient=[f"p{i // 10}" for i in range(600)])
    table["y"] = np.where(np.arange(600) < 100, "ill", "well")
    [finding] = found("target: y\nsplit: {scheme: kfold, together: patient}", table)
    assert "10 values of 'patient' (100 rows)" in finding.message


def test_levels_of_a_number_are_counted_like_classes():
    table = rows(400).assign(y=lambda each: each["y"] * 10)
    problem = "target: {column: y, levels: {cuts: [0, 18], names: [low, mid, high]}}"
    problem += "\ndecision: {cost: {none: [0, 1, 2], one: [1, 0, 1]}}"
    [finding] = found(problem, table)
    assert finding.on == "high"


def test_one_answer_outside_the_holdout_blocks():
    table = rows(100, part=["train"] * 60 + ["new"] * 40)
    table["y"] = ["no"] * 62 + ["yes"] * 38
    survey = surveyed("target: y\nsplit: {scheme: kfold, folds: 3}", table)
    assert too_little.run(survey).findings == [] or all(each.severity == "warn" for each in too_little.run(survey).findings)
    time = table.assign(day=pd.date_range("2020-01-01", periods=100))
    [finding] = [
        each for each in found("target: y\ntime: day\nsplit: {scheme: forward, folds: 3, holdout: 0.4}", time) if each.severity == "block"
    ]
    assert "every row of 'y' is no" in finding.message


def twins(n: int = 600) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    a = rng.integers(0, 30, n)
    return pd.DataFrame({"a": a, "y": a / 10 + rng.normal(0, 3, n)})


def test_a_floor_that_leaves_no_room_for_what_is_asked_warns():
    said = contradictory.run(surveyed(f"{NUMBER}\nsuccess: {{by: 30%}}", twins()))
    assert isinstance(said, Found)
    [finding] = said.findings
    assert finding.severity == "warn"
    assert finding.number > finding.threshold
    said = contradictory.run(surveyed(f"{NUMBER}\nsuccess: {{by: 1%}}", twins()))
    assert isinstance(said, Found)
    assert [each.severity for each in said.findings] == ["note"]


def test_the_table_says_what_no_model_can_save():
    said = contradictory.run(surveyed(NUMBER, twins()))
    assert isinstance(said, Found)
    [floor] = said.tables["floor"].to_dict("records")
    table = twins()
    noise = table.groupby("a")["y"].var(ddof=1) * table.groupby("a").size()
    assert floor["cost"] == pytest.approx(np.sqrt(noise.sum() / 600), rel=1e-6)
    assert floor["cost_lo"] < floor["cost"]
    assert floor["rows"] == 600
    assert floor["groups"] == 30


def test_copies_contradict_nothing():
    table = rows(200)
    said = contradictory.run(surveyed(NUMBER, pd.concat([table, table.head(40)])))
    assert isinstance(said, Found)
    assert not said.findings
    assert said.tables["floor"]["cost"][0] == 0


def test_rows_that_differ_have_no_floor():
    assert isinstance(contradictory.run(surveyed(NUMBER, rows(200))), NotApplicable)


def test_the_floor_of_a_decision_is_in_its_own_currency():
    problem = f"{NUMBER}\ndecision: {{cost: {{over: 1, under: 3}}, currency: EUR}}"
    said = contradictory.run(surveyed(problem, twins()))
    assert isinstance(said, Found)
    assert "EUR" in said.findings[0].consequence
