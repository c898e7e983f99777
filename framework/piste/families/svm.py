"""Support vector machines, linear or with a Gaussian kernel; exact on small tables, on Nystroem features on large ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, cast

import numpy as np

from piste.core.family import Family, Params, Rows, Space, Task, choice, log, number
from piste.numeric.kernel import KernelSum, Nystroem, n_landmarks, scaled_gamma
from piste.numeric.pairwise import Pairwise, pairs

EXACT_ROWS = 5_000
"""Training rows up to which the kernel is exact. Its cost grows with their square, and with C: 5,000 rows of bike_hour take
.5 s at C 3 and 3 s at C 128; on Nystroem features .7 and 3 s, and 14,000 rows 5 and 11 s."""

MOST_ROWS = 100_000
"""Training rows up to which a machine is fitted: at 1,024 Nystroem features each row takes 8 kB, and 16 more in LIBLINEAR's own copy."""

MAX_ITER = 500_000
"""Steps of libsvm after which a machine stays as it is, with a warning that it has not converged (about 10 s at 5,000 rows)."""

CALIBRATION_ROWS = 100
"""Rows of every class, set aside, that suffice to turn scores into probabilities; with fewer, all training rows do, in N_FOLDS folds:
on digits 20 of each gave a log loss of .36, five folds .10."""

N_FOLDS = 5

FIRST_SHARE, SECOND_SHARE = 0.25, 0.6  # of the rows (of EXACT_ROWS at most), that machines learn from while settings are chosen
N_SECOND = 3  # settings tried a second time
MOST_JUDGES = 1_000  # rows that settings are judged by

FORMAT = 1  # of the stored state

Form = Literal["linear", "exact", "nystroem"]


def space(task: Task) -> Space:
    """Search C, the width of the kernel and, for numbers, the tube.

    Ranges: Hsu, Chang and Lin, A Practical Guide to Support Vector Classification, 2003, start C at 2^-5 and go up to 2^15.
    Here it ends at 2^7: on standardised columns more buys little, and the time of a fit grows with it. It starts at 2^-1: where
    nearly every row of a class is at its bound, the offset is arbitrary, and machines of different rows cannot be calibrated
    together (adult, C 0.04, a wide kernel: a log loss of 0.4 to 2.8, where others have 0.35). They search gamma over
    2^-15..2^3 on columns of range 1; the useful values lie around 1 / n_features, so gamma is a multiple of scikit-learn's
    "scale", which is that on standardised columns. The target is standardised, so epsilon is in its deviations and one range
    of C serves every unit. C 3 lost least over nine tables, noisy ones among them. One draw in eight is a linear machine: the linear
    family asks much the same. Against 2^-3 for C, 2^-5..2^5 for gamma and one linear machine in four, the held-out error of the best of
    ten settings fell by 4 % on phoneme, 5 % on concrete and 0.3 % on adult, and rose by 2 % on bike_hour (1,500 rows, three splits).
    """
    shared = {
        "kernel": choice(*["rbf"] * 7, "linear", default="rbf"),
        "C": log(2.0**-1, 2.0**7, default=3.0),
        "gamma_scale": log(2.0**-3, 2.0**4, default=1.0, kernel=("rbf",)),
    }
    if task.kind == "mean":
        return shared | {"epsilon": log(1e-3, 0.5, default=0.1)}
    return shared | {"class_weight": choice(None, None, None, "balanced", default=None)}


def why_not(task: Task) -> str | None:
    """Step aside where the memory would not do."""
    if task.n_train <= MOST_ROWS:
        return None
    return f"takes up to {MOST_ROWS:,} training rows, as each takes 24 kB, but there are {task.n_train:,}: kernel is its like for more"


def form(task: Task, params: Params) -> Form:
    """Say how the machine is computed."""
    if params["kernel"] == "linear":
        return "linear"
    return "exact" if task.n_train <= EXACT_ROWS else "nystroem"


def describe(task: Task, params: Params) -> str:
    """Name the kernel, and the approximation where there is one."""
    C = f"C {number(params['C'])}"
    balanced = ", balanced classes" if params.get("class_weight") else ""
    tube = f", epsilon {number(params['epsilon'])}" if task.kind == "mean" else ""
    if (how := form(task, params)) == "linear":
        return f"linear, {C}{tube}{balanced}"
    features = f" on {n_landmarks(task.n_train)} Nystroem features" if how == "nystroem" else ""
    return f"RBF{features}, {C}, gamma {number(params['gamma_scale'])} x scale{tube}{balanced}"


