"""Boosted trees as their authors, or those who win with them, use them on tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from benchmarks.quality.method import Answer, Method
from benchmarks.quality.tables import Division


def tuned_lightgbm(division: Division, settings: Mapping[str, Any], seed: int) -> list[Answer]:
    """Choose by Optuna's sampler among settings judged on folds, rounds by early stopping on their mean; fit the best on all rows.

    A number is standardised first, so that penalties mean the same whatever its unit.
    """
    import lightgbm
    import optuna
    from sklearn.model_selection import KFold, StratifiedKFold

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    X, X_held = division.levelled()
    centre, scale = (0.0, 1.0) if division.labels else (float(division.y.mean()), float(division.y.std()))
    y = division.y if division.labels else (division.y - centre) / scale
    cut = (StratifiedKFold if division.labels else KFold)(settings["folds"], shuffle=True, random_state=seed)
    folds = list(cut.split(X, y))
    objective = {0: "regression", 2: "binary"}.get(len(division.labels), "multiclass")
    fixed = {"objective": objective, "num_threads": 1, "verbosity": -1, "seed": seed, "bagging_freq": 1}
    if objective == "multiclass":
        fixed["num_class"] = len(division.labels)

    def rows() -> lightgbm.Dataset:
        return lightgbm.Dataset(X, y, params={"verbosity": -1}, free_raw_data=False)

    def score(trial: optuna.Trial) -> float:
        drawn = {name: _suggested(trial, name, *bounds) for name, bounds in settings["space"].items()}
        stop = lightgbm.early_stopping(settings["patience"], verbose=False)
        found = lightgbm.cv({**fixed, **drawn}, rows(), settings["most_rounds"], folds=folds, callbacks=[stop])
        [means] = [values for name, values in found.items() if name.endswith("-mean")]
        trial.set_user_attr("rounds", len(means))
        return means[-1]

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    study.enqueue_trial(settings["first"])
    study.optimize(score, n_trials=settings["trials"])
    best = study.best_trial
    model = lightgbm.train({**fixed, **best.params}, rows(), best.user_attrs["rounds"])
    raw = np.asarray(model.predict(X_held))
    prediction = np.stack([1 - raw, raw], axis=1) if objective == "binary" else centre + scale * raw
    return [Answer("lightgbm", prediction, f"{best.user_attrs['rounds']} rounds, {best.params}")]


def _suggested(trial: Any, name: str, low: float, high: float, kind: str) -> float:
    """Draw one setting: `int` and `log int` are whole, those with `log` are drawn on a log scale."""
    draw = trial.suggest_int if kind.endswith("int") else trial.suggest_float
    return draw(name, low, high, log=kind.startswith("log"))


def catboost(division: Division, settings: Mapping[str, Any], seed: int) -> list[Answer]:
    """Fit CatBoost with its defaults: 1,000 rounds at the rate that it derives from the number of rows."""
    from catboost import CatBoostClassifier, CatBoostRegressor

    X, X_held = (part.fillna(dict.fromkeys(division.categories, "missing")) for part in (division.X, division.X_held))
    kind = CatBoostClassifier if division.labels else CatBoostRegressor
    usual = {"thread_count": 1, "verbose": False, "allow_writing_files": False, "random_seed": seed}
    model = kind(cat_features=[*division.categories], **usual, **settings).fit(X, division.y)
    return [Answer("catboost", _predicted(model, X_held, division), f"rate {model.learning_rate_:.3g}")]


def hist_gradient_boosting(division: Division, settings: Mapping[str, Any], seed: int) -> list[Answer]:
    """Fit scikit-learn's with its defaults, stopped early on a part of the rows."""
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    X, X_held = division.levelled()
    kind = HistGradientBoostingClassifier if division.labels else HistGradientBoostingRegressor
    model = kind(random_state=seed, **settings).fit(X, division.y)
    return [Answer("hist", _predicted(model, X_held, division), f"{model.n_iter_} rounds")]


def _predicted(model: Any, X: Any, division: Division) -> np.ndarray:
    """Return numbers, or probabilities in the order of the labels."""
    if not division.labels:
        return np.asarray(model.predict(X), dtype=float)
    assert [*model.classes_] == [*range(len(division.labels))], f"probabilities must stand in the order of codes, but {model.classes_=}"
    return np.asarray(model.predict_proba(X), dtype=float)


LIGHTGBM = Method(
    "lightgbm",
    {"lightgbm": "LightGBM"},
    ("lightgbm", "optuna", "scikit-learn"),
    {
        "trials": 50,
        "folds": 5,
        "most_rounds": 3000,
        "patience": 50,
        "first": {  # LightGBM's defaults at half the rate
            "learning_rate": 0.05,
            "num_leaves": 31,
            "min_data_in_leaf": 20,
            "feature_fraction": 1.0,
            "bagging_fraction": 1.0,
            "lambda_l1": 1e-8,
            "lambda_l2": 1e-8,
        },
        "space": {
            "learning_rate": [0.01, 0.2, "log"],
            "num_leaves": [4, 128, "log int"],
            "min_data_in_leaf": [1, 64, "log int"],
            "feature_fraction": [0.4, 1.0, "float"],
            "bagging_fraction": [0.5, 1.0, "float"],
            "lambda_l1": [1e-8, 10.0, "log"],
            "lambda_l2": [1e-8, 10.0, "log"],
        },
    },
    tuned_lightgbm,
)
CATBOOST = Method("catboost", {"catboost": "CatBoost"}, ("catboost",), {}, catboost)
HIST = Method(
    "hist",
    {"hist": "HistGB"},
    ("scikit-learn",),
    {"early_stopping": True, "max_iter": 1000},  # the default of 100 rounds would end before early stopping does
    hist_gradient_boosting,
)
