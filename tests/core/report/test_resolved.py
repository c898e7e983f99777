"""The resolved problem, printed: it reads back as the same problem."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from piste.core.report.resolved import MARGIN, scalar
from piste.edges.strict_yaml import plain
from piste.edges.strict_yaml import read as read_yaml
from piste.prepare import Prepared, prepare
from piste.watch import silent

OWN = "from sklearn.linear_model import Ridge\n\ndef make(alpha=1.0):\n    return Ridge(alpha=alpha)\n"
OWN_FAMILY = "from piste.families.linear import FAMILY\n"

FORMS = {
    "minimal": {"target": "y"},
    "own_grids": {"target": "y", "families": [{"tree": {"max_depth": [2, 5], "cp": 0.001}}, {"linear": {"penalty": ["none", "ridge"]}}]},
    "an_empty_value": {"target": "kind", "families": [{"linear": {"class_weight": [None, "balanced"]}}, "blend"]},
    "named_variants": {"target": "y", "families": [{"stump": {"family": "tree", "max_depth": 1}}, {"tree": None}]},
    "own_file": {"target": "y", "families": ["linear", "./own_family.py"]},
    "own_file_under_another_name": {"target": "y", "families": ["tree", {"mine": "own_family.py"}]},
    "own_file_with_a_grid": {"target": "y", "families": [{"mine": {"file": "own_family.py", "alpha": [0.1, 1.0]}}]},
    "own_function": {"target": "y", "families": ["linear", {"mine": "own.py:make"}]},
    "own_function_with_a_grid": {"target": "y", "families": [{"mine": {"factory": "own.py:make", "alpha": [0.1, 1.0]}}]},
    "holdout_share": {"target": "y", "split": {"holdout": 0.25, "folds": 3}},
    "holdout_values": {"target": "y", "time": "day", "split": {"scheme": "forward", "by": "year", "holdout": [2025]}},
    "groups": {"target": "y", "split": {"together": "run", "folds": 2, "repeats": 2}},
    "leave_one_out": {"target": "y", "split": {"by": "run"}},
    "gap": {"target": "y", "time": "day", "split": {"scheme": "forward", "folds": 3, "gap": "36h"}},
    "folds_that_uneven_times_leave_unfilled": {"target": "y", "time": "era", "split": {"scheme": "forward", "folds": 8}},
    "add": {"target": "y", "add": {"twice": "2 * x", "log: x": "log(exp(x))"}},
    "weight": {"target": "y", "weight": "w"},
    "dropped_and_known_after": {"target": "y", "columns": {"w": "drop", "run": "category"}, "known_at": {"after": "z", "always": "day"}},
    "baselines": {"target": "count", "time": "day", "unit": ["day", "run"], "baselines": {"week": "count@-7d", "ten": 10}},
    "baseline_by_a_key": {"target": "count", "baselines": {"by run": "mean(count) by run"}},
    "counts": {"target": {"column": "count", "kind": "count"}, "framings": "distribution", "metric": "mae"},
    "positive": {"target": {"column": "answer", "positive": "yes"}, "metric": "brier"},
    "positive_by_default": {"target": "answer"},
    "truth_as_text": {"target": {"column": "truth", "positive": "True"}},
    "words_to_quote": {"problem": "p-1", "question": "How many: 'a' # or \"b\"?\n", "target": "y", "search": {"trials": 0}, "seed": 7},
    "names_to_quote": {"data": "names.csv", "target": "y", "columns": {"no: comma, [x]": "number", "Null": "category"}},
    "track": {"target": "y", "track": {"uri": "sqlite:///a b.db", "experiment": "all # of it"}},
    "reading": {"data": {"path": "odd.csv", "delimiter": ";", "decimal": ",", "missing": ["?", ""]}, "target": "y"},
    "acknowledge": {"target": "y", "acknowledge": [
        {"check": "L02", "on": "no: comma, [x]", "seen": "0.83@3f2a", "until": "2027-11-01", "by": "ana", "why": "it is: frozen # at 6"},
        {"check": "F04", "on": "success.by", "until": "2027-11-01", "by": "ana", "why": "known"},
    ]},
    "bundled": {"data": "sklearn:iris", "target": "target"},
}  # fmt: skip


def rows(n: int = 120) -> pd.DataFrame:
    """Return rows with columns of many kinds."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=n)
    return pd.DataFrame(
        {
            "day": np.repeat(pd.date_range("2023-06-01", periods=n // 2, freq="14D"), 2),
            "era": np.repeat(pd.date_range("2024-01-01", periods=12), [18, 2, 2, 2, 30, 2, 2, 2, 20, 20, 10, 10]),
            "run": np.tile(["a", "b"], n // 2),
            "x": x,
            "z": rng.normal(size=n),
            "w": rng.uniform(1, 2, n),
            "y": x + rng.normal(size=n),
            "count": rng.poisson(np.exp(2 + x)),
            "kind": rng.choice(["u", "v", "w"], n),
            "answer": rng.choice(["yes", "no", "no"], n),
            "truth": rng.choice(["True", "False", "False"], n),
        }
    )


@pytest.fixture
def folder(tmp_path) -> Path:
    """Return a folder with the rows and the files of the user's own."""
    home = tmp_path / "home"
    home.mkdir()
    rows().to_csv(home / "rows.csv", index=False)
    rows()[["x", "z", "y"]].to_csv(home / "odd.csv", index=False, sep=";", decimal=",")
    rows().rename(columns={"x": "no: comma, [x]", "kind": "Null"})[["no: comma, [x]", "Null", "y"]].to_csv(home / "names.csv", index=False)
    (home / "own.py").write_text(OWN)
    (home / "own_family.py").write_text(OWN_FAMILY)
    return home


def made(folder: Path, text: str) -> Prepared:
    """Prepare the problem of a text."""
    (folder / "problem.yaml").write_text(text)
    return prepare(folder, (), silent, quick=False, code=True)


def plainly(text: str) -> list[str]:
    """Return the lines without their reasons."""
    return [re.split(r"  # |^# ", line)[0].rstrip() for line in text.splitlines()]


@pytest.mark.parametrize("form", FORMS)
def test_the_printed_problem_reads_back_as_the_same_problem(form, folder):
    written: dict[str, Any] = {"data": "rows.csv", "families": ["linear", "tree"], **FORMS[form]}
    first = made(folder, json.dumps(written))
    again = made(folder, first.printed)
    assert again.resolved.rule == first.resolved.rule
    assert again.resolved.entries == first.resolved.entries
    assert [(b.name, b.params) for b in again.resolved.baselines] == [(b.name, b.params) for b in first.resolved.baselines]
    assert columns(again) == columns(first)
    assert (again.resolved.table.target.kind, again.resolved.table.target.labels) == (
        first.resolved.table.target.kind,
        first.resolved.table.target.labels,
    )
    assert [(c.stage, c.framing, c.entry, c.fold, c.candidates) for c in again.plan.cells] == [
        (c.stage, c.framing, c.entry, c.fold, c.candidates) for c in first.plan.cells
    ]
    for one, other in zip(again.folds.folds, first.folds.folds, strict=True):
        np.testing.assert_array_equal(one.test, other.test)
        np.testing.assert_array_equal(one.train, other.train)
    np.testing.assert_array_equal(again.study.weight, first.study.weight)
    pd.testing.assert_frame_equal(again.study.expanded, first.study.expanded)
    for name in ("question", "seed", "search", "track", "known_at", "add", "unit", "time", "data", "acknowledge"):
        assert getattr(again.resolved.problem, name) == getattr(first.resolved.problem, name), name
    assert plainly(again.printed) == plainly(first.printed)


def columns(at: Prepared) -> list[tuple[str, ...]]:
    """Return the columns without why each is what it is: what was inferred is declared the second time."""
    return [(column.name, column.kind, column.role) for column in at.resolved.table.columns]


def test_reasons_stand_in_one_column_behind_what_they_explain(folder):
    lines = made(folder, "data: rows.csv\ntarget: y\n").printed.splitlines()
    explained = [line for line in lines if line[: MARGIN - 2].strip() and "  # " in line]
    assert len(explained) > 10
    short = [line for line in explained if len(line.partition("  # ")[0].rstrip()) <= MARGIN - 2]
    assert {line.index("  # ") + 2 for line in short} == {MARGIN}


def test_it_says_how_many_rows_are_judged_and_which_are_held_out(folder):
    printed = made(folder, "data: rows.csv\ntarget: y\nsplit: {holdout: 0.25, folds: 3, repeats: 1}\n").printed
    assert "3 folds (fold 1, fold 2, fold 3); 90 of 120 rows are judged; 30 held out" in printed


def test_a_skipped_family_stands_with_its_reason(folder):
    assert re.search(r"  - perceptron +# skipped: takes classes only", made(folder, "data: rows.csv\ntarget: y\n").printed)


@pytest.mark.parametrize(
    "value",
    ["forward", "a b", "no: comma", "12", "1e3", "0x1F", "true", "True", "TRUE", "null", "Null", "NULL", "~", "yes", "No", "off", "-x",
     "x-", " x", "x ", "#x", "a #b", "[x]", "é", "", "2024-01-01", "18:00", "a\nb", "\t", '"', "'", "mean(y) by run", "count@-7d"],
)  # fmt: skip
def test_every_text_reads_back_as_itself_alone_and_in_a_list(value):
    document = read_yaml(f"a: {scalar(value)}\nb: {scalar([value, 1])}\nc: {scalar({'d': value})}\n", "x.yaml")
    assert not document.faults
    assert document.value == {"a": value, "b": [value, 1], "c": {"d": value}}


@pytest.mark.parametrize("name", ["a b", "no: comma", "12", "true", "True", "Null", "yes", "off", "[x]", "é", "18:00", '"', "a #b"])
def test_every_name_reads_back_as_itself(name):
    document = read_yaml(f"{scalar(name)}: 1\n", "x.yaml")
    assert not document.faults
    assert document.value == {name: 1}


@pytest.mark.parametrize("value", [True, False, None, 3, -1, 0.1, 1e-5, 1e300])
def test_every_other_value_reads_back_as_itself(value):
    assert plain(scalar(value)) == value
    assert type(plain(scalar(value))) is type(value)
