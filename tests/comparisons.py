"""Small comparisons with made-up results, to print, draw and log."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd

from piste.core.comparison import Absent, Claimed, Comparison, Curve, Interval, Judged, Verdict, Versus
from piste.core.data import Target
from piste.core.finding import Finding

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


ACTIONS = ("unstaffed", "one_marshal", "two_marshals")
WAYS = (("mean", "dressed"), ("mean", "plug_in"), ("classes", "min_expected_cost"), ("classes", "plug_in"), ("all_runs", "dressed"))
COSTS = {  # EUR a decision by kind of model and way, in the order of WAYS; None where the family cannot take it
    "forest": (40.6, 45.4, 43.7, 53.1, None),
    "boosting": (40.3, 44.6, 44.9, 52.3, None),
    "linear": (61.0, 75.3, 64.8, 70.4, 42.5),
    "perceptron": (None, None, 96.0, 107.0, None),
    "baseline:ticket_rule": (59.0, 79.0, None, None, None),
    "baseline:constant": (None, None, 138.6, 312.9, None),
}
DECIDERS = {
    "forest": ("Forest (random forest, 300 trees)", 5),
    "boosting": ("Gradient boosting (LightGBM, 31 leaves)", 6),
    "linear": ("Linear regression (ridge, alpha 3.97)", 1),
    "perceptron": ("Perceptron (Rosenblatt's rule)", 1),
    "baseline:ticket_rule": ("Baseline (tickets_total * 0.7)", 0),
    "baseline:constant": ("Baseline (constant: class shares)", 0),
}
CHAMPION, TO_BEAT = "mean/forest/dressed", "mean/baseline:ticket_rule/dressed"


def decided() -> Comparison:
    """Return a comparison by what decisions cost: several ways of asking and deciding, a champion, and all that is told of it."""
    plain = regression()
    whole = [
        _priced(family, way, cost) for family, costs in COSTS.items() for way, cost in zip(WAYS, costs, strict=True) if cost is not None
    ]
    rows = tuple(sorted(whole, key=lambda row: row.cost))
    known = {"foresight": ("Perfect foresight", 0.0), "truth": ("The world's own distribution (known only because it is simulated)", 33.8)}
    nothing = float("nan")
    references = tuple(
        replace(
            _priced("forest", (framing, "known"), cost),
            family="reference",
            title=title,
            cost_lo=nothing,
            cost_hi=nothing,
            gain_lo=nothing,
            gain_hi=nothing,
            fit_seconds=nothing,
        )
        for framing, (title, cost) in known.items()
    )
    factors = (0.5, 1.0, 2.0)
    slopes = {"forest": 0.9, "boosting": 1.0, "linear": 0.4}
    table = [(row.id, factor, row.cost * factor ** slopes.get(row.family, 0.6)) for row in rows for factor in factors]
    sizes = (400, 800, 1600)
    points = pd.DataFrame(
        [("forest", DECIDERS["forest"][0], n, n / 8, 60 - n / 80, 55 - n / 80, 65 - n / 80) for n in sizes]
        + [("linear", "Linear regression (least squares)", n, n / 8, 62.0, 58.0, 66.0) for n in sizes],
        columns=["entry", "title", "rows", "blocks", "cost", "cost_lo", "cost_hi"],
    )
    gains = pd.DataFrame({"fold": FOLDS, "champion": [39.0, 37.3, 60.0, 43.6], "baseline": [60.9, 62.8, 54.4, 57.8]})
    tables = {
        "folds": gains.assign(gain=gains["baseline"] - gains["champion"]),
        "slices": pd.DataFrame(
            {
                "column": ["grade", "grade", "holiday"],
                "value": ["black", "green", "1"],
                "rows": [900, 300, 20],
                "blocks": [496, 496, 12],
                "cost": [53.8, 11.4, 47.0],
                "cost_lo": [50.0, 9.0, 20.0],
                "cost_hi": [58.0, 14.0, 70.0],
                "baseline": [81.1, 10.0, 63.5],
                "gain": [0.34, -0.14, 0.26],
                "gain_lo": [0.25, -0.3, -0.2],
                "gain_hi": [0.43, -0.02, 0.6],
                "excess": [0.32, -0.7, 0.1],
                "p": [0.0, 1.0, 0.2],
            }
        ),
        "coverage": pd.DataFrame({"level": [0.8, 0.9], "share": [0.833, 0.912], "error": [0.009, 0.008], "width": [1204.0, 1705.0]}),
        "reliability": pd.DataFrame(
            [
                (p, min(1.0, p * 1.05), 100, level, slope, 0.05)
                for level, slope in zip("abc", (1.0, 0.7, 1.3), strict=True)
                for p in (0.1, 0.5, 0.9)
            ],
            columns=["p", "share", "n", "level", "slope", "slope_error"],
        ),
        "cost_range": pd.DataFrame(table, columns=["row", "factor", "cost"]),
    }
    names = [f"{row.framing}/{row.family}/0/{row.rule}" for row in rows]
    rng = np.random.default_rng(3)
    losses = plain.losses[["row", "block"]].assign(weight=1.0, **{name: rng.gamma(2.0, 20.0, len(plain.losses)) for name in names})
    columns = pd.DataFrame(
        {"column": names, **{name: [getattr(row, name) for row in rows] for name in ("framing", "family", "rule", "title")}, "params": "{}"}
    )
    predictions = plain.predictions[["row", "fold", "repeat", "y"]].assign(
        **{row.id: plain.predictions["y"] * 1.1 for row in rows}, **{f"{row.id} action": 1 for row in rows}
    )
    return replace(
        plain,
        cost_name="EUR",
        priced=True,
        per_year=992.0,
        n_columns=100,
        judged=rows,
        absent=(Absent("all_runs", "boosting", "Gradient boosting", "skipped", "takes one number at a time"),),
        references=references,
        champion=CHAMPION,
        best_baseline=TO_BEAT,
        verdict=Verdict("ship", "Ship Forest: it saves 11.4 to 24.8 EUR a decision over your rule 'ticket_rule'."),
        predictions=predictions,
        losses=losses,
        columns=columns,
        trials={},
        estimate=Interval(41.6, 38.0, 45.3),
        claimed=Claimed(
            gain=Interval(18.4, 11.4, 24.8),
            share=Interval(0.312, 0.193, 0.421),
            best=0.444,
            delta=5.9,
            needed=0.1,
            n_blocks=496,
            n_required=155.0,
            by="blocks drawn again and again",
        ),
        next_period=Interval(18.4, -4.2, 41.0),
        versus=Versus("mean/boosting/dressed", 0.2, 0.5, 0.3),
        curve=Curve(points, Interval(37.0, 34.5, 39.5), 0.9, 0.7, ("Linear regression is overtaken by the forest at about 300 rows",)),
        findings=(
            Finding("M06", "warn", "grade black", 0.32, 0.25, "Where grade is black, a decision costs 32% more", "keep the rule there"),
            Finding("M02", "note", "rule", 0.0, 0.0, "No model is surely better"),
        ),
        tables=tables,
    )


def _priced(family: str, way: tuple[str, str], cost: float) -> Judged:
    """Return a row that decides: half of the actions are the second."""
    title, tier = DECIDERS[family]
    gain = 1 - cost / COSTS["baseline:ticket_rule"][0]
    return Judged(
        framing=way[0],
        family=family,
        rule=way[1],
        title=title,
        params={},
        tier=tier,
        cost=cost,
        cost_lo=cost - 3.7,
        cost_hi=cost + 3.7,
        gain_vs_baseline=gain,
        gain_lo=gain - 0.12,
        gain_hi=gain + 0.12,
        tied_with_best=cost < 42,
        metrics={"rmse": 500.0, "mae": 300.0} if way[0] != "classes" else {"log_loss": 0.5, "accuracy": 0.8},
        train_metrics={"rmse": 300.0} if way[0] != "classes" else {"log_loss": 0.3},
        fold_costs=(cost - 2, cost + 1, cost, cost + 1),
        fit_seconds=1.5,
        predict_seconds=0.1,
        n_trials=1,
        own_score=0.49,
        actions=dict(zip(ACTIONS, (0.3, 0.5, 0.2), strict=True)),
        value=gain,
    )


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
