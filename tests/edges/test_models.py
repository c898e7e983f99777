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

from piste.core.decision import Actions
from piste.core.errors import PisteError
from piste.core.family import Family, Task
from piste.core.layout import Layout, answered, typed
from piste.core.model import Constant, Member, Model
from piste.core.problem import Entry
from piste.core.search import live
from piste.core.shape import Shape
from piste.edges.models import Served, load, pack, question_json, read_model, unpack
from piste.families import NAMES, family
from piste.work import Share, Wanted, fit_model
from tests.fits import PROBLEMS, judged, rows

ROWS = {  # kind of task -> a problem, and a row of its leaderboard
    "mean": ("a number", "mean/linear/plug_in"),
    "distribution": ("a count", "distribution/linear/min_expected_cost"),
    "quantiles": ("an amount", "quantiles/linear/quantile"),
    "classes": ("classes", "classes/linear/min_expected_cost"),
}
GIVEN = {"neural": {"steps": 500, "members": 1}, "baseline": {"rule": "climatology", "by": "run+day.weekday"}}
VARIANTS = {
    ("linear", "mean"): [{"penalty": "none"}, {"penalty": "elastic_net", "l1_ratio": 0.5, "alpha": 0.01}],
    ("svm", "mean"): [{"kernel": "linear"}],
    ("svm", "classes"): [{"kernel": "linear"}],
    ("baseline", "mean"): [
        {"rule": "constant", "statistic": "median"},
        {"rule": "last_value", "by": "run", "time": "day"},
        {"rule": "expression", "expression": "2 * snow"},
        {"rule": "expression", "expression": "mean(y) by run"},
    ],
    ("baseline", "quantiles"): [{"rule": "constant"}],
}
CASES = [
    (name, kind, variant)
    for name in NAMES
    for kind in sorted(family(name).kinds)
    if (name, kind) != ("forest", "distribution")  # as mean, and slow
    for variant in ({}, *VARIANTS.get((name, kind), []))
]


def params_of(kin: Family, kind: str, variant: dict) -> dict:
    """Return the default hyperparameters, changed."""
    space = kin.space(task_of(kind))
    given = GIVEN.get(kin.name, {}) if not variant or kin.name != "baseline" else {}
    target = judged(ROWS[kind][0]).at.resolved.table.target.name
    known = {"target": target, "statistic": "mean"} if kin.name == "baseline" else {}
    return live(space, {name: dimension.default for name, dimension in space.items()} | known | given | variant)


def task_of(kind: str) -> Task:
    """Return the learning task of a kind."""
    problem, row = ROWS[kind]
    return judged(problem).wanted(row).question.task


def wanted(kind: str, *shares: Share) -> Wanted:
    """Say what is fitted: a row of the leaderboard, of other members."""
    problem, row = ROWS[kind]
    plain = judged(problem).wanted(row)
    return Wanted(replace(plain.question, also=("day", "run")), shares)


@cache
def fitted(name: str, kind: str, variant: tuple = ()) -> Model:
    """Fit a model of a family."""
    kin = family(name)
    share = Share(1.0, Entry(name=name, family=name), params_of(kin, kind, dict(variant)))
    return fit_model(judged(ROWS[kind][0]).at.study, wanted(kind, share), Path())


def packed(model: Model, kind: str, *kin: Family) -> bytes:
    """Pack a model."""
    layout = judged(ROWS[kind][0]).at.layout
    return pack(model, layout, {each.name: each for each in kin or [family(m.family) for m in model.members]})


def new_rows(kind: str) -> pd.DataFrame:
    """Return rows that the model has not seen, one with a level that it does not know, as the model is given them."""
    frame = rows(14, seed=9, start="2024-02-10")
    frame.loc[3, "run"] = "unheard of"
    return typed(judged(ROWS[kind][0]).at.layout, frame[["day", "run", "snow", "capacity"]])


def said(model: Model) -> str:
    """Return all that a model says of itself."""
    return json.dumps(question_json(model.question))


@pytest.mark.parametrize("name", PROBLEMS)
def test_every_row_of_every_leaderboard_answers_and_decides_the_same_once_it_is_read_back(name):
    of = judged(name)
    frame = rows(14, seed=9, start="2024-02-05")
    for row in of.case.rows:
        wanted = of.wanted(row.id)
        model = fit_model(of.at.study, wanted, Path())
        stored = pack(model, of.at.layout.requiring(model.question.columns), {each.family: family(each.family) for each in model.members})
        again, layout = read_model(stored)
        expected = answered(of.at.layout, model.predict, frame)
        pd.testing.assert_frame_equal(answered(layout, again.predict, frame), expected, check_exact=True)
        assert len(expected) == len(frame), row.id
        assert ("action" in expected) == of.case.court.yardstick.priced, row.id
        assert said(again) == said(model), row.id


