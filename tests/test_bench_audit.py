"""The benchmark of the audit: what was frozen is what is planted, and a fault is caught only by the rule that was fixed."""

from __future__ import annotations

import pytest

from benchmarks.audit.faults import FAULTS
from benchmarks.audit.freeze import digest_of_list, frozen, planted_digest
from benchmarks.audit.tables import TABLES

COUNTED = [fault for fault in FAULTS if fault.deserves != "note"]
SMALL = ("ski_resort2", "ski_resort3", "galton_families", "concrete", "bike_day", "titanic")


def test_the_list_of_faults_and_the_clean_problems_are_those_that_were_frozen():
    assert digest_of_list() == frozen()["digest"]


@pytest.mark.parametrize("name", SMALL)
def test_what_a_fault_does_to_its_table_is_what_was_frozen(name, shared):
    shared(name)
    mine = [fault for fault in FAULTS if fault.table == name]
    frame = TABLES[name].frame()
    assert {fault.name: planted_digest(fault, frame) for fault in mine} == {fault.name: frozen()["planted"][fault.name] for fault in mine}


def test_there_are_enough_faults_of_enough_kinds_in_enough_tables():
    assert len(COUNTED) >= 54
    assert len({fault.kind for fault in COUNTED}) >= 20
    assert len({fault.table for fault in COUNTED}) >= 12
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_a_third_is_held_back_and_nobody_chose_which():
    held_back = sum(fault.held_back for fault in COUNTED)
    assert 0.25 < held_back / len(COUNTED) < 0.42


def test_what_no_statistic_can_find_stays_in_the_list_with_its_reason():
    assert len([fault for fault in COUNTED if fault.hidden]) >= 3
    assert all(fault.caught_by for fault in FAULTS)
