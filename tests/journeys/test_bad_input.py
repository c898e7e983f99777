"""Whatever is wrong with what a user gives, piste says it in one line a fault, with exit code 2, and writes nothing."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from piste.cli import main


def beside(name: str) -> ModuleType:
    """Import a table of cases from this folder."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


# Root reads every file: what is said of one without permission is tested in tests/edges/test_load.py.
CONFIG = [case for case in beside("bad_config").CASES if case.mode == 0o644]
DATA = beside("bad_data").CASES
HEADER = "date,run,x,y\n"
DAYS = HEADER + "".join(f"2024-{i // 28 + 1:02d}-{i % 28 + 1:02d},{'ab'[i % 2]},{i % 7},{i * 3 % 11 + 0.5}\n" for i in range(60))

SPLITS = {  # what only shows when the problem meets its rows
    "folds than rows": ("split: {folds: 100}", "problem.yaml:3:9: split.folds: must be at most 60"),
    "folds than groups": ("split: {together: run, folds: 5}", "split.folds: must be at most 2, the number of values of 'run'"),
    "forward without a time": ("split: {scheme: forward}", "add the line `time: COLUMN`"),
    "a gap without time": ("split: {gap: 1d}", "split.gap: must go with a time and scheme forward"),
    "a period that never ends": ("time: date\nsplit: {scheme: forward, by: year}", "all rows lie in one year"),
    "a gap as long as the data": ("time: date\nsplit: {scheme: forward, gap: 52w}", "none is left"),
    "repeats in time": ("time: date\nsplit: {scheme: forward, repeats: 3}", "split.repeats: must be 1"),
    "a fold column of one value": ("add: {one: x * 0}\nsplit: {scheme: predefined, by: one}", "split.by: must hold at least 2 values"),
    "held out values that are none": ("time: date\nsplit: {scheme: forward, by: month, holdout: ['2031-01']}", "split.holdout"),
    "stratified numbers": ("split: {scheme: stratified}", "'stratified' needs classes"),
    "a metric of classes": ("metric: log_loss", "problem.yaml:3:1: metric: must judge a target of kind numeric"),
    "a framing of classes": ("framings: [classes]", "framings.0: must fit a target of kind numeric"),
    "a hyperparameter that is none": ("families: [{tree: {depth: 3}}]", "is not a hyperparameter of 'tree'"),
    "a hyperparameter as text": ("families: [{tree: {max_depth: deep}}]", "must be a number, but is 'deep'"),
    "a choice that is none": ("families: [{linear: {penalty: ridgy}}]", "Did you mean 'ridge'?"),
    "a baseline on no column": ("baselines: {b: mean(y) by rum}", "Did you mean 'run'?"),
    "a baseline that reads the answer": ("baselines: {b: y}", "must not use 'y' of the row itself"),
    "a baseline on what comes after": ("known_at: {after: [x]}\nbaselines: {b: 2 * x}", "must not use 'x': it is known only after"),
    "a lag without time": ("baselines: {b: y@-7d}", "baselines.b"),
}


def write(folder: Path, files: dict[str, bytes | str]) -> None:
    """Write the files of a case."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())


def everything(folder: Path) -> list[str]:
    """List a folder, whole."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def refused(arguments: list[str], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Run piste in a folder; it must refuse, and leave the folder as it was. Return what it said."""
    monkeypatch.chdir(folder)
    monkeypatch.delenv("PISTE_MLRUNS", raising=False)
    before = everything(folder)
    code = main(arguments)
    printed = capsys.readouterr()
    assert code == 2, printed.err
    assert everything(folder) == before
    assert printed.out == ""
    assert "Traceback" not in printed.err
    lines = printed.err.strip().splitlines()
    assert lines
    assert all(line.strip() for line in lines)
    return printed.err


@pytest.mark.parametrize("case", CONFIG, ids=lambda case: case.name)
def test_a_problem_that_cannot_work(case, tmp_path, monkeypatch, capsys):
    write(tmp_path, dict(case.files))
    said = refused(["run", "."], tmp_path, monkeypatch, capsys)
    assert any(line.startswith(case.expected[0]) for line in said.splitlines()), said
    for fragment in case.expected:
        assert fragment in said


@pytest.mark.parametrize("case", DATA, ids=lambda case: case.name)
def test_data_that_cannot_work(case, tmp_path, monkeypatch, capsys):
    write(tmp_path, case.files)
    said = refused(["run", "."], tmp_path, monkeypatch, capsys)
    for fragment in case.expected:
        assert fragment in said


@pytest.mark.parametrize("name", SPLITS)
def test_rows_that_cannot_be_set_apart(name, tmp_path, monkeypatch, capsys):
    added, expected = SPLITS[name]
    write(tmp_path, {"problem.yaml": f"data: days.csv\ntarget: y\n{added}\n", "days.csv": DAYS})
    said = refused(["run", "."], tmp_path, monkeypatch, capsys)
    assert said.startswith("problem.yaml:")
    assert expected in said


def test_code_is_not_run_where_it_is_refused(tmp_path, monkeypatch, capsys):
    ran = "from pathlib import Path\n\ndef rows():\n    Path('ran').touch()\n"
    write(tmp_path, {"problem.yaml": "data: python:make.py:rows\ntarget: y\n", "make.py": ran})
    assert "must not run code here" in refused(["run", ".", "--no-code"], tmp_path, monkeypatch, capsys)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "nowhere"], "nowhere"),
        (["show", "."], "holds no comparison"),
        (["predict", ".", "days.csv"], "holds no comparison"),
        (["run", ".", "--set", "serch.trials=3"], "Did you mean 'search'?"),
        (["run", ".", "--set", "search.trials"], "--set"),
        (["run", ".", "--trials", "-1"], "search.trials"),
        (["run", ".", "--families", "tre"], "Did you mean 'tree'?"),
        (["ui"], "Run 'piste run PROJECT' first"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_command_that_cannot_work(arguments, expected, tmp_path, monkeypatch, capsys):
    write(tmp_path, {"problem.yaml": "data: days.csv\ntarget: y\n", "days.csv": DAYS})
    assert expected in refused(arguments, tmp_path, monkeypatch, capsys)


def test_in_a_process_of_its_own_too(tmp_path):
    write(tmp_path, {"problem.yaml": "data: days.csv\ntarget: z\nseed: -1\n", "days.csv": DAYS})
    done = subprocess.run([sys.executable, "-m", "piste.cli", "run", "."], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("problem.yaml:3:1: seed: must be")
    assert everything(tmp_path) == ["days.csv", "problem.yaml"]
