"""The pruning path is scikit-learn's, to the last bit."""

import numpy as np
import pytest
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from piste.numeric.pruning import Pruning

KINDS = ("numbers", "tied numbers", "counts", "classes", "several numbers")


def table(kind, n, seed):
    """Return columns, a target and a function of a price that makes an unfitted tree."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4)).round(1)
    X[rng.random(X.shape) < 0.1] = np.nan
    signal = np.nan_to_num(X[:, 0]) + rng.normal(size=n)
    y = {
        "numbers": signal,
        "tied numbers": signal.round(),
        "counts": rng.poisson(np.exp(signal / 2)),
        "classes": np.digitize(signal, [-0.5, 0.5]),
        "several numbers": np.column_stack([signal, rng.normal(size=n)]),
    }[kind]
    criterion = "gini" if kind == "classes" else "poisson" if kind == "counts" else "squared_error"
    make = DecisionTreeClassifier if kind == "classes" else DecisionTreeRegressor
    leaf = int(rng.choice([1, 1, 3]))
    return X, y, lambda alpha=0.0: make(criterion=criterion, min_samples_leaf=leaf, random_state=0, ccp_alpha=alpha)


def weights(n, seed):
    """Return weights of which some are 0."""
    return np.random.default_rng(seed).integers(0, 3, n) + (np.arange(n) < 2.0)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_nodes_turn_into_leaves_at_scikit_learns_alphas(kind, weighted):
    for seed in range(5):
        X, y, tree = table(kind, 120, seed)
        weight = weights(120, seed) if weighted else None
        expected = tree().cost_complexity_pruning_path(X, y, sample_weight=weight).ccp_alphas[1:]
        found = Pruning.of(tree().fit(X, y, sample_weight=weight).tree_).becomes_leaf
        np.testing.assert_array_equal(np.sort(found[np.isfinite(found)]), np.maximum.accumulate(expected))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("weighted", [False, True])
def test_predictions_at_every_price_are_those_of_a_tree_pruned_by_scikit_learn(kind, weighted):
    """At the prices at which a node is just about to turn, too."""
    X, y, tree = table(kind, 80, seed=1)
    new = table(kind, 50, seed=2)[0]
    weight = weights(80, seed=1) if weighted else None
    full = tree().fit(X, y, sample_weight=weight)
    path = Pruning.of(full.tree_)
    turns = full.cost_complexity_pruning_path(X, y, sample_weight=weight).ccp_alphas
    alphas = np.random.default_rng(0).permutation(np.concatenate([turns[turns > 0], [1e-9, 0.003, 0.05, 100.0]]))
    found = full.tree_.value[path.standing(full.apply(new), alphas)]
    for alpha, value in zip(alphas, found, strict=True):
        pruned = tree(alpha).fit(X, y, sample_weight=weight)
        np.testing.assert_array_equal(value, pruned.tree_.value[pruned.apply(new)])
        assert path.leaves(alpha).sum() == pruned.get_n_leaves()


def test_branches_that_tie_turn_at_one_price():
    """Four equal branches, whose order rounding decides."""
    X = np.repeat(np.arange(8.0), 5)[:, None]
    y = np.tile(np.repeat([0.0, 1.0], 5), 4) + np.repeat([0.0, 10.0], 20) + np.tile(np.repeat([0.0, 100.0], 10), 2)
    full = DecisionTreeRegressor(random_state=0).fit(X, y)
    becomes = Pruning.of(full.tree_).becomes_leaf
    lowest = full.tree_.n_node_samples == 10
    assert lowest.sum() == 4
    np.testing.assert_allclose(becomes[lowest], 10 * 0.25 / 40, rtol=1e-12)
    leaves = [Pruning.of(full.tree_).leaves(alpha).sum() for alpha in (0.0624, 0.0626)]
    assert leaves == [8, 4]


def test_a_tree_of_one_leaf_stands_at_every_price():
    full = DecisionTreeRegressor().fit(np.zeros((3, 1)), np.ones(3))
    path = Pruning.of(full.tree_)
    np.testing.assert_array_equal(path.standing(np.zeros(3, dtype=int), np.array([0.0, 1.0])), np.zeros((2, 3)))
    assert path.leaves(0.5).tolist() == [True]


def test_no_rows_and_no_prices_have_no_nodes():
    X, y, tree = table("numbers", 30, 0)
    path = Pruning.of(tree().fit(X, y).tree_)
    assert path.standing(np.empty(0, dtype=int), np.array([0.1])).shape == (1, 0)
    assert path.standing(np.zeros(4, dtype=int), np.empty(0)).shape == (0, 4)


def test_a_tree_as_deep_as_it_has_rows_has_its_path_too():
    """Every split cuts off one row: more than any recursion would bear."""
    y = 1.7 ** np.arange(600)
    full = DecisionTreeRegressor(criterion="squared_error", random_state=0).fit(np.arange(600.0)[:, None], y)
    assert full.get_depth() > 300
    alpha = 1e-6 * full.tree_.impurity[0]
    pruned = DecisionTreeRegressor(random_state=0, ccp_alpha=alpha).fit(np.arange(600.0)[:, None], y)
    assert Pruning.of(full.tree_).leaves(alpha).sum() == pruned.get_n_leaves()
