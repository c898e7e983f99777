"""Predictions that come back: in any order, with or without the fold that warms up, and refused by name where they cannot be."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import piste
from piste.core.data import Raw
from piste.core.errors import PisteError
from piste.core.foldsheet import fold_sheet
from piste.core.handin import hand_in
from piste.core.outside import Outside
from piste.edges.delimited import parse
from piste.framings import framings
from piste.prepare import Prepared, prepare
from piste.watch import silent

LEVELS = {"cuts": [-0.5, 0.5], "names": ["low", "medium", "high"]}
COST = {"cost": {"wait": [0, 1, 3], "act": [2, 1, 0]}}


def frame(n: int = 40) -> pd.DataFrame:
    """Return rows of numbers and classes, one a day."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    sick = np.where(rng.uniform(size=n) < 0.4, "yes", "no")
    return pd.DataFrame({"day": pd.date_range("2024-01-01", periods=n), "x": x, "y": x + rng.normal(size=n), "z": 10 * x, "sick": sick})


def prepared(**keys) -> Prepared:
    """Prepare a problem on the rows, without `day` where it is not asked for."""
    usual = {"data": frame(), "target": "y", "families": ["linear"], "split": {"folds": 4, "repeats": 1}, "columns": {"day": "drop"}}
    if "time" in keys:
        usual |= {"columns": {}, "split": {}}
    return prepare(piste.Problem(**{**usual, **keys}), (), silent, quick=True, code=False)


def lines(at: Prepared, **columns: object) -> pd.DataFrame:
    """Return the lines of the folds with further columns."""
    return fold_sheet(at.resolved.table, at.resolved.problem.unit, at.folds).tests.assign(**columns)


def raw(sheet: pd.DataFrame, **how: object) -> Raw:
    """Return what a csv file of a sheet holds once it is read."""
    written = io.BytesIO()
    sheet.to_csv(written, index=False, **how)
    from piste.core.problem import Data

    return parse(written.getvalue(), "mine.csv", Data(path="mine.csv"))


def taken(at: Prepared, sheet: pd.DataFrame, framing: str | None = None, **how: object) -> Outside:
    """Hand a sheet in."""
    return hand_in(raw(sheet, **how), "sheet", framing, framings(), at.resolved, at.folds)


def refused(at: Prepared, sheet: pd.DataFrame, framing: str | None = None) -> str:
    """Return what is said of a sheet that is refused."""
    with pytest.raises(PisteError) as caught:
        taken(at, sheet, framing)
    return str(caught.value)


def test_lines_in_any_order_come_to_their_rows():
    at = prepared(split={"folds": 4, "repeats": 2})
    sheet = lines(at)
    sheet["prediction"] = sheet["row"] + sheet["repeat"] / 10
    found = taken(at, sheet.sample(frac=1, random_state=3))
    np.testing.assert_allclose(found.raw, sheet["prediction"])
    assert found.framing == "mean"


def test_a_sheet_with_semicolons_and_decimal_commas_says_the_same():
    at = prepared()
    sheet = lines(at)
    sheet["prediction"] = sheet["row"] / 8
    np.testing.assert_array_equal(taken(at, sheet, sep=";", decimal=",").raw, taken(at, sheet).raw)


def test_without_the_fold_that_warms_up_its_lines_are_unknown():
    at = prepared(time="day")
    sheet = lines(at, prediction=1.0)
    found = taken(at, sheet[sheet["judged"]])
    np.testing.assert_array_equal(np.isnan(found.raw), ~sheet["judged"])


def test_quantiles_at_the_framings_own_levels_stay_as_they_are():
    at = prepared(decision={"cost": {"over": 1, "under": 2}})
    levels = framings()["quantiles"].levels
    given = np.sort(np.random.default_rng(1).normal(size=(40, len(levels))), axis=1)
    columns = {f"q{level:.2f}".replace("0.", ""): given[:, i] for i, level in enumerate(levels)}
    found = taken(at, lines(at, **columns))
    assert found.framing == "quantiles"
    np.testing.assert_allclose(found.raw, given, atol=1e-12)


