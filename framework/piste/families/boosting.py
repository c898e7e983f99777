"""Gradient-boosted trees, by LightGBM, as many rounds as rows set aside allow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from piste.core.family import Family, Kind, Params, Rows, Space, Task, choice, integer, log, number, uniform

MOST_ROUNDS = 1000
MOST_ROUNDS_QUANTILE = 500
"""Of each level. At twice the learning rate of a mean, ten levels took 6 (concrete) and 11 times (bike_hour) as long as a mean,
and lost 1.5 % more and 1.8 % less than 1,000 rounds at its rate, which took 10 and 22 times as long."""

PATIENCE = 50  # rounds without a better loss on the rows set aside
PLAIN_ROUNDS = 100  # LightGBM's own default, where no rows could be set aside
LEARNT = (1.0, 4.0, 16.0)
"""Rounds times learning rate after which settings are compared, and only the best THIRD go on: 20, 80 and 320 rounds at a rate of 0.05.
At equal rounds slow rates would lose before they have begun."""

THIRD = 3

FEW_LEVELS = 3  # of a quantile task, by which settings are compared

PROBE_ROUNDS = 40  # at a rate of 0.1: on 17,000 rows of 52 columns 0.2 s, and as good as 100 rounds at 0.05 (rmse 1.034 and 1.035)

OBJECTIVE = {"mean": "regression", "distribution": "poisson", "quantiles": "quantile"}


@dataclass
class Boosted:
    """LightGBM behind scikit-learn's words; its state is the model as text, which executes nothing when read."""

    kind: Kind
    settings: dict[str, Any]  # in LightGBM's words
    class_weight: str | None = None
    n_rounds: int = PLAIN_ROUNDS
    categorical: tuple[int, ...] = ()

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Boosted:
        """Train `n_rounds` rounds on all rows."""
        y, weight = self.prepared(y, sample_weight)
        self.model_ = self._train(X, y, weight, self.n_rounds)
        self.rounds_ = self.n_rounds
        return self

    def best_rounds(self, rows: Rows, stop: np.ndarray) -> int:
        """Count the rounds, trained without the rows of `stop`, after which those are predicted best."""
        y, weight = self.prepared(rows.y, rows.sample_weight)
        seen = ~stop
        valid = (rows.X[stop], y[stop], None if weight is None else weight[stop])
        most = MOST_ROUNDS_QUANTILE if self.kind == "quantiles" else MOST_ROUNDS
        model = self._train(rows.X[seen], y[seen], None if weight is None else weight[seen], most, valid)
        return max(1, int(model.best_iteration))

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict the number, or the likeliest class."""
        if self.kind != "classes":
            return np.asarray(self.model_.predict(X, num_threads=1))
        return np.asarray(self.classes_[np.argmax(self.predict_proba(X), axis=1)])

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        """Predict a probability of each of `classes_`."""
        found = np.asarray(self.model_.predict(X, num_threads=1))
        return np.column_stack([1 - found, found]) if found.ndim == 1 else found

    def prepared(self, y: np.ndarray, weight: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
        """Code the classes that occur from 0 and weigh them; weights of one are no weights, which LightGBM does faster."""
        weight = np.ones(len(y)) if weight is None else weight
        if self.kind == "classes":
            from sklearn.utils.class_weight import compute_sample_weight

            weight = weight * compute_sample_weight(self.class_weight, y)
            self.classes_, y = np.unique(y, return_inverse=True)
        return y, None if np.all(weight == 1) else weight

    def _train(self, X: np.ndarray, y: np.ndarray, weight: np.ndarray | None, rounds: int, valid: tuple[Any, ...] | None = None) -> Any:
        import lightgbm

        data = lightgbm.Dataset(X, y, weight=weight, categorical_feature=list(self.categorical))
        watched = [] if valid is None else [data.create_valid(valid[0], valid[1], weight=valid[2])]
        patience: list[Callable[..., Any]] = [] if valid is None else [lightgbm.early_stopping(PATIENCE, verbose=False)]
        return lightgbm.train(self.words(), data, rounds, valid_sets=watched, callbacks=patience)

    def words(self) -> dict[str, Any]:
        """Return the settings and the loss in LightGBM's words; classes must have been coded."""
        if self.kind != "classes":
            return {**self.settings, "objective": OBJECTIVE[self.kind]}
        many = {"objective": "multiclass", "num_class": len(self.classes_)} if len(self.classes_) > 2 else {"objective": "binary"}
        return {**self.settings, **many}


