"""One decision tree, grown greedily and pruned by cost and complexity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from piste.core.family import Dimension, Family, Params, Rows, Shared, Space, Task, choice, integer, log, number
from piste.numeric.pruning import Pruning

MOST_DEPTH = 30
"""rpart's bound: a tree of good leaves seldom gets there, and pruning chooses better where to stop than a bound does."""

LEAVES = (1, 5)
"""Smallest leaves that are drawn beside the default. Trees that differ in `cp` alone are one: few leaves make many draws cheap."""


def space(task: Task) -> Space:
    """Search the pruning and the smallest leaf.

    `cp` is Breiman's complexity relative to the impurity of the whole (rpart's cp), so it means the same in any unit of
    the target. Its range is that of Bischl et al., Hyperparameter Optimization, 2023 (rpart: 1e-4 to 0.1, on a log scale), but
    from 3e-6: on tens of thousands of rows much smaller branches pay. The depth has a far end and is not searched: a tree that is
    grown fully and pruned errs no more than the best of several bounds. The default and nine draws against a grid of five depths
    and two leaves, held-out error over five splits: concrete 0.4 % more, california_housing 3.7 % less, bike_hour 0.6 % more,
    phoneme 3.1 % less, adult 1.1 % less.

    Defaults: a small leaf promises 0 or 1 too easily, so where probabilities are judged leaves are larger and pruning is harder.
    """
    classes = task.kind == "classes"
    leaf = 20 if classes else 10
    dimensions = {
        "cp": log(3e-6, 1e-1, default=2e-3 if classes else 1e-4),
        "min_samples_leaf": Dimension(leaf, 1, 64, choices=(*LEAVES, leaf), integer=True),
        "max_depth": integer(MOST_DEPTH, MOST_DEPTH, default=MOST_DEPTH),
    }
    return {**dimensions, "class_weight": choice(None, None, None, "balanced", default=None)} if classes else dimensions


def build(task: Task, params: Params, seed: int) -> Any:
    """Return the tree unpruned: what `cp` means to scikit-learn depends on the training rows (see `fit`)."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    del seed  # it would only choose between equally good splits; one choice for all, so that trees that differ in `cp` are one tree
    shape: dict[str, Any] = {"max_depth": params["max_depth"], "min_samples_leaf": params["min_samples_leaf"], "random_state": 0}
    if task.kind == "classes":
        return DecisionTreeClassifier(class_weight=params["class_weight"], **shape)
    tree = DecisionTreeRegressor(criterion="poisson" if task.kind == "distribution" else "squared_error", **shape)
    if task.n_outputs == 1:
        return tree
    return TransformedTargetRegressor(tree, transformer=StandardScaler(), check_inverse=False)  # no output counts for its unit


def grow(task: Task, params: Params, train: Rows) -> Any:
    """Fit on all training rows, unpruned."""
    model = build(task, params, 0)
    counted = train if train.sample_weight.all() else train.take(train.sample_weight > 0)  # "balanced" counts rows of any weight
    if task.kind == "distribution" and not counted.y.any():
        model.set_params(criterion="squared_error")  # nothing but zeros has no Poisson deviance to split by, and is a leaf either way
    return model.fit(counted.X, counted.y, sample_weight=counted.sample_weight)


def inner(model: Any) -> Any:
    """Return the scikit-learn tree of an estimator, which one of several outputs wraps."""
    return getattr(model, "regressor_", model)


def fit(task: Task, params: Params, train: Rows, stop: np.ndarray, seed: int) -> Any:
    """Fit on all training rows, pruned at `cp` times the impurity of the root.

    The tree is node for node the one that scikit-learn grows and prunes at such a `ccp_alpha`; but that looks for the weakest link
    among all nodes each time anew, which on 50,000 rows takes six times as long as growing them.
    """
    from sklearn.tree._tree import Tree, _build_pruned_tree_py

    model = grow(task, params, train)
    tree = inner(model)
    full, alpha = tree.tree_, price(params, tree)
    pruned = Tree(full.n_features, np.atleast_1d(full.n_classes), full.n_outputs)
    _build_pruned_tree_py(pruned, full, Pruning.of(full).leaves(alpha).astype(np.uint8))
    tree.set_params(ccp_alpha=alpha).tree_ = pruned
    return model


def price(params: Params, tree: Any) -> float:
    """Return scikit-learn's `ccp_alpha`: `cp` times the impurity of the root, class weights included."""
    cp: Any = params["cp"]
    return float(cp * tree.tree_.impurity[0])


def fit_fold(
    task: Task, points: Sequence[Params], train: Rows, stop: np.ndarray, tests: Sequence[np.ndarray], seeds: Sequence[int]
) -> list[Shared]:
    """Fit all candidates of a fold: those that differ in `cp` alone are one full tree, seen at several prices."""
    shapes = [tuple(value for name, value in sorted(params.items()) if name != "cp") for params in points]
    found: dict[int, Shared] = {}
    for shape in dict.fromkeys(shapes):
        alike = [place for place, each in enumerate(shapes) if each == shape]
        model = grow(task, points[alike[0]], train)
        tree = inner(model)
        path = Pruning.of(tree.tree_)
        alphas = np.array([price(points[place], tree) for place in alike])
        values = answers(task, model)
        standing = [path.standing(tree.apply(X), alphas) for X in tests]
        for place, nodes in zip(alike, zip(*standing, strict=True), strict=True):
            found[place] = Shared(tuple(values[each] for each in nodes))
    return [found[place] for place in range(len(points))]


def answers(task: Task, model: Any) -> np.ndarray:
    """Return what each node predicts: (n_nodes,) numbers, or (n_nodes, ...) in columns as the task has them."""
    tree = inner(model)
    value = tree.tree_.value  # (n_nodes, n_outputs, n_classes)
    if task.kind == "classes":
        found = np.zeros((len(value), task.n_classes))
        found[:, tree.classes_.astype(int)] = value[:, 0]
        return found
    if task.n_outputs > 1:
        return np.asarray(model.transformer_.inverse_transform(value[:, :, 0]))
    return value[:, 0, 0]


def describe(task: Task, params: Params) -> str:
    """Name the smallest leaf and the pruning, and a depth of the author's own."""
    depth = "" if params["max_depth"] == MOST_DEPTH else f"depth {params['max_depth']}, "
    rows = "row" if params["min_samples_leaf"] == 1 else "rows"
    balanced = ", balanced classes" if params.get("class_weight") else ""
    return f"{depth}at least {params['min_samples_leaf']} {rows} a leaf, cp {number(params['cp'])}{balanced}"


FAMILY = Family(
    name="tree",
    title="Decision tree",
    tier=2,
    kinds=frozenset({"mean", "distribution", "classes"}),
    several=True,
    matrix="codes",
    space=space,
    build=build,
    describe=describe,
    fit=fit,
    fit_fold=fit_fold,
)
