"""Rosenblatt's perceptron, which answers with a label and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from piste.core.family import Family, Params, Rows, Space, Task, choice


@dataclass
class Step:
    """A perceptron, and how often each of its labels was right on rows that it had not seen.

    A step has no probabilities. What can be said of a row is what became of other rows with the same label: the smoothed
    class shares among out-of-sample rows. Without any, all labels share the class shares of the training rows.
    """

    class_weight: str | None
    seed: int

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Step:
        """Learn the labels; `judge` then learns what they are worth."""
        from sklearn.linear_model import Perceptron

        rule = Perceptron(class_weight=self.class_weight, random_state=self.seed).fit(X, y, sample_weight=sample_weight)
        self.labels_, self.coef_, self.intercept_ = rule.classes_, rule.coef_, rule.intercept_
        return self.judge(X[:0], y[:0], np.ones(0), *class_shares(y, sample_weight))

    def judge(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray, classes: np.ndarray, shares: np.ndarray) -> Step:
        """Learn from unseen rows how labels and classes go together.

        Args:
            X: (n_rows, n_features) rows that `fit` has not seen.
            y: (n_rows,) their classes.
            weight: (n_rows,) their weights.
            classes: (n_classes,) the classes of all training rows.
            shares: (n_classes,) their shares. They count for one row a class beside the rows of a label (add-one
                smoothing towards the shares, so that a label never seen says no more than they do).
        """
        self.classes_ = classes
        answered = self.predict(X)
        counts = np.array([[weight[(answered == label) & (y == one)].sum() for one in classes] for label in self.labels_])
        counts = counts + len(classes) * shares
        self.shares_ = counts / counts.sum(axis=1, keepdims=True)  # (n_labels, n_classes)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Answer with a label, on which side of the boundary a row lies."""
        return np.asarray(self.labels_[self._side(X)])

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Answer with the class shares of unseen rows that got the same label."""
        return np.asarray(self.shares_[self._side(X)])

    def _side(self, X: np.ndarray) -> np.ndarray:
        height = np.asarray(X @ self.coef_.T + self.intercept_)
        return (height[:, 0] > 0).astype(int) if height.shape[1] == 1 else np.argmax(height, axis=1)


def class_shares(y: np.ndarray, weight: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the classes of y and their shares of the weight."""
    classes, codes = np.unique(y, return_inverse=True)
    counts = np.bincount(codes, weights=weight)
    return classes, counts / counts.sum()


def space(task: Task) -> Space:
    """Search the class weight alone: there is no penalty, and from zero weights on the step size changes no answer."""
    return {"class_weight": choice(None, "balanced", default=None)}


def build(task: Task, params: Params, seed: int) -> Step:
    """Return the estimator; the seed shuffles the rows it learns from."""
    weighted: Any = params["class_weight"]
    return Step(weighted, seed)


def fit(task: Task, params: Params, train: Rows, stop: np.ndarray, seed: int) -> Step:
    """Learn from the rows not set aside, and judge this very model on those that are.

    It is not refitted on all rows: a perceptron's boundary jumps from fit to fit, and the shares belong to this one.
    """
    model = build(task, params, seed)
    seen = train.take(~stop)
    if len(np.unique(seen.y)) < 2:  # nothing to separate without the rows set aside
        return model.fit(train.X, train.y, train.sample_weight)
    unseen = train.take(stop)
    model.fit(seen.X, seen.y, seen.sample_weight)
    return model.judge(unseen.X, unseen.y, unseen.sample_weight, *class_shares(train.y, train.sample_weight))


def describe(task: Task, params: Params) -> str:
    """Name the rule."""
    return "Rosenblatt's rule" + (", balanced classes" if params["class_weight"] else "")


def state(model: Step) -> dict[str, Any]:
    """Take a fitted model apart into arrays."""
    return {"labels": model.labels_, "classes": model.classes_, "coef": model.coef_, "intercept": model.intercept_, "shares": model.shares_}


def restore(parts: dict[str, Any]) -> Step:
    """Put a fitted model together again; it predicts, but is not trained further."""
    model = Step(class_weight=None, seed=0)
    model.labels_, model.classes_ = np.asarray(parts["labels"]), np.asarray(parts["classes"])
    model.coef_, model.intercept_, model.shares_ = (np.asarray(parts[key]) for key in ("coef", "intercept", "shares"))
    return model


FAMILY = Family(
    name="perceptron",
    title="Perceptron",
    tier=1,
    kinds=frozenset({"classes"}),
    matrix="scaled",
    space=space,
    build=build,
    describe=describe,
    fit=fit,
    state=state,
    restore=restore,
)
