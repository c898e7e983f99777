"""From the text of an expression to its tree, by recursive descent."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from math import isfinite
from typing import Any

from piste.core.errors import near
from piste.core.grammar import (
    AGGREGATES,
    COMPARISONS,
    FUNCTIONS,
    Aggregate,
    Call,
    Chain,
    Choice,
    Column,
    Comparison,
    Expression,
    ExpressionError,
    Junction,
    Lag,
    Lagged,
    Negative,
    Node,
    Not,
    Number,
    Text,
)

MOST_CHARACTERS = 2000
MOST_LEVELS = 25  # of nesting: far below the interpreter's own limit
LONGEST_LAG = timedelta(days=36525)
KEYWORDS = ("if", "then", "else", "and", "or", "not", "by")
TOKEN = re.compile(
    r"""(?P<blank>\s+)
    |(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    |(?P<lag>@-(?P<amount>[0-9]+(?:\.[0-9]+)?)(?P<unit>min|h|d|w)?(?![\w.]))
    |`(?P<quoted>[^`]+)`
    |'(?P<text>[^']*)'|"(?P<text2>[^"]*)"
    |(?P<name>[^\W\d]\w*)
    |(?P<sign>==|!=|<=|>=|[-+*/()<>])""",
    re.VERBOSE,
)
POWER = "write a power as a product, x * x"
INSTEAD = {  # what people write from habit
    ",": "join columns with 'and', as in mean(count) by run and hour",
    "^": POWER,
    "=": "compare with ==",
    "&": "join conditions with 'and'",
    "|": "join conditions with 'or'",
    "!": "write 'not', or != to compare",
    "@": "a lag is written column@-7d, with min, h, d or w (no unit where time is a number); it looks back, never ahead",
    "`": "close the name with a second backtick",
    "'": "close the text with a second quote",
    '"': "close the text with a second quote",
    ".": "a column whose name holds a dot goes in backticks; there are no attributes",
    "[": "a column whose name holds a bracket goes in backticks; nothing is indexed",
    "%": "write a share as a number, 0.2",
}
SPLIT = "did YAML split this at a comma? Then quote the whole text"


def parse(text: str) -> Expression:
    """Understand an expression.

    Raises:
        ExpressionError: it does not follow the grammar.

    >>> parse("mean(count) by run").root
    Aggregate(at=1, name='mean', of=Column(at=6, name='count'), by=('run',))
    """
    if len(text) > MOST_CHARACTERS:
        raise ExpressionError(f"it has {len(text):,} characters; at most {MOST_CHARACTERS:,} are read")
    return Expression(text, _Parser(text).whole())


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, lag, quoted, text, name, sign or end
    text: str
    at: int
    lag: Lag | None = None

    def says(self, *words: str) -> bool:
        """Tell whether this is one of these words or signs of the grammar."""
        return self.kind in ("name", "sign") and self.text in words

    def __str__(self) -> str:
        return {"text": f"the text '{self.text}'", "quoted": f"`{self.text}`"}.get(self.kind, f"'{self.text}'")


def _tokens(text: str) -> list[_Token]:
    found, at = [], 0
    while at < len(text):
        match = TOKEN.match(text, at)
        if match is None:
            sign = text[at]
            shown = f"'{sign}'" if sign.isprintable() else f"the character U+{ord(sign):04X}"
            raise ExpressionError(f"{shown} stands at character {at + 1}: {INSTEAD.get(sign, 'no expression holds it')}", at + 1)
        if match["blank"] is None:
            found.append(_token(match))
        at = match.end()
    return [*found, _Token("end", "", len(text) + 1)]


def _token(match: re.Match[str]) -> _Token:
    kind, at = match.lastgroup or "", match.start() + 1
    if match["lag"]:
        return _Token("lag", match[0], at, _lag(match, at))
    if kind == "number" and not isfinite(float(match[0])):
        raise ExpressionError(f"the number at character {at} is too large", at)
    return _Token(kind.removesuffix("2"), match[kind], at)


def _lag(match: re.Match[str], at: int) -> Lag:
    unit: Any = match["unit"] or ""
    lag = Lag(float(match["amount"]), unit)
    if not 0 < lag.amount < 1e15 or (unit and lag.amount > LONGEST_LAG / Lag(1.0, unit).delta):
        raise ExpressionError(f"the lag '{match[0]}' at character {at} must look back: by more than 0, and by 100 years at most", at)
    return lag