@pytest.mark.parametrize("names", [("q10", "q50", "q90"), ("0.1", "0.5", "0.9"), ("q0.1", "q0.5", "q0.9")])
def test_quantiles_of_a_normal_distribution_are_carried_over_to_other_levels_exactly(names):
    at = prepared(decision={"cost": {"over": 1, "under": 2}})
    given = {name: 3 + 2 * stats.norm.ppf(level) for name, level in zip(names, (0.1, 0.5, 0.9), strict=True)}
    expected = 3 + 2 * stats.norm.ppf(framings()["quantiles"].levels)
    np.testing.assert_allclose(taken(at, lines(at, **given)).raw, np.tile(expected, (40, 1)), atol=1e-9)


def test_probabilities_are_read_by_class_and_brought_to_one_where_they_were_rounded():
    at = prepared(target={"column": "y", "levels": LEVELS}, decision=COST)
    found = taken(at, lines(at, **{"P(high)": 0.333, "low": 0.333, "P(medium)": 0.333}))
    assert found.framing == "classes"
    np.testing.assert_allclose(found.raw, 1 / 3)


def test_of_two_classes_one_probability_is_enough():
    at = prepared(target={"column": "sick", "positive": "yes"})
    share = np.linspace(0, 1, 40).round(3)
    found = taken(at, lines(at, **{"P(yes)": share}))
    np.testing.assert_allclose(found.raw, np.stack([1 - share, share], axis=1))


def test_a_class_in_words_is_certainty_of_it():
    at = prepared(target={"column": "sick", "positive": "yes"})
    said = np.where(np.arange(40) % 3 == 0, "yes", "no")
    np.testing.assert_array_equal(taken(at, lines(at, prediction=said)).raw[:, 1], said == "yes")


def test_predictions_of_several_targets_are_in_the_unit_of_each():
    at = prepared(target=["y", "z"])
    sheet = lines(at)
    sheet["prediction"] = np.where(sheet["output"] == "y", frame()["y"].mean(), frame()["z"].mean() + frame()["z"].std(ddof=0))
    found = taken(at, sheet)
    np.testing.assert_allclose(found.raw, np.where(sheet["output"] == "y", 0.0, 1.0), atol=1e-9)


def test_lines_that_are_missing_doubled_or_of_no_fold_are_named_all_at_once():
    at = prepared()
    sheet = lines(at, prediction=1.0).sort_values("row")
    bad = pd.concat([sheet.iloc[5:], sheet.iloc[[9]], sheet.iloc[[9]].assign(row=77)])
    message = refused(at, bad)
    assert "mine.csv: row: must hold a line for every row that the folds test, but lacks 5 of 40: rows " in message
    assert "and 2 more" in message
    assert "mine.csv:37: row: must hold every row once, but 1 stands there more often: row 9 (line 6 and line 37)" in message
    assert "mine.csv:38: row: must hold only rows that a fold tests, but 1 line belongs to none: row 77" in message


def test_a_missing_row_is_named_with_its_repeat():
    at = prepared(split={"folds": 4, "repeats": 2})
    sheet = lines(at, prediction=1.0)
    gone = (sheet["row"] == 7) & (sheet["repeat"] == 1)
    assert "lacks 1 of 80: row 7 of repeat 1" in refused(at, sheet[~gone])


def test_a_part_of_the_fold_that_warms_up_is_refused():
    at = prepared(time="day")
    sheet = lines(at, prediction=1.0)
    assert "lacks 1 of" in refused(at, sheet.iloc[1:])


def test_predictions_for_other_folds_are_refused():
    at, other = prepared(), prepared(seed=1)
    message = refused(at, lines(other, prediction=1.0))
    assert "mine.csv:2: split: must be 'split-" in message
    assert "The data or the folds have changed since" in message


@pytest.mark.parametrize("column", ["row", "split"])
def test_a_column_of_the_folds_that_is_gone_is_named(column):
    at = prepared()
    message = refused(at, lines(at, prediction=1.0).drop(columns=column))
    assert f"mine.csv: {column}: must be a column, as `piste folds` wrote it" in message


NUMBER, CLASS, LEVEL = (
    {},
    {"target": {"column": "sick", "positive": "yes"}},
    {"target": {"column": "y", "levels": LEVELS}, "decision": COST},
)
SECOND = np.arange(40) == 1


