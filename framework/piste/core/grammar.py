"""What an expression is: a tree of frozen nodes, of which nothing is ever executed.

    expression := if condition then expression {else if condition then expression} else expression | sum
    sum        := product {(+ | -) product}
    product    := factor {(* | /) factor}
    factor     := - factor | number | column [@-7d] | (expression) [grouping] | function(expression)
                | aggregate(expression or condition) [grouping] | if ...
    grouping   := by column {and column}
    condition  := comparisons (== != < <= > >=) joined by and, or, not and parentheses

A column is a bare name, or any text in `backticks`; a text in quotes can only be compared. `by` groups every aggregate
to its left that has no `by` of its own yet, back to the parenthesis that encloses it: in
`sum(count) / sum(tickets) by run` both sums are of a run, in `sum(count) / (sum(tickets) by run)` only the second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Any, Literal

FUNCTIONS = ("log", "exp", "sqrt", "abs")
AGGREGATES = ("mean", "median", "sum", "min", "max", "share")  # beside q10 .. q90
COMPARISONS = ("==", "!=", "<=", ">=", "<", ">")


class ExpressionError(ValueError):
    """What is wrong with an expression, in words that follow "but", and the character (from 1; 0: the whole)."""

    def __init__(self, message: str, position: int = 0) -> None:
        """Keep both as arguments, so that the error survives the way from a worker process."""
        super().__init__(message, position)
        self.message = message
        self.position = position

    def __str__(self) -> str:
        return self.message


@dataclass(frozen=True, slots=True)
class Lag:
    """How long before; without a unit, in the unit of a numeric time column."""

    amount: float
    unit: Literal["min", "h", "d", "w", ""]

    def __str__(self) -> str:
        return f"@-{int(self.amount) if self.amount.is_integer() else self.amount}{self.unit}"

    @property
    def delta(self) -> timedelta:
        """Return the length of time of a lag with a unit."""
        assert self.unit, "a lag without a unit has no length of time"
        units = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
        return self.amount * units[self.unit]


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression, and the character where it starts (from 1)."""

    at: int


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number."""

    value: float


@dataclass(frozen=True, slots=True)
class Text(Node):
    """A text to compare a column with."""

    value: str


@dataclass(frozen=True, slots=True)
class Column(Node):
    """The value of a column in the same row."""

    name: str


@dataclass(frozen=True, slots=True)
class Lagged(Node):
    """The value of a column exactly so long before, in the same series."""

    column: str
    lag: Lag

    @property
    def name(self) -> str:
        """Name the column of a frame that holds it, e.g. "count@-7d"."""
        return f"{self.column}{self.lag}"


@dataclass(frozen=True, slots=True)
class Negative(Node):
    """Minus a value."""

    of: Node


@dataclass(frozen=True, slots=True)
class Chain(Node):
    """A sum or a product, computed from left to right."""

    first: Node
    rest: tuple[tuple[str, Node], ...]


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function of a value."""

    function: str
    of: Node


@dataclass(frozen=True, slots=True)
class Aggregate(Node):
    """A statistic over rows, of each group of `by`; of all rows where `by` is empty."""

    name: str
    of: Node
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice(Node):
    """The value of the first case that holds, or else the last one."""

    cases: tuple[tuple[Node, Node], ...]
    otherwise: Node


@dataclass(frozen=True, slots=True)
class Comparison(Node):
    """A condition on two values."""

    left: Node
    operator: str
    right: Node


@dataclass(frozen=True, slots=True)
class Junction(Node):
    """Conditions joined by "and" or by "or"."""

    word: str
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not(Node):
    """The opposite of a condition."""

    of: Node


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression as written, and as understood."""

    text: str
    root: Node

    def __str__(self) -> str:
        return self.text


def below(node: Node) -> list[Node]:
    """Return the nodes that lie directly below a node, in the order of the text."""
    return [part for field in fields(node) for part in _nodes(getattr(node, field.name))]


def _nodes(value: Any) -> list[Node]:
    if isinstance(value, tuple):
        return [node for part in value for node in _nodes(part)]
    return [value] if isinstance(value, Node) else []


def walk(node: Node) -> Iterator[Node]:
    """Yield a node, then all below it, in the order of the text."""
    pending = [node]
    while pending:
        node = pending.pop()
        yield node
        pending += reversed(below(node))


def columns(expression: Expression) -> set[str]:
    """Return every column that an expression names, lagged ones and groups included."""
    found: set[str] = set()
    for node in walk(expression.root):
        if isinstance(node, Column):
            found.add(node.name)
        elif isinstance(node, Lagged):
            found.add(node.column)
        elif isinstance(node, Aggregate):
            found.update(node.by)
    return found


def row_columns(expression: Expression) -> set[str]:
    """Return the columns that an expression reads in the row itself: groups, and what is neither aggregated nor lagged."""
    found: set[str] = set()
    pending = [expression.root]
    while pending:
        node = pending.pop()
        if isinstance(node, Column):
            found.add(node.name)
        if isinstance(node, Aggregate):
            found.update(node.by)
        else:
            pending += below(node)
    return found


def lags(expression: Expression) -> list[tuple[str, Lag]]:
    """Return each lagged column with its lag, once, in the order of the text."""
    return list(dict.fromkeys((node.column, node.lag) for node in walk(expression.root) if isinstance(node, Lagged)))


def aggregates(expression: Expression) -> bool:
    """Tell whether anything must be learnt from training rows."""
    return any(isinstance(node, Aggregate) for node in walk(expression.root))
