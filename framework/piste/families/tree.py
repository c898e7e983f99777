"""One decision tree, grown greedily and pruned by cost and complexity."""

from __future__ import annotations

from typing import Any

import numpy as np

from piste.core.family import Family, Params, Rows, Space, Task, choice, integer, log, number


def space(task: Task) -> Space:
    """Search the depth, the smallest leaf and the pruning.

    `cp` is Breiman's complexity relative to the impurity of the whole (rpart's cp), so it means the same in any unit of
    the target. Ranges of cp and of the smallest leaf: Bischl et al., Hyperparameter Optimization, 2023 (rpart: cp 1e-4 to
    0.1, minbucket 1 to 64, both on a log scale). Defaults: a small leaf promises 0 or 1 too easily, so where
    probabilities are judged leaves are larger and pruning is rpart's default 0.01.
    """
    classes = task.kind == "classes"
    dimensions = {
        "max_depth": integer(2, 20, default=12, scale="log"),
        "min_samples_leaf": integer(1, 64, default=20 if classes else 10, scale="log"),
        "cp": log(1e-4, 1e-1, default=1e-2 if classes else 1e-4),
    }
    return {**dimensions, "class_weight": choice(None, None, None, "balanced", default=None)} if classes else dimensions


def build(task: Task, params: Params, seed: int) -> Any:
    """Return the tree unpruned: what `cp` means to scikit-learn depends on the training rows (see `fit`)."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.preprocessing import StandardScaler
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    shape: dict[str, Any] = {"max_depth": params["max_depth"], "min_samples_leaf": params["min_samples_leaf"], "random_state": seed}
    if task.kind == "classes":
        return DecisionTreeClassifier(class_weight=params["class_weight"], **shape)
    tree = DecisionTreeRegressor(criterion="poisson" if task.kind == "distribution" else "squared_error", **shape)
    if task.n_outputs == 1:
        return tree
    return TransformedTargetRegressor(tree, transformer=StandardScaler(), check_inverse=False)  # no output counts for its unit


def fit(task: Task, params: Params, train: Rows, stop: np.ndarray, seed: int) -> Any:
    """Fit on all training rows, pruned at `cp` times the impurity of its root."""
    model = build(task, params, seed)
    rows = {"X": train.X, "y": train.y, "sample_weight": train.sample_weight}
    inside = "" if task.n_outputs == 1 else "regressor__"
    stump = model.set_params(**{f"{inside}max_depth": 1}).fit(**rows)  # it knows the impurity, class weights included
    root = (stump if task.n_outputs == 1 else stump.regressor_).tree_.impurity[0]
    return model.set_params(**{f"{inside}max_depth": params["max_depth"], f"{inside}ccp_alpha": params["cp"] * root}).fit(**rows)


def describe(task: Task, params: Params) -> str:
    """Name the depth, the smallest leaf and the pruning."""
    rows = "row" if params["min_samples_leaf"] == 1 else "rows"
    balanced = ", balanced classes" if params.get("class_weight") else ""
    return f"depth {params['max_depth']}, at least {params['min_samples_leaf']} {rows} a leaf, cp {number(params['cp'])}{balanced}"


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
)
