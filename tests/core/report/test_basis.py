"""What a verdict rests on, in words."""

from __future__ import annotations

import math
from dataclasses import replace

from piste.core.comparison import Interval
from piste.core.report.basis import basis
from tests.comparisons import decided, regression


def told(comparison):
    return dict(basis(comparison))


def test_every_number_of_a_decision_is_there_with_its_unit():
    lines = told(decided())
    assert lines["What to expect"] == "41.6 (38 to 45.3) EUR a decision, corrected for having been chosen among 100 candidates"
    assert lines["What may be claimed"].startswith(
        "It saves 18.4 (11.4 to 24.8) EUR a decision, 31 % (19 % to 42 %) over the rule 'ticket_rule'"
    )
    assert lines["In a year"] == "18,300 (11,300 to 24,600) EUR, at 992 decisions"
    assert lines["What was asked for"] == "a gain of 10 % is what counts as worth it; these rows suffice to show it"
    assert lines["In one more period"] == "a gain of 18.4 (-4.2 to 41) EUR, going by how these differ"
    assert "better with a chance of 30 %, too close to matter 50 %, worse 20 %" in lines["Beside the next best"]
    assert lines["Of what could be saved"] == "31 % of what perfect foresight would save over the best baseline"


def test_the_price_of_simplicity_is_how_much_less_the_cheapest_costs():
    comparison = decided()
    assert told(comparison)["The price of simplicity"].startswith("0.3 EUR: Gradient boosting (LightGBM, 31 leaves) is lowest")
    cheapest = replace(comparison, champion=comparison.judged[0].id)
    assert told(cheapest)["The price of simplicity"].startswith("none: it is the lowest of all")


def test_what_more_rows_it_would_take_is_said_in_times():
    comparison = decided()
    more = replace(comparison, claimed=replace(comparison.claimed, n_required=1240.0))
    assert told(more)["What was asked for"].endswith("; to show it would take about 2.5 times as many rows")
    never = replace(comparison, claimed=replace(comparison.claimed, n_required=math.inf))
    assert told(never)["What was asked for"] == "a gain of 10 % is what counts as worth it"


def test_a_metric_is_no_money():
    comparison = replace(regression(), estimate=Interval(31.2, 29.0, 33.0), claimed=decided().claimed)
    lines = told(comparison)
    assert lines["What to expect"].startswith("RMSE 31.2 (29 to 33), corrected")
    assert lines["What may be claimed"].startswith("It saves 31 % (19 % to 42 %) over the rule 'climatology'")
    assert "In a year" not in lines


def test_an_interval_that_nobody_can_tell_is_not_made_up():
    comparison = replace(decided(), estimate=Interval(41.6, math.nan, math.nan))
    assert told(comparison)["What to expect"].startswith("41.6 (an interval cannot be told) EUR")


def test_where_a_rule_is_champion_the_claim_is_about_the_best_model():
    comparison = decided()
    kept = replace(comparison, champion=comparison.best_baseline)
    lines = told(kept)
    assert lines["What may be claimed"].startswith("The best model saves")
    assert "The price of simplicity" not in lines
    assert "Of what could be saved" not in lines
