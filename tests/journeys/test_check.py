"""piste check, as a person and as a pull request meet it: one screen, exit codes, data, annotations; and the audit inside a run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import piste
from piste.cli import main
from piste.result import Result
from piste.watch import Event, Said
from tests.journeys.conftest import rows as counted

BAD = """\
question: How many people come to each counter tomorrow?
data: rows.csv
target: {column: visitors, kind: count}
time: date
unit: [date, counter]
known_at: {always: [date, counter], decision: [warmth, snow]}
split: {scheme: kfold, fold: 5}
families: [linear, tree, boostin]
"""
CLEAN = """\
question: How many people come to each counter tomorrow?
data: rows.csv
target: visitors
time: date
unit: [date, counter]
known_at: {always: [date, counter], decision: warmth, after: sold}
split: {scheme: forward, folds: 3, together: date}
decision: {cost: {over: 1, under: 3}, currency: EUR, made_at: "-1d 18:00"}
success: {by: 60%}
families: [linear]
search: {trials: 0}
"""

LEAKING = CLEAN.replace(", after: sold", "") + "framings: [mean]\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with rows in which `sold` is twice the answer; the commands are typed in it."""
    home = tmp_path / "counters"
    home.mkdir()
    counted().to_csv(home / "rows.csv", index=False)
    monkeypatch.chdir(home)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("PISTE_MLRUNS", raising=False)
    return home


