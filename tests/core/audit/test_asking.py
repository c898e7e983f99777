"""What a problem leaves out: costs, metrics that fit them, what is meant, and rules worth beating."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pandas as pd
import pytest

import piste
from piste.core.audit import checks
from piste.core.audit.asking import metric_against_decision, no_cost, proxy_target, weak_rules
from piste.core.check import Check, Found, NotApplicable
from piste.core.errors import Fault, PisteError
from piste.core.finding import Finding
from piste.core.pasted import scalar
from piste.edges.strict_yaml import read
from tests.checks import Example, surveyed

spec = importlib.util.spec_from_file_location("examples_asking", Path(__file__).parent / "examples" / "asking.py")
assert spec
assert spec.loader
examples = importlib.util.module_from_spec(spec)
spec.loader.exec_module(examples)

MINE = ("F01", "F03", "F04", "F05", "F06", "F08", "F09")


def found(check: Check, problem: str, rows: pd.DataFrame, **more: object) -> list[Finding]:
    """Return what a check finds."""
    said = check.run(surveyed(problem, rows, **more))
    return list(said.findings) if isinstance(said, Found) else []


def shops(n_rows: int = 400) -> pd.DataFrame:
    """Return sales, of numbers and of classes, with columns that tell something of them and some that do not."""
    rng = np.random.default_rng(0)
    town = rng.choice(["Chur", "Davos", "Flims"], n_rows)
    sales = rng.gamma(4.0, 25.0, n_rows) * pd.Series(town).map({"Chur": 1.0, "Davos": 2.0, "Flims": 3.0}).to_numpy()
    frame = pd.DataFrame({"town": town, "size": rng.normal(size=n_rows), "shelf": rng.choice(list("abc"), n_rows), "sales": sales})
    return frame.assign(good=np.where(sales > 180, "yes", "no"), grade=np.digitize(sales, [100, 200]).astype(str))


def filled(paste: str) -> dict[str, Any]:
    """Return what is pasted, with the blanks of a cost filled in as its author would."""
    written = read(paste, "").value
    cost = written.get("decision", {}).get("cost", {})
    for place, name in enumerate(cost):
        amounts = name in ("over", "under", "false_alarm", "miss")
        cost[name] = place + 1.0 if amounts else [int(place != other) for other in range(len(cost))]
    return written


# What is pasted ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("example", examples.EXAMPLES, ids=lambda each: f"{each.check} {each.severity}")
def test_what_is_pasted_is_a_problem_and_cures_it(example: Example):
    survey = example.fires.subject()
    [finding] = (each for each in checks()[example.check].run(survey).findings if each.on == example.on)
    if not finding.paste:
        assert finding.fix  # the cure is in words
        return
    written = {**read(example.fires.problem, "").value, **filled(finding.paste)}
    rows = survey.frame
    assert piste.Problem(data=rows, **written)
    text = "\n".join(f"{key}: {scalar(value)}" for key, value in written.items())
    again = checks()[example.check].run(surveyed(text, rows))
    assert isinstance(again, NotApplicable) or example.on not in {each.on for each in again.findings}


# F01 --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "problem",
    [
        "target: sales",
        "target: good",
        "target: {column: grade, kind: category}",
        "target: {column: grade, kind: ordered}",
        "target: {column: sales, levels: {cuts: [100, 200], names: [poor, fair, rich]}}",
        "target: [sales, size]",
        "target: sales\ndecision: {owner: buyer, made_at: -1d 18:00, per_year: 300, currency: CHF}",
    ],
)
def test_a_cost_is_offered_that_fits_the_target(problem: str):
    rows = shops().assign(level=lambda frame: frame["size"])
    [finding] = found(no_cost, problem, rows)
    with pytest.raises(PisteError, match="is empty"):
        piste.Problem(**{"data": rows, **read(problem, "").value, **read(finding.paste, "").value})
    written = {**read(problem, "").value, **filled(finding.paste)}
    text = "\n".join(f"{key}: {scalar(value)}" for key, value in written.items())
    assert found(no_cost, text, rows) == []
    assert surveyed(text, rows).resolved.yardstick.priced


def test_what_is_said_of_the_decision_is_kept():
    [finding] = found(no_cost, "target: sales\ndecision: {owner: buyer, per_year: 300, currency: CHF}", shops())
    assert finding.paste == "decision: {owner: buyer, currency: CHF, per_year: 300, cost: {over: , under: }}"
    assert "over: what one unit too much costs, under: one too little" in finding.fix


def test_many_classes_are_not_written_out():
    rows = pd.DataFrame({"x": np.arange(100) % 7, "digit": [f"d{i % 10}" for i in range(100)]})
    [finding] = found(no_cost, "target: digit", rows)
    assert finding.paste == ""
    assert finding.fix


def test_a_cost_that_was_set_aside_is_not_missed():
    said = no_cost.run(surveyed("target: sales", shops(), faults=(Fault("must be above 0", "decision.cost.over"),)))
    assert isinstance(said, NotApplicable)


# F05 --------------------------------------------------------------------------------------------------------------------------

AMOUNT = "target: {column: sales, kind: numeric}\ndecision: {cost: {over: %s, under: %s}}\nmetric: %s"
EVENT = 'target: {column: good, positive: "yes"}\ndecision: {cost: {false_alarm: %s, miss: %s}}\nmetric: %s'


@pytest.mark.parametrize(
    ("problem", "fires"),
    [
        (AMOUNT % (1, 4, "rmse"), True),
        (AMOUNT % (1, 4, "mae"), True),
        (AMOUNT % (3, 3, "mae"), False),
        (AMOUNT % (3, 3, "mse"), True),
        (EVENT % (1, 5, "accuracy"), True),
        (EVENT % (5, 5, "accuracy"), False),
        (EVENT % (1, 5, "log_loss"), False),
        (EVENT % (1, 5, "brier"), False),
        ('target: {column: good, positive: "yes"}\ndecision: {cost: {a: [7, 9], b: [8, 8]}}\nmetric: accuracy', False),
        ('target: {column: good, positive: "yes"}\ndecision: {cost: {a: [7, 9], b: [8, 7]}}\nmetric: accuracy', True),
        ("target: {column: grade, kind: category}\ndecision: {cost: {a: [0, 2, 2], b: [2, 0, 2], c: [2, 2, 0]}}\nmetric: accuracy", False),
        ("target: {column: grade, kind: category}\ndecision: {cost: {a: [0, 2, 2], b: [2, 0, 2], c: [2, 1, 0]}}\nmetric: accuracy", True),
        ("target: {column: sales, levels: {cuts: [150]}}\ndecision: {cost: {a: [0, 2], b: [2, 0]}}\nmetric: mae", True),
    ],
)
def test_a_metric_fits_where_it_rewards_what_the_cost_asks_for(problem: str, fires: bool):
    assert bool(found(metric_against_decision, problem, shops())) is fires


def test_when_to_act_is_said_as_elkan_has_it():
    [finding] = found(metric_against_decision, EVENT % (40, 200, "accuracy"), shops())
    assert "'act' from a probability of 17% on" in finding.message


def test_what_the_wrong_summary_costs_is_counted():
    """Every row provided with the mean, against every amount that occurs."""
    rows = shops()
    [finding] = found(metric_against_decision, AMOUNT % (1, 4, "rmse"), rows)

    def cost(amount: float) -> float:
        return float(np.mean(4 * np.maximum(rows["sales"] - amount, 0) + np.maximum(amount - rows["sales"], 0)))

    assert finding.number == pytest.approx(cost(rows["sales"].mean()) - min(map(cost, rows["sales"])))


def test_what_the_commonest_class_costs_is_counted():
    """Rare events that cost much when missed: the commonest class says wait, the cost says act."""
    rows = shops()
    rare = float((rows["good"] == "yes").mean())
    [finding] = found(metric_against_decision, EVENT % (1, 20, "accuracy"), rows)
    assert rare < 0.5
    assert finding.number == pytest.approx(20 * rare - (1 - rare))


def test_a_budget_makes_no_mistake_like_another():
    problem = f"{EVENT % (5, 5, 'accuracy')}".replace(
        "{false_alarm: 5, miss: 5}", "{wait: [0, 5], act: [5, 0]}, budget: {units: 1, per: [town]}"
    )
    assert found(metric_against_decision, problem, shops())


@pytest.mark.parametrize("problem", ["target: sales\nmetric: rmse", "target: sales\ndecision: {cost: {over: 1, under: 2}}"])
def test_there_is_nothing_to_fit_without_a_cost_and_a_metric(problem: str):
    assert isinstance(metric_against_decision.run(surveyed(problem, shops())), NotApplicable)


# F08 --------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rating", "Rating", "userRating", "click_rate", "n_clicks", "CTR", "credit score", "complaints", "stars"])
def test_a_name_that_stands_for_something_is_asked_about(name: str):
    rows = shops().rename(columns={"sales": name})
    [finding] = found(proxy_target, f'target: "{name}"', rows)
    assert (finding.on, finding.severity) == (name, "note")


@pytest.mark.parametrize("name", ["sales", "scoreboard", "separating", "starsky", "operating", "visits", "labelling", "iterations"])
def test_a_name_that_only_sounds_like_one_is_left_alone(name: str):
    assert found(proxy_target, f"target: {name}", shops().rename(columns={"sales": name})) == []


def test_of_several_targets_each_is_looked_at():
    rows = shops().rename(columns={"size": "rating"})
    [finding] = found(proxy_target, "target: [sales, rating]", rows)
    assert finding.on == "rating"
    assert finding.paste == "target: {columns: [sales, rating], proxy_for: what really matters}"


# F09 --------------------------------------------------------------------------------------------------------------------------


def test_the_column_that_tells_most_by_itself_is_offered_as_a_rule():
    [finding] = found(weak_rules, "target: sales\ncolumns: {good: drop, grade: drop}", shops())
    rows = shops()
    left = rows["sales"] - rows.groupby("town")["sales"].transform("mean")
    assert finding.on == "town"
    assert finding.number == pytest.approx(1 - left.var() / rows["sales"].var(), abs=0.02)
    assert finding.paste == 'baselines: {by_town: "mean(sales) by town"}'


def test_of_two_classes_the_share_is_offered():
    [finding] = found(weak_rules, 'target: {column: good, positive: "yes"}\ncolumns: {sales: drop, grade: drop}', shops())
    assert finding.on == "town"
    assert surveyed(f'target: {{column: good, positive: "yes"}}\ncolumns: {{sales: drop, grade: drop}}\n{finding.paste}', shops()).rules


@pytest.mark.parametrize("name", ["Flims / Laax", "if", "by", "2 towns", "größe"])
def test_names_that_are_no_plain_words_are_written_so_that_they_are_read(name: str):
    rows = shops().rename(columns={"town": name})[[name, "size", "sales"]]
    [finding] = found(weak_rules, "target: sales", rows)
    assert finding.on == name
    assert len(surveyed(f"target: sales\n{finding.paste}", rows).rules) == 2


def test_what_gives_the_answer_away_is_no_rule():
    rows = shops().assign(copy=lambda frame: "s" + frame["grade"], sales=lambda frame: frame["grade"].astype(float))
    assert [each.on for each in found(weak_rules, "target: {column: sales, kind: numeric}", rows.drop(columns=["good", "grade"]))] == [
        "town"
    ]


def test_more_groups_than_anybody_could_keep_in_mind_are_no_rule():
    rng = np.random.default_rng(1)
    shop = rng.integers(0, 60, 3000)
    rows = pd.DataFrame({"shop": [f"s{i}" for i in shop], "sales": shop * 10.0 + rng.normal(size=3000)})
    assert found(weak_rules, "target: sales", rows) == []


def test_dates_without_a_time_are_asked_about():
    rows = shops()[["size", "sales"]].assign(day=pd.date_range("2024-01-01", periods=400))
    [finding] = found(weak_rules, "target: sales", rows)
    assert (finding.on, finding.paste) == ("day", "time: day")
    assert found(weak_rules, "target: sales\ntime: day", rows) == []
    assert found(weak_rules, "target: sales", rows.assign(day=rows["day"].mask(rows.index == 3))) == []


def test_rules_that_are_there_are_enough():
    said = weak_rules.run(surveyed("target: sales\nbaselines: {by_size: 100 * size}", shops()))
    assert isinstance(said, NotApplicable)


# Tables of every kind ---------------------------------------------------------------------------------------------------------


def odd(**columns: object) -> pd.DataFrame:
    """Return two dozen rows, with what is odd about them."""
    rng = np.random.default_rng(7)
    frame = pd.DataFrame({"x": np.arange(24) % 5, "kind": list("abcd") * 6, "y": rng.normal(50.0, 9.0, 24).round(1)})
    return frame.assign(**columns)


ODD = {
    "two rows": ("target: y", odd().iloc[:2].assign(x=[0.5, 0.7])),
    "a column without a value": ("target: y\ncolumns: {hole: number}", odd(hole=np.nan)),
    "several targets": ("target: [y, z]\ndecision: {cost: {over: 1, under: 2}}", odd(z=np.arange(24.0) ** 2)),
    "several targets in time": ("target: [y, z]\ntime: day", odd(z=np.arange(24.0) ** 2, day=pd.date_range("2024-01-01", periods=24))),
    "weights, some of them 0": ("target: y\nweight: w\ndecision: {cost: {over: 1, under: 2}}", odd(w=np.arange(24) % 2)),
    "a holdout": ("target: y\ndecision: {cost: {over: 1, under: 2}}\nsplit: {holdout: 0.25}", odd()),
    "folds of its author": ("target: y\nsplit: {scheme: predefined, by: part}", odd(part=["train", "test"] * 12)),
    "each group left out": ("target: y\nsplit: {scheme: leave_one_out, by: kind}", odd()),
    "a group that is nearly all": ("target: y\nsplit: {scheme: kfold, together: g, folds: 2}", odd(g=["a"] * 23 + ["b"])),
    "classes in an order": (
        "target: {column: c, kind: ordered}\nknown_at: {after: [y]}",
        odd(c=lambda frame: pd.cut(frame["y"], 3, labels=list("123")).astype(str)),
    ),
    "two classes, one rare": ('target: {column: c, positive: "yes"}\nknown_at: {after: [y]}', odd(c=["yes", "yes"] + ["no"] * 22)),
    "levels": (
        "target: {column: y, levels: {cuts: [48, 55]}}\nframings: [classes]\ndecision: {cost: {a: [0, 5, 9], b: [2, 0, 4], c: [5, 2, 0]}}",
        odd(),
    ),
    "a budget": (
        "target: {column: y, levels: {cuts: [50]}}\ndecision: {cost: {a: [0, 5], b: [2, 0]}, budget: {units: 1, per: [kind]}}",
        odd(),
    ),
    "a budget for nobody in particular": (
        "target: {column: y, levels: {cuts: [50]}}\ndecision: {cost: {a: [0, 5], b: [2, 0]}, budget: {units: 3, per: [g]}}",
        odd(g=[None, "u"] * 12),
    ),
    "a time that counts": ("target: y\ntime: t\nsplit: {scheme: kfold}", odd(t=pd.to_datetime(["2024-01-01"] * 24))),
}


@pytest.mark.parametrize("id", MINE)
@pytest.mark.parametrize("name", ODD)
def test_every_table_gets_an_answer(name: str, id: str):
    problem, rows = ODD[name]
    said = checks()[id].run(surveyed(dedent(problem), rows))
    assert isinstance(said, Found | NotApplicable)
    if isinstance(said, Found):
        assert all(np.isfinite(finding.number) for finding in said.findings)
