"""M08: whether what the champion leaves unexplained still follows a column, or itself."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pandas as pd

from piste.core.audit.survey import thinned
from piste.core.belief import belief
from piste.core.case import Case
from piste.core.check import Found, NotApplicable, check
from piste.core.features import expand, feature_kinds, without_clock
from piste.core.finding import Finding, percent
from piste.core.horizon import horizon
from piste.core.pasted import scalar
from piste.core.review.evidence import RULES, Evidence
from piste.core.statistics import sample

LEFT = 0.02  # of the squared error that a small tree explains
DEPTH = 4
LEAF = 0.01  # of the rows, in a leaf; and never fewer than LEAST
LEAST = 10
MOST_ROWS = 20_000
ALIKE = 0.2  # correlation of an error with the one before it
SURE = 3.0  # standard errors
FEW = 50  # pairs of rows
EVEN = 0.25  # by which a step in time may differ from the usual one


@check(
    "M08",
    "Structure left in the errors",
    "note",
    computed="A tree of depth 4 learns the champion's errors from all columns, on the rows of other folds (forward in time, of earlier "
    "ones): the share of their squares that it explains out of fold. And the correlation of the error of a row with that of the latest "
    "row before it, in the same series, whose answer is known when it is decided on.",
    threshold="More than 2%, above nothing by its 95% interval over blocks of rows; a correlation above 0.2, and above three standard "
    "errors.",
    alarm="A few trials in vain: a simpler champion, preferred because it is as good, leaves a little on purpose.",
    source="Belsley, Kuh and Welsch, Regression diagnostics, 1980; Durbin and Watson, Testing for serial correlation in least squares "
    "regression, 1950.",
)
def nothing_left(evidence: Evidence) -> Found | NotApplicable:
    """The champion's errors can be predicted, from the columns it was given or from the errors before them."""
    if evidence.keeps_rule:
        return RULES
    return Found([*_by_columns(evidence), *_by_themselves(evidence)])


def _errors(case: Case) -> np.ndarray:
    """Return what came less what the champion expected, (n_lines, 1), or of each class or level, (n_lines, n_classes)."""
    column, came = case.entrants[case.champion].column, case.court.came
    answer = belief(case.court, case.plan.asked[column.framing], column).answer
    if answer.ndim == 1:
        return np.asarray(came.y - answer)[:, None]
    assert came.level is not None, "probabilities are of classes or levels"
    return np.asarray(np.eye(answer.shape[1])[came.level] - answer)


def _by_columns(evidence: Evidence) -> Iterator[Finding]:
    """Tell whether a small tree predicts the errors."""
    from sklearn.tree import DecisionTreeRegressor

    case = evidence.case
    lines, errors, X, names = case.court.lines, _errors(case), *_columns(case)
    usable = np.isin(lines.row, thinned(lines.judged, case.folds.blocks, MOST_ROWS, case.resolved.problem.seed)) | ~lines.counts
    usable &= (lines.repeat == 0) & np.isfinite(errors).all(axis=1)
    told, importance = np.full(errors.shape, np.nan), np.zeros(len(names))
    for part in np.unique(lines.part[lines.counts]):
        mine = np.flatnonzero((lines.part == part) & lines.counts & usable)
        others = lines.others(int(part))
        others = others[usable[others]]
        if len(others) < 2 * LEAST or not len(mine):
            continue
        leaf = max(LEAST, int(LEAF * len(others)))
        tree = DecisionTreeRegressor(max_depth=DEPTH, min_samples_leaf=leaf, random_state=0)
        tree.fit(X[lines.row[others]], errors[others], sample_weight=case.court.weight[lines.row[others]])
        told[mine] = tree.predict(X[lines.row[mine]]).reshape(len(mine), -1) - np.average(errors[others], axis=0)
        importance += tree.feature_importances_
    asked = np.flatnonzero(np.isfinite(told).all(axis=1))
    if not len(asked) or not importance.any():
        return
    rows, centred = lines.row[asked], errors[asked] - np.average(errors[asked], axis=0, weights=case.court.weight[lines.row[asked]])
    squares = np.stack([(centred**2).sum(axis=1), ((centred - told[asked]) ** 2).sum(axis=1)], axis=1)
    order = np.argsort(rows, kind="stable")
    drawn = sample(
        squares[order],
        case.court.weight[rows[order]],
        case.folds.blocks[rows[order]],
        ordered=case.folds.ordered,
        seed=case.resolved.problem.seed,
    )
    share = 1 - float(drawn.mean[1] / drawn.mean[0]) if drawn.mean[0] > 0 else 0.0
    if not (share > LEFT and drawn.difference(0, 1)[1] > 0):
        return
    first = names[int(importance.argmax())]
    message = f"The errors of {evidence.row.title} still depend on '{first}', which explains {percent(share)} of them (squared)"
    follows = f"Using it would cut errors by about {percent(1 - math.sqrt(1 - share))}"
    fix = f"add a column made of '{first}' and what it acts with, or try more settings of models that are not linear"
    paste = f"search: {{trials: {max(20, 2 * case.resolved.problem.search.trials)}}}"
    yield Finding("M08", "note", first, share, LEFT, message, fix, follows, paste, "search.trials")


