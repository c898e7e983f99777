"""Forests: the mean of many randomised trees."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from piste.core.family import Family, Params, Rows, Space, Task, choice, integer
from piste.numeric.votes import Loss, Votes, expected_loss

TREES = 300  # more never hurts (Probst and Boulesteix, To tune or not to tune the number of trees, 2018), so it is no dimension

MOST_DRAWN = 50_000
"""Rows that a tree is grown on; of more, each tree draws so many. All of a million would take a day and 20 GB. On 80,000 rows of
benchmarks/scaling 50,000 a tree take 0.7 of the time for 1 % more error; 25,000 half of that, for 2 %."""

LARGE_LEAF = 5
"""The default leaf where rows are drawn: on the same rows a tree has a sixth of the nodes of one with leaves of 1, and errs as much."""

FEW = (16, 40)  # trees of every setting, then of the better half, by which one is chosen
PARTS = 8  # into which rows are dealt: each tree leaves one out


def space(task: Task) -> Space:
    """Search the kind of tree, the share of the columns tried at a split and the smallest leaf.

    Source: the forests of TabRepo (Salinas and Erickson, 2024) for max_features and, on a log scale, min_samples_leaf.
    Defaults are scikit-learn's up to MOST_DRAWN rows, but for numbers half of the columns are tried at a split: against all of them
    (bagging) it took 1.4 to 1.8 times less and erred 3 % less on concrete and california_housing.
    """
    classes = task.kind == "classes"
    dimensions = {
        "trees": choice("random", "extra", default="random"),
        "max_features": choice("sqrt", 0.33, 0.5, 0.75, 1.0, default="sqrt" if classes else 0.5),
        "min_samples_leaf": integer(1, 50, default=LARGE_LEAF if task.n_train > MOST_DRAWN else 1, scale="log"),
    }
    return {**dimensions, "class_weight": choice(None, None, None, "balanced", default=None)} if classes else dimensions


def build(task: Task, params: Params, seed: int) -> Any:
    """Return the plain scikit-learn forest, on one thread: cells already run side by side."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor
    from sklearn.preprocessing import StandardScaler

    extra = params["trees"] == "extra"
    columns = params["max_features"]
    shape: dict[str, Any] = {
        "n_estimators": TREES,
        "max_features": columns if isinstance(columns, str) else float(columns or 0),  # a whole 1 would be one column
        "min_samples_leaf": params["min_samples_leaf"],
        "random_state": seed,
        "n_jobs": 1,
    }
    if task.kind == "classes":
        return (ExtraTreesClassifier if extra else RandomForestClassifier)(class_weight=params["class_weight"], **shape)
    criterion = "poisson" if task.kind == "distribution" else "squared_error"
    forest = (ExtraTreesRegressor if extra else RandomForestRegressor)(criterion=criterion, **shape)
    if task.n_outputs == 1:
        return forest
    return TransformedTargetRegressor(forest, transformer=StandardScaler(), check_inverse=False)  # no output counts for its unit


def fit(task: Task, params: Params, train: Rows, stop: np.ndarray, seed: int) -> Any:
    """Fit on all training rows; where they are many, each tree on its share of them.

    Equal weights are given as none: scikit-learn draws its bootstrap samples in another way where it is given any, so
    that the same forest would come out differently for no reason.
    """
    weight = train.sample_weight if np.ptp(train.sample_weight) > 0 else None
    model = build(task, params, seed)
    if len(train.y) > MOST_DRAWN:
        grown = model if task.n_outputs == 1 else model.regressor
        grown.set_params(bootstrap=True, max_samples=MOST_DRAWN)
    return model.fit(train.X, train.y, sample_weight=weight)


