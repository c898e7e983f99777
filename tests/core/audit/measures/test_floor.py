"""What rows that are alike cost the best answer."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from piste.core.audit.measures.floor import alike, floor, hindsight, means, quantiles, shares
from piste.core.decision import Actions, ByMetric, Came, Quantity
from piste.core.metrics import METRICS
from tests.checks import surveyed

RNG = np.random.default_rng(0)
group_of = RNG.integers(0, 12, 300)
answers = RNG.gamma(2, 3, 300) + group_of
ones = np.ones(300)


def test_rows_are_alike_where_every_column_agrees_as_pandas_groups_them():
    frame = pd.DataFrame({"a": RNG.integers(0, 4, 200).astype(float), "b": RNG.choice(["x", "y", None], 200), "c": RNG.integers(0, 5, 200)})
    frame.loc[::7, "a"] = np.nan
    group = alike(frame)
    for _, rows in frame.groupby(["a", "b", "c"], dropna=False).groups.items():
        numbers = set(group[list(rows)])
        assert len(numbers) == 1
        assert (numbers == {-1}) == (len(rows) == 1)
    assert len(set(group) - {-1}) == group.max() + 1


@pytest.mark.parametrize("level", [0.1, 0.5, 0.75])
def test_the_quantile_of_a_group_costs_no_more_than_any_of_its_values(level: float):
    weight = RNG.uniform(0.5, 2, 300)
    best = quantiles(answers, group_of, weight, level)
    for group in range(12):
        y, w = answers[group_of == group], weight[group_of == group]
        loss = [float(np.sum(w * np.where(y > a, level * (y - a), (1 - level) * (a - y)))) for a in [best[group], *y]]
        assert loss[0] == pytest.approx(min(loss))


def test_squared_errors_are_without_bias():
    """Of pairs of noise with variance 4, half of the squares would be lost to the mean of each pair."""
    group = np.repeat(np.arange(20_000), 2)
    y = np.random.default_rng(1).normal(0, 2, 40_000)
    losses = hindsight(ByMetric(METRICS["rmse"]), Came(y), group, np.ones(40_000), 0)
    assert losses.mean() == pytest.approx(4.0, rel=0.03)


@pytest.mark.parametrize(
    ("yardstick", "expected"),
    [
        (ByMetric(METRICS["mae"]), lambda y: np.abs(y - np.median(y)).sum()),
        (Quantity("EUR", over=1, under=3), lambda y: min(np.where(y > a, 3 * (y - a), a - y).sum() for a in y)),
    ],
)
def test_other_losses_are_those_of_the_best_answer_of_each_group(yardstick, expected):
    losses = hindsight(yardstick, Came(answers), group_of, ones, 0)
    assert losses.sum() == pytest.approx(sum(expected(answers[group_of == group]) for group in range(12)))


def test_actions_are_chosen_by_the_shares_of_the_levels_in_each_group():
    level = RNG.integers(0, 3, 300)
    costs = np.array([[0.0, 3.0, 9.0], [2.0, 0.0, 4.0], [4.0, 3.0, 0.0]])
    losses = hindsight(Actions("EUR", ("a", "b", "c"), costs), Came(answers, level), group_of, ones, 3)
    assert losses.sum() == pytest.approx(sum(costs[:, level[group_of == group]].sum(axis=1).min() for group in range(12)))


def test_log_loss_is_the_entropy_of_each_group():
    y = RNG.integers(0, 2, 300)
    losses = hindsight(ByMetric(METRICS["log_loss"]), Came(y), group_of, ones, 2)
    share = shares(y, group_of, ones, 2)[:, 1]
    entropy = -(share * np.log(share) + (1 - share) * np.log(1 - share))
    assert losses.sum() == pytest.approx((entropy * np.bincount(group_of)).sum())


def test_weights_count_in_the_means_of_groups():
    weight = RNG.uniform(0.1, 3, 300)
    assert means(answers, group_of, weight) == pytest.approx(
        [np.average(answers[group_of == g], weights=weight[group_of == g]) for g in range(12)]
    )


def noisy(n: int = 2000) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 5, n), rng.integers(0, 4, n)
    return pd.DataFrame({"a": a, "b": b, "y": 3.0 * a - b + rng.normal(0, 2, n)})


def test_the_floor_of_a_simulated_table_is_its_noise():
    found = floor(survey := surveyed("target: {column: y, kind: numeric}", noisy()), survey.rows)
    assert found is not None
    assert survey.shown(found.loss) == pytest.approx(2.0, rel=0.05)
    assert found.lower < found.loss
    assert found.r2 == pytest.approx(1 - 4 / np.var(noisy()["y"]), abs=0.02)
    assert found.share == 1.0


def test_rows_without_a_twin_count_as_foretold():
    table = noisy()
    table["a"] = np.where(np.arange(2000) < 1000, table["a"], 100.0 + np.arange(2000))
    found = floor(survey := surveyed("target: {column: y, kind: numeric}", table), survey.rows)
    assert found is not None
    assert found.share == pytest.approx(0.5)
    assert found.loss == pytest.approx(found.twins / 2)


def test_what_a_rule_looks_at_tells_rows_apart_too():
    """The time of a row is a feature: rows at different times are never alike."""
    table = noisy(400).assign(day=pd.date_range("2020-01-01", periods=400))
    survey = surveyed("target: {column: y, kind: numeric}\ntime: day", table)
    assert floor(survey, survey.rows) is None
