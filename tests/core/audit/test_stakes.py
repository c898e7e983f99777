"""What hangs on columns, and which of them are asked about."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import piste
from piste.checking import survey_of
from piste.core.audit import Survey
from piste.core.audit.measures.quick import quick
from piste.core.audit.stakes import ENOUGH, MOST_ASKED, Stakes, stakes, undeclared
from piste.core.check import Found, NotApplicable
from piste.core.finding import Finding
from piste.edges.strict_yaml import read
from piste.prepare import prepare
from piste.watch import silent
from tests.checks import surveyed

DATA = Path(__file__).parents[4] / "shared" / "data"


def found(survey: Survey) -> dict[str, Finding]:
    said = undeclared.run(survey)
    assert isinstance(said, Found), said
    return {finding.on: finding for finding in said.findings}


def weighed(survey: Survey) -> Stakes:
    said = stakes(survey)
    assert isinstance(said, Stakes), said
    return said


def real(name: str, file: str, problem: str) -> Survey:
    path = DATA / name / file
    if not path.exists():
        pytest.skip(f"no {path}")
    return survey_of(prepare(piste.Problem(data=path, **read(problem, "problem.yaml").value), (), silent, quick=True, code=True))


def resort(n: int = 600) -> pd.DataFrame:
    """Return days of a resort whose guests follow tickets, then snow, then nothing else."""
    rng = np.random.default_rng(0)
    tickets, snow, lunch = rng.integers(50, 400, n), rng.integers(0, 60, n), rng.choice(["soup", "stew"], n)
    guests = np.round(tickets + 2 * snow + rng.normal(0, 10, n)).clip(0)
    return pd.DataFrame({"tickets": tickets, "snow": snow, "lunch": lunch, "guests": guests.astype(int)})


def test_stakes_are_those_of_a_slow_loop_through_lightgbm_on_one_fold():
    """A fixed split has one fold: every number follows from fits by LightGBM's own API, with and without each column."""
    import lightgbm

    rows = resort(800).assign(side=np.where(np.arange(800) < 500, "train", "test"))
    survey = surveyed("target: {column: guests, kind: numeric}\nsplit: {scheme: predefined, by: side}", rows)
    train, test = np.arange(500), np.arange(500, 800)
    X = rows[["tickets", "snow"]].assign(lunch=(rows["lunch"] == "stew").astype(float)).astype(float)
    y = rows["guests"].to_numpy(dtype=float)

    def rmse(names: list[str]) -> float:
        settings = {"objective": "regression", "learning_rate": 0.1, "num_leaves": 15, "min_data_in_leaf": 20, "verbosity": -1, "seed": 0}
        data = lightgbm.Dataset(X[names].to_numpy()[train], y[train])
        model = lightgbm.train({**settings, "num_threads": 1, "deterministic": True, "force_row_wise": True}, data, 40)
        return float(np.sqrt(np.mean((y[test] - model.predict(X[names].to_numpy()[test])) ** 2)))

    names = list(X)
    full, constant = rmse(names), float(np.sqrt(np.mean((y[test] - y[train].mean()) ** 2)))
    table = weighed(survey).table().set_index("column")
    for name in names:
        expected = rmse([other for other in names if other != name]) - full
        assert table.loc[name, "stake"] == pytest.approx(expected, abs=1e-9)
        assert table.loc[name, "share"] == pytest.approx(expected / (constant - full), abs=1e-9)


def test_the_dearest_column_is_asked_about_first_with_what_hangs_on_it():
    survey = surveyed("target: guests", resort())
    said = undeclared.run(survey)
    assert isinstance(said, Found)
    assert [finding.on for finding in said.findings] == ["tickets", "snow"]
    assert all(finding.number >= ENOUGH and finding.threshold == ENOUGH for finding in said.findings)
    first = said.findings[0]
    assert first.message.startswith("Is 'tickets' known when the prediction is made? Without it, the rmse of a quick model is ")
    assert first.paste == "known_at: {decision: [tickets]}"


