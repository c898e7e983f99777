"""What `piste frame` says of a problem: true of what would be fitted, and lines of YAML that do what they promise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from piste import api
from piste.core.framing import Form
from piste.core.report.deciding import envelope
from piste.core.report.framed import Framed, Way
from piste.core.shape import Source, lay_out
from piste.prepare import prepare
from piste.watch import silent

DAYS = """\
data: rows.csv
target: {column: skiers, kind: count, levels: {cuts: [20, 40], names: [low, medium, high]}, delay: 1d}
unit: [day, run]
time: day
decision:
  made_at: -1d 18:00
  cost: {none: [0, 3, 9], one: [1, 0, 4], two: [2, 1, 0]}
  currency: EUR
  budget: {units: 2, uses: {one: 1, two: 2}}
framings:
  mean: {as: mean}
  at_once: {as: mean, wide: run}
  each: {as: mean, apart: run}
  lagged: {as: mean, add: [skiers@-7d]}
  ordered: {as: ordered}
families: [linear, boosting, perceptron]
"""
PLAIN = "data: rows.csv\ntarget: comfort\nfamilies: [linear]\ncolumns: {day: drop}\n"


def rows() -> pd.DataFrame:
    """Return three runs over sixty days."""
    rng = np.random.default_rng(0)
    n = 180
    day = np.repeat(pd.date_range("2024-01-01", periods=60), 3)
    snow = np.repeat(rng.normal(size=60), 3).round(3)
    return pd.DataFrame(
        {
            "day": day,
            "run": np.tile(["easy", "steep", "park"], 60),
            "length": np.tile([1.0, 2.0, 3.0], 60),
            "snow": snow,
            "queue": rng.normal(size=n).round(3),
            "comfort": rng.normal(size=n).round(3),
            "mark": rng.integers(3, 7, n),
            "sort": rng.choice(["red", "green", "blue"], n),
            "skiers": rng.poisson(30, n),
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the rows."""
    folder = tmp_path_factory.mktemp("framed")
    rows().to_csv(folder / "rows.csv", index=False)
    return folder


def framed(folder: Path, text: str) -> Framed:
    """Explain a problem."""
    (folder / "problem.yaml").write_text(text)
    return api.frame(folder)


@pytest.fixture(scope="module")
def days(folder: Path) -> dict[str, Way]:
    """Return the ways of a problem that has many."""
    return {way.name: way for way in framed(folder, DAYS).ways}


def test_every_framing_of_the_problem_is_explained_in_its_order(days):
    assert list(days) == ["mean", "at_once", "each", "lagged", "ordered"]


def test_what_a_model_sees_is_what_it_will_be_given(folder, days):
    at = prepare(folder, (), silent, quick=True, code=False)
    columns = f"{len(at.resolved.table.features)} columns ({at.study.expanded.shape[1]} once dates are weekday, month and day of the year)"
    assert days["mean"].sees == f"180 rows, one for each day and run, with {columns}"
    assert days["at_once"].sees.startswith("60 rows, one for each day, with all 3 values of run side by side: ")
    assert "a model of its own for each of the 3 values of run, from 60 rows each" in days["each"].sees
    assert days["lagged"].sees.endswith("beside them what came earlier, by skiers@-7d")


def test_columns_that_only_tell_series_apart_are_said_to_be_left_out(folder, days):
    at = prepare(folder, (), silent, quick=True, code=False)
    whole = at.folds.whole
    source = Source(at.study.expanded, at.study.names, at.study.target.values, at.study.weight)
    shape, _ = lay_out(source, Form("mean", wide="run"), "codes", whole.train, whole.stop, whole.test, 0)
    assert shape.pivot is not None
    once, each = len(shape.pivot.once), len(shape.pivot.each)
    said = f"{once} columns that all of them share, {each} for each of them by itself, without 2 that only tell them apart"
    assert days["at_once"].sees.endswith(said)


def test_what_a_prediction_looks_like_is_said_for_each(days):
    assert days["mean"].answers == "one number, the 'skiers' to be expected"
    assert days["at_once"].answers == "one number for each run, all at once: the 'skiers' to be expected"
    assert days["ordered"].answers == "2 probabilities, of medium or more and high; they make one for each level"