def tune(task: Task, points: Sequence[Params], train: Rows, stop: np.ndarray, seed: int) -> int:
    """Choose by a few trees of every setting, told on rows that they have not seen what all of its trees would lose.

    Where rows are exchangeable these are an eighth of the rows, another for each tree, and those out of its bootstrap sample where
    it draws one. The eighth is held back from these trees too, or trees that draw none would be held to be worse than they are.
    Else they are the rows set aside by the split's own rule. All settings see the same draws. Losses: squared error; Poisson
    deviance; of classes the Brier score, for which the number of trees can be allowed for without bias: the log loss of smoothed
    votes, and that of repaired ones, chose settings that were worse by log loss itself (by 6 % instead of 3 %, phoneme and adult).
    """
    loss: Loss = "poisson" if task.kind == "distribution" else "squared"
    X = np.ascontiguousarray(train.X, dtype=np.float32)  # once, not once a tree
    y = _outputs(task, train)
    growing = [_Growing(task, point, X, train, seed) for point in points]
    left = [*range(len(points))]
    losses: dict[int, float] = {}
    for few in FEW:
        for number in left:
            growing[number].grow(few, None if task.exchangeable else stop)
            losses[number] = expected_loss(growing[number].votes, y, train.sample_weight, members=TREES, loss=loss)
        left = sorted(left, key=lambda number: (losses[number], number))
        if few != FEW[-1]:
            left = sorted(left[: max(2, -(-len(left) // 2))])
    return left[0]


def _outputs(task: Task, train: Rows) -> np.ndarray:
    """Return what trees are to say of each row, (n_rows, n_outputs); several numbers each in units of its own spread."""
    if task.kind == "classes":
        return np.equal.outer(train.y, np.unique(train.y)).astype(float)
    y = np.asarray(train.y, dtype=float).reshape(len(train.y), -1)
    if task.n_outputs == 1:
        return y
    spread = y.std(axis=0)
    return (y - y.mean(axis=0)) / np.where(spread > 0, spread, 1.0)


class _Growing:
    """Trees of one setting, and what they say of rows that they have not seen."""

    def __init__(self, task: Task, params: Params, X: np.ndarray, train: Rows, seed: int) -> None:
        self.task, self.X = task, X
        self.holes = bool(np.isnan(X).any())  # which a tree looks for only where it checks its input, a third of the time of a small one
        forest = build(task, params, seed)
        self.forest = forest if task.n_outputs == 1 else forest.regressor
        names = set(self.forest.estimator_params) - {"random_state"}
        self.given = {name: value for name, value in self.forest.get_params().items() if name in names}
        self.y = train.y if task.kind == "classes" else _outputs(task, train)
        weight = train.sample_weight
        if params.get("class_weight"):
            from sklearn.utils.class_weight import compute_sample_weight

            weight = weight * compute_sample_weight("balanced", train.y)
        self.weight = weight
        self.rng = np.random.default_rng([seed, 0])  # the same of every setting
        self.part = self.rng.permutation(len(X)) % min(PARTS, len(X))
        self.votes = Votes.of(len(X), len(np.unique(train.y)) if task.kind == "classes" else self.y.shape[1])
        self.n = 0

    def grow(self, n: int, stop: np.ndarray | None) -> None:
        """Grow trees until there are n.

        Args:
            n: trees.
            stop: mask of the rows that no tree sees; None where each leaves out rows of its own.
        """
        while self.n < n:
            unseen, weight = self._drawn(stop)
            self.n += 1
            if not unseen.any() or not np.any(weight > 0):
                continue
            tree = self._tree(int(self.rng.integers(2**31)))
            tree.fit(self.X, self.y, sample_weight=weight, check_input=self.holes)
            self.votes.add(unseen, self._said(tree, self.X[unseen]))

    def _drawn(self, stop: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Draw what a tree sees: the rows that it does not, and the weights of all."""
        n = len(self.X)
        allowed = self.part != self.n % (self.part.max() + 1) if stop is None else ~stop
        drawn = allowed.astype(int)
        if self.forest.bootstrap or allowed.sum() > MOST_DRAWN:
            n_drawn = min(int(allowed.sum()), MOST_DRAWN)
            drawn = np.bincount(self.rng.choice(np.flatnonzero(allowed), n_drawn), minlength=n)
        return drawn == 0 if stop is None else stop, drawn * self.weight

    def _tree(self, seed: int) -> Any:
        """Return one tree as the forest would grow it."""
        return type(self.forest.estimator)(**self.given, random_state=seed)

    def _said(self, tree: Any, X: np.ndarray) -> np.ndarray:
        said = tree.predict_proba(X, check_input=False) if self.task.kind == "classes" else tree.predict(X, check_input=False)
        return np.asarray(said).reshape(len(X), -1)


def describe(task: Task, params: Params) -> str:
    """Name the kind of tree, their number and what was tuned."""
    leaf = "" if params["min_samples_leaf"] == 1 else f", at least {params['min_samples_leaf']} rows a leaf"
    balanced = ", balanced classes" if params.get("class_weight") else ""
    kind = "extra trees" if params["trees"] == "extra" else "random forest"
    drawn = f" of {MOST_DRAWN:,} rows" if task.n_train > MOST_DRAWN else ""
    return f"{kind}, {TREES} trees{drawn}, max_features {params['max_features']}{leaf}{balanced}"


FAMILY = Family(
    name="forest",
    title="Forest",
    tier=3,
    kinds=frozenset({"mean", "distribution", "classes"}),
    several=True,
    matrix="codes",
    space=space,
    build=build,
    describe=describe,
    fit=fit,
    tune=tune,
)
