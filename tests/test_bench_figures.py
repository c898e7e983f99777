"""Figures of benchmarks: kept with where they come from, and only when nothing was left out."""

from __future__ import annotations

import json
import os
from importlib.metadata import version

from benchmarks.figures import keep, kept

OUTCOMES = [{"set": "concrete", "ratio": 4.0}]


def test_what_was_measured_is_kept_with_date_machine_and_versions(tmp_path):
    keep("naive", ("numpy",), OUTCOMES, whole=True, results=tmp_path / "results")
    found = kept("naive", tmp_path / "results")
    assert found["outcomes"] == OUTCOMES
    assert (found["cores"], found["versions"]["numpy"]) == (os.cpu_count(), version("numpy"))
    assert found["date"][:2] == "20"
    assert found["processor"]
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["naive.json"]


def test_a_part_never_takes_the_place_of_the_whole_and_says_so(tmp_path, capsys):
    (tmp_path / "naive.json").write_text(json.dumps({"outcomes": OUTCOMES}))
    keep("naive", (), [{"set": "phoneme", "ratio": 9.0}], whole=False, results=tmp_path)
    assert kept("naive", tmp_path) == {"outcomes": OUTCOMES}
    assert "naive.json stays as it was" in capsys.readouterr().out


def test_a_run_that_found_nothing_to_measure_erases_nothing(tmp_path):
    (tmp_path / "tuning.json").write_text(json.dumps({"outcomes": OUTCOMES}))
    keep("tuning", (), [], whole=True, results=tmp_path)
    assert kept("tuning", tmp_path) == {"outcomes": OUTCOMES}


def test_what_never_ran_is_none(tmp_path):
    assert kept("scaling", tmp_path) is None