def test_the_costs_of_the_problem_decide(days):
    [(_, alone), (rule, weighed)] = days["mean"].decides
    assert "none for low, one for medium, two for high" in alone
    assert rule == "with its uncertainty"
    # between low and medium: 3 p = 1 - p at p = 1/4; between medium and high: 4 p = 1 - p at p = 1/5
    assert "if it can be low or medium only: none while the chance of medium is small, one once it is above 25 %" in weighed
    assert "if it can be medium or high only: one while the chance of high is small, two once it is above 20 %" in weighed
    assert "the rows of one day share 2, which go where they save most" in weighed


def test_a_family_that_cannot_says_why(days):
    assert days["at_once"].takes == ("Linear regression",)
    assert dict(days["at_once"].leaves) == {"Gradient boosting": "takes one number at a time", "Perceptron": "takes classes only"}


def test_how_much_is_provided_follows_from_what_too_much_and_too_little_cost(folder):
    found = framed(folder, PLAIN + "decision: {cost: {over: 1, under: 4}, currency: EUR}\n")
    said = dict(found.ways[0].decides)["with its uncertainty"]
    assert said == "provides what is enough in 80 % of such cases: one too few costs 4 EUR, one too many 1 EUR, and 4 / (4 + 1) is 80 %"


def test_without_a_cost_it_is_said_what_is_judged(folder):
    found = framed(folder, PLAIN)
    assert [way.name for way in found.ways] == ["mean"]
    assert any("No cost of a decision is given, so answers are judged by rmse" in each for each in found.about)


@pytest.mark.parametrize("seed", range(20))
def test_the_action_is_the_one_that_costs_least_at_every_probability(seed):
    rng = np.random.default_rng(seed)
    costs = rng.integers(0, 9, (int(rng.integers(2, 6)), 2)).astype(float)
    steps = envelope(costs)
    for share in np.linspace(0.0005, 0.9995, 1000):
        action = [number for at, number in steps if at <= share][-1]
        expected = costs @ [1 - share, share]
        assert expected[action] == pytest.approx(expected.min(), abs=1e-9)


PROBLEMS = {
    "a plain number": PLAIN,
    "a count": "data: rows.csv\ntarget: {column: skiers, kind: count}\nfamilies: [linear]\ncolumns: {day: drop}\n",
    "days": DAYS,
    "days, one framing": DAYS[: DAYS.index("framings:")] + "framings: [mean]\nfamilies: [linear]\n",
    "days without a list": DAYS[: DAYS.index("framings:")] + "families: [linear]\n",
    "marks as classes": "data: rows.csv\ntarget: {column: mark, kind: category}\nfamilies: [linear]\ncolumns: {day: drop}\n",
    "words": "data: rows.csv\ntarget: sort\nfamilies: [linear]\ncolumns: {day: drop}\n",
    "a unit without a time": PLAIN.replace("columns: {day: drop}", "unit: [snow, run]") + "split: {scheme: kfold, folds: 3}\nmetric: mae\n",
}


@pytest.mark.parametrize("text", PROBLEMS.values(), ids=PROBLEMS)
def test_the_lines_that_would_ask_a_framing_ask_it(folder, text):
    (folder / "problem.yaml").write_text(text)
    before = api.frame(folder)
    for each in before.unasked:
        if each.lines:
            changed = yaml.safe_load(text) | yaml.safe_load("\n".join(each.lines))
            (folder / "problem.yaml").write_text(yaml.safe_dump(changed, sort_keys=False))
            after = api.frame(folder)
            assert each.title not in [other.title for other in after.unasked], (each, after.unasked)
            assert len(after.ways) > len(before.ways) or "target" in yaml.safe_load("\n".join(each.lines))


def test_a_framing_that_no_line_can_help_has_none(folder):
    found = {each.title: each for each in framed(folder, PROBLEMS["words"]).unasked}
    assert found["Expected value"].reason == "a class has no mean"
    assert found["Expected value"].lines == ()
    assert found["With what came earlier"].lines == ()


def test_all_of_it_is_plain_data_too(folder):
    found = json.loads(json.dumps(framed(folder, DAYS).as_json()))
    assert list(found) == ["problem", "question", "about", "ways", "unasked"]
    assert found["ways"][1]["leaves"] == [
        {"family": "Gradient boosting", "reason": "takes one number at a time"},
        {"family": "Perceptron", "reason": "takes classes only"},
    ]
    assert found["ways"][0]["decides"][0]["rule"] == "prediction alone"
