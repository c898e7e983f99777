"""One cell: what is learnt, from which rows, and what is said of it."""

from __future__ import annotations

import copy
import itertools
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from piste.core.data import Target
from piste.core.family import Family, Rows, Shared, Task
from piste.core.features import expand
from piste.core.fit import TRAIN_SAMPLE, Predicted, Study, dealt, fit_cell, fit_one, refit, seed_of
from piste.core.framing import Form
from piste.core.plan import Cell
from piste.core.search import Candidate
from piste.core.split import Fold, Folds
from piste.families import NAMES, family
from piste.framings import framings

QUICK = {"neural": {"steps": 500, "members": 1}, "baseline": {"rule": "climatology", "by": "colour"}}


def study(n: int = 60, kind: str = "numeric", y: np.ndarray | None = None, *, weight: np.ndarray | None = None, train: int = 40) -> Study:
    """Return n rows with two numbers and a colour: the first are the training part of the only fold."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=n), "b": rng.normal(size=n), "colour": np.array(["red", "blue"])[rng.integers(0, 2, n)]})
    if y is None:
        y = 5 + 2 * frame["a"].to_numpy() + rng.normal(size=n)
        y = y if kind == "numeric" else np.maximum(np.round(y), 0.0) if kind == "count" else np.digitize(y, [4.0, 6.0])
    labels = () if kind in ("numeric", "count") else tuple("uvw")[: int(np.max(y)) + 1]
    rows = np.arange(n)
    stop = rows[:train] % 5 == 0
    fold = Fold("one", 0, rows[:train], stop, rows[train:])
    whole = Fold("all", 0, rows, rows % 5 == 0, rows[:0])
    folds = Folds((fold,), whole, rows, False, rows[:0])
    target = Target("y", kind, y, labels)
    none = pd.DataFrame(index=frame.index)
    return Study(
        expanded=expand(frame, ["a", "b", "colour"]),
        rules=none,
        added={},
        names=none,
        target=target,
        weight=np.ones(n) if weight is None else weight,
        folds=folds,
        forms={name: Form(name) for name in framings()},
        seed=0,
    )


def cell(kin: Family, framing: str, *params: dict) -> Cell:
    """Return the cell of some candidates on the only fold."""
    return Cell("search", framing, kin.name, 0, tuple(Candidate(framing, kin.name, number, each) for number, each in enumerate(params)))


def default(kin: Family, kind: str, n: int = 60) -> dict:
    """Return the default hyperparameters, made quick."""
    space = kin.space(Task(kind, n, 3 if kind == "classes" else 0))
    return {name: dimension.default for name, dimension in space.items()} | QUICK.get(kin.name, {})


def fitted(of: Study, kin: Family, framing: str, *params: dict) -> list[Predicted]:
    """Fit a cell with a clock that ticks once a second."""
    ticks = itertools.count()
    return fit_cell(of, cell(kin, framing, *params), kin, framings()[framing], lambda: float(next(ticks)))


def plain(build, kinds=("mean", "classes"), matrix="scaled", **more) -> Family:
    """Return a family around an estimator."""
    return Family(
        "plain",
        "Plain",
        0,
        frozenset(kinds),
        matrix,
        space=lambda task: {},
        build=lambda task, params, seed: build(),
        describe=lambda task, params: "",
        **more,
    )


class Seen:
    """Keeps what it was given, and predicts the weighted mean."""

    given: dict

    def fit(self, X, y, sample_weight=None):
        Seen.given = {"X": X, "y": y, "weight": sample_weight}
        self.mean = np.average(y, weights=sample_weight)
        return self

    def predict(self, X):
        return np.full(len(X), self.mean)


def test_a_candidate_predicts_the_test_rows_from_the_training_rows_as_plain_scikit_learn_does():
    from sklearn.linear_model import Ridge
    from sklearn.preprocessing import StandardScaler

    rows = study()
    [found] = fitted(rows, family("linear"), "mean", {"penalty": "ridge", "alpha": 0.1})
    X = np.column_stack([rows.expanded["a"], rows.expanded["b"], rows.expanded["colour"] == "red"]).astype(float)
    scaler = StandardScaler().fit(X[:40])
    y = rows.target.values
    expected = Ridge(alpha=0.1 * 40).fit(scaler.transform(X[:40]), y[:40]).predict(scaler.transform(X[40:]))
    np.testing.assert_allclose(found.predictions, expected, rtol=1e-8)


def test_a_family_sees_the_training_rows_with_their_weights_and_no_other():
    rows = study(weight=np.arange(60) + 1.0)
    [found] = fitted(rows, plain(Seen), "mean", {})
    np.testing.assert_array_equal(Seen.given["y"], rows.target.values[:40])
    np.testing.assert_array_equal(Seen.given["weight"], np.arange(40) + 1.0)
    assert Seen.given["X"].shape == (40, 3)
    np.testing.assert_allclose(found.predictions, np.average(rows.target.values[:40], weights=np.arange(40) + 1.0))


@pytest.mark.parametrize("name", [name for name in NAMES if name != "forest"])
def test_nothing_of_the_test_rows_but_their_columns_moves_a_prediction(name):
    kin = family(name)
    kind = "classes" if "classes" in kin.kinds else "mean"
    rows = study(kind="category" if kind == "classes" else "numeric")
    changed = rows.target.values.copy()
    changed[40:] = changed[40:][::-1] if kind == "classes" else 1e6
    other = replace(rows, target=replace(rows.target, values=changed), weight=np.where(np.arange(60) < 40, 1.0, 99.0))
    [before], [after] = (fitted(each, kin, kind, default(kin, kind)) for each in (rows, other))
    np.testing.assert_array_equal(before.predictions, after.predictions)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "forest"])
def test_no_family_writes_into_the_rows_that_all_share(name):
    kin = family(name)
    kind = "classes" if "classes" in kin.kinds else "mean"
    rows = study(kind="category" if kind == "classes" else "numeric")
    before = copy.deepcopy(rows)
    fitted(rows, kin, kind, default(kin, kind))
    pd.testing.assert_frame_equal(rows.expanded, before.expanded, check_exact=True)
    for now, then in ((rows.target.values, before.target.values), (rows.weight, before.weight)):
        np.testing.assert_array_equal(now, then)


def test_a_family_that_writes_into_its_matrix_is_stopped():
    class Writes(Seen):
        def fit(self, X, y, sample_weight=None):
            X[0] = 0.0
            return super().fit(X, y, sample_weight)

    with pytest.raises(ValueError, match="read-only"):
        fitted(study(), plain(Writes), "mean", {})


def test_probabilities_stand_in_the_order_of_all_classes_where_the_training_part_misses_one():
    y = np.array([0, 2] * 20 + [0, 1, 2, 1] * 5)
    rows = study(kind="category", y=y)
    for name in ("linear", "tree", "boosting", "neighbours"):
        kin = family(name)
        [found] = fitted(rows, kin, "classes", default(kin, "classes"))
        assert found.predictions.shape == (20, 3)
        np.testing.assert_array_equal(found.predictions[:, 1], 0.0)
        np.testing.assert_allclose(found.predictions.sum(axis=1), 1.0)
        assert (found.predictions[:, [0, 2]] > 0).any(axis=0).all()


@pytest.mark.parametrize("name", [name for name in NAMES if "classes" in family(name).kinds])
def test_a_training_part_with_one_class_only_is_certain_of_it_and_says_so(name):
    kin = family(name)
    rows = study(kind="category", y=np.array([1] * 40 + [0, 1, 2, 1] * 5))
    [found] = fitted(rows, kin, "classes", default(kin, "classes"))
    np.testing.assert_array_equal(found.predictions, np.tile([0.0, 1.0, 0.0], (20, 1)))
    assert found.notes == ("only one class in the training rows",)


def test_a_fit_that_does_not_converge_says_so_and_one_that_does_says_nothing():
    from sklearn.neural_network import MLPRegressor

    class Short(MLPRegressor):
        def fit(self, X, y, sample_weight=None):
            return super().fit(X, y)

    [short] = fitted(study(), plain(lambda: Short(max_iter=1, random_state=0)), "mean", {})
    [sound] = fitted(study(), plain(Seen), "mean", {})
    assert (short.notes, sound.notes) == (("not converged",), ())


def test_the_clock_tells_the_time_of_the_fit_and_of_the_prediction():
    [found] = fitted(study(), plain(Seen), "mean", {})
    assert (found.fit_seconds, found.predict_seconds) == (1.0, 1.0)


def test_training_metrics_are_those_of_all_training_rows_where_they_are_few():
    from sklearn import metrics

    rows = study(weight=np.linspace(1, 3, 60))
    [found] = fitted(rows, plain(Seen), "mean", {})
    y, weight = rows.target.values[:40], rows.weight[:40]
    mean = np.full(40, np.average(y, weights=weight))
    assert found.train_metrics["rmse"] == pytest.approx(metrics.root_mean_squared_error(y, mean, sample_weight=weight))
    assert found.train_metrics["mae"] == pytest.approx(metrics.mean_absolute_error(y, mean, sample_weight=weight))
    assert found.train_metrics["r2"] == pytest.approx(0.0, abs=1e-9)


class Numbered:
    """Predicts the number of the row in its matrix, and remembers how many it was asked for."""

    asked: list

    def fit(self, X, y, sample_weight=None):
        Numbered.asked = []
        return self

    def predict(self, X):
        Numbered.asked.append(X[:, 0])
        return X[:, 0]


def test_training_metrics_are_taken_on_a_sample_where_rows_are_many():
    n = TRAIN_SAMPLE + 500
    rows = study(n, train=n - 100)
    rows = replace(rows, expanded=pd.DataFrame({"a": np.arange(n, dtype=float)}), target=replace(rows.target, values=np.zeros(n)))
    [found] = fitted(rows, plain(Numbered, matrix="codes"), "mean", {})
    at_test, at_train = Numbered.asked
    np.testing.assert_array_equal(at_test, np.arange(n - 100, n))
    assert len(np.unique(at_train)) == TRAIN_SAMPLE
    assert at_train.max() < n - 100
    assert found.train_metrics["rmse"] == pytest.approx(np.sqrt((at_train**2).mean()))  # the target is 0: the error is the number
    assert np.abs(at_train.mean() - (n - 100) / 2) < 50  # from everywhere


def test_every_candidate_is_scored_on_the_same_training_rows():
    n = TRAIN_SAMPLE + 500
    rows = replace(study(n, train=n - 1), expanded=pd.DataFrame({"a": np.arange(n, dtype=float)}))
    fitted(rows, plain(Numbered, matrix="codes"), "mean", {})
    first = Numbered.asked[1]
    fitted(rows, plain(Numbered, matrix="codes"), "mean", {"p": 1})
    np.testing.assert_array_equal(Numbered.asked[1], first)


def test_a_prediction_that_is_no_number_is_refused():
    class Lost(Seen):
        def predict(self, X):
            return np.where(np.arange(len(X)) == 1, np.nan, 1.0)

    with pytest.raises(FloatingPointError, match="predicted no finite number for 1 of 20 rows"):
        fitted(study(), plain(Lost), "mean", {})


def test_a_family_that_fits_a_fold_at_once_gives_each_candidate_its_predictions_and_its_share_of_the_time():
    def fit_fold(task, candidates, train, stop, tests, seeds):
        return [Shared(tuple(np.full(len(X), params["level"]) for X in tests), ("told",)) for params in candidates]

    found = fitted(study(), plain(Seen, fit_fold=fit_fold), "mean", {"level": 1.0}, {"level": 2.0})
    assert [each.predictions.tolist() for each in found] == [[1.0] * 20, [2.0] * 20]
    assert [each.fit_seconds for each in found] == [0.5, 0.5]
    assert [each.notes for each in found] == [("told",)] * 2


def test_a_family_that_stops_early_is_given_training_rows_set_aside():
    seen = {}

    def fit(task, params, train, stop, seed):
        seen["stop"] = stop
        return Seen().fit(train.X, train.y, train.sample_weight)

    fitted(study(), plain(Seen, fit=fit), "mean", {})
    np.testing.assert_array_equal(seen["stop"], np.arange(40) % 5 == 0)


def test_the_seed_hangs_on_what_is_fitted_and_on_no_order():
    base = seed_of(0, ("mean", 1), {"a": 1, "b": 2.0})
    assert seed_of(0, ("mean", 1), {"b": 2.0, "a": 1}) == base
    others = [seed_of(1, ("mean", 1), {"a": 1, "b": 2.0}), seed_of(0, ("mean", 2), {"a": 1, "b": 2.0}), seed_of(0, ("mean", 1), {"a": 1})]
    assert len({base, *others}) == 4
    assert all(0 <= seed < 2**31 for seed in (base, *others))


def test_a_candidate_gives_the_same_alone_as_beside_others():
    kin = family("tree")
    two = fitted(study(), kin, "mean", default(kin, "mean"), default(kin, "mean") | {"max_depth": 3})
    [alone] = fitted(study(), kin, "mean", default(kin, "mean") | {"max_depth": 3})
    np.testing.assert_array_equal(two[1].predictions, alone.predictions)


def test_a_refit_learns_from_every_row_but_the_holdout():
    rows = study()
    held = replace(rows.folds, whole=Fold("all", 0, np.arange(50), np.zeros(50, dtype=bool), rows.folds.whole.test))
    member = refit(replace(rows, folds=held), plain(Seen), framings()["mean"], "mean", {}, 0.25)
    np.testing.assert_array_equal(Seen.given["y"], rows.target.values[:50])
    assert member.weight == 0.25


def test_a_warning_while_fitting_reaches_nobody_and_no_other_warning_is_a_note():
    class Warns(Seen):
        def fit(self, X, y, sample_weight=None):
            warnings.warn("something else", UserWarning, stacklevel=1)
            return super().fit(X, y, sample_weight)

    rows = Rows(np.zeros((3, 1)), np.arange(3.0), np.ones(3))
    assert fit_one(Task("mean", 3), plain(Warns), {}, rows, np.zeros(3, dtype=bool), 0)[1] == ()


@pytest.mark.parametrize("kind", ["numeric", "count", "category"])
def test_a_target_dealt_at_random_holds_the_same_values_in_another_order(kind):
    target = study(kind=kind).target
    at_random = dealt(target, 3)
    np.testing.assert_array_equal(np.sort(at_random.values), np.sort(target.values))
    assert (at_random.values != target.values).any()
    assert (at_random.kind, at_random.labels) == (target.kind, target.labels)
    np.testing.assert_array_equal(dealt(target, 3).values, at_random.values)
    assert (dealt(target, 4).values != at_random.values).any()


def test_levels_are_cut_anew_from_the_values_that_were_dealt():
    cuts = np.linspace(3, 7, 60)[:, None]
    target = replace(study().target, levels=("low", "high"), thresholds=cuts)
    at_random = dealt(target, 0)
    np.testing.assert_array_equal(at_random.codes, at_random.values >= cuts[:, 0])  # a row keeps its own cut
    assert (at_random.codes != target.codes).any()


def test_the_self_test_learns_and_is_judged_on_the_target_as_it_was_dealt():
    rows = study()
    at_random = dealt(rows.target, rows.seed).values
    one = replace(cell(plain(Seen), "mean", {}), stage="self-test")
    fit_cell(rows, one, plain(Seen), framings()["mean"], lambda: 0.0)
    np.testing.assert_array_equal(Seen.given["y"], at_random[:40])
    assert (at_random[:40] != rows.target.values[:40]).any()


def test_another_draw_fits_the_same_rows_under_another_seed():
    rows, asked = study(), {}

    class Seeded(Seen):
        def __init__(self, seed: int) -> None:
            self.seed = seed

        def fit(self, X, y, sample_weight=None):
            asked.setdefault("seeds", []).append(self.seed)
            asked["y"] = y
            return super().fit(X, y, sample_weight)

    kin = replace(plain(Seen), build=lambda task, params, seed: Seeded(seed))
    for draw in (0, 1, 2, 1):
        fit_cell(
            rows, replace(cell(kin, "mean", {}), stage="seeds" if draw else "default", draw=draw), kin, framings()["mean"], lambda: 0.0
        )
        np.testing.assert_array_equal(asked["y"], rows.target.values[:40])
    own, first, second, again = asked["seeds"]
    assert len({own, first, second}) == 3
    assert again == first


def test_a_cell_of_the_learning_curve_learns_from_a_share_of_the_training_blocks():
    rows = study()
    blocks = np.arange(60) // 2
    rows = replace(rows, folds=replace(rows.folds, blocks=blocks))
    learnt = {}
    for share in (0.25, 0.5, 1.0):
        one = replace(cell(plain(Seen), "mean", {}), stage="curve", share=share)
        [found] = fit_cell(rows, one, plain(Seen), framings()["mean"], lambda: 0.0)
        assert len(found.predictions) == 20  # judged on the same rows
        learnt[share] = set(Seen.given["y"])
        assert len(learnt[share]) == 40 * share
    assert learnt[0.25] < learnt[0.5] < learnt[1.0]
    for block in range(20):
        assert len(set(rows.target.values[blocks == block]) & learnt[0.5]) in (0, 2)  # whole


def test_a_framing_under_another_name_has_another_seed_and_the_same_predictions_of_what_needs_none():
    rows = study()
    twice = replace(rows, forms={"mean": Form("mean"), "again": Form("mean")})
    kin = family("linear")
    params = {"penalty": "ridge", "alpha": 0.1}
    found = [
        fit_cell(twice, Cell("search", name, kin.name, 0, (Candidate(name, kin.name, 0, params),)), kin, framings()["mean"], lambda: 0.0)
        for name in ("mean", "again")
    ]
    np.testing.assert_array_equal(found[0][0].predictions, found[1][0].predictions)
    assert seed_of(0, ("mean", 0), params) != seed_of(0, ("again", 0), params)


def test_further_columns_of_a_framing_are_seen_by_it_alone():
    rows = study()
    extra = pd.DataFrame({"2 * a": 2 * rows.expanded["a"]})
    rows = replace(rows, forms={"mean": Form("mean"), "more": Form("mean", add=("2 * a",))}, added={"more": extra})
    seen = {}
    for name in rows.forms:
        one = Cell("search", name, "plain", 0, (Candidate(name, "plain", 0, {}),))
        fit_cell(rows, one, plain(Seen, matrix="codes"), framings()["mean"], lambda: 0.0)
        seen[name] = Seen.given["X"]
    assert (seen["mean"].shape[1], seen["more"].shape[1]) == (3, 4)
    np.testing.assert_array_equal(seen["more"][:, 3], 2 * rows.expanded["a"][:40])


def tuning(chosen: int, seen: list | None = None, **more) -> tuple[Family, Candidate]:
    """Return a family that chooses one of three ridge penalties by a rule, and the candidate that it chooses for."""
    points = tuple({"penalty": "ridge", "alpha": alpha} for alpha in (0.001, 0.1, 10.0))

    def tune(task, given, train, stop, seed) -> int:
        if seen is not None:
            seen.append((task, given, train, stop, seed))
        return chosen

    return replace(family("linear"), fit_fold=None, tune=tune, **more), Candidate("mean", "linear", 1, {"tuned": 3}, points)


def tuned_cell(kin: Family, candidate: Candidate, framing: str = "mean") -> Cell:
    return Cell("search", framing, kin.name, 0, (candidate,))


@pytest.mark.parametrize("chosen", [0, 1, 2])
def test_a_candidate_of_several_points_predicts_what_the_chosen_one_does(chosen):
    kin, candidate = tuning(chosen)
    rows = study()
    [found] = fit_cell(rows, tuned_cell(kin, candidate), kin, framings()["mean"], lambda: 0.0)
    [plainly] = fitted(rows, kin, "mean", candidate.points[chosen])
    np.testing.assert_array_equal(found.predictions, plainly.predictions)
    assert found.train_metrics == plainly.train_metrics
    assert (found.chosen, plainly.chosen) == ((chosen,), ())


def test_a_choice_is_made_from_the_training_rows_and_from_nothing_else():
    seen = []
    kin, candidate = tuning(0, seen)
    rows = replace(study(), exchangeable=True)
    fit_cell(rows, tuned_cell(kin, candidate), kin, framings()["mean"], lambda: 0.0)
    [(task, points, train, stop, _)] = seen
    np.testing.assert_array_equal(train.y, rows.target.values[:40])
    np.testing.assert_array_equal(stop, rows.folds.folds[0].stop)
    assert points == candidate.points
    assert task.exchangeable


def test_the_seed_of_a_choice_is_that_of_the_fold_and_framing_however_many_points_there_are():
    seen = []
    kin, candidate = tuning(0, seen)
    rows = study()
    for each in (candidate, replace(candidate, params={"tuned": 2}, points=candidate.points[:2])):
        fit_cell(rows, tuned_cell(kin, each), kin, framings()["mean"], lambda: 0.0)
    fit_cell(rows, replace(tuned_cell(kin, candidate), draw=1), kin, framings()["mean"], lambda: 0.0)
    few, many, drawn = (each[-1] for each in seen)
    assert few == many != drawn


def test_the_time_of_a_choice_is_part_of_the_fit():
    kin, candidate = tuning(0)
    ticks = itertools.count()
    [found] = fit_cell(study(), tuned_cell(kin, candidate), kin, framings()["mean"], lambda: float(next(ticks)))
    assert (found.fit_seconds, found.predict_seconds) == (2.0, 1.0)


def test_where_there_is_nothing_to_choose_by_the_first_point_is_taken_without_asking():
    seen = []
    kin, candidate = tuning(2, seen)
    rows = study(kind="category", y=np.array([1] * 40 + [0, 1, 2, 1] * 5))
    points = tuple({"C": C, "class_weight": None} for C in (1.0, 2.0, 3.0))
    [found] = fit_cell(
        rows, tuned_cell(kin, replace(candidate, framing="classes", points=points), "classes"), kin, framings()["classes"], lambda: 0.0
    )
    [alone] = fit_cell(study(), tuned_cell(kin, replace(candidate, points=candidate.points[:1])), kin, framings()["mean"], lambda: 0.0)
    assert (found.chosen, alone.chosen) == ((0,), (0,))
    assert seen == []


def test_what_a_screen_warns_of_reaches_nobody():
    def tune(task, points, train, stop, seed) -> int:
        warnings.warn("a screen that has not converged", stacklevel=1)
        return 1

    kin, candidate = tuning(0)
    kin = replace(kin, tune=tune)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        [found] = fit_cell(study(), tuned_cell(kin, candidate), kin, framings()["mean"], lambda: 0.0)
    assert (found.chosen, found.notes) == ((1,), ())


def test_a_refit_chooses_anew_from_every_row_but_the_holdout():
    seen = []
    kin, candidate = tuning(2, seen)
    rows = study()
    made = refit(rows, kin, framings()["mean"], "mean", candidate.params, 1.0, candidate.points)
    plainly = refit(rows, kin, framings()["mean"], "mean", candidate.points[2], 1.0)
    [(_, _, train, stop, _)] = seen
    np.testing.assert_array_equal(train.y, rows.target.values)
    np.testing.assert_array_equal(stop, rows.folds.whole.stop)
    X = train.X[:5]
    np.testing.assert_array_equal(made.estimators[0].predict(X), plainly.estimators[0].predict(X))
