"""Prices of pruning: one full tree and its path, beside a grid search that grows and prunes a tree for each price."""

from __future__ import annotations

import numpy as np

from benchmarks.shortcuts import SIZES, Pair, Shortcut, Size, folds
from piste.core.family import Kind, Params, Rows, Task
from piste.families.tree import FAMILY, MOST_DEPTH

CPS = np.geomspace(3e-6, 1e-1, 20)
LEAVES = (1, 5)
MANY = 10_000  # rows from which the plain loop, which takes minutes, is asked at four prices only whether the numbers are equal


def table(size: Size, kind: Kind) -> tuple[np.ndarray, np.ndarray]:
    """Draw columns, and a noisy target that depends on a line, a wave and a step."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=size)
    signal = X[:, 0] + np.sin(3 * X[:, 1]) + (X[:, 2] > 0) * X[:, 3]
    if kind == "classes":
        return X, (signal + rng.logistic(size=len(X)) > 0).astype(int)
    return X, signal + rng.normal(size=len(X))


def pair(size: Size, kind: Kind, leaf: int) -> Pair:
    """Return GridSearchCV over the prices, and the shortcut on the same folds."""
    from sklearn.model_selection import GridSearchCV
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    X, y = table(size, kind)
    parts = folds(y, classes=kind == "classes")
    points: list[Params] = [{"cp": cp, "min_samples_leaf": leaf, "max_depth": MOST_DEPTH, "class_weight": None} for cp in CPS]
    task = Task(kind, max(len(train) for train, _ in parts), 2 if kind == "classes" else 0)
    make = DecisionTreeClassifier if kind == "classes" else DecisionTreeRegressor
    shape = {"min_samples_leaf": leaf, "max_depth": MOST_DEPTH, "random_state": 0}

    def impurity(target: np.ndarray) -> float:
        return float(1 - np.sum(np.square(np.bincount(target) / len(target)))) if kind == "classes" else float(target.var())

    def loop() -> object:
        scoring = "neg_log_loss" if kind == "classes" else "neg_mean_squared_error"
        return GridSearchCV(make(**shape), {"ccp_alpha": CPS * impurity(y)}, cv=parts, scoring=scoring, refit=False).fit(X, y)

    def shortcut() -> np.ndarray:
        assert FAMILY.fit_fold
        found = []
        for train, test in parts:
            rows = Rows(X[train], y[train], np.ones(len(train)))
            shared = FAMILY.fit_fold(task, points, rows, np.zeros(len(train), dtype=bool), (X[test],), [0] * len(points))
            found.append(np.stack([each.predictions[0] for each in shared]))
        return np.concatenate(found, axis=1)

    def exact() -> np.ndarray:
        expected = shortcut()
        for number in range(len(CPS)) if len(X) < MANY else (0, 6, 12, 19):
            start = 0
            for train, test in parts:
                model = make(ccp_alpha=CPS[number] * impurity(y[train]), **shape).fit(X[train], y[train])
                answer = model.predict_proba(X[test]) if kind == "classes" else model.predict(X[test])
                expected[number, start : start + len(test)] = answer
                start += len(test)
        return expected

    return Pair(loop, shortcut, exact)


SHORTCUTS = [
    Shortcut(
        f"pruning path, 20 cp, {words}, leaf {leaf}",
        f"GridSearchCV({name}(min_samples_leaf={leaf})) over 20 ccp_alpha",
        lambda size, kind=kind, leaf=leaf: pair(size, kind, leaf),  # type: ignore[misc]
        dict.fromkeys(SIZES if (kind, leaf) == ("mean", 5) else SIZES[:2], 6.0),  # others take up to a quarter of an hour a run
        1e-12,
    )
    for kind, words, name in (("mean", "numbers", "DecisionTreeRegressor"), ("classes", "classes", "DecisionTreeClassifier"))
    for leaf in LEAVES
]