@dataclass(frozen=True, slots=True)
class Settings:
    """What a machine is told, apart from rows."""

    form: Form
    C: float
    gamma_scale: float
    epsilon: float  # of the tube, in deviations of the target
    class_weight: str | None
    n_landmarks: int
    seed: int

    @staticmethod
    def of(task: Task, params: Params, seed: int) -> Settings:
        """Read hyperparameters."""
        return Settings(
            form(task, params),
            C=cast(float, params["C"]),
            gamma_scale=cast(float, params.get("gamma_scale", 1.0)),
            epsilon=cast(float, params.get("epsilon", 0.1)),
            class_weight=cast("str | None", params.get("class_weight")),
            n_landmarks=n_landmarks(task.n_train),
            seed=seed,
        )


def solve(settings: Settings, features: np.ndarray, gamma: float, y: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, float]:
    """Fit one machine to numbers, or to two classes 0 and 1; return a weight of each row's kernel (or feature), and the offset.

    The kernel machine has the hinge (or the tube) itself; those on features have its square, whose Newton steps always
    converge, and which for numbers aims at the mean, not at the median.
    """
    from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR

    C, epsilon, class_weight = settings.C, settings.epsilon, settings.class_weight
    classes = y.dtype.kind == "i"
    if settings.form == "exact":
        shared = {"C": C, "gamma": gamma, "max_iter": MAX_ITER}
        machine = SVC(class_weight=class_weight, **shared) if classes else SVR(epsilon=epsilon, **shared)
        machine.fit(features, y, sample_weight=weight)
        coef = np.zeros(len(features))
        coef[machine.support_] = machine.dual_coef_[0]
        return coef, float(machine.intercept_[0])
    if classes:
        linear = LinearSVC(C=C, class_weight=class_weight, dual=False)
    else:
        linear = LinearSVR(C=C, epsilon=epsilon, loss="squared_epsilon_insensitive", dual=False)
    linear.fit(features, y, sample_weight=weight)
    return linear.coef_.ravel(), float(np.ravel(linear.intercept_)[0])


def learn(settings: Settings, X: np.ndarray, weight: np.ndarray, targets: list[tuple[np.ndarray, np.ndarray]]) -> KernelSum:
    """Fit one machine for each target, all on the same features.

    Args:
        settings: hyperparameters.
        X: (n_samples, n_features)
        weight: (n_samples,)
        targets: row numbers that a machine learns from, ascending, and y of them: floats, or 0 and 1 as whole numbers. Where all are of
            one class there is nothing to tell apart: the machine's score is NaN.
    """
    gamma = scaled_gamma(X, settings.gamma_scale)
    basis = Nystroem.learn(X, gamma, settings.n_landmarks, settings.seed) if settings.form == "nystroem" else None
    features = X if basis is None else basis.features(X)
    exact = settings.form == "exact"
    coef = np.zeros((len(X) if exact else features.shape[1], len(targets)))
    intercept = np.full(len(targets), np.nan)
    for column, (rows, y) in enumerate(targets):
        if y.dtype.kind == "f" or len(np.unique(y)) == 2:
            learnt = features if len(rows) == len(features) else features[rows]
            found, intercept[column] = solve(settings, learnt, gamma, y, weight[rows])
            coef[rows if exact else slice(None), column] = found
    if exact:
        used = np.flatnonzero(coef.any(axis=1))
        return KernelSum(X[used], gamma, coef[used], intercept)
    return KernelSum(None, 0.0, coef, intercept) if basis is None else basis.function(coef, intercept)


def learn_pairs(settings: Settings, X: np.ndarray, code: np.ndarray, weight: np.ndarray, n_classes: int) -> KernelSum:
    """Fit one machine for each pair of classes."""
    targets = []
    for i, j in pairs(n_classes):
        rows = np.flatnonzero((code == i) | (code == j))
        targets.append((rows, (code[rows] == j).astype(int)))
    return learn(settings, X, weight, targets)


