"""A problem of one's own from the first line on: from a table, from a question alone, and what is refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from piste.api import new
from piste.cli import main
from piste.core.problem import Problem
from piste.edges.load import load_problem
from piste.prepare import prepare
from piste.watch import silent

REAL = {
    "abalone": {}, "adult": {}, "ames": {}, "bike_day": {}, "bike_hour": {}, "california_housing": {}, "concrete": {}, "diamonds": {},
    "elevators": {}, "energy_enb": {"target": "heating"}, "fremont_daily": {}, "galton_families": {}, "german_credit": {},
    "jura": {"target": "Cd"}, "metro_traffic": {}, "pedestrian_melbourne": {}, "phoneme": {}, "segment": {}, "ski_resort2": {},
    "ski_resort3": {}, "spambase": {}, "telco_churn": {}, "titanic": {}, "vowel": {}, "water_quality": {"target": "25400"},
    "wine_quality": {},
}  # fmt: skip


def taken_for_right(folder: Path) -> Path:
    """Write the problem beside its draft with the "# " of every guess taken away, as an editor does."""
    text = (folder / "problem.yaml").read_text(encoding="utf-8")
    path = folder / "all.yaml"
    path.write_text(re.sub(r"(?m)^(\s*)# (?!yaml-language-server)", r"\1", text), encoding="utf-8")
    return path


def drafted(shared: Any, tmp_path: Path, name: str) -> Path:
    """Draft a problem from a shared data set; return its folder."""
    home = shared(name)
    target = REAL[name].get("target") or json.loads((home / "meta.json").read_text())["target"]
    [table] = [path for path in home.iterdir() if ".csv" in path.name]
    new(tmp_path / name, data=table, target=target)
    return tmp_path / name


def guesses(shared: Any, tmp_path: Path, name: str) -> Problem:
    """Return the draft of a shared data set with every guess taken for right."""
    return load_problem(taken_for_right(drafted(shared, tmp_path, name)))


@pytest.mark.parametrize("name", REAL)
def test_a_draft_loads_and_prepares_as_it_is_and_with_every_guess_taken_for_right(shared, tmp_path, name):
    folder = drafted(shared, tmp_path, name)
    said = load_problem(folder).model_dump(exclude_unset=True)
    assert {*said} <= {"data", "target", "columns"}
    assert {*said["target"]} == {"column"}
    assert prepare(folder, (), silent, quick=True, code=False).folds.folds
    assert prepare(taken_for_right(folder), (), silent, quick=True, code=False).folds.folds


def test_bikes_are_of_an_hour_of_a_day(shared, tmp_path):
    found = guesses(shared, tmp_path, "bike_hour")
    assert found.time == "dteday"
    assert found.unit == ("dteday", "hr")
    assert {"season", "yr", "mnth", "hr", "holiday", "weekday", "workingday"} <= {*found.known_at.always}
    assert found.known_at.decision == ("weathersit", "temp", "atemp", "hum", "windspeed")
    assert found.split.scheme == "forward"
    assert found.baselines["last_week"] == "cnt@-7d"


def test_skiers_are_of_a_day_of_a_season(shared, tmp_path):
    found = guesses(shared, tmp_path, "ski_resort3")
    assert (found.time, found.unit, found.split.by) == ("Date", ("Date",), "season")
    assert {"IS_HOLIDAY", "SCHOOL_OUT"} <= {*found.known_at.always}
    assert found.known_at.after == ("DAY_VISITS", "NIGHT_VISITS")


def test_passengers_have_no_time_and_those_who_share_a_ticket_stay_together(shared, tmp_path):
    found = guesses(shared, tmp_path, "titanic")
    assert found.time is None
    assert (found.target.kind, found.target.positive) == ("binary", "1")
    assert found.split.together == "ticket"
    assert "name" not in (*found.known_at.always, *found.known_at.decision)
    assert found.baselines == {"usual": "mean(survived) by sex"}


def test_traffic_is_of_an_hour_that_several_rows_share(shared, tmp_path):
    found = guesses(shared, tmp_path, "metro_traffic")
    assert (found.time, found.unit) == ("date_time", ())
    assert found.split.together == "date_time"
    assert found.decision is not None
    assert found.decision.made_at == "-1h"


def test_bad_debtors_are_the_positive_class(shared, tmp_path):
    found = guesses(shared, tmp_path, "german_credit")
    assert (found.target.kind, found.target.positive) == ("binary", "bad")
    assert (found.time, found.unit, found.split.scheme) == (None, (), "stratified")


def test_wine_has_neither_time_nor_name(shared, tmp_path):
    found = guesses(shared, tmp_path, "wine_quality")
    assert (found.target.kind, found.time, found.unit, found.split.scheme) == ("numeric", None, (), "kfold")
    assert found.known_at.after == ()


def test_walkers_are_of_an_hour_of_a_day_at_a_sensor(shared, tmp_path):
    found = guesses(shared, tmp_path, "pedestrian_melbourne")
    assert {*found.unit} == {"Date", "Hour", "Sensor"}
    assert found.baselines["usual"] == "mean(Count) by Sensor and Hour"


def test_brothers_and_sisters_stay_together_and_nobody_vouches_for_their_number(shared, tmp_path):
    found = guesses(shared, tmp_path, "galton_families")
    assert found.split.together == "family"
    assert "childNum" not in (*found.unit, *found.known_at.always, *found.known_at.decision)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Write a table of ten weeks at two counters, as Excel does in much of Europe; return its path."""
    rng = np.random.default_rng(0)
    days = np.repeat(pd.date_range("2024-01-01", periods=70).strftime("%d.%m.%Y"), 2)
    frame = pd.DataFrame({"Tag": days, "Theke": np.tile(["süd", "nord"], 70), "Grad": rng.normal(8, 4, 140).round(1)})
    frame["Gäste"] = rng.poisson(30, 140)
    path = tmp_path / "gäste 2024.csv"
    frame.to_csv(path, sep=";", decimal=",", index=False, encoding="cp1252")
    return path


