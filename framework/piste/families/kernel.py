"""Kernel ridge regression with a Gaussian kernel; exact on small tables, on Nystroem features on large ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, cast

import numpy as np

from piste.core.family import Family, Params, Rows, Space, Task, log, number
from piste.numeric.kernel import KernelSum, Nystroem, n_landmarks, rbf, scaled_gamma
from piste.numeric.pairwise import Pairwise, pairs

EXACT_ROWS = 5_000
"""Training rows up to which the kernel is exact: 5,000 take 2 to 3 s and 400 MB, and both grow fast beyond."""

CALIBRATION_ROWS = 100
"""Rows of every class, set aside, that suffice to turn scores into probabilities; with fewer, the leave-one-out scores of all do."""

FORMAT = 1  # of the stored state


def space(task: Task) -> Space:
    """Search the penalty and the width of the kernel.

    alpha is the variance of the noise over that of the signal (in the words of a Gaussian process; Rasmussen and Williams,
    2006, 2.3), whatever the target's unit; below 1e-4 much of the solution is rounding. gamma is a multiple of scikit-learn's
    "scale", 1 / n_features on standardised columns, as for support vector machines.
    """
    del task
    return {"alpha": log(1e-4, 1e1, default=0.3), "gamma_scale": log(2.0**-5, 2.0**5, default=1.0)}


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
    otherwise all, each scored without itself (leave one out, in closed form). What is kept has learnt from all rows.
    """

    function_: KernelSum  # in the target's unit
    calibration_: Pairwise | None = None  # None: the target is a number
    classes_: np.ndarray

    def __init__(self, task: Task, params: Params, seed: int) -> None:
        self.task = task
        self.alpha = cast(float, params["alpha"])
        self.gamma_scale = cast(float, params["gamma_scale"])
        self.seed = seed

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None, stop: np.ndarray | None = None) -> KernelRidge:
        """Learn from rows.

        Args:
            X: (n_samples, n_features)
            y: (n_samples,) or (n_samples, n_outputs) numbers, or (n_samples,) codes of at least two classes
            sample_weight: (n_samples,)
            stop: (n_samples,) of bool: rows set aside by the split's own rule; without a use where y is a number.
        """
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        used = weight > 0
        held = np.zeros(len(y), dtype=bool) if stop is None else stop
        X, y, held, weight = X[used], y[used], held[used], weight[used] / weight[used].mean()
        if self.task.kind != "classes":
            self.function_, _ = self._solve(X, y.reshape(len(y), -1).astype(float), weight)
            return self
        self.classes_, code = np.unique(y, return_inverse=True)
        n_classes = len(self.classes_)
        targets = np.eye(n_classes)[code]
        self.function_, left_out = self._solve(X, targets, weight)
        if min(np.bincount(code[held], minlength=n_classes)) >= CALIBRATION_ROWS and len(np.unique(code[~held])) == n_classes:
            function, _ = self._solve(X[~held], targets[~held], weight[~held])
            scores, code, weight = function(X[held]), code[held], weight[held]
        else:
            scores = left_out()
        self.calibration_ = Pairwise.learn(differences(scores), code, weight, n_classes)
        return self

    def _solve(self, X: np.ndarray, targets: np.ndarray, weight: np.ndarray) -> tuple[KernelSum, Callable[[], np.ndarray]]:
        """Return the function of rows, and how to get its value at each training row had that one been left out.

        With the roots of the weights in kernel and target the problem is one without weights. The value of a row left out
        follows from its residual: Rifkin and Lippert, Notes on Regularized Least Squares, 2007.
        """
        centre = np.average(targets, axis=0, weights=weight)
        root = np.sqrt(weight)[:, None]
        rooted = (targets - centre) * root
        gamma = scaled_gamma(X, self.gamma_scale)
        if is_exact(self.task):
            factor = cholesky(rbf(X, X, gamma) * root * root.T, self.alpha)
            coef = solved(factor, rooted)
            return KernelSum(X, gamma, coef * root, centre), lambda: targets - coef / inverse_diagonal(factor)[:, None] / root
        basis = Nystroem.learn(X, gamma, n_landmarks(self.task.n_train), self.seed)
        features = basis.features(X) * root
        factor = cholesky(features.T @ features, self.alpha)
        coef = solved(factor, features.T @ rooted)

        def left_out() -> np.ndarray:
            leverage = np.einsum("ij,ij->i", features, solved(factor, features.T).T)
            return targets - (rooted - features @ coef) / (1 - leverage)[:, None] / root

        return basis.function(coef, centre), left_out

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict the number of each row (of several outputs: each number), or its likeliest class."""
        if self.task.kind == "classes":
            return self.classes_[self.predict_proba(X).argmax(axis=1)]
        found = self.function_(X)
        return found[:, 0] if found.shape[1] == 1 else found

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Predict a probability for each of `classes_`."""
        assert self.calibration_ is not None, "a number has no classes"
        return self.calibration_.probabilities(differences(self.function_(X)))


def cholesky(matrix: np.ndarray, alpha: float) -> np.ndarray:
    """Return the lower factor of a symmetric matrix with alpha added to its diagonal; the matrix is overwritten."""
    from scipy.linalg import cholesky as factorise

    matrix[np.diag_indices_from(matrix)] += alpha
    return np.asarray(factorise(matrix, lower=True, overwrite_a=True, check_finite=False))


def solved(factor: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Return the inverse of the matrix with this lower factor times targets."""
    from scipy.linalg import cho_solve

    return np.asarray(cho_solve((factor, True), targets, check_finite=False))


def inverse_diagonal(factor: np.ndarray) -> np.ndarray:
    """Return the diagonal of the inverse of the matrix with this lower factor."""
    from scipy.linalg import lapack

    inverse, failed = lapack.dtrtri(factor, lower=True)
    assert failed == 0, "a Cholesky factor has no zero on its diagonal"
    return np.einsum("ij,ij->j", inverse, inverse)


def differences(scores: np.ndarray) -> np.ndarray:
    """Return the score of the second class less that of the first, for each pair; (n_samples, n_pairs)."""
    return np.column_stack([scores[:, j] - scores[:, i] for i, j in pairs(scores.shape[1])])


def build(task: Task, params: Params, seed: int) -> KernelRidge:
    """Return an unfitted kernel ridge."""
    return KernelRidge(task, params, seed)


def fit(task: Task, params: Params, train: Rows, stop: np.ndarray, seed: int) -> KernelRidge:
    """Fit a kernel ridge; rows set aside serve to calibrate probabilities."""
    return build(task, params, seed).fit(train.X, train.y, train.sample_weight, stop)


def state(model: KernelRidge) -> dict[str, Any]:
    """Return a fitted kernel ridge as JSON values and arrays."""
    kept = {"format": FORMAT, "task": asdict(model.task), "seed": model.seed, **model.function_.to_state()}
    kept |= {"alpha": model.alpha, "gamma_scale": model.gamma_scale}
    if model.calibration_ is not None:
        kept |= {"classes": model.classes_, **model.calibration_.to_state()}
    return kept


def restore(kept: dict[str, Any]) -> KernelRidge:
    """Return the fitted kernel ridge that `state` kept."""
    model = KernelRidge(Task(**kept["task"]), kept, kept["seed"])
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
    state=state,
    restore=restore,
)