class Regressor:
    """A support vector machine for numbers, on the standardised target."""

    function_: KernelSum
    centre_: float
    scale_: float

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Regressor:
        """Learn from rows."""
        X, y, weight = weighted_rows(X, y, sample_weight)
        self.centre_ = float(np.average(y, weights=weight))
        deviation = float(np.sqrt(np.average((y - self.centre_) ** 2, weights=weight)))
        self.scale_ = deviation if deviation > 0 else 1.0
        self.function_ = learn(self.settings, X, weight, [(np.arange(len(y)), (y - self.centre_) / self.scale_)])
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict a number for each row."""
        return self.function_(X)[:, 0] * self.scale_ + self.centre_


class Classifier:
    """A support vector machine for each pair of classes, whose scores become probabilities on rows they did not see."""

    function_: KernelSum
    calibration_: Pairwise
    classes_: np.ndarray

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None, stop: np.ndarray | None = None) -> Classifier:
        """Learn from rows.

        Probabilities are calibrated on the rows of `stop`, scored by a machine without them, if there are CALIBRATION_ROWS
        of every class; otherwise on all rows, each scored by a machine without its fold. The machine kept has learnt from
        every row.

        Args:
            X: (n_samples, n_features)
            y: (n_samples,) codes of at least two classes
            sample_weight: (n_samples,)
            stop: (n_samples,) of bool: rows set aside by the split's own rule.
        """
        held = np.zeros(len(y), dtype=bool) if stop is None else stop
        if sample_weight is not None:
            held = held[sample_weight > 0]
        X, y, weight = weighted_rows(X, y, sample_weight)
        self.classes_, code = np.unique(y, return_inverse=True)
        scores = np.full((len(y), len(pairs(len(self.classes_)))), np.nan)
        for part in self._parts(code, held):
            rest = np.setdiff1d(np.arange(len(y)), part)
            scores[part] = self._learn(X[rest], code[rest], weight[rest])(X[part])
        self.calibration_ = Pairwise.learn(scores, code, weight, len(self.classes_))
        self.function_ = self._learn(X, code, weight)
        return self

    def _parts(self, code: np.ndarray, held: np.ndarray) -> list[np.ndarray]:
        """Return the row numbers that are scored together, without having been learnt from."""
        n_classes = len(self.classes_)
        if min(np.bincount(code[held], minlength=n_classes)) >= CALIBRATION_ROWS and len(np.unique(code[~held])) == n_classes:
            return [np.flatnonzero(held)]
        shuffled = np.random.default_rng(self.settings.seed).permutation(len(code))
        by_class = shuffled[np.argsort(code[shuffled], kind="stable")]  # dealt out in turn, so that each fold has its share
        return [np.sort(by_class[first::N_FOLDS]) for first in range(N_FOLDS)]

    def _learn(self, X: np.ndarray, code: np.ndarray, weight: np.ndarray) -> KernelSum:
        return learn_pairs(self.settings, X, code, weight, len(self.classes_))

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Predict a probability for each of `classes_`."""
        return self.calibration_.probabilities(self.function_(X))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict the likeliest class."""
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def weighted_rows(X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rows that have a weight, with weights of mean 1, so that C means the same in any unit of weight."""
    if sample_weight is None:
        return X, y, np.ones(len(y))
    rows = sample_weight > 0
    if rows.all():
        return X, y, sample_weight / sample_weight.mean()
    return X[rows], y[rows], sample_weight[rows] / sample_weight[rows].mean()


def build(task: Task, params: Params, seed: int) -> Regressor | Classifier:
    """Return an unfitted machine."""
    settings = Settings.of(task, params, seed)
    return Classifier(settings) if task.kind == "classes" else Regressor(settings)


def fit(task: Task, params: Params, train: Rows, stop: np.ndarray, seed: int) -> Regressor | Classifier:
    """Fit a machine; rows set aside serve to calibrate probabilities."""
    model = build(task, params, seed)
    if isinstance(model, Classifier):
        return model.fit(train.X, train.y, train.sample_weight, stop)
    return model.fit(train.X, train.y, train.sample_weight)


