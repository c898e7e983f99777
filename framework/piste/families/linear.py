"""Linear models: least squares, ridge, elastic net; logistic regression for classes; a Poisson GLM for counts."""

from __future__ import annotations

from typing import Any

from piste.core.family import Family, Params, Space, Task, choice, log, number, uniform


def space(task: Task) -> Space:
    """Search the penalty on a log scale.

    `alpha` means the same on any number of rows: it is the penalty beside the *mean* loss, scikit-learn's convention for
    `ElasticNet` and `PoissonRegressor`. `Ridge` sums the loss, so its own alpha, which a row names, is `alpha * n_train`. `C` is
    scikit-learn's own.

    Ranges: glmnet's path (Friedman, Hastie and Tibshirani, 2010) spans 1e-4 to 1 times the largest useful penalty, which
    on standardised columns and target is at most 1 / l1_ratio; C is the grid of scikit-learn's LogisticRegressionCV. A
    Poisson penalty stands beside a loss that grows with the counts, hence the wider range.
    """
    if task.kind == "classes":
        return {"C": log(1e-4, 1e4, default=1.0), "class_weight": choice(None, None, None, "balanced", default=None)}
    if task.kind == "distribution":
        return {"alpha": log(1e-4, 1e2, default=1e-3)}
    # A touch of ridge, not least squares, stands first: it shrinks a direction in which the columns vary as much as one
    # column does by a thousandth, but holds those that one-hot columns make nearly collinear.
    return {
        "penalty": choice("none", "ridge", "elastic_net", default="ridge"),
        "alpha": log(1e-4, 1e1, default=1e-3, penalty=("ridge", "elastic_net")),
        "l1_ratio": uniform(0.1, 1.0, default=0.5, penalty=("elastic_net",)),
    }


def build(task: Task, params: Params, seed: int) -> Any:
    """Return the plain scikit-learn estimator; none of them draws at random."""
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.linear_model import ElasticNet, LinearRegression, LogisticRegression, PoissonRegressor, Ridge
    from sklearn.preprocessing import StandardScaler

    if task.kind == "classes":
        return LogisticRegression(C=params["C"], class_weight=params["class_weight"], max_iter=2000)
    if task.kind == "distribution":
        return PoissonRegressor(alpha=params["alpha"], solver="newton-cholesky", tol=1e-6)
    if params["penalty"] == "none":
        return LinearRegression()  # by singular values: of collinear columns, the smallest coefficients
    alpha: Any = params["alpha"]
    if params["penalty"] == "ridge":
        return Ridge(alpha=alpha * task.n_train)
    # An L1 penalty is measured in the target's unit; on the standardised target it has none (glmnet does the same).
    # From the Gram matrix a sweep costs n_features^2, so that tens of thousands of them, as weak penalties need, are cheap.
    net = ElasticNet(alpha=alpha, l1_ratio=params["l1_ratio"], precompute=True, max_iter=100_000)
    return TransformedTargetRegressor(net, transformer=StandardScaler(), check_inverse=False)


def describe(task: Task, params: Params) -> str:
    """Name the penalty in scikit-learn's values."""
    if task.kind == "classes":
        balanced = ", balanced classes" if params["class_weight"] else ""
        return f"C {number(params['C'])}{balanced}"
    if task.kind == "distribution":
        return f"alpha {number(params['alpha'])}"
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
    titles={"classes": "Logistic regression", "distribution": "Poisson regression"},
    tier=1,
    kinds=frozenset({"mean", "distribution", "classes"}),
    matrix="scaled",
    space=space,
    build=build,
    describe=describe,
)
