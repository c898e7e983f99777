"""The nearest rows of the training part, asked for their answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from piste.core.family import Family, Params, Space, Task, choice, integer

MOST_ROWS = 200_000
"""Training rows up to which neighbours are looked for: time grows with their square, and 80,000 of 160 columns take 10 s a fold."""


@dataclass
class Neighbours:
    """scikit-learn's neighbours, but a row votes with its sample weight, which KNeighborsRegressor does not take."""

    n_neighbors: int
    weights: str  # "uniform", or "distance": a vote counts 1 / distance
    p: int  # of the Minkowski distance
    classify: bool

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Neighbours:
        """Keep the rows; those without weight have no vote and are left out."""
        from sklearn.neighbors import NearestNeighbors

        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        kept = weight > 0
        if not kept.any():
            raise ValueError("sample_weight must be above 0 for some row, but no row has weight")
        self.X_, self.y_, self.weight_ = np.asarray(X), np.asarray(y), weight
        if not kept.all():
            self.X_, self.y_, self.weight_ = self.X_[kept], self.y_[kept], weight[kept]
        if self.classify:
            self.classes_ = np.unique(y)
        self.index_ = NearestNeighbors(n_neighbors=min(self.n_neighbors, len(self.y_)), p=self.p).fit(self.X_)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict the mean of the neighbours, of each output where there are several, or their likeliest class."""
        if self.classify:
            return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])
        rows, votes = self._votes(X)
        return np.einsum("ij,ij...->i...", votes, self.y_[rows])

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Predict the neighbours' shares of each of `classes_`."""
        rows, votes = self._votes(X)
        return np.column_stack([np.sum(votes * (self.y_[rows] == label), axis=1) for label in self.classes_])

    def _votes(self, X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Find each row's neighbours and their votes, which sum to 1; both (n_samples, n_neighbors)."""
        distances, rows = self.index_.kneighbors(X)
        votes = self.weight_[rows]
        if self.weights == "distance":
            same = distances == 0
            # A row that was seen before is answered by its own kind alone: the limit of 1 / distance.
            closeness = np.where(same.any(axis=1, keepdims=True), same, 1 / np.where(same, 1.0, distances))
            votes = votes * closeness
        return rows, votes / votes.sum(axis=1, keepdims=True)


def why_not(task: Task) -> str | None:
    """Step aside where comparing rows with one another would take too long."""
    if task.n_train <= MOST_ROWS:
        return None
    return f"takes up to {MOST_ROWS:,} training rows, as every new row is compared with each, but there are {task.n_train:,}"


def space(task: Task) -> Space:
    """Search the number of neighbours, their weights and the distance.

    Source: TabRepo's KNeighbors (Salinas and Erickson, 2024): 3 to 50 neighbours, both weights, p 1 and 2; widened to
    1 to 100. Where probabilities are judged, five neighbours that agree are no proof: the default asks twenty.
    """
    most = min(100, task.n_train)
    return {
        "n_neighbors": integer(1, most, default=min(20 if task.kind == "classes" else 10, most), scale="log"),
        "weights": choice("uniform", "distance", default="distance"),
        "p": choice(1, 2, default=2),
    }


def build(task: Task, params: Params, seed: int) -> Neighbours:
    """Return the estimator; nothing in it is random."""
    wanted: dict[str, Any] = {key: params[key] for key in ("n_neighbors", "weights", "p")}
    return Neighbours(**wanted, classify=task.kind == "classes")


def describe(task: Task, params: Params) -> str:
    """Name how many, how weighted, how far."""
    distance = "Euclidean" if params["p"] == 2 else "Manhattan"
    return f"{params['n_neighbors']} nearest, {'closer counts more' if params['weights'] == 'distance' else 'equal votes'}, {distance}"


def state(model: Neighbours) -> dict[str, Any]:
    """Take a fitted model apart into its settings and the rows it keeps."""
    settings = {"n_neighbors": model.n_neighbors, "weights": model.weights, "p": model.p, "classify": model.classify}
    return {**settings, "X": model.X_, "y": model.y_, "weight": model.weight_}


def restore(parts: dict[str, Any]) -> Neighbours:
    """Put a fitted model together again."""
    settings = {key: parts[key] for key in ("n_neighbors", "weights", "p", "classify")}
    return Neighbours(**settings).fit(np.asarray(parts["X"]), np.asarray(parts["y"]), np.asarray(parts["weight"]))


FAMILY = Family(
    name="neighbours",
    title="Nearest neighbours",
    tier=2,
    kinds=frozenset({"mean", "classes"}),
    several=True,
    matrix="scaled",
    space=space,
    build=build,
    describe=describe,
    why_not=why_not,
    state=state,
    restore=restore,
)
