"""Multi-layer perceptrons: a few of one shape, averaged, on piecewise-linearly encoded columns."""

from __future__ import annotations

import math
from typing import Any, cast

import numpy as np

from piste.core.family import Family, Kind, Params, Rows, Space, Task, choice, integer, log, number, uniform
from piste.numeric import piecewise
from piste.numeric.activations import ACTIVATIONS
from piste.numeric.network import Network
from piste.numeric.piecewise import Piecewise
from piste.numeric.training import Loss, Recipe, Sample, train

MIN_EPOCHS = 20
"""Of large tables, where `steps` would end sooner."""

LOSSES: dict[Kind, Loss] = {"mean": "squared", "classes": "cross_entropy", "distribution": "poisson", "quantiles": "pinball"}

FORMAT = 2  # of the stored state


def space(task: Task) -> Space:
    """Search shape, activation, regularisation and the learning rate.

    Ranges: Gorishniy et al., Revisiting Deep Learning Models for Tabular Data, 2021 (depth, dropout, weight decay), widths of
    tables up to some 10,000 rows; learning rates are of scaled weights (Holzmueller et al., 2024: 0.02 to 0.3 with it), other
    than those of torch's own layers. The defaults were chosen on concrete, phoneme, california_housing, bike_hour, abalone,
    german_credit, diabetes, breast_cancer and digits; all activations but "linear" end within some 10 % of each other.
    """
    del task
    return {
        "depth": integer(1, 4, default=2),
        "width": integer(16, 128, default=64, scale="log"),
        "activation": choice(*ACTIVATIONS, default="silu"),
        "dropout": uniform(0.0, 0.4, default=0.1),
        "weight_decay": log(1e-4, 1e-1, default=1e-2),
        "learning_rate": log(3e-3, 1e-1, default=2e-2),
        "steps": integer(500, 2000, default=1000, scale="log"),
        "encoding": choice("piecewise", "plain", default="piecewise"),
        "members": integer(1, 4, default=4, scale="log"),
    }


def describe(task: Task, params: Params) -> str:
    """Say shape, activation, dropout and learning rate, and how many are averaged."""
    del task
    dropout = f", dropout {number(params['dropout'])}" if params["dropout"] else ""
    plain = ", plain columns" if params["encoding"] == "plain" else ""
    several = f", {params['members']} averaged" if cast(int, params["members"]) > 1 else ""
    return f"{params['depth']} x {params['width']} {params['activation']}{dropout}, lr {number(params['learning_rate'])}{plain}{several}"


def batch_size(n_samples: int) -> int:
    """Return a twentieth of the rows as a power of two, 32 to 256: more steps where rows are few."""
    return int(2 ** np.round(np.log2(np.clip(n_samples / 20, 32, 256))))


