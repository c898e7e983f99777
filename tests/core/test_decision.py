"""What being wrong costs, and the action that costs least."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize
from sklearn.metrics import mean_pinball_loss

from piste.core.decision import Actions, ByMetric, Came, Quantity, allocate, probabilities
from piste.core.metrics import METRICS
from piste.core.predictive import Classes, Curve, Draws, Dressed, NegativeBinomial, Point

MARSHALS = ("unstaffed", "one_marshal", "two_marshals")
COSTS = np.array([[0.0, 60.0, 240.0], [40.0, 0.0, 90.0], [90.0, 45.0, 0.0]])
SKI = Actions("EUR", MARSHALS, COSTS)
NOTHING = Came(np.empty(0))


def test_the_worked_example_to_the_cent():
    believed = Classes(np.array([[0.50, 0.35, 0.15]]))
    np.testing.assert_allclose(SKI.expected(believed, NOTHING), [[57.0, 33.5, 60.75]], rtol=0, atol=1e-12)
    assert MARSHALS[SKI.act(believed, NOTHING)[0]] == "one_marshal"
    likeliest = Classes(np.eye(3)[[0]])  # the level "low" taken for certain
    assert MARSHALS[SKI.act(likeliest, NOTHING)[0]] == "unstaffed"


@given(
    false_alarm=st.floats(0.1, 1e4),
    miss=st.floats(0.1, 1e4),
    p=st.floats(0, 1),
)
def test_of_two_outcomes_one_acts_where_the_event_is_likelier_than_what_a_false_alarm_costs_of_both(false_alarm, miss, p):
    event = Actions("EUR", ("wait", "act"), np.array([[0.0, miss], [false_alarm, 0.0]]))
    limit = false_alarm / (false_alarm + miss)  # Elkan 2001
    if abs(p - limit) > 1e-9:
        assert event.act(Classes(np.array([[1 - p, p]])), NOTHING)[0] == (p > limit)


def test_what_an_action_costs_is_read_off_at_the_level_that_came():
    action, level = np.array([0, 0, 1, 2, 2]), np.array([2, 0, 2, 0, 2])
    np.testing.assert_array_equal(SKI.loss(action, Came(np.empty(5), level)), [240, 0, 90, 90, 0])


@pytest.mark.parametrize(("over", "under"), [(1.0, 4.0), (3.0, 1.0), (0.1, 40.0), (2.0, 2.0)])
def test_an_amount_costs_the_scaled_pinball_loss_of_its_quantile(over, under):
    rng = np.random.default_rng(0)
    y, amount = rng.gamma(2, 30, 500), rng.gamma(2, 30, 500)
    quantity = Quantity("EUR", over, under)
    assert quantity.level == pytest.approx(under / (over + under))
    cost = quantity.loss(amount, Came(y)).mean()
    assert cost == pytest.approx((over + under) * mean_pinball_loss(y, amount, alpha=quantity.level), rel=1e-12)


@pytest.mark.parametrize(
    "predictive",
    [
        Dressed(np.array([10.0, 40.0]), np.sort(np.random.default_rng(1).gamma(2, 0.5, 31)), ratio=True),
        Dressed(np.array([-10.0, 40.0]), np.sort(np.random.default_rng(1).normal(0, 9, 31)), ratio=False),
        Draws(np.random.default_rng(2).poisson([[4.0], [60.0]], (2, 201)).astype(float)),
    ],
    ids=["ratios", "errors", "draws"],
)
@pytest.mark.parametrize(("over", "under"), [(1.0, 4.0), (3.0, 1.0), (0.1, 40.0)])
def test_the_amount_that_is_provided_is_expected_to_cost_no_more_than_any_other(predictive, over, under):
    quantity = Quantity("EUR", over, under)
    chosen = quantity.act(predictive, NOTHING)
    levels = (np.arange(2000) + 0.5) / 2000
    drawn = np.stack([predictive.quantile(level) for level in levels], axis=1)  # (n_rows, n_draws)
    for row, amount in enumerate(chosen):
        came = Came(drawn[row])
        tried = np.linspace(drawn[row].min(), drawn[row].max(), 400)
        assert quantity.loss(np.full(2000, amount), came).mean() <= min(quantity.loss(np.full(2000, a), came).mean() for a in tried) + 1e-9


@pytest.mark.parametrize("yardstick", [SKI, Quantity("EUR", 1.0, 4.0)], ids=["actions", "amounts"])
def test_one_who_knows_what_comes_pays_no_more_than_anyone_else(yardstick):
    rng = np.random.default_rng(0)
    y = rng.uniform(0, 90, 300)
    came = Came(y, np.digitize(y, [30.0, 60.0]), np.tile([30.0, 60.0], (300, 1)))
    known = yardstick.loss(yardstick.foresight(came), came)
    assert (known == 0).all()  # in these costs the right action is free
    guessed = yardstick.loss(yardstick.act(Point(rng.permutation(y)), came), came)
    assert (guessed >= known).all()
    assert guessed.mean() > 0


def test_too_little_costs_so_many_times_as_much_and_too_much_as_before():
    twice = SKI.scaled(2.0)
    np.testing.assert_array_equal(twice.costs, [[0, 120, 480], [40, 0, 180], [90, 45, 0]])
    np.testing.assert_array_equal(SKI.costs, COSTS)  # as it was
    assert Quantity("EUR", 1.0, 4.0).scaled(0.5) == Quantity("EUR", 1.0, 2.0)


@pytest.mark.parametrize(
    "predictive",
    [
        Point(np.array([0.0, 2.0, 2.5, 30.0])),
        Dressed(np.array([0.0, 2.0, 2.5, 30.0]), np.sort(np.random.default_rng(0).normal(0, 3, 40)), ratio=False),
        NegativeBinomial(np.array([0.0, 2.0, 2.5, 30.0]), 0.4),
        Curve(np.sort(np.random.default_rng(0).normal(4, 4, (4, 6)), axis=1), np.array([0, 0.1, 0.3, 0.6, 0.9, 1.0])),
        Draws(np.random.default_rng(0).poisson(3.0, (4, 90))),
        Classes(np.random.default_rng(0).dirichlet(np.ones(4), 4)),
    ],
    ids=lambda it: type(it).__name__,
)
def test_the_probabilities_of_the_levels_sum_to_1_and_none_is_below_0(predictive):
    thresholds = np.array([[1.0, 2.0, 5.0], [2.0, 2.5, 8.0], [0.0, 1.0, 2.0], [10.0, 30.0, 31.0]])
    found = probabilities(predictive, thresholds)
    assert found.shape == (4, 4)
    np.testing.assert_allclose(found.sum(axis=1), 1.0)
    assert (found >= 0).all()


def test_a_level_is_as_likely_as_the_draws_that_lie_in_it_are_many():
    rng = np.random.default_rng(0)
    drawn, thresholds = rng.poisson([[2.0], [9.0], [30.0]], (3, 300)).astype(float), np.array([[2.0, 4.0], [8.0, 10.0], [30.5, 40.0]])
    counted = np.stack(
        [np.bincount((row[:, None] >= at).sum(axis=1), minlength=3) / 300 for row, at in zip(drawn, thresholds, strict=True)]
    )
    np.testing.assert_allclose(probabilities(Draws(drawn), thresholds), counted, atol=1e-12)
    errors = np.sort(drawn[1] - 9.0)
    np.testing.assert_allclose(probabilities(Dressed(np.array([9.0]), errors, ratio=False), thresholds[1:2]), counted[1:2], atol=1e-12)


def test_levels_of_counts_are_as_likely_as_their_counts_together():
    from scipy import stats

    thresholds = np.array([[3.0, 7.0]])
    exact = stats.nbinom(1 / 0.5, (1 / 0.5) / (1 / 0.5 + 4.0)).pmf(np.arange(2000))
    expected = [exact[:3].sum(), exact[3:7].sum(), exact[7:].sum()]
    np.testing.assert_allclose(probabilities(NegativeBinomial(np.array([4.0]), 0.5), thresholds)[0], expected, rtol=1e-9)


def test_each_metric_gets_the_summary_that_it_asks_for():
    counts = NegativeBinomial(np.array([0.7, 3.0, 41.5]), 0.5)
    np.testing.assert_array_equal(ByMetric(METRICS["rmse"]).act(counts, NOTHING), counts.mean())
    np.testing.assert_array_equal(ByMetric(METRICS["mae"]).act(counts, NOTHING), counts.quantile(0.5))
    shares = np.array([[0.3, 0.7]])
    np.testing.assert_array_equal(ByMetric(METRICS["log_loss"]).act(Classes(shares), NOTHING), shares)


def test_the_median_errs_least_in_absolute_terms_and_the_mean_in_squared():
    y = np.random.default_rng(0).negative_binomial(2, 2 / (2 + 5.0), 20_000)
    counts, came = NegativeBinomial(np.full(len(y), 5.0), 0.5), Came(y)
    rmse, mae = ByMetric(METRICS["rmse"]), ByMetric(METRICS["mae"])
    mean, median = rmse.act(counts, came), mae.act(counts, came)
    assert mae.loss(median, came).mean() < mae.loss(mean, came).mean()
    assert rmse.loss(mean, came).mean() < rmse.loss(median, came).mean()


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_mean_loss_is_what_its_shown_form_means(name):
    yardstick = ByMetric(METRICS[name])
    for mean in (0.0, 0.3, 17.0):
        assert yardstick.meant(float(yardstick.shown(mean))) == pytest.approx(mean)


def test_lines_are_taken_with_all_that_is_known_of_them():
    came = Came(np.arange(4.0), np.array([0, 1, 1, 0]), np.arange(8.0).reshape(4, 2), np.array([0, 0, 1, 1]))
    taken = came.take(np.array([3, 1]))
    assert (taken.y.tolist(), taken.level.tolist(), taken.together.tolist()) == ([3, 1], [0, 1], [1, 0])
    assert taken.thresholds.tolist() == [[6, 7], [2, 3]]
    assert Came(np.arange(3.0)).take(np.array([0])).level is None


# --- a budget ---------------------------------------------------------------------------------------------------------


def spent(actions: np.ndarray, uses: np.ndarray, together: np.ndarray) -> dict[int, int]:
    """Return what each group uses up."""
    return {group: int(uses[actions[together == group]].sum()) for group in np.unique(together)}


def paid(expected: np.ndarray, actions: np.ndarray, mine: np.ndarray) -> float:
    """Return what some lines are expected to cost."""
    return float(expected[mine, actions[mine]].sum())


def random_case(seed: int) -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
    """Return expected costs, uses, a budget and groups of unequal sizes, in no order."""
    rng = np.random.default_rng(seed)
    uses = np.concatenate([[0], rng.integers(0, 4, rng.integers(1, 4))])
    sizes = rng.integers(1, 6, 4)
    together = rng.permutation(np.repeat(rng.choice(99, len(sizes), replace=False), sizes))
    return rng.normal(0, 10, (len(together), len(uses))), uses, int(rng.integers(0, 7)), together


@pytest.mark.parametrize("seed", range(40))
def test_a_budget_is_spent_as_the_best_of_all_combinations_spends_it(seed):
    expected, uses, budget, together = random_case(seed)
    chosen = allocate(expected, uses, budget, together)
    for group, used in spent(chosen, uses, together).items():
        mine = np.flatnonzero(together == group)
        every = itertools.product(range(len(uses)), repeat=len(mine))
        best = min(expected[mine, list(each)].sum() for each in every if uses[list(each)].sum() <= budget)
        assert used <= budget
        assert paid(expected, chosen, mine) == pytest.approx(best)


@pytest.mark.parametrize("seed", range(12))
def test_a_budget_is_spent_as_an_integer_program_spends_it(seed):
    rng = np.random.default_rng(seed)
    n, uses = 30, np.array([0, 1, 2, 5])
    expected, budget = rng.gamma(2, 20, (n, 4)), int(rng.integers(3, 40))
    chosen = allocate(expected, uses, budget, np.zeros(n, dtype=int))
    one_each = optimize.LinearConstraint(np.kron(np.eye(n), np.ones(4)), 1, 1)
    within = optimize.LinearConstraint(np.tile(uses, n)[None], 0, budget)
    exact = optimize.milp(
        expected.ravel(),
        constraints=[one_each, within],
        integrality=np.ones(4 * n),
        bounds=optimize.Bounds(0, 1),
        options={"mip_rel_gap": 0},
    )
    assert exact.success
    assert uses[chosen].sum() <= budget
    assert paid(expected, chosen, np.arange(n)) == pytest.approx(exact.fun)


def test_a_budget_that_is_large_enough_changes_nothing():
    rng = np.random.default_rng(0)
    expected = rng.normal(size=(50, 3))
    np.testing.assert_array_equal(allocate(expected, np.array([0, 1, 2]), 100, np.arange(50) % 7), expected.argmin(axis=1))


def test_a_budget_of_nothing_leaves_what_uses_nothing():
    expected = np.random.default_rng(0).normal(size=(20, 4))
    chosen = allocate(expected, np.array([1, 0, 2, 0]), 0, np.arange(20) % 3)
    np.testing.assert_array_equal(chosen, np.where(expected[:, 1] <= expected[:, 3], 1, 3))


def test_what_is_decided_on_one_day_does_not_hang_on_another():
    expected, uses, budget, together = random_case(3)
    whole = allocate(expected, uses, budget, together)
    for group in np.unique(together):
        mine = together == group
        np.testing.assert_array_equal(whole[mine], allocate(expected[mine], uses, budget, together[mine]))


def test_actions_within_a_budget_are_those_that_all_together_cost_least():
    limited = Actions("EUR", MARSHALS, COSTS, budget=2, uses=(0, 1, 2))
    believed = Classes(np.array([[0.1, 0.2, 0.7], [0.2, 0.6, 0.2], [0.0, 0.1, 0.9]]))
    came = Came(np.empty(3), together=np.zeros(3, dtype=int))
    expected = limited.expected(believed, came)
    best = min(itertools.product(range(3), repeat=3), key=lambda each: expected[range(3), each].sum() if sum(each) <= 2 else np.inf)
    assert limited.act(believed, came).tolist() == list(best)
    assert Actions("EUR", MARSHALS, COSTS).act(believed, came).tolist() != list(best)
