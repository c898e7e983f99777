"""What being wrong costs, and the action that costs least under a predictive distribution."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np

from piste.core.metrics import Metric
from piste.core.predictive import Classes, Predictive


@dataclass(frozen=True, slots=True)
class Came:
    """What came, line by line."""

    y: np.ndarray  # (n_lines,) values; codes of classes
    level: np.ndarray | None = None  # (n_lines,) the class that came, where the target has classes or levels
    thresholds: np.ndarray | None = None  # (n_lines, n_levels - 1) of a number cut into levels
    together: np.ndarray | None = None  # (n_lines,) lines that share a budget

    def take(self, chosen: np.ndarray) -> Came:
        """Return the chosen lines."""
        parts = (self.y, self.level, self.thresholds, self.together)
        return Came(*(None if part is None else part[chosen] for part in parts))  # type: ignore[arg-type]


class Yardstick(Protocol):
    """How an action is chosen, and what it cost: a metric, or the cost of a decision."""

    @property
    def name(self) -> str:
        """Return what the mean loss is called once shown."""

    @property
    def priced(self) -> bool:
        """Tell whether losses are costs of a decision."""

    def act(self, predictive: Predictive, came: Came) -> np.ndarray:
        """Return the best action of each line, (n_lines, ...). Of what came, only what is known before may be looked at."""

    def loss(self, action: np.ndarray, came: Came) -> np.ndarray:
        """Return what each action cost, (n_lines,)."""

    def shown(self, mean: Any) -> Any:
        """Return a mean loss as people read it; increasing."""

    def meant(self, shown: float) -> float:
        """Return the mean loss that is shown as this."""


@dataclass(frozen=True, slots=True)
class ByMetric:
    """No cost is known: the action is the prediction that the metric asks for (Gneiting 2011)."""

    metric: Metric
    priced: Literal[False] = False

    @property
    def name(self) -> str:
        """Return the metric's name."""
        return self.metric.cost_name

    def act(self, predictive: Predictive, came: Came) -> np.ndarray:
        """Return the mean, the median or the probabilities."""
        if self.metric.functional == "probabilities":
            assert isinstance(predictive, Classes), "a metric of classes judges framings of classes"
            return predictive.probabilities
        return predictive.mean() if self.metric.functional == "mean" else predictive.quantile(0.5)

    def loss(self, action: np.ndarray, came: Came) -> np.ndarray:
        """Return the metric's loss of each line."""
        return self.metric.loss(came.y, action)

    def shown(self, mean: Any) -> Any:
        """Return the metric of a mean loss."""
        return self.metric.shown(mean)

    def meant(self, shown: float) -> float:
        """Return the mean loss behind a value of the metric."""
        return shown**2 if self.metric.shown is np.sqrt else shown


@dataclass(frozen=True, slots=True)
class Quantity:
    """How much to provide: too much costs `over` for each unit of the target, too little `under`.

    The best amount is the quantile at under / (over + under), and its cost is (over + under) times its pinball loss.
    """

    name: str
    over: float
    under: float
    priced: Literal[True] = True

    @property
    def level(self) -> float:
        """Return the quantile that costs least."""
        return self.under / (self.over + self.under)

    def act(self, predictive: Predictive, came: Came) -> np.ndarray:
        """Return the amount to provide."""
        return predictive.quantile(self.level)

    def loss(self, action: np.ndarray, came: Came) -> np.ndarray:
        """Return what too much or too little cost."""
        short = came.y - action
        return np.asarray(self.under * np.maximum(short, 0.0) + self.over * np.maximum(-short, 0.0))

    def shown(self, mean: Any) -> Any:
        """Return the cost as it is."""
        return mean

    def meant(self, shown: float) -> float:
        """Return the cost as it is."""
        return shown

    def foresight(self, came: Came) -> np.ndarray:
        """Return the actions of one who knows what comes."""
        return came.y

    def scaled(self, factor: float) -> Quantity:
        """Return it with too little costing so many times as much."""
        return replace(self, under=self.under * factor)


