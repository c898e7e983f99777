"""Who is champion, and what may be claimed of it: judged on losses that are written down, against the same by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from piste.core.case import claimed, in_next_period, versus
from piste.core.entrants import court_of
from piste.core.errors import PisteError
from tests.cases import Written, prepared, weigh, written

N = 400
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=N), 100 + 10 * RNG.normal(size=N)
Z = RNG.normal(size=N)
Z = (Z - Z.mean()) / Z.std(ddof=1)
ROWS = pd.DataFrame({"x": X, "pair": np.arange(N) // 2, "y": Y})
ORDER = ["linear", "tree", "boosting"]


def losing(losses: np.ndarray | float) -> np.ndarray:
    """Return predictions whose squared errors are these."""
    return Y + np.sqrt(np.broadcast_to(losses, N))


def case(said: dict[str, Any], **keys: Any) -> Written:
    """Judge predictions by their mean squared error; what is too close to matter is nothing unless said."""
    frame = keys.pop("frame", ROWS)
    return written(frame, said, **{"metric": "mse", "families": ORDER, "success": {"same": "0%"}} | keys)


def champion(made: Written) -> str:
    """Return the champion's entry."""
    return made.case.entrants[made.case.champion].column.entry


BEST = 20 + Z  # squared errors of the best model


def dealt(values: np.ndarray, seed: int) -> np.ndarray:
    """Return the values in another order."""
    return np.random.default_rng(seed).permutation(values)


def apart(errors: float, seed: int = 1) -> np.ndarray:
    """Return squared errors that lie above the best ones by so many standard errors of the paired difference."""
    other = dealt(Z, seed)
    return BEST + other + errors / np.sqrt(N)


@pytest.mark.parametrize(("errors", "chosen"), [(0.9, "linear"), (1.1, "boosting")])
def test_the_simplest_within_one_standard_error_of_the_best_is_champion(errors, chosen):
    made = case({"boosting": losing(BEST), "linear": losing(apart(errors))})
    assert champion(made) == chosen
    difference = made.case.losses[:, made.column("linear")] - made.case.losses[:, made.column("boosting")]
    assert difference.mean() / (difference.std(ddof=1) / np.sqrt(N)) == pytest.approx(errors)


def test_the_standard_error_is_that_of_the_difference_not_of_the_costs():
    wild = 60 + 15 * Z  # what both share says nothing of either
    made = case({"boosting": losing(wild), "linear": losing(wild + 0.1 + 0.01 * np.abs(dealt(Z, 2)))})
    assert np.std(wild) / np.sqrt(N) > 0.7
    assert champion(made) == "boosting"


def test_pairs_that_stand_or_fall_together_count_once():
    """What is alike in a pair is one observation: the same difference is surer of single rows than of pairs."""
    doubled = np.repeat(dealt(Z[::2], 3), 2)
    other = losing(BEST + doubled + 1.2 * doubled.std(ddof=1) / np.sqrt(N) - doubled.mean())
    said = {"boosting": losing(BEST), "linear": other}
    assert champion(case(said)) == "boosting"
    assert champion(case(said, split={"folds": 5, "together": "pair"})) == "linear"  # 1.2 / sqrt(2) of theirs


def test_the_order_of_families_is_the_order_of_preference():
    said = {"boosting": losing(apart(0.5)), "linear": losing(BEST)}
    assert champion(case(said, families=["linear", "boosting"])) == "linear"
    assert champion(case(said, families=["boosting", "linear"])) == "boosting"


def test_where_the_author_gives_no_order_the_simplest_kind_is_preferred():
    made = case({"forest": losing(BEST), "linear": losing(apart(0.5)), "boosting": losing(apart(0.2))}, families=None)
    assert champion(made) == "linear"


def test_of_equally_simple_ones_the_one_with_the_lower_cost_is_champion():
    made = case({"linear": [losing(apart(0.6)), losing(apart(0.2, 6)), losing(apart(0.4, 7))], "boosting": losing(BEST)})
    assert (champion(made), made.case.entrants[made.case.champion].column.number) == ("linear", 1)


