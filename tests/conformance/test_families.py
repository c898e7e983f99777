"""What every family of models promises, whoever wrote it; a new one joins by existing."""

import importlib.util
import io
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning

from piste.core.family import Family, Params, Rows, Task
from piste.core.model import predict
from piste.core.search import live
from piste.families import NAMES, family
from piste.numeric.quantile import pinball

N_CLASSES = 3
LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)

# Families whose candidates come from the problem, not from a search space.
PARAMS: dict[str, Params] = {"baseline": {"rule": "climatology", "by": "colour"}}

# Within the space, but sooner done; nothing that is promised depends on them.
QUICK: dict[str, Params] = {"neural": {"steps": 500, "members": 1}}

# (family, or family-task; promise): why it is not kept. An entry fails as soon as the promise is kept.
KNOWN_GAPS = {
    ("baseline", "a_double_weight_is_a_double_row"): "a prior of one row is mixed in, of the mean weight: more rows leave it less",
    ("tree", "a_double_weight_is_a_double_row"): "min_samples_leaf counts rows, whatever their weight",
    ("forest", "a_double_weight_is_a_double_row"): "a bootstrap sample draws rows, whatever their weight",
    ("boosting", "a_double_weight_is_a_double_row"): "min_data_in_leaf and the bins count rows, whatever their weight",
    ("neighbours", "a_double_weight_is_a_double_row"): "n_neighbors counts rows: a weight says how much a neighbour's vote counts",
    ("perceptron", "a_double_weight_is_a_double_row"): "one step of twice the length is not two steps, between which the label may change",
    ("svm", "a_double_weight_is_a_double_row"): "weights are scaled to mean 1 beside C, the price of a row of mean weight",
    ("kernel", "a_double_weight_is_a_double_row"): "weights are scaled to mean 1 beside alpha, the noise of a row of mean weight",
    ("neural", "a_double_weight_is_a_double_row"): "a batch holds a number of rows, whatever their weight",
}


@dataclass(frozen=True, eq=False)
class Case:
    """A family, and a task that it declares."""

    family: Family
    kind: str
    n_outputs: int = 1

    @property
    def names(self) -> tuple[str, str]:
        return self.family.name, f"{self.family.name}-{'several' if self.n_outputs > 1 else self.kind}"

    def task(self, n: int) -> Task:
        return Task(self.kind, n, N_CLASSES if self.kind == "classes" else 0, LEVELS if self.kind == "quantiles" else (), self.n_outputs)

    def params(self, n: int = 100) -> dict[str, object]:
        space = self.family.space(self.task(n))
        return live(space, {name: dimension.default for name, dimension in space.items()} | self.given)

    @property
    def given(self) -> Params:
        return {**PARAMS.get(self.family.name, {}), **QUICK.get(self.family.name, {})}

    def fit(self, rows: Rows, params: Params | None = None, *, seed: int = 0, task: Task | None = None):
        """Fit as core/fit.py does."""
        task = task or self.task(len(rows.y))
        params = self.params(task.n_train) if params is None else params
        if self.family.fit:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", category=ConvergenceWarning)  # which a fit may say, and core/fit.py makes a note of
                return self.family.fit(task, params, rows, stop_of(rows), seed)
        model = self.family.build(task, params, seed)
        model.fit(rows.X, rows.y, sample_weight=rows.sample_weight)
        return model

    def predict(self, model, X) -> np.ndarray:
        return predict(self.task(len(X)), model, X)

    def loss(self, y: np.ndarray, predicted: np.ndarray) -> float:
        if self.kind == "classes":
            return float(-np.log(np.clip(predicted[np.arange(len(y)), y], 1e-3, 1)).mean())
        if self.kind == "quantiles":
            return float(pinball(y, predicted, LEVELS).mean())
        if self.n_outputs > 1:
            return float(np.max(np.mean((y - predicted) ** 2, axis=0) / y.var(axis=0)))  # of the output that is predicted worst
        return float(np.mean((y - predicted) ** 2))

    def constant(self, y: np.ndarray) -> np.ndarray:
        if self.kind == "classes":
            return np.bincount(y) / len(y)
        return np.quantile(y, LEVELS) if self.kind == "quantiles" else y.mean(axis=0)