@pytest.mark.parametrize(
    ("keys", "columns", "framing", "expected"),
    [
        (NUMBER, {"prediction": np.where(SECOND, "", "1.5")}, None,
         "mine.csv:3: prediction: must hold a finite number in every line, but line 3 is empty"),
        (NUMBER, {"prediction": np.where(SECOND, "many",
         "1.5")}, None, "mine.csv:3: prediction: must hold a finite number in every line, but line 3 holds 'many'"),
        (NUMBER, {"prediction": np.where(SECOND, "inf", "1.5")}, None, "mine.csv:3: prediction: must hold a finite number"),
        (NUMBER, {"prediction": np.where(np.arange(40) < 7, "NaN", "1")}, None, "7 of 40 lines hold none: line 2 is empty"),
        (NUMBER, {"predicted": 1.0}, None,
         "must hold predictions: `prediction` or quantiles (`q05`, `q50`, `q95`), but holds none. Did you mean 'predicted'?"),
        (NUMBER, {"prediction": 1.0}, "classes", "--as must be 'mean' or 'quantiles', but is 'classes'"),
        (NUMBER, {"prediction": 1.0, "q05": 0.0, "q95": 2.0}, None,
         "answers in more than one way: say which by --as 'mean' or 'quantiles'"),
        (NUMBER, {"q50": 1.0}, None, "must hold quantiles at two levels or more, each once, but holds q50"),
        (NUMBER, {"q50": 1.0, "0.5": 1.0, "q90": 2.0}, None, "must hold quantiles at two levels or more, each once"),
        (NUMBER, {"prediction": 1.0}, "quantiles", "must hold predictions: quantiles (`q05`, `q50`, `q95`), but holds none"),
        (CLASS, {"prediction": np.where(SECOND, "yess",
         "no")}, None, "mine.csv:3: prediction: must be 'no' or 'yes', but line 3 holds 'yess'. Did you mean 'yes'?"),
        (CLASS, {"prediction": np.where(SECOND, "", "no")}, None, "mine.csv:3: prediction: must be 'no' or 'yes', but line 3 is empty"),
        (CLASS, {"P(yes)": np.where(SECOND, 1.2, 0.5)}, None,
         "mine.csv:3: P(yes): must hold probabilities from 0 to 1, but line 3 holds 1.2"),
        (CLASS, {"P(yes)": 0.5, "P(no)": np.where(SECOND, 0.4, 0.5)}, None,
         "mine.csv:3: must hold probabilities that sum to 1, but those of line 3 sum to 0.9"),
        (CLASS, {"P(maybe)": 0.5, "P(no)": 0.5}, None, "P(maybe): must be a probability of 'no' or 'yes', but 'maybe' is none"),
        (CLASS, {"P(no)": 0.5, "no": 0.5}, None, "must give every class one column, but gives"),
        (CLASS, {"prediction": "no"}, "mean", "--as must be 'classes', but is 'mean', which does not fit: a class has no mean"),
        (LEVEL, {"P(low)": 0.5, "P(high)": 0.5}, None, "must give every class a probability, but gives none to 'medium'"),
        (LEVEL, {"P(low)": 1.0, "P(medium)": 0.0, "P(high)": 0.0}, "ordered",
         "--as must be 'mean', 'quantiles' or 'classes', but is 'ordered'"),
    ],
)  # fmt: skip
def test_what_is_no_prediction_is_refused_by_name(keys, columns, framing, expected):
    at = prepared(**keys)
    assert expected in refused(at, lines(at, **columns), framing)


@pytest.mark.parametrize("name", ["", "my sheet", "a/b", "-x", "x" * 61])
def test_a_name_that_could_be_no_row_is_refused(name):
    at = prepared()
    with pytest.raises(PisteError, match="--name must be"):
        hand_in(raw(lines(at, prediction=1.0)), name, None, framings(), at.resolved, at.folds)


def test_the_digest_is_of_all_that_matters():
    at = prepared()
    one = taken(at, lines(at, prediction=1.0))
    assert one.digest == replace(one, file="elsewhere.csv").digest
    others = [replace(one, name="x"), replace(one, framing="quantiles"), replace(one, split="s"), replace(one, raw=one.raw + 1e-9)]
    assert len({each.digest for each in (one, *others)}) == 5
