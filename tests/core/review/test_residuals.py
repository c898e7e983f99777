"""M08: whether what the champion leaves unexplained still follows a column, or itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from piste.core.check import NotApplicable
from piste.core.review.residuals import nothing_left
from tests.cases import Written, prepared, told, written

N = 1000
RNG = np.random.default_rng(0)
X = RNG.normal(size=N)
SHOP = np.array(["north", "south", "east", "west"])[RNG.integers(4, size=N)]
NOISE = RNG.normal(size=N)
Y = 100 + 10 * X + NOISE
ROWS = pd.DataFrame({"x": X, "shop": SHOP, "pair": np.arange(N) // 2, "y": Y})
TOGETHER: dict[str, Any] = {"split": {"folds": 4, "together": "pair"}}


def missing(share: float, **keys: Any) -> Written:
    """Judge a model whose errors are to this share the work of the shop."""
    south = SHOP == "south"
    by_shop = (south - south.mean()) / south.std()
    error = np.sqrt(share) * by_shop + np.sqrt(1 - share) * NOISE
    return written(ROWS.assign(y=Y), {"linear": Y - 3 * error}, **TOGETHER | keys)


@pytest.mark.parametrize(("share", "fires"), [(0.0, False), (0.01, False), (0.1, True), (0.4, True)])
def test_errors_that_follow_a_column_are_noted_with_the_share_that_a_tree_foretells(share, fires):
    findings, _ = told(nothing_left, missing(share).case)
    assert [(each.check, each.severity, each.on) for each in findings] == [("M08", "note", "shop")] * fires
    if fires:
        assert findings[0].number == pytest.approx(share, abs=0.03)


def test_noise_that_a_tree_finds_by_chance_is_none():
    for seed in range(8):
        noise = np.random.default_rng(seed).standard_t(3, N)
        assert told(nothing_left, written(ROWS, {"linear": Y - 3 * noise}, **TOGETHER).case)[0] == []


def test_a_bias_alone_follows_no_column():
    assert told(nothing_left, written(ROWS, {"linear": Y - 2 - NOISE}, **TOGETHER).case)[0] == []


def test_what_it_could_save_is_said():
    [finding] = told(nothing_left, missing(0.4).case)[0]
    assert finding.consequence == f"Using it would cut errors by about {1 - np.sqrt(1 - finding.number):.0%}"
    assert finding.paste == "search: {trials: 20}"


def test_errors_of_probabilities_are_looked_at_class_by_class():
    busy = RNG.random(N) < np.where(SHOP == "south", 0.8, 0.2) * (X > -1)
    frame = ROWS.assign(y=np.where(busy, "busy", "quiet"))
    flat = np.column_stack([1 - 0.35 * (X > -1), 0.35 * (X > -1)]).clip(0.02, 0.98)
    keys: dict[str, Any] = {"target": {"column": "y", "positive": "busy"}, "framings": ["classes"]}
    [finding] = told(nothing_left, written(frame, {"linear": flat}, **TOGETHER | keys).case)[0]
    assert finding.on == "shop"
    true = np.where(SHOP == "south", 0.8, 0.2) * (X > -1)
    true = np.clip(true, 0.02, 0.98)
    assert told(nothing_left, written(frame, {"linear": np.column_stack([1 - true, true])}, **TOGETHER | keys).case)[0] == []


def test_forward_in_time_only_earlier_errors_teach():
    """What begins with the last test period, no earlier error foretells."""
    day = pd.date_range("2000-01-03", periods=N, freq="7D")
    late = np.arange(N) >= 2 * N // 3
    error = NOISE + 3 * np.where(SHOP == "south", 1, 0) * late
    forward: dict[str, Any] = {"time": "day", "split": {"scheme": "forward", "folds": 2}}
    frame = ROWS.assign(day=day).drop(columns="pair")
    findings, _ = told(nothing_left, written(frame, {"linear": Y - error}, **forward).case)
    assert not [each for each in findings if each.on == "shop"]
    always = NOISE + 3 * np.where(SHOP == "south", 1, 0)
    findings, _ = told(nothing_left, written(frame, {"linear": Y - always}, **forward).case)
    assert [each.on for each in findings] == ["shop"]


# Errors that follow themselves.

DAYS = 600
DAY = pd.date_range("2001-01-01", periods=DAYS)


def lasting(memory: float, lag: int = 1, seed: int = 0) -> np.ndarray:
    """Return a series of unit variance with this correlation between values so many days apart."""
    rng = np.random.default_rng(seed)
    found = rng.normal(size=DAYS)
    for i in range(lag, DAYS):
        found[i] = memory * found[i - lag] + np.sqrt(1 - memory**2) * found[i]
    return found


def daily(error: np.ndarray, **keys: Any) -> Written:
    """Judge a model of days with such errors."""
    rng = np.random.default_rng(9)
    x = rng.normal(size=DAYS)
    y = 100 + 10 * x + rng.normal(size=DAYS)
    frame = pd.DataFrame({"day": DAY, "x": x, "y": y})
    usual: dict[str, Any] = {"time": "day", "split": {"scheme": "forward", "folds": 3}, "metric": "mse"}
    return written(frame, {"linear": y - 2 * error}, **usual | keys)


def alike(made: Written) -> list[Any]:
    return [each for each in told(nothing_left, made.case)[0] if each.on == "day"]


@pytest.mark.parametrize(("memory", "fires"), [(0.0, False), (0.1, False), (0.4, True), (0.8, True)])
def test_an_error_like_the_one_before_is_noted(memory, fires):
    made = daily(lasting(memory))
    found = alike(made)
    assert len(found) == fires
    if fires:
        lines = made.case.court.lines
        errors = lasting(memory)[np.sort(lines.row[lines.counts])]
        assert found[0].number == pytest.approx(np.corrcoef(errors[1:], errors[:-1])[0, 1], abs=0.01)


def test_the_line_to_paste_adds_what_was_lacking_and_can_be_run():
    [finding] = alike(daily(lasting(0.8)))
    assert finding.paste == 'framings: {mean: {as: mean}, with_lags: {as: mean, add: ["y@-1d"]}}'
    frame = pd.DataFrame({"day": DAY, "x": 1.0 * np.arange(DAYS), "y": 1.0 * np.arange(DAYS)})
    asked = {"mean": {"as": "mean"}, "with_lags": {"as": "mean", "add": ["y@-1d"]}}
    at = prepared(frame, time="day", split={"scheme": "forward", "folds": 3}, framings=asked)
    assert "with_lags" in at.plan.asked


def test_what_is_not_known_yet_at_the_decision_is_not_looked_at():
    """Decided on the evening before and known a day later, the latest error that is known is two days old."""
    decision = {"made_at": "-1d 18:00"}
    short = daily(np.convolve(lasting(0.0, seed=3), [1, 1], "same") / np.sqrt(2), decision=decision)  # like the day before, and no more
    assert alike(short) == []
    [finding] = alike(daily(lasting(0.6, lag=2), decision=decision))
    assert "the one 2d before" in finding.message
    assert "y@-2d" in finding.paste


def test_each_series_has_a_past_of_its_own():
    rng, error = np.random.default_rng(1), lasting(0.8)[: DAYS // 2]
    own = np.ravel([error, -error], order="F")  # two runs a day, neighbours in the table, which err to opposite sides
    y = 100 + 10 * rng.normal(size=DAYS)
    frame = pd.DataFrame({"day": DAY[: DAYS // 2].repeat(2), "run": np.tile(["a", "b"], DAYS // 2), "x": rng.normal(size=DAYS), "y": y})
    keys: dict[str, Any] = {"time": "day", "unit": ["day", "run"], "metric": "mse"}
    made = written(frame, {"linear": y - 2 * own}, split={"scheme": "forward", "folds": 3, "together": "day"}, **keys)
    [finding] = alike(made)
    assert finding.number > 0.6


def test_folds_that_do_not_go_forward_are_told_to():
    made = daily(lasting(0.8), split={"scheme": "kfold", "folds": 4, "repeats": 1})
    [finding] = alike(made)
    assert finding.paste == ""
    assert finding.fix == "let models see what came 1d before, which takes folds that go forward in time"


def test_where_a_rule_is_champion_nothing_is_asked_of_models():
    assert isinstance(nothing_left.run(daily(100 * lasting(0.8)).evidence()), NotApplicable)