CASES = [Case(family(name), kind) for name in NAMES for kind in sorted(family(name).kinds)]
CASES += [Case(family(name), "mean", 2) for name in NAMES if family(name).several]


def gaps(case: Case) -> dict[str, str]:
    return {promise: reason for (name, promise), reason in KNOWN_GAPS.items() if name in case.names}


def stop_of(rows: Rows) -> np.ndarray:
    """Set the last fifth aside, as a split in time does."""
    return np.arange(len(rows.y)) >= len(rows.y) - len(rows.y) // 5


def easy(kind: str, matrix: str, n: int = 100, *, n_outputs: int = 1, seed: int = 0) -> Rows:
    """Make rows that any model can learn: two numbers and a colour decide, a third number is noise.

    A second output follows the second number, in another unit.
    """
    rng = np.random.default_rng(seed)
    numbers = rng.normal(size=(n, 3))
    colour = rng.integers(0, 3, n)
    lean = np.array([-1.0, 0.0, 1.0])[colour]
    if kind == "classes":
        corners = np.array([[0.0, 1.0], [0.87, -0.5], [-0.87, -0.5]])
        y = np.argmax((numbers[:, :2] + 2 * corners[colour]) @ corners.T, axis=1)
    elif kind == "distribution":
        y = rng.poisson(np.exp(1.0 + 0.5 * numbers[:, 0] + lean)).astype(float)
    else:
        noise = 15.0 if kind == "quantiles" else 1.0  # there is something for them to be a share of
        y = 100.0 + 20 * numbers[:, 0] - 10 * numbers[:, 1] + 20 * lean + noise * rng.normal(size=n)
    if n_outputs > 1:
        y = np.column_stack([y, 0.002 * numbers[:, 1] - 0.001 * lean])
    return Rows(matrix_of(matrix, numbers, colour), y, np.ones(n), *labels_of(matrix))


def matrix_of(matrix: str, numbers: np.ndarray, colour: np.ndarray):
    if matrix == "raw":
        frame = pd.DataFrame(numbers, columns=["a", "b", "c"])
        return frame.assign(colour=pd.Series(np.array(["blue", "green", "red"])[colour], dtype="str"))
    hot = (colour[:, None] == np.arange(3)).astype(float)
    if matrix == "codes":
        return np.column_stack([numbers, colour.astype(float)])
    if matrix == "scaled":  # by what the columns are drawn from, so that new rows are scaled as those learnt from
        hot = (hot - 1 / 3) / np.sqrt(2 / 9)
    return np.column_stack([numbers, hot])


