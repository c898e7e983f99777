"""Who is champion, and what is said of it."""

from __future__ import annotations

import math

import pytest

from piste.core.comparison import Judged, Verdict
from piste.core.verdict import MATTERS, champion, decide


def row(family: str, cost: float, *, tier: int = 1, base: float = 10.0, half: float = 0.01, tied: bool = False) -> Judged:
    """Return a row of the leaderboard; `half` is half of its gain's interval."""
    gain = 1 - cost / base
    return Judged(
        framing="mean",
        family=family,
        rule="plug_in",
        title=f"The {family}",
        params={},
        tier=0 if family.startswith("baseline:") else tier,
        cost=cost,
        cost_lo=cost - 0.5,
        cost_hi=cost + 0.5,
        gain_vs_baseline=gain,
        gain_lo=gain - half,
        gain_hi=gain + half,
        tied_with_best=tied,
        metrics={},
        train_metrics={},
        fold_costs=(),
        fit_seconds=0.0,
        predict_seconds=0.0,
        n_trials=1,
    )


BASE = row("baseline:constant", 10.0)


def chosen(*pairs: tuple[Judged, bool], order: tuple[str, ...] = ()) -> str:
    """Return the family of the champion of rows, best first, each with whether it is close to the best."""
    return champion([each for each, _ in pairs], [near for _, near in pairs], order).family


def said(*rows: Judged, of: int, question: str = "'y'", n: int = 60) -> Verdict:
    """Return the verdict where the row at this place is champion."""
    return decide(rows, rows[of], "rmse", question, n)


def test_the_champion_is_the_simplest_within_one_standard_error_of_the_best():
    boosting, forest, tree, linear = (
        row(*each, tier=t) for each, t in zip((("boosting", 5), ("forest", 5.1), ("tree", 5.2), ("linear", 7)), (6, 5, 2, 1), strict=True)
    )
    assert chosen((boosting, True), (forest, True), (tree, True), (linear, False), (BASE, False)) == "tree"
    assert chosen((boosting, True), (forest, True), (tree, False), (linear, False), (BASE, False)) == "forest"
    assert chosen((boosting, True), (forest, False), (tree, False), (linear, False), (BASE, False)) == "boosting"


def test_of_one_tier_the_cheaper_is_champion():
    assert chosen((row("b", 5.0, tier=3), True), (row("a", 5.1, tier=3), True), (BASE, False)) == "b"


def test_the_order_of_families_overrides_tiers():
    pairs = ((row("boosting", 5.0, tier=6), True), (row("tree", 5.1, tier=2), True), (BASE, False))
    assert chosen(*pairs, order=("boosting", "tree")) == "boosting"
    assert chosen(*pairs, order=("tree", "boosting")) == "tree"
    assert chosen(*pairs, order=("boosting",)) == "boosting"  # those not named come after


def test_an_order_prefers_among_the_close_and_makes_none_of_the_others_champion():
    assert (
        chosen((row("boosting", 5.0, tier=6), True), (row("linear", 7.0), False), (BASE, False), order=("linear", "boosting")) == "boosting"
    )


def test_the_best_model_may_be_champion_whatever_its_own_closeness_says():
    assert chosen((row("linear", 5.0), False), (BASE, False)) == "linear"  # a standard error of NaN is close to nothing


def test_a_baseline_that_is_close_is_no_model_and_so_no_champion():
    assert chosen((row("linear", 9.0), True), (BASE, True)) == "linear"


@pytest.mark.parametrize("cost", [10.0, 11.0])
def test_a_baseline_is_champion_where_no_model_is_better(cost):
    better = row("baseline:climatology", 10.0)
    assert chosen((better, False), (row("linear", cost, half=0.5), True), (row("baseline:constant", 12.0), False)) == "baseline:climatology"


def test_a_baseline_is_champion_where_no_model_can_matter():
    small = 1 - MATTERS / 2
    assert chosen((row("linear", 10 * small, half=0.01), True), (BASE, False)) == "baseline:constant"
    assert chosen((row("linear", 10 * small, half=0.10), True), (BASE, False)) == "linear"


def test_without_a_model_the_best_baseline_is_champion():
    assert chosen((BASE, False), (row("baseline:other", 12.0), False)) == "baseline:constant"


def test_keep_your_rule_where_no_model_is_better():
    verdict = said(BASE, row("linear", 11.0), of=0)
    assert verdict.name == "keep your rule"
    assert verdict.sentence == (
        "Keep the rule 'constant' for 'y': none of 60 candidates does better; the best model's rmse is 11, the rule's 10."
    )


def test_keep_your_rule_where_no_gain_can_matter():
    verdict = said(row("linear", 9.8, half=0.01), BASE, of=1)
    assert verdict.name == "keep your rule"
    assert verdict.sentence == (
        "Keep the rule 'constant' for 'y': the best of 60 candidates gains 2.0%, at most 3.0%, too little to matter."
    )


def test_keep_your_rule_where_no_model_finished():
    assert said(BASE, of=0).sentence == "Keep the rule 'constant' for 'y': no model finished."


def test_get_more_data_where_the_rows_cannot_tell():
    verdict = said(row("linear", 8.0, half=0.3), BASE, of=0)
    assert verdict.name == "get more data"
    assert verdict.sentence == (
        "These rows cannot tell whether any model beats the rule 'constant' for 'y': "
        "The linear reaches rmse 8 (7.5 to 8.5), 20% below the best baseline, 'constant' (-10% to 50%)."
    )


def test_get_more_data_where_there_is_no_interval_at_all():
    assert said(row("linear", 8.0, half=math.nan), BASE, of=0).name == "get more data"


def test_best_but_unpriced_says_by_how_much_and_what_it_does_not_know():
    verdict = said(row("linear", 5.0, half=0.1, tied=True), BASE, of=0)
    assert verdict.name == "best but unpriced"
    assert verdict.sentence == (
        "The linear answers best for 'y': rmse 5 (4.5 to 5.5), 50% below the best baseline, 'constant' (40% to 60%). "
        "Whether that is worth it, only the cost of a wrong decision can say."
    )


def test_a_tie_is_said_with_its_number_of_models():
    rows = (row("boosting", 5.0, tied=True), row("linear", 5.1, tied=True), row("tree", 6.0), BASE)
    assert "It is the simplest of 2 too close to tell apart." in said(*rows, of=1).sentence


def test_large_costs_are_grouped_and_small_ones_short():
    big = row("linear", 12345.6, base=50_000)
    assert "rmse 12,346 (12,345 to 12,346)" in said(big, row("baseline:constant", 50_000.0, base=50_000), of=0).sentence


def test_no_champion_is_called_the_simplest_while_a_simpler_model_is_tied():
    rows = (row("boosting", 5.0, tier=6, tied=True), row("linear", 5.3, tier=1, tied=True), BASE)  # tied, but not within one standard error
    assert "It is the simplest" not in said(*rows, of=0).sentence