def test_from_a_table_to_a_check_in_two_commands(table, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["new", "projects/guests", "--data", table.name, "--target", "Gäste", "--question", "How many guests come?"]) == 0
    out = capsys.readouterr().out
    assert "Wrote projects/guests/problem.yaml" in out
    assert "piste check projects/guests" in out
    assert re.search(r"time +Tag", out)
    problem = load_problem(Path("projects/guests"))
    assert problem.question == "How many guests come?"
    assert problem.data.path == "../../gäste 2024.csv"
    assert problem.data.encoding == "cp1252"
    assert main(["check", "projects/guests"]) == 0
    found = load_problem(taken_for_right(Path("projects/guests")))
    assert (found.time, found.unit) == ("Tag", ("Tag", "Theke"))
    assert main(["check", "projects/guests/all.yaml"]) == 0


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "xlsx", "tsv", "csv.gz"])
def test_a_table_of_any_kind_will_do(tmp_path, ending):
    days = pd.date_range("2024-01-01", periods=60).strftime("%Y-%m-%d")
    frame = pd.DataFrame({"day": days, "warmth": np.arange(60) % 7, "guests": np.arange(60) % 13 + 3})
    path = tmp_path / f"rows.{ending}"
    {
        "parquet": lambda: frame.to_parquet(path),
        "jsonl": lambda: frame.to_json(path, orient="records", lines=True),
        "xlsx": lambda: frame.to_excel(path, index=False),
        "tsv": lambda: frame.to_csv(path, sep="\t", index=False),
        "csv.gz": lambda: frame.to_csv(path, index=False),
    }[ending]()
    new(tmp_path / "guests", data=path, target="guests")
    assert load_problem(taken_for_right(tmp_path / "guests")).unit == ("day",)
    assert prepare(tmp_path / "guests", (), silent, quick=True, code=False)


def test_what_a_table_needs_to_be_read_is_said_aloud(tmp_path, capsys):
    amounts = ["1.5", "2.5", "unknown", *(["3.5", "4.5"] * 20)]
    pd.DataFrame({"x": amounts, "y": np.arange(43) * 1.5}).to_csv(tmp_path / "rows.csv", index=False)
    assert main(["new", str(tmp_path / "p"), "--data", str(tmp_path / "rows.csv"), "--target", "y"]) == 0
    assert "data.missing: unknown" in capsys.readouterr().out
    assert main(["check", str(tmp_path / "p")]) == 0


