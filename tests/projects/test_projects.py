"""The example projects: their files load, stay small and say what they should, and their known answers are in their data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

import piste
from piste.core import expression
from piste.core.data import Table
from piste.core.table import make_table
from piste.edges.load import load_problem
from piste.edges.sources import read

ROOT = Path(__file__).parents[2]
PROJECTS = ROOT / "projects"
NAMES = ("breast-cancer", "diabetes", "digits", "peas", "planets", "ski-resort", "ski-runs", "xor")
FILES = sorted([*PROJECTS.glob("*/*.yaml"), *(ROOT / "tests" / "real").rglob("*.yaml")])


def slope(x: pd.Series, y: pd.Series) -> float:
    return float(np.polyfit(x, y, 1)[0])


def test_these_are_the_projects():
    assert tuple(sorted(path.parent.name for path in PROJECTS.glob("*/problem.yaml"))) == NAMES


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_problem_file_loads(path):
    assert load_problem(path).question


@pytest.mark.parametrize("path", sorted(PROJECTS.glob("*/*.yaml")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_project_names_the_schema_for_editors(path):
    assert path.read_text().splitlines()[0] == "# yaml-language-server: $schema=../../docs/problem.schema.json"


@pytest.mark.parametrize("name", NAMES)
def test_every_project_says_how_to_run_it(name):
    text = (PROJECTS / name / "README.md").read_text()
    assert f"piste check projects/{name}\npiste run projects/{name}\n" in text
    assert "What to look at:" in text


@pytest.mark.parametrize("name", NAMES)
def test_the_overview_lists_every_project(name):
    assert f"| [{name}]({name}) |" in (PROJECTS / "README.md").read_text()


@pytest.mark.parametrize("file", [*NAMES, "ski-runs/hours.yaml"])
def test_every_problem_is_as_well_written_as_check_asks_for(file):
    checked = piste.check(PROJECTS / file)
    assert checked.open == checked.of("note")
    assert checked.exit_code(strict=True) == 0


@pytest.mark.parametrize("name", NAMES)
def test_no_file_is_big(name):
    kept = [path for path in (PROJECTS / name).rglob("*") if path.is_file() and not {".cache", "__pycache__"} & set(path.parts)]
    assert all(path.stat().st_size < 100_000 for path in kept)


def test_the_first_file_has_at_most_ten_lines_and_asks_the_same():
    file = PROJECTS / "ski-runs" / "first.yaml"
    first = load_problem(file)
    full = load_problem(PROJECTS / "ski-runs" / "problem.yaml")
    assert len(file.read_text().splitlines()) <= 10
    assert (first.question, first.data, first.target.column, first.unit, first.time) == (
        full.question,
        full.data,
        full.target.column,
        full.unit,
        full.time,
    )
    assert set(first.known_at.after) == set(full.known_at.after)


def test_ski_runs_says_of_every_column_when_it_is_known(resort):
    problem = load_problem(PROJECTS / "ski-runs" / "problem.yaml")
    declared = [*problem.known_at.always, *problem.known_at.decision, *problem.known_at.after, problem.target.column]
    assert sorted(declared) == sorted(resort.simulate(0).columns)


def test_kepler_finds_three_halves():
    planets = pd.read_csv(PROJECTS / "planets" / "data.csv")
    assert slope(np.log(planets.distance_au), np.log(planets.period_years)) == pytest.approx(1.5, abs=0.001)


def test_galton_finds_a_slope_of_0_210():
    peas = pd.read_csv(PROJECTS / "peas" / "data.csv")
    assert slope(peas.parent, peas.offspring) == pytest.approx(0.210, abs=0.0005)


def test_the_real_resort_is_the_shared_one_unchanged(shared):
    assert (PROJECTS / "ski-resort" / "data.csv").read_bytes() == (shared("ski_resort3") / "data.csv").read_bytes()


def test_the_last_winter_of_the_real_resort_is_unlike_the_others():
    days = pd.read_csv(PROJECTS / "ski-resort" / "data.csv", parse_dates=["Date"])
    weekend = days.Date.dt.day_name().isin(["Saturday", "Sunday"])
    winter = (days.Date - pd.Timedelta(days=182)).dt.year
    ratio = days[weekend].groupby(winter).TOTAL_VISITS.mean() / days[~weekend].groupby(winter).TOTAL_VISITS.mean()
    assert ratio.loc[:2019].between(2.0, 2.5).all()
    assert ratio.loc[2020] == pytest.approx(1.5, abs=0.05)


@pytest.fixture(scope="module")
def points(load: Callable[[Path], ModuleType]) -> pd.DataFrame:
    return load(PROJECTS / "xor" / "make.py").xor()


def test_the_signs_alone_part_the_four_clouds(points):
    assert len(points) == 400
    assert ((points.x1 * points.x2 < 0) == (points.differ == "yes")).mean() >= 0.99


def test_no_straight_line_parts_more_than_three_clouds_of_four(points):
    """Every direction, every threshold, tried out."""
    yes = points.differ.to_numpy() == "yes"
    best = 0.0
    for angle in np.linspace(0, np.pi, 181):
        order = np.argsort(points.x1 * np.cos(angle) + points.x2 * np.sin(angle))
        ahead = np.concatenate([[0], np.cumsum(np.where(yes[order], 1, -1))])
        best = max(best, (np.abs(ahead).max() + 200) / 400)
    assert 0.72 < best < 0.77


def table(path: Path) -> Table:
    problem = load_problem(path)
    return make_table(problem, read(problem, path.parent))


@pytest.mark.parametrize(
    ("file", "kind", "labels"),
    [
        ("breast-cancer/problem.yaml", "binary", ("benign", "malignant")),
        ("diabetes/problem.yaml", "numeric", ()),
        ("digits/problem.yaml", "category", tuple("0123456789")),
        ("peas/problem.yaml", "numeric", ()),
        ("planets/problem.yaml", "numeric", ()),
        ("ski-resort/problem.yaml", "count", ()),
        ("ski-runs/first.yaml", "count", ()),
        ("ski-runs/problem.yaml", "count", ()),
        ("xor/problem.yaml", "binary", ("no", "yes")),
    ],
)
def test_every_project_asks_for_the_kind_of_answer_that_it_means(file, kind, labels):
    target = table(PROJECTS / file).target
    assert (target.kind, target.labels) == (kind, labels)


@pytest.mark.parametrize("file", ["first.yaml", "problem.yaml"])
def test_no_model_of_ski_runs_sees_what_is_known_only_after(file):
    seen = {column.name for column in table(PROJECTS / "ski-runs" / file).features}
    assert len(seen) >= 17
    assert not seen & {"skiers", "scans_total", "wait_minutes", "hours_open", "snow_overnight"}


@pytest.mark.parametrize("name", NAMES)
def test_every_rule_on_paper_gives_every_row_a_value(name):
    problem = load_problem(PROJECTS / name / "problem.yaml")
    rows = table(PROJECTS / name / "problem.yaml").frame
    for text in problem.baselines.values():
        assert np.isfinite(expression.apply(expression.learn(expression.parse(str(text)), rows), rows)).all()


def test_the_owners_rule_scales_tickets_by_what_a_ticket_meant_on_that_run():
    problem = load_problem(PROJECTS / "ski-runs" / "problem.yaml")
    rows = table(PROJECTS / "ski-runs" / "problem.yaml").frame
    rule = expression.parse(str(problem.baselines["ticket_rule"]))
    sums = rows.groupby("run")[["skiers", "tickets_total"]].transform("sum")
    expected = rows.tickets_total * sums.skiers / sums.tickets_total
    np.testing.assert_allclose(expression.apply(expression.learn(rule, rows), rows), expected, rtol=1e-12)


def test_models_of_the_planets_see_the_logarithm_of_the_distance_alone():
    assert [column.name for column in table(PROJECTS / "planets" / "problem.yaml").features] == ["log_distance"]


@pytest.mark.parametrize(
    ("name", "rows", "kind", "hidden"),
    [
        ("adult", 48_842, "binary", {"income", "split", "fnlwgt", "education"}),
        ("bike_hour", 17_379, "count", {"cnt", "casual", "registered", "instant"}),
        ("concrete", 1_030, "numeric", {"strength"}),
        ("galton_families", 934, "numeric", {"childHeight", "childNum", "family", "rownames"}),
        ("ski_resort3", 851, "count", {"TOTAL_VISITS", "DAY_VISITS", "NIGHT_VISITS"}),
        ("wine_quality", 6_497, "numeric", {"quality"}),
    ],
)
def test_models_of_the_real_sets_see_all_but_the_answer_and_what_gives_it_away(name, rows, kind, hidden, shared):
    shared(name)
    found = table(ROOT / "tests" / "real" / f"{name}.yaml")
    assert len(found.frame) == rows
    assert found.target.kind == kind
    assert set(found.frame) - {column.name for column in found.features} == hidden