def labels_of(matrix: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    if matrix in ("raw", "codes"):
        return ("a", "b", "c", "colour"), (3,) if matrix == "codes" else ()
    return ("a", "b", "c", "colour=blue", "colour=green", "colour=red"), ()


def rows_of(case: Case, n: int = 100, *, seed: int = 0) -> Rows:
    return easy(case.kind, case.family.matrix, n, n_outputs=case.n_outputs, seed=seed)


def tolerance(case: Case) -> float:
    """Networks compute in single precision."""
    return 1e-4 if case.family.name == "neural" else 1e-8


@cache
def learnt(case: Case):
    """Fit the default once for the promises that only look at it."""
    return case.fit(rows_of(case))


def ends(case: Case) -> list[dict[str, object]]:
    """Return the corners of the search space: all low, all high; and each choice beside the default."""
    space = case.family.space(case.task(100))
    default = {name: dimension.default for name, dimension in space.items()}
    corners = [
        {
            name: (d.choices[end] if d.choices else int(edge) if d.integer else edge)
            for name, d in space.items()
            for edge in [(d.low, d.high)[end]]
        }
        for end in (0, -1)
    ]
    single = [{name: value} for name, dimension in space.items() for value in dimension.choices]
    return [live(space, default | point | case.given) for point in corners + single]


def same_seed_gives_same_predictions(case):
    rows = rows_of(case)
    np.testing.assert_array_equal(case.predict(case.fit(rows, seed=7), rows.X), case.predict(case.fit(rows, seed=7), rows.X))


def a_stored_model_predicts_the_same(case):
    model, X = learnt(case), rows_of(case, seed=1).X
    if case.family.state is None:
        from skops.io import dumps, get_untrusted_types, loads

        stored = dumps(model)
        foreign = get_untrusted_types(data=stored)
        assert all(name.startswith(("sklearn.", "numpy.", "scipy.")) for name in foreign), foreign
        again = loads(stored, trusted=foreign)
    else:
        state = case.family.state(model)
        arrays = {name: value for name, value in state.items() if isinstance(value, np.ndarray)}
        held = io.BytesIO()
        np.savez(held, allow_pickle=False, **arrays)
        held.seek(0)
        plain = json.loads(json.dumps({name: value for name, value in state.items() if name not in arrays}))
        again = case.family.restore(plain | dict(np.load(held, allow_pickle=False)))
    np.testing.assert_array_equal(case.predict(again, X), case.predict(model, X))


def rows_are_left_as_they_were(case):
    rows, before = rows_of(case), rows_of(case)
    arrays = [rows.y, rows.sample_weight, *([rows.X] if isinstance(rows.X, np.ndarray) else [])]
    for array in arrays:
        array.flags.writeable = False  # whoever writes, raises
    case.predict(case.fit(rows), rows.X)
    np.testing.assert_array_equal(np.asarray(rows.X, dtype=object), np.asarray(before.X, dtype=object))


def missing_and_unseen_values_are_predicted(case):
    rows, rng = rows_of(case), np.random.default_rng(3)
    holes = np.where(rng.random(rows.X.shape) < 0.1, np.nan, rows.X)
    all_missing = np.full((1, rows.X.shape[1]), np.nan)
    for trained_on in (rows, replace(rows, X=holes)):
        case.predict(case.fit(trained_on), np.concatenate([holes, all_missing]))


def probabilities_are_probabilities(case):
    found = learnt(case).predict_proba(rows_of(case, seed=1).X)
    assert found.min() >= 0
    assert found.max() <= 1 + 1e-12
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)


def columns_of_probabilities_are_named_by_classes(case):
    """Also where the training rows miss a class, here the one in the middle."""
    rows = rows_of(case)
    seen = rows.take(rows.y != 1)
    model = case.fit(seen, task=case.task(len(seen.y)))
    found = model.predict_proba(seen.X)
    assert found.shape == (len(seen.y), len(model.classes_))
    aligned = case.predict(model, seen.X)
    assert set(np.asarray(model.classes_).tolist()) <= {0, 1, 2}
    assert aligned[seen.y == 0, 0].mean() > aligned[seen.y == 2, 0].mean()
    assert aligned[:, 1].max() < 0.1


def both_ends_of_the_search_space_fit(case):
    rows = rows_of(case)
    for params in ends(case):
        case.predict(case.fit(rows, params), rows.X)


def easy_rows_are_predicted_better_than_by_a_constant(case):
    rows, new = rows_of(case, 200), rows_of(case, 200, seed=1)
    constant = np.array([case.constant(rows.y)] * len(new.y))
    assert case.loss(new.y, case.predict(case.fit(rows), new.X)) < 0.9 * case.loss(new.y, constant)


def quantiles_hold_their_share_of_new_rows(case):
    rows, new = rows_of(case, 400), rows_of(case, 400, seed=1)
    found = case.predict(case.fit(rows), new.X)
    assert found.shape == (400, len(LEVELS))
    np.testing.assert_allclose((new.y[:, None] < found).mean(axis=0), LEVELS, atol=0.1)


