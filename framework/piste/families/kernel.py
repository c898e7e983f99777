"""Kernel ridge regression with a Gaussian kernel; exact on small tables, on Nystroem features on large ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np

from piste.core.family import Dimension, Family, Params, Rows, Shared, Space, Task, log, number
from piste.numeric.kernel import KernelSum, Nystroem, n_landmarks, rbf, scaled_gamma
from piste.numeric.kernel_path import LeftOut, feature_path, kernel_path
from piste.numeric.pairwise import Pairwise, pairs

EXACT_ROWS = 5_000
"""Training rows up to which the kernel is exact: 5,000 take 2 to 3 s and 400 MB, and both grow fast beyond."""

GAMMA_SCALES = (0.125, 0.35, 1.0, 3.0, 8.0)

CALIBRATION_ROWS = 100
"""Rows of every class, set aside, that suffice to turn scores into probabilities; with fewer, the leave-one-out scores of all do."""

LANDMARK_SEED = 0  # the same rows stand for all in every candidate, so that candidates of one gamma share features

FORMAT = 1  # of the stored state


def space(task: Task) -> Space:
    """Search the penalty and the width of the kernel.

    alpha is the variance of the noise over that of the signal (in the words of a Gaussian process; Rasmussen and Williams,
    2006, 2.3), whatever the target's unit; below 1e-4 much of the solution is rounding. gamma is a multiple of scikit-learn's
    "scale", 1 / n_features on standardised columns, as for support vector machines. It takes five values, so that candidates
    share kernels: over five tables the best of ten draws lost 2.1 % on the best of all alphas and gammas, against 2.4 % with
    gamma drawn evenly from 2^-5 to 2^5; the best of twenty 1.4 % either way.
    """
    del task
    return {"alpha": log(1e-4, 1e1, default=0.3), "gamma_scale": Dimension(1.0, choices=GAMMA_SCALES, log=True)}


def is_exact(task: Task) -> bool:
    """Say whether the kernel of all rows is used."""
    return task.n_train <= EXACT_ROWS


def describe(task: Task, params: Params) -> str:
    """Name the kernel, and the approximation where there is one."""
    features = "" if is_exact(task) else f" on {n_landmarks(task.n_train)} Nystroem features"
    return f"RBF{features}, alpha {number(params['alpha'])}, gamma {number(params['gamma_scale'])} x scale"


class KernelRidge:
    """Least squares in the space of a Gaussian kernel with a penalty, for numbers or for classes.

    Classes are one 0/1 target each; the difference between two of them tells the two apart, and becomes a probability on
    rows that it was not learnt from: the `stop` rows, scored without them, if there are CALIBRATION_ROWS of each class;
    otherwise all, each scored without itself. Both are in closed form, and what is kept has learnt from all rows.
    """

    function_: KernelSum  # in the target's unit
    calibration_: Pairwise | None = None  # None: the target is a number
    classes_: np.ndarray

    def __init__(self, task: Task, params: Params) -> None:
        self.task = task
        self.alpha = cast(float, params["alpha"])
        self.gamma_scale = cast(float, params["gamma_scale"])

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None, stop: np.ndarray | None = None) -> KernelRidge:
        """Learn from rows.

        Args:
            X: (n_samples, n_features)
            y: (n_samples,) or (n_samples, n_outputs) numbers, or (n_samples,) codes of at least two classes
            sample_weight: (n_samples,)
            stop: (n_samples,) of bool: rows set aside by the split's own rule; without a use where y is a number.
        """
        learn([self], Lesson.of(self.task, X, y, sample_weight, stop))
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict the number of each row (of several outputs: each number), or its likeliest class."""
        if self.task.kind == "classes":
            return self.classes_[self.predict_proba(X).argmax(axis=1)]
        found = self.function_(X)
        return found[:, 0] if found.shape[1] == 1 else found

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Predict a probability for each of `classes_`."""
        return self.probabilities(self.function_(X))

    def probabilities(self, values: np.ndarray) -> np.ndarray:
        """Turn values of `function_` into a probability for each of `classes_`."""
        assert self.calibration_ is not None, "a number has no classes"
        return self.calibration_.probabilities(differences(values))


@dataclass(frozen=True, slots=True)
class Lesson:
    """Training rows as the mathematics wants them: only those that weigh something, the ones that are scored together last."""

    X: np.ndarray  # (n, n_features)
    targets: np.ndarray  # (n, n_outputs), or a 0/1 column for each class
    weight: np.ndarray  # (n,), of mean 1
    left_out: LeftOut  # who is scored without having been learnt from
    classes: np.ndarray | None = None  # (n_classes,) of which there are rows; None: the target is a number
    code: np.ndarray | None = None  # (n,) number of the class

    @staticmethod
    def of(task: Task, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None, stop: np.ndarray | None) -> Lesson:
        """Lay rows out; see `KernelRidge.fit`."""
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        used = weight > 0
        if not used.all():
            X, y, weight = X[used], y[used], weight[used]
        weight = weight / weight.mean()
        if task.kind != "classes":
            return Lesson(X, y.reshape(len(y), -1).astype(float), weight, "none")
        held = np.zeros(len(y), dtype=bool) if stop is None else stop[used]
        classes, code = np.unique(y, return_inverse=True)
        enough = min(np.bincount(code[held], minlength=len(classes))) >= CALIBRATION_ROWS and len(np.unique(code[~held])) == len(classes)
        if enough:
            order = np.argsort(held, kind="stable")
            X, weight, code = X[order], weight[order], code[order]
        return Lesson(X, np.eye(len(classes))[code], weight, int(held.sum()) if enough else "each", classes, code)


def learn(models: Sequence[KernelRidge], lesson: Lesson) -> None:
    """Fit kernel ridges that differ in alpha alone: one kernel, or one set of features, serves them all."""
    task = models[0].task
    X, targets, weight, left_out = lesson.X, lesson.targets, lesson.weight, lesson.left_out
    alphas = np.array([model.alpha for model in models])
    gamma = scaled_gamma(X, models[0].gamma_scale)
    root = np.sqrt(weight)[:, None]
    centre = np.average(targets, axis=0, weights=weight)
    rooted = np.hstack([(targets - centre) * root, root])  # the last column tells what another centre would change
    if is_exact(task):
        K = rbf(X, X, gamma)
        K *= root
        K *= root.T
        path = kernel_path(K, rooted, alphas, left_out)
        functions = [KernelSum(X, gamma, coef[:, :-1] * root, centre) for coef in path.coef]
    else:
        basis = Nystroem.learn(X, gamma, n_landmarks(task.n_train), LANDMARK_SEED)
        path = feature_path(lambda rows: basis.features(X[rows]) * root[rows], rooted, alphas, left_out)
        functions = [basis.function(coef[:, :-1], centre) for coef in path.coef]
    for place, (model, function) in enumerate(zip(models, functions, strict=True)):
        model.function_ = function
        if path.residuals is not None:
            assert lesson.classes is not None, "only classes are calibrated"
            model.classes_ = lesson.classes
            model.calibration_ = _calibration(lesson, centre, path.residuals[place])


def left_out_scores(lesson: Lesson, centre: np.ndarray, residuals: np.ndarray) -> np.ndarray:
    """Return the values that rows left out would have been given, by residuals of the targets around a centre, and of a constant."""
    n = len(residuals)
    moved: np.ndarray | float = 0.0  # rows left out together have no part in the centre either
    if lesson.left_out != "each":
        moved = np.average(lesson.targets[:-n], axis=0, weights=lesson.weight[:-n]) - centre
    return lesson.targets[-n:] - (residuals[:, :-1] - moved * residuals[:, -1:]) / np.sqrt(lesson.weight[-n:, None])


def _calibration(lesson: Lesson, centre: np.ndarray, residuals: np.ndarray) -> Pairwise:
    assert lesson.code is not None, "only classes are calibrated"
    n = len(residuals)
    scores = differences(left_out_scores(lesson, centre, residuals))
    return Pairwise.learn(scores, lesson.code[-n:], lesson.weight[-n:], lesson.targets.shape[1])


def differences(scores: np.ndarray) -> np.ndarray:
    """Return the score of the second class less that of the first, for each pair; (n_samples, n_pairs)."""
    return np.column_stack([scores[:, j] - scores[:, i] for i, j in pairs(scores.shape[1])])


def build(task: Task, params: Params, seed: int) -> KernelRidge:
    """Return an unfitted kernel ridge."""
    del seed  # nothing is left to chance
    return KernelRidge(task, params)


def fit(task: Task, params: Params, train: Rows, stop: np.ndarray, seed: int) -> KernelRidge:
    """Fit a kernel ridge; rows set aside serve to calibrate probabilities."""
    return build(task, params, seed).fit(train.X, train.y, train.sample_weight, stop)


def fit_fold(
    task: Task, points: Sequence[Params], train: Rows, stop: np.ndarray, tests: Sequence[np.ndarray], seeds: Sequence[int]
) -> list[Shared]:
    """Fit all candidates of a fold; those of one gamma share the kernel of training rows, its decomposition, and that of new rows."""
    models = [build(task, params, seed) for params, seed in zip(points, seeds, strict=True)]
    lesson = Lesson.of(task, train.X, train.y, train.sample_weight, stop)
    found: dict[int, Shared] = {}
    for gamma_scale in dict.fromkeys(model.gamma_scale for model in models):
        alike = [place for place, model in enumerate(models) if model.gamma_scale == gamma_scale]
        group = [models[place] for place in alike]
        learn(group, lesson)
        function = joined([model.function_ for model in group])
        values = [np.split(function(X), len(group), axis=1) for X in tests]
        for place, model, own in zip(alike, group, zip(*values, strict=True), strict=True):
            found[place] = Shared(tuple(predictions(task, model, each) for each in own))
    return [found[place] for place in range(len(models))]


def predictions(task: Task, model: KernelRidge, values: np.ndarray) -> np.ndarray:
    """Return what a fold keeps of rows whose values of `function_` are known: probabilities of all classes of the task, or numbers."""
    if task.kind != "classes":
        return values if task.n_outputs > 1 else values[:, 0]
    found = np.zeros((len(values), task.n_classes))
    found[:, model.classes_.astype(int)] = model.probabilities(values)
    return found


def joined(functions: Sequence[KernelSum]) -> KernelSum:
    """Return functions of the same anchors and gamma as one, their values side by side."""
    coef, intercept = np.hstack([each.coef for each in functions]), np.hstack([each.intercept for each in functions])
    return KernelSum(functions[0].anchors, functions[0].gamma, coef, intercept)


def state(model: KernelRidge) -> dict[str, Any]:
    """Return a fitted kernel ridge as JSON values and arrays."""
    kept = {"format": FORMAT, "task": asdict(model.task), **model.function_.to_state()}
    kept |= {"alpha": model.alpha, "gamma_scale": model.gamma_scale}
    if model.calibration_ is not None:
        kept |= {"classes": model.classes_, **model.calibration_.to_state()}
    return kept


def restore(kept: dict[str, Any]) -> KernelRidge:
    """Return the fitted kernel ridge that `state` kept."""
    model = KernelRidge(Task(**kept["task"]), kept)
    model.function_ = KernelSum.from_state(kept)
    if "classes" in kept:
        model.classes_ = np.asarray(kept["classes"])
        model.calibration_ = Pairwise.from_state(kept, len(model.classes_))
    return model


FAMILY = Family(
    name="kernel",
    title="Kernel ridge regression",
    titles={"classes": "Kernel least squares on classes"},
    tier=5,
    kinds=frozenset({"mean", "classes"}),
    several=True,
    matrix="scaled",
    space=space,
    build=build,
    describe=describe,
    fit=fit,
    fit_fold=fit_fold,
    state=state,
    restore=restore,
)
