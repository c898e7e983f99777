"""Families of the user's own: one file, or any scikit-learn estimator, from the problem's own folder and nowhere else."""

import textwrap
import warnings

import numpy as np
import pytest

from piste.core.errors import PisteError
from piste.core.family import Rows, Task
from piste.core.problem import Entry
from piste.core.search import settings
from piste.edges.own import own_family, own_file

MINE = """
from piste.core.family import Family, log

FAMILY = Family(
    name="shrunk",
    title="Shrunken mean",
    tier=1,
    kinds=frozenset({"mean"}),
    matrix="scaled",
    space=lambda task: {"alpha": log(0.1, 10.0, default=1.0)},
    build=lambda task, params, seed: None,
    describe=lambda task, params: f"alpha {params['alpha']}",
)
"""

MODELS = """
from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestClassifier
from sklearn.linear_model import LinearRegression, Ridge, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.svm import LinearSVC

def ridge(alpha=2.0):
    return make_pipeline(StandardScaler(), Ridge(alpha))

def margin():
    return make_pipeline(StandardScaler(), LinearSVC())

def votes():
    return KNeighborsClassifier()

def forest(seed=None):
    return RandomForestClassifier(20, random_state=seed)

def holes():
    return HistGradientBoostingRegressor()

def scaler():
    return StandardScaler()

def needs(degree):
    return make_pipeline(PolynomialFeatures(degree), LinearRegression())

def broken():
    return Ridge(
        alpha=1 / 0,
    )

one = Ridge()

def shared():
    return one
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "problem").mkdir()
    return tmp_path / "problem"


@pytest.fixture
def models(folder):
    (folder / "model.py").write_text(MODELS)

    def family_of(function, **params):
        return own_family(Entry(name="mine", factory=f"model.py:{function}", params=params), folder)

    return family_of


def rows(*, classes=False, weight=None):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 3))
    y = X[:, 0] + rng.normal(size=90) / 2
    return Rows(X, (y > 0).astype(int) if classes else y, np.ones(90) if weight is None else weight)


def fitted(family, data, params=None, seed=0):
    [kind] = family.kinds
    task = Task(kind, len(data.y), 2)
    params = {name: dimension.default for name, dimension in family.space(task).items()} if params is None else params
    return family.fit(task, params, data, np.zeros(len(data.y), dtype=bool), seed)


def fault(entry, folder):
    with pytest.raises(PisteError) as caught:
        own_family(entry, folder)
    [found] = caught.value.faults
    return found


def test_a_file_gives_its_family_under_the_name_of_the_entry(folder):
    (folder / "mine.py").write_text(MINE)
    found = own_family(Entry(name="mine", file="./mine.py"), folder)
    assert (found.name, found.title) == ("mine", "Shrunken mean")
    assert found.space(Task("mean", 10))["alpha"].default == 1.0


def test_a_file_may_hold_dataclasses_and_know_where_it_is(folder):
    """Both look the running module up."""
    code = """
from __future__ import annotations
from dataclasses import dataclass
from pathlib import Path

@dataclass
class One:
    x: int = 1

