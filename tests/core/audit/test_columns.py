"""D03, D04 and D06: columns from which nothing can be learnt, or something else than is thought."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from piste.core.audit.columns import Answers, dead, misread, missing
from piste.core.check import Check, Found, NotApplicable
from piste.core.finding import Finding
from tests.checks import surveyed

NUMBER = "target: {column: y, kind: numeric}"


def rows(n: int = 1000, **more: object) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"x": rng.normal(0, 1, n), "y": rng.normal(0, 1, n), **more})


def found(check: Check, problem: str, table: pd.DataFrame) -> list[Finding]:
    said = check.run(surveyed(problem, table))
    return list(said.findings) if isinstance(said, Found) else []


@pytest.mark.parametrize(("others", "said"), [(4, ["flag"]), (6, [])])
def test_a_column_is_dead_from_995_rows_in_a_thousand_on(others: int, said: list[str]):
    table = rows(flag=np.where(np.arange(1000) < others, "b", "a"))
    assert [each.on for each in found(dead, NUMBER, table)] == said


def test_a_rare_flag_that_tells_the_answer_is_not_dead():
    flag = np.arange(1000) < 4
    table = rows(flag=np.where(flag, 1.0, 0.0))
    assert [each.on for each in found(dead, NUMBER, table)] == ["flag"]
    table["y"] = table["y"] + 5 * flag
    assert found(dead, NUMBER, table) == []


@pytest.mark.parametrize(("absent", "said"), [(520, ["depth"]), (480, [])])
def test_a_column_is_empty_where_more_than_half_of_it_is_missing(absent: int, said: list[str]):
    table = rows(depth=np.where(np.arange(1000) % 1000 < absent, np.nan, np.random.default_rng(1).normal(0, 1, 1000)))
    assert [each.on for each in found(dead, NUMBER, table)] == said


def test_many_dead_columns_are_told_in_one_and_dropped_by_one_line():
    table = rows(**{f"pixel {i}": np.where(np.arange(1000) == i, 1.0, 0.0) for i in range(6)})
    [finding] = found(dead, NUMBER, table)
    assert finding.on == "6 columns"
    assert finding.paste.count("drop") == 6


def gaps(*, classes: bool, seed: int = 0) -> tuple[np.ndarray, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    y = rng.normal(0, 1, 3000)
    absent = rng.random(3000) < np.where(y > 0, 0.6, 0.1)
    depth = np.where(absent, np.nan, rng.normal(0, 1, 3000))
    return absent, pd.DataFrame({"depth": depth, "y": np.where(y > 0, "yes", "no") if classes else y})


def test_the_area_by_a_gap_alone_is_that_of_scikit_learn():
    absent, table = gaps(classes=True)
    [finding] = found(missing, "target: {column: y, positive: yes}", table)
    assert finding.number == pytest.approx(roc_auc_score(table["y"] == "yes", absent), abs=0.005)


def test_the_share_by_a_gap_alone_is_that_of_a_line():
    absent, table = gaps(classes=False)
    [finding] = found(missing, NUMBER, table)
    assert finding.number == pytest.approx(np.corrcoef(absent, table["y"])[0, 1] ** 2, abs=0.005)


def test_gaps_by_chance_say_nothing():
    for seed in range(30):
        rng = np.random.default_rng(seed)
        table = rows(300, depth=np.where(rng.random(300) < 0.1, np.nan, rng.normal(0, 1, 300)))
        assert found(missing, NUMBER, table.assign(y=rng.normal(0, 1, 300))) == []
        assert found(missing, "target: y", table.assign(y=rng.choice(["a", "b", "c"], 300))) == []


def test_that_a_column_is_vouched_for_does_not_vouch_for_its_gaps():
    _, table = gaps(classes=True)
    said = found(missing, "target: y\nknown_at: {decision: [depth]}", table)
    assert [each.severity for each in said] == ["warn"]


def test_all_gaps_are_told_in_one_the_most_telling_first():
    _, table = gaps(classes=True)
    again, _ = gaps(classes=True, seed=1)
    blurred = np.where(np.random.default_rng(2).random(3000) < 0.3, again, table["depth"].isna())
    table = table.assign(width=np.where(blurred, np.nan, 1.0 + np.arange(3000)), depth2=table["depth"] * 2)
    [finding] = found(missing, "target: y", table)
    assert finding.on == "depth + depth2 + width"
    assert "'width'" in finding.message
    assert "width" in finding.paste


def test_no_more_than_five_columns_are_named():
    _, table = gaps(classes=True)
    [finding] = found(missing, "target: y", table.assign(**{f"depth{i}": table["depth"] * i for i in range(2, 9)}))
    assert finding.on.count("+") == 4
    assert "and 3 more" in finding.message


def test_a_gap_that_hardly_tells_is_no_matter():
    rng = np.random.default_rng(0)
    y = rng.normal(0, 1, 3000)
    table = pd.DataFrame({"depth": np.where(rng.random(3000) < np.where(y > 0, 0.25, 0.15), np.nan, 1 + rng.random(3000)), "y": y})
    assert found(missing, NUMBER, table) == []


def test_nothing_missing_is_not_applicable():
    assert isinstance(missing.run(surveyed(NUMBER, rows())), NotApplicable)


def test_the_folds_of_a_gap_are_whole_blocks():
    survey = surveyed(f"{NUMBER}\nsplit: {{scheme: kfold, together: g}}", rows(g=[f"g{i % 40}" for i in range(1000)]))
    answers = Answers.of(survey, survey.rows)
    assert pd.Series(answers.fold).groupby(survey.folds.blocks).nunique().max() == 1


def words(kind: str) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return rows(n=600, size=[kind.format(each) for each in rng.integers(10, 90, 600)])


@pytest.mark.parametrize(
    ("kind", "word"),
    [("{} cm", "with 'cm'"), ("EUR {}", "with 'EUR'"), ("20{}-Q3", "a year and a quarter")],
)
def test_numbers_and_times_in_words_are_found(kind: str, word: str):
    [finding] = found(misread, NUMBER, words(kind))
    assert finding.on == "size"
    assert word in finding.message


def test_a_column_that_is_declared_is_what_it_is_declared_to_be():
    assert found(misread, f"{NUMBER}\ncolumns: {{size: category}}", words("{} cm")) == []


def test_numbers_that_all_differ_are_missed_though_they_are_taken_for_names_of_rows():
    table = rows(n=600, size=[f"{each:.4f} kg" for each in np.random.default_rng(0).normal(70, 9, 600)])
    [finding] = found(misread, NUMBER, table)
    assert "left out" in finding.message


def test_dates_that_are_written_as_numbers_are_found():
    days = pd.date_range("2020-01-01", periods=1000).strftime("%Y%m%d").astype(int)
    [finding] = found(misread, NUMBER, rows(day=days))
    assert finding.paste == "columns: {day: datetime}"
    assert found(misread, NUMBER, rows(day=np.random.default_rng(0).integers(20_000_000, 20_900_000, 1000))) == []


def test_seconds_since_1970_are_found_by_their_name():
    seconds = 1_600_000_000 + 3600 * np.arange(1000)
    assert [each.on for each in found(misread, NUMBER, rows(start_time=seconds))] == ["start_time"]
    assert found(misread, NUMBER, rows(weight=seconds)) == []


@pytest.mark.parametrize(("levels", "severities"), [(50, []), (60, ["note"]), (700, ["warn"])])
def test_many_levels_are_noted_and_warn_where_most_are_thin(levels: int, severities: list[str]):
    table = rows(2000, shop=[f"shop {i % levels:03d}" for i in range(2000)])
    assert [each.severity for each in found(misread, NUMBER, table)] == severities


def test_a_spelling_that_is_rare_is_noted():
    town = np.where(np.arange(1000) < 5, "DAVOS", np.where(np.arange(1000) % 2, "Davos", "Arosa"))
    assert [each.severity for each in found(misread, NUMBER, rows(town=town))] == ["note"]
