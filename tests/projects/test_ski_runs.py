"""The flagship's simulator: the facts that it promises, the same bytes for the same seed, a mix that matters, and its own limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from piste.edges.load import load_problem

SEEDS = range(5)
FOLDER = Path(__file__).parents[2] / "projects" / "ski-runs"
AFTER = ["scans_total", "wait_minutes", "hours_open", "snow_overnight"]


def winters(rows: pd.DataFrame) -> pd.Series:
    """Return the year in which each row's winter began."""
    return (rows.date - pd.Timedelta(days=182)).dt.year


@pytest.fixture(scope="module", params=SEEDS)
def drawn(resort: ModuleType, request: pytest.FixtureRequest) -> tuple:
    evenings, days = np.random.default_rng(request.param).spawn(2)
    evening, fallen = resort.known_by_evening(evenings)
    return evening, resort.happens(days, evening, fallen)


def test_there_is_one_row_per_run_and_day_of_five_winters(resort):
    rows = resort.simulate(0)
    assert len(rows) == 5 * 124 * 8 == 4960
    assert not rows.duplicated(["run", "date"]).any()
    assert not rows.isna().any().any()
    assert rows.date.is_monotonic_increasing
    opens, closes = rows.date.groupby(winters(rows)).agg(["min", "max"]).astype(str).iloc[0]
    assert (opens, closes) == ("2021-12-04", "2022-04-06")
    assert rows.groupby(winters(rows)).date.nunique().tolist() == [124] * 5


def test_the_calendar_agrees_with_the_one_on_the_wall(resort):
    rows = resort.simulate(0)
    assert (rows.weekday == rows.date.dt.day_of_week).all()
    holidays = set(rows.date[rows.holiday == 1].dt.strftime("%Y-%m-%d"))
    assert {
        "2021-12-25",
        "2022-01-06",
        "2022-02-21",
        "2022-02-19",
        "2022-02-27",
        "2026-02-16",
    } <= holidays  # Presidents' Day is a third Monday
    assert not {"2021-12-21", "2022-01-07", "2022-02-18", "2022-02-28"} & holidays


def test_the_same_seed_gives_the_same_bytes(resort):
    assert resort.simulate(3).to_csv() == resort.simulate(3).to_csv()


def test_another_seed_gives_another_resort(resort):
    assert (resort.simulate(0).skiers != resort.simulate(1).skiers).mean() > 0.9


def test_the_limits_of_a_day_are_kept(resort):
    rows = resort.simulate(0)
    assert (rows.skiers >= 0).all()
    assert rows.skiers.dtype.kind == "i"
    assert (rows.skiers[rows.hours_open == 0] == 0).all()
    assert (rows.groupby("date").skiers.sum() == rows.groupby("date").scans_total.first()).all()


def test_about_2800_people_come_on_a_day(drawn):
    _, day = drawn
    per_day = day.visits.sum(axis=1)
    assert 2600 < per_day.mean() < 3000
    assert per_day.min() > 300
    assert per_day.max() < 13_000


def test_types_of_customer_move_together_only_in_part(drawn):
    evening, _ = drawn
    correlation = np.corrcoef(np.log(evening.tickets.T))
    for neighbour in range(3):
        assert 0.45 < correlation[neighbour, neighbour + 1] < 0.85
    assert abs(correlation[0, 3]) < 0.3


def test_shares_of_the_types_vary_by_5_to_9_points(drawn):
    evening, _ = drawn
    share = 100 * evening.tickets / evening.tickets.sum(axis=1, keepdims=True)
    assert (share.std(axis=0) > 4.5).all()
    assert (share.std(axis=0) < 9).all()


def test_every_run_lives_between_10_and_60_percent_of_its_capacity(resort, drawn):
    _, day = drawn
    use = (day.counts / resort.PER_HOUR).mean(axis=(0, 1))
    assert (use > 0.10).all()
    assert (use < 0.60).all()


