"""Linear models: least squares, ridge, elastic net; quantile and Poisson regression; logistic regression for classes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from piste.core.family import Family, Params, Rows, Space, Task, choice, log, number, uniform
from piste.numeric.quantile import fit_lines


def space(task: Task) -> Space:
    """Search the penalty on a log scale.

    `alpha` means the same on any number of rows: it is the penalty beside the *mean* loss, scikit-learn's convention for
    `ElasticNet` and `PoissonRegressor`. `Ridge` sums the loss, so its own alpha, which a row names, is `alpha * n_train`. `C` is
    scikit-learn's own.

    Ranges: glmnet's path (Friedman, Hastie and Tibshirani, 2010) spans 1e-4 to 1 times the largest useful penalty, which
    on standardised columns and target is at most 1 / l1_ratio; C is the grid of scikit-learn's LogisticRegressionCV. A
    Poisson penalty stands beside a loss that grows with the counts, hence the wider range. A pinball loss curves by the density
    of the standardised target at the quantile, 0.1 to 1: a penalty of 1 shrinks more than that of a mean at 1.
    """
    if task.kind == "classes":
        return {"C": log(1e-4, 1e4, default=1.0), "class_weight": choice(None, None, None, "balanced", default=None)}
    if task.kind == "distribution":
        return {"alpha": log(1e-4, 1e2, default=1e-3)}
    if task.kind == "quantiles":
        return {"alpha": log(1e-4, 1.0, default=1e-3)}
    # A touch of ridge, not least squares, stands first: it shrinks a direction in which the columns vary as much as one
    # column does by a thousandth, but holds those that one-hot columns make nearly collinear.
    return {
        "penalty": choice("none", "ridge", "elastic_net", default="ridge"),
        "alpha": log(1e-4, 1e1, default=1e-3, penalty=("ridge", "elastic_net")),
        "l1_ratio": uniform(0.1, 1.0, default=0.5, penalty=("elastic_net",)),
    }


def build(task: Task, params: Params, seed: int) -> Any:
    """Return the plain scikit-learn estimator; none of them draws at random.

    Quantiles are a linear function with a column for each level, which is what `LinearRegression` predicts by; how its
    coefficients are found is up to `fit`.
    """
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, PoissonRegressor, Ridge
    from sklearn.preprocessing import StandardScaler

    if task.kind == "classes":
        return LogisticRegression(C=params["C"], class_weight=params["class_weight"], max_iter=2000)
    if task.kind == "distribution":
        return PoissonRegressor(alpha=params["alpha"], solver="newton-cholesky", tol=1e-6)
    if task.kind == "quantiles" or params["penalty"] == "none":
        return LinearRegression()  # by singular values: of collinear columns, the smallest coefficients
    alpha: Any = params["alpha"]
    if params["penalty"] == "ridge":
        return Ridge(alpha=alpha * task.n_train)
    # An L1 penalty is measured in the target's unit; on the standardised target it has none (glmnet does the same).
    # From the Gram matrix a sweep costs n_features^2, so that tens of thousands of them, as weak penalties need, are cheap.
    net = ElasticNet(alpha=alpha, l1_ratio=params["l1_ratio"], precompute=True, max_iter=100_000)
    return TransformedTargetRegressor(net, transformer=StandardScaler(), check_inverse=False)


def fit(task: Task, params: Params, train: Rows, stop: np.ndarray, seed: int) -> Any:
    """Fit on all training rows; quantiles by pinball loss, which scikit-learn minimises at one level and for few rows only."""
    model = build(task, params, seed)
    if task.kind != "quantiles":
        return model.fit(train.X, train.y, sample_weight=train.sample_weight)
    alpha: Any = params["alpha"]
    lines = fit_lines(train.X, train.y, train.sample_weight, task.levels, alpha)
    if not lines.closed:
        from sklearn.exceptions import ConvergenceWarning

        warnings.warn(f"a pinball loss may be {lines.gap.max():.3g} above the smallest possible one", ConvergenceWarning, stacklevel=2)
    model.coef_, model.intercept_, model.n_features_in_ = lines.coef, lines.intercept, train.X.shape[1]
    return model


def describe(task: Task, params: Params) -> str:
    """Name the penalty in scikit-learn's values."""
    if task.kind == "classes":
        balanced = ", balanced classes" if params["class_weight"] else ""
        return f"C {number(params['C'])}{balanced}"
    if task.kind == "distribution":
        return f"alpha {number(params['alpha'])}"
    if task.kind == "quantiles":
        return f"ridge, alpha {number(params['alpha'])}, target standardised"
    if params["penalty"] == "none":
        return "least squares"
    if params["penalty"] == "ridge":
        alpha: Any = params["alpha"]
        return f"ridge, alpha {number(alpha * task.n_train)}"
    if params["l1_ratio"] == 1:
        return f"lasso, alpha {number(params['alpha'])}, target standardised"
    return f"elastic net, alpha {number(params['alpha'])}, l1_ratio {number(params['l1_ratio'])}, target standardised"


FAMILY = Family(
    name="linear",
    title="Linear regression",
    titles={"classes": "Logistic regression", "distribution": "Poisson regression", "quantiles": "Quantile regression"},
    tier=1,
    kinds=frozenset({"mean", "distribution", "quantiles", "classes"}),
    several=True,
    matrix="scaled",
    space=space,
    build=build,
    describe=describe,
    fit=fit,
)
