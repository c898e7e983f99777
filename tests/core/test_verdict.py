"""What is said of a comparison: every verdict is reached by a case built for it, the first that fits is said, in plain words."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from piste.core.check import Examined
from piste.core.comparison import Claimed, Comparison, Curve, Interval, Judged
from piste.core.finding import Finding
from piste.core.verdict import Facts, decide
from tests.cases import written

JARGON = re.compile(r"\b(bbc|max-t|ropes?|blocks?|tiers?|bootstrap\w*|p-values?|quantiles?|nan|inf|delta)\b", re.IGNORECASE)
NAMES = {
    "fix first",
    "not worth predicting",
    "ship",
    "try alongside",
    "keep your rule",
    "get more data",
    "ask differently",
    "best but unpriced",
}

N = 600
RNG = np.random.default_rng(0)
X, NOISE, PAIR = RNG.normal(size=N), RNG.normal(size=(4, N)), np.arange(N) // 2
Y = 100 + 10 * X + 2 * NOISE[0]
ROWS = pd.DataFrame({"x": X, "side": np.where(NOISE[3] > 0, "left", "right"), "pair": PAIR, "y": Y})
DECISION: dict[str, Any] = {"cost": {"over": 1, "under": 4}, "currency": "EUR", "per_year": 1000}
GOOD = Y + 2 * NOISE[1]  # as far off as nobody can help
TOGETHER = {"folds": 5, "together": "pair"}


def found(said: dict[str, Any], *, curve: Curve | None = None, audited: bool = False, **keys: Any) -> Comparison:
    """Judge predictions of the rows, whose pairs stand or fall together."""
    made = written(keys.pop("frame", ROWS), said, **{"split": TOGETHER, "decision": DECISION} | keys)
    return made.comparison(curve=curve, audit=made.audited() if audited else Examined())


def curve(*, matters: float, falls: float) -> Curve:
    """Return a learning curve that promises this."""
    return Curve(pd.DataFrame(), Interval(1.0, 0.9, 1.1), falls, matters, ())


def off(share: float, *, spread: float = 1.0) -> np.ndarray:
    """Return predictions that take this share of the way from the mean to what came, with some noise on the way."""
    return 100 + share * (Y - 100) + spread * NOISE[2]


def small_gain() -> Comparison:
    """Return a comparison in which a model seems to gain less than matters, and may gain more."""
    return found({"linear": off(0.15, spread=4)}, success={"by": "10%"})


REACHED = {
    "ship": lambda: found({"linear": GOOD}),
    "try alongside": lambda: found({"linear": np.where(ROWS["side"] == "left", GOOD, Y + 8 * NOISE[1])}, slices=["side"]),
    "not worth predicting": lambda: found({"linear": GOOD}, success={"worthwhile": 1e6}, audited=True),
    "keep your rule": lambda: found({"linear": 100 + 12 * NOISE[1]}),
    "get more data": lambda: found({"linear": off(0.3, spread=6)}),
    "ask differently": small_gain,
    "best but unpriced": lambda: found({"linear": GOOD}, decision=None),
}


@pytest.mark.parametrize("name", REACHED)
def test_each_verdict_is_reached_by_a_case_built_for_it(name):
    assert REACHED[name]().verdict.name == name


@pytest.mark.parametrize("name", REACHED)
def test_no_sentence_holds_jargon_and_each_holds_numbers(name):
    sentence = REACHED[name]().verdict.sentence
    assert not JARGON.search(sentence), sentence
    assert len(re.findall(r"\d", sentence)) >= 2
    assert sentence.endswith(".")
    assert ".." not in sentence


def test_shipping_says_what_is_saved_a_decision_and_a_year_and_what_it_will_cost():
    comparison = found({"linear": GOOD})
    gain, estimate = comparison.claimed.gain, comparison.estimate
    numbers = f"it saves {gain.low:.3g} to {gain.high:.3g} EUR a decision over your rule 'constant', "
    a_year = f"{float(f'{1000 * gain.low:.3g}'):,.0f} to {float(f'{1000 * gain.high:.3g}'):,.0f} EUR a year "
    corrected = f"(95 %, corrected for trying {comparison.n_columns} candidates); "
    costs = f"expect a cost of {estimate.mean:.3g} EUR a decision ({estimate.low:.3g} to {estimate.high:.3g})."
    title = comparison.row(comparison.champion).title
    assert comparison.verdict.sentence.startswith(f"Ship {title}: {numbers}{a_year}{corrected}{costs}")


def test_without_a_holdout_shipping_says_so_aloud_and_with_one_it_need_not():
    assert found({"linear": GOOD}).verdict.sentence.endswith("No rows were held out: nothing but these folds says so.")
    assert "held out" not in found({"linear": GOOD}, split={**TOGETHER, "holdout": 0.2}).verdict.sentence


def test_the_confidence_asked_for_is_the_one_that_is_said():
    assert "(90 %, corrected" in found({"linear": GOOD}, success={"confidence": 0.9}).verdict.sentence


def test_costs_that_no_currency_counts_stand_alone():
    sentence = found({"linear": GOOD}, decision={"cost": {"over": 1, "under": 4}}).verdict.sentence
    assert re.search(r"it saves [\d.]+ to [\d.]+ a decision over", sentence)


def test_what_is_to_be_watched_is_said():
    sentence = REACHED["try alongside"]().verdict.sentence
    assert "Watch this: Where side is right, a decision costs" in sentence


def test_where_no_model_does_better_both_costs_are_said():
    comparison = REACHED["keep your rule"]()
    best, base = comparison.row("mean/linear/dressed"), comparison.row(comparison.best_baseline)
    assert comparison.verdict.sentence == (
        f"Keep the rule 'constant' for 'y': none of {comparison.n_columns} candidates does better; "
        f"the best model's EUR is {best.cost:.3g}, the rule's {base.cost:.3g}."
    )


def test_a_rule_that_no_model_can_beat_by_what_matters_is_kept_and_the_bound_is_below_what_matters():
    comparison = found({"linear": off(0.1, spread=0.5)}, success={"by": "30%"})
    claimed = comparison.claimed
    assert comparison.verdict.name == "keep your rule"
    assert 0 < claimed.share.mean < claimed.best < claimed.needed == pytest.approx(0.3)
    assert f"saves at most {claimed.best:.1%} of what the rule costs, less than the 30.0% that matter" in comparison.verdict.sentence


def test_of_few_rows_the_rule_is_kept_by_the_bound_that_is_told():
    rows = ROWS.iloc[:200]
    spoken = [off(share, spread=spread)[:200] for share, spread in [(s, w) for s in (0.05, 0.1, 0.2) for w in (0.2, 1)]]
    for each in spoken:
        for by in ("10%", "20%", "40%"):
            comparison = found({"linear": each}, frame=rows, split={"folds": 5, "repeats": 2}, success={"by": by})
            kept = comparison.verdict.name == "keep your rule"
            may_matter = comparison.claimed.gain.mean > 0 and not comparison.claimed.best < comparison.claimed.needed
            assert kept != may_matter


def test_how_many_more_rows_would_settle_it_is_said():
    comparison = REACHED["get more data"]()
    claimed = comparison.claimed
    assert claimed.gain.low < claimed.delta < claimed.gain.mean
    more = math.ceil(claimed.n_required) - 300
    assert 0 < more <= 900
    assert f"About {more:,} more values of 'pair' would settle it." in comparison.verdict.sentence
    assert "and 5.0% matter" in comparison.verdict.sentence


DAYS = ROWS.assign(day=pd.date_range("2000-01-01", periods=N), site=np.arange(N) % 20)


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ({"split": {"folds": 5, "repeats": 1}}, "rows"),
        ({"split": {"scheme": "leave_one_out", "by": "site"}}, "values of 'site'"),
        ({"split": {"scheme": "forward", "folds": 4}, "time": "day"}, "days"),
        ({"split": {"scheme": "forward", "folds": 4, "together": "day"}, "time": "day"}, "days"),
    ],
    ids=["rows", "sites", "days", "rows of a day"],
)
def test_what_more_of_would_help_is_called_by_its_name(keys, word):
    sentence = found({"linear": off(0.3, spread=6)}, frame=DAYS, **keys).verdict.sentence
    assert re.search(rf"[\d,]+ (more )?{word} (would settle it|to tell)", sentence), sentence


def test_a_gain_too_small_asks_for_more_data_only_where_the_curve_promises_it():
    said = {"linear": off(0.15, spread=4)}
    promising = found(said, success={"by": "10%"}, curve=curve(matters=0.9, falls=0.95))
    assert promising.verdict.name == "get more data"
    assert "Learning from twice the rows would bring that much with probability 90%." in promising.verdict.sentence
    flat = found(said, success={"by": "10%"}, curve=curve(matters=0.0, falls=0.1))
    assert flat.verdict.name == "ask differently"
    assert "More rows will not help" in flat.verdict.sentence


def test_a_gain_below_what_matters_is_said_to_be():
    assert "That is less than the 10% that matter; look for columns that say more" in small_gain().verdict.sentence


def test_one_group_of_rows_says_nothing_of_another_and_the_sentence_has_no_number_for_it():
    rows = ROWS.assign(part=np.where(np.arange(N) < 400, "train", "test"), site=np.where(np.arange(N) < 400, "old", "new"))
    comparison = found({"linear": GOOD}, frame=rows, split={"scheme": "predefined", "by": "part", "together": "site"})
    assert comparison.verdict.name == "get more data"
    assert "the rows judged stand or fall together: nothing tells how sure that is. Judge it on ten values of 'site' or more." in (
        comparison.verdict.sentence
    )
    assert np.isnan([comparison.claimed.gain.low, comparison.claimed.gain.high, comparison.estimate.low, comparison.estimate.high]).all()
    assert all(np.isnan([row.gain_lo, row.gain_hi]).all() for row in comparison.judged if row.id != comparison.best_baseline)
    assert not JARGON.search(comparison.verdict.sentence)


def test_a_ranking_by_a_metric_never_says_that_it_is_worth_it():
    comparison = REACHED["best but unpriced"]()
    share, estimate = comparison.claimed.share, comparison.estimate
    assert comparison.verdict.sentence == (
        f"{comparison.row(comparison.champion).title} answers best for 'y': "
        f"rmse {estimate.mean:.3g} ({estimate.low:.3g} to {estimate.high:.3g}), "
        f"at least {share.low:.0%} below the rule 'constant' "
        "(95 %, corrected for trying 2 candidates). Whether that is worth it, only the cost of a wrong decision can say."
    )


def test_where_the_upper_bound_says_nothing_only_the_lower_one_is_said():
    """Of squared errors that vary much, a bound may lie above all that there is to save."""
    facts = replace(SHIPS, priced=False, cost_name="rmse", claimed=claim(5.0, 4.0, 11.0))
    assert "40% to 60% below" in decide(replace(facts, claimed=claim(5.0, 4.0, 6.0))).sentence
    assert decide(replace(facts, claimed=replace(facts.claimed, share=Interval(0.5, 0.4, 1.0)))).sentence == (
        "The linear answers best for 'y': rmse 5.1 (4 to 6), at least 40% below the rule 'constant' (95 %, corrected for trying 60 "
        "candidates). Whether that is worth it, only the cost of a wrong decision can say."
    )


def test_no_model_that_a_person_can_read_leaves_the_rule():
    comparison = found({"forest": GOOD}, families=["forest"], constraints={"explainable": True})
    assert comparison.verdict.name == "keep your rule"
    assert comparison.verdict.sentence == "Keep the rule 'constant' for 'y': no model is left to choose."


# What is said of facts that are made up: the order of the verdicts, and the price of simplicity.


def row(family: str, cost: float, *, tier: int = 1, tied: bool = True) -> Judged:
    """Return a row of the leaderboard."""
    return Judged(
        framing="mean", family=family, rule="dressed", title=f"The {family}", params={}, tier=tier, cost=cost, cost_lo=cost - 0.5,
        cost_hi=cost + 0.5, gain_vs_baseline=1 - cost / 10, gain_lo=0.0, gain_hi=1.0, tied_with_best=tied, metrics={}, train_metrics={},
        fold_costs=(), fit_seconds=0.0, predict_seconds=0.0, n_trials=1,
    )  # fmt: skip


BASE = row("baseline:constant", 10.0, tier=0, tied=False)
LINEAR = row("linear", 5.0)


def claim(mean: float, low: float, high: float, *, delta: float = 1.0, n_required: float = 50) -> Claimed:
    """Return a claim on a rule that costs 10."""
    share = Interval(mean / 10, low / 10, high / 10)
    return Claimed(Interval(mean, low, high), share, high / 10, delta, delta / 10, 100, n_required, "blocks drawn again and again")


SHIPS = Facts(
    about="'y'",
    cost_name="EUR",
    priced=True,
    per_year=None,
    n_columns=60,
    confidence=0.95,
    champion=LINEAR,
    base=BASE,
    rivals=(),
    best=LINEAR,
    claimed=claim(5.0, 4.0, 6.0),
    estimate=Interval(5.1, 4.0, 6.0),
    findings=(),
    curve=None,
    block="days",
    holdout=True,
)
BROKEN = Finding("M11", "block", "pipeline", 5.0, 3.0, "A model finds something where there is nothing", "look at code of your own")
WORTHLESS = Finding("F03", "block", "decision", 10.0, 100.0, "Perfect foresight is worth at most 10 EUR a year", "")
WORTH_LITTLE = replace(WORTHLESS, severity="warn")
UNSTEADY = Finding("M04", "warn", "fold 2", 0.5, 0.8, "The gain does not hold everywhere", "")


def test_what_must_be_fixed_comes_first_whatever_else_is_found():
    verdict = decide(replace(SHIPS, findings=(WORTHLESS, BROKEN, UNSTEADY)))
    assert verdict.name == "fix first"
    assert verdict.sentence == (
        "No score counts until this is resolved: A model finds something where there is nothing. Look at code of your own."
    )


def test_what_somebody_takes_as_it_is_counts_no_more():
    taken = [replace(each, acknowledged="by ana until 2027-01-01: known") for each in (BROKEN, WORTHLESS, UNSTEADY)]
    assert decide(replace(SHIPS, findings=taken)) == decide(SHIPS)
    assert decide(replace(SHIPS, findings=(*taken, BROKEN))).name == "fix first"


def test_of_several_that_must_be_fixed_the_first_is_said_and_the_others_are_counted():
    leak = Finding("L03", "block", "meals", 0.5, 0.05, "is 'meals' known in time?", "say when it is known")
    assert decide(replace(SHIPS, findings=(leak, BROKEN))).sentence == (
        "No score counts until this is resolved: Is 'meals' known in time? Say when it is known. Then there is 1 more like it."
    )
    assert decide(replace(SHIPS, findings=(leak, BROKEN, BROKEN))).sentence.endswith("Then there are 2 more like it.")


@pytest.mark.parametrize("check", ["L02", "L03", "L06", "L07", "L08", "L11", "M04", "M05", "M06", "M07", "M10", "M12", "M14"])
def test_a_warning_that_use_may_be_worse_than_the_score_turns_shipping_into_trying(check):
    assert decide(replace(SHIPS, findings=(replace(UNSTEADY, check=check),))).name == "try alongside"


@pytest.mark.parametrize("finding", [WORTHLESS, WORTH_LITTLE])
def test_a_question_not_worth_asking_is_not_shipped(finding):
    verdict = decide(replace(SHIPS, findings=(UNSTEADY, finding)))
    assert (verdict.name, verdict.sentence) == ("not worth predicting", "Perfect foresight is worth at most 10 EUR a year.")


def test_a_warning_turns_shipping_into_trying_and_a_note_does_not():
    assert decide(replace(SHIPS, findings=(UNSTEADY,))).name == "try alongside"
    assert decide(replace(SHIPS, findings=(replace(UNSTEADY, severity="note"),))).name == "ship"
    assert decide(replace(SHIPS, findings=(replace(UNSTEADY, check="M02"),))).name == "ship"


def test_several_warnings_are_counted_and_one_that_is_said_twice_is_one():
    both = (UNSTEADY, replace(UNSTEADY, message="The champion is too sure of 'high'"), UNSTEADY)
    assert "Watch this: The gain does not hold everywhere; and 1 more." in decide(replace(SHIPS, findings=both)).sentence


@pytest.mark.parametrize(
    ("low", "priced", "name"),
    [(1.0, True, "ship"), (0.99, True, "get more data"), (4.0, False, "best but unpriced"), (-0.01, False, "get more data")],
)
def test_the_lower_bound_decides_what_may_be_shipped(low, priced, name):
    assert decide(replace(SHIPS, claimed=claim(5.0, low, 6.0), priced=priced)).name == name


@pytest.mark.parametrize(("n_required", "name"), [(400, "get more data"), (401, "ask differently"), (math.inf, "ask differently")])
def test_more_data_is_asked_for_up_to_four_times_what_is_there(n_required, name):
    assert decide(replace(SHIPS, claimed=claim(2.0, 0.5, 3.5, n_required=n_required))).name == name


def test_how_much_it_would_take_is_said_where_it_is_too_much():
    sentence = decide(replace(SHIPS, claimed=claim(2.0, 0.5, 3.5, n_required=12_345))).sentence
    assert "It would take about 12,345 days to tell" in sentence


def test_the_price_of_simplicity_is_said():
    boosting = row("boosting", 4.4, tier=4)
    sentence = decide(replace(SHIPS, rivals=(boosting, row("forest", 4.6, tier=3)), best=boosting)).sentence
    assert "It is the simplest of 3 too close to tell apart; The boosting is lower by 0.6 EUR." in sentence


def test_a_champion_that_can_be_told_from_the_best_is_too_close_to_matter():
    boosting = row("boosting", 4.95, tier=4)
    sentence = decide(replace(SHIPS, champion=replace(LINEAR, tied_with_best=False), rivals=(boosting,), best=boosting)).sentence
    assert "It is the simplest of 2 too close to matter; The boosting is lower by 0.05 EUR." in sentence


def test_no_champion_is_called_the_simplest_while_a_simpler_model_is_tied():
    boosting = row("boosting", 4.4, tier=4)
    sentence = decide(replace(SHIPS, champion=boosting, best=boosting, rivals=(LINEAR,))).sentence
    assert "It is one of 2 too close to tell apart." in sentence


def test_alone_at_the_top_nothing_is_said_of_ties():
    assert "too close" not in decide(SHIPS).sentence


def test_every_verdict_there_is_is_reached_here():
    assert {*REACHED, "fix first"} == NAMES


def test_large_amounts_are_grouped_and_small_ones_short():
    sentence = decide(replace(SHIPS, claimed=claim(45_678.0, 12_345.6, 80_000.0), estimate=Interval(0.012345, 0.01, 0.02))).sentence
    assert "it saves 12,300 to 80,000 EUR a decision" in sentence
    assert "expect a cost of 0.0123 EUR a decision (0.01 to 0.02)" in sentence
