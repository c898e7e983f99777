"""The honest notebook: GridSearchCV with refit for each family, logged to MLflow as a careful person would."""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier, LGBMRegressor
from mlflow.models import infer_signature
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from benchmarks.sets import FOLD_SEED, SETS, Set

REQUIREMENTS = [f"{name}=={version(name)}" for name in ("scikit-learn", "lightgbm", "numpy", "pandas", "cloudpickle")]


def families(found: Set, columns: list[str]) -> dict[str, tuple[Any, dict[str, list[Any]]]]:
    """Return an estimator and a grid of ten configurations for each family."""
    numbers = [name for name in columns if name not in found.categories]
    regression = found.task == "regression"

    def scaled(model: Any) -> Any:
        encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
        known = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
        return make_pipeline(ColumnTransformer([("c", encoder, [*found.categories]), ("n", known, numbers)]), model)

    def coded(model: Any) -> Any:
        encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1)
        return make_pipeline(ColumnTransformer([("c", encoder, [*found.categories])], remainder="passthrough"), model)

    def centred(model: Any) -> Any:
        return TransformedTargetRegressor(scaled(model), transformer=StandardScaler()) if regression else scaled(model)

    def at(step: str, grid: dict[str, list[Any]]) -> dict[str, list[Any]]:
        inner = f"regressor__{step}" if regression and step in ("svr", "mlpregressor") else step
        return {f"{inner}__{name}": values for name, values in grid.items()}

    penalties = list(np.logspace(-3, 3, 10))
    kernel = {"C": [0.1, 0.5, 3.0, 20.0, 100.0], "gamma": ["scale", 0.5]}
    network = {"alpha": [1e-5, 1e-4, 1e-3, 1e-2, 1e-1], "learning_rate_init": [1e-3, 5e-3]}
    depths = {"max_depth": [4, 6, 9, 13, None], "min_samples_leaf": [1, 5]}
    shares = {"max_features": ["sqrt", 0.3, 0.5, 0.7, 1.0], "min_samples_leaf": [1, 3]}
    rounds = {"n_estimators": [200, 400, 600, 800, 1000], "num_leaves": [7, 31]}
    if regression:
        return {
            "linear": (scaled(Ridge()), at("ridge", {"alpha": penalties})),
            "tree": (coded(DecisionTreeRegressor(random_state=0)), at("decisiontreeregressor", depths)),
            "forest": (coded(RandomForestRegressor(300, random_state=0)), at("randomforestregressor", shares)),
            "boosting": (coded(LGBMRegressor(learning_rate=0.05, random_state=0, verbose=-1, n_jobs=1)), at("lgbmregressor", rounds)),
            "svm": (centred(SVR()), at("svr", kernel)),
            "neural": (centred(MLPRegressor(hidden_layer_sizes=(64, 64), random_state=0, max_iter=400)), at("mlpregressor", network)),
        }
    return {
        "linear": (scaled(LogisticRegression(max_iter=1000)), at("logisticregression", {"C": penalties})),
        "tree": (coded(DecisionTreeClassifier(random_state=0)), at("decisiontreeclassifier", depths)),
        "forest": (coded(RandomForestClassifier(300, random_state=0)), at("randomforestclassifier", shares)),
        "boosting": (coded(LGBMClassifier(learning_rate=0.05, random_state=0, verbose=-1, n_jobs=1)), at("lgbmclassifier", rounds)),
        "svm": (scaled(SVC()), at("svc", kernel)),
        "neural": (scaled(MLPClassifier(hidden_layer_sizes=(64, 64), random_state=0, max_iter=400)), at("mlpclassifier", network)),
    }


def compare(found: Set, folder: Path, split: int, most: int | None) -> dict[str, Any]:
    """Search every family, log it, and predict the held-out rows."""
    rows, held = found.divided(split, most)
    X, y = rows.drop(columns=found.target), rows[found.target]
    X_held, y_held = held.drop(columns=found.target), held[found.target].to_numpy()
    splitter = KFold if found.task == "regression" else StratifiedKFold
    scoring = "neg_root_mean_squared_error" if found.metric == "rmse" else found.metric
    mlflow.set_tracking_uri(f"sqlite:///{folder / 'mlflow.db'}")
    mlflow.create_experiment(found.name, artifact_location=(folder / "artifacts").as_uri())
    mlflow.set_experiment(found.name)
    outcome: dict[str, Any] = {}
    for name, (model, grid) in families(found, [*X_held]).items():
        start = time.process_time()
        folds = splitter(5, shuffle=True, random_state=FOLD_SEED)
        with mlflow.start_run(run_name=name):
            search = GridSearchCV(model, grid, scoring=scoring, cv=folds, n_jobs=1, return_train_score=True).fit(X, y)
            score = found.score(y_held, search.predict(X_held))
            log(search, score, X)
        outcome[name] = {"seconds": time.process_time() - start, "score": score, "cv": float(search.best_score_)}
    best = max(outcome, key=lambda name: outcome[name]["cv"])
    return {"families": outcome, "best": best, "score": outcome[best]["score"]}


def log(search: GridSearchCV, score: float, X: pd.DataFrame) -> None:
    """Log a finished search: parameters, scores, the table of configurations, the refitted model."""
    mlflow.log_params({"family": mlflow.active_run().info.run_name, **search.best_params_})
    mlflow.log_metrics({"cv_score": search.best_score_, "held_out": score, "refit_seconds": search.refit_time_})
    mlflow.log_table(pd.DataFrame(search.cv_results_).astype({"params": str}), "trials.json")
    example = X.head(5).astype(dict.fromkeys(X.select_dtypes("number"), float))
    mlflow.sklearn.log_model(
        search.best_estimator_,
        name="model",
        signature=infer_signature(example, search.predict(X.head(5))),
        pip_requirements=REQUIREMENTS,
        serialization_format="cloudpickle",
    )


if __name__ == "__main__":
    chosen, destination, held_out, rows_learnt = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    result = compare(SETS[chosen], destination, held_out, rows_learnt or None)
    (destination / "outcome.json").write_text(json.dumps(result))