def _condition(node: Node) -> Node:
    """Let only a condition pass."""
    if not isinstance(node, Comparison | Junction | Not):
        raise ExpressionError(f"a value stands at character {node.at} where a condition is expected, such as hour >= 9", node.at)
    return node


def _number(node: Node) -> Node:
    """Let only a number, or what may be one, pass."""
    if isinstance(node, Text):
        raise ExpressionError(
            f"the text '{node.value}' stands at character {node.at}: it can only be compared, as in weather == 'snow'", node.at
        )
    if isinstance(node, Comparison | Junction | Not):
        tip = "write if ... then 1 else 0"
        raise ExpressionError(f"a condition stands at character {node.at} where a number is expected: {tip}", node.at)
    return node


class _Parser:
    """Reads tokens from left to right; each method reads what its name says, by the grammar, and returns its node."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.next = 0
        self.level = 0
        self.open: list[int] = []  # where the parentheses stand that are open
        self.ungrouped: list[int] = []  # where the aggregates stand that have no `by` yet
        self.reach = 0  # a `by` groups ungrouped[reach:]
        self.by: dict[int, tuple[str, ...]] = {}  # where an aggregate stands -> its groups

    @property
    def token(self) -> _Token:
        return self.tokens[self.next]

    def step(self) -> _Token:
        """Go over the next token."""
        self.next += 1
        return self.tokens[self.next - 1]

    def take(self, *words: str) -> _Token | None:
        """Go over the next token if it is one of these words or signs."""
        return self.step() if self.token.says(*words) else None

    def need(self, word: str) -> None:
        if not self.take(word):
            raise self.lost(f"an operator or '{word}'")

    def lost(self, wanted: str) -> ExpressionError:
        """Say what stands where something else is expected."""
        token = self.token
        if token.kind == "end" and self.open:
            return ExpressionError(f"the parenthesis opened at character {self.open[-1]} is not closed; {SPLIT}", self.open[-1])
        if token.kind == "end":
            return ExpressionError(f"it ends where {wanted} is expected", token.at)
        tip = ""
        if token.says("*") and self.next and self.tokens[self.next - 1].says("*"):
            tip = f": {POWER}"
        elif token.says(")") and not self.open:
            tip = f"; no parenthesis is open: {SPLIT}"
        elif token.says(*KEYWORDS):
            tip = f"; a column of that name goes in backticks, `{token.text}`"
        return ExpressionError(f"{token} stands at character {token.at} where {wanted} is expected{tip}", token.at)

    def whole(self) -> Node:
        node = _number(self.expression())
        if self.token.kind != "end":
            raise self.lost("an operator or the end")
        return self.grouped(node)

    def grouped(self, node: Node) -> Node:
        """Return a tree with the groups of every aggregate in place."""
        node = replace(node, **{field.name: self.regrouped(getattr(node, field.name)) for field in fields(node)})
        return replace(node, by=self.by.get(node.at, ())) if isinstance(node, Aggregate) else node

    def regrouped(self, value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(self.regrouped(each) for each in value)
        return self.grouped(value) if isinstance(value, Node) else value

    def expression(self) -> Node:
        """Read a value or a condition, one level further in; a `by` inside it reaches no further left."""
        reach, self.reach = self.reach, len(self.ungrouped)
        node = self.deeper(self.disjunction)
        self.reach = reach
        return node

    def deeper(self, read: Callable[[], Node]) -> Node:
        self.level += 1
        if self.level > MOST_LEVELS:
            raise ExpressionError(f"it is nested more than {MOST_LEVELS} levels deep at character {self.token.at}", self.token.at)
        node = read()
        self.level -= 1
        return node

    def disjunction(self) -> Node:
        return self.joined("or", self.conjunction)

    def conjunction(self) -> Node:
        return self.joined("and", self.negation)

    def joined(self, word: str, read: Callable[[], Node]) -> Node:
        first = read()
        if not self.token.says(word):
            return first
        parts = [_condition(first)]
        while self.take(word):
            parts.append(_condition(read()))
        return Junction(first.at, word, tuple(parts))

    def negation(self) -> Node:
        if token := self.take("not"):
            return Not(token.at, _condition(self.deeper(self.negation)))
        return self.comparison()

    def comparison(self) -> Node:
        left = self.sum()
        operator = self.take(*COMPARISONS)
        if operator is None:
            return left
        right = self.sum()
        if self.token.says(*COMPARISONS):
            tip = "join two with 'and'; an aggregate with its 'by' goes in parentheses"
            raise ExpressionError(f"a second comparison stands at character {self.token.at}: {tip}", self.token.at)
        for side, other in ((left, right), (right, left)):
            if not isinstance(side, Text):
                _number(side)
            elif not isinstance(other, Column | Lagged):
                raise ExpressionError(f"the text '{side.value}' at character {side.at} is not compared with a column", side.at)
        return Comparison(left.at, left, operator.text, right)

    def sum(self) -> Node:
        return self.chain(("+", "-"), self.product)

    def product(self) -> Node:
        return self.chain(("*", "/"), self.factor)

    def chain(self, signs: tuple[str, ...], read: Callable[[], Node]) -> Node:
        first = read()
        rest = []
        while sign := self.take(*signs):
            rest.append((sign.text, _number(read())))
        return Chain(first.at, _number(first), tuple(rest)) if rest else first

    def factor(self) -> Node:
        token = self.token
        if token.says("if"):
            return self.choice()
        if self.take("-"):
            return Negative(token.at, _number(self.deeper(self.factor)))
        if token.says("("):
            return self.grouping(self.parenthesis())
        if token.kind == "quoted" or (token.kind == "name" and token.text not in KEYWORDS):
            self.next += 1
            called = token.kind == "name" and self.token.says("(")
            return self.call(token) if called else self.column(token)
        if token.kind not in ("number", "text"):
            raise self.lost("a number, a column or a function")
        self.next += 1
        return Text(token.at, token.text) if token.kind == "text" else Number(token.at, float(token.text))

    def choice(self) -> Node:
        """Read if ... then ... else ...; a chain of else-ifs is one level."""
        at, cases = self.token.at, []
        while self.take("if"):
            condition = _condition(self.expression())
            self.need("then")
            cases.append((condition, _number(self.expression())))
            self.need("else")
        return Choice(at, tuple(cases), _number(self.expression()))

    def parenthesis(self) -> Node:
        self.open.append(self.step().at)
        node = self.expression()
        self.need(")")
        self.open.pop()
        return node

    def column(self, token: _Token) -> Node:
        if token.kind == "name" and token.text.startswith("__"):
            raise ExpressionError(f"{token} stands at character {token.at}: a column whose name starts with __ goes in backticks", token.at)
        lag = self.token.lag
        if lag is None:
            return Column(token.at, token.text)
        self.next += 1
        return Lagged(token.at, token.text, lag)

    def call(self, token: _Token) -> Node:
        if token.text in FUNCTIONS:
            return Call(token.at, token.text, _number(self.parenthesis()))
        if token.text not in AGGREGATES and not re.fullmatch("q[1-8][0-9]|q90", token.text):
            known = (*FUNCTIONS, *AGGREGATES)
            tip = near(token.text, known) or f" There are {', '.join(known)} and q10 to q90."
            raise ExpressionError(f"{token} at character {token.at} is no function.{tip}", token.at)
        n_before = len(self.ungrouped)
        of = self.parenthesis()
        del self.ungrouped[n_before:]  # an aggregate inside an aggregate is grouped there, or not at all
        if token.text != "share" or isinstance(of, Text):
            _number(of)
        self.ungrouped.append(token.at)
        return self.grouping(Aggregate(token.at, token.text, of))

    def grouping(self, node: Node) -> Node:
        """Read `by ...` behind a node, if it is there."""
        word = self.take("by")
        if word is None:
            return node
        names = [self.name()]
        while self.token.says("and") and not self.tokens[self.next + 1].says("not"):
            self.next += 1
            names.append(self.name())
        found = self.ungrouped[self.reach :]
        if not found:
            tip = "it stands behind an aggregate, as in mean(count) by run"
            raise ExpressionError(f"'by' at character {word.at} has nothing to group: {tip}", word.at)
        if len(set(names)) < len(names):
            raise ExpressionError(f"'by' at character {word.at} names a column twice", word.at)
        self.by.update(dict.fromkeys(found, tuple(names)))
        del self.ungrouped[self.reach :]
        return node

    def name(self) -> str:
        token = self.token
        if token.kind not in ("name", "quoted") or token.says(*KEYWORDS):
            raise self.lost("the name of a column")
        self.next += 1
        if self.token.lag is not None:
            raise ExpressionError(f"a lag stands at character {self.token.at}: groups are formed by columns as they are", self.token.at)
        return token.text