def no_output_counts_for_its_unit(case):
    """A unit of a power of two, so that nothing is rounded otherwise."""
    unit = np.array([2.0**30, 1.0])
    rows, new = rows_of(case), rows_of(case, seed=1)
    found, expected = (case.predict(case.fit(replace(rows, y=rows.y * scale)), new.X) / scale for scale in (unit, 1.0))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-9)


def a_double_weight_is_a_double_row(case):
    rows = rows_of(case)
    twice = np.random.default_rng(4).random(len(rows.y)) < 0.4
    weighted = replace(rows, sample_weight=np.where(twice, 2.0, 1.0))
    doubled = rows.take(np.repeat(np.arange(len(rows.y)), np.where(twice, 2, 1)))
    task = case.task(len(rows.y))  # what depends on the number of rows is the same for both
    params = case.params()
    new = rows_of(case, seed=1)
    found, expected = (case.predict(case.fit(each, params, task=task), new.X) for each in (weighted, doubled))
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def the_shortcut_gives_the_predictions_of_the_plain_loop(case):
    rows, new = rows_of(case), rows_of(case, seed=1)
    points = [case.params(), *ends(case)]
    seeds = list(range(len(points)))
    task = case.task(len(rows.y))
    found = case.family.fit_fold(task, points, rows, stop_of(rows), (new.X, rows.X[:5]), seeds)
    assert len(found) == len(points)
    for predictions, params, seed in zip(found, points, seeds, strict=True):
        model = case.fit(rows, params, seed=seed)
        for predicted, X in zip(predictions.predictions, (new.X, rows.X[:5]), strict=True):
            np.testing.assert_allclose(predicted, case.predict(model, X), rtol=tolerance(case), atol=tolerance(case))


def a_choice_inside_the_training_rows_is_one_of_the_settings_and_the_same_again(case):
    rows = rows_of(case)
    for array in (rows.y, rows.sample_weight, *([rows.X] if isinstance(rows.X, np.ndarray) else [])):
        array.flags.writeable = False  # whoever writes, raises
    points = [case.params(), *ends(case)]
    for exchangeable in (True, False):
        task = replace(case.task(len(rows.y)), exchangeable=exchangeable)
        found = case.family.tune(task, points, rows, stop_of(rows), 3)
        assert found == case.family.tune(task, points, rows, stop_of(rows), 3)
        assert 0 <= found < len(points)


def a_choice_is_made_among_a_handful_of_rows_and_where_the_rows_that_are_seen_lack_a_class(case):
    rows = rows_of(case)
    points = [case.params(), *ends(case)[:2]]
    few = [rows.take(np.arange(n)) for n in (3, 8)]
    if case.kind == "classes":
        few = [replace(each, y=np.arange(len(each.y)) % 2) for each in few]
        few.append(rows.take(np.argsort(rows.y == 1, kind="stable")[: np.sum(rows.y != 1) + 10]))  # one class comes last, and is set aside
    for each in few:
        for exchangeable in (True, False):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # as core/fit.py does
                found = case.family.tune(replace(case.task(len(each.y)), exchangeable=exchangeable), points, each, stop_of(each), 3)
            assert 0 <= found < len(points)


def a_row_is_predicted_alone_as_in_company(case):
    model, X = learnt(case), rows_of(case, seed=1).X
    alone = X.iloc[3:4] if isinstance(X, pd.DataFrame) else X[3:4]
    np.testing.assert_allclose(case.predict(model, alone)[0], case.predict(model, X)[3], rtol=tolerance(case), atol=tolerance(case))


def constant_and_duplicated_columns_do_no_harm(case):
    rows, new = rows_of(case, 200), rows_of(case, 200, seed=1)
    wide, new_wide = (
        replace(r, X=np.column_stack([r.X, r.X[:, 0], np.zeros(len(r.y))]), names=(*r.names, "a again", "nil")) for r in (rows, new)
    )
    plain = case.loss(new.y, case.predict(case.fit(rows), new.X))
    assert case.loss(new.y, case.predict(case.fit(wide), new_wide.X)) < 2 * plain + 0.1


