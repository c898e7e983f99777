"""Small comparisons with made-up results, to print, draw and log."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

from piste.core.comparison import Absent, Comparison, Judged, Verdict
from piste.core.data import Target

FOLDS = ("season 2021-22", "season 2022-23", "season 2023-24", "season 2024-25")

# family, title, tier, typical error in skiers, hyperparameters, seconds of a fit
REGRESSORS = (
    ("boosting", "Gradient-boosted trees (300 trees, 15 leaves)", 6, 31.0, {"num_leaves": 15, "learning_rate": 0.05}, 0.9),
    ("blend", "Blend (boosting, neural, forest)", 9, 31.4, {"n_members": 3}, 0.0),
    ("neural", "Neural network (2 x 64, tanh)", 8, 33.0, {"width": 64, "depth": 2, "activation": "tanh", "dropout": 0.1}, 6.2),
    ("forest", "Random forest (300 trees)", 5, 34.5, {"n_estimators": 300, "max_features": 0.5}, 1.8),
    ("svm", "Support vector machine (RBF, C 10, on Nystroem features)", 7, 36.0, {"C": 10.0, "gamma": 0.02}, 2.4),
    ("kernel", "Kernel ridge (RBF, alpha 0.1)", 7, 37.0, {"alpha": 0.1, "gamma": 0.02}, 1.1),
    ("linear", "Linear regression (ridge, alpha 0.3)", 1, 41.0, {"penalty": "ridge", "alpha": 0.3}, 0.02),
    ("neighbours", "Nearest neighbours (15, by distance)", 4, 43.0, {"n_neighbors": 15, "weights": "distance"}, 0.01),
    ("tree", "Decision tree (depth 8)", 3, 46.0, {"max_depth": 8, "min_samples_leaf": 5}, 0.05),
    ("baseline:climatology", "Climatology (mean count by run and weekday)", 0, 55.0, {"by": "run, weekday"}, 0.003),
    ("baseline:last value", "Last value (by run)", 0, 71.0, {}, 0.002),
    ("baseline:constant", "Constant (mean)", 0, 98.0, {}, 0.001),
)
CLASSIFIERS = (
    ("linear", "Logistic regression (ridge, C 1)", 1, 0.9, {"penalty": "l2", "C": 1.0}, 0.1),
    ("forest", "Random forest (300 trees)", 5, 1.1, {"n_estimators": 300}, 1.0),
    ("tree", "Decision tree (depth 6)", 3, 2.0, {"max_depth": 6}, 0.02),
    ("baseline:constant", "Constant (class shares)", 0, 6.0, {}, 0.001),
)


def regression(*, n_rows: int = 400, families: tuple[str, ...] = (), seed: int = 0, problem: str = "ski-runs") -> Comparison:
    """Return a comparison of regressors on daily counts; all kinds of models unless some are named."""
    rng = np.random.default_rng(seed)
    expected = rng.gamma(2.0, 90.0, n_rows)
    y = rng.poisson(expected).astype(float)
    fold = np.sort(rng.integers(0, len(FOLDS), n_rows))
    chosen = [entry for entry in REGRESSORS if not families or entry[0] in families or entry[0].startswith("baseline:")]
    frame, judged = pd.DataFrame({"row": np.arange(n_rows), "fold": fold, "repeat": 0, "y": y}), []
    for family, title, tier, error, params, seconds in chosen:
        prediction = np.maximum(expected + rng.normal(0.0, error, n_rows), 0.0)
        squared = (y - prediction) ** 2
        rmse = float(np.sqrt(squared.mean()))
        half = 1.96 * squared.std() / np.sqrt(n_rows) / (2 * rmse)
        frame[f"mean/{family}/mean"] = prediction
        metrics = {"rmse": rmse, "mae": float(np.abs(y - prediction).mean()), "r2": float(1 - squared.mean() / y.var())}
        judged.append(
            Judged(
                framing="mean",
                family=family,
                rule="mean",
                title=title,
                params=params,
                tier=tier,
                cost=rmse,
                cost_lo=rmse - half,
                cost_hi=rmse + half,
                gain_vs_baseline=0.0,
                gain_lo=-0.05,
                gain_hi=0.05,
                tied_with_best=False,
                metrics=metrics,
                train_metrics={name: value * 0.9 for name, value in metrics.items()},
                fold_costs=tuple(float(np.sqrt(squared[fold == k].mean())) for k in range(len(FOLDS))),
                fit_seconds=seconds,
                predict_seconds=seconds / 100,
                n_trials=11 if tier else 1,
            )
        )
    absent = (
        Absent("mean", "perceptron", "Perceptron", "skipped", "it learns labels only, and the target is a number"),
        Absent("mean", "mine", "Mine", "failed", "ValueError: 2 features, but 3 <were> expected"),
    )
    target = Target("count", "count", y)
    return _compared(problem, frame, judged, absent, target, metric="rmse", cost_name="RMSE", folds=FOLDS)


def classification(*, n_classes: int = 10, n_rows: int = 600, seed: int = 0, problem: str = "digits") -> Comparison:
    """Return a comparison of classifiers."""
    rng = np.random.default_rng(seed)
    labels = tuple(str(code) for code in range(n_classes))
    codes = rng.integers(0, n_classes, n_rows)
    fold = rng.integers(0, 3, n_rows)
    y = np.array(labels)[codes]
    frame, judged = pd.DataFrame({"row": np.arange(n_rows), "fold": fold, "repeat": 0, "y": y}), []
    for family, title, tier, noise, params, seconds in CLASSIFIERS:
        logits = rng.normal(0.0, noise, (n_rows, n_classes)) + 4.0 * np.eye(n_classes)[codes]
        probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        loss = -np.log(probabilities[np.arange(n_rows), codes])
        shares = pd.DataFrame({f"classes/{family}/plain[{label}]": probabilities[:, k] for k, label in enumerate(labels)})
        frame = pd.concat([frame, shares], axis="columns")
        metrics = {"log_loss": float(loss.mean()), "accuracy": float((probabilities.argmax(axis=1) == codes).mean())}
        half = 1.96 * float(loss.std()) / np.sqrt(n_rows)
        judged.append(
            Judged(
                framing="classes",
                family=family,
                rule="plain",
                title=title,
                params=params,
                tier=tier,
                cost=float(loss.mean()),
                cost_lo=float(loss.mean()) - half,
                cost_hi=float(loss.mean()) + half,
                gain_vs_baseline=0.0,
                gain_lo=0.0,
                gain_hi=0.0,
                tied_with_best=False,
                metrics=metrics,
                train_metrics=metrics,
                fold_costs=tuple(float(loss[fold == k].mean()) for k in range(3)),
                fit_seconds=seconds,
                predict_seconds=seconds / 10,
                n_trials=5,
            )
        )
    target = Target("digit", "category", codes, labels)
    folds = tuple(f"fold {k + 1}" for k in range(3))
    return _compared(problem, frame, judged, (), target, metric="log_loss", cost_name="log loss", folds=folds)


def _compared(
    problem: str,
    predictions: pd.DataFrame,
    judged: list[Judged],
    absent: tuple[Absent, ...],
    target: Target,
    *,
    metric: str,
    cost_name: str,
    folds: tuple[str, ...],
) -> Comparison:
    """Put a comparison together: sort the rows, find the best baseline, mark ties."""
    from dataclasses import replace

    judged = sorted(judged, key=lambda row: row.cost)
    baseline = next(row for row in judged if row.family.startswith("baseline:"))
    judged = [replace(row, gain_vs_baseline=1 - row.cost / baseline.cost, tied_with_best=row.cost_lo <= judged[0].cost) for row in judged]
    rows = predictions["row"].to_numpy()
    rng = np.random.default_rng(1)
    losses = pd.DataFrame({"row": rows, "block": rows, **{f"c{k}": rng.random(len(rows)) for k in range(len(judged))}})
    columns = pd.DataFrame(
        {
            "column": [f"c{k}" for k in range(len(judged))],
            "framing": [row.framing for row in judged],
            "family": [row.family for row in judged],
            "rule": [row.rule for row in judged],
            "params": [str(dict(row.params)) for row in judged],
        }
    )
    trials = {
        row.id: pd.DataFrame(
            {
                **{name: [value] * 3 for name, value in row.params.items()},
                "cost": [row.cost, row.cost * 1.02, np.nan],
                "fit_seconds": [row.fit_seconds] * 3,
                "status": ["ok", "ok", "failed"],
                "reason": ["", "", "did not converge"],
            }
        )
        for row in judged
    }
    text = f"{problem} {[row.id for row in judged]} {judged[0].cost!r}"
    best = judged[0]
    return Comparison(
        key=hashlib.sha256(text.encode()).hexdigest(),
        problem=problem,
        question="How many skiers will there be on each run tomorrow?",
        resolved=f"schema: piste/1\nproblem: {problem}\nseed: 0  # where not given\n",
        digest=hashlib.sha256(problem.encode()).hexdigest(),
        source="data/days.csv",
        n_rows=len(rows) + 100,
        n_judged=len(rows),
        n_columns=11 * len(judged),
        target=target,
        schema={"snow_cm": "number", "day": "datetime", "run": "category"},
        metric=metric,
        cost_name=cost_name,
        judged=tuple(judged),
        absent=absent,
        champion=best.id,
        best_baseline=baseline.id,
        verdict=Verdict(
            "ship", f"{best.title} errs {best.gain_vs_baseline:.0%} less than {baseline.title}, corrected for trying 60 models."
        ),
        fold_names=folds,
        predictions=predictions,
        losses=losses,
        columns=columns,
        trials=trials,
        notes=("12 rows without a target left out",),
    )
