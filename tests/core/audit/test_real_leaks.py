"""The leaks that real tables are known for are caught where a problem leaves them in, and honest columns of others are not blocked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

import piste
from piste.checking import survey_of
from piste.core.audit import Survey
from piste.core.audit.leaks import strong_column, target_copied
from piste.core.audit.made import made_from_the_file, own_answer
from piste.core.audit.names import telling_name
from piste.core.audit.numbered import row_number
from piste.core.check import examine
from piste.core.finding import Finding
from piste.edges.strict_yaml import read
from piste.prepare import prepare
from piste.watch import silent
from tests.checks import surveyed

CHECKS = (target_copied, strong_column, row_number, telling_name, made_from_the_file, own_answer)
HERE = Path(__file__).parents[3]
REASONS = {
    "several targets lie one below the other",
    "classes have no running mean",
    "fewer than 20 rows tell no copy from chance",
    "fewer than 20 rows tell no skill from chance",
    "fewer than 20 rows have no order to speak of",
    "fewer than 20 rows tell no statistic from chance",
}


def found(survey: Survey) -> dict[tuple[str, str], Finding]:
    """Return what the checks say, by check and what it is about."""
    said = examine(CHECKS, survey)
    assert set(said.spared.values()) <= REASONS, said.spared
    return {(finding.check, finding.on): finding for finding in said.findings}


@pytest.mark.parametrize(
    ("name", "file", "problem", "parts"),
    [
        ("bike_day", "day.csv", "target: {column: cnt, kind: count}\ntime: dteday", ("casual", "registered")),
        ("bike_hour", "hour.csv", "target: {column: cnt, kind: count}\ntime: dteday\nunit: [dteday, hr]", ("casual", "registered")),
        ("ski_resort2", "data.csv", "target: {column: TOTAL_VISITS, kind: count}\ntime: Date", ("Skier visits day", "SV Nights")),
        ("fremont_daily", "data.csv", "target: Total\ntime: Date", ("West", "East")),
    ],
)
def test_two_parts_of_the_target_block(name: str, file: str, problem: str, parts: tuple[str, str], shared: Callable[[str], Path]):
    rows = pd.read_csv(shared(name) / file)
    said = found(surveyed(problem, rows))
    finding = said["L01", " + ".join(parts)]
    assert finding.severity == "block"
    target = rows.columns[-1] if name != "ski_resort2" else "TOTAL_VISITS"
    assert finding.message.startswith(f"'{parts[0]}' + '{parts[1]}' is '{target}' in ")
    pasted = found(surveyed(f"{problem}\n{finding.paste}", rows))
    assert not [key for key, each in pasted.items() if each.severity == "block"]
    assert not [key for key in pasted if set(key[1].split(" + ")) & set(parts)]


@pytest.mark.parametrize("part", ["casual", "registered"])
def test_one_part_alone_is_asked_about(part: str, shared: Callable[[str], Path]):
    rows = pd.read_csv(shared("bike_hour") / "hour.csv").drop(columns={"casual", "registered"} - {part})
    said = found(surveyed("target: {column: cnt, kind: count}\ntime: dteday\nunit: [dteday, hr]", rows))
    assert said["L02", part].severity == "warn"


def test_parts_that_overlap_are_each_asked_about(shared: Callable[[str], Path]):
    rows = pd.read_csv(shared("ski_resort3") / "data.csv")
    said = found(surveyed("target: {column: TOTAL_VISITS, kind: count}\ntime: Date", rows))
    assert {on for check, on in said if check == "L02"} == {"DAY_VISITS", "NIGHT_VISITS"}


def test_the_children_of_a_family_are_seen_to_be_numbered_by_height(shared: Callable[[str], Path]):
    rows = pd.read_csv(shared("galton_families") / "GaltonFamilies.csv", dtype={"family": str})
    said = found(surveyed("target: {column: childHeight, kind: numeric}\nsplit: {together: family}", rows))
    assert set(said) == {("L05", "childNum")}  # and midparentHeight, which is a sum of the parents' heights, is none of it
    assert "always falls" in said["L05", "childNum"].message


def test_the_number_of_a_parcel_tells_where_a_house_stands(shared: Callable[[str], Path]):
    rows = pd.read_csv(shared("ames") / "AmesHousing.csv", encoding="utf-8-sig", keep_default_na=False, na_values=[""])
    said = found(surveyed("target: {column: SalePrice, kind: numeric}", rows))
    assert {key for key, each in said.items() if each.severity != "note"} == {("L05", "PID"), ("L05", "Order")}


HONEST = {
    "diamonds": ("diamonds.csv", "target: {column: price, kind: numeric}\ncolumns: {rownames: drop}"),
    "energy_enb": ("data.csv", "target: [heating, cooling]"),
    "elevators": ("data.csv", "target: Goal"),
    "california_housing": ("housing.csv", "target: median_house_value"),
    "concrete": ("data.csv", "target: strength"),
    "segment": ("data.csv", "target: class"),
    "phoneme": ("data.csv", "target: {column: Class, kind: binary}"),
    "german_credit": ("data.csv", "target: class"),
    "spambase": ("data.csv", "target: {column: class, kind: binary}"),
    "telco_churn": ("Telco-Customer-Churn.csv", "target: Churn"),
    "titanic": ("titanic.csv", "target: {column: survived, kind: binary}"),
    "wine_quality": ("data.csv", "target: {column: quality, kind: numeric}"),
    "abalone": ("data.csv", "target: rings"),
    "jura": ("data.csv", "target: [Cd, Co, Cu]"),
    "metro_traffic": ("Metro_Interstate_Traffic_Volume.csv", "target: traffic_volume\ntime: date_time"),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_columns_do_not_block_however_strong(name: str, shared: Callable[[str], Path]):
    file, problem = HONEST[name]
    said = found(surveyed(problem, pd.read_csv(shared(name) / file)))
    assert [key for key, each in said.items() if each.severity == "block"] == []
    assert len([key for key, each in said.items() if each.severity == "warn"]) <= 2


@pytest.mark.parametrize("name", ["iris", "wine"])
def test_the_easy_sets_of_scikit_learn_do_not_block(name: str):
    keys = {"data": f"sklearn:{name}", "target": {"column": "target", "kind": "category"}}
    said = found(survey_of(prepare(piste.Problem(**keys), (), silent, quick=True, code=False)))
    assert [key for key, each in said.items() if each.severity == "block"] == []


@pytest.mark.parametrize("path", sorted((HERE / "tests" / "real").rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_well_written_problem_on_a_real_table_is_not_blocked(path: Path, shared: Callable[[str], Path]):
    shared(Path(read_data(path)).parent.name)
    said = found(survey_of(prepare(path, (), silent, quick=True, code=False)))
    assert [key for key, each in said.items() if each.severity == "block"] == []
    assert len([key for key, each in said.items() if each.severity == "warn"]) <= 1


def read_data(path: Path) -> str:
    """Return the path of a problem's table."""
    data = read(path.read_text("utf-8"), path.name).value["data"]
    return data["path"] if isinstance(data, dict) else data
