"""On real rows and the same folds, a cell predicts what a notebook with scikit-learn and LightGBM would."""

import json

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import QuantileRegressor, Ridge
from sklearn.metrics import mean_pinball_loss
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from piste.core.data import Target
from piste.core.fit import Study, fit_cell, seed_of
from piste.core.framing import Form
from piste.core.plan import Cell
from piste.core.search import Candidate, live
from piste.core.split import Fold, Folds
from piste.families import family
from piste.framings import framings
from piste.framings.quantiles import LEVELS
from piste.numeric.quantile import pinball

SEED = 0
N_TRAIN = 687  # rows of the largest training part


@pytest.fixture(scope="module")
def study(shared):
    folder = shared("concrete")
    about = json.loads((folder / "meta.json").read_text())
    frame = pd.read_csv(folder / about["file"]).astype(float)
    y = frame.pop(about["target"]).to_numpy()
    every = np.arange(len(y))
    parts = [
        Fold(f"fold {k + 1}", 0, train, np.arange(len(train)) % 5 == 0, test)
        for k, (train, test) in enumerate(KFold(3, shuffle=True, random_state=0).split(every))
    ]
    whole = Fold("whole", 0, every, every % 5 == 0, every[:0])
    folds = Folds(tuple(parts), whole, every, ordered=False, holdout=every[:0])
    forms = {name: Form(name) for name in ("mean", "quantiles")}
    return Study(frame, frame[[]], {}, frame[[]], Target(about["target"], "numeric", y), np.ones(len(y)), folds, forms, SEED)


def linear(params, train, y, stop, seed):
    return make_pipeline(StandardScaler(), Ridge(alpha=params["alpha"] * N_TRAIN)).fit(train, y)


def tree(params, train, y, stop, seed):
    shape = {name: params[name] for name in ("max_depth", "min_samples_leaf")}
    return DecisionTreeRegressor(ccp_alpha=params["cp"] * y.var(), random_state=0, **shape).fit(train, y)


def forest(params, train, y, stop, seed):
    return RandomForestRegressor(300, max_features=params["max_features"], random_state=seed).fit(train, y)


def boosting(params, train, y, stop, seed, *, most=1000, rate=0.05, **objective):
    fixed = {"learning_rate": rate, "random_state": seed, "n_jobs": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}
    stopped = lightgbm.LGBMRegressor(n_estimators=most, **fixed, **objective)
    patience = [lightgbm.early_stopping(50, verbose=False)]
    stopped.fit(train[~stop], y[~stop], eval_X=train[stop], eval_y=y[stop], callbacks=patience)
    return lightgbm.LGBMRegressor(n_estimators=stopped.best_iteration_, **fixed, **objective).fit(train, y)


def linear_quantile(params, train, y, stop, seed, level):
    return make_pipeline(StandardScaler(), QuantileRegressor(quantile=level, alpha=0)).fit(train, y)


def boosting_quantile(params, train, y, stop, seed, level):
    return boosting(params, train, y, stop, seed, most=500, rate=0.1, objective="quantile", alpha=level)


def by_default(study, name, framing):
    """Yield for each fold what the default of a family predicts, its parameters, its seed, and the fold."""
    found, asked = family(name), framings()[framing]
    space = found.space(asked.task(study.target, N_TRAIN))
    params = live(space, {key: dimension.default for key, dimension in space.items()})
    for number, fold in enumerate(study.folds.folds):
        cell = Cell("default", framing, name, number, (Candidate(framing, name, 0, params),))
        [predicted] = fit_cell(study, cell, found, asked, lambda: 0.0)
        yield predicted.predictions, params, seed_of(SEED, (framing, number), params), fold


@pytest.mark.parametrize("plain", [linear, tree, forest, boosting], ids=lambda plain: plain.__name__)
def test_the_default_of_a_family_predicts_as_the_plain_library(study, plain):
    X, y = study.expanded.to_numpy(), study.target.values
    for predictions, params, seed, fold in by_default(study, plain.__name__, "mean"):
        model = plain(params, X[fold.train], y[fold.train], fold.stop, seed)
        np.testing.assert_allclose(predictions, model.predict(X[fold.test]), rtol=1e-6)


def test_quantiles_of_boosting_are_those_of_the_plain_library(study):
    X, y = study.expanded.to_numpy(), study.target.values
    predictions, params, seed, fold = next(by_default(study, "boosting", "quantiles"))
    for number in (0, 5, 9):
        model = boosting_quantile(params, X[fold.train], y[fold.train], fold.stop, seed, LEVELS[number])
        np.testing.assert_allclose(predictions[:, number], model.predict(X[fold.test]), rtol=1e-6)


def test_quantiles_of_the_linear_family_are_as_good_as_those_of_the_plain_library(study):
    """Not the same: it shrinks a little."""
    X, y = study.expanded.to_numpy(), study.target.values
    predictions, params, seed, fold = next(by_default(study, "linear", "quantiles"))
    loss = pinball(y[fold.test], predictions, LEVELS).mean(axis=0)
    for number in (0, 5, 9):
        model = linear_quantile(params, X[fold.train], y[fold.train], fold.stop, seed, LEVELS[number])
        np.testing.assert_allclose(
            loss[number], mean_pinball_loss(y[fold.test], model.predict(X[fold.test]), alpha=LEVELS[number]), rtol=0.03
        )
