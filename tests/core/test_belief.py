"""What a row of the leaderboard believed of each line before it came."""

from __future__ import annotations

import numpy as np
import pytest

from piste.core.belief import belief
from piste.core.entrants import Entrant
from piste.core.losses import Court
from tests.fits import Judged, judged


def columns(of: Judged) -> list[tuple[str, Entrant]]:
    """Return the column behind each row of a leaderboard, by its id."""
    return [(id, of.case.entrants[number]) for id, number in of.case.numbers.items()]


def parts(court: Court) -> list[np.ndarray]:
    """Return the lines of each part."""
    return [np.flatnonzero(court.lines.part == part) for part in np.unique(court.lines.part)]


@pytest.mark.parametrize("name", ["a number by its median", "an order", "an amount", "actions", "shapes", "lags"])
def test_beliefs_stand_in_the_order_of_the_lines_and_are_learnt_on_the_lines_of_other_parts(name):
    of = judged(name)
    court = of.case.court
    for id, entrant in columns(of):
        asked = of.case.plan.asked[entrant.column.framing]
        found = belief(court, asked, entrant.column, (0.1, 0.9))
        for mine in parts(court):
            state = court.learn(asked, entrant.column.rule, entrant.column.raw, court.lines.others(court.lines.part[mine[0]]))
            cut = None if court.came.thresholds is None else court.came.thresholds[mine]
            alone = asked.framing.spread(entrant.column.rule, entrant.column.raw[mine], state, cut)
            expected = alone.mean() if found.answer.ndim == 1 else getattr(alone, "probabilities", None)
            if entrant.column.rule != "plug_in" or found.answer.ndim == 1:
                np.testing.assert_array_equal(found.answer[mine], expected, err_msg=id)
            if found.quantiles:
                np.testing.assert_array_equal(found.quantiles[0.9][mine], alone.quantile(0.9), err_msg=id)


@pytest.mark.parametrize("name", ["a number by its median", "an amount", "actions", "an order", "several"])
def test_quantiles_are_there_where_a_spread_is_believed_in_and_stand_in_their_order(name):
    of = judged(name)
    for id, entrant in columns(of):
        found = belief(of.case.court, of.case.plan.asked[entrant.column.framing], entrant.column, (0.1, 0.5, 0.9))
        number = not of.case.court.target.labels
        spread = number and (entrant.column.rule != "plug_in" or found.answer.ndim == 2)
        assert set(found.quantiles) == ({0.1, 0.5, 0.9} if spread else set()), id
        if spread:
            assert (found.quantiles[0.1] <= found.quantiles[0.5]).all(), id
            assert (found.quantiles[0.5] <= found.quantiles[0.9]).all(), id


@pytest.mark.parametrize("name", ["actions", "shapes", "an order", "an event"])
def test_where_there_are_levels_each_is_believed_in_with_a_probability(name):
    of = judged(name)
    for id, entrant in columns(of):
        found = belief(of.case.court, of.case.plan.asked[entrant.column.framing], entrant.column)
        assert found.levels.shape == (len(of.case.court.lines.row), len(of.case.court.target.classes)), id
        np.testing.assert_allclose(found.levels.sum(axis=1), 1.0, err_msg=id)


def test_a_number_without_levels_is_believed_in_without_them():
    of = judged("an amount")
    for _, entrant in columns(of):
        assert belief(of.case.court, of.case.plan.asked[entrant.column.framing], entrant.column).levels is None


def test_who_acts_on_the_likeliest_class_alone_still_believes_in_probabilities():
    of = judged("an event")
    [entrant] = [entrant for id, entrant in columns(of) if id == "classes/linear/plug_in"]
    found = belief(of.case.court, of.case.plan.asked["classes"], entrant.column)
    np.testing.assert_array_equal(found.answer, entrant.column.raw)
    np.testing.assert_array_equal(entrant.column.action, entrant.column.raw.argmax(axis=1))  # wait where that is likelier


@pytest.mark.parametrize("name", ["actions", "an event", "shapes", "lags"])
def test_the_action_taken_is_the_one_that_the_levels_believed_in_make_cheapest(name):
    of = judged(name)
    court = of.case.court
    for id, entrant in columns(of):
        if entrant.column.rule == "plug_in" and of.case.plan.asked[entrant.column.framing].framing.kind == "classes":
            continue  # it does not act on what it believes in: that is its point
        found = belief(court, of.case.plan.asked[entrant.column.framing], entrant.column)
        expected = found.levels @ court.yardstick.costs.T
        taken = expected[np.arange(len(expected)), entrant.column.action]
        np.testing.assert_allclose(taken, expected.min(axis=1), rtol=1e-9, atol=1e-9, err_msg=id)
