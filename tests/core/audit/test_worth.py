"""The value of perfect information, against slow loops and worked examples."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from piste.core.audit.worth import not_worth_predicting, past_of, weighted_quantile, worth
from piste.core.check import Found, NotApplicable
from piste.core.finding import Finding
from tests.checks import surveyed

STAFF = "{unstaffed: [0, 60, 240], one_marshal: [40, 0, 90], two_marshals: [90, 45, 0]}"
LEVELS = "target: {column: y, levels: {cuts: [1, 2], names: [low, medium, high]}}"


def of_levels(counts: tuple[int, ...], **columns: object) -> pd.DataFrame:
    """Return rows whose target is 0, 1, 2 so many times, in a mixed order."""
    y = np.random.default_rng(0).permutation(np.repeat(np.arange(len(counts)), counts))
    return pd.DataFrame({"x": np.arange(len(y)) % 7, "y": y.astype(float), **columns})


def valued(problem: str, rows: pd.DataFrame) -> tuple[float, float]:
    """Return what the best fixed choice costs, and what one pays who knows what comes."""
    survey = surveyed(problem, rows)
    past = past_of(survey)
    assert past is not None
    found = worth(past)
    return found.fixed, found.known


def only(problem: str, rows: pd.DataFrame) -> Finding | None:
    """Return the finding, if there is one."""
    said = not_worth_predicting.run(surveyed(problem, rows))
    assert isinstance(said, Found)
    return said.findings[0] if said.findings else None


def test_the_worked_example_of_a_ski_run():
    """With shares .50, .35, .15 one marshal is best and costs .50 * 40 + .15 * 90; with every answer known, nothing is paid."""
    fixed, known = valued(f"{LEVELS}\ndecision: {{cost: {STAFF}}}", of_levels((100, 70, 30)))
    assert (fixed, known) == pytest.approx((33.5, 0.0))


@pytest.mark.parametrize("share", [0.1, 0.16, 0.17, 0.5])
def test_one_acts_from_the_probability_on_that_elkan_gives(share: float):
    """False alarm 40, miss 200: act if the event is likelier than 40 / 240 = 1 / 6."""
    n_events = round(1000 * share)
    rows = of_levels((1000 - n_events, n_events)).assign(y=lambda frame: np.where(frame["y"] > 0, "yes", "no"))
    survey = surveyed('target: {column: y, positive: "yes"}\ndecision: {cost: {false_alarm: 40, miss: 200}}', rows)
    past = past_of(survey)
    assert past is not None
    found = worth(past)
    assert found.choice == ("'act'" if share > 1 / 6 else "'wait'")
    assert found.fixed == pytest.approx((1 - share) * 40 if share > 1 / 6 else share * 200)


def test_the_best_fixed_amount_is_that_of_the_newsboy():
    """Tried out: every amount that occurs, and those between."""
    rows = pd.DataFrame({"x": np.arange(101) % 9, "y": np.random.default_rng(1).gamma(2.0, 50.0, 101).round(1)})
    fixed, known = valued("target: {column: y, kind: numeric}\ndecision: {cost: {over: 1, under: 4}}", rows)
    tried = {amount: np.mean(4 * np.maximum(rows["y"] - amount, 0) + np.maximum(amount - rows["y"], 0)) for amount in rows["y"]}
    assert fixed == pytest.approx(min(tried.values()))
    assert min(tried, key=lambda amount: tried[amount]) == weighted_quantile(rows["y"].to_numpy(), np.ones(101), 0.8)
    assert known == 0


def test_a_unit_of_several_pieces_divides_the_costs():
    rows = of_levels((50, 50))
    plain = valued("target: {column: y, kind: numeric}\ndecision: {cost: {over: 1, under: 4}}", rows)
    dozens = valued("target: {column: y, kind: numeric}\ndecision: {cost: {over: 12, under: 48, unit: 12}}", rows)
    assert dozens == pytest.approx(plain)


def test_rows_count_as_much_as_they_weigh():
    """A slow loop over rows and actions, with costs that even foresight pays."""
    weight = np.random.default_rng(2).integers(0, 5, 90)
    rows = of_levels((40, 30, 20), w=weight.astype(float))
    costs = {"a": [10, 60, 240], "b": [40, 5, 90], "c": [90, 45, 20]}
    text = ", ".join(f"{name}: {row}" for name, row in costs.items())
    fixed, known = valued(f"{LEVELS}\nweight: w\ndecision: {{cost: {{{text}}}}}", rows)
    totals, least, total = dict.fromkeys(costs, 0.0), 0.0, 0.0
    for y, w in zip(rows["y"].astype(int), weight, strict=True):
        for name, row in costs.items():
            totals[name] += w * row[y]
        least += w * min(row[y] for row in costs.values())
        total += w
    assert (fixed, known) == pytest.approx((min(totals.values()) / total, least / total))


def test_a_budget_is_shared_out_by_base_rates_and_by_foresight():
    """Against every way of giving two marshals to the runs of a day, tried out one by one."""
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"day": np.repeat(range(30), 3), "run": list("abc") * 30, "y": rng.choice([0.0, 1.0, 2.0], 90, p=[0.4, 0.3, 0.3])})
    rows["x"] = rows["y"] + rng.normal(size=90)
    problem = f"{LEVELS}\nunit: [day, run]\ndecision: {{cost: {STAFF}, budget: {{units: 2, per: [day]}}}}"
    costs = np.array([[0, 60, 240], [40, 0, 90], [90, 45, 0]])
    expected = costs @ np.bincount(rows["y"].astype(int)) / 90
    allowed = [each for each in product(range(3), repeat=3) if sum(each) <= 2]
    known = 0
    for _, day in rows.groupby("day"):
        level = day["y"].astype(int).to_numpy()
        known += min(costs[list(each), level].sum() for each in allowed)
    unknowing = min(expected[list(each)].sum() for each in allowed) / 3
    assert valued(problem, rows) == pytest.approx((unknowing, known / 90))


def test_a_holdout_is_not_looked_at():
    rows = of_levels((60, 20, 20), fifth=np.arange(100) // 20)
    split = "split: {scheme: leave_one_out, by: fifth, holdout: ['4']}"
    problem = f"target: {{column: y, kind: numeric}}\ndecision: {{cost: {{over: 1, under: 1}}}}\n{split}"
    seen = rows[rows["fifth"] < 4]
    assert valued(problem, rows)[0] == pytest.approx(np.abs(seen["y"] - seen["y"].median()).mean())


@pytest.mark.parametrize(("worthwhile", "severity"), [(33_500, None), (33_501, "warn"), (45_000, "block")])
def test_what_a_year_saves_is_held_against_what_is_worthwhile(worthwhile: int, severity: str | None):
    """1,000 decisions at 33.5; the 95 % interval of 200 rows ends at about 38."""
    problem = f"{LEVELS}\ndecision: {{cost: {STAFF}, per_year: 1000}}\nsuccess: {{worthwhile: {worthwhile}}}"
    found = only(problem, of_levels((100, 70, 30)))
    assert (found and found.severity) == severity
    if found:
        assert (found.number, found.threshold) == pytest.approx((33_500, worthwhile))


def test_what_is_not_sure_is_no_block():
    """Two events in forty rows: the estimate is 0.5 a decision, and its interval reaches beyond 0.8."""
    rows = of_levels((38, 2)).assign(y=lambda frame: np.where(frame["y"] > 0, "yes", "no"))
    costs = "{false_alarm: 1, miss: 10}"
    found = only(f'target: {{column: y, positive: "yes"}}\ndecision: {{cost: {costs}, per_year: 100}}\nsuccess: {{worthwhile: 80}}', rows)
    assert found is not None
    assert found.severity == "warn"


def test_rows_that_stand_or_fall_together_make_nothing_sure():
    rows = of_levels((100, 70, 30), half="only one")
    rows.loc[:99, "half"] = "first"
    problem = f"{LEVELS}\nsplit: {{scheme: kfold, together: half, folds: 2}}\nsuccess: {{worthwhile: 35000}}"
    found = only(f"{problem}\ndecision: {{cost: {STAFF}, per_year: 1000}}", rows)
    assert found is not None
    assert found.severity == "warn"


@pytest.mark.parametrize(("common", "fires"), [(600, True), (500, False)])
def test_next_to_nothing_is_five_percent_of_the_best_fixed_cost(common: int, fires: bool):
    """Two classes alike; the right action saves 60 of `common` + 30 on average half the time: 30 / 630 is 4.8 %, 30 / 530 5.7 %."""
    rows = of_levels((100, 100)).assign(y=lambda frame: np.where(frame["y"] > 0, "yes", "no"))
    costs = f"{{a: [{common}, {common + 60}], b: [{common + 60}, {common}]}}"
    found = only(f'target: {{column: y, positive: "yes"}}\ndecision: {{cost: {costs}}}', rows)
    assert bool(found) is fires
    if found:
        assert (found.severity, found.number, found.threshold) == ("warn", pytest.approx(30), pytest.approx(0.05 * (common + 30)))


def test_what_its_owner_calls_worthwhile_stands_in_the_place_of_the_five_percent():
    rows = of_levels((100, 100)).assign(y=lambda frame: np.where(frame["y"] > 0, "yes", "no"))
    costs = "{a: [600, 660], b: [660, 600]}"
    decision = f'target: {{column: y, positive: "yes"}}\ndecision: {{cost: {costs}, per_year: 1000}}'
    assert only(decision, rows) is not None
    assert only(f"{decision}\nsuccess: {{worthwhile: 20000}}", rows) is None


def test_a_target_that_is_always_the_same_leaves_nothing_to_predict():
    """All rows that count hold one value."""
    rows = of_levels((20, 60)).assign(w=lambda frame: frame["y"])
    found = only("target: {column: y, kind: numeric}\nweight: w\ndecision: {cost: {over: 1, under: 4}}", rows)
    assert found is not None
    assert "nothing to predict" in found.message


def test_the_cost_is_told_in_its_currency():
    problem = f"{LEVELS}\ndecision: {{cost: {STAFF}, per_year: 1000, currency: CHF}}\nsuccess: {{worthwhile: 45000}}"
    found = only(problem, of_levels((100, 70, 30)))
    assert found is not None
    assert "33,500 CHF a year over always choosing 'one_marshal'" in found.message


def test_without_a_cost_there_is_no_value():
    said = not_worth_predicting.run(surveyed("target: {column: y, kind: numeric}", of_levels((30, 30))))
    assert isinstance(said, NotApplicable)


def test_a_weighted_quantile_is_that_of_rows_repeated():
    rng = np.random.default_rng(5)
    values, weight = rng.normal(size=40).round(1), rng.integers(1, 6, 40)
    for level in (0.05, 0.5, 0.8, 0.99):
        repeated = np.sort(np.repeat(values, weight))
        assert weighted_quantile(values, weight.astype(float), level) == repeated[int(np.ceil(level * len(repeated) - 1e-9)) - 1]
