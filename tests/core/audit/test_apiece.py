"""What is acknowledged is known by check and name, so a check speaks of each thing once."""

from __future__ import annotations

from pathlib import Path

import pytest

from piste.checking import survey_of
from piste.core.audit import checks
from piste.core.audit.apiece import apiece
from piste.core.check import Found
from piste.core.finding import Finding
from piste.prepare import lenient
from piste.watch import silent

TABLES = Path(__file__).parents[3] / "benchmarks" / "audit" / "tables"
SHARED = Path(__file__).parents[4] / "shared" / "data"
MINE = [name for name in checks() if name[0] in "D"]


def test_the_gravest_finding_also_says_what_the_others_say():
    findings = [Finding("D01", "note", "x", 1, 2, "it is odd", "look"), Finding("D01", "warn", "x", 3, 2, "it is worse", "mend")]
    [found] = apiece([*findings, *findings])
    assert (found.severity, found.number) == ("warn", 3)
    assert found.message == "it is worse; besides, it is odd"
    assert found.fix == "mend; look"


def test_findings_about_different_things_stay_apart():
    findings = [Finding("D01", "note", name, 1, 2, "it is odd") for name in "xyz"]
    assert apiece(findings) == findings


@pytest.mark.parametrize("table", ["abalone", "ames", "california_housing", "diamonds", "metro_traffic", "ski_resort3", "titanic"])
def test_no_check_of_real_data_speaks_of_one_thing_twice(table: str):
    if not (SHARED / table).is_dir():
        pytest.skip(f"{table} is not there")
    found = lenient(TABLES / f"{table}.yaml", (), silent, code=False)
    assert found.prepared is not None
    survey = survey_of(found.prepared)
    for name in MINE:
        said = checks()[name].run(survey)
        names = [each.on for each in said.findings] if isinstance(said, Found) else []
        assert len(set(names)) == len(names), f"{name}: {names}"