@pytest.mark.parametrize("name", ["actions", "a budget", "shapes", "lags"])
def test_what_is_answered_is_an_action_of_the_problem_with_the_cost_that_it_is_expected_to_have(name):
    of = judged(name)
    stakes = of.case.court.yardstick
    assert isinstance(stakes, Actions)
    frame = rows(14, seed=9, start="2024-02-05")
    for row in of.case.rows:
        answer = answered(of.at.layout, fit_model(of.at.study, of.wanted(row.id), Path()).predict, frame)
        used = answer["action"].map(dict(zip(stakes.actions, stakes.uses or (0, 0, 0), strict=True))).to_numpy()
        assert (pd.Series(used).groupby(frame["day"].to_numpy()).sum() <= (stakes.budget or 0)).all(), row.id
        assert answer["expected_cost"].between(0, 240).all(), row.id
        if "P(low)" in answer and row.rule != "plug_in":
            slow = answer[["P(low)", "P(mid)", "P(high)"]].to_numpy() @ stakes.costs.T
            taken = answer["action"].map({action: code for code, action in enumerate(stakes.actions)}).to_numpy()
            np.testing.assert_allclose(answer["expected_cost"], slow[np.arange(len(slow)), taken], rtol=1e-9)
            if stakes.budget is None:
                np.testing.assert_allclose(answer["expected_cost"], slow.min(axis=1), rtol=1e-9)


@pytest.mark.parametrize(("name", "kind", "variant"), CASES, ids=str)
def test_a_model_read_back_predicts_the_same_to_the_last_bit(name, kind, variant):
    model = fitted(name, kind, tuple(variant.items()))
    stored = packed(model, kind)
    again, layout = read_model(stored)
    pd.testing.assert_frame_equal(again.predict(new_rows(kind)), model.predict(new_rows(kind)), check_exact=True)
    assert layout.to_json() == judged(ROWS[kind][0]).at.layout.to_json()


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
    assert said(again) == said(model)
    assert [(m.weight, m.family, m.shape) for m in again.members] == [(m.weight, m.family, m.shape) for m in model.members]


def test_a_fit_of_its_own_on_the_same_rows_gives_the_same_bytes():
    share = Share(1.0, Entry(name="boosting", family="boosting"), params_of(family("boosting"), "mean", {}))
    once, twice = (fit_model(judged("a number").at.study, wanted("mean", share), Path()) for _ in range(2))
    assert packed(once, "mean") == packed(twice, "mean")


def test_a_constant_of_one_class_is_read_back():
    plain = fitted("linear", "classes")
    model = replace(plain, members=(replace(plain.members[0], estimators=(Constant(2),)),))
    again, _ = read_model(packed(model, "classes"))
    assert again.members[0].estimators == (Constant(2),)
    np.testing.assert_array_equal(again.raw(new_rows("classes")), np.tile([0, 0, 1], (42, 1)))


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
    next(folder.glob("member-0-0.*")).unlink()
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
    model = replace(fitted("linear", "mean"), members=(Member(1.0, "foreign", Shape(()), (Foreign(),)),))
    with pytest.raises(PisteError, match=r"cannot be stored without storing code: it holds .*Foreign"):
        packed(model, "mean", kin)


def test_a_file_that_holds_a_type_of_nobodys_is_refused_though_its_digest_is_right(tmp_path):
    unpack(packed(fitted("linear", "mean"), "mean"), tmp_path)
    stored = skops.dumps(Foreign())
    (tmp_path / "member-0-0.skops").write_bytes(stored)
    head = json.loads((tmp_path / "model.json").read_text())
    head["sha256"]["member-0-0.skops"] = hashlib.sha256(stored).hexdigest()
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
    frame = rows(14, seed=9)[["day", "run", "snow", "capacity"]]
    answer = Served(folder).predict(frame)
    pd.testing.assert_frame_equal(answer, model.predict(typed(layout, frame)), check_exact=True)
    assert isinstance(layout, Layout)
    assert len(answer) == 14 * 3