def test_a_decision_is_asked_about_in_its_own_currency_and_by_the_year():
    problem = "target: guests\ndecision: {made_at: -1d 18:00, cost: {over: 1, under: 3}, currency: CHF, per_year: 100}"
    survey = surveyed(problem, resort())
    finding = found(survey)["tickets"]
    lost = weighed(survey).each[0].lost
    assert f"cost {lost:.3g} CHF more each ({float(f'{lost * 100:.3g}'):,.0f} CHF a year)" in finding.message
    assert "the day before at 18:00?" in finding.message


def test_what_somebody_vouches_for_is_weighed_but_not_asked_about():
    survey = surveyed("target: guests\nknown_at: {always: [snow], decision: [tickets]}", resort())
    assert found(survey) == {}
    table = weighed(survey).table().set_index("column")
    assert table.loc["tickets", "declared"]
    assert table.loc["tickets", "share"] > 0.5


def test_the_line_to_paste_keeps_what_is_said_already_and_makes_the_question_go_away():
    rows = resort().assign(late=1.0)
    first = surveyed("target: guests\nknown_at: {decision: [snow]}", rows)
    paste = found(first)["tickets"].paste
    assert found(surveyed(f"target: guests\n{paste}", rows)) == {}


def test_copies_of_a_column_are_asked_about_together():
    rows = resort().assign(sold=lambda rows: rows["tickets"] * 0.5 + 3)
    finding = found(surveyed("target: guests", rows))["tickets" if "tickets" < "sold" else "sold"]
    assert "'tickets'" in finding.message
    assert "'sold'" in finding.message
    assert finding.number > 0.5
    assert "tickets" in finding.paste
    assert "sold" in finding.paste


def test_a_total_and_its_parts_are_asked_about_together():
    rng = np.random.default_rng(0)
    parts = pd.DataFrame({name: rng.integers(0, 300, 600) for name in ("adults", "children")})
    rows = parts.assign(total=parts.sum(axis=1), guests=(parts["adults"] + 2 * parts["children"] + rng.normal(0, 20, 600)).round().clip(0))
    [finding] = found(surveyed("target: guests", rows)).values()
    assert all(f"'{name}'" in finding.message for name in ("adults", "children", "total"))


def test_a_copy_that_is_vouched_for_leaves_nothing_to_ask():
    rows = resort().assign(sold=lambda rows: rows["tickets"] * 2)
    assert "sold" not in found(surveyed("target: guests\nknown_at: {decision: [tickets, snow]}", rows))


def test_what_is_computed_from_a_column_goes_with_it_and_is_not_asked_about():
    problem = "target: guests\nadd: {twice: 2 * tickets, busy: if twice >= 500 then 1 else 0}"
    survey = surveyed(problem, resort())
    by_name = {each.group.columns[0]: each.group for each in weighed(survey).each}
    assert by_name["tickets"].without == {"tickets", "twice", "busy"}
    assert set(found(survey)) == {"tickets", "snow"}


def test_columns_that_stand_in_for_each_other_are_asked_about_in_one_question():
    """Three gauges of one thing, none of which is missed while there are two others."""
    rng = np.random.default_rng(0)
    truth = rng.normal(0, 1, 900)
    rows = pd.DataFrame({f"gauge_{i}": (truth + rng.normal(0, 0.25, 900)).round(4) for i in range(4)})
    rows["level"] = (truth + rng.normal(0, 0.3, 900)).round(4)
    survey = surveyed("target: level", rows)
    said = weighed(survey)
    assert {name for group in said.standing_in for name in group.columns} == {f"gauge_{i}" for i in range(4)}
    [finding] = found(survey).values()
    assert all(f"'gauge_{i}'" in finding.message for i in range(4))
    assert finding.number > 0.8


def test_what_gives_the_answer_away_hides_nothing_else_and_is_not_asked_about():
    rows = resort().assign(counted=lambda rows: rows["guests"] * 2.0)
    said = found(surveyed("target: guests", rows))
    assert "counted" not in said
    assert "tickets" in said


