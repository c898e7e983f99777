"""Problem files on real tables: every family has its place, and the usual ones predict what the plain libraries do."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from piste.core.features import learn
from piste.core.fit import fit_cell, seed_of
from piste.core.plan import Cell
from piste.families import NAMES
from piste.framings import framings
from piste.prepare import Prepared, prepare
from piste.watch import silent

HERE = Path(__file__).parent
SETS = [path.stem for path in sorted(HERE.glob("*.yaml"))]
N_TRAIN, N_TEST = 1_500, 500  # rows of the first fold that are used, evenly spread


@pytest.fixture(scope="module", params=SETS)
def prepared(request, shared) -> Prepared:
    """Return a real problem, made ready, with a first fold of fewer rows."""
    shared(request.param)
    made = prepare(HERE / f"{request.param}.yaml", (), silent, quick=True, code=False)
    first = made.folds.folds[0]
    kept = np.unique(np.linspace(0, len(first.train) - 1, N_TRAIN).astype(int))
    test = first.test[np.unique(np.linspace(0, len(first.test) - 1, N_TEST).astype(int))]
    fold = replace(first, train=first.train[kept], stop=first.stop[kept], test=test)
    return replace(made, study=replace(made.study, folds=replace(made.folds, folds=(fold,))))


def test_every_family_has_its_place(prepared):
    planned = {cell.entry for cell in prepared.plan.cells} | {absent.family for absent in prepared.plan.absent}
    assert {*NAMES} - {"baseline"} <= planned
    assert "baseline:constant" in planned
    assert all(absent.reason for absent in prepared.plan.absent)


def predictions(prepared: Prepared, entry: str) -> tuple[np.ndarray, dict, int]:
    """Return what a family's default predicts on the first fold, its hyperparameters, and its seed."""
    planned = next(cell for cell in prepared.plan.cells if cell.entry == entry and cell.framing in ("mean", "classes"))
    cell = Cell("default", planned.framing, entry, 0, planned.candidates)
    framing = framings()[cell.framing]
    [found] = fit_cell(prepared.study, cell, prepared.plan.entries[entry][1], framing, lambda: 0.0)
    params = dict(cell.candidates[0].params)
    return found.predictions, params, seed_of(prepared.study.seed, (cell.framing, 0), params)


def parts(prepared: Prepared, matrix: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the training matrix, the training targets and the test matrix of the first fold."""
    study = prepared.study
    fold = study.folds.folds[0]
    encoding = learn(study.expanded, fold.train, matrix)
    rows = (encoding.apply(study.expanded.iloc[part]) for part in (fold.train, fold.test))
    train, test = rows
    return train, study.target.values[fold.train], test


def answer(model, X) -> np.ndarray:
    """Return probabilities of a classifier, or the numbers of a regressor."""
    return model.predict_proba(X) if hasattr(model, "predict_proba") else model.predict(X)


@pytest.mark.filterwarnings("ignore:Found unknown categories:UserWarning")
def test_linear_regression_is_scikit_learns_with_its_own_preprocessing(prepared):
    found, params, _ = predictions(prepared, "linear")
    study = prepared.study
    fold = study.folds.folds[0]
    rows = study.expanded
    for name in rows.select_dtypes("str"):  # beyond the thirty most frequent, levels share a column: here they are one level
        levels = rows[name].iloc[fold.train].value_counts().index
        if len(levels) > 30:
            rows = rows.assign(**{name: rows[name].where(rows[name].isin(levels[:30]) | rows[name].isna(), "rest")})
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True))
    names = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing"),
        OneHotEncoder(drop="if_binary", handle_unknown="ignore", sparse_output=False),
    )
    columns = make_column_transformer(
        (numbers, make_column_selector(dtype_include=np.number)), (names, make_column_selector(dtype_exclude=np.number))
    )
    logistic = LogisticRegression(C=params.get("C", 1), solver="newton-cholesky", tol=1e-10)  # lbfgs stops hundredths before the end
    model = logistic if study.target.labels else Ridge(alpha=params["alpha"] * len(fold.train))
    rows = rows.astype(dict.fromkeys(rows.select_dtypes("str"), object))
    rows = rows.where(rows.notna(), np.nan)
    plain = make_pipeline(columns, StandardScaler(), model).fit(rows.iloc[fold.train], study.target.values[fold.train])
    np.testing.assert_allclose(found, answer(plain, rows.iloc[fold.test]), rtol=1e-6, atol=1e-6)


def test_the_tree_is_scikit_learns(prepared):
    found, params, _ = predictions(prepared, "tree")
    train, y, test = parts(prepared, "codes")
    kind = DecisionTreeClassifier if prepared.study.target.labels else DecisionTreeRegressor
    shape = {name: params[name] for name in ("max_depth", "min_samples_leaf")}
    shares = np.bincount(y) / len(y) if prepared.study.target.labels else ()
    impurity = 1 - np.sum(np.square(shares)) if prepared.study.target.labels else y.var()
    plain = kind(ccp_alpha=params["cp"] * impurity, random_state=0, **shape).fit(train, y)
    np.testing.assert_allclose(found, answer(plain, test), rtol=1e-6)


def test_the_forest_is_scikit_learns(prepared):
    found, params, seed = predictions(prepared, "forest")
    train, y, test = parts(prepared, "codes")
    kind = RandomForestClassifier if prepared.study.target.labels else RandomForestRegressor
    plain = kind(300, max_features=params["max_features"], random_state=seed).fit(train, y)
    np.testing.assert_allclose(found, answer(plain, test), rtol=1e-6)


def test_boosting_is_lightgbms(prepared):
    found, params, seed = predictions(prepared, "boosting")
    train, y, test = parts(prepared, "codes")
    stop = prepared.study.folds.folds[0].stop
    categorical = list(learn(prepared.study.expanded, prepared.study.folds.folds[0].train, "codes").categorical)
    fixed = {
        "objective": "binary" if prepared.study.target.labels else "regression",
        "learning_rate": params["learning_rate"],
        "num_leaves": params["num_leaves"],
        "min_data_in_leaf": params["min_data_in_leaf"],
        "feature_fraction": params["feature_fraction"],
        "seed": seed,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }

    def rows(chosen: np.ndarray) -> lightgbm.Dataset:
        return lightgbm.Dataset(train[chosen], y[chosen], categorical_feature=categorical)

    kept = rows(~stop)
    watched = kept.create_valid(train[stop], y[stop])
    first = lightgbm.train(fixed, kept, 1000, valid_sets=[watched], callbacks=[lightgbm.early_stopping(50, verbose=False)])
    plain = lightgbm.train(fixed, rows(np.ones(len(y), dtype=bool)), max(1, first.best_iteration)).predict(test)
    expected = np.column_stack([1 - plain, plain]) if prepared.study.target.labels else plain
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_no_column_known_only_after_reaches_a_model(prepared):
    late = set(prepared.resolved.problem.known_at.after)
    assert not late & {str(name).partition(".")[0] for name in prepared.study.expanded.columns}


@pytest.mark.parametrize(("name", "columns"), [("bike_hour", ["casual", "registered"]), ("ski_resort3", ["DAY_VISITS", "NIGHT_VISITS"])])
def test_the_known_leaks_are_declared(name, columns, shared):
    shared(name)
    made = prepare(HERE / f"{name}.yaml", (), silent, quick=True, code=False)
    assert set(columns) <= set(made.resolved.problem.known_at.after)
    assert pd.Index(columns).isin(made.resolved.table.frame.columns).all()
