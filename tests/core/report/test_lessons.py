"""What a leaderboard teaches about asking and deciding."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from piste.core.report.lessons import asking, deciding
from tests.comparisons import COSTS, decided, regression


def test_the_spread_over_ways_and_over_kinds_is_the_median_of_dearest_over_cheapest():
    models = {family: [cost for cost in costs if cost] for family, costs in COSTS.items() if not family.startswith("baseline")}
    over_ways = np.median([max(costs) / min(costs) - 1 for costs in models.values()])
    ways = [[cost for cost in costs if cost] for costs in zip(*(COSTS[family] for family in models), strict=True)]
    over_kinds = np.median([max(costs) / min(costs) - 1 for costs in ways if len(costs) > 1])
    sentence = asking(decided())
    assert f"move the EUR by {over_ways:.0%};".replace("%", " %") in sentence
    assert f"the kind of model moves it by {over_kinds:.0%} (".replace("%", " %") in sentence


def test_deciding_with_the_uncertainty_is_compared_with_the_same_model_deciding_without_it():
    pairs = [(costs[k], costs[k + 1]) for family, costs in COSTS.items() if not family.startswith("baseline") for k in (0, 2) if costs[k]]
    saved = [1 - with_it / alone for with_it, alone in pairs]
    expected = f"in {sum(share > 0 for share in saved)} of {len(saved)} pairs, by {np.median(saved):.0%} in the median.".replace("%", " %")
    assert deciding(decided()).endswith(expected)


def test_where_it_is_usually_dearer_that_is_said():
    comparison = decided()
    swapped = {"dressed": "plug_in", "plug_in": "dressed", "min_expected_cost": "plug_in"}
    judged = tuple(replace(row, rule=swapped[row.rule]) for row in comparison.judged if row.framing == "mean")
    more = tuple(replace(row, framing="again") for row in judged)
    assert " raises the EUR in " in deciding(replace(comparison, judged=(*judged, *more)))


def test_one_way_of_asking_teaches_nothing():
    assert asking(regression()) == deciding(regression()) == ""
