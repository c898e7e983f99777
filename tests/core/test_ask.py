"""The framings that an author lists: their forms, and what one takes over from another."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from piste.core.ask import Ask, Asks, whole

FRAMINGS = {"framings": ("classes", "distribution", "mean", "quantiles")}
LISTED: TypeAdapter[tuple[Ask, ...]] = TypeAdapter(Asks)


def asks(written: Any) -> tuple[Ask, ...]:
    return LISTED.validate_python(written, context=FRAMINGS)


@pytest.mark.parametrize(
    ("written", "ask"),
    [
        ("mean", Ask(name="mean", as_="mean")),
        (["mean"], Ask(name="mean", as_="mean")),
        ({"mean": None}, Ask(name="mean", as_="mean")),
        ({"mean": {"as": "mean"}}, Ask(name="mean", as_="mean")),
        ({"mean": {"add": "x@-7d"}}, Ask(name="mean", as_="mean", add=("x@-7d",))),
        ({"runs": {"wide": "run"}}, Ask(name="runs", as_="mean", wide="run")),
        ({"runs": {"as": "quantiles", "apart": "run"}}, Ask(name="runs", as_="quantiles", apart="run")),
        ({"early": {"like": "mean", "add": ["y@-2d", "y@-7d"]}}, Ask(name="early", like="mean", add=("y@-2d", "y@-7d"))),
        ([{"early": {"as": "mean", "predict": "y"}}], Ask(name="early", as_="mean", predict="y")),
        ({"name": {"as": "mean"}}, Ask(name="name", as_="mean")),
    ],
)
def test_an_ask_has_these_forms(written: Any, ask: Ask) -> None:
    assert asks(written) == (ask,)


def test_asks_made_in_python_are_taken_as_they_are() -> None:
    ask = Ask(name="early", as_="mean", add=("x@-7d",))
    assert asks([ask]) == (ask,)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (["maen"], "but is 'maen'. Did you mean 'mean'?"),
        (["wide"], "all_at_once: {as: mean, wide: COLUMN}"),
        ({"early": {"as": "maen"}}, "but is 'maen'. Did you mean 'mean'?"),
        ({"early": {}}, "must say which framing 'early' is, by `as`"),
        ({"mean": {"as": "classes"}}, "must have another name: 'mean' is itself a framing"),
        ({"early": {"as": "mean", "name": "late"}}, "must hold no key 'name': it is called 'early'"),
        ({"early": "mean"}, "must give 'early' its values as a mapping"),
        ([{"a": {"as": "mean"}, "b": {"as": "mean"}}], "must be a name, or one name and its values"),
        ([3], "must be a name, or one name and its values"),
        (["mean", {"mean": {"add": "x"}}], "must name each once, but names 'mean' twice"),
        ({"early": {"as": "mean", "add": "x +"}}, "must be an expression"),
    ],
)
def test_an_ask_that_cannot_be_meant_is_refused(written: Any, said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        asks(written)
    assert said in str(caught.value)


def test_an_ask_takes_over_what_it_does_not_say_and_adds_to_what_is_added() -> None:
    listed = {
        ask.name: ask
        for ask in asks(
            {
                "quantiles": {"apart": "run", "add": "x@-7d", "predict": "y"},
                "early": {"like": "quantiles", "add": ["y@-2d", "x@-7d"]},
                "other": {"like": "early", "as": "distribution", "apart": "lift"},
            }
        )
    }
    early = whole(listed["early"], listed)
    assert early == Ask(name="early", as_="quantiles", apart="run", add=("x@-7d", "y@-2d"), predict="y")
    assert whole(listed["other"], listed) == Ask(name="other", as_="distribution", apart="lift", add=("x@-7d", "y@-2d"), predict="y")
    assert whole(listed["quantiles"], listed) == listed["quantiles"]


def test_an_ask_is_plain_where_one_word_says_it() -> None:
    assert [ask.plain for ask in asks({"mean": None, "classes": {"add": "x"}, "mine": {"as": "mean"}})] == [True, False, False]
