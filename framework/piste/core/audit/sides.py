"""What stands on both sides of a split: the same rows, rows of one group, and in a holdout what was judged before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from piste.core.audit.cures import split
from piste.core.audit.future import IN_ORDER, clocks
from piste.core.audit.measures.copied import one_way
from piste.core.audit.measures.groups import FLATTERS, SURE, Flattery, Key, compare, flattery, keys
from piste.core.audit.measures.twins import Copies, copies, met, nearly
from piste.core.audit.survey import Survey
from piste.core.case import currency
from piste.core.check import Found, NotApplicable, check
from piste.core.finding import Finding, Severity, percent, short

LOOKED_UP = 0.01  # of the best rule's loss is saved by looking answers up: worth a warning
MEMORY = 0.5  # of it: then the test asks for memory
BY_CHANCE = 0.5  # of the equal pairs: then they are no copies
MANY_NEARLY, SOME_NEARLY = 0.02, 0.01  # of the rows looked at have a training row that hardly differs, beyond chance
FEWEST_NUMBERS = 3  # columns of a table in which rows that hardly differ are told from rows that are near
MEASURED = 10  # values, or fractions: of numbers that a copy would differ in
SURER = 3.0  # standard errors: of numbers, which are mostly amounts, more is asked
RESEMBLES = 0.05  # intraclass correlation of what rows of one group cost
WIDENS = 1.25  # times the variance of a mean, counted by groups: intervals that count rows are a tenth too narrow
ORDER_FLATTERS = 0.05  # of the cost
NEXT = 10  # rows that stand next to each other in the file
FEWEST = 10  # groups
USED_UP = 0.05  # of the holdout was judged before


@check(
    "L06",
    "Same rows on both sides",
    "block",
    "warn",
    "note",
    computed="Rows are hashed over all features and the target, numbers to 6 significant digits, and looked for in the training part of "
    "the fold that tests them. How many pairs chance makes equal is bounded by the pairs that differ in one column and in two; what "
    "only copies share, such as a name that models do not see, is asked where features cannot tell. What looking the answers up saves is "
    "measured against the best rule. Rows that hardly differ are searched too: of the same categories, ten times nearer to a training row "
    "than to the fifth next, different in most of the measured numbers, and with about the same answer.",
    threshold="More than half of the equal pairs are beyond chance. Warns where looking them up saves 1% of what the best rule loses; "
    "blocks at half, where the test mostly asks for memory. Real tables have up to a quarter of their rows twice (wine), so a share "
    "alone does not block. Rows that hardly differ: noted from 1% beyond chance, warned of from 2%.",
    alarm="Different cases that happen to agree are grouped or acknowledged: a line.",
    source="Kapoor and Narayanan 2023 (L1.4); deepchecks: TrainTestSamplesMix; Facco et al. 2017 for the distances to neighbours.",
)
def same_rows(survey: Survey) -> Found | NotApplicable:
    """Rows to be predicted that are in the training rows too, answer included, more often than chance would have it."""
    rows = survey.rows
    frame = survey.frame.iloc[rows]
    answer = pd.Series(survey.y[rows], index=frame.index, dtype=float)
    found = copies([*(frame[column.name] for column in survey.features), answer], survey.study.seed)
    if found.beyond_chance < BY_CHANCE and (unseen := _unseen(survey, frame)):
        whole = copies([*(frame[column.name] for column in survey.features), *unseen, answer], survey.study.seed)
        found = whole if whole.beyond_chance >= BY_CHANCE else found
    copied = len(survey.frame) + np.arange(len(survey.frame))
    copied[rows] = found.row
    known = met(copied, survey.folds.shown, len(survey.frame))
    share = float(np.nanmean(known))
    findings = [_copied(survey, found, known * found.beyond_chance, copied)] if share > 0 and found.beyond_chance >= BY_CHANCE else []
    if not any(finding.severity != "note" for finding in findings):
        findings += _nearly(survey, copied)
    return Found(tuple(findings))


def _unseen(survey: Survey, frame: pd.DataFrame) -> list[pd.Series]:
    """Return columns that models do not see, but copies share, such as a name; a number that counts the rows is none."""
    names = [column.name for column in survey.resolved.table.columns if column.role in ("identifier", "dropped")]
    return [frame[name] for name in names if not (pd.api.types.is_numeric_dtype(frame[name]) and one_way(frame[name].dropna().to_numpy()))]


def _copied(survey: Survey, found: Copies, known: np.ndarray, copied: np.ndarray) -> Finding:
    share, (before, after, saved) = float(np.nanmean(known)), _looked_up(survey, known)
    severity: Severity = "block" if saved >= MEMORY else "warn" if saved >= LOOKED_UP else "note"
    tests = round(share * int(np.isfinite(known).sum()))
    message = f"{tests:,} tested rows ({percent(share)}) are in the training rows too, to the last digit and with the same answer"
    if found.near < found.pairs:
        few = f"and only {found.near:,} differ in just one" if found.near else "yet no pair differs in just one"
        message += f"; hardly by chance: {found.pairs:,} pairs agree in every column, {few}"
    key = _gathers(survey, copied)
    if key:
        fix = f"keep them on one side: they share '{key}'"
    else:
        fix = (
            "delete the repeats if they are one record entered twice; if they are different cases, add a column with one number per set "
            "of equal rows, and write split: {together: THAT_COLUMN}"
        )
    yardstick = survey.resolved.yardstick
    cost = f"the cost of the best rule from {short(before)} to {short(after)}{currency(yardstick.name)} a decision"
    consequence = "Just looking up those answers, with nothing learned, would lower " + (
        cost if yardstick.priced else f"the {yardstick.name} of the best rule from {short(before)} to {short(after)}"
    )
    paste = _whole(survey, key) if key else ""
    limit = MEMORY if severity == "block" else LOOKED_UP
    return Finding("L06", severity, "rows", saved, limit, message, fix, consequence, paste, "data", harm=saved)


def _looked_up(survey: Survey, known: np.ndarray) -> tuple[float, float, float]:
    """Return what the best rule costs, what it costs who looks known answers up, as people read them, and the share of the loss saved.

    Args:
        survey: the problem.
        known: (n_rows,) how far the answer of each tested row is in its training rows, from 0 to 1.
    """
    if not survey.sampled_folds.folds or not survey.rules:
        return float("nan"), float("nan"), float(np.nanmean(known))
    court = survey.court
    lines, yardstick = court.lines, court.yardstick
    weight, share = court.weight[lines.judged], np.nan_to_num(known[lines.judged])
    perfect = np.zeros(len(lines.row))
    if yardstick.priced:
        perfect = yardstick.loss(yardstick.foresight(court.came), court.came)  # type: ignore[attr-defined]
    best = min((lines.mean(rule.column.lines) for rule in survey.rules), key=lambda losses: float(np.average(losses, weights=weight)))
    before = float(np.average(best, weights=weight))
    after = float(np.average(best - share * np.maximum(0.0, best - lines.mean(perfect)), weights=weight))
    return survey.shown(before), survey.shown(after), 1 - after / before if before > 0 else 0.0


def _gathers(survey: Survey, copied: np.ndarray) -> str:
    """Return a column that models do not see and that equal rows share, so that it keeps them together; empty where there is none."""
    rows = survey.rows[np.bincount(copied)[copied[survey.rows]] > 1]
    for column in survey.resolved.table.columns:
        values = survey.frame[column.name]
        if column.role not in ("identifier", "dropped") or values.isna().any() or column.name == survey.resolved.rule.together:
            continue
        sizes = values.value_counts()
        if len(sizes) >= 10 and sizes.iloc[0] <= len(values) / 10 and values.iloc[rows].groupby(copied[rows]).nunique().max() == 1:
            return column.name
    return ""


def _nearly(survey: Survey, copied: np.ndarray) -> list[Finding]:
    expanded = survey.study.expanded
    folds = [fold for fold in survey.folds.shown if fold.repeat == 0]
    is_number = np.array([pd.api.types.is_numeric_dtype(expanded[name]) for name in expanded])
    numbers, others = expanded.loc[:, is_number], expanded.loc[:, ~is_number]
    if len(numbers.columns) < 1 or len(expanded.columns) < FEWEST_NUMBERS:
        return []
    measured = ((numbers.nunique() >= MEASURED) | (numbers % 1 > 0).any()).to_numpy()
    if not measured.any():
        return []
    X = _scaled(numbers.fillna(numbers.median()).fillna(0.0).to_numpy(dtype=float))
    levels = (
        np.stack([pd.factorize(others[name])[0] for name in others], axis=1) if len(others.columns) else np.empty((len(X), 0), dtype=int)
    )
    y = np.eye(int(survey.y.max()) + 1)[survey.y] if survey.has_classes else _scaled(survey.y[:, None].astype(float))
    found = nearly(X, levels, y, folds, copied, measured, survey.study.seed)
    if found is None:
        return []
    share = float(found.twin.mean()) - found.chance
    error = float(np.sqrt(max(found.chance, 1 / len(found.twin)) / len(found.twin)))
    if share < max(SOME_NEARLY, 3 * error):
        return []
    message = (
        f"{percent(found.twin.mean())} of the tested rows hardly differ from a training row, in any column or in the answer; "
        f"by chance it would be {percent(found.chance)}"
    )
    consequence = "A model that remembers such rows looks better than it will be on rows that have no such twin"
    fix = (
        "find out whether these are one record measured or copied twice; if so, keep one, or keep them together: split: {together: COLUMN}"
    )
    severity: Severity = "warn" if share >= MANY_NEARLY else "note"
    return [Finding("L06", severity, "rows nearly the same", share, SOME_NEARLY, message, fix, consequence, "", "data")]


def _scaled(X: np.ndarray) -> np.ndarray:
    spread = X.std(axis=0)
    return np.asarray((X - X.mean(axis=0)) / np.where(spread > 0, spread, 1.0))


@check(
    "L07",
    "Groups straddle the split",
    "warn",
    "note",
    computed="Keys are columns that models do not see, dates, and columns of very many values with few rows each, if the split tears "
    "their groups apart. A quick model is judged on random folds, and on folds that keep the groups whole, on the same rows. So are "
    "rows that stand next to each other in the file, where nothing says what they are of. Where that makes no difference, what the best "
    "rule costs on rows of one group may still be alike (intraclass correlation): then intervals count more rows than there are.",
    threshold="The groups' random folds make scores look better by more than 3%, by 2 standard errors between groups (3 for numbers "
    "that models see); the order of the file is noted from 5% and 3 standard errors on. Or the costs of a group's rows correlate by more "
    "than 0.05, by 3 standard errors, so that the variance of a mean is 1.25 times what rows alone say. Values that come again, such as "
    "weekdays, are no groups.",
    alarm="Where only groups that are known from training will be asked about: one acknowledgement.",
    source="Kapoor and Narayanan 2023 (L3.2); Roberts et al. 2017, Cross-validation strategies for data with structure.",
)
def straddling_groups(survey: Survey) -> Found | NotApplicable:
    """Rows that belong together, such as those of one patient, on both sides of the split, where that makes models look better."""
    if survey.resolved.rule.scheme == "forward":
        return NotApplicable("rows are predicted from earlier ones: a group that was seen before then, will have been seen in use")
    found, alike, lines = [], [], []
    for key in keys(survey):
        if resembles := _resembling(survey, key):
            alike.append((key, resembles))
        flattered = flattery(survey, key.codes)
        if flattered is None:
            continue
        name = key.column.name
        lines.append({"column": name, "groups": key.n_groups, "known": flattered.known, "new": flattered.new, "flatters": flattered.share})
        sure = SURER if key.column.role == "feature" and key.column.kind == "number" else SURE
        if flattered.flatters(sure):
            found.append((key, flattered))
    found.sort(key=lambda pair: -pair[1].share)
    findings = [_straddles(survey, key, flattered) for place, (key, flattered) in enumerate(found) if not _within(key, found[:place])]
    if not findings and alike:
        findings = [max((_alike(survey, *each) for each in alike), key=lambda finding: finding.number)]
    if not findings:
        findings = _next_to_each_other(survey)
    return Found(tuple(findings), {"groups": pd.DataFrame(lines)} if lines else {})


def _resembling(survey: Survey, key: Key) -> tuple[float, float] | None:
    """Return how alike the best rule's costs are within groups, and how much wider a mean varies for it; None where not surely.

    Source: the one-way analysis of variance; the design effect of Kish, Survey Sampling, 1965.
    """
    if survey.resolved.rule.together or not survey.rules:
        return None
    lines = survey.court.lines
    best = min((survey.mean_loss(rule.column.lines), number) for number, rule in enumerate(survey.rules))[1]
    cost = lines.mean(survey.rules[best].column.lines)
    named = key.codes[lines.judged] >= 0
    cost, codes = cost[named], np.unique(key.codes[lines.judged][named], return_inverse=True)[1]
    size = np.bincount(codes)
    n_rows, n_groups = len(codes), len(size)
    if n_groups < FEWEST or n_rows == n_groups:
        return None
    mean = np.bincount(codes, cost) / size
    within = float(np.sum((cost - mean[codes]) ** 2)) / (n_rows - n_groups)
    between = float(np.sum(size * (mean - cost.mean()) ** 2)) / (n_groups - 1)
    usual = (n_rows - float(np.sum(size**2)) / n_rows) / (n_groups - 1)  # rows of a group
    if within == 0 or between / within - 1 <= SURER * np.sqrt(2 / (n_groups - 1)):
        return None
    alike = (between - within) / (between + (usual - 1) * within)
    wider = 1 + (usual - 1) * alike
    return (alike, wider) if alike > RESEMBLES and wider > WIDENS else None


def _alike(survey: Survey, key: Key, resembles: tuple[float, float]) -> Finding:
    name, (alike, wider) = key.column.name, resembles
    n_rows = len(survey.folds.judged)
    what = "costs" if survey.resolved.yardstick.priced else "errors"
    message = f"Rows of one '{name}' have similar {what} (correlation {alike:.2f}), and {_straddling(key)}"
    worth = f"your {n_rows:,} rows are worth about {short(n_rows / wider)} independent ones"
    consequence = f"{worth}: error margins are {wider**0.5:.1f} times too narrow"
    fix = f"keep all rows of one '{name}' on one side; error margins then count them as one, too"
    return Finding("L07", "warn", name, alike, RESEMBLES, message, fix, consequence, _whole(survey, name), "split.together")


def _straddling(key: Key) -> str:
    """Say how often a group is on both sides: "every tested row shares its 'date' with training rows"."""
    name = key.column.name
    which = "every tested row shares" if key.straddling > 0.995 else f"{percent(key.straddling)} of the tested rows share"
    return f"{which} its '{name}' with training rows" if key.straddling > 0.995 else f"{which} their '{name}' with training rows"


def _within(key: Key, others: Sequence[tuple[Key, Flattery]]) -> bool:
    """Tell whether keeping another key's groups whole keeps nearly all of this one's whole too."""
    rows = key.codes >= 0
    for other, _ in others:
        pairs = np.unique(np.stack([key.codes[rows], other.codes[rows]]), axis=1).shape[1]
        if pairs <= 1.1 * key.n_groups:
            return True
    return False


def _straddles(survey: Survey, key: Key, flattered: Flattery) -> Finding:
    name = key.column.name
    message = f"Rows of one '{name}' belong together, but {_straddling(key)}"
    compared = compare(survey, flattered, f"where it knows the '{name}' from training", f"where the '{name}' is new to it")
    consequence = f"{compared}: scores look {percent(flattered.share)} better than they are, if new ones will come"
    fix = f"keep all rows of one '{name}' on one side, so that a score says how it goes for a new one"
    paste = _whole(survey, name)
    if survey.frame[name].isna().any():
        fix, paste = f"{fix}; '{name}' is missing in some rows: fill it in first, then name it by split.together", ""
    return Finding("L07", "warn", name, flattered.share, FLATTERS, message, fix, consequence, paste, "split.together", harm=flattered.share)


def _whole(survey: Survey, key: str) -> str:
    """Write a split that keeps the groups of a column whole."""
    problem = survey.resolved.problem
    if survey.resolved.rule.scheme in ("predefined", "leave_one_out"):  # whose folds ask no `together`
        return split(problem, scheme="stratified" if survey.has_classes else "kfold", by=None, together=key)
    return split(problem, together=key)


def _next_to_each_other(survey: Survey) -> list[Finding]:
    """Note that rows next to each other in the file are alike, where nothing else says what they are of, nor when."""
    rule = survey.resolved.rule
    if rule.together or rule.by or clocks(survey) or survey.resolved.problem.time:
        return []
    steps = np.diff(survey.y[survey.rows].astype(float))
    if max(float(np.mean(steps >= 0)), float(np.mean(steps <= 0))) >= IN_ORDER:
        return []  # sorted by the answer, which a random split undoes
    flattered = flattery(survey, np.arange(len(survey.frame)) // NEXT)
    if flattered is None or flattered.share <= ORDER_FLATTERS or flattered.standing <= SURER:
        return []
    message = "Rows close together in the file are more alike than their columns explain: perhaps they are of one thing, place or time"
    compared = compare(survey, flattered, "where it has learned from the rows around", "where it has not")
    consequence = f"{compared}: scores look {percent(flattered.share)} better than they are, if new rows will come from elsewhere"
    fix = "add the column that says what they are of, as split: {together: COLUMN}; or one that says when, as time: COLUMN"
    return [Finding("L07", "note", "order of the rows", flattered.share, ORDER_FLATTERS, message, fix, consequence, "", "split")]


@check(
    "L14",
    "Holdout already judged",
    "warn",
    "note",
    computed="The rows of the holdout that earlier comparisons of this problem have judged, by the ledger of comparisons.",
    threshold="Warns from 5% of the holdout on; a smaller share is noted.",
    alarm="None: it is counted.",
    source="Kapoor and Narayanan 2023 (L1.1); Dwork et al. 2015, The reusable holdout.",
)
def holdout_judged_before(survey: Survey) -> Found | NotApplicable:
    """A holdout whose rows have been judged by earlier comparisons, so that choices were made with them."""
    held, before = survey.folds.holdout, survey.judged_before
    if not len(held):
        return NotApplicable("no holdout is declared")
    if before is None:
        return NotApplicable("earlier comparisons were not counted")
    counts = np.asarray(before)[held]
    used = int(np.sum(counts > 0))
    share, times = used / len(held), int(counts.max())
    if not used:
        return Found()
    comparisons = f"{times:,} earlier comparison{'s' * (times > 1)}"
    message = (
        f"{used:,} of the {len(held):,} rows of the holdout ({percent(share)}) were tested by {comparisons}, before they were set aside"
    )
    consequence = "What was chosen then has seen these rows, so the score on the holdout will look better than it is"
    fix = "set rows aside that no comparison has tested, such as those that came in since"
    severity: Severity = "warn" if share >= USED_UP else "note"
    return Found((Finding("L14", severity, "holdout", share, USED_UP, message, fix, consequence, "", "split.holdout"),))