def test_lifts_are_held_in_a_few_percent_of_hours_and_exposed_ones_more_often(drawn):
    _, day = drawn
    closed = 100 * (1 - day.open.mean(axis=(0, 1)))
    assert (closed > 0.5).all()
    assert (closed < 6).all()
    assert closed[-1] > closed[0]


def test_snow_of_the_last_days_is_the_snow_that_fell(drawn):
    evening, day = drawn
    same_winter = evening.season[1:] == evening.season[:-1]
    np.testing.assert_array_equal(evening.snow_24h[1:][same_winter], day.snow_overnight[:-1][same_winter])
    assert (evening.snow_24h[evening.day_of_season == 0] == 0).all()
    late = evening.day_of_season >= 3
    expected = np.convolve(day.snow_overnight, [0, 1, 1, 1])[: len(late)]
    np.testing.assert_allclose(evening.snow_72h[late], expected[late], atol=1e-9)


def test_nobody_skis_where_the_lift_is_held_and_all_can_be_held(resort):
    riding, charm = np.full((1, 1, 4), 500.0), np.zeros((1, 1, 4, 8))
    flow, load = resort.flows(riding, charm, np.zeros((1, 1, 8), dtype=bool))
    assert (flow == 0).all()
    assert (load == 0).all()
    only_first = np.arange(8) == 0
    flow, _ = resort.flows(riding, charm, only_first[None, None])
    assert flow[0, 0, 0] > 0
    assert (flow[0, 0, 1:] == 0).all()


def test_skiers_spread_until_no_run_is_better_than_chosen(resort):
    """The flows solve their own equation: choices made at these crowds give these crowds again."""
    evenings = np.random.default_rng(0).spawn(1)[0]
    evening, fallen = resort.known_by_evening(evenings)
    riding = evening.tickets[:, None, :].astype(float) * 2
    charm = np.broadcast_to(resort.TASTE, (len(fallen), 1, 4, 8))
    flow, load = resort.flows(riding, charm, np.ones((len(fallen), 1, 8), dtype=bool))
    weight = np.exp(charm - 1.2 * np.minimum(flow / resort.PER_HOUR, 2.5)[:, :, None, :])
    wanted = (riding[..., None] * weight / weight.sum(axis=-1, keepdims=True)).sum(axis=2)
    carried = wanted / (1 + load**6)[..., resort.LIFT_OF] ** (1 / 6)
    np.testing.assert_allclose(flow, carried, rtol=1e-4)
    assert (carried.sum(axis=-1) <= resort.LIFTED.sum()).all()


def test_what_happens_depends_on_the_evening_alone(resort):
    """Drawn many times for the same evenings, the days spread around what did happen as often as they should.

    What came is one more draw like the others, so among 19 of them it is the smallest or the largest 2 times in 20.
    """
    evenings, days = np.random.default_rng(0).spawn(2)
    evening, fallen = resort.known_by_evening(evenings)
    came = resort.happens(days, evening, fallen).counts.sum(axis=(1, 2))
    again = np.random.default_rng(100)
    draws = np.array([resort.happens(again, evening).counts.sum(axis=(1, 2)) for _ in range(19)])
    outside = ((came < draws.min(axis=0)) | (came > draws.max(axis=0))).mean()
    assert outside == pytest.approx(0.1, abs=3 * np.sqrt(0.1 * 0.9 / len(came)))


def test_kept_rows_are_the_simulated_ones(load, tmp_path):
    code = tmp_path / "simulate.py"
    code.write_bytes((FOLDER / "simulate.py").read_bytes())
    copy = load(code)
    first = copy.ski_days(1)
    assert [path.name.startswith("ski_days-1-") for path in (tmp_path / ".cache").iterdir()] == [True]
    pd.testing.assert_frame_equal(first, copy.simulate(1))
    pd.testing.assert_frame_equal(copy.ski_days(1), first)