@dataclass
class Levels:
    """A model for each level of a quantile task; they share nothing, so that what they predict may cross."""

    models: tuple[Boosted, ...]

    @property
    def rounds_(self) -> tuple[int, ...]:
        """Return the rounds of each level."""
        return tuple(model.rounds_ for model in self.models)

    def fit(self, X: np.ndarray, y: np.ndarray, sample_weight: np.ndarray | None = None) -> Levels:
        """Train each on all rows."""
        for model in self.models:
            model.fit(X, y, sample_weight)
        return self

    def predict(self, X: np.ndarray) -> np.ndarray:
        """Predict the quantile at each level, (n_samples, n_levels)."""
        return np.column_stack([model.predict(X) for model in self.models])


def space(task: Task) -> Space:
    """Search the four settings that matter most, and the class weight.

    Source: LightGBM in TabRepo (Salinas and Erickson, 2024): learning_rate 5e-3 to 0.1, num_leaves 16 to 255,
    min_data_in_leaf 2 to 60, feature_fraction 0.4 to 1, with these defaults. The slowest rates are left out, since 1,000
    rounds do not suffice for them, and trees of 4 leaves let in, for small tables. Quantiles have half the rounds and twice the rate.
    """
    dimensions = {
        "learning_rate": log(0.04, 0.4, default=0.1) if task.kind == "quantiles" else log(0.02, 0.2, default=0.05),
        "num_leaves": integer(4, 255, default=31, scale="log"),
        "min_data_in_leaf": integer(2, 60, default=20, scale="log"),
        "feature_fraction": uniform(0.4, 1.0, default=1.0),
    }
    return {**dimensions, "class_weight": choice(None, None, None, "balanced", default=None)} if task.kind == "classes" else dimensions


