"""How the rows that are predicted differ from those that models learn from, and whether the split hides it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from piste.core.audit.cures import given
from piste.core.audit.measures.quick import Job, Quick, drawn, error_of, fitted, lesson, on, sources, standing
from piste.core.audit.measures.renamed import Renamed, renamed
from piste.core.audit.measures.skill import correlation, ranks_of
from piste.core.audit.survey import Survey, within
from piste.core.case import currency
from piste.core.check import Found, NotApplicable, check
from piste.core.errors import both
from piste.core.family import Task
from piste.core.finding import Finding, Severity, percent, short
from piste.core.pasted import scalar
from piste.core.split import Fold, text

FLATTERS = 0.03  # of the cost in time: from there on a split hides something
SURE = 2.0  # standard errors
CHUNKS = 20  # of time, each of them one piece of evidence
FEWEST_TIMES = 8
IN_ORDER = 0.95  # of the steps from row to row go the same way in time
APART = 0.65  # area under the ROC curve: how often a row to be predicted is told from one learnt from
HARM = 0.1  # dearer than on rows like those learnt from
STRETCHES = 20  # of time, every other one to learn from
TICKS = 0.98  # rank correlation with time: such a column is a clock
CALENDAR = 0.2  # of the changes from day to day that chance would make: a column with fewer names periods
MOST_LEVELS = 60  # of a column of the calendar
FEWEST_ROWS = 50  # on either side
BINS = 20
SHOWN = 3  # columns that are named
TELLS = 0.1  # of a column's rows, beyond chance, would have to change their values for it to tell nothing
UNSEEN = 0.01  # of the tested rows


@check(
    "L11",
    "Split makes scores look too good",
    "warn",
    computed="Where rows are divided at random although the table has a time: a quick boosting learns half of the rows and predicts the "
    "later ones, once from what came before, and once from a random half; both on the same rows, of the same size.",
    threshold="In time it costs 3% more than at random, by two standard errors between periods. Groups of rows that belong together are "
    "L07's, and what a random split makes of rows just before and after L08's.",
    alarm="The score is slightly pessimistic",
    source="Roberts et al., Cross-validation strategies for data with temporal, spatial, hierarchical or phylogenetic structure, 2017",
)
def flattering_split(survey: Survey) -> Found | NotApplicable:
    """A random split that makes models look better than they will be at predicting the future."""
    rule = survey.resolved.rule
    if rule.scheme not in ("kfold", "stratified"):
        return NotApplicable("rows are not divided at random")
    clock = _clock(survey)
    if clock is None:
        return NotApplicable("no column says when a row happened")
    halves = _halves(survey, clock)
    if halves is None:
        return NotApplicable("too few rows, or too few times, to learn from the past alone")
    at_random, in_time = (on(survey, replace(survey.folds, folds=folds, ordered=False)) for folds in halves)
    [easy], [hard] = at_random.losses(), in_time.losses()
    cheap, dear = at_random.cost(easy), in_time.cost(hard)
    share = (dear - cheap) / dear if dear > 0 else 0.0
    times = survey.frame[clock].iloc[in_time.judged]
    chunks = np.argsort(np.argsort(times.to_numpy(), kind="stable")) * CHUNKS // len(times)
    if share < FLATTERS or standing(hard - easy, in_time.weight, chunks) < SURE:
        return Found()
    return Found([_flatters(survey, clock, cheap, dear, share)])


def _flatters(survey: Survey, clock: str, cheap: float, dear: float, share: float) -> Finding:
    problem = survey.resolved.problem
    yardstick = survey.resolved.yardstick
    name, unit = (
        (f"{short(cheap)}{currency(yardstick.name)} a decision", currency(yardstick.name))
        if yardstick.priced
        else (f"{yardstick.name} {short(cheap)}", "")
    )
    message = (
        f"Your random split makes scores look {percent(share)} better than they are: {name} when a quick model may also use later rows, "
        f"{short(dear)}{unit} when only earlier ones, as in use"
    )
    kept = {key: value for key, value in given(problem.split).items() if key in ("together", "holdout")}
    lines = [f"split: {scalar({'scheme': 'forward', **kept})}"]
    if problem.time is None:
        lines.insert(0, f"time: {scalar(clock)}")
    return Finding(
        "L11",
        "warn",
        clock,
        share,
        FLATTERS,
        message,
        f"predict the future from the past, by '{clock}'",
        f"In use, expect about {short(dear)}{unit}, not the {short(cheap)}{unit} that the score would show",
        "\n".join(lines),
        "split.scheme",
        harm=share,
    )


def _clock(survey: Survey) -> str | None:
    """Return the column that says when a row happened: the problem's time, or a date in whose order the file stands."""
    problem, rows = survey.resolved.problem, survey.rows
    if problem.time is not None:
        return problem.time if survey.frame[problem.time].iloc[rows].notna().all() else None
    for column in survey.features:
        if column.kind == "datetime":
            times = survey.frame[column.name].iloc[rows]
            steps = times.diff().iloc[1:]
            zero = pd.Timedelta(0)
            if times.notna().all() and len(steps) and max((steps >= zero).mean(), (steps <= zero).mean()) >= IN_ORDER:
                return column.name
    return None


