"""Families of the user's own: a file with a FAMILY, or a function that returns a scikit-learn estimator."""

from __future__ import annotations

import importlib.util
import inspect
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any, get_args

import numpy as np

from piste.core.errors import Fault, PisteError, Place, either, near
from piste.core.family import Family, Kind, MatrixKind, Params, Rows, choice, number
from piste.core.problem import Entry
from piste.edges.code import module_of

TIER = 6  # nothing is known of it, so it counts as no simpler than a network; its place in `families` says otherwise


def own_family(entry: Entry, folder: Path) -> Family:
    """Return the family that an entry of the user's own stands for; it runs their code.

    A file gives its FAMILY, under the entry's name. A function gives an estimator or a Pipeline, called anew for every
    fit: with the entry's params as keywords, a list of values being a grid. Of that estimator,

    - the learning task is classes if it is a classifier, mean if it is a regressor;
    - the matrix is "onehot" if it says that it takes missing values (NaN), and "scaled" if not: that one has none, and a
      scaler of its own does no harm on top;
    - a classifier without `predict_proba` is calibrated (three-fold, sigmoid) on its training rows;
    - sample weights are passed where it (of a Pipeline: its last step) takes them, and a warning says so where not;
    - every `random_state` left at None is seeded.

    The same entry and folder give the same family in any process.

    Raises:
        PisteError: the file is not in the folder, or it or what it holds cannot be used; names file and line.
    """
    assert entry.file or entry.factory, "an entry of the user's own names a file or a function"
    source = _Source(own_file(entry, folder), folder / _written(entry))
    return _from_factory(entry, source) if entry.factory else _from_file(entry, source)


def own_file(entry: Entry, folder: Path) -> Path:
    """Return the file of an entry of the user's own, which must lie in the problem's folder once links are followed.

    Raises:
        PisteError: it lies elsewhere, or is not there.
    """
    written = _written(entry)
    home = folder.resolve()
    path = (home / written).resolve()
    if not path.is_relative_to(home):
        raise PisteError(Fault(f"must be a file in the problem's own folder, but '{written}' lies outside it", f"families.{entry.name}"))
    if not path.is_file():
        hint = near(Path(written).name, [other.name for other in sorted(home.glob("*.py"))])
        raise PisteError(Fault(f"must be a file in the problem's own folder, but there is no '{written}'.{hint}", f"families.{entry.name}"))
    return path


def _written(entry: Entry) -> str:
    return entry.file or str(entry.factory).rpartition(":")[0]


@dataclass(frozen=True, slots=True)
class _Source:
    """A file of the user's own, and what it is called in messages."""

    path: Path
    shown: Path

    def fault(self, line: int, message: str) -> PisteError:
        """Word what is wrong at a line; 0 where no line is to blame."""
        return PisteError(Fault(message, place=Place(str(self.shown), line)))

    @contextmanager
    def blamed(self, must: str) -> Iterator[None]:
        """Turn whatever the user's code raises into one fault at the line of theirs that raised it."""
        try:
            yield
        except (Exception, SystemExit) as error:
            said = " ".join(f"{type(error).__name__}: {error}".split()).removesuffix(":")
            raise self.fault(self._line(error), f"{must}, but raised {said}") from error

    def _line(self, error: BaseException) -> int:
        if isinstance(error, SyntaxError) and error.filename == str(self.path):
            return error.lineno or 0
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(self.path)]
        return lines[-1] or 0 if lines else 0

    def line_of(self, name: str) -> int:
        """Return the line that a name of the module stands at the start of; 0 where none does."""
        lines = importlib.util.decode_source(self.path.read_bytes()).splitlines()
        return next((number for number, text in enumerate(lines, 1) if text.startswith(name)), 0)

    def load(self) -> ModuleType:
        """Run the file as a module, once per content."""
        with self.blamed("must run"):
            return module_of(self.path)


def _from_file(entry: Entry, source: _Source) -> Family:
    found = getattr(source.load(), "FAMILY", None)
    line = source.line_of("FAMILY")
    if not isinstance(found, Family):
        instead = "has none" if found is None else f"it is a {type(found).__name__}"
        raise source.fault(line, f"must hold a piste.core.family.Family named FAMILY, but {instead}")
    for what, values, known in (("kinds", found.kinds, get_args(Kind)), ("matrix", {found.matrix}, get_args(MatrixKind))):
        if unknown := sorted(set(values) - set(known)):
            raise source.fault(line, f"FAMILY.{what} must be {either(known)}, but is '{unknown[0]}'.{near(unknown[0], known)}")
    return replace(found, name=entry.name)


