"""Model files: the same predictions after reading, and nothing executed by it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from skops import io as skops

import piste
from piste.core.errors import PisteError
from piste.core.family import Family, Task
from piste.core.features import Encoding
from piste.core.layout import Layout, typed
from piste.core.model import Constant, Member, Model
from piste.core.problem import Entry
from piste.core.search import live
from piste.edges.models import Served, load, pack, read_model, unpack
from piste.families import NAMES, family
from piste.prepare import Prepared, prepare
from piste.watch import silent
from piste.work import Share, Wanted, fit_model

KINDS = {"mean": "y", "distribution": "count", "classes": "kind"}
GIVEN = {"neural": {"steps": 500, "members": 1}, "baseline": {"rule": "climatology", "by": "run+day.weekday"}}
VARIANTS = {
    ("linear", "mean"): [{"penalty": "none"}, {"penalty": "elastic_net", "l1_ratio": 0.5, "alpha": 0.01}],
    ("svm", "mean"): [{"kernel": "linear"}],
    ("svm", "classes"): [{"kernel": "linear"}],
    ("baseline", "mean"): [
        {"rule": "constant", "statistic": "median"},
        {"rule": "last_value", "by": "run", "time": "day"},
        {"rule": "expression", "expression": "2 * x"},
        {"rule": "expression", "expression": "mean(y) by run"},
    ],
}
CASES = [
    (name, kind, variant)
    for name in NAMES
    for kind in sorted(family(name).kinds)
    if (name, kind) != ("forest", "distribution")  # as mean, and slow
    for variant in ({}, *VARIANTS.get((name, kind), []))
]


def rows(n: int = 80, *, seed: int = 0) -> pd.DataFrame:
    """Return days of two runs, with missing values, and a target of each kind."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    return pd.DataFrame(
        {
            "day": np.repeat(pd.date_range("2024-01-01", periods=n // 2), 2),
            "run": np.tile(["a", "b"], n // 2),
            "x": np.where(rng.random(n) < 0.1, np.nan, x),
            "z": rng.normal(size=n),
            "y": 3 + x + rng.normal(0, 0.3, n),
            "count": rng.poisson(np.exp(1.5 + 0.5 * x)),
            "kind": np.select([x > 0.5, x < -0.5], ["high", "low"], "middle"),
        }
    )


@cache
def prepared(kind: str) -> Prepared:
    """Prepare the problem of a kind."""
    problem = piste.Problem(
        data=rows()[["day", "run", "x", "z", KINDS[kind]]],
        target={"column": KINDS[kind], "kind": {"mean": "numeric", "distribution": "count", "classes": "category"}[kind]},
        families=["linear"],
        framings=[kind],
        unit=["day", "run"],
        time="day",
    )
    return prepare(problem, (), silent, quick=True, code=False)


def params_of(kin: Family, kind: str, variant: dict) -> dict:
    """Return the default hyperparameters, changed."""
    space = kin.space(Task(kind, 80, 3 if kind == "classes" else 0))
    given = GIVEN.get(kin.name, {}) if not variant or kin.name != "baseline" else {}
    known = {"target": KINDS[kind], "statistic": "mean"} if kin.name == "baseline" else {}
    return live(space, {name: dimension.default for name, dimension in space.items()} | known | given | variant)


def wanted(kind: str, *shares: Share) -> Wanted:
    """Say what is fitted."""
    return Wanted("A model", kind, ("day", "run", "x", "z"), ("day", "run"), 0.3 if kind == "distribution" else None, shares)


@cache
def fitted(name: str, kind: str, variant: tuple = ()) -> Model:
    """Fit a model of a family."""
    kin = family(name)
    share = Share(1.0, Entry(name=name, family=name), params_of(kin, kind, dict(variant)))
    return fit_model(prepared(kind).study, wanted(kind, share), Path())


def packed(model: Model, kind: str, *kin: Family) -> bytes:
    """Pack a model."""
    return pack(model, prepared(kind).layout, {each.name: each for each in kin or [family(m.family) for m in model.members]})


def new_rows(kind: str) -> pd.DataFrame:
    """Return rows that the model has not seen, with a level that it does not know, as the model is given them."""
    frame = rows(40, seed=9)
    frame.loc[3, "run"] = "unheard of"
    return typed(prepared(kind).layout, frame[["day", "run", "x", "z"]])


@pytest.mark.parametrize(("name", "kind", "variant"), CASES, ids=str)
def test_a_model_read_back_predicts_the_same_to_the_last_bit(name, kind, variant):
    model = fitted(name, kind, tuple(variant.items()))
    stored = packed(model, kind)
    again, layout = read_model(stored)
    pd.testing.assert_frame_equal(again.predict(new_rows(kind)), model.predict(new_rows(kind)), check_exact=True)
    assert layout.to_json() == prepared(kind).layout.to_json()


@pytest.mark.parametrize("name", [name for name in NAMES if family(name).state])  # skops writes the time, and addresses
def test_the_same_model_is_the_same_bytes(name):
    kind = "mean" if "mean" in family(name).kinds else "classes"
    model = fitted(name, kind)
    stored = packed(model, kind)
    assert packed(model, kind) == stored
    assert packed(read_model(stored)[0], kind) == stored


def test_everything_that_a_model_says_of_itself_is_read_back():
    model = fitted("linear", "classes")
    again, _ = read_model(packed(model, "classes"))
    assert replace(again, members=()) == replace(model, members=())
    assert [(m.weight, m.family, m.encoding) for m in again.members] == [(m.weight, m.family, m.encoding) for m in model.members]


def test_a_fit_of_its_own_on_the_same_rows_gives_the_same_bytes():
    share = Share(1.0, Entry(name="boosting", family="boosting"), params_of(family("boosting"), "mean", {}))
    once, twice = (fit_model(prepared("mean").study, wanted("mean", share), Path()) for _ in range(2))
    assert packed(once, "mean") == packed(twice, "mean")


def test_a_constant_of_one_class_is_read_back():
    model = replace(
        fitted("linear", "classes"), members=(Member(1.0, "linear", fitted("linear", "classes").members[0].encoding, Constant(2)),)
    )
    again, _ = read_model(packed(model, "classes"))
    assert again.members[0].estimator == Constant(2)
    assert set(again.predict(new_rows("classes"))["prediction"]) == {model.labels[2]}


@pytest.fixture
def folder(tmp_path) -> Path:
    """Return a folder with the files of a model that has JSON, arrays and skops in it."""
    members = tuple(replace(fitted(name, "mean").members[0], weight=0.5) for name in ("linear", "kernel"))
    unpack(packed(replace(fitted("linear", "mean"), members=members), "mean"), tmp_path)
    return tmp_path


def test_a_changed_byte_is_refused_by_the_name_of_its_file(folder):
    assert load(folder)
    files = [file for file in folder.iterdir() if file.name != "model.json"]
    assert len(files) >= 2
    for file in files:
        whole = file.read_bytes()
        for place in (0, len(whole) // 2, len(whole) - 1):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
            with pytest.raises(PisteError, match=f"{file.name}: must be the file that piste wrote, but it has changed since"):
                load(folder)
        file.write_bytes(whole)


def test_a_file_that_is_missing_is_refused(folder):
    next(folder.glob("member-0.*")).unlink()
    with pytest.raises(PisteError, match="member-0"):
        load(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "other/1"}', "{}"])
def test_what_is_no_model_is_refused(folder, text):
    (folder / "model.json").write_text(text)
    with pytest.raises(PisteError, match=r"must (hold a model\.json|be a model of format)"):
        load(folder)


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(PisteError, match=r"must hold a model\.json that piste wrote"):
        load(tmp_path)


def test_bytes_that_are_no_packed_model_are_refused():
    stored = packed(fitted("linear", "mean"), "mean")
    for damaged in (b"", stored[: len(stored) // 2], b"PK" + stored[20:]):
        with pytest.raises(PisteError):
            read_model(damaged)


class Foreign:
    """An estimator of a type that is nobody's."""

    def __init__(self, level: float = 1.0) -> None:
        self.level = level

    def fit(self, X, y, sample_weight=None):
        return self

    def predict(self, X):
        return np.full(len(X), self.level)


def test_a_type_that_is_neither_scikit_learns_nor_numpys_is_not_packed():
    kin = replace(family("linear"), name="foreign")
    model = replace(fitted("linear", "mean"), members=(Member(1.0, "foreign", Encoding("scaled", ()), Foreign()),))
    with pytest.raises(PisteError, match=r"cannot be stored without storing code: it holds .*Foreign"):
        packed(model, "mean", kin)


def test_a_file_that_holds_a_type_of_nobodys_is_refused_though_its_digest_is_right(tmp_path):
    unpack(packed(fitted("linear", "mean"), "mean"), tmp_path)
    stored = skops.dumps(Foreign())
    (tmp_path / "member-0.skops").write_bytes(stored)
    head = json.loads((tmp_path / "model.json").read_text())
    head["sha256"]["member-0.skops"] = hashlib.sha256(stored).hexdigest()
    (tmp_path / "model.json").write_text(json.dumps(head))
    with pytest.raises(PisteError, match=r"must hold types of scikit-learn and numpy only, but holds .*Foreign"):
        load(tmp_path)


def test_a_state_of_a_family_that_is_not_here_is_refused_in_words(folder):
    head = json.loads((folder / "model.json").read_text())
    for member in head["members"]:
        member["family"] = "theirs"
    (folder / "model.json").write_text(json.dumps(head))
    with pytest.raises(PisteError, match="a model of the family 'theirs' can only be read where that family's file is"):
        load(folder)


def test_no_file_of_a_model_is_a_pickle():
    for name, kind, variant in CASES:
        with zipfile.ZipFile(io.BytesIO(packed(fitted(name, kind, tuple(variant.items())), kind))) as archive:
            assert {Path(each).suffix for each in archive.namelist()} <= {".json", ".npz", ".skops"}


def test_mlflow_is_answered_with_one_line_for_each_row(folder):
    model, layout = load(folder)
    frame = rows(40, seed=9)[["day", "run", "x", "z"]]
    answer = Served(folder).predict(frame)
    pd.testing.assert_frame_equal(answer, model.predict(typed(layout, frame)), check_exact=True)
    assert isinstance(layout, Layout)
    assert len(answer) == 40