def test_a_folder_that_cannot_be_written_to_still_gives_rows(load, tmp_path):
    code = tmp_path / "simulate.py"
    code.write_bytes((FOLDER / "simulate.py").read_bytes())
    (tmp_path / ".cache").write_text("a file where the folder should be")
    assert len(load(code).ski_days()) == 4960


def test_a_changed_simulator_never_gets_old_rows(load, tmp_path):
    code = tmp_path / "simulate.py"
    code.write_bytes((FOLDER / "simulate.py").read_bytes())
    before = load(code).ski_days()
    code.write_text(code.read_text().replace("rng.poisson(2100 *", "rng.poisson(4200 *"))
    after = load(code).ski_days()
    assert after.skiers.mean() > 1.2 * before.skiers.mean()


def test_the_days_are_those_of_the_first_release(resort):
    rows = resort.simulate(0)
    assert rows.skiers[:8].tolist() == [2058, 2109, 3858, 4516, 4111, 1960, 1776, 480]
    assert (rows.skiers.sum(), rows.skiers.max(), rows.hours_open.sum()) == (14_536_612, 9_839, 33_883)


def test_there_is_one_row_per_run_and_hour_of_the_same_winters(resort):
    rows = resort.simulate_hours(0)
    assert len(rows) == 5 * 124 * 7 * 8 == 34_720
    assert not rows.duplicated(["run", "time"]).any()
    assert not rows.isna().any().any()
    assert rows.time.is_monotonic_increasing
    assert (rows.time == rows.date + pd.to_timedelta(rows.hour, unit="h")).all()
    assert sorted(rows.hour.unique()) == [9, 10, 11, 12, 13, 14, 15]


def test_the_hours_of_a_day_add_up_to_the_day(resort):
    days = resort.simulate(4).set_index(["date", "run"]).sort_index()
    by_hour = resort.simulate_hours(4)
    whole = by_hour.groupby(["date", "run"])
    np.testing.assert_array_equal(whole["count"].sum(), days.skiers)
    np.testing.assert_array_equal(whole.lift_open.sum(), days.hours_open)
    np.testing.assert_array_equal(whole.scans_total.sum(), days.scans_total)
    np.testing.assert_allclose(whole.wait_minutes.mean(), days.wait_minutes, atol=0.1 + 1e-9)  # each rounded to a tenth
    known = [*resort.CALENDAR, *resort.TICKETS, *resort.WEATHER, "grade", "lift", "snow_overnight"]
    pd.testing.assert_frame_equal(whole[known].first(), days[known])
    assert (whole[known].nunique() == 1).all().all()


def test_nobody_is_counted_where_the_lift_stands(resort):
    rows = resort.simulate_hours(0)
    assert (rows["count"][rows.lift_open == 0] == 0).all()
    assert (rows.groupby("time")["count"].sum() == rows.groupby("time").scans_total.first()).all()


@pytest.fixture(scope="module")
def aside(load: Callable[[Path], ModuleType], tmp_path_factory: pytest.TempPathFactory) -> ModuleType:
    """Return a copy of the simulator, whose .cache is its own."""
    code = tmp_path_factory.mktemp("aside") / "simulate.py"
    code.write_bytes((FOLDER / "simulate.py").read_bytes())
    return load(code)