def test_a_guess_that_does_not_hold_on_the_table_is_not_made(tmp_path):
    frame = pd.DataFrame({"final_bill": np.arange(60) % 7, "y": np.arange(60) % 11 * 1.5})
    frame.to_csv(tmp_path / "rows.csv", index=False)
    new(tmp_path / "p", data=tmp_path / "rows.csv", target="y")
    found = load_problem(taken_for_right(tmp_path / "p"))
    assert found.known_at.after == ()  # it sounds like it, but nothing else is left to learn from
    assert found.success.by == "5%"
    assert prepare(tmp_path / "p" / "all.yaml", (), silent, quick=True, code=False)


def test_from_a_question_to_a_worksheet_that_says_what_is_missing(tmp_path, capsys):
    folder = tmp_path / "skiers"
    assert main(["new", str(folder), "--question", "How many skiers: tomorrow?"]) == 0
    assert "rows.csv" in capsys.readouterr().out
    assert load_problem(folder).question == "How many skiers: tomorrow?"
    assert main(["check", str(folder)]) == 2
    said = " ".join(capsys.readouterr().out.split())  # however long the path, and so wherever the sentence is wrapped
    assert "rows.csv:1: must hold rows below the names, but holds none" in said


def test_a_worksheet_that_is_filled_in_is_a_problem(tmp_path):
    folder = tmp_path / "skiers"
    new(folder, question="How many skiers?", target="skiers")
    header = (folder / "rows.csv").read_text().strip().split(",")
    rng = np.random.default_rng(0)
    days = np.repeat(pd.date_range("2024-01-01", periods=60), 2)
    frame = pd.DataFrame({name: rng.integers(0, 50, 120) for name in header}).assign(date=days, thing=np.tile(["a", "b"], 60))
    frame.to_csv(folder / "rows.csv", index=False)
    assert prepare(folder, (), silent, quick=True, code=False)
    prepared = prepare(taken_for_right(folder), (), silent, quick=True, code=False)
    assert [baseline.name for baseline in prepared.resolved.baselines][:2] == ["constant", "today"]


FAULTS = {
    "no such file": (["p", "--data", "row.csv", "--target", "y"], "there is no 'row.csv'. Did you mean 'rows.csv'?"),
    "no such column": (["p", "--data", "rows.csv", "--target", "yy"], "no column is named 'yy'. Did you mean 'y'?"),
    "no target": (["p", "--data", "rows.csv"], "none is given. There are 'x', 'y'"),
    "a target of one value": (["p", "--data", "rows.csv", "--target", "one"], "must differ between rows"),
    "a name that is none": (["p p", "--data", "rows.csv", "--target", "y"], "Did you mean 'p-p'?"),
    "a problem that is there": (["there", "--data", "rows.csv", "--target", "y"], "must be new, but is there already"),
    "a worksheet over a problem": (["there", "--question", "Why?"], "must be new, but is there already"),
    "a worksheet over a table": (["table", "--question", "Why?"], "must not be there yet"),
    "no table": (["p", "--data", "notes.txt", "--target", "y"], "notes.txt"),
    "an unknown kind of file": (["p", "--data", "rows.doc", "--target", "y"], "must end in '.csv'"),
    "a folder": (["p", "--data", "there", "--target", "y"], "must end in '.csv'"),
    "a database": (["p", "--data", "rows.sqlite", "--target", "y"], "a database holds any number of them"),
    "nothing but a name": (["p"], "neither is given"),
    "a question without a word": (["p", "--question", "  "], "neither is given"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_one_clear_line_and_nothing_is_written(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for folder, file in (("there", "problem.yaml"), ("table", "rows.csv")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text("mine")
    pd.DataFrame({"x": np.arange(30) % 4, "y": np.arange(30) * 1.5, "one": 1}).to_csv("rows.csv", index=False)
    for file, text in (("notes.txt", ""), ("rows.doc", "x"), ("rows.sqlite", "x")):
        (tmp_path / file).write_text(text)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    arguments, said = FAULTS[name]
    assert main(["new", *arguments]) == 2
    message = capsys.readouterr().err.strip()
    assert said in message
    assert len(message.splitlines()) == 1
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert not (tmp_path / "p").exists()