def build(task: Task, params: Params, seed: int) -> Boosted | Levels:
    """Return the model, or one for each level, with LightGBM's default number of rounds; `fit` chooses a better one."""
    settings = {
        **{key: value for key, value in params.items() if key != "class_weight"},
        "seed": seed % 2**31,  # LightGBM's seeds are 32-bit with a sign
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    if task.kind == "quantiles":
        return Levels(tuple(Boosted(task.kind, {**settings, "alpha": level}) for level in task.levels))
    weighted: Any = params.get("class_weight")
    return Boosted(task.kind, settings, weighted)


def fit(task: Task, params: Params, train: Rows, stop: np.ndarray, seed: int) -> Boosted | Levels:
    """Choose the number of rounds, of each level by itself, on the rows set aside, then train that many on all training rows."""
    model = build(task, params, seed)
    if isinstance(model, Levels):
        return Levels(tuple(_fitted(level, train, stop) for level in model.models))
    return _fitted(model, train, stop)


def _fitted(model: Boosted, train: Rows, stop: np.ndarray) -> Boosted:
    model = replace(model, categorical=train.categorical)
    if stop.any() and not stop.all():
        model = replace(model, n_rounds=model.best_rounds(train, stop))
    return model.fit(train.X, train.y, train.sample_weight)


def tune(task: Task, points: Sequence[Params], train: Rows, stop: np.ndarray, seed: int) -> int:
    """Choose by successive halving on the rows set aside, each setting at its best number of rounds so far.

    Source: Jamieson and Talwalkar, Non-stochastic best arm identification and hyperparameter optimization, 2016.
    """
    if not stop.any() or stop.all():
        return 0
    racers: list[list[_Racer]] = []  # of each setting: one, or one for each of a few levels
    binned: dict[str | None, _Binned] = {}
    for point in points:
        models = _few(build(task, point, seed))
        if (weighted := models[0].class_weight) not in binned:
            binned[weighted] = _Binned.of(models[0], train, stop)
        racers.append([_Racer.of(model, binned[weighted], train) for model in models])
    left = [*range(len(points))]
    for learnt in LEARNT:
        for place in left:
            for racer in racers[place]:
                racer.run(learnt)
        left = sorted(left, key=lambda place: (sum(racer.best for racer in racers[place]), place))
        if learnt != LEARNT[-1]:
            left = left[: max(2, -(-len(left) // THIRD))]
    return left[0]


def _few(model: Boosted | Levels) -> list[Boosted]:
    """Return the model, or those of a few of its levels, evenly spread."""
    if isinstance(model, Boosted):
        return [model]
    chosen = np.unique(np.linspace(0, len(model.models) - 1, FEW_LEVELS).round().astype(int))
    return [model.models[level] for level in chosen]


@dataclass(frozen=True)
class _Binned:
    """Rows as LightGBM sees them, binned once for all settings, beside those set aside."""

    seen: Any
    aside: Any

    @staticmethod
    def of(model: Boosted, train: Rows, stop: np.ndarray) -> _Binned:
        """Bin the rows that are seen by what they teach; those aside weigh what they weigh, whatever their class."""
        import lightgbm

        y, weight = model.prepared(train.y, train.sample_weight)
        about = {"feature_pre_filter": False, "verbosity": -1, "num_threads": 1}
        kept = None if weight is None else weight[~stop]
        data = lightgbm.Dataset(train.X[~stop], y[~stop], weight=kept, categorical_feature=list(train.categorical), params=about)
        aside = data.create_valid(train.X[stop], y[stop], weight=train.sample_weight[stop], params=about)
        return _Binned(data.construct(), aside.construct())


@dataclass
class _Racer:
    """One setting on its way, at one level where there are several."""

    booster: Any
    rate: float
    most: int
    rounds: int = 0
    best: float = np.inf  # the least loss so far on the rows set aside
    best_rounds: int = 0
    finished: bool = False

    @staticmethod
    def of(model: Boosted, binned: _Binned, train: Rows) -> _Racer:
        """Begin with no round on rows that are binned."""
        import lightgbm

        model.prepared(train.y, None)  # counts the classes
        booster = lightgbm.Booster(model.words(), binned.seen)
        booster.add_valid(binned.aside, "aside")
        most = MOST_ROUNDS_QUANTILE if model.kind == "quantiles" else MOST_ROUNDS
        return _Racer(booster, model.settings["learning_rate"], most)

    def run(self, learnt: float) -> None:
        """Go on until rounds times learning rate come to so much, or patience ends, or no leaf can be divided any more."""
        while self.rounds < min(self.most, max(1, round(learnt / self.rate))) and not self.finished:
            stuck = self.booster.update()
            self.rounds += 1
            [(_, _, loss, _)] = self.booster.eval_valid()
            if loss < self.best:
                self.best, self.best_rounds = float(loss), self.rounds
            self.finished = stuck or self.rounds - self.best_rounds >= PATIENCE


def describe(task: Task, params: Params) -> str:
    """Name what was tuned."""
    share = "" if params["feature_fraction"] == 1 else f", {number(params['feature_fraction'])} of the columns a tree"
    balanced = ", balanced classes" if params.get("class_weight") else ""
    leaves = f"{params['num_leaves']} leaves of at least {params['min_data_in_leaf']} rows"
    quantiles = f", {len(task.levels)} quantiles" if task.kind == "quantiles" else ""
    return f"LightGBM{quantiles}, learning rate {number(params['learning_rate'])}, {leaves}{share}{balanced}"


def state(model: Boosted | Levels) -> dict[str, Any]:
    """Take a fitted model apart into JSON values."""
    if isinstance(model, Levels):
        return {"levels": [_taken_apart(level) for level in model.models]}
    return _taken_apart(model)


def _taken_apart(model: Boosted) -> dict[str, Any]:
    classes = model.classes_.tolist() if model.kind == "classes" else []
    return {"kind": model.kind, "classes": classes, "rounds": model.rounds_, "model": model.model_.model_to_string()}


def restore(parts: dict[str, Any]) -> Boosted | Levels:
    """Put a fitted model together again; it predicts, but is not trained further."""
    if "levels" in parts:
        return Levels(tuple(_restored(level) for level in parts["levels"]))
    return _restored(parts)


def _restored(parts: dict[str, Any]) -> Boosted:
    import lightgbm

    model = Boosted(parts["kind"], {}, n_rounds=parts["rounds"])
    model.model_ = lightgbm.Booster(model_str=parts["model"])
    model.rounds_ = parts["rounds"]
    if model.kind == "classes":
        model.classes_ = np.asarray(parts["classes"])
    return model


FAMILY = Family(
    name="boosting",
    title="Gradient boosting",
    tier=4,
    kinds=frozenset({"mean", "distribution", "quantiles", "classes"}),
    matrix="codes",
    space=space,
    build=build,
    describe=describe,
    fit=fit,
    tune=tune,
    requires=("lightgbm",),
    state=state,
    restore=restore,
)


def probe_space(task: Task) -> Space:
    """Fix settings that are quick; codes of categories are split like numbers, which takes half the time."""
    quick = {"learning_rate": 0.2 if task.kind == "quantiles" else 0.1, "num_leaves": 15}
    return {name: replace(dimension, default=quick.get(name, dimension.default)) for name, dimension in space(task).items()}


def build_probe(task: Task, params: Params, seed: int) -> Boosted | Levels:
    """Return a model of a fixed number of rounds."""
    model = build(task, params, seed)
    if isinstance(model, Levels):
        return Levels(tuple(replace(level, n_rounds=PROBE_ROUNDS) for level in model.models))
    return replace(model, n_rounds=PROBE_ROUNDS)


PROBE = replace(FAMILY, space=probe_space, build=build_probe, fit=None, tune=None)  # for checks that need a model at once
