"""Multi-layer perceptrons: a few of one shape, averaged, on piecewise-linearly encoded columns."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from piste.core.family import Family, Kind, Params, Rows, Shared, Space, Task, choice, integer, log, number, uniform
from piste.core.model import predict
from piste.numeric import piecewise
from piste.numeric.activations import ACTIVATIONS
from piste.numeric.network import Network
from piste.numeric.piecewise import Piecewise
from piste.numeric.stack.recipe import Loss, Recipe, Sample, Shape, Trained
from piste.numeric.stack.training import train

MIN_EPOCHS = 20
"""Of large tables, where `steps` would end sooner."""

ONE_PASS = 30_000
"""Rows that come in no order, from which on they are not learnt from once more. On adult, metro_traffic and diamonds (38,000 to 43,000
rows, four splits each) that changed the error by -0.8, 0.0 and +0.5 %, for half of the time; on 13,000 to 17,000 rows by +1 to +2 %."""

WATCHERS = 2
"""Networks, of those averaged, that look for the best epoch where all are trained once more: two find it nearly as well as four. Over
concrete, phoneme, bike_hour, adult and california_housing (4,000 rows, three splits, four settings) the error changed by +0.3 %, that of
the default by -0.2 %, for 0.7 of the time; a single one lost 2 % on concrete."""

FALLING = 0.08
"""Share of the watched loss whose fall in the second half of a schedule says that it was too short. Of 300 networks, ten settings and
the same with a quarter of their steps on seven or eight tables, that was said of 60. Twice as many steps made 81 % of these better by over
3 %, and the others by 1 to 2 % in the mean; of the 30 that they made better by over 10 %, 27 were among them."""

SLIGHT = 0.01  # share of the first epoch's loss under which a fall does not matter: the target is nearly known

RISEN = 0.1  # share of the first epoch's loss by which the last may be above it, on the rows that are learnt from

LOSSES: dict[Kind, Loss] = {"mean": "squared", "classes": "cross_entropy", "distribution": "poisson", "quantiles": "pinball"}

FORMAT = 2  # of the stored state


def space(task: Task) -> Space:
    """Search activation, regularisation, the learning rate and its schedule, and the encoding.

    One shape, averaged over four, so that all candidates of a fold are few stacks: over seven tables, widths of 32 to 256 and one to
    three layers changed the error by -4 to +7 %, and the best of them, 3 x 128, gained 0.5 % in the mean for three times the time.

    Ranges: Gorishniy et al., Revisiting Deep Learning Models for Tabular Data, 2021 (dropout, weight decay); learning rates are of
    scaled weights (Holzmueller et al., 2024: 0.02 to 0.3 with it), other than those of torch's own layers. The defaults were chosen
    on concrete, phoneme, california_housing, bike_hour, abalone, german_credit, diabetes, breast_cancer and digits; all activations
    but "linear" end within some 10 % of each other. Plain columns were among the best three of sixteen settings on three tables of eight.
    """
    del task
    return {
        "depth": integer(2, 2, default=2),
        "width": integer(64, 64, default=64),
        "activation": choice(*ACTIVATIONS, default="silu"),
        "dropout": uniform(0.0, 0.4, default=0.1),
        "weight_decay": log(1e-4, 1e-1, default=1e-2),
        "learning_rate": log(3e-3, 1e-1, default=2e-2),
        "steps": integer(500, 2000, default=1000, scale="log"),
        "encoding": choice("piecewise", "piecewise", "plain", default="piecewise"),
        "members": integer(4, 4, default=4),
    }


def describe(task: Task, params: Params) -> str:
    """Say shape, activation, dropout and learning rate, and how many are averaged."""
    del task
    dropout = f", dropout {number(params['dropout'])}" if params["dropout"] else ""
    plain = ", plain columns" if params["encoding"] == "plain" else ""
    several = f", {params['members']} averaged" if cast(int, params["members"]) > 1 else ""
    return f"{params['depth']} x {params['width']} {params['activation']}{dropout}, lr {number(params['learning_rate'])}{plain}{several}"


def batch_size(n_samples: int) -> int:
    """Return a twentieth of the rows as a power of two, 32 to 256: more steps where rows are few.

    Half of it is half of the time, since a schedule is of steps, but cost 4 % of the error on phoneme and bike_hour.
    """
    return int(2 ** np.round(np.log2(np.clip(n_samples / 20, 32, 256))))


class Perceptrons:
    """Networks of one shape as an estimator; it predicts without torch.

    `fit` with rows to stop by trains twice: without them (WATCHERS), to find the epoch after which their loss is lowest, then on
    all rows for so many epochs of the same schedule. Over nine tables, against keeping the weights of the first pass: 0 to 10 % less
    error on seven of them, 1 % more on two, for at most twice the time. Many rows in no order are learnt from once (ONE_PASS).
    Without rows to stop by the schedule is run to its end.

    `history_` holds losses by epoch, (n_epochs,): `train_loss` and, with rows to stop by, `stop_loss`, of the first pass.
    `unfinished_` says why it has not converged, and is empty where nothing speaks against that.
    """

    network_: Network
    encoding_: Piecewise | None
    history_: dict[str, np.ndarray]
    best_epoch_: int
    unfinished_: str

    centre_: np.ndarray | float = 0.0  # (n_outputs,) where there are several
    scale_: np.ndarray | float = 1.0

    def __init__(self, kind: Kind, params: Params, seed: int, levels: tuple[float, ...] = ()) -> None:
        self.kind = kind
        self.params = dict(params)
        self.seed = seed
        self.levels = levels

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None, stop: np.ndarray | None = None) -> Perceptrons:
        """Learn from rows: `fit_together` of one.

        Args:
            X: (n_samples, n_features), standardised
            y: (n_samples,) numbers, counts or codes, or (n_samples, n_outputs) numbers
            sample_weight: (n_samples,)
            stop: (n_samples,) of bool: rows set aside by the split's own rule.

        Raises:
            FloatingPointError: training diverged.
        """
        weight = np.ones(len(y)) if sample_weight is None else sample_weight
        fit_together([self], Rows(X, y, weight), np.zeros(len(y), dtype=bool) if stop is None else stop)
        return self

    def learn_unit(self, y: np.ndarray, weight: np.ndarray) -> np.ndarray:
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

    def shape(self, y: np.ndarray) -> Shape:
        """Return what networks must have in common to be trained together, for the target without its unit."""
        params = cast("dict[str, Any]", self.params)
        if self.kind == "classes":
            n_outputs = len(self.classes_) if len(self.classes_) > 2 else 1
        else:
            n_outputs = len(self.levels) if self.kind == "quantiles" else 1 if y.ndim == 1 else y.shape[1]
        return Shape((params["width"],) * params["depth"], LOSSES[self.kind], n_outputs, batch_size(len(y)), self.levels)

    def recipe(self, n_samples: int) -> Recipe:
        """Return how the networks are trained on so many rows."""
        params = cast("dict[str, Any]", self.params)
        return Recipe(
            activation=params["activation"],
            dropout=params["dropout"],
            weight_decay=params["weight_decay"],
            learning_rate=params["learning_rate"],
            n_epochs=max(MIN_EPOCHS, round(params["steps"] / math.ceil(n_samples / batch_size(n_samples)))),
            n_members=params["members"],
            seed=self.seed,
        )

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


def fit_together(models: Sequence[Perceptrons], rows: Rows, stop: np.ndarray, *, twice: bool = True) -> None:
    """Fit models of one task on the same rows; those of one shape and encoding as one stack.

    Each becomes what it would become by itself, to the last bit.

    Args:
        models: unfitted.
        rows: to learn from.
        stop: (n_samples,) of bool: rows set aside by the split's own rule; none or all: no rows are watched.
        twice: whether to learn from all rows once the best epoch is known.

    Raises:
        FloatingPointError: training diverged.
    """
    used = rows.sample_weight > 0
    weight = rows.sample_weight[used] / rows.sample_weight[used].mean()
    X, held = rows.X[used], stop[used]
    targets = [model.learn_unit(rows.y[used], weight) for model in models]  # one task, so one target
    y, whole = targets[0], np.ones(len(X), dtype=bool)
    kept = whole if held.all() else ~held
    least = least_loss(models[0].kind, y[~kept], weight[~kept])
    stacks: dict[tuple[Any, Shape], list[Perceptrons]] = {}
    for model in models:
        stacks.setdefault((model.params["encoding"], model.shape(y)), []).append(model)
    for (encoding, shape), stack in stacks.items():
        recipes = [model.recipe(len(y)) for model in stack]
        again = twice and not kept.all()
        few = [replace(recipe, n_members=min(WATCHERS, recipe.n_members)) for recipe in recipes]
        learnt, first = _trained(encoding, X, y, weight, kept, shape, few if again else recipes)
        last = first
        if again:
            recipes = [replace(recipe, until=found.best_epoch) for recipe, found in zip(recipes, first, strict=True)]
            learnt, last = _trained(encoding, X, y, weight, whole, shape, recipes)
        for model, recipe, seen, found in zip(stack, recipes, first, last, strict=True):
            model.unfinished_ = unfinished(seen.train_loss, seen.watch_loss - least, recipe.n_epochs)
            model.encoding_, model.network_, model.best_epoch_ = learnt, found.network, found.best_epoch
            model.history_ = {"train_loss": seen.train_loss} | ({} if kept.all() else {"stop_loss": seen.watch_loss})


def unfinished(train_loss: np.ndarray, watch_loss: np.ndarray, n_epochs: int) -> str:
    """Say why networks have not converged; nothing where their losses do not tell.

    The loss of the rows that are learnt from falls to the end, whether or not there is more to learn: it only tells of a rate that
    was too high.

    Args:
        train_loss: (n_run,) of each epoch.
        watch_loss: (n_run,) above the least that is possible; (0,) where no rows are watched.
        n_epochs: length of the schedule.
    """
    if train_loss[-1] - train_loss[0] > RISEN * abs(train_loss[0]):
        return f"the loss rose from {train_loss[0]:.3g} to {train_loss[-1]:.3g}: the learning rate must be lower"
    half = max(1, n_epochs // 2)
    if len(watch_loss) <= half:
        return ""
    before = watch_loss[:half].min()
    fall = before - watch_loss.min()
    if fall <= max(FALLING * before, SLIGHT * watch_loss[0]):
        return ""
    return f"the loss still fell by {fall / before:.0%} in the second half of the schedule: more steps may do better"


def least_loss(kind: Kind, y: np.ndarray, weight: np.ndarray) -> float:
    """Return what a model that knew the target would lose: 0, but for a rate, whose likelihood is written without its constant."""
    if kind != "distribution" or not len(y):
        return 0.0
    return float(np.average(y - y * np.log(np.where(y > 0, y, 1.0)), weights=weight))


def _trained(
    encoding: str, X: np.ndarray, y: np.ndarray, weight: np.ndarray, kept: np.ndarray, shape: Shape, recipes: Sequence[Recipe]
) -> tuple[Piecewise | None, list[Trained]]:
    """Learn an encoding and networks from the rows that are kept; watch the others."""
    import torch

    learnt = piecewise.learn(X[kept]) if encoding == "piecewise" else None
    rows, watched = (Sample(encoded(learnt, X[part]), y[part], weight[part]) for part in (kept, ~kept))
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return learnt, train(rows, watched if len(watched.y) else None, shape, recipes, device)


def encoded(encoding: Piecewise | None, X: np.ndarray) -> np.ndarray:
    """Return rows as a network sees them."""
    return X if encoding is None else encoding.apply(X)


def build(task: Task, params: Params, seed: int) -> Perceptrons:
    """Return untrained networks."""
    return Perceptrons(task.kind, params, seed, task.levels)


def fit(task: Task, params: Params, train: Rows, stop: np.ndarray, seed: int) -> Perceptrons:
    """Fit with rows to stop by: a stack of one. It warns where the networks have not converged."""
    [model] = _stacked(task, [params], train, stop, [seed])
    if model.unfinished_:
        from sklearn.exceptions import ConvergenceWarning

        warnings.warn(model.unfinished_, ConvergenceWarning, stacklevel=2)
    return model


def fit_fold(
    task: Task, points: Sequence[Params], train: Rows, stop: np.ndarray, tests: Sequence[np.ndarray], seeds: Sequence[int]
) -> list[Shared]:
    """Fit all candidates of a fold together, and predict."""
    models = _stacked(task, points, train, stop, seeds)
    return [Shared(tuple(predict(task, model, X) for X in tests), ("not converged",) if model.unfinished_ else ()) for model in models]


def _stacked(task: Task, points: Sequence[Params], train: Rows, stop: np.ndarray, seeds: Sequence[int]) -> list[Perceptrons]:
    models = [build(task, point, seed) for point, seed in zip(points, seeds, strict=True)]
    fit_together(models, train, stop, twice=not task.exchangeable or len(train.y) < ONE_PASS)
    return models


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
    fit_fold=fit_fold,
    requires=("torch",),
    state=state,
    restore=restore,
)