@pytest.fixture(scope="module")
def march(aside: ModuleType) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the days and the hours of one month."""
    return tuple(rows[rows.date.dt.strftime("%Y-%m") == "2023-03"] for rows in (aside.simulate(0), aside.simulate_hours(0)))


@pytest.mark.parametrize("table", ["simulate", "simulate_hours"])
def test_the_evening_can_be_read_back_from_the_rows(resort, table):
    evening, _ = resort.known_by_evening(np.random.default_rng(2).spawn(2)[0])
    rows = getattr(resort, table)(2).sample(frac=1, random_state=0)
    again, of_row = resort.evenings(rows)
    for field in fields(evening):
        np.testing.assert_array_equal(getattr(again, field.name), getattr(evening, field.name), err_msg=field.name)
    np.testing.assert_array_equal(again.date[of_row], rows.date.to_numpy("M8[D]"))


def test_the_draws_of_a_row_do_not_depend_on_the_rows_beside_it(aside, march):
    _, by_hour = march
    some = by_hour[by_hour.date >= "2023-03-20"].sample(200, random_state=0)
    place = pd.Series(range(len(by_hour)), index=by_hour.index)[some.index]
    draws = aside.bayes(some, 20)
    assert draws.shape == (200, 20)
    np.testing.assert_array_equal(draws, aside.bayes(by_hour, 20)[place])


def test_a_draw_of_a_day_is_the_sum_of_that_draw_of_its_hours(aside, march):
    by_day, by_hour = march
    drawn = pd.DataFrame(aside.bayes(by_hour, 20)).groupby([by_hour.date.to_numpy(), by_hour.run.to_numpy()]).sum()
    order = pd.MultiIndex.from_frame(by_day[["date", "run"]])
    np.testing.assert_array_equal(aside.bayes(by_day, 20), drawn.loc[order])


def test_the_limit_is_drawn_from_what_is_known_at_18_00_alone(aside, march):
    _, by_hour = march
    known = by_hour[["date", "hour", "run", *aside.CALENDAR, *aside.TICKETS, *aside.WEATHER]]
    np.testing.assert_array_equal(aside.bayes(known, 20), aside.bayes(by_hour, 20))
    colder = by_hour.assign(wind_forecast=90.0)
    assert aside.bayes(colder, 20).mean() < 0.7 * aside.bayes(by_hour, 20).mean()


def test_the_draws_agree_with_the_resort_run_again_and_again(aside):
    """The means of 400 draws of 16 evenings, against those of 400 days from a loop over `happens` with another stream."""
    evening, _ = aside.known_by_evening(np.random.default_rng(0).spawn(2)[0])
    rows = aside.simulate_hours(0)
    days = np.arange(0, 620, 40)
    some = rows[rows.date.isin(evening.date[days])]
    same = type(evening)(**{field.name: getattr(evening, field.name)[days] for field in fields(evening)})
    rng = np.random.default_rng(77)
    loop = np.array([aside.happens(rng, same).counts.ravel() for _ in range(400)])
    draws = aside.bayes(some, 400)
    apart = draws.mean(axis=1) - loop.mean(axis=0)
    error = np.sqrt(draws.var(axis=1) / 400 + loop.var(axis=0) / 400)
    assert np.abs(apart / error).max() < 5  # of 896 rows
    assert np.mean(apart / error) == pytest.approx(0, abs=0.5)
    assert draws.std() == pytest.approx(loop.std(), rel=0.05)


def test_what_came_is_one_more_draw_like_the_others(aside):
    """So among 19 of them it is the smallest or the largest 2 times in 20, on rows of 620 days that know nothing of each other."""
    rows = aside.simulate_hours(0)
    noon = rows[(rows.hour == 12) & (rows.run == "Boulevard")]
    draws = aside.bayes(noon, 19)
    outside = ((noon["count"] < draws.min(axis=1)) | (noon["count"] > draws.max(axis=1))).mean()
    assert outside == pytest.approx(0.1, abs=3 * np.sqrt(0.1 * 0.9 / len(noon)))


def test_the_limit_refuses_rows_that_are_not_of_this_resort(aside, march):
    _, by_hour = march
    with pytest.raises(ValueError, match=r"'run' must be one of Meadow, Lullaby, .*, but is Streif"):
        aside.bayes(by_hour.assign(run="Streif"), 2)
    with pytest.raises(ValueError, match=r"'hour' must be one of 9, 10, .*, but is 20"):
        aside.bayes(by_hour.assign(hour=20), 2)
    with pytest.raises(ValueError, match="rows of one date must agree in 'snow_24h'"):
        aside.bayes(by_hour.assign(snow_24h=np.arange(len(by_hour))), 2)


def test_what_is_drawn_once_is_kept_whole(load, tmp_path, march):
    code = tmp_path / "simulate.py"
    code.write_bytes((FOLDER / "simulate.py").read_bytes())
    copy = load(code)
    by_day, by_hour = march
    first = copy.bayes(by_hour, 5)
    [name] = [path.name for path in (tmp_path / ".cache").iterdir()]
    assert name.startswith("bayes-5-")
    assert name.endswith(".npz")
    copy.redrawn = None  # drawing again would fail
    np.testing.assert_array_equal(copy.bayes(by_hour, 5), first)
    assert copy.bayes(by_day, 5).shape == (len(by_day), 5)


@pytest.mark.parametrize(("file", "table"), [("problem.yaml", "simulate"), ("hours.yaml", "simulate_hours")])
def test_every_level_and_every_action_matters(aside, file, table):
    """No level is rare, no action is never the best to take, and no single action is nearly as good as knowing the evening."""
    problem = load_problem(FOLDER / file)
    rows = getattr(aside, table)(0)
    cost = np.array(list(problem.decision.cost.actions.values()))
    share = rows[problem.target.column] / rows.capacity
    level = np.digitize(share, problem.target.levels.cuts)
    drawn = np.digitize(aside.bayes(rows, 40) / rows.capacity.to_numpy()[:, None], problem.target.levels.cuts)
    probability = np.column_stack([(drawn == each).mean(axis=1) for each in range(3)])
    action = (probability @ cost.T).argmin(axis=1)
    assert (np.bincount(level, minlength=3) / len(rows) > 0.06).all()
    assert (np.bincount(action, minlength=3) / len(rows) > 0.06).all()
    assert cost[action, level].mean() < 0.45 * cost[:, level].mean(axis=1).min()


def test_the_hours_say_of_every_column_when_it_is_known(resort):
    problem = load_problem(FOLDER / "hours.yaml")
    declared = [*problem.known_at.always, *problem.known_at.decision, *problem.known_at.after, problem.target.column]
    assert sorted([*declared, problem.split.together]) == sorted(resort.simulate_hours(0).columns)


def errors(rows: pd.DataFrame, features: pd.DataFrame) -> np.ndarray:
    """Return the error of boosting on every row but those of the first winter, each predicted from the winters before it."""
    from lightgbm import LGBMRegressor

    skiers = rows.skiers.to_numpy(dtype=float)
    winter = winters(rows).to_numpy() - 2021
    predicted = np.full(len(rows), np.nan)
    for test in range(1, 5):
        model = LGBMRegressor(n_estimators=120, learning_rate=0.06, num_leaves=15, min_child_samples=10, n_jobs=1, verbose=-1)
        model.fit(features[winter < test], skiers[winter < test])
        predicted[winter == test] = model.predict(features[winter == test])
    return (skiers - predicted)[winter > 0]


def test_the_mix_of_customers_matters(resort):
    """With the total in place of the four ticket columns, boosting errs at least 5 % more, in the mean over five resorts."""
    worse = []
    for seed in SEEDS:
        rows = resort.simulate(seed)
        tickets = [name for name in rows if name.startswith("tickets_")]
        features = rows.drop(columns=["skiers", "date", *AFTER]).astype(dict.fromkeys(["run", "grade", "lift"], "category"))
        total = features.drop(columns=tickets).assign(tickets_total=features[tickets].sum(axis=1))
        four, one = errors(rows, features), errors(rows, total)
        worse.append([np.sqrt(np.mean(one**2) / np.mean(four**2)) - 1, np.abs(one).mean() / np.abs(four).mean() - 1])
    rmse, absolute = np.mean(worse, axis=0)
    assert rmse >= 0.05
    assert absolute >= 0.05
