"""The benchmark of the audit: what was frozen is what is planted, and a fault is caught only by the rule that was fixed."""

from __future__ import annotations

import json

import pytest

from benchmarks.audit.faults import FAULTS, Fault
from benchmarks.audit.freeze import digest_of_list, frozen, planted_digest
from benchmarks.audit.laid_out import as_markdown, printed, stored
from benchmarks.audit.outcome import Clean, Recall, Trial, recall
from benchmarks.audit.planting import says
from benchmarks.audit.rule import Said, catches, new
from benchmarks.audit.scale import Scale, made
from benchmarks.audit.tables import TABLES
from benchmarks.audit.trial import Heard

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


def fault(**changes) -> Fault:
    given = {"about": ("wait",), "caught_by": frozenset({"L02"}), "deserves": "warn"} | changes
    return Fault("a name", "a kind", "a table", plant=says(), **given)


def said(check="L02", severity="warn", on="wait", message="it is strong", **more) -> Said:
    return Said(check, severity, on, message, **more)


@pytest.mark.parametrize(
    ("heard", "planted", "caught"),
    [
        (said(), fault(), True),
        (said(severity="block"), fault(), True),
        (said(severity="note"), fault(), False),
        (said(severity="note"), fault(deserves="note"), True),
        (said(check="D03"), fault(), False),
        (said(on="price"), fault(), False),
        (said(on="columns", message="'wait' is strong"), fault(), True),
        (said(on="columns", message="do not wait"), fault(), False),
        (said(on="waiting"), fault(), False),
        (said(on="columns"), fault(whole=True), True),
        (said(check="", on="columns.wait", severity="block", refusal=True), fault(), True),
        (said(check="", on="unit", severity="block", refusal=True), fault(), False),
    ],
)
def test_a_fault_is_caught_where_one_of_its_checks_warns_and_names_it_or_the_file_is_refused_for_it(heard, planted, caught):
    assert catches(heard, planted) == caught


def test_what_is_said_of_the_clean_table_too_catches_nothing():
    same, graver = said(), said(severity="block")
    assert new([same, graver], [same]) == [graver]


def trial(planted, *heard, before=()) -> Trial:
    return Trial(planted, Heard(tuple(heard), (), 0.0), Heard(tuple(before), (), 0.0))


def test_what_no_statistic_can_find_counts_as_missed_even_where_something_is_said():
    assert trial(fault(), said()).caught
    assert not trial(fault(hidden="nobody can know"), said()).caught


def test_alarms_beside_the_fault_are_counted_and_notes_and_old_ones_are_not():
    beside = said(check="D04", on="price")
    one = trial(fault(), said(), beside, said(check="D03", severity="note"), said(check="D06"), before=[said(check="D06")])
    assert one.extra == [beside]
    assert recall([one, trial(fault())]) == Recall(n_caught=1, n_faults=2, n_hidden=0, n_extra=1, n_as_deserved=1, n_kept_out=0)


def test_a_fault_that_deserves_a_block_and_is_only_warned_of_is_caught_but_not_as_it_deserves():
    one = trial(fault(deserves="block"), said())
    assert (one.caught, one.as_deserved) == (True, False)


@pytest.mark.parametrize(("seen", "kept_out"), [({"price"}, True), ({"price", "wait"}, False), (set(), False)])
def test_a_column_that_was_missed_and_no_model_sees_is_told_apart_and_still_counts_as_missed(seen, kept_out):
    one = Trial(fault(), Heard((), (), 0.0, frozenset(seen)), Heard((), (), 0.0))
    assert (one.caught, one.kept_out) == (False, kept_out)


def test_what_is_stored_names_no_fault_of_the_part_held_back():
    trials = [trial(each, said()) for each in FAULTS]
    text = json.dumps([stored([], trials, None), printed([], trials, held_back=False)])
    assert not [each.name for each in FAULTS if each.held_back and each.name in text]
    assert all(each.name in text for each in COUNTED if not each.held_back)


def test_the_large_table_has_a_hundred_thousand_rows_of_fifty_columns():
    assert made().shape == (100_000, 50)


def test_the_page_tells_both_parts_and_names_what_was_missed_in_the_open_part_alone():
    cleans = [Clean("titanic", 891, 11, Heard((said(check="F01", on="decision"),), (), 0.7))]
    trials = [trial(each) for each in FAULTS]
    page = as_markdown(json.loads(json.dumps(stored(cleans, trials, Scale(7.0, 8.0, 466.0, (), 0)))))
    held_back = [each for each in COUNTED if each.held_back]
    assert f"| held back | {len(held_back)} | 0 (0%) | 0 | {sum(bool(each.hidden) for each in held_back)} | 0.0 |" in page
    assert "| titanic | 891 | 11 | 0 | 1 | 0 | 0.7 |" in page
    assert "neither torch nor mlflow" in page
    assert all((each.name in page) == (not each.held_back) for each in COUNTED)
