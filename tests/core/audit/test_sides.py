"""What stands on both sides of a split: equal rows, groups, later rows, and a holdout that was judged before."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import piste
from piste.checking import survey_of
from piste.core.audit import Survey, future
from piste.core.audit.future import future_in_training
from piste.core.audit.measures.groups import Flattery, keys, roughness, torn
from piste.core.audit.measures.twins import copies, met, nearly, rounded
from piste.core.audit.sides import holdout_judged_before, same_rows, straddling_groups
from piste.core.check import Check, Found, NotApplicable
from piste.core.finding import Finding
from piste.edges.strict_yaml import read
from piste.prepare import prepare
from piste.watch import silent
from tests.checks import surveyed

DATA = Path(__file__).parents[4] / "shared" / "data"
CHECKS = (same_rows, straddling_groups, future_in_training, holdout_judged_before)


def found(check: Check[Survey], survey: Survey) -> tuple[Finding, ...]:
    said = check.run(survey)
    assert isinstance(said, Found), said
    return tuple(said.findings)


def real(name: str, file: str, problem: str) -> Survey:
    path = DATA / name / file
    if not path.exists():
        pytest.skip(f"no {path}")
    keys_of = read(problem, "problem.yaml").value
    return survey_of(prepare(piste.Problem(data=path, **keys_of), (), silent, quick=True, code=True))


def numbers(n: int, *, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    table = pd.DataFrame({name: rng.normal(size=n).round(4) for name in ("depth", "slope", "wind")})
    return table.assign(speed=(table["depth"] + rng.normal(0, 0.5, n)).round(4))


# L06


def test_numbers_are_rounded_as_they_are_written_with_six_digits():
    values = np.array([123456.7, -0.000123456789, 1.0, 5e-320, 1e300, 7654321.0])
    assert [f"{each:.5e}" for each in values[:3]] == [f"{each:.5e}" for each in rounded(values)[:3]]
    assert rounded(np.array([123456.7, 123456.71]))[0] == rounded(np.array([123456.71]))[0]
    assert np.isnan(rounded(np.array([np.nan]))[0])


@pytest.mark.parametrize(("levels", "n_columns"), [(2, 8), (3, 4)])
def test_pairs_of_equal_rows_and_of_rows_that_differ_in_one_column_are_those_of_a_slow_count(levels: int, n_columns: int):
    cells = np.random.default_rng(0).integers(0, levels, (80, n_columns))
    apart = [int(np.sum(one != other)) for one, other in combinations(cells, 2)]
    columns = [pd.Series(cells[:, 0]).map("level {}".format).astype("str"), *(pd.Series(each.astype(float)) for each in cells.T[1:])]
    told = copies(columns, seed=0)
    assert (told.pairs, told.near) == (apart.count(0), apart.count(1))


def test_missing_cells_are_equal_to_one_another():
    table = pd.DataFrame({"a": [np.nan, np.nan, 1.0], "b": pd.Series(["x", "x", None], dtype="str")})
    assert copies([table["a"], table["b"]], seed=0).pairs == 1


@pytest.mark.parametrize(("levels", "n_columns"), [(2, 6), (3, 5), (5, 4)])
def test_what_chance_makes_equal_is_no_more_than_expected(levels: int, n_columns: int):
    rng = np.random.default_rng(levels)
    told = copies([pd.Series(rng.integers(0, levels, 1_000).astype(float)) for _ in range(n_columns)], seed=0)
    assert told.pairs <= 1.1 * told.chance
    assert told.chance <= 1.1 * max(1, levels - 1) * told.pairs  # exact for two levels, at most the odds of differing too high for more


def test_copies_are_beyond_chance_in_coarse_tables_too():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.integers(0, 9, (1_000, 8)).astype(float))
    twice = pd.concat([table, table.head(100)], ignore_index=True)
    assert copies([twice[name] for name in twice], seed=0).beyond_chance > 0.95


def test_a_row_is_met_in_the_folds_whose_training_part_holds_its_copy():
    survey = surveyed("target: speed\nsplit: {folds: 4, repeats: 2}", pd.concat([numbers(60), numbers(60).head(10)], ignore_index=True))
    equal = pd.factorize(survey.frame[["depth", "slope", "wind"]].apply(tuple, axis=1))[0]
    by_hand = np.zeros(70)
    for fold in survey.folds.shown:
        for row in fold.test:
            by_hand[row] += equal[row] in equal[fold.train]
    np.testing.assert_allclose(met(equal, survey.folds.shown, 70), by_hand / 2)


def test_what_looking_up_saves_is_the_share_of_the_rules_squared_error_on_copied_rows():
    rows = pd.concat([numbers(200), numbers(200).head(40)], ignore_index=True)
    survey = surveyed("target: speed\nsplit: {repeats: 1}", rows)
    [finding] = found(same_rows, survey)
    y, lost, saved = rows["speed"].to_numpy(), 0.0, 0.0
    for fold in survey.folds.shown:
        errors = (y[fold.test] - y[fold.train].mean()) ** 2
        copied = rows.iloc[fold.test].apply(tuple, axis=1).isin(set(rows.iloc[fold.train].apply(tuple, axis=1)))
        lost += errors.sum()
        saved += errors[copied.to_numpy()].sum()
    assert finding.severity == "warn"
    assert finding.number == pytest.approx(saved / lost, rel=0.02)  # less what chance may have made equal


@pytest.mark.parametrize(("again", "severity"), [(1, "note"), (20, "warn"), (260, "block")])
def test_the_severity_is_what_looking_up_saves(again: int, severity: str):
    [finding] = found(same_rows, surveyed("target: speed", pd.concat([numbers(300), numbers(300).head(again)], ignore_index=True)))
    assert finding.severity == severity


def test_equal_features_with_other_answers_are_no_copies():
    rows = pd.concat([numbers(200), numbers(200).head(40).assign(speed=lambda told: told["speed"] + 1)], ignore_index=True)
    assert not found(same_rows, surveyed("target: speed", rows))


def test_copies_that_an_identifier_keeps_together_can_be_kept_on_one_side():
    rows = numbers(200).assign(record=[f"r{each}" for each in range(200)])
    problem = "target: speed\ncolumns: {record: identifier}\nsplit: {folds: 4}"
    twice = pd.concat([rows, rows.head(40)], ignore_index=True)
    [finding] = found(same_rows, surveyed(problem, twice))
    assert finding.paste == "split: {folds: 4, together: record}"
    assert not found(same_rows, surveyed(problem.replace("split: {folds: 4}", finding.paste), twice))


def test_copies_within_the_holdout_are_nobodys_business():
    rows = pd.concat([numbers(200), numbers(20, seed=1), numbers(20, seed=1)], ignore_index=True)
    rows["part"] = np.where(np.arange(240) < 200, [f"p{each % 5}" for each in range(240)], "last")
    survey = surveyed("target: speed\nsplit: {scheme: leave_one_out, by: part, holdout: [last]}", rows)
    assert not found(same_rows, survey)


def test_rows_that_hardly_differ_are_found_and_neighbours_are_not():
    rows, rng = numbers(600), np.random.default_rng(1)
    again = rows.head(60) + rng.normal(0, 1e-3, (60, 4))
    assert not found(same_rows, surveyed("target: speed", rows))
    [finding] = found(same_rows, surveyed("target: speed", pd.concat([rows, again], ignore_index=True)))
    assert (finding.on, finding.severity) == ("rows nearly the same", "warn")
    assert 0.1 < finding.number < 0.2  # 120 of 660, four fifths of whose twins are in training


def test_rows_of_a_grid_are_no_copies():
    grid = pd.DataFrame([(a, b, c) for a in range(8) for b in range(8) for c in np.linspace(0, 1, 9)], columns=["a", "b", "c"], dtype=float)
    assert not found(same_rows, surveyed("target: y", grid.assign(y=grid["a"] * grid["b"] + grid["c"])))


def test_chance_makes_rows_nearly_equal_as_often_as_it_is_said():
    rng = np.random.default_rng(0)
    survey = surveyed("target: speed\nsplit: {repeats: 1}", numbers(900))
    X = rng.normal(size=(900, 1))
    told = nearly(X, np.empty((900, 0), dtype=int), np.zeros((900, 1)), survey.folds.shown, np.arange(900), np.ones(1, dtype=bool), seed=0)
    assert told is not None
    assert float(told.twin.mean()) == pytest.approx(told.chance, abs=0.06)


# L07


def grouped(n_groups: int, each: int, effect: float, *, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.repeat(np.arange(n_groups), each))
    build = rng.normal(size=n_groups)
    rows = numbers(n_groups * each).assign(build=build[group], pupil=[f"p{name}" for name in group])
    return rows.assign(speed=rows["depth"] + effect * rng.normal(size=n_groups)[group] + rng.normal(0, 0.5, len(rows)))


def test_groups_are_said_to_straddle_where_they_matter_and_the_paste_cures_it():
    rows, problem = grouped(80, 6, effect=1.0), "target: speed\ncolumns: {pupil: identifier}"
    [finding] = found(straddling_groups, surveyed(problem, rows))
    assert (finding.on, finding.severity, finding.paste) == ("pupil", "warn", "split: {together: pupil}")
    assert not found(straddling_groups, surveyed(f"{problem}\n{finding.paste}", rows))


def test_groups_that_do_not_matter_may_straddle():
    assert not found(straddling_groups, surveyed("target: speed\ncolumns: {pupil: identifier}", grouped(80, 6, effect=0.0)))


@pytest.mark.parametrize(
    ("n_groups", "each", "is_key"),
    [(60, 5, True), (30, 10, True), (29, 10, False), (8, 40, False)],
)
def test_a_column_that_models_see_is_a_key_if_it_has_many_values_of_few_rows(n_groups: int, each: int, is_key: bool):
    survey = surveyed("target: speed", grouped(n_groups, each, effect=1.0))
    assert [key.column.name for key in keys(survey)] == ["pupil"] * is_key


def test_texts_that_follow_one_another_in_the_file_are_a_key_of_few_values_too():
    rows = grouped(12, 40, effect=1.0).sort_values("pupil", ignore_index=True)
    assert [key.column.name for key in keys(surveyed("target: speed", rows))] == ["pupil"]


@pytest.mark.parametrize("smooth", [True, False])
def test_a_whole_number_is_a_key_if_it_is_a_name_and_none_if_it_is_an_amount(smooth: bool):
    rng = np.random.default_rng(0)
    number = rng.permutation(np.repeat(np.arange(100), 6))
    effect = np.linspace(-3, 3, 100) if smooth else rng.normal(0, 2, 100)
    rows = numbers(600).assign(number=number)
    rows["speed"] = rows["depth"] + effect[number] + rng.normal(0, 0.5, 600)
    assert [key.column.name for key in keys(surveyed("target: speed", rows))] == ([] if smooth else ["number"])


def test_means_of_groups_that_chance_alone_moves_are_not_rough():
    told = [roughness(np.arange(600) % 100, np.random.default_rng(seed).normal(size=600)) for seed in range(200)]
    assert np.mean(told) == pytest.approx(0, abs=0.2)
    assert np.mean(np.array(told) > 3) < 0.02


def test_a_column_that_another_one_tells_is_no_key_when_it_is_dropped():
    rng = np.random.default_rng(0)
    level = rng.integers(0, 15, 600)
    rows = numbers(600).assign(level=level.astype(float), words=[f"level {each}" for each in level])
    rows["speed"] = rows["depth"] + np.sqrt(level) + rng.normal(0, 0.5, 600)
    assert not keys(surveyed("target: speed\ncolumns: {words: drop}", rows))


def test_torn_is_the_share_of_tests_with_a_row_of_the_group_in_training():
    survey = surveyed("target: speed\nsplit: {repeats: 1}", numbers(90))
    codes = np.arange(90) // 2
    codes[:10] = -1
    by_hand = [codes[row] in codes[fold.train] and codes[row] >= 0 for fold in survey.folds.shown for row in fold.test]
    assert torn(survey.folds, codes) == pytest.approx(np.mean(by_hand))


def test_forward_in_time_a_group_that_is_known_will_be_known():
    rows = grouped(80, 6, effect=1.0).assign(day=pd.date_range("2024-01-01", periods=480))
    said = straddling_groups.run(surveyed("target: speed\ntime: day\ncolumns: {pupil: identifier}", rows))
    assert isinstance(said, NotApplicable)


def test_a_fixed_split_is_told_to_become_one_that_keeps_groups_whole():
    rows = grouped(80, 6, effect=1.0)
    rows["part"] = np.random.default_rng(0).choice(["train", "test"], len(rows))
    [finding] = found(straddling_groups, surveyed("target: speed\ncolumns: {pupil: drop}\nsplit: {scheme: predefined, by: part}", rows))
    assert finding.paste == "split: {scheme: kfold, together: pupil}"


def test_a_key_with_gaps_is_found_but_cannot_be_pasted():
    rows = grouped(80, 6, effect=1.0)
    rows.loc[:5, "pupil"] = None
    [finding] = found(straddling_groups, surveyed("target: speed\ncolumns: {pupil: identifier}", rows))
    assert not finding.paste
    assert "missing in some rows" in finding.fix


def test_rows_that_lie_next_to_each_other_and_are_alike_are_noted():
    rng = np.random.default_rng(0)
    height, effect = np.repeat(rng.normal(size=60), 10), np.repeat(rng.normal(size=60), 10)  # of ten measurements at a place each
    together = numbers(600).assign(height=height, speed=lambda rows: rows["depth"] + effect + rng.normal(0, 0.3, 600))
    [finding] = found(straddling_groups, surveyed("target: speed", together))
    assert (finding.on, finding.severity) == ("order of the rows", "note")
    assert not found(straddling_groups, surveyed("target: speed", together.sample(frac=1, random_state=0)))
    assert not found(straddling_groups, surveyed("target: speed", together.sort_values("speed", ignore_index=True)))


# L08


def daily(n: int = 400, *, drift: float) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    level = drift * np.cumsum(rng.normal(0, 0.2, n))
    return numbers(n).assign(day=pd.date_range("2022-01-01", periods=n), speed=lambda rows: rows["depth"] + level + rng.normal(0, 0.3, n))


@pytest.mark.parametrize(("drift", "severity"), [(1.0, "warn"), (0.0, "note")])
def test_a_split_that_ignores_the_time_warns_where_that_flatters(drift: float, severity: str):
    [finding] = found(future_in_training, surveyed("target: speed\ntime: day\nsplit: {scheme: kfold, folds: 4}", daily(drift=drift)))
    assert (finding.on, finding.severity, finding.paste) == ("day", severity, "split: {scheme: forward}")


@pytest.mark.parametrize(
    ("standing", "severity", "claim"),
    [(0.9, "note", "no clear"), (1.5, "warn", "that may be chance"), (2.5, "warn", "scores look 10% better")],
)
def test_what_is_said_of_a_split_that_ignores_the_time_is_no_surer_than_what_was_measured(
    monkeypatch: pytest.MonkeyPatch, standing: float, severity: str, claim: str
):
    monkeypatch.setattr(future, "flattery", lambda *_: Flattery(known=0.9, new=1.0, standing=standing))
    [finding] = found(future_in_training, surveyed("target: speed\ntime: day\nsplit: {scheme: kfold}", daily(drift=0.0)))
    assert finding.severity == severity
    assert claim in finding.consequence


def test_a_date_that_is_not_named_as_the_time_is_asked_about_where_the_target_drifts_with_it():
    [finding] = found(future_in_training, surveyed("target: speed", daily(drift=1.0)))
    assert (finding.severity, finding.paste) == ("warn", "time: day")
    assert not found(future_in_training, surveyed("target: speed", daily(drift=0.0)))


def test_a_date_in_whose_order_the_file_does_not_stand_may_be_a_property_and_is_noted():
    [finding] = found(future_in_training, surveyed("target: speed", daily(drift=1.0).sample(frac=1, random_state=0)))
    assert finding.severity == "note"


def test_years_in_whose_order_the_file_stands_are_a_clock():
    rng = np.random.default_rng(0)
    year = np.repeat(np.arange(2005, 2025), 20)
    rows = numbers(400).assign(year=year, speed=lambda told: told["depth"] + rng.normal(0, 1.5, 20)[year - 2005])
    [finding] = found(future_in_training, surveyed("target: speed", rows))
    assert (finding.on, finding.paste) == ("year", "split: {scheme: leave_one_out, by: year}")
    mixed = rows.sample(frac=1, random_state=0)
    assert isinstance(future_in_training.run(surveyed("target: speed", mixed)), NotApplicable)


def test_a_fixed_split_that_goes_forward_is_right():
    rows = daily(drift=1.0).assign(part=lambda told: np.where(np.arange(len(told)) < 300, "train", "test"))
    assert not found(future_in_training, surveyed("target: speed\ntime: day\nsplit: {scheme: predefined, by: part}", rows))


def test_a_split_that_claims_to_go_forward_by_values_that_overlap_in_time_blocks():
    rows = daily(drift=1.0).assign(route=[f"route {each % 5}" for each in range(400)])
    problem = "target: speed\ntime: day\nsplit: {scheme: forward, by: route}"
    [finding] = found(future_in_training, surveyed(problem, rows))
    assert (finding.severity, finding.on) == ("block", "route")
    assert finding.number == pytest.approx(1.0, abs=0.05)
    assert not found(future_in_training, surveyed(f"target: speed\ntime: day\n{finding.paste}", rows))


def test_periods_never_overlap():
    assert not found(future_in_training, surveyed("target: speed\ntime: day\nsplit: {scheme: forward, by: month}", daily(drift=1.0)))


def test_answers_that_are_not_known_yet_are_counted_row_by_row():
    survey = surveyed("target: {column: speed, delay: 10d}\ntime: day\nsplit: {scheme: forward, by: month}", daily(drift=0.0))
    day = survey.frame["day"]
    early = [(day[row] < day[fold.train].max() + pd.Timedelta(days=10)) for fold in survey.folds.shown for row in fold.test]
    [finding] = found(future_in_training, survey)
    assert finding.number == pytest.approx(np.mean(early))
    assert finding.severity == "warn"


@pytest.mark.parametrize(("delay", "severity"), [("1d", None), ("2d", "note"), ("10d", "warn"), ("25d", "block")])
def test_the_gap_is_as_grave_as_the_rows_it_concerns_and_the_paste_cures_it(delay: str, severity: str | None):
    problem = f"target: {{column: speed, delay: {delay}}}\ntime: day\nsplit: {{scheme: forward, by: month}}"
    findings = found(future_in_training, surveyed(problem, daily(drift=0.0)))
    assert [finding.severity for finding in findings] == ([severity] if severity else [])
    if findings:
        cured = problem.replace("split: {scheme: forward, by: month}", findings[0].paste)
        assert cured != problem
        assert not found(future_in_training, surveyed(cured, daily(drift=0.0)))


def test_a_gap_that_would_leave_nothing_to_learn_from_is_not_offered():
    problem = "target: {column: speed, delay: 100d}\ntime: day\nsplit: {scheme: forward, by: month}"
    [finding] = found(future_in_training, surveyed(problem, daily(drift=0.0)))
    assert not finding.paste
    assert "longer periods" in finding.fix


def test_what_is_decided_the_evening_before_needs_the_days_until_then():
    rows = daily(drift=0.0)
    problem = """
    target: {column: speed, kind: numeric, delay: 1d}
    time: day
    decision: {made_at: -1d 18:00, cost: {over: 1, under: 2}}
    split: {scheme: forward, by: month}
    """
    [finding] = found(future_in_training, surveyed(problem, rows))
    assert (finding.severity, finding.paste) == ("note", 'split: {scheme: forward, by: month, gap: "30h"}')


# L14


@pytest.mark.parametrize(("judged", "severity"), [(0, None), (3, "note"), (4, "warn"), (80, "warn")])
def test_a_holdout_that_was_judged_before_is_counted(judged: int, severity: str | None):
    before = np.zeros(400, dtype=int)
    before[320 : 320 + judged] = 3
    survey = surveyed("target: speed\ntime: day\nsplit: {holdout: 0.2}", daily(drift=0.0), judged_before=before)
    findings = found(holdout_judged_before, survey)
    assert [(finding.severity, finding.number) for finding in findings] == ([(severity, judged / 80)] if severity else [])


def test_rows_judged_before_outside_of_the_holdout_do_not_count():
    before = np.r_[np.full(320, 9), np.zeros(80, dtype=int)]
    assert not found(
        holdout_judged_before, surveyed("target: speed\ntime: day\nsplit: {holdout: 0.2}", daily(drift=0.0), judged_before=before)
    )


def test_without_a_holdout_or_a_ledger_nothing_can_be_said():
    rows = daily(drift=0.0)
    assert isinstance(holdout_judged_before.run(surveyed("target: speed", rows, judged_before=np.ones(400))), NotApplicable)
    assert isinstance(holdout_judged_before.run(surveyed("target: speed\nsplit: {holdout: 0.2}", rows)), NotApplicable)


# All of them


STRANGE = {
    "two rows": ("target: y", pd.DataFrame({"a": [1.0, 2.0], "y": [0.5, 1.5]})),
    "one value": ("target: {column: y, kind: numeric}", pd.DataFrame({"a": np.arange(80.0) / 7, "y": [1.0] * 79 + [2.0]})),
    "missing column": ("target: y", pd.DataFrame({"a": np.arange(80.0) / 7, "b": [None] * 80, "y": np.arange(80) % 7 + 0.5})),
    "many levels": ("target: y", pd.DataFrame({"a": [f"a{i // 2}" for i in range(120)], "y": np.arange(120) % 7 + 0.5})),
    "rare class": ("target: y\nsplit: {scheme: kfold}", pd.DataFrame({"a": np.arange(90.0) / 7, "y": ["x", "x", *["z", "w"] * 44]})),
    "several targets": ("target: [y, z]", pd.DataFrame({"a": np.arange(80.0) / 7, "y": np.arange(80) / 3, "z": np.arange(80) % 9 + 0.5})),
    "leave one out": ("target: y\nsplit: {scheme: leave_one_out}", pd.DataFrame({"a": np.arange(70.0) / 7, "y": np.arange(70) % 7 + 0.5})),
    "weights": ("target: y\nweight: w", pd.DataFrame({"a": np.arange(70.0) / 7, "w": np.arange(70) % 3, "y": np.arange(70) % 7 + 0.5})),
    "dates with gaps": ("target: y", pd.DataFrame({"a": [*pd.date_range("2020-01-01", periods=79), pd.NaT], "y": np.arange(80) % 7 + 0.5})),
    "all equal": ("target: y", pd.DataFrame({"a": [1.0, 2.0] * 40, "y": [0.5, 1.5] * 40})),
}  # fmt: skip


@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_strange_table_is_looked_at_without_failing(check: Check[Survey], name: str):
    problem, rows = STRANGE[name]
    assert isinstance(check.run(surveyed(problem, rows)), Found | NotApplicable)


# Real tables


def test_brothers_and_sisters_straddle_a_random_split_of_galtons_families():
    problem = "target: childHeight\ncolumns: {rownames: drop, family: identifier}\nknown_at: {after: [childNum]}"
    [finding] = found(straddling_groups, real("galton_families", "GaltonFamilies.csv", problem))
    assert (finding.on, finding.paste) == ("family", "split: {together: family}")


def test_passengers_of_one_ticket_straddle_a_random_split_of_the_titanic():
    [finding] = found(straddling_groups, real("titanic", "titanic.csv", "target: {column: survived, kind: binary}"))
    assert finding.on == "ticket"


def test_hours_of_a_day_straddle_a_random_split_of_bicycles_which_ignores_the_time_too():
    problem = "target: cnt\ncolumns: {instant: drop}\nknown_at: {after: [casual, registered]}\nsplit: {scheme: kfold}"
    survey = real("bike_hour", "hour.csv", problem)
    assert [finding.on for finding in found(straddling_groups, survey)] == ["dteday"]
    [finding] = found(future_in_training, survey)
    assert (finding.severity, finding.paste) == ("warn", "time: dteday\nsplit: {scheme: forward}")


@pytest.mark.parametrize(
    ("name", "file", "problem", "severity"),
    [
        ("wine_quality", "data.csv", "target: {column: quality, kind: numeric}", "warn"),
        ("spambase", "data.csv", "target: {column: class, kind: binary}", "warn"),
        ("concrete", "data.csv", "target: strength", "warn"),
        ("diamonds", "diamonds.csv", "target: price\ncolumns: {rownames: drop}", "note"),
        ("german_credit", "data.csv", "target: class", None),
        ("titanic", "titanic.csv", "target: {column: survived, kind: binary}", None),
    ],
)
def test_copies_in_real_tables_are_found_and_block_nothing(name: str, file: str, problem: str, severity: str | None):
    findings = found(same_rows, real(name, file, problem))
    assert [finding.severity for finding in findings] == ([severity] if severity else [])


def alike(n_groups: int, each: int, effect: float, *, seed: int = 0) -> pd.DataFrame:
    """Return rows of patients whose answers vary alike in size, not in direction: nothing to learn, but something to count."""
    rng = np.random.default_rng(seed)
    patient = np.repeat([f"p{number:03d}" for number in range(n_groups)], each)
    size = np.exp(np.repeat(rng.normal(0, effect, n_groups), each))
    return pd.DataFrame({"patient": patient, "age": rng.normal(size=len(patient)), "y": size * rng.normal(size=len(patient))})


def test_rows_that_cost_alike_are_one_even_where_no_score_is_flattered():
    frame = alike(120, 10, 0.8)
    [finding] = found(straddling_groups, surveyed("{target: y, columns: {patient: identifier}, metric: mse}", frame))
    assert (finding.on, finding.severity, finding.paste) == ("patient", "warn", "split: {together: patient}")
    squares = (frame["y"] - frame["y"].mean()) ** 2  # the constant's losses, but for what folds leave out
    groups = squares.groupby(frame["patient"])
    between, within = 10 * groups.mean().var(ddof=1), groups.var(ddof=1).mean()
    assert finding.number == pytest.approx((between - within) / (between + 9 * within), abs=0.02)


def test_rows_that_cost_as_they_come_are_no_groups():
    assert found(straddling_groups, surveyed("{target: y, columns: {patient: identifier}, metric: mse}", alike(120, 10, 0.0))) == ()


def clinic(n: int = 600) -> pd.DataFrame:
    """Return visits with two categories and three measurements."""
    rng = np.random.default_rng(4)
    rows = pd.DataFrame(rng.normal(size=(n, 3)), columns=["weight", "pulse", "glucose"])
    rows["ward"], rows["sex"] = rng.choice(list("ABCDE"), n), rng.choice(["f", "m"], n)
    return rows.assign(days=rows["weight"] + rng.normal(size=n))


def test_rows_that_hardly_differ_are_found_beside_categories():
    rows = clinic()
    again = rows.sample(60, random_state=1)
    again[["weight", "pulse", "glucose"]] += 1e-5 * np.random.default_rng(5).normal(size=(60, 3))
    survey = surveyed("target: days\nsplit: {scheme: kfold, folds: 5}", pd.concat([rows, again], ignore_index=True))
    said = same_rows.run(survey)
    assert {(each.on, each.severity) for each in said.findings} == {("rows nearly the same", "warn")}
    assert not same_rows.run(surveyed("target: days\nsplit: {scheme: kfold, folds: 5}", rows)).findings


def test_rows_of_random_groups_flatter_nothing_though_folds_keep_other_blocks_whole():
    rows = clinic(900)
    rng = np.random.default_rng(6)
    rows["mix"], rows["nurse"] = rng.integers(0, 300, 900).astype(str), rng.integers(0, 150, 900).astype(str)
    problem = "target: days\ncolumns: {mix: identifier, nurse: identifier}\nsplit: {scheme: kfold, folds: 5, together: mix}"
    said = straddling_groups.run(surveyed(problem, rows))
    assert not [each for each in said.findings if each.on == "nurse"]
