"""What is guessed of a table for a first problem.yaml, and how guesses are written."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from piste.core.data import Raw
from piste.core.draft import Draft, Line, draft
from piste.core.draft.lines import block
from piste.core.draft.worksheet import worksheet
from piste.core.errors import PisteError

N = 240
RNG = np.random.default_rng(0)


def raw(frame: pd.DataFrame, **keys: Any) -> Raw:
    """Return a table as it is read from a text file: all cells texts."""
    texts = frame.astype("str").where(frame.notna(), "")
    return Raw(texts, "rows.csv", np.arange(len(frame)) + 2, **keys)


def guessed(frame: pd.DataFrame, target: str = "y", **keys: Any) -> dict[str, Any]:
    """Return the problem as it is with every guess taken for right."""
    return draft(raw(frame, **keys), {"path": "rows.csv"}, target).problem()


def uncommented(text: str) -> str:
    """Take the "# " away from every guess, as a person would."""
    return re.sub(r"(?m)^(\s*)# (?!yaml-language-server)", r"\1", text)


def panel(n_days: int = 80, **columns: Any) -> pd.DataFrame:
    """Return three lifts over some days."""
    days = np.repeat(pd.date_range("2024-01-01", periods=n_days).strftime("%Y-%m-%d"), 3)
    lifts = np.tile(["blue", "red", "black"], n_days)
    height = np.tile([1200, 1800, 2600], n_days)
    skiers = RNG.poisson(40, 3 * n_days)
    return pd.DataFrame(
        {"day": days, "lift": lifts, "height": height, "snow": RNG.normal(size=3 * n_days).round(3), **columns, "y": skiers}
    )


def plain(**columns: Any) -> pd.DataFrame:
    """Return rows that nothing is known of but what is given."""
    return pd.DataFrame({"x": RNG.normal(size=N).round(3), **columns, "y": RNG.normal(size=N).round(3)})


def test_a_date_is_the_time_and_the_split_goes_forward():
    found = guessed(panel())
    assert found["time"] == "day"
    assert found["split"] == {"scheme": "forward", "together": "day"}


def test_without_a_date_there_is_no_time_and_no_moment_of_the_decision():
    found = guessed(plain())
    assert "time" not in found
    assert "made_at" not in found["decision"]
    assert found["split"] == {"scheme": "kfold"}


def test_the_day_of_somebodys_birth_is_no_time():
    born = pd.date_range("1970-01-01", periods=N).strftime("%Y-%m-%d")
    assert "time" not in guessed(plain(date_of_birth=born))


def test_of_two_dates_the_time_is_not_the_later_one():
    times = pd.date_range("2024-01-01", periods=N)
    found = guessed(plain(closed=(times + pd.Timedelta(days=3)).strftime("%Y-%m-%d"), opened=times.strftime("%Y-%m-%d")))
    assert found["time"] == "opened"
    assert "closed" in found["known_at"]["after"]


def test_winters_are_judged_by_those_before_them():
    days = [day for year in (2020, 2021, 2022) for day in pd.date_range(f"{year}-12-01", periods=N // 3).strftime("%Y-%m-%d")]
    assert guessed(plain(date=days))["split"] == {"scheme": "forward", "by": "season"}


def test_a_row_of_a_panel_is_named_by_the_day_and_the_thing():
    assert guessed(panel())["unit"] == ["day", "lift"]


def test_a_day_that_comes_once_names_its_row():
    days = pd.date_range("2024-01-01", periods=N).strftime("%Y-%m-%d")
    assert guessed(plain(date=days))["unit"] == ["date"]


def test_an_identifier_names_its_row_and_reaches_no_model():
    found = guessed(plain(customer_id=[f"c{i:03}" for i in RNG.permutation(N)]))
    assert found["unit"] == ["customer_id"]
    assert "customer_id" not in [name for names in found["known_at"].values() for name in names]


def test_a_whole_number_called_an_id_is_no_amount():
    found = guessed(plain(order_id=RNG.permutation(10 * N)[:N]))
    assert found["columns"] == {"order_id": "identifier"}


def test_amounts_that_agree_in_no_two_rows_by_chance_name_no_row():
    found = guessed(plain(price=RNG.integers(0, 60, N), weight=RNG.integers(0, 60, N)))
    assert "unit" not in found


def test_a_number_that_counts_the_rows_of_a_group_names_none_and_nobody_vouches_for_it():
    families = np.repeat([f"f{i:02}" for i in range(N // 4)], 4)
    found = guessed(plain(family=families, child=np.tile([1, 2, 3, 4], N // 4)))
    assert "unit" not in found
    assert "child" not in [name for names in found["known_at"].values() for name in names]


def test_rows_of_one_family_stay_together():
    families = RNG.permutation(np.repeat([f"f{i:02}" for i in range(N // 4)], 4))
    found = guessed(plain(family=families))
    assert found["split"] == {"scheme": "kfold", "together": "family"}
    assert "family" not in found["known_at"]["decision"]


def test_kinds_of_rows_are_no_groups():
    assert guessed(plain(country=RNG.choice(list("abcdefgh"), N)))["split"] == {"scheme": "kfold"}


def test_a_column_of_train_and_test_is_the_split():
    assert guessed(plain(part=["train"] * 160 + ["test"] * 80))["split"] == {"scheme": "predefined", "by": "part"}


def test_columns_are_sorted_by_when_they_are_known():
    found = guessed(panel(is_holiday=RNG.integers(0, 2, 240), final_takings=RNG.normal(size=240).round(2)))["known_at"]
    assert found == {"always": ["day", "lift", "height", "is_holiday"], "decision": ["snow"], "after": ["final_takings"]}


def test_parts_that_add_up_to_the_target_are_known_after():
    members, guests = RNG.poisson(30, N), RNG.poisson(9, N)
    found = guessed(plain(members=members, guests=guests).assign(y=members + guests))
    assert found["known_at"]["after"] == ["members", "guests"]


def test_some_of_what_the_target_counts_is_known_after_but_an_earlier_value_is_not():
    visits = RNG.poisson(300, N)
    less, least = (visits - RNG.integers(1, 99, N) for _ in range(2))
    more = visits + RNG.integers(1, 99, N)
    frame = plain(day_visits=less, forecast_visits=least, town_visits=more).assign(all_visits=visits)
    assert guessed(frame.drop(columns="y"), "all_visits")["known_at"]["after"] == ["day_visits"]


@pytest.mark.parametrize(
    ("values", "kind", "cost"),
    [
        (RNG.normal(size=N).round(3), "numeric", {"over": 1, "under": 1}),
        (RNG.poisson(20, N), "count", {"over": 1, "under": 1}),
        (np.repeat(["good", "bad"], [200, 40]), "binary", {"false_alarm": 1, "miss": 1}),
        (np.tile(["a", "b", "c"], 80), "category", {"as a": [0, 1, 1], "as b": [1, 0, 1], "as c": [1, 1, 0]}),
    ],
)
def test_the_cost_has_the_shape_of_the_target(values, kind, cost):
    found = guessed(plain().assign(y=values))
    assert found["target"]["kind"] == kind
    assert found["decision"]["cost"] == cost


def test_more_classes_than_a_person_would_price_have_no_cost():
    assert "decision" not in guessed(plain().assign(y=np.tile(list("abcdefghijkl"), N // 12)))


@pytest.mark.parametrize(
    ("values", "label"),
    [
        (np.repeat(["good", "bad"], [200, 40]), "bad"),
        (np.repeat(["yes", "no"], [200, 40]), "yes"),
        (np.repeat([0, 1], [40, 200]), "1"),
        (np.repeat(["left", "right"], [40, 200]), "left"),
    ],
)
def test_the_positive_class_says_yes_or_is_the_rarer_one(values, label):
    assert guessed(plain().assign(y=values))["target"]["positive"] == label


def test_the_rules_to_beat_are_the_usual_value_and_that_of_a_week_before():
    assert guessed(panel())["baselines"] == {"usual": "mean(y) by lift", "last_week": "y@-7d"}


def test_the_usual_value_is_by_what_tells_most():
    frame = plain(dull=RNG.choice(list("ab"), N), telling=np.tile(list("pq"), N // 2))
    frame["y"] += 3 * (frame["telling"] == "p")
    assert guessed(frame)["baselines"] == {"usual": "mean(y) by telling"}


def test_a_week_before_is_no_rule_where_nothing_was_then():
    days = pd.date_range("2024-01-01", periods=N, freq="5D").strftime("%Y-%m-%d")
    assert "last_week" not in guessed(plain(date=days)).get("baselines", {})


def test_slices_are_few_and_large():
    frame = plain(kind=RNG.choice(list("ab"), N), rare=np.where(np.arange(N) < 3, "odd", "usual"), many=RNG.integers(0, 99, N))
    assert guessed(frame)["slices"] == ["kind"]


def test_only_what_is_said_is_no_comment():
    made = draft(raw(panel()), {"path": "../rows.csv"}, "y", question="How many?", heading="# yaml-language-server: $schema=x.json")
    assert yaml.safe_load(made.text()) == {"question": "How many?", "data": "../rows.csv", "target": {"column": "y"}}
    assert made.text().startswith("# yaml-language-server: $schema=x.json\n")


def test_taking_the_mark_away_from_every_guess_leaves_the_problem():
    made = draft(raw(panel()), {"path": "rows.csv"}, "y")
    assert yaml.safe_load(uncommented(made.text())) == made.problem()


names = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cf")), min_size=1, max_size=30).filter(str.strip)


@given(names, st.lists(names, min_size=1, max_size=40, unique=True), names)
def test_names_and_reasons_of_any_letters_read_back_as_they_were(name, many, why):
    made = Draft(
        (
            Line("data", name, said=True),
            Line("target.column", name, said=True),
            Line("time", name, why),
            Line("known_at.after", many, why),
            Line("columns." + name, "drop", why),
            Line("decision.cost", {each: [0, 1, 1] for each in many}, why),
        ),
        {"data": "said", "known_at": "asked"},
    )
    assert yaml.safe_load(uncommented(made.text())) == made.problem()


def test_long_lists_go_on_below():
    made = Draft((Line("known_at.decision", [f"column_{i}" for i in range(60)], "what is left"),), {})
    assert max(map(len, made.text().splitlines())) <= 100
    assert "#   decision:  # what is left\n#     [column_0," in made.text()


def test_plain_words_stand_without_quotes_where_they_are_read_as_they_are():
    for value in ("../rows.csv", "mean(count) by hour and day", "count@-7d", "-1d 18:00", "-2h", "5%"):
        assert block(value) == value
        assert yaml.safe_load(f"key: {block(value)}  # why") == {"key": value}
    for value in ("no", "1e3", "12", "a: b", "a #b", "*x", "", " a"):
        assert block(value) == f'"{value}"'


def test_a_draft_does_without_a_guess_that_is_at_fault():
    made = draft(raw(panel()), {"path": "rows.csv"}, "y")
    left = made.without("baselines.usual").problem()
    assert left["baselines"] == {"last_week": "y@-7d"}
    assert "split" not in made.without("split.together").problem()
    assert "slices" not in made.without("slices.0").problem()
    assert made.without("somewhere").problem() == {key: value for key, value in made.problem().items() if key != "slices"}


def test_where_no_column_is_left_to_learn_from_none_is_hidden():
    made = draft(raw(plain(final_bill=RNG.normal(size=N).round(2)).drop(columns="x")), {"path": "rows.csv"}, "y")
    assert made.problem()["known_at"] == {"after": ["final_bill"]}
    left = {**made.problem()}
    del left["known_at"]
    assert made.without("data").problem() == left


def test_marks_of_nothing_among_numbers_are_said_to_be_missing():
    frame = plain().astype({"x": "str"})
    frame.loc[3, "x"], frame.loc[9, "x"] = "unknown", "n.a."
    assert guessed(frame)["data"] == {"path": "rows.csv", "missing": ["unknown", "n.a."]}


def test_words_among_numbers_make_a_text_of_them_and_words_among_dates_put_them_aside():
    frame = plain(when=pd.date_range("2024-01-01", periods=N).strftime("%Y-%m-%d")).astype({"x": "str"})
    frame.loc[3, "x"], frame.loc[9, "when"] = "see the note", "some day"
    found = guessed(frame)
    assert found["columns"] == {"x": "category", "when": "drop"}
    assert "time" not in found


def test_a_decimal_mark_is_said_where_numbers_may_be_read_in_two_ways():
    frame = plain(price=np.tile(["1,234", "2,500"], N // 2)).assign(x=1, y=np.tile(["3,100", "2,001", "1,050"], N // 3))
    assert guessed(frame, decimal=None)["data"]["decimal"] == ","
    with pytest.raises(PisteError, match="decimal"):
        draft(raw(frame, decimal=None), {"path": "rows.xlsx"}, "y", of_text=False)


def test_numbers_that_no_model_can_take_are_left_out():
    frame = plain(huge=np.where(np.arange(N) < 2, "1e308", "2"))
    assert guessed(frame)["columns"] == {"huge": "drop"}


def test_a_class_of_one_row_is_left_out():
    assert guessed(plain().assign(y=["lonely", *np.tile(["a", "b", "c"], 80)[1:]]))["data"]["missing"] == ["lonely"]


@pytest.mark.parametrize(("values", "why"), [([3] * N, "must differ"), ([""] * N, "must hold values")])
def test_a_target_that_nothing_can_be_learnt_of_is_refused(values, why):
    with pytest.raises(PisteError, match=why):
        guessed(plain().assign(y=values))


def test_the_columns_of_a_worksheet_are_those_that_its_problem_names():
    made, header = worksheet("How many?", target="skiers")
    found = made.problem()
    columns = header.strip().split(",")
    known = found["known_at"]
    assert sorted([*known["always"], *known["decision"], *known["after"], "skiers"]) == sorted(columns)
    assert {found["time"], *found["unit"]} <= {*columns}
    assert found["target"]["column"] == "skiers"


def test_a_worksheet_asks_in_words_above_each_key():
    made, _ = worksheet("How many?")
    rows = made.text().splitlines()
    for key in ("owner", "made_at", "cost", "currency", "always", "decision", "after", "kind"):
        at = next(number for number, row in enumerate(rows) if re.match(rf" *#   ?{key}: |  # {key}: ", row))
        assert rows[at - 1].strip().startswith("##")
        assert rows[at - 1].endswith(("?", "."))