@dataclass(frozen=True, slots=True)
class Actions:
    """Which action to take: each costs something else at each level that may come.

    With a budget, the actions of lines that are decided together use up at most so many units of it.
    """

    name: str
    actions: tuple[str, ...]
    costs: np.ndarray  # (n_actions, n_levels)
    budget: int | None = None
    uses: tuple[int, ...] = ()  # (n_actions,) units of the budget
    priced: Literal[True] = True

    def expected(self, predictive: Predictive, came: Came) -> np.ndarray:
        """Return the expected cost of every action, (n_lines, n_actions)."""
        return np.asarray(probabilities(predictive, came.thresholds) @ self.costs.T)

    def act(self, predictive: Predictive, came: Came) -> np.ndarray:
        """Return the code of the action that is expected to cost least; within the budget, that all together cost least."""
        return self.cheapest(self.expected(predictive, came), came)

    def cheapest(self, expected: np.ndarray, came: Came) -> np.ndarray:
        """Choose by expected costs, (n_lines, n_actions) -> (n_lines,) codes."""
        if self.budget is None:
            return np.asarray(expected.argmin(axis=1))
        assert came.together is not None, "a budget is shared by lines that are decided together"
        return allocate(expected, np.array(self.uses), self.budget, came.together)

    def loss(self, action: np.ndarray, came: Came) -> np.ndarray:
        """Return what each action cost at the level that came."""
        assert came.level is not None, "actions are priced by levels"
        return np.asarray(self.costs[action, came.level])

    def shown(self, mean: Any) -> Any:
        """Return the cost as it is."""
        return mean

    def meant(self, shown: float) -> float:
        """Return the cost as it is."""
        return shown

    def foresight(self, came: Came) -> np.ndarray:
        """Return the actions of one who knows what comes."""
        assert came.level is not None, "actions are priced by levels"
        return self.cheapest(self.costs.T[came.level], came)

    def scaled(self, factor: float) -> Actions:
        """Return it with too little costing so many times as much: what an action costs above the level that it is meant for."""
        own = self.costs.argmin(axis=1)
        above = np.arange(self.costs.shape[1]) > own[:, None]
        return replace(self, costs=np.where(above, self.costs * factor, self.costs))


Priced = Quantity | Actions


def probabilities(predictive: Predictive, thresholds: np.ndarray | None) -> np.ndarray:
    """Return the probability of each level, (n_rows, n_levels).

    >>> from piste.core.predictive import Point
    >>> probabilities(Point(np.array([3.0])), np.array([[2.0, 4.0]]))
    array([[0., 1., 0.]])
    """
    if isinstance(predictive, Classes):
        return predictive.probabilities
    assert thresholds is not None, "a number has levels where thresholds cut it"
    reached = np.minimum.accumulate(predictive.reaches(thresholds), axis=1)
    ones, zeros = np.ones((len(reached), 1)), np.zeros((len(reached), 1))
    falling = np.concatenate([ones, reached, zeros], axis=1)
    return np.asarray(falling[:, :-1] - falling[:, 1:])


def allocate(expected: np.ndarray, uses: np.ndarray, budget: int, together: np.ndarray) -> np.ndarray:
    """Choose an action for every line so that each group of lines stays within the budget and costs least.

    Exact, by dynamic programming over what is left of the budget, all groups at once.

    Args:
        expected: (n_lines, n_actions) expected costs.
        uses: (n_actions,) whole units that an action uses; some action uses none.
        budget: whole units that a group may use.
        together: (n_lines,) group of each line.

    Returns:
        (n_lines,) codes of actions.

    >>> saving = np.array([[9.0, 1.0], [9.0, 5.0], [9.0, 2.0]])
    >>> allocate(saving, np.array([0, 1]), 2, np.zeros(3, dtype=int))
    array([1, 0, 1])
    """
    groups, codes, sizes = np.unique(together, return_inverse=True, return_counts=True)
    order = np.argsort(codes, kind="stable")
    place = np.arange(len(order)) - np.repeat(np.cumsum(sizes) - sizes, sizes)  # of a line within its group
    most, n_groups = int(sizes.max(initial=0)), len(groups)
    costs = np.zeros((n_groups, most, expected.shape[1]))
    costs[:, :, uses > 0] = np.inf  # a place that a smaller group does not fill takes no action
    costs[codes[order], place] = expected[order]
    best = np.zeros((n_groups, budget + 1))  # least cost of the lines so far, with so much of the budget at hand
    taken = np.zeros((most, n_groups, budget + 1), dtype=int)
    for line in range(most):
        tried = np.full((len(uses), n_groups, budget + 1), np.inf)
        for action, used in enumerate(uses.tolist()):
            if used <= budget:
                tried[action, :, used:] = best[:, : budget + 1 - used] + costs[:, line, action, None]
        taken[line] = tried.argmin(axis=0)
        best = tried.min(axis=0)
    left = np.full(n_groups, budget)
    chosen = np.empty(len(together), dtype=int)
    actions = np.empty((n_groups, most), dtype=int)
    for line in reversed(range(most)):
        actions[:, line] = taken[line, np.arange(n_groups), left]
        left = left - uses[actions[:, line]]
    chosen[order] = actions[codes[order], place]
    return chosen