def test_a_framing_that_needs_no_further_columns_is_simpler():
    framings = {"more": {"as": "mean", "add": ["pair + 1"]}, "plain": {"as": "mean"}}
    made = case({("more", "linear"): losing(BEST), ("plain", "linear"): losing(apart(0.5))}, framings=framings)
    assert made.case.entrants[made.case.champion].column.framing == "plain"


@pytest.mark.parametrize(("metric", "of_best"), [("mse", 1.0), ("rmse", 1.0), ("rmse", 5.0)])
@pytest.mark.parametrize(("share", "chosen"), [(0.009, "linear"), (0.011, "boosting")])
def test_too_close_to_matter_is_a_share_of_what_the_rule_is_shown_to_cost(metric, of_best, share, chosen):
    power = 2 if metric == "rmse" else 1
    base = float(np.mean((Y - 100) ** 2)) ** (1 / power)
    worse = (of_best + share * base) ** power
    rows = ROWS.assign(hundred=100.0)
    made = case(
        {"boosting": losing(of_best**power), "linear": losing(worse)},
        frame=rows,
        baselines={"hundred": "hundred"},
        success={"same": "1%", "beat": "hundred"},
        metric=metric,
    )
    assert champion(made) == chosen


@pytest.mark.parametrize(
    ("metric", "by", "delta"),
    [
        ("mse", "10%", lambda shown: 0.1 * shown),
        ("mse", 2.5, lambda shown: 2.5),
        ("rmse", "10%", lambda shown: shown**2 - (0.9 * shown) ** 2),
        ("rmse", 2.5, lambda shown: shown**2 - (shown - 2.5) ** 2),
        ("rmse", 1000.0, lambda shown: shown**2),
    ],
)
def test_what_matters_is_a_share_or_an_amount_of_what_is_shown(metric, by, delta):
    made = case({"linear": losing(5.0)}, success={"by": by}, metric=metric)
    base = made.comparison().row("mean/baseline:constant/plug_in").cost
    assert made.case.choice.delta == pytest.approx(delta(base))
    assert claimed(made.case).needed == pytest.approx(min(1.0, by / base if isinstance(by, float) else 0.1))


def test_amounts_are_counted_in_the_unit_of_the_cost():
    made = case({"linear": losing(5.0)}, decision={"cost": {"over": 1, "under": 4}}, success={"by": 0.75, "same": 0.25})
    assert (made.case.choice.delta, made.case.choice.rope) == (pytest.approx(0.75), pytest.approx(0.25))


def test_success_names_the_rule_to_beat_though_another_is_better():
    rows = ROWS.assign(near=Y + 3, far=Y + 9)
    keys: dict[str, Any] = {"frame": rows, "baselines": {"near": "near", "far": "far"}}
    best = case({"linear": losing(4.0)}, **keys).comparison()
    named = case({"linear": losing(4.0)}, success={"beat": "far"}, **keys).comparison()
    assert (best.best_baseline, named.best_baseline) == ("mean/baseline:near/plug_in", "mean/baseline:far/plug_in")
    assert best.claimed.gain.mean == pytest.approx(9 - 4)
    assert named.claimed.gain.mean == pytest.approx(81 - 4)
    assert named.row("mean/baseline:near/plug_in").gain_vs_baseline == pytest.approx(1 - 9 / 81)


def noisy(spread: float) -> dict[str, np.ndarray]:
    """Return a model that is nearer than the constant by a quarter of its cost, less some noise of its own."""
    return {"linear": losing(0.75 * (Y - Y.mean()) ** 2 + spread * np.abs(Z))}


def test_a_rule_is_champion_only_where_no_model_may_gain_what_matters():
    keys: dict[str, Any] = {"split": {"folds": 5, "together": "pair"}}
    for by in (0.02, 0.05, 0.1, 0.2, 0.4):
        made = case(noisy(20), success={"by": f"{100 * by:g}%", "same": "0%"}, **keys)
        column = made.column("linear")
        gain, bound = made.case.claim.gain[column], made.case.claim.upper[column]
        assert gain > 0
        assert (champion(made) == "baseline:constant") == (bound < made.case.choice.delta)