def _halves(survey: Survey, clock: str) -> tuple[tuple[Fold, ...], tuple[Fold, ...]] | None:
    """Return folds that test the later half of the rows, from a random half and from the half just before; None where there are too few.

    Rows of the problem's own blocks are never on both sides.
    """
    rows = drawn(survey)
    times = survey.frame[clock].iloc[rows]
    rank = times.rank(method="min").to_numpy() / len(rows)
    if times.nunique() < FEWEST_TIMES or len(rows) < 4 * FEWEST_ROWS:
        return None
    blocks = survey.folds.blocks
    middle, late = (rank > 0.5) & (rank <= 0.75), rank > 0.75
    names, codes = np.unique(blocks[rows], return_inverse=True)
    side = np.random.default_rng([survey.study.seed, 13]).permutation(len(names)) % 2 == 0
    tested = middle | late
    shuffled = [_fold(rows, (side[codes] == each) & tested, side[codes] != each, blocks) for each in (False, True)]
    forward = [_fold(rows, middle, rank <= 0.5, blocks), _fold(rows, late, (rank > 0.25) & (rank <= 0.75), blocks)]
    if any(len(fold.train) < FEWEST_ROWS or not len(fold.test) for fold in (*shuffled, *forward)):
        return None
    return tuple(shuffled), tuple(forward)


def _fold(rows: np.ndarray, test: np.ndarray, train: np.ndarray, blocks: np.ndarray) -> Fold:
    apart = train & ~np.isin(blocks[rows], blocks[rows[test]])
    return Fold("half", 0, rows[apart], np.zeros(int(apart.sum()), dtype=bool), rows[test])


def _said(survey: Survey, cost: float) -> str:
    """Write the cost of a quick model: "the rmse of a quick model is 2.31"."""
    yardstick = survey.resolved.yardstick
    if yardstick.priced:
        return f"a decision by a quick model costs {short(cost)}{currency(yardstick.name)}"
    return f"the {yardstick.name} of a quick model is {short(cost)}"


@check(
    "L12",
    "Test differs from training",
    "warn",
    "note",
    computed="A quick boosting is asked whether a row is of the latest test or of its training rows, out of sample: what it learnt on one "
    "half of each is asked of the other half. It does not see times, columns that count or name periods, nor identifiers.",
    threshold="In 65 of 100 pairs it tells the row to be predicted from the one learnt from (50 is chance). Warns where rows are "
    "set apart by a column (predefined) and a quick model also costs 10% more there than on training rows that it has not seen, by two "
    "standard errors; a forward split is noted, since its score is that of the latest rows already.",
    alarm="A note: seasons differ, and the score still says how it goes in the latest",
    source="Adversarial validation; deepchecks: multivariate drift (2 AUC - 1 > 0.25); Kapoor and Narayanan 2023 (L3.3)",
)
def other_rows(survey: Survey) -> Found | NotApplicable:
    """Rows to be predicted that are of another kind than those that models learn from."""
    shown = survey.folds.shown
    if survey.resolved.rule.scheme not in ("forward", "predefined") or (survey.resolved.rule.scheme == "predefined" and len(shown) > 1):
        return NotApplicable("every row is learnt from in one fold and predicted in another, so that both sides are the same rows")
    folds = within(replace(survey.sampled_folds, folds=survey.sampled_folds.folds[-1:]), drawn(survey)).folds
    if not folds or min(len(folds[0].train), len(folds[0].test)) < FEWEST_ROWS:
        return NotApplicable("too few rows to tell the sides of the split apart")
    fold = folds[0]
    clocks = _clocks(survey, fold)
    parts = {part: name for part, name in sources(survey).items() if name not in clocks}
    if not parts:
        return NotApplicable("but for times, no column is shown to a model")
    told = _told_apart(survey, fold, list(parts))
    if told < APART:
        return Found()
    table = _shift(survey, fold, sorted(set(parts.values())))
    return Found([_differs(survey, fold, told, table)], {"shift": table})