assert Path(__file__).name == "mine.py"
"""
    (folder / "mine.py").write_text(code + MINE)
    assert own_family(Entry(name="mine", file="mine.py"), folder).title == "Shrunken mean"


def test_a_changed_file_is_read_again(folder):
    entry = Entry(name="mine", file="mine.py")
    (folder / "mine.py").write_text(MINE)
    own_family(entry, folder)
    (folder / "mine.py").write_text(MINE.replace("Shrunken mean", "Shrunken mode"))
    assert own_family(entry, folder).title == "Shrunken mode"


def test_nothing_is_written_into_the_problems_folder(folder):
    (folder / "mine.py").write_text(MINE)
    own_family(Entry(name="mine", file="mine.py"), folder)
    assert [path.name for path in folder.iterdir()] == ["mine.py"]


def test_an_estimator_of_a_function_learns_as_it_does_alone(models):
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data = rows()
    plain = make_pipeline(StandardScaler(), Ridge(2.0)).fit(data.X, data.y)
    np.testing.assert_allclose(fitted(models("ridge"), data).predict(data.X), plain.predict(data.X), atol=1e-12)


def test_params_are_keywords_and_lists_are_a_grid(models):
    family = models("ridge", alpha=(0.5, 5.0))
    entry = Entry(name="mine", factory="model.py:ridge", params={"alpha": (0.5, 5.0)})
    points = settings(family.space(Task("mean", 90)), entry, trials=0, seed=0)
    assert points == [{"alpha": 0.5}, {"alpha": 5.0}]
    assert [fitted(family, rows(), point)[-1].alpha for point in points] == [0.5, 5.0]
    assert family.describe(Task("mean", 90), points[1]) == "StandardScaler + Ridge, alpha 5"


@pytest.mark.parametrize(
    ("function", "kind", "matrix"),
    [("ridge", "mean", "scaled"), ("votes", "classes", "scaled"), ("margin", "classes", "scaled"), ("holes", "mean", "onehot")],
)
def test_the_task_and_the_matrix_follow_from_the_estimator(models, function, kind, matrix):
    family = models(function)
    assert (set(family.kinds), family.matrix) == ({kind}, matrix)


def test_a_classifier_without_probabilities_is_calibrated(models):
    data = rows(classes=True)
    found = fitted(models("margin"), data).predict_proba(data.X)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    assert found[data.y == 1, 1].mean() > found[data.y == 0, 1].mean() + 0.3


def test_the_seed_decides_unless_the_function_did(models):
    data = rows(classes=True)

    def answers(family, params, seed):
        return fitted(family, data, params, seed).predict_proba(data.X)

    free, fixed = models("forest"), models("forest", seed=3)
    np.testing.assert_array_equal(answers(free, {}, 1), answers(free, {}, 1))
    assert (answers(free, {}, 1) != answers(free, {}, 2)).any()
    np.testing.assert_array_equal(answers(fixed, {"seed": 3}, 1), answers(fixed, {"seed": 3}, 2))


def test_weights_reach_the_last_step_of_a_pipeline(models):
    """Rows of weight 0 teach nothing, whatever they say."""
    spoilt = np.arange(90) % 3 == 0
    data = rows(weight=np.where(spoilt, 0.0, 1.0))
    lies = Rows(data.X, np.where(spoilt, 1e3, data.y), data.sample_weight)
    np.testing.assert_allclose(fitted(models("ridge"), data).predict(data.X), fitted(models("ridge"), lies).predict(data.X), atol=1e-9)


def test_an_estimator_without_weights_says_so_only_where_they_differ(models):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(models("votes"), rows(classes=True, weight=np.full(90, 2.0)))
    with pytest.warns(UserWarning, match="KNeighborsClassifier takes no sample weights"):
        fitted(models("votes"), rows(classes=True, weight=np.linspace(1, 2, 90)))


def test_an_object_that_a_function_hands_out_twice_is_not_fitted_twice(models):
    data = rows()
    first = fitted(models("shared"), data)
    before = first.predict(data.X)
    fitted(models("shared"), Rows(data.X, -data.y, data.sample_weight))
    np.testing.assert_array_equal(first.predict(data.X), before)


@pytest.mark.parametrize("written", ["link.py", "linked/outside.py"])
def test_a_file_outside_the_folder_is_refused_links_followed(folder, written):
    elsewhere = folder.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "outside.py").write_text("raise AssertionError('it was run')")
    (folder / "link.py").symlink_to(elsewhere / "outside.py")
    (folder / "linked").symlink_to(elsewhere)
    assert "lies outside it" in fault(Entry(name="mine", file=written), folder).message


def test_a_missing_file_is_named_with_its_near_miss(folder):
    (folder / "mine.py").write_text(MINE)
    message = fault(Entry(name="mien", file="./mien.py"), folder).message
    assert message == "must be a file in the problem's own folder, but there is no './mien.py'. Did you mean 'mine.py'?"


@pytest.mark.parametrize(
    ("code", "line", "message"),
    [
        ("x = 1\ny = 1 / 0\n", 2, "must run, but raised ZeroDivisionError: division by zero"),
        ("def f(\n", 1, "must run, but raised SyntaxError: '(' was never closed"),
        ("import nothing_of_that_name\n", 1, "No module named 'nothing_of_that_name'"),
        ("def f():\n    raise ValueError('two\\nlines')\nf()\n", 2, "raised ValueError: two lines"),
        ("raise SystemExit\n", 1, "must run, but raised SystemExit"),
        ("x = 1\n", 0, "must hold a piste.core.family.Family named FAMILY, but has none"),
        ("\nFAMILY = 3\n", 2, "but it is a int"),
        (
            MINE.replace('"scaled"', '"scald"'),
            4,
            "FAMILY.matrix must be 'raw', 'codes', 'onehot' or 'scaled', but is 'scald'. Did you mean 'scaled'?",
        ),
        (
            MINE.replace('{"mean"}', '{"means"}'),
            4,
            "FAMILY.kinds must be 'mean', 'distribution', 'quantiles' or 'classes', but is 'means'. Did you mean 'mean'?",
        ),
    ],
)
def test_a_fault_in_a_file_is_one_line_with_file_and_line(folder, code, line, message):
    (folder / "mine.py").write_text(code)
    found = fault(Entry(name="mine", file="mine.py"), folder)
    assert message in found.message
    assert "\n" not in str(found)
    assert (found.place.path, found.place.line) == (str(folder / "mine.py"), line)


@pytest.mark.parametrize(
    ("function", "params", "at", "message"),
    [
        ("rigde", {}, None, "must hold a function 'rigde', but does not. Did you mean 'ridge'?"),
        ("scaler", {}, "def scaler", "must return a scikit-learn classifier or regressor, but returned a StandardScaler"),
        ("needs", {}, "def needs", "must have a default for 'degree', or the problem must give it a value"),
        ("ridge", {"alhpa": 1.0}, "def ridge", "must take every hyperparameter, but has no 'alhpa'. Did you mean 'alpha'?"),
        ("broken", {}, "alpha=1 / 0", "broken() must return an estimator, but raised ZeroDivisionError"),
    ],
)
def test_a_fault_of_a_function_names_its_line(folder, function, params, at, message):
    (folder / "model.py").write_text(MODELS)
    found = fault(Entry(name="mine", factory=f"model.py:{function}", params=params), folder)
    assert message in found.message
    lines = textwrap.dedent(MODELS).splitlines()
    assert found.place.line == (1 + next(i for i, text in enumerate(lines) if at in text) if at else 0)


def test_the_file_of_an_entry_is_known_without_running_it(folder):
    (folder / "model.py").write_text("raise AssertionError('it was run')")
    assert own_file(Entry(name="mine", factory="model.py:make"), folder) == (folder / "model.py").resolve()


def test_another_process_finds_the_same_family(folder, models):
    import subprocess
    import sys

    code = (
        "import sys; from pathlib import Path; from piste.core.problem import Entry; from piste.edges.own import own_family; "
        "found = own_family(Entry(name='mine', factory='model.py:ridge', params={'alpha': 3.0}), Path(sys.argv[1])); "
        "print(found.title, found.matrix, *found.kinds, found.describe(None, {'alpha': 3.0}))"
    )
    said = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True).stdout
    assert said == "Mine scaled mean StandardScaler + Ridge, alpha 3\n"