def test_a_model_that_gains_less_than_a_standard_error_is_champion_all_the_same_while_it_may_matter():
    other = dealt((Y - Y.mean()) ** 2, 4)
    made = case({"linear": losing(0.94 * other)}, success={"by": "1%"}, split={"folds": 5, "together": "pair"})
    gain, error = made.case.claim.gain[made.column("linear")], made.case.claim.error[made.column("linear")]
    assert 0 < gain < error
    assert champion(made) == "linear"


def test_where_no_model_gains_anything_the_rule_is_champion():
    assert champion(case({"linear": losing(500.0)})) == "baseline:constant"


def by_fold(made: Written, entry: str) -> np.ndarray:
    """Return the mean squared error in each fold, slowly."""
    raw = made.case.entrants[made.column(entry)].column.raw
    lines = made.case.court.lines
    return np.array([np.mean((Y[lines.row[lines.fold == f]] - raw[lines.fold == f]) ** 2) for f in range(len(made.at.folds.folds))])


def test_of_few_exchangeable_rows_errors_count_what_folds_share():
    made = case({"linear": losing(BEST)}, split={"folds": 5, "repeats": 3})
    gaps = by_fold(made, "baseline:constant") - by_fold(made, "linear")
    assert len(gaps) == 15
    error = np.sqrt((1 / 15 + 80 / 320) * gaps.var(ddof=1))
    assert made.case.claim.error[made.column("linear")] == pytest.approx(error)
    assert "few rows" in made.case.claimed_by