def tune(task: Task, points: Sequence[Params], train: Rows, stop: np.ndarray, seed: int) -> int:
    """Return the number of the best settings: all are tried on a quarter of the rows, the best three on six tenths.

    The rows that judge are others: those set aside by the split's own rule, or, where rows are exchangeable, any. Over five tables
    (824 to 2,500 rows, 10 settings; benchmarks/tuning.py) that takes 4 times less than fitting all settings, and loses 0.8 % on the
    best of them. Least squares on Nystroem features, with C as the inverse of the penalty, cost as much as these small machines do,
    and lost 2 to 6 %.
    """
    used = train.sample_weight > 0
    rows, held = train.take(used), stop[used]
    order = dealt_out(rows.y if task.kind == "classes" else np.zeros(len(rows.y)), seed)
    judges = order[held[order]]
    pool = order if task.exchangeable else order[~held[order]]
    left = list(range(len(points)))
    for share, n_kept in ((FIRST_SHARE, N_SECOND), (SECOND_SHARE, 1)):
        n_learnt = min(int(share * len(rows.y)), int(share * EXACT_ROWS), len(pool))
        judging = (pool[n_learnt:] if task.exchangeable else judges)[:MOST_JUDGES]
        if n_learnt < 2 or len(judging) == 0:
            break  # nothing to choose by: the order is all that there is
        losses = [trial_loss(task, points[number], rows, pool[:n_learnt], judging, seed) for number in left]
        left = [left[place] for place in np.argsort(losses, kind="stable")[:n_kept]]
    return left[0]


def dealt_out(code: np.ndarray, seed: int) -> np.ndarray:
    """Return the row numbers in an order at random, each beginning of which has its share of every class."""
    rng = np.random.default_rng(seed)
    place = np.empty(len(code))
    for each in np.unique(code):
        members = rng.permutation(np.flatnonzero(code == each))
        place[members] = (np.arange(len(members)) + rng.random()) / len(members)
    return np.argsort(place, kind="stable")


def trial_loss(task: Task, params: Params, rows: Rows, learnt: np.ndarray, judging: np.ndarray, seed: int) -> float:
    """Fit one machine to some rows and judge it by others: by squared error, or by log loss, calibrated on those who judge.

    Their two numbers a pair of classes are too few to flatter. C is that of the whole: few rows want a simpler machine, and as C
    stands beside a sum over rows, they get one.
    """
    settings = Settings.of(replace(task, n_train=len(learnt)), params, seed)
    few, others = rows.take(learnt), rows.take(judging)
    weight = others.sample_weight
    if task.kind != "classes":
        found = Regressor(settings).fit(few.X, few.y, few.sample_weight).predict(others.X)
        loss = (found - others.y) ** 2
    else:
        classes = np.unique(rows.y)
        code, judged = np.searchsorted(classes, few.y), np.searchsorted(classes, others.y)
        function = learn_pairs(settings, few.X, code, few.sample_weight / few.sample_weight.mean(), len(classes))
        scores = np.nan_to_num(function(others.X))  # a class without a row is told from none
        shares = Pairwise.learn(scores, judged, weight, len(classes)).probabilities(scores)
        loss = -np.log(shares[np.arange(len(judged)), judged])
    average = float(np.average(loss, weights=weight))
    return average if np.isfinite(average) else np.inf


def state(model: Regressor | Classifier) -> dict[str, Any]:
    """Return a fitted machine as JSON values and arrays."""
    kept = {"format": FORMAT, "settings": asdict(model.settings), **model.function_.to_state()}
    if isinstance(model, Classifier):
        return kept | {"classes": model.classes_, **model.calibration_.to_state()}
    return kept | {"centre": model.centre_, "deviation": model.scale_}


def restore(kept: dict[str, Any]) -> Regressor | Classifier:
    """Return the fitted machine that `state` kept."""
    settings = Settings(**kept["settings"])
    if "classes" not in kept:
        regressor = Regressor(settings)
        regressor.function_ = KernelSum.from_state(kept)
        regressor.centre_, regressor.scale_ = kept["centre"], kept["deviation"]
        return regressor
    classifier = Classifier(settings)
    classifier.function_ = KernelSum.from_state(kept)
    classifier.classes_ = np.asarray(kept["classes"])
    classifier.calibration_ = Pairwise.from_state(kept, len(classifier.classes_))
    return classifier


FAMILY = Family(
    name="svm",
    title="Support vector machine",
    tier=5,
    kinds=frozenset({"mean", "classes"}),
    matrix="scaled",
    space=space,
    build=build,
    describe=describe,
    fit=fit,
    tune=tune,
    why_not=why_not,
    state=state,
    restore=restore,
)
