"""On real rows and the same folds, a cell predicts what a notebook with scikit-learn and LightGBM would."""

import json

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeRegressor

from piste.core.data import Target
from piste.core.family import Task
from piste.core.fit import Study, fit_cell, seed_of
from piste.core.plan import Cell
from piste.core.search import Candidate, live
from piste.core.split import Fold, Folds
from piste.families import family
from piste.framings import framings

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
    return Study(frame, frame[[]], Target(about["target"], "numeric", y), np.ones(len(y)), folds, SEED)


def linear(params, train, y, stop, seed):
    return make_pipeline(StandardScaler(), Ridge(alpha=params["alpha"] * N_TRAIN)).fit(train, y)


def tree(params, train, y, stop, seed):
    shape = {name: params[name] for name in ("max_depth", "min_samples_leaf")}
    return DecisionTreeRegressor(ccp_alpha=params["cp"] * y.var(), random_state=seed, **shape).fit(train, y)


def forest(params, train, y, stop, seed):
    return RandomForestRegressor(300, max_features=params["max_features"], random_state=seed).fit(train, y)


def boosting(params, train, y, stop, seed):
    fixed = {"learning_rate": 0.05, "random_state": seed, "n_jobs": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}
    stopped = lightgbm.LGBMRegressor(n_estimators=1000, **fixed)
    patience = [lightgbm.early_stopping(50, verbose=False)]
    stopped.fit(train[~stop], y[~stop], eval_X=train[stop], eval_y=y[stop], callbacks=patience)
    return lightgbm.LGBMRegressor(n_estimators=stopped.best_iteration_, **fixed).fit(train, y)


@pytest.mark.parametrize("plain", [linear, tree, forest, boosting], ids=lambda plain: plain.__name__)
def test_the_default_of_a_family_predicts_as_the_plain_library(study, plain):
    found = family(plain.__name__)
    space = found.space(Task("mean", N_TRAIN))
    params = live(space, {name: dimension.default for name, dimension in space.items()})
    X, y = study.expanded.to_numpy(), study.target.values
    for number, fold in enumerate(study.folds.folds):
        cell = Cell("default", "mean", plain.__name__, number, (Candidate("mean", plain.__name__, 0, params),))
        [predicted] = fit_cell(study, cell, found, framings()["mean"], lambda: 0.0)
        model = plain(params, X[fold.train], y[fold.train], fold.stop, seed_of(SEED, ("mean", number), params))
        np.testing.assert_allclose(predicted.predictions, model.predict(X[fold.test]), rtol=1e-6)