def _differs(survey: Survey, fold: Fold, told: float, table: pd.DataFrame) -> Finding:
    tells = [str(line.column) for line in table.itertuples() if line.apart - line.by_chance >= TELLS][:SHOWN]
    by = f", mostly by {both(tells)}" if tells else ""
    blind = " that is not told the time" if survey.resolved.problem.time else ""
    message = (
        f"The tested rows ('{fold.name}') are of another kind than those learnt from: shown one of each, a model{blind} tells them "
        f"apart {percent(told)} of the time (guessing: 50%){by}"
    )
    there, here, sure = _elsewhere(survey, fold)
    fixed = survey.resolved.rule.scheme == "predefined"
    harmful = fixed and there >= (1 + HARM) * here and sure >= SURE
    consequence = f"There {_said(survey, there)}, against {short(here)} on rows like those learnt from"
    consequence += ": no score can tell which of them comes in use" if harmful else ": scores say how it goes with such rows"
    fix = "if rows like these come in use, collect more of them to learn from; if not, test on others"
    severity: Severity = "warn" if harmful else "note"
    return Finding(
        "L12", severity, fold.name, told, APART, message, fix, consequence, "", "split", harm=max(0.0, there / here - 1) if harmful else 0.0
    )


def _clocks(survey: Survey, fold: Fold) -> frozenset[str]:
    """Return the columns that say when: dates, and numbers and names that follow the order of time or name its periods."""
    problem = survey.resolved.problem
    dates = {column.name for column in survey.features if column.kind == "datetime"}
    rows = np.sort(np.concatenate([fold.train, fold.test]))
    times = survey.frame[problem.time].iloc[rows] if problem.time else None
    order = ranks_of(rows.astype(float)) if times is None else times.rank().to_numpy()
    days = np.empty(0, dtype=int) if times is None else _one_a_day(times, survey.study.seed)
    found = {*dates, *([problem.time] if problem.time else [])}
    for column in survey.features:
        values = survey.frame[column.name].iloc[rows]
        if column.name in found:
            continue
        if pd.api.types.is_numeric_dtype(values):
            seen = values.notna().to_numpy()
            if seen.sum() > FEWEST_ROWS and abs(correlation(ranks_of(values.to_numpy(dtype=float)[seen]), order[seen])) >= TICKS:
                found.add(column.name)
                continue
        if len(days) >= FEWEST_ROWS and _changes(pd.factorize(values, use_na_sentinel=False)[0][days]) <= CALENDAR:
            found.add(column.name)
    return frozenset(found)


def _one_a_day(times: pd.Series, seed: int) -> np.ndarray:
    """Return the place of one row of each day, drawn at random, in the order of time."""
    mixed = np.random.default_rng([seed, 15]).permutation(len(times))
    return np.asarray(mixed[np.unique(times.dt.normalize().to_numpy()[mixed], return_index=True)[1]])


def _changes(codes: np.ndarray) -> float:
    """Return how often a column of few values changes from one day to the next, against its values shuffled over the days at random."""
    share = np.bincount(codes) / len(codes)
    if not 2 <= np.count_nonzero(share) <= MOST_LEVELS:
        return 1.0
    return float(np.mean(codes[1:] != codes[:-1]) / (1 - share @ share))