def _columns(case: Case) -> tuple[np.ndarray, list[str]]:
    """Return the columns that models see as numbers, (n_rows, n_columns), levels as codes, and their names."""
    table = case.resolved.table
    expanded = without_clock(expand(table.frame, [column.name for column in table.features]))
    kinds = feature_kinds(expanded)
    columns = [
        pd.factorize(expanded[name], sort=True)[0].astype(float) if kind == "category" else expanded[name].to_numpy(dtype=float)
        for name, kind in kinds.items()
    ]
    return np.column_stack(columns) if columns else np.zeros((len(expanded), 1)), list(kinds) or [""]


def _by_themselves(evidence: Evidence) -> Iterator[Finding]:
    """Tell whether an error is like the latest one that is known before it."""
    case, problem = evidence.case, evidence.case.resolved.problem
    if problem.time is None:
        return
    frame, lines = case.resolved.table.frame, case.court.lines
    times = frame[problem.time]
    mine = np.flatnonzero(lines.counts & (lines.repeat == 0))
    rows = lines.row[mine]
    seconds = (times - times.min()).dt.total_seconds().to_numpy()
    series = list(problem.series)
    codes = frame.groupby(series, sort=False, dropna=False).ngroup().to_numpy()[rows] if series else np.zeros(len(rows), dtype=int)
    errors = pd.DataFrame(_errors(case)[mine]).groupby([codes, seconds[rows]]).mean()  # rows of one time count once
    if len(errors) < FEW:
        return
    names, at, values = errors.index.get_level_values(0).to_numpy(), errors.index.get_level_values(1).to_numpy(), errors.to_numpy()
    same = names[1:] == names[:-1]
    if not same.any():
        return
    step = float(np.median((at[1:] - at[:-1])[same]))
    least = horizon(problem)
    back = max(1, math.ceil(least.total_seconds() / step - 1e-9)) if least is not None else 1
    near = (names[back:] == names[:-back]) & (np.abs(at[back:] - at[:-back] - back * step) <= EVEN * step)
    if near.sum() < FEW:
        return
    values = values - values.mean(axis=0)
    later, earlier = values[back:][near], values[:-back][near]
    scale = math.sqrt(float((later**2).sum() * (earlier**2).sum()))
    alike = float((later * earlier).sum()) / scale if scale > 0 else 0.0
    error = 1 / math.sqrt(len(np.unique(at[back:][near])))  # series of one time may share their luck
    if alike > ALIKE and alike > SURE * error:
        yield _memory(evidence, alike, back * step)


def _memory(evidence: Evidence, alike: float, seconds: float) -> Finding:
    case, problem = evidence.case, evidence.case.resolved.problem
    lag = _lag(seconds)
    before = f"{lag} before" if lag else "before it"
    message = f"The errors of {evidence.row.title} repeat themselves: the correlation with the one {before} is {alike:.2f}"
    less = 1 - math.sqrt(1 - alike**2)
    follows = f"The last error tells something of the next one; a model that used it would cut errors by about {percent(less)}"
    target = case.court.target.name
    name = target if target.isidentifier() else f"`{target}`"
    asked, paste = evidence.plainly_asked, ""
    if lag and asked and case.resolved.rule.scheme == "forward" and not problem.target.columns and not case.court.target.labels:
        lagged = {"with_lags": {"as": next(iter(asked)), "add": [f"{name}@-{lag}"]}}
        paste = f"framings: {scalar(asked | lagged)}"
    fix = f"let models see what came {before}" + (
        "" if case.resolved.rule.scheme == "forward" else ", which takes folds that go forward in time"
    )
    return Finding("M08", "note", problem.time or "", alike, ALIKE, message, fix, follows, paste, "framings")


def _lag(seconds: float) -> str:
    """Write a length of time as a lag has it; empty where it is no whole number of minutes.

    >>> _lag(86400), _lag(5400), _lag(7200)
    ('1d', '90min', '2h')
    """
    length = timedelta(seconds=seconds)
    for unit, size in (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("min", timedelta(minutes=1))):
        if length >= size and length % size == timedelta():
            return f"{length // size}{unit}"
    return ""
