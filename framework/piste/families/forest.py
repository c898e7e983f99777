"""Forests: the mean of many randomised trees."""

from __future__ import annotations

from typing import Any

import numpy as np

from piste.core.family import Family, Params, Rows, Space, Task, choice, integer

TREES = 300  # more never hurts (Probst and Boulesteix, To tune or not to tune the number of trees, 2018), so it is no dimension


def space(task: Task) -> Space:
    """Search the kind of tree, the share of the columns tried at a split and the smallest leaf.

    Source: the forests of TabRepo (Salinas and Erickson, 2024) for max_features and, on a log scale, min_samples_leaf.
    Defaults are scikit-learn's, but for numbers half of the columns are tried at a split: against all of them (bagging) it
    took 1.4 to 1.8 times less and erred 3 % less on concrete and california_housing.
    """
    classes = task.kind == "classes"
    dimensions = {
        "trees": choice("random", "extra", default="random"),
        "max_features": choice("sqrt", 0.33, 0.5, 0.75, 1.0, default="sqrt" if classes else 0.5),
        "min_samples_leaf": integer(1, 50, default=1, scale="log"),
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
    """Fit on all training rows.

    Equal weights are given as none: scikit-learn draws its bootstrap samples in another way where it is given any, so
    that the same forest would come out differently for no reason.
    """
    weight = train.sample_weight if np.ptp(train.sample_weight) > 0 else None
    return build(task, params, seed).fit(train.X, train.y, sample_weight=weight)


def describe(task: Task, params: Params) -> str:
    """Name the kind of tree, their number and what was tuned."""
    leaf = "" if params["min_samples_leaf"] == 1 else f", at least {params['min_samples_leaf']} rows a leaf"
    balanced = ", balanced classes" if params.get("class_weight") else ""
    kind = "extra trees" if params["trees"] == "extra" else "random forest"
    return f"{kind}, {TREES} trees, max_features {params['max_features']}{leaf}{balanced}"


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
)
