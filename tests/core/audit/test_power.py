"""How small a gain shows: against simulated comparisons and numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from piste.core.audit.power import _toll, cannot_show_the_gain, smallest_gain
from piste.core.check import Found, NotApplicable
from piste.core.decision import Actions
from piste.core.finding import Finding
from piste.core.statistics import Sample, sample
from tests.checks import surveyed

LOANS = Actions("cost", ("call", "leave"), np.array([[1.0, 0.0], [0.0, 5.0]]))


def drawn(*losses: np.ndarray) -> Sample:
    """Resample losses of rows that stand alone, with one who is never wrong last."""
    columns = np.column_stack([*losses, np.zeros(len(losses[0]))])
    return sample(columns, np.ones(len(columns)), np.arange(len(columns)), ordered=False, seed=0)


def only(problem: str, rows: pd.DataFrame) -> Finding | None:
    """Return the finding, if there is one."""
    said = cannot_show_the_gain.run(surveyed(problem, rows))
    assert isinstance(said, Found)
    return said.findings[0] if said.findings else None


def shops(n_days: int, noise: float = 300.0) -> pd.DataFrame:
    """Return the sales of a shop, more on Saturdays."""
    rng = np.random.default_rng(0)
    day = pd.date_range("2020-01-01", periods=n_days)
    sales = np.where(day.day_of_week == 5, 2000.0, 1500.0) + rng.normal(0.0, noise, n_days)
    return pd.DataFrame({"day": day, "adverts": rng.integers(0, 9, n_days), "sales": sales})


@pytest.mark.parametrize("n_rows", [200, 1000])
def test_a_model_that_gains_as_much_is_found_in_four_of_five_comparisons(n_rows: int):
    """A slow check: forecasts that know a share of what the rule does not, compared on new rows again and again."""
    rng = np.random.default_rng(1)
    gains = [smallest_gain(drawn(rng.normal(size=n_rows) ** 2), 0.95) for _ in range(20)]
    gain = float(np.mean(gains))  # of a mean square of 1
    own = rng.normal(0.0, np.sqrt(1 - gain), (4000, n_rows))
    differences = (own + rng.normal(0.0, np.sqrt(gain), own.shape)) ** 2 - own**2
    found = differences.mean(axis=1) / (differences.std(axis=1, ddof=1) / np.sqrt(n_rows)) > 1.645
    assert found.mean() == pytest.approx(0.8, abs=0.06)


def test_another_rule_tells_how_far_luck_moves_a_difference():
    """By hand, in eight rows: differences of 3 and 5, so of mean 4 and standard error sqrt(8 / 7 / 8); t quantiles of 7 degrees."""
    base = 10.0 + 4.0 * np.tile([1.0, -1.0], 4)  # that its own loss tells less
    other = base + np.tile([3.0, 3.0, 5.0, 5.0], 2)
    assert smallest_gain(drawn(base, other), 0.95) == pytest.approx((1.8946 + 0.8960) ** 2 * (1 / 7) / 4, rel=1e-3)


def test_a_difference_that_does_not_show_itself_tells_nothing():
    rng = np.random.default_rng(2)
    base = rng.normal(size=300) ** 2
    alone = smallest_gain(drawn(base), 0.95)
    assert smallest_gain(drawn(base, base + rng.normal(0.01, 1.0, 300)), 0.95) == alone
    assert smallest_gain(drawn(base, base), 0.95) == alone
    assert smallest_gain(drawn(base, base + rng.normal(1.0, 1.0, 300)), 0.95) < alone


def test_no_gain_is_larger_than_the_whole_loss():
    assert smallest_gain(drawn(np.array([0.0, 0.0, 0.0, 12.0])), 0.95) == 3.0


def test_more_confidence_needs_a_larger_gain():
    base = np.random.default_rng(3).normal(size=300) ** 2
    assert smallest_gain(drawn(base), 0.99) > smallest_gain(drawn(base), 0.95)


def test_ten_times_the_rows_show_a_gain_that_few_do_not():
    problem = "target: sales\ntime: day\nsuccess: {by: 5%}"
    few = only(problem, shops(80))
    assert few is not None
    assert (few.threshold, few.field) == (0.05, "success.by")
    assert few.number > 0.05
    assert only(problem, shops(2500)) is None


def test_what_is_asked_for_speaks_where_it_is_smaller_than_what_shows():
    rows = shops(400)
    found = only("target: sales\ntime: day\nsuccess: {by: 1%}", rows)
    assert found is not None
    assert only(f"target: sales\ntime: day\nsuccess: {{by: {100 * found.number - 0.1:.1f}%}}", rows) is not None
    assert only(f"target: sales\ntime: day\nsuccess: {{by: {100 * found.number + 0.1:.1f}%}}", rows) is None


def test_an_amount_is_answered_by_an_amount_in_the_unit_of_the_cost():
    decision = "decision: {cost: {over: 1, under: 3}, currency: EUR}"
    found = only(f"target: {{column: sales, kind: numeric}}\ntime: day\n{decision}\nsuccess: {{by: 0.5}}", shops(100))
    assert found is not None
    assert found.threshold == 0.5
    assert "EUR" in found.message
    assert "you ask for 0.5 EUR" in found.message


def test_rows_that_stand_or_fall_together_count_once():
    rows = pd.concat([shops(60)] * 10, ignore_index=True)
    rows["family"] = np.tile(np.arange(60), 10)
    problem = "target: sales\ncolumns: {day: drop}\nsuccess: {by: 5%}\nsplit: {scheme: kfold"
    together = only(f"{problem}, together: family}}", rows)
    assert together is not None
    assert "60 values of 'family'" in together.message
    assert only(f"{problem}}}", rows) is None


def test_no_gain_asked_for_is_no_question():
    assert isinstance(cannot_show_the_gain.run(surveyed("target: sales\ntime: day\nsuccess: {by: 0%}", shops(60))), NotApplicable)


def test_a_rule_that_is_named_is_the_one_to_beat():
    found = only("target: sales\ntime: day\nsuccess: {beat: last_value, by: 1%}", shops(100))
    assert found is not None
    assert "'last_value'" in found.message


def loans(n_rows: int) -> pd.DataFrame:
    """Return loans of which three in ten are lost."""
    rng = np.random.default_rng(4)
    return pd.DataFrame({"sum": rng.gamma(2, 1000, n_rows).round(), "lost": np.where(rng.random(n_rows) < 0.3, "yes", "no")})


@pytest.mark.parametrize(("n_rows", "by", "shows"), [(1000, "1%", False), (1000, "6%", True), (40_000, "1%", True)])
def test_who_acts_otherwise_than_the_rule_is_wrong_at_times(n_rows: int, by: str, shows: bool):
    problem = f"target: {{column: lost, positive: yes}}\ndecision: {{cost: {{false_alarm: 1, miss: 5}}}}\nsuccess: {{by: {by}}}"
    assert (only(problem, loans(n_rows)) is None) == shows


def test_the_smallest_gain_of_actions_is_that_of_a_simulation():
    """A twentieth of the loans is acted on otherwise than the rule does, and two thirds of the way from 5 in 6 to always that is right."""
    rng = np.random.default_rng(5)
    rule = (rng.random(200_000) < 0.7).astype(float)  # it calls all; 7 in 10 for nothing
    right = 5 / 6 + 2 / 3 / 6
    share = 0.05  # of the rows acted on otherwise
    gains = np.where(rng.random(200_000) < right, 1.0, -5.0) * (rng.random(200_000) < share)
    per_row = gains.var() / gains.mean()  # of each unit of gain
    toll = _toll(LOANS, rule, np.zeros(200_000), (rule == 0).astype(int), np.ones(200_000))
    assert toll * rule.var() / rule.mean() == pytest.approx(per_row, rel=0.05)
