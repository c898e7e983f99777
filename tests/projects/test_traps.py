"""Nine traps in a ski resort's table: eight are found by the rows alone, the ninth by nothing but a declaration."""

from __future__ import annotations

from pathlib import Path

import pytest

from piste.checking import survey_of
from piste.core.audit import audit
from piste.core.check import Examined
from piste.prepare import prepare
from piste.watch import silent

TRAPS = Path(__file__).parents[2] / "projects" / "ski-runs" / "traps.yaml"
MENDED = (
    "columns={run_usual: drop}",
    "known_at.after=[hours_open, scans_total, wait_minutes]",
    "split={scheme: forward, by: season, together: date}",
)


def examined(*changes: str) -> Examined:
    return audit(survey_of(prepare(TRAPS, changes, silent, quick=True, code=True)))


@pytest.fixture(scope="module")
def said() -> list[str]:
    """Return what is said, each with its check: "L03 wait_minutes: ..."."""
    return [f"{each.check} {each.on}: {each.message}" for each in examined().findings if each.severity != "note"]


@pytest.mark.parametrize(
    ("trap", "check", "word"),
    [
        ("the passes of the whole day are left in", "L03", "scans_total"),
        ("so are the queues", "L03", "wait_minutes"),
        ("a run's usual count is of all winters, the tested ones too", "L09", "run_usual"),
        ("rows were exported twice", "L06", "99 pairs"),
        ("snow is in inches for a winter", "D07", "'snow_24h' and 'snow_72h' seem to be in inches"),
        ("a run has a new name in the last winter", "L13", "'Gun Sight' starts"),
        ("a broken counter reports 9999", "D01", "9999 in 55 rows"),
        ("rows of a day are on both sides", "L07", "one 'date'"),
    ],
)
def test_eight_traps_are_found(said, trap, check, word):
    assert [text for text in said if text.startswith(check) and word in text], trap


def test_the_snow_of_the_night_gives_itself_away_by_nothing():
    mended = examined(*MENDED)
    assert not [each for each in mended.findings if "snow_overnight" in each.on + each.message and each.severity != "note"]
    assert "L03" in mended.silent