@pytest.mark.parametrize(
    "keys",
    [
        {"split": {"folds": 5, "together": "pair"}},
        {"split": {"scheme": "forward", "folds": 4}, "time": "day"},
        {"frame": pd.concat([ROWS] * 6, ignore_index=True)},
    ],
    ids=["rows that go together", "rows in time", "many rows"],
)
def test_of_other_rows_errors_are_those_of_blocks_drawn_again(keys):
    frame = keys.get("frame", ROWS)
    y = frame["y"].to_numpy()
    rows = frame.assign(day=pd.date_range("2000-01-01", periods=len(frame))) if "time" in keys else frame
    made = case({"linear": y + np.sqrt(np.tile(BEST, len(frame) // N))}, **{**keys, "frame": rows})
    assert made.case.claimed_by == "blocks drawn again and again"
    column, base = made.column("linear"), made.case.base
    drawn = made.case.sample.draws[:, base] - made.case.sample.draws[:, column]
    assert made.case.claim.error[column] == pytest.approx(drawn.std() * made.case.sample.widening)


def test_under_ten_blocks_there_is_no_drawing_and_the_claim_says_so():
    rows = ROWS.assign(site=np.arange(N) % 6)
    made = case({"linear": losing(BEST)}, frame=rows, split={"scheme": "leave_one_out", "by": "site"})
    assert made.case.claimed_by == "6 blocks only: Student's t"
    assert made.case.sample.draws is None


def test_bounds_hold_for_all_columns_at_once_so_more_columns_widen_them():
    columns = [losing(0.9 * dealt((Y - Y.mean()) ** 2, seed)) for seed in range(30)]
    few, many = (case({"neural": each}, families=["neural"], split={"folds": 5, "together": "pair"}) for each in (columns[:1], columns))
    assert many.case.claim.critical > few.case.claim.critical + 0.3
    assert len(many.case.claim.gain) == 31


def test_what_the_champion_will_cost_is_corrected_for_having_been_chosen():
    """All settings cost 105 in truth; the best of so many looks better than it is, and the estimate does not."""
    rng = np.random.default_rng(5)
    equal = [losing(100 + 5 * rng.normal(size=N) ** 2) for _ in range(40)]
    made = case({"neural": equal}, families=["neural"])
    lowest = min(made.case.sample.mean[list(made.case.models)])
    assert lowest < 104.6
    assert 104.8 < made.case.estimate.mean < 105.3
    assert made.case.estimate.low < 105 < made.case.estimate.high


def test_how_many_blocks_would_settle_it_is_what_makes_the_lower_bound_meet_what_matters():
    made = case(noisy(15), split={"folds": 5, "together": "pair"}, success={"by": "2%"})
    said = claimed(made.case)
    column = made.column("linear")
    assert said.n_blocks == N // 2
    bounds = made.case.claim
    factor = (bounds.gain[column] - bounds.lower[column]) / (said.gain.mean - said.delta)
    assert said.n_required == np.ceil(said.n_blocks * factor**2)
    assert (said.n_required <= said.n_blocks) == (said.gain.low >= said.delta)


def test_a_claim_is_of_the_champion_and_where_a_rule_is_champion_of_the_best_model():
    shipped = case({"boosting": losing(BEST), "linear": losing(apart(0.5))})
    assert claimed(shipped.case).gain.mean == pytest.approx(shipped.case.claim.gain[shipped.column("linear")])
    kept = case({"boosting": losing(BEST + 500), "linear": losing(BEST + 600)})
    assert champion(kept) == "baseline:constant"
    assert claimed(kept.case).gain.mean == pytest.approx(kept.case.claim.gain[kept.column("boosting")])
    assert claimed(kept.case).gain.mean < 0


def test_shares_of_an_rmse_are_shares_of_what_is_shown():
    made = case({"linear": losing(25.0)}, metric="rmse")
    base = np.sqrt(made.case.sample.mean[made.case.base])
    assert claimed(made.case).share.mean == pytest.approx(1 - 5 / base)
    assert claimed(made.case).gain.mean == pytest.approx(base**2 - 25)


SEASONS = ROWS.assign(day=pd.to_datetime("2000-12-01") + pd.to_timedelta(np.arange(N) % 80 + 365 * (np.arange(N) // 80), unit="D"))


def test_the_gain_of_one_more_season_has_the_prediction_interval_of_student():
    made = case({"linear": losing(BEST)}, frame=SEASONS, time="day", split={"scheme": "forward", "by": "season"}, metric="rmse")
    comparison = made.comparison()
    assert len(comparison.fold_names) == 4
    gains = np.subtract(
        comparison.row(comparison.best_baseline).fold_costs, comparison.row("mean/linear/plug_in").fold_costs
    )  # in what is shown
    reach = stats.t.ppf(0.975, 3) * gains.std(ddof=1) * np.sqrt(1 + 1 / 4)
    found = comparison.next_period
    assert (found.mean, found.low, found.high) == pytest.approx((gains.mean(), gains.mean() - reach, gains.mean() + reach))


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"frame": SEASONS, "time": "day", "split": {"scheme": "forward"}},
        {"frame": ROWS.assign(site=np.arange(N) % 10), "split": {"scheme": "leave_one_out", "by": "site"}},
    ],
    ids=["folds at random", "days without seasons", "many sites"],
)
def test_there_is_no_next_period_where_folds_are_none_or_many(keys):
    rows = keys.get("frame", ROWS)
    if keys.get("split") == {"scheme": "forward"}:
        rows = rows.assign(day=pd.date_range("2000-01-01", periods=N))
    assert in_next_period(case({"linear": losing(BEST)}, **{**keys, "frame": rows}).case) is None


def test_there_is_no_next_period_for_a_rule_that_is_kept():
    made = case({"linear": losing(500.0)}, frame=SEASONS, time="day", split={"scheme": "forward", "by": "season"})
    assert in_next_period(made.case) is None


def test_the_champion_and_the_best_other_model_are_held_against_each_other_over_other_splits():
    made = case({"linear": losing(BEST), "boosting": losing(BEST + Z / 2 + 0.4)}, success={"same": "0%"}, split={"folds": 5, "repeats": 2})
    found = versus(made.case)
    gaps = by_fold(made, "boosting") - by_fold(made, "linear")
    scale = np.sqrt((1 / 10 + 80 / 320) * gaps.var(ddof=1))
    assert found.other == "mean/boosting/plug_in"
    assert found.better == pytest.approx(stats.t.sf(-gaps.mean() / scale, 9))
    assert found.worse + found.same + found.better == pytest.approx(1)


def test_one_model_has_no_other_to_be_held_against_and_seasons_are_not_exchangeable():
    assert versus(case({"linear": losing(BEST)}).case) is None
    said = {"linear": losing(BEST), "tree": losing(apart(1))}
    assert versus(case(said, frame=SEASONS, time="day", split={"scheme": "forward", "by": "season"}).case) is None


TRUTH = """\
import numpy as np
import pandas as pd

def rows():
    return pd.read_csv("rows.csv")

def known(frame):
    return np.repeat(frame["secret"].to_numpy()[:, None], 3, axis=1)
"""


def test_who_knows_more_than_can_be_known_is_shown_and_never_wins_nor_counts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("world.py").write_text(TRUTH)
    ROWS.assign(secret=Y + 0.5).to_csv("rows.csv", index=False)
    keys: dict[str, Any] = {
        "frame": "python:world.py:rows",
        "decision": {"cost": {"over": 1, "under": 4}},
        "known_at": {"after": ["secret"]},
    }
    without = case({"linear": losing(25.0)}, **keys)
    made = case({"linear": losing(25.0)}, **keys, truth="world.py:known")
    comparison = made.comparison()
    foresight, truth = comparison.references
    assert (foresight.framing, foresight.cost) == ("foresight", 0.0)
    assert (truth.framing, truth.cost) == ("truth", pytest.approx(0.5))  # over by one half everywhere
    assert truth.cost < min(row.cost for row in comparison.judged if row.family != "linear")
    assert not {row.id for row in comparison.references} & {row.id for row in comparison.judged}
    assert comparison.n_columns == len(without.case.entrants) == len(made.case.claim.gain)
    assert comparison.champion.startswith("mean/linear")
    assert made.case.estimate == without.case.estimate
    np.testing.assert_allclose(comparison.losses["truth/reference/0/known"], 0.5)


def test_even_foresight_keeps_to_the_budget():
    level = np.tile([0, 1, 1, 1], N // 4)
    rows = pd.DataFrame({"x": X, "day": np.arange(N) // 4, "y": np.where(level, "busy", "quiet")})
    decision = {"cost": {"none": [0, 10], "one": [2, 1]}, "budget": {"units": 1, "per": ["day"]}}
    made = written(
        rows,
        {"linear": np.column_stack([1 - level, level]).astype(float)},
        decision=decision,
        target={"column": "y", "kind": "ordered", "order": ["quiet", "busy"]},
        framings=["classes"],
        split={"folds": 4, "together": "day"},
    )
    foresight = made.comparison().references[0]
    assert foresight.cost == pytest.approx((0 + 1 + 10 + 10) / 4)  # one of three busy rows a day is served
    assert foresight.actions == {"none": 0.75, "one": 0.25}


def test_only_what_a_person_can_read_may_be_champion_where_that_is_asked_for():
    said = {"linear": losing(BEST + 20), "boosting": losing(BEST)}
    assert champion(case(said)) == "boosting"
    readable = case(said, constraints={"explainable": True})
    assert champion(readable) == "linear"
    assert [readable.case.entrants[i].column.entry for i in readable.case.models] == ["linear"]
    assert "too close" not in readable.comparison().verdict.sentence


def test_without_a_rule_there_is_nothing_to_compare_with():
    at = prepared(ROWS)
    with pytest.raises(PisteError, match="no baseline could be computed"):
        weigh(at.resolved, at.folds, at.plan, court_of(at.resolved, at.folds), [], {}, None)


def test_a_rule_that_never_errs_is_kept_and_nothing_is_divided_by_its_cost():
    made = case({"linear": losing(1.0), "baseline:constant": Y})
    comparison = made.comparison()
    assert comparison.champion == comparison.best_baseline
    row = comparison.row("mean/linear/plug_in")
    assert np.isnan([row.gain_vs_baseline, row.gain_lo, row.gain_hi, row.value]).all()
    assert comparison.verdict.name == "keep your rule"