def check(folder: Path, text: str, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Check a text; return the exit code, and what was printed to either stream."""
    (folder / "problem.yaml").write_text(text)
    before = sorted(folder.rglob("*"))
    code = main(["check", ".", *arguments])
    assert sorted(folder.rglob("*")) == before, "a look writes nothing"
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_three_faults_a_leak_and_a_bad_split_stand_on_one_screen(folder, capsys):
    code, out, err = check(folder, BAD, capsys)
    assert (code, err) == (2, "")
    assert "3 faults: fix these before anything can run" in out
    for line in (
        "problem.yaml:6:56: known_at.decision: no column 'snow' in rows.csv",
        "problem.yaml:7:24: split.fold: is not a key of 'split'. Did you mean 'folds'?",
        "problem.yaml:8:26: families.2: must be the name of a family",
    ):
        assert line in out
    assert "Fix first" in out
    assert "L01 sold  problem.yaml:6" in out
    assert "after: [sold]" in out
    assert "split: {scheme: " in out
    assert out.rstrip().endswith("piste check .")
    assert len(out.splitlines()) <= 70


def test_a_run_still_refuses_the_file_with_the_same_faults(folder, capsys):
    _, out, _ = check(folder, BAD, capsys)
    assert main(["run", "."]) == 2
    refused = capsys.readouterr().err.strip().splitlines()
    assert len(refused) == 2, "what the file itself tells, as before: the rows are not read"
    assert all(line in " ".join(out.split()) for line in refused)
    assert not (folder / "mlruns").exists()


def test_a_sound_problem_passes(folder, capsys):
    code, out, _ = check(folder, CLEAN, capsys)
    assert code == 0
    assert "Fix first" not in out
    assert "fault" not in out
    assert out.startswith("counters: How many people come to each counter tomorrow?\n270 rows of rows.csv, ")
    assert "piste run ." in out.splitlines()[-1]


def test_strict_counts_open_warnings_and_what_was_taken_as_it_is_no_more(folder, capsys):
    text = CLEAN.replace('decision: {cost: {over: 1, under: 3}, currency: EUR, made_at: "-1d 18:00"}\n', "")
    assert check(folder, text, capsys)[0] == 0
    code, out, _ = check(folder, text, capsys, "--strict", "--json")
    assert code == 1
    warned = [each for each in json.loads(out)["findings"] if each["severity"] == "warn"]
    assert "F01" in {each["check"] for each in warned}
    items = "".join(f"  - {each['acknowledge']}\n" for each in warned).replace("by: ,", "by: ana,").replace("why: }", "why: known}")
    code, out, _ = check(folder, f"{text}acknowledge:\n{items}", capsys, "--strict")
    assert code == 0, out
    assert "acknowledged: F01 decision, by ana until" in out


def test_an_open_block_ends_in_two(folder, capsys):
    code, out, _ = check(folder, CLEAN.replace("after: sold", "decision: sold").replace("decision: warmth, ", ""), capsys)
    assert code == 2
    assert "L01 sold" in out


def test_json_is_one_object_with_faults_and_findings(folder, capsys):
    code, out, _ = check(folder, BAD, capsys, "--json")
    told = json.loads(out)
    assert code == 2
    assert [fault["field"] for fault in told["faults"]] == ["known_at.decision", "split.fold", "families.2"]
    assert {"L01"} <= {each["check"] for each in told["findings"]}
    assert told["problem"] == "counters"
    assert len(told["digest"]) == 64


def test_a_pull_request_shows_each_at_its_line(folder, capsys, monkeypatch):
    _, out, err = check(folder, BAD, capsys, "--github")
    commands = [line for line in out.splitlines() if line.startswith("::")]
    assert commands[0].startswith("::error file=problem.yaml,line=6,col=56,title=known_at.decision::no column 'snow'")
    assert any(line.startswith("::error file=problem.yaml,line=6,col=1,title=L01 sold::") for line in commands)
    assert err == ""
    assert "::error" not in check(folder, BAD, capsys)[1]
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert "::error" in check(folder, BAD, capsys)[1]
    _, out, err = check(folder, BAD, capsys, "--json")
    assert json.loads(out)["problem"] == "counters"
    assert err.splitlines() == commands


def test_all_lists_what_each_check_said_that_found_nothing(folder, capsys):
    _, out, _ = check(folder, CLEAN, capsys, "--all")
    assert "L14  Holdout" in out or "L14 " in out
    assert "no holdout is declared" in out


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("data: rows.csv\n", "target: must be given"),
        ("data: rws.csv\ntarget: visitors\n", "problem.yaml:1:1: data.path: must be a file, but there is no 'rws.csv'"),
        ("data: [rows.csv\ntarget: y\n", "problem.yaml:1:7: the bracket that opens here is not closed"),
    ],
)
def test_where_nothing_can_be_looked_at_the_faults_stand_alone(folder, capsys, text, expected):
    code, out, _ = check(folder, text, capsys)
    assert code == 2
    assert expected in out
    assert "Next: nothing else can be checked before this is fixed" in out


def test_no_such_problem_is_refused_as_everywhere(folder, capsys):
    assert main(["check", "nowhere"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "nowhere" in printed.err


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result, list[str]]:
    """Return a folder whose problem leaves a leak in, what came of its first run, and what was said meanwhile."""
    home = tmp_path_factory.mktemp("ran") / "counters"
    home.mkdir()
    counted().to_csv(home / "rows.csv", index=False)
    (home / "problem.yaml").write_text(LEAKING)
    return home, *run(home)


def run(folder: Path) -> tuple[Result, list[str]]:
    """Run the problem of a folder; return what came of it, and what was said meanwhile."""
    told: list[Event] = []
    result = piste.run(folder, quick=True, mlruns=folder / "mlruns", watcher=told.append)
    return result, [event.text for event in told if isinstance(event, Said)]


def test_a_run_says_what_was_found_before_training_and_its_verdict_is_to_fix_that_first(ran):
    folder, result, told = ran
    assert told == [f"Before training: 1 to fix first (L01 'sold'). piste check {folder} shows them."]
    assert result.verdict.name == "fix first"
    assert "L01" in set(result.findings["check"])
    assert {"stakes"} <= set(result.tables) or "L03" in result.comparison.spared
    assert _tags(folder)["piste.valid"] == "false"


def test_a_second_run_looks_nothing_up_anew_and_finds_the_same(ran, monkeypatch):
    folder, result, _ = ran
    monkeypatch.setattr("piste.checking.audit", lambda _: pytest.fail("what was found is kept"))
    again, told = run(folder)
    assert any("nothing is fitted" in text for text in told)
    assert again.comparison.findings == result.comparison.findings
    assert again.comparison.key == result.comparison.key


def test_what_is_acknowledged_no_longer_decides_the_verdict_and_stands_in_mlflow(ran):
    folder, before, _ = ran
    first = piste.check(folder)
    [block] = first.of("block")
    item = first.entry(block).replace("by: ,", "by: ana,").replace("why: }", "why: sold the day before}")
    (folder / "problem.yaml").write_text(f"{LEAKING}acknowledge:\n  - {item}\n")
    result, told = run(folder)
    (folder / "problem.yaml").write_text(LEAKING)
    assert not [text for text in told if "L01" in text]
    assert result.comparison.key != before.comparison.key
    [taken] = [each for each in result.comparison.findings if each.check == "L01"]
    assert taken.acknowledged.startswith("by ana until ")
    assert "'sold' is" not in result.verdict.sentence
    assert _tags(folder)["piste.acknowledged.L01.sold"] == taken.acknowledged


def test_a_holdout_that_earlier_comparisons_have_judged_is_counted(ran):
    folder, _, _ = ran
    held = ["split.holdout=0.2"]
    assert "L14" in {each.check for each in piste.check(folder, changes=held, mlruns=folder / "mlruns").findings}
    assert "L14" not in {each.check for each in piste.check(folder, changes=held, mlruns=folder / "elsewhere").findings}


def test_a_problem_written_in_python_is_looked_at_too():
    frame = counted()
    found = piste.check(piste.Problem(data=frame, target="visitors", time="date", unit=["date", "counter"]))
    assert [each.on for each in found.of("block")] == ["sold"]
    assert "L01 sold" in repr(found)
    assert isinstance(frame, pd.DataFrame)
    assert np.isfinite(frame["sold"]).all()


def _tags(folder: Path) -> dict[str, str]:
    """Return the tags of the newest comparison in MLflow."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{folder / 'mlruns' / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("counters")
    [run] = client.search_runs([experiment.experiment_id], "tags.`piste.role` = 'comparison' and tags.`piste.latest` = 'true'")
    return dict(run.data.tags)