class Perceptrons:
    """Networks of one shape as an estimator; it predicts without torch.

    `fit` with rows to stop by trains twice: without them, to find the epoch after which their loss is lowest, then on all
    rows for so many epochs of the same schedule. Over nine tables, against keeping the weights of the first pass: 0 to 10 % less
    error on seven of them, 1 % more on two, for at most twice the time. Without such rows the schedule is run to its end.

    `history_` holds losses by epoch, (n_epochs,): `train_loss` and, with rows to stop by, `stop_loss`, of the first pass.
    """

    network_: Network
    encoding_: Piecewise | None
    history_: dict[str, np.ndarray]
    best_epoch_: int

    centre_: np.ndarray | float = 0.0  # (n_outputs,) where there are several
    scale_: np.ndarray | float = 1.0

    def __init__(self, kind: Kind, params: Params, seed: int, levels: tuple[float, ...] = ()) -> None:
        self.kind = kind
        self.params = dict(params)
        self.seed = seed
        self.levels = levels

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None, stop: np.ndarray | None = None) -> Perceptrons:
        """Learn from rows.

        Args:
            X: (n_samples, n_features), standardised
            y: (n_samples,) numbers, counts or codes, or (n_samples, n_outputs) numbers
            sample_weight: (n_samples,)
            stop: (n_samples,) of bool: rows set aside by the split's own rule.

        Raises:
            FloatingPointError: training diverged.
        """
        held = np.zeros(len(y), dtype=bool) if stop is None else stop
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        used = weight > 0
        X, y, held, weight = X[used], y[used], held[used], weight[used] / weight[used].mean()
        y = self._target(y, weight)
        recipe = self._recipe(y)
        best, history = recipe.n_epochs, {}
        if held.any() and not held.all():
            encoding = self._encoding(X[~held])
            kept, watched = (Sample(encoded(encoding, X[part]), y[part], weight[part]) for part in (~held, held))
            first = train(kept, watched, recipe, self.seed)
            best = int(np.argmin(first.watch_loss)) + 1
            history = {"train_loss": first.train_loss, "stop_loss": first.watch_loss}
        self.encoding_ = self._encoding(X)
        trained = train(Sample(encoded(self.encoding_, X), y, weight), None, recipe, self.seed, until=best)
        self.network_, self.best_epoch_ = trained.network, best
        self.history_ = history or {"train_loss": trained.train_loss}
        return self

    def _target(self, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Learn the target's unit, and return the target without it."""
        if self.kind == "classes":
            self.classes_, code = np.unique(y, return_inverse=True)
            return code
        y = y.astype(float)
        mean = np.average(y, axis=0, weights=weight)
        if self.kind == "distribution":
            self.scale_ = mean if mean > 0 else 1.0
            return y / self.scale_
        deviation = np.sqrt(np.average((y - mean) ** 2, axis=0, weights=weight))
        self.centre_, self.scale_ = mean, np.where(deviation > 0, deviation, 1.0)
        return (y - self.centre_) / self.scale_

    def _recipe(self, y: np.ndarray) -> Recipe:
        params = cast("dict[str, Any]", self.params)
        batch = batch_size(len(y))
        return Recipe(
            hidden=(params["width"],) * params["depth"],
            activation=params["activation"],
            loss=LOSSES[self.kind],
            n_outputs=self._width(y),
            dropout=params["dropout"],
            weight_decay=params["weight_decay"],
            learning_rate=params["learning_rate"],
            n_epochs=max(MIN_EPOCHS, round(params["steps"] / math.ceil(len(y) / batch))),
            batch_size=batch,
            n_members=params["members"],
            levels=self.levels,
        )

    def _width(self, y: np.ndarray) -> int:
        """Return how many numbers the last layer gives."""
        if self.kind == "classes":
            return len(self.classes_) if len(self.classes_) > 2 else 1
        if self.kind == "quantiles":
            return len(self.levels)
        return 1 if y.ndim == 1 else y.shape[1]

    def _encoding(self, X: np.ndarray) -> Piecewise | None:
        return piecewise.learn(X) if self.params["encoding"] == "piecewise" else None

    def _answer(self, X: np.ndarray) -> np.ndarray:
        return self.network_.answer(encoded(self.encoding_, X))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict the mean of each row (of several outputs: each mean), its ascending quantiles, or its likeliest class."""
        answer = self._answer(X)
        if self.kind == "classes":
            return self.classes_[answer.argmax(axis=1)]
        found = answer * self.scale_ + self.centre_
        return found[:, 0] if found.shape[1] == 1 else found

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Predict a probability for each of `classes_`."""
        assert self.kind == "classes", "a number has no classes"
        return self._answer(X)


def encoded(encoding: Piecewise | None, X: np.ndarray) -> np.ndarray:
    """Return rows as a network sees them."""
    return X if encoding is None else encoding.apply(X)


def build(task: Task, params: Params, seed: int) -> Perceptrons:
    """Return untrained networks."""
    return Perceptrons(task.kind, params, seed, task.levels)


def fit(task: Task, params: Params, train: Rows, stop: np.ndarray, seed: int) -> Perceptrons:
    """Fit with rows to stop by."""
    return build(task, params, seed).fit(train.X, train.y, train.sample_weight, stop)


def state(model: Perceptrons) -> dict[str, Any]:
    """Return fitted networks as JSON values and arrays."""
    kept: dict[str, Any] = {"format": FORMAT, "kind": model.kind, "params": model.params, "seed": model.seed}
    kept |= {"levels": list(model.levels), "centre": np.asarray(model.centre_), "scale": np.asarray(model.scale_)}
    kept |= {"best_epoch": model.best_epoch_}
    kept |= {f"history.{name}": losses for name, losses in model.history_.items()}
    kept |= {f"network.{name}": value for name, value in model.network_.to_state().items()}
    if model.encoding_ is not None:
        kept |= {f"encoding.{name}": value for name, value in model.encoding_.to_state().items()}
    if model.kind == "classes":
        kept["classes"] = model.classes_
    return kept


def restore(kept: dict[str, Any]) -> Perceptrons:
    """Return the fitted networks that `state` kept."""

    def part(name: str) -> dict[str, Any]:
        return {key.removeprefix(name): value for key, value in kept.items() if key.startswith(name)}

    model = Perceptrons(kept["kind"], kept["params"], kept["seed"], tuple(kept["levels"]))
    model.centre_, model.scale_, model.best_epoch_ = kept["centre"], kept["scale"], kept["best_epoch"]
    model.history_ = {name: np.asarray(losses) for name, losses in part("history.").items()}
    model.network_ = Network.from_state(part("network."))
    model.encoding_ = Piecewise.from_state(found) if (found := part("encoding.")) else None
    if "classes" in kept:
        model.classes_ = np.asarray(kept["classes"])
    return model


FAMILY = Family(
    name="neural",
    title="Neural network",
    tier=6,
    kinds=frozenset({"mean", "distribution", "quantiles", "classes"}),
    several=True,
    matrix="scaled",
    space=space,
    build=build,
    describe=describe,
    fit=fit,
    requires=("torch",),
    state=state,
    restore=restore,
)
