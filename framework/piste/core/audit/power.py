"""F04: how small a gain the rows can show, if there is one."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from piste.core.audit.cures import given
from piste.core.audit.survey import Survey
from piste.core.case import currency
from piste.core.check import Found, NotApplicable, check
from piste.core.decision import Actions, Yardstick
from piste.core.entrants import Entrant
from piste.core.finding import Finding, percent, short
from piste.core.losses import loss_matrix
from piste.core.melt import ROW
from piste.core.pasted import scalar
from piste.core.problem import amount
from piste.core.statistics import SAME, Sample, sample

SKILL = 2 / 3  # of the way from acting right just often enough to gain, to always
KNOWING_MORE = 2.0  # of two normal forecasts, by the squares of their errors
POWER = 0.8  # with which a gain is to be shown


@check(
    "F04",
    "The rows cannot show the gain that is asked for",
    "warn",
    computed="The smallest gain over the rule to beat that shows with 80% power at the confidence of `success`: z^2 s^2 / G, with z the "
    "sum of the two quantiles of Student's t (1.645 + 0.84 with many groups), and s the standard error, by whole groups of rows, of "
    "the difference G between that rule and another. The variance of a difference grows with its size: one who knows a little more "
    "than the rule errs where it errs. Of all rules whose difference shows itself, the one that promises most counts; also the rule's own "
    "loss L with standard error s, of which 2 z^2 s^2 / L shows (two normal forecasts of which one knows more; of actions, one who acts "
    "otherwise than the rule in some rows, and is right there two thirds of the way from just often enough to always). On at most 50,000 "
    "rows; scaled to all.",
    threshold="Larger than `success.by`.",
    alarm="Somebody collects rows that were not needed. In eleven real tables it was between 0.06 and 5 times what quick models came to, "
    "0.6 times in the median: it rather misses than cries wolf.",
    source="Power analysis of a paired difference (Cohen 1988); that its variance grows with the difference: nested forecasts with normal "
    "errors, of which one saves a share g of the squared error, differ with 2g - g^2 times the variance of the error's square",
)
def cannot_show_the_gain(survey: Survey) -> Found | NotApplicable:
    """Tell that luck alone makes differences as large as the gain that is asked for, so that no verdict can come of the comparison."""
    if not survey.sampled_folds.shown:
        return NotApplicable("no part of the rows is tested")
    rules = _best_of_each(survey)
    if not rules:
        return NotApplicable("no rule to beat could be computed")
    problem, court, yardstick = survey.resolved.problem, survey.court, survey.resolved.yardstick
    base = next((name for name in rules if name == problem.success.beat), next(iter(rules)))
    columns = [rules[base].column, *(rules[name].column for name in rules if name != base)]
    rows, blocks = court.lines.judged, survey.folds.blocks
    losses = np.pad(loss_matrix(columns, court.lines), ((0, 0), (0, 1)))  # one who is never wrong is the last
    drawn = sample(losses, court.weight[rows], blocks[rows], ordered=survey.folds.ordered, seed=problem.seed)
    mean = float(drawn.mean[0])
    shown = float(yardstick.shown(mean))
    asked = mean - yardstick.meant(max(0.0, shown - amount(problem.success.by, shown)))
    if asked <= 0:
        return NotApplicable("no gain is asked for, or the rule to beat is never wrong")
    if drawn.n_blocks < 2:
        return NotApplicable("all rows that are tested stand or fall together")
    n_blocks = len(np.unique(blocks[survey.folds.judged]))
    toll = _toll(yardstick, losses[:, 0], losses[:, -1], survey.resolved.table.target.codes[rows], court.weight[rows])
    times = smallest_gain(drawn, problem.success.confidence, toll) * min(1.0, drawn.n_blocks / n_blocks) / asked
    if times <= 1:
        return Found()
    return Found([_too_small_to_show(survey, base, shown, shown - survey.shown(mean - times * asked), n_blocks, times)])


def smallest_gain(drawn: Sample, confidence: float, toll: float = KNOWING_MORE) -> float:
    """Return the smallest gain over the first column that shows with POWER; never more than all of its loss.

    A difference that does not show itself tells nothing; one that does tells that a larger one shows too, since its error
    grows no faster than itself.

    Args:
        drawn: losses of the rule to beat, of other rules, and last of one who is never wrong.
        confidence: with which a gain is to be shown.
        toll: times the variance for each unit of gain of one who is never wrong: what a model has that is wrong at times.
    """
    from scipy import stats

    z = float(stats.t.isf(1 - confidence, drawn.degrees) + stats.t.isf(1 - POWER, drawn.degrees))
    loss, last = float(drawn.mean[0]), len(drawn.mean) - 1
    found = [loss]
    for other in range(1, len(drawn.mean)):
        error, size = drawn.difference(0, other)[0], abs(loss - float(drawn.mean[other]))
        if size > SAME * loss and size >= z * error:
            found.append((toll if other == last else 1.0) * (z * error) ** 2 / size)
    return min(found)


def _toll(yardstick: Yardstick, rule: np.ndarray, best: np.ndarray, codes: np.ndarray, weight: np.ndarray) -> float:
    """Return how much more variance a model has for each unit of gain than one who is never wrong.

    Of actions: one who acts otherwise than the rule is right in some of these rows, and pays in the others. It gains from a share of
    right ones on that a cost of 1 against 5 puts at 5 in 6; two thirds of the way from there to always are taken.

    Args:
        yardstick: what decisions cost.
        rule: (n_rows,) losses of the rule.
        best: (n_rows,) losses of one who is never wrong.
        codes: (n_rows,) level of each row.
        weight: (n_rows,).
    """
    if not isinstance(yardstick, Actions) or yardstick.budget is not None or len(yardstick.costs) < 2:
        return KNOWING_MORE
    ordered = np.sort(yardstick.costs, axis=0)
    won, lost = rule - best, (ordered[1] - ordered[0])[codes]
    mistaken = won > SAME * float(np.abs(rule).mean())
    if not mistaken.any() or mistaken.all():
        return KNOWING_MORE
    gain, gain2 = (float(np.average(won[mistaken] ** k, weights=weight[mistaken])) for k in (1, 2))
    loss, loss2 = (float(np.average(lost[~mistaken] ** k, weights=weight[~mistaken])) for k in (1, 2))
    enough = loss / (gain + loss)
    right = enough + SKILL * (1 - enough)
    mean = float(np.average(won, weights=weight))
    variance = float(np.average((won - mean) ** 2, weights=weight))
    net = right * gain - (1 - right) * loss
    if net <= 0 or variance <= 0:
        return KNOWING_MORE
    return (right * gain2 + (1 - right) * loss2) / net * mean / variance


def _best_of_each(survey: Survey) -> dict[str, Entrant]:
    """Return the rules to beat by name, each in the column in which it decides best, the best rule first."""
    best: dict[str, Entrant] = {}
    for each in sorted(survey.rules, key=lambda each: (survey.mean_loss(each.column.lines), each.column.name)):
        best.setdefault(each.column.entry.removeprefix("baseline:"), each)
    return best


def _too_small_to_show(survey: Survey, rule: str, cost: float, least: float, n_blocks: int, times: float) -> Finding:
    """Word it: the least gain that shows, as `success.by` is written, and how many groups would show what is asked for.

    Args:
        survey: the problem.
        rule: the rule to beat.
        cost: what it costs, as shown.
        least: the least gain that shows, in the same unit.
        n_blocks: groups that are judged.
        times: how many times as many would show the gain that is asked for.
    """
    resolved = survey.resolved
    success, groups = resolved.problem.success, _groups(survey)
    share = isinstance(success.by, str)
    number, threshold = (least / cost, amount(success.by, 1.0)) if share else (least, amount(success.by, cost))
    unit = currency(resolved.yardstick.name) if resolved.yardstick.priced else f" of {resolved.yardstick.name}"
    seen = f"of less than about {percent(number) if share else f'{short(number)}{unit}'}" if least < cost else "of any size"
    asks = "you ask for" if "by" in success.model_fields_set else "what counts as worth having is"
    wanted = str(success.by) if share else f"{short(threshold)}{unit}"
    enough = f"{math.ceil(100 * number)}%" if share else _rounded_up(number)
    return Finding(
        "F04",
        "warn",
        "success.by",
        number,
        threshold,
        f"With {n_blocks:,} {groups}, a gain {seen} over the rule '{rule}' cannot be told from luck; {asks} {wanted}",
        f"collect at least {short(math.ceil(n_blocks * (times - 1)))} more {groups}, or ask for a gain that shows",
        "The comparison will probably end without a verdict, even if a model is as good as that",
        f"success: {scalar({**given(success), 'by': enough})}" if least < cost else "",
        "success.by",
    )


def _groups(survey: Survey) -> str:
    """Say what stands or falls together."""
    rule, time = survey.resolved.rule, survey.resolved.problem.time
    if rule.together:
        return "rows" if rule.together == ROW else f"values of '{rule.together}'"
    if survey.folds.ordered and time:
        return "days" if pd.api.types.is_datetime64_any_dtype(survey.frame[time]) else f"values of '{time}'"
    return f"values of '{rule.by}'" if rule.scheme == "leave_one_out" and rule.by else "rows"


def _rounded_up(value: float) -> float:
    """Return the next number of two digits.

    >>> _rounded_up(1.234), _rounded_up(0.081), _rounded_up(180.2)
    (1.3, 0.081, 190.0)
    """
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / step - 1e-9) * step:.3g}")