def _from_factory(entry: Entry, source: _Source) -> Family:
    made = _Factory.of(source, str(entry.factory).rpartition(":")[2])
    grid = {name: value if isinstance(value, tuple) else (value,) for name, value in entry.params.items()}
    first = {name: values[0] for name, values in grid.items() if values}
    made.check(first)
    estimator = made(first)
    return Family(
        name=entry.name,
        title=entry.name.replace("_", " ").capitalize(),
        tier=TIER,
        kinds=frozenset({made.kind(estimator)}),
        matrix="onehot" if _takes_nan(estimator) else "scaled",
        space=lambda _: {name: choice(*values, default=values[0] if values else None) for name, values in grid.items()},
        build=lambda _, params, seed: _build(made, params, seed),
        describe=lambda _, params: _describe(estimator, params),
        fit=lambda _, params, train, __, seed: _fit(_build(made, params, seed), train),
    )


@dataclass(frozen=True, slots=True)
class _Factory:
    """A function of the user's own that makes estimators."""

    make: Callable[..., Any]
    name: str
    source: _Source

    @staticmethod
    def of(source: _Source, name: str) -> _Factory:
        """Find the function in its file."""
        held = vars(source.load())
        if not callable(held.get(name)):
            functions = [other for other, value in held.items() if inspect.isfunction(value)]
            raise source.fault(0, f"must hold a function '{name}', but does not.{near(name, functions)}")
        return _Factory(held[name], name, source)

    def __call__(self, params: Mapping[str, Any]) -> Any:
        """Make an estimator."""
        with self.source.blamed(f"{self.name}() must return an estimator"):
            return self.make(**params)

    def check(self, params: Mapping[str, Any]) -> None:
        """Refuse hyperparameters that the function does not take, or that it lacks."""
        parameters = inspect.signature(self.make).parameters.values()
        known = [each.name for each in parameters if each.kind in (each.POSITIONAL_OR_KEYWORD, each.KEYWORD_ONLY)]
        takes_any = any(each.kind == each.VAR_KEYWORD for each in parameters)
        for name in params:
            if name not in known and not takes_any:
                raise self.fault(f"{self.name}() must take every hyperparameter, but has no '{name}'.{near(name, known)}")
        for each in parameters:
            if each.default is each.empty and each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL) and each.name not in params:
                raise self.fault(f"{self.name}() must have a default for '{each.name}', or the problem must give it a value")

    def kind(self, estimator: Any) -> Kind:
        """Say what the estimator learns."""
        from sklearn.base import BaseEstimator, is_classifier, is_regressor

        if isinstance(estimator, BaseEstimator):
            if is_classifier(estimator):
                return "classes"
            if is_regressor(estimator):
                return "mean"
        raise self.fault(f"{self.name}() must return a scikit-learn classifier or regressor, but returned a {type(estimator).__name__}")

    def fault(self, message: str) -> PisteError:
        """Word what is wrong with the function, at its first line."""
        return self.source.fault(getattr(getattr(self.make, "__code__", None), "co_firstlineno", 0), message)


def _takes_nan(estimator: Any) -> bool:
    from sklearn.utils import get_tags

    return bool(get_tags(estimator).input_tags.allow_nan)


def _build(made: _Factory, params: Params, seed: int) -> Any:
    from sklearn.base import clone, is_classifier
    from sklearn.calibration import CalibratedClassifierCV

    estimator = clone(made(params))  # a function may hand out the same object twice
    unseeded = [name for name, value in estimator.get_params().items() if name.rpartition("__")[2] == "random_state" and value is None]
    estimator.set_params(**dict.fromkeys(unseeded, seed))
    if is_classifier(estimator) and not hasattr(estimator, "predict_proba"):
        return CalibratedClassifierCV(estimator, cv=3)
    return estimator


def _fit(estimator: Any, train: Rows) -> Any:
    keyword = _weight_keyword(estimator)
    if keyword is None:
        if np.ptp(train.sample_weight) > 0:
            warnings.warn(f"{type(estimator).__name__} takes no sample weights: every row counts the same", stacklevel=2)
        return estimator.fit(train.X, train.y)
    return estimator.fit(train.X, train.y, **{keyword: train.sample_weight})


def _weight_keyword(estimator: Any) -> str | None:
    """Name the argument of `fit` that takes sample weights."""
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.pipeline import Pipeline
    from sklearn.utils.validation import has_fit_parameter

    if isinstance(estimator, Pipeline):
        name, last = estimator.steps[-1]
        inner = _weight_keyword(last)
        return inner and f"{name}__{inner}"
    takes = has_fit_parameter(estimator, "sample_weight")
    if isinstance(estimator, CalibratedClassifierCV):  # it takes them even where what it calibrates does not
        takes = has_fit_parameter(estimator.estimator, "sample_weight")
    return "sample_weight" if takes else None


def _describe(estimator: Any, params: Params) -> str:
    steps = [step for _, step in getattr(estimator, "steps", [("", estimator)]) if step not in (None, "passthrough")]
    named = " + ".join(type(step).__name__ for step in steps)
    return ", ".join([named, *(f"{name} {number(value)}" for name, value in params.items())])