def _told_apart(survey: Survey, fold: Fold, parts: Sequence[str]) -> float:
    """Return how often a row of the test is told from one of training: the area under the ROC curve.

    Each half of both is told apart by a model that learnt on the other half. In time, a half is every other stretch of it: what is
    learnt of one week has to hold in the next, in the same season.
    """
    rows = np.concatenate([fold.train, fold.test])
    is_test = np.arange(len(rows)) >= len(fold.train)
    time = survey.resolved.problem.time
    if time is None:
        half = np.concatenate([_halved(survey, side) for side in (fold.train, fold.test)])
    else:
        ranks = [survey.frame[time].iloc[side].rank(method="min").to_numpy() - 1 for side in (fold.train, fold.test)]
        half = np.concatenate([(rank * STRETCHES // len(rank)) % 2 == 0 for rank in ranks])
    expanded = survey.study.expanded[list(parts)].iloc[rows].reset_index(drop=True)
    task = Task("classes", len(rows), 2)
    jobs, asked = [], []
    for side in (False, True):
        train, test = np.flatnonzero(half == side), np.flatnonzero(half != side)
        if len(np.unique(is_test[train])) < 2 or len(np.unique(is_test[test])) < 2:
            continue
        piece = Fold("side", 0, train, np.zeros(len(train), dtype=bool), test)
        learnt = lesson(expanded, is_test.astype(int), survey.study.weight[rows], piece, survey.probe)
        jobs.append(Job(survey.probe, task, learnt, np.arange(learnt.test.shape[1]), survey.study.seed))
        asked.append(is_test[test])
    areas = [_area(found[:, 1], truth) for found, truth in zip(fitted(jobs), asked, strict=True)]
    return float(np.mean(areas)) if areas else 0.5


def _halved(survey: Survey, rows: np.ndarray) -> np.ndarray:
    """Divide rows in two at random, whole blocks on one side: a mask (n_rows,)."""
    names, codes = np.unique(survey.folds.blocks[rows], return_inverse=True)
    return np.asarray((np.random.default_rng([survey.study.seed, 14]).permutation(len(names)) % 2 == 0)[codes])


def _area(score: np.ndarray, truth: np.ndarray) -> float:
    """Return the area under the ROC curve: how often a true row scores above a false one, ties counting half.

    >>> _area(np.array([0.1, 0.4, 0.4, 0.9]), np.array([False, False, True, True]))
    0.875
    """
    n_true = int(truth.sum())
    n_false = len(truth) - n_true
    return float((ranks_of(score)[truth].sum() - n_true * (n_true + 1) / 2) / (n_true * n_false))


def _shift(survey: Survey, fold: Fold, columns: Sequence[str]) -> pd.DataFrame:
    """Return by how much each column differs between the sides, the most telling first.

    `apart` is the share of the test's rows that would have to take other values for it to look like training (total variation, of
    numbers in bins of equal size), `by_chance` what that is on average between samples of the same kind.
    """
    rows = np.concatenate([fold.train, fold.test])
    n_train = len(fold.train)
    lines = []
    for name in columns:
        values = survey.frame[name].iloc[rows]
        if pd.api.types.is_numeric_dtype(values) and values.nunique() > BINS:
            numbers = values.to_numpy(dtype=float)
            cuts = np.unique(np.nanquantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1]))
            codes = np.where(np.isnan(numbers), len(cuts) + 1, np.searchsorted(cuts, numbers, side="right"))
        else:
            codes = pd.factorize(values, use_na_sentinel=False)[0]
        sides = [np.bincount(side, minlength=int(codes.max()) + 1) / len(side) for side in (codes[:n_train], codes[n_train:])]
        share = np.bincount(codes) / len(codes)
        chance = np.sqrt(2 / np.pi * share * (1 - share) * (1 / n_train + 1 / len(fold.test))).sum() / 2
        lines.append((name, float(np.abs(sides[0] - sides[1]).sum() / 2), float(chance)))
    order = sorted(lines, key=lambda line: (line[2] - line[1], line[0]))
    return pd.DataFrame(order, columns=["column", "apart", "by_chance"])


def _elsewhere(survey: Survey, fold: Fold) -> tuple[float, float, float]:
    """Return what a quick model costs on a test, what it costs on training rows that it has not seen, and how sure the difference is.

    Both are tested in two halves, each dressed with the errors of the other, by models of half of the training rows.
    """
    blocks, everything = survey.folds.blocks, np.concatenate([fold.train, fold.test])
    side = np.zeros(len(survey.frame), dtype=bool)
    side[everything] = _halved(survey, everything)

    def tried(rows: np.ndarray) -> tuple[Quick, np.ndarray]:
        pieces = []
        for each in (False, True):
            test = rows[side[rows] == each]
            train = fold.train[(side[fold.train] != each) & ~np.isin(blocks[fold.train], blocks[test])]
            if len(train) > 1 and len(test):
                pieces.append(Fold("half", 0, train, np.zeros(len(train), dtype=bool), test))
        found = on(survey, replace(survey.folds, folds=tuple(pieces), ordered=False))
        return found, found.losses()[0]

    (there, dear), (here, cheap) = tried(fold.test), tried(fold.train)
    error = float(np.hypot(error_of(dear, there.weight, there.blocks), error_of(cheap, here.weight, here.blocks)))
    sure = (there.mean(dear) - here.mean(cheap)) / error if error > 0 else 0.0
    return there.cost(dear), here.cost(cheap), sure


@check(
    "L13",
    "Unseen levels",
    "warn",
    "note",
    computed="The values of every text column in the tests of all folds, and whether the fold's training rows have them. And, whatever "
    "the split, values that end in time and others that begin after them, spelt alike or alike in every column that goes with them.",
    threshold="1% of the tested rows hold a value that no training row has: noted. A value that seems to have been renamed is warned of.",
    alarm="None: an unseen value counts as missing, and new ones may well come in use. Of a renaming: one acknowledgement",
    source="deepchecks: new categories in test",
)
def unseen_levels(survey: Survey) -> Found | NotApplicable:
    """Names in the rows to be predicted that models never met in training, and names that were given up for others in between."""
    rule = survey.resolved.rule
    columns = [each.name for each in survey.features if each.kind == "category" and each.name not in (rule.together, rule.by)]
    if not columns:
        return NotApplicable("models see no column of names")
    folds = [fold for fold in survey.folds.shown if fold.repeat == 0]
    n_judged = sum(len(fold.test) for fold in folds)
    findings = [_renamed(each) for name in columns for each in renamed(survey, name)]
    for name in columns:
        codes, levels = pd.factorize(survey.frame[name])
        new = np.zeros(len(levels), dtype=int)  # tested rows of each level that had not been met
        for fold in folds:
            met = np.zeros(len(levels) + 1, dtype=bool)
            met[codes[fold.train]] = True
            met[-1] = True  # the place of -1: what is missing is no name
            test = codes[fold.test]
            new += np.bincount(test[~met[test]], minlength=len(levels))
        share = int(new.sum()) / n_judged
        if share >= UNSEEN:
            findings.append(_unseen(name, share, [str(levels[code]) for code in np.argsort(-new, kind="stable")[:SHOWN] if new[code]]))
    return Found(sorted(findings, key=lambda finding: (-finding.number, finding.on)))


def _renamed(found: Renamed) -> Finding:
    since = text(found.since)
    message = f"In '{found.column}', '{found.before}' stops and '{found.after}' starts on {since}: probably renamed"
    consequence = f"Models see two things and know nothing of '{found.after}' ({found.rows:,} rows) from before"
    fix = f"in your table, write '{found.after}' in all rows"
    return Finding("L13", "warn", found.column, found.rows, 0, message, fix, consequence, "", f"columns.{found.column}")


def _unseen(name: str, share: float, levels: Sequence[str]) -> Finding:
    message = f"{percent(share)} of the tested rows hold a value of '{name}' that no training row has, such as {both(levels)}"
    consequence = f"Models take '{name}' as missing there, and learn nothing from it about these rows"
    fix = "nothing, if new ones come in use as often; if these are other spellings of known ones, correct them in your table"
    return Finding("L13", "note", name, share, UNSEEN, message, fix, consequence, "", f"columns.{name}")
