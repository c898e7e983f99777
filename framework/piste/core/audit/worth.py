"""F03: what a forecast can be worth here at most: one who knows what comes, against the best choice that is always the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from piste.core.audit.survey import Survey, thinned
from piste.core.case import currency
from piste.core.check import Found, NotApplicable, check
from piste.core.decision import Actions, Came, Priced, Quantity
from piste.core.finding import Finding, short
from piste.core.predictive import Classes, Point, Predictive
from piste.core.statistics import sample

LITTLE = 0.05  # of the least fixed cost: what perfect foresight must save where nobody says what is worthwhile
MOST_CELLS = 4_000_000  # rows times units of a budget that are shared out at once


@dataclass(frozen=True, slots=True)
class Worth:
    """What decisions cost on average, by how often each answer came.

    Args:
        fixed: where nothing is known of a row: the action is the one that costs least on all; under a budget, the shares of
            actions are those that do.
        known: where it is known what comes.
        action: (n_rows,) the fixed choice.
        choice: the action that is always the same, in words; empty under a budget.
    """

    fixed: float
    known: float
    action: np.ndarray
    choice: str

    @property
    def saved(self) -> float:
        """Return what perfect foresight saves: the expected value of perfect information (Raiffa and Schlaifer 1961)."""
        return max(0.0, self.fixed - self.known)


@dataclass(frozen=True, slots=True)
class Past:
    """The rows that decisions are weighed on: what came, and how much each counts."""

    yardstick: Priced
    came: Came
    weight: np.ndarray  # (n_rows,)
    rows: np.ndarray  # (n_rows,) of the table

    def cost(self, action: np.ndarray) -> float:
        """Return what actions cost on average, (n_rows,) -> one number."""
        return float(np.average(self.yardstick.loss(action, self.came), weights=self.weight))

    def believing(self, predictive: Predictive) -> float:
        """Return what it costs on average to act as is best under a distribution."""
        return self.cost(self.yardstick.act(predictive, self.came))


def past_of(survey: Survey) -> Past | None:
    """Return the rows that decisions are weighed on; None where no cost is given.

    All rows but the holdout; under a budget so many whole groups of them as can be shared out at once.
    """
    yardstick, table, rows = survey.resolved.yardstick, survey.resolved.table, survey.rows
    if not isinstance(yardstick, Quantity | Actions):
        return None
    rows = rows[table.weight[rows] > 0]
    together = None
    if isinstance(yardstick, Actions) and yardstick.budget is not None:
        groups = survey.frame.groupby([*survey.resolved.together], sort=False, dropna=False).ngroup().to_numpy()
        rows = thinned(rows, groups, MOST_CELLS // (yardstick.budget + 1), survey.study.seed)
        together = groups[rows]
    target = table.target
    came = Came(
        target.values[rows],
        target.codes[rows] if target.classes else None,
        None if target.thresholds is None else target.thresholds[rows],
        together,
    )
    return Past(yardstick, came, table.weight[rows], rows)


def worth(past: Past) -> Worth:
    """Hold perfect foresight against the best fixed choice."""
    action, choice = _fixed(past)
    return Worth(_unknowing(past, action), past.cost(past.yardstick.foresight(past.came)), action, choice)


def most(survey: Survey, past: Past, found: Worth) -> float:
    """Return what knowing saves at most, as far as the rows can tell: the upper end of its 95% interval, by whole groups of rows.

    NaN where all rows stand or fall together.
    """
    actions = (found.action, past.yardstick.foresight(past.came))
    losses = np.stack([past.yardstick.loss(each, past.came) for each in actions], axis=1)
    drawn = sample(losses, past.weight, survey.folds.blocks[past.rows], ordered=survey.folds.ordered, seed=survey.study.seed)
    above = drawn.difference(0, 1)[2] - float(drawn.mean[0] - drawn.mean[1])
    return found.saved + above


def shares(past: Past) -> np.ndarray:
    """Return how often each class or level came, (n_levels,), by weight."""
    assert past.came.level is not None, "actions are priced by levels"
    assert isinstance(past.yardstick, Actions), "a quantity needs no levels"
    counts = np.bincount(past.came.level, weights=past.weight, minlength=past.yardstick.costs.shape[1])
    return np.asarray(counts / counts.sum())


def _fixed(past: Past) -> tuple[np.ndarray, str]:
    """Return the actions of one who knows nothing of a row but how often each answer came, and what they are in words."""
    yardstick, n_rows = past.yardstick, len(past.rows)
    if isinstance(yardstick, Quantity):
        amount = weighted_quantile(past.came.y, past.weight, yardstick.level)
        return np.full(n_rows, amount), short(amount)
    expected = yardstick.costs @ shares(past)
    if yardstick.budget is None:
        best = int(expected.argmin())
        return np.full(n_rows, best), f"'{yardstick.actions[best]}'"
    return yardstick.cheapest(np.tile(expected, (n_rows, 1)), past.came), ""


def _unknowing(past: Past, fixed: np.ndarray) -> float:
    """Return what the fixed choice costs: which row of a group gets which action is left to chance, so its mean over all levels counts."""
    if isinstance(past.yardstick, Quantity) or past.yardstick.budget is None:
        return past.cost(fixed)
    expected = past.yardstick.costs @ shares(past)
    return float(np.average(expected[fixed], weights=past.weight))


def weighted_quantile(values: np.ndarray, weight: np.ndarray, level: float) -> float:
    """Return the smallest value that a share of the weight does not exceed: the amount of least cost (newsvendor).

    >>> weighted_quantile(np.array([4.0, 1.0, 3.0, 2.0]), np.ones(4), 0.75)
    3.0
    """
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(weight[order])
    place = int(np.searchsorted(reached, level * reached[-1] * (1 - 1e-12)))
    return float(values[order][min(place, len(values) - 1)])


def sure_of(past: Past, value: float) -> Predictive:
    """Return the belief that every row is a certain number, or of a certain class."""
    if past.came.thresholds is None and past.came.level is not None:
        n_classes = past.yardstick.costs.shape[1] if isinstance(past.yardstick, Actions) else 0
        return Classes(np.tile(np.eye(n_classes)[int(value)], (len(past.rows), 1)))
    return Point(np.full(len(past.rows), value))


@check(
    "F03",
    "Not worth predicting",
    "block",
    "warn",
    computed="The value of perfect information: what the best choice that is always the same costs a decision, by how often each "
    "answer came in the rows (all but a holdout), less what one who knows every answer pays. Times `decision.per_year`.",
    threshold="Below `success.worthwhile`: a block where the upper end of the 95% interval is below it too, else a warning. Where "
    "nothing is said to be worthwhile: a warning below 5% of the best fixed cost.",
    alarm="A project is stopped that was worth it: the numbers are shown, and it can be acknowledged.",
    source="Expected value of perfect information: Raiffa and Schlaifer, Applied Statistical Decision Theory, 1961; with base rates "
    "also Murphy's value of a perfect forecast over climatology",
)
def not_worth_predicting(survey: Survey) -> Found | NotApplicable:
    """Tell that even a forecast that is always right would save too little over always doing the same."""
    past = past_of(survey)
    if past is None:
        return NotApplicable("no cost of a wrong decision is given")
    problem, found = survey.resolved.problem, worth(past)
    per_year, worthwhile = problem.decision.per_year if problem.decision else None, problem.success.worthwhile
    if worthwhile is None or per_year is None:
        return Found([_little(past, found)] if found.saved < LITTLE * found.fixed or found.fixed == 0 else [])
    if found.saved * per_year >= worthwhile:
        return Found()
    return Found([_too_little(past, found, most(survey, past, found) * per_year, per_year, worthwhile)])


def _too_little(past: Past, found: Worth, up_to: float, per_year: float, worthwhile: float) -> Finding:
    """Hold a year's value of perfect foresight, and what it may be up to, against what its owner says that it must be."""
    unit, saved = currency(past.yardstick.name), found.saved * per_year
    certain = up_to < worthwhile
    may = f"it may be up to {short(up_to)}{unit}" if np.isfinite(up_to) else "it may be more"
    doubt = f"As far as these rows can tell {may}; if it is not, no model can be worth its trouble"
    return Finding(
        "F03",
        "block" if certain else "warn",
        "decision",
        saved,
        worthwhile,
        f"Even perfect predictions save only {short(saved)}{unit} a year over {_over(past, found)}, "
        f"less than the {short(worthwhile)} that would make it worthwhile",
        "ask another question, or look at the costs again",
        "Whatever is trained, it cannot be worth its trouble" if certain else doubt,
        field="success.worthwhile",
    )


def _little(past: Past, found: Worth) -> Finding:
    """Say that perfect foresight saves next to nothing, where its owner does not say what it must save."""
    unit, over = currency(past.yardstick.name), _over(past, found)
    message = f"Even perfect predictions save only {short(found.saved)} of the {short(found.fixed)}{unit} that {over} costs"
    if found.fixed == 0:
        message = f"The same choice, {over}, is right in every row: there is nothing to predict"
    return Finding(
        "F03",
        "warn",
        "decision",
        found.saved,
        LITTLE * found.fixed,
        message,
        "look at `decision.cost` again: is this what mistakes cost? Else ask another question",
        "A forecast hardly changes what is best to do, so all models will look alike",
        field="decision.cost",
    )


def _over(past: Past, found: Worth) -> str:
    """Name the choice without a forecast."""
    if not found.choice:
        return "the best choice without a forecast"
    return f"always providing {found.choice}" if isinstance(past.yardstick, Quantity) else f"always choosing {found.choice}"
