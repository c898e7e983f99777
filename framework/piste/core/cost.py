"""What is decided by a prediction, what each decision costs, in three shapes, as its author writes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, model_validator

from piste.core.errors import near
from piste.core.part import DURATION, Is, Names, Part, Positive, Text, listed, refuse

AMOUNTS, EVENTS = ("over", "under"), ("false_alarm", "miss")  # pairs of keys, which no action may be named by
CLOCK = r"-?(\d+)d ([01]?\d|2[0-3]):([0-5]\d)"

Priced = Annotated[float, Field(gt=0), Is("a number above 0 (where one mistake is free, nothing is left to decide)")]
Moment = Annotated[
    str,
    Field(pattern=rf"^({CLOCK}|-{DURATION.pattern})$"),
    Is('a moment before `time`: a clock time days before, such as "-1d 18:00", or a length of time such as "-2h"'),
]


def _whole_pair(value: Any, pair: tuple[str, str]) -> Any:
    """Let a pair of costs pass, and no half of it."""
    if not isinstance(value, Mapping):
        return value
    given = [key for key in pair if key in value]
    lists = [key for key in given if isinstance(value[key], list | tuple)]
    if lists:
        refuse(f"must name no action '{lists[0]}', which stands for one number in {{{pair[0]}: ..., {pair[1]}: ...}}")
    if other := [key for key in (*AMOUNTS, *EVENTS) if key in value and key not in pair]:
        refuse(f"must be {{over, under}} or {{false_alarm, miss}}, but mixes '{given[0]}' and '{other[0]}'")
    if len(given) == 1:
        [missing] = {*pair} - {*given}
        if meant := next((key for key in value if key not in pair and near(key, [missing])), None):
            refuse(f"must give '{missing}' beside '{given[0]}', but gives '{meant}'.{near(meant, [missing])}")
        refuse(f"must give '{missing}' beside '{given[0]}': the decision weighs one against the other")
    return value


class QuantityCost(Part):
    """How much to provide: what one unit too much costs, and one too little."""

    over: Priced = Field(description="what one unit too much costs")
    under: Priced = Field(description="what one unit too little costs")
    unit: Positive = Field(1.0, description="how much of the target makes one unit: 400 where a marshal looks after 400 skiers")

    @model_validator(mode="before")
    @classmethod
    def _pair(cls, value: Any) -> Any:
        return _whole_pair(value, AMOUNTS)


class EventCost(Part):
    """Whether to act: what acting costs where nothing comes, and not acting where it comes."""

    false_alarm: Priced = Field(description="what acting costs where nothing comes")
    miss: Priced = Field(description="what not acting costs where it comes")

    @model_validator(mode="before")
    @classmethod
    def _pair(cls, value: Any) -> Any:
        return _whole_pair(value, EVENTS)


def _row(costs: tuple[float, ...]) -> tuple[float, ...]:
    if len(costs) < 2:
        refuse(f"must hold a number for each level, and so at least two, but holds {len(costs)}")
    return costs


Row = Annotated[
    tuple[Annotated[float, Field(ge=0), Is("a cost of 0 or more (a gain is a lower cost)")], ...],
    BeforeValidator(lambda value: tuple(value) if isinstance(value, list) else value),
    AfterValidator(_row),
]


class MatrixCost(Part):
    """Which action to take: what each costs at each level, lowest level first."""

    actions: Mapping[Annotated[str, Field(min_length=1)], Row] = Field(description="each action, and its cost at each level")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if not isinstance(value, Mapping) or (set(value) == {"actions"} and isinstance(value["actions"], Mapping)):
            return value
        for key, costs in value.items():
            hint = near(key, (*AMOUNTS, *EVENTS)) if isinstance(costs, int | float) else ""
            if hint:
                refuse(f"must be {{over, under}}, {{false_alarm, miss}} or lists of costs, but gives one number for '{key}'.{hint}")
        if len(value) < 2:
            refuse(f"must price at least two actions, or there is nothing to decide, but prices {'one' if value else 'none'}")
        return {"actions": value}


def _shape(value: Any) -> str | None:
    """Tell the shapes of cost apart by their keys."""
    if isinstance(value, Part):
        return type(value).__name__
    if not isinstance(value, Mapping):
        return None
    kinds = {"QuantityCost": AMOUNTS, "EventCost": EVENTS}
    return next((name for name, pair in kinds.items() if not value.keys().isdisjoint(pair)), "MatrixCost")


Cost = Annotated[
    Annotated[QuantityCost, Tag("QuantityCost")] | Annotated[EventCost, Tag("EventCost")] | Annotated[MatrixCost, Tag("MatrixCost")],
    Discriminator(_shape),
    Is("{over: ..., under: ...}, {false_alarm: ..., miss: ...}, or each action with a list of its cost at each level"),
]


def decision_shape(cost: QuantityCost | EventCost | MatrixCost) -> int | None:
    """Return the number of levels that a cost tells apart; None for a quantity, which needs none."""
    match cost:
        case QuantityCost():
            return None
        case EventCost():
            return 2
        case MatrixCost(actions=actions):
            return len(next(iter(actions.values())))


class Budget(Part):
    """What the actions of rows that are decided together may use up."""

    units: Annotated[int, Field(ge=1), Is("a whole number from 1")] = Field(description="how many there are to give out")
    uses: Mapping[str, Annotated[int, Field(ge=0), Is("a whole number from 0")]] = Field(
        default_factory=dict, description="units that each action takes; where not given, 0 for the first action, 1 for the second ..."
    )
    per: Names = Field((), description="columns: rows that agree in them share the budget; `time` where not given")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return short_budget(value)


def short_budget(value: Any) -> Any:
    """Write the short form of `budget` out: its units."""
    return {"units": value} if isinstance(value, int) and not isinstance(value, bool) else value


def _rising(factors: tuple[float, ...]) -> tuple[float, ...]:
    if factors[0] >= factors[1]:
        refuse(f"must rise, as in [0.5, 2], but {factors[1]:g} follows {factors[0]:g}")
    return factors


class Decision(Part):
    """What changes because of the prediction."""

    owner: Text | None = Field(None, description="who decides")
    made_at: Moment | None = Field(
        None, description='when, relative to `time`: "-1d 18:00" is 18:00 on the day before, "-2h" two hours before'
    )
    actions: Names = Field((), description="the actions of `cost` in the order in which they are shown")
    cost: Cost | None = Field(None, description="what mistakes cost; then models are ranked by the cost of the decisions that they lead to")
    currency: Text | None = Field(None, description="what costs are counted in, e.g. EUR")
    cost_range: (
        Annotated[
            tuple[Annotated[float, Field(gt=0)], ...],
            Field(min_length=2, max_length=2),
            BeforeValidator(listed, json_schema_input_type=tuple[Annotated[float, Field(gt=0)], ...]),
            AfterValidator(_rising),
            Is("two rising factors above 0, as in [0.5, 2]"),
        ]
        | None
    ) = Field(None, description="factors on the cost of too little, between which the champion is also sought")
    per_year: Positive | None = Field(None, description="decisions a year: turns a cost per decision into one per year")
    budget: Annotated[Budget, Is("a whole number, or a mapping with 'units', 'uses' and 'per'")] | None = Field(
        None, description="what the actions of rows that are decided together may use up"
    )

    @property
    def uses(self) -> dict[str, int]:
        """Return the units of the budget that each action takes, in the order of the actions; none without a matrix of costs."""
        if not isinstance(self.cost, MatrixCost):
            return {}
        said = self.budget.uses if self.budget else {}
        return {name: said.get(name, 0) if said else place for place, name in enumerate(self.actions or self.cost.actions)}


def dominated(decision: Decision) -> dict[str, str]:
    """Return the actions that can never be right, each with one that costs no more at any level.

    One that takes fewer units of a budget than the other may be right all the same. Of two that cost the same, the first
    is kept.
    """
    if not isinstance(decision.cost, MatrixCost):
        return {}
    costs, uses = decision.cost.actions, decision.uses if decision.budget else {}
    found: dict[str, str] = {}
    for place, (name, row) in enumerate(costs.items()):
        for other_place, (other, other_row) in enumerate(costs.items()):
            no_cheaper = all(cost >= rival for cost, rival in zip(row, other_row, strict=True)) and uses.get(name, 0) >= uses.get(other, 0)
            twin = row == other_row and uses.get(name, 0) == uses.get(other, 0)
            if name != other and no_cheaper and (not twin or other_place < place):
                found.setdefault(name, other)
    return found