def a_handful_of_rows_is_enough(case):
    for n in (2, 3, 5):
        y = np.arange(n) % 2 if case.kind == "classes" else np.arange(1.0, n + 1)
        rows = rows_of(case)
        y = np.column_stack([y, -y]) if case.n_outputs > 1 else y
        case.predict(case.fit(replace(rows.take(np.arange(n)), y=y)), rows.X)


def what_a_row_says_is_text(case):
    for params in [case.params(), *ends(case)]:
        said = case.family.words(case.task(100), params)
        assert said.strip() == said
        assert said[0].isupper()
        assert "()" not in said
        assert "None" not in said


def every_default_lies_in_its_own_space(case):
    for n in (2, 100, 100_000):
        space = case.family.space(case.task(n))
        for dimension in space.values():
            assert dimension.default in dimension.choices if dimension.choices else dimension.low <= dimension.default <= dimension.high
            for other, values in dimension.when.items():
                assert set(values) <= set(space[other].choices)


def holds_missing_values(case: Case) -> bool:
    return case.family.matrix in ("codes", "onehot")


def has_classes(case: Case) -> bool:
    return case.kind == "classes"


def has_quantiles(case: Case) -> bool:
    return case.kind == "quantiles"


def has_several_outputs(case: Case) -> bool:
    return case.n_outputs > 1


def takes_a_shortcut(case: Case) -> bool:
    return case.family.fit_fold is not None


def tunes_itself(case: Case) -> bool:
    return case.family.tune is not None


def reads_every_column(case: Case) -> bool:
    return case.family.matrix != "raw"


def any_case(_: Case) -> bool:
    return True


# Each promise, and which cases make it.
PROMISES: dict[Callable[[Case], None], Callable[[Case], bool]] = {
    same_seed_gives_same_predictions: any_case,
    a_stored_model_predicts_the_same: any_case,
    rows_are_left_as_they_were: any_case,
    missing_and_unseen_values_are_predicted: holds_missing_values,
    probabilities_are_probabilities: has_classes,
    columns_of_probabilities_are_named_by_classes: has_classes,
    both_ends_of_the_search_space_fit: any_case,
    easy_rows_are_predicted_better_than_by_a_constant: any_case,
    quantiles_hold_their_share_of_new_rows: has_quantiles,
    no_output_counts_for_its_unit: has_several_outputs,
    a_double_weight_is_a_double_row: any_case,
    the_shortcut_gives_the_predictions_of_the_plain_loop: takes_a_shortcut,
    a_choice_inside_the_training_rows_is_one_of_the_settings_and_the_same_again: tunes_itself,
    a_choice_is_made_among_a_handful_of_rows_and_where_the_rows_that_are_seen_lack_a_class: tunes_itself,
    a_row_is_predicted_alone_as_in_company: any_case,
    constant_and_duplicated_columns_do_no_harm: reads_every_column,
    a_handful_of_rows_is_enough: any_case,
    what_a_row_says_is_text: any_case,
    every_default_lies_in_its_own_space: any_case,
}

MADE = [
    pytest.param(case, promise, id=f"{case.names[1]}-{promise.__name__}")
    for case in CASES
    for promise, made_by in PROMISES.items()
    if made_by(case)
]


@pytest.fixture(autouse=True)
def _few_trees(monkeypatch):
    """A forest keeps or breaks its promises with any number of trees."""
    monkeypatch.setattr("piste.families.forest.TREES", 20)


@pytest.mark.parametrize(("case", "promise"), MADE)
def test_every_family(case, promise, request):
    for package in case.family.requires:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{case.family.name} needs {package}")
    if reason := case.family.why_not(case.task(100)):
        pytest.skip(reason)
    if reason := gaps(case).get(promise.__name__):
        request.applymarker(pytest.mark.xfail(reason=reason, strict=True))
    promise(case)


def test_a_known_gap_names_a_family_and_a_promise():
    promises = {promise.__name__ for promise in PROMISES}
    cases = {name for case in CASES for name in case.names}
    assert all(name in cases and promise in promises for name, promise in KNOWN_GAPS)
