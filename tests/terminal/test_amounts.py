"""Costs, shares and times as people write them."""

from __future__ import annotations

import pytest

from piste.terminal.amounts import of_fit, percent, short, span

NAN = float("nan")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.2, "0 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (3599, "59 min 59 s"), (3600, "1 h 0 min"), (90_000, "25 h 0 min")],
)
def test_times_read_as_people_say_them(seconds, said):
    assert span(seconds) == said


@pytest.mark.parametrize(
    ("cost", "said"), [(0.0, "0"), (999.96, "1000"), (1000.0, "1,000"), (1e-7, "1e-07"), (NAN, "-"), (-2500.0, "-2,500")]
)
def test_costs_are_short(cost, said):
    assert short(cost) == said


@pytest.mark.parametrize(("share", "said"), [(0.4, "40.0%"), (-0.99, "-99.0%"), (-1249.0, "1,250 x"), (NAN, "-")])
def test_a_gain_that_is_many_times_a_loss_says_how_many(share, said):
    assert percent(share) == said


@pytest.mark.parametrize(("seconds", "said"), [(0.0123, "0.012 s"), (9.9, "9.9 s"), (10.2, "10 s"), (NAN, "")])
def test_a_fit_may_be_short_and_what_was_not_fitted_has_no_time(seconds, said):
    assert of_fit(seconds) == said