def test_at_most_ten_columns_are_weighed():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({f"gauge_{i:02}": rng.normal(size=400).round(3) for i in range(12)})
    rows["level"] = rows.sum(axis=1) + rng.normal(0, 0.1, 400)
    assert len(weighed(surveyed("target: level", rows)).each) == MOST_ASKED


def test_columns_that_nobody_vouches_for_are_weighed_before_those_that_somebody_does():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame({f"gauge_{i:02}": rng.normal(size=600).round(3) for i in range(15)}).assign(late=rng.normal(size=600).round(3))
    rows["level"] = rows.filter(like="gauge").sum(axis=1) + 0.5 * rows["late"]
    survey = surveyed(f"target: level\nknown_at: {{always: [{', '.join(rows.filter(like='gauge'))}]}}", rows)
    names = [each.group.columns[0] for each in weighed(survey).each]
    assert "late" in names
    assert len(names) == MOST_ASKED


def test_noise_asks_nothing():
    rng = np.random.default_rng(0)
    rows = pd.DataFrame(rng.normal(size=(300, 5)), columns=list("abcde")).assign(y=rng.normal(size=300))
    said = undeclared.run(surveyed("target: y", rows))
    assert isinstance(said, NotApplicable)
    assert "no better than the best rule" in said.reason


X = np.random.default_rng(0).normal(size=60).round(2)
Y = np.arange(60.0) % 7


@pytest.mark.parametrize(
    ("problem", "rows"),
    [
        ("target: y", pd.DataFrame({"x": [1.0, 2.0], "y": [1.0, 2.0]})),
        ("target: y", pd.DataFrame({"x": np.where(X > 0, X, np.nan), "y": Y})),
        ("target: y", pd.DataFrame({"x": X, "when": pd.date_range("2020-01-01", periods=60), "y": Y})),
        ("target: {column: y, kind: binary}\ntime: day", pd.DataFrame({"day": pd.date_range("2020-01-01", periods=60), "y": [0, 1] * 30})),
        ("target: [y, z]", pd.DataFrame({"x": X, "y": Y, "z": X + Y})),
        ("target: y\nsplit: {scheme: leave_one_out, by: g}", pd.DataFrame({"g": np.arange(60) % 6, "x": X, "y": X**2})),
        ("target: y\nsplit: {scheme: leave_one_out}", pd.DataFrame({"x": X[:12], "y": Y[:12]})),
        ("target: y\nsplit: {scheme: predefined, by: g}", pd.DataFrame({"g": np.arange(60) % 6, "x": X, "y": X**2})),
        ("target: y\nweight: w", pd.DataFrame({"x": X, "y": X**2, "w": np.tile([0.0, 1.0], 30)})),
        ("target: y", pd.DataFrame({"x": X, "name": [f"name {i % 50}" for i in range(60)], "y": X**2})),
    ],
)
def test_odd_tables_are_no_trouble(problem: str, rows: pd.DataFrame):
    said = undeclared.run(surveyed(problem, rows))
    assert isinstance(said, Found | NotApplicable)


def test_the_same_seed_gives_the_same_stakes():
    one, other = (weighed(surveyed("target: guests", resort())).table() for _ in range(2))
    pd.testing.assert_frame_equal(one, other)


def test_a_real_leak_is_asked_about():
    """`registered` is counted when the day is over; what the weather says does not stand in for it."""
    survey = real("bike_day", "day.csv", "target: {column: cnt, kind: count}\ntime: dteday\ncolumns: {instant: drop, casual: drop}")
    assert found(survey)["registered"].number > 0.3


def test_a_quick_model_of_a_real_table_is_much_better_than_its_best_rule():
    survey = real("concrete", "data.csv", "target: {column: strength, kind: numeric}")
    tried = quick(survey)
    assert tried
    rule = tried.rule()
    assert rule is not None
    assert tried.cost(tried.losses()[0]) < 0.45 * tried.cost(rule)
