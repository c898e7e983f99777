"""Which rows of a long leaderboard a person wants to see first."""

from __future__ import annotations

from collections.abc import Callable

from piste.core.comparison import Comparison, Judged
from piste.core.verdict import is_baseline

ENOUGH = 24  # rows that need no choosing
Place = tuple[int, Judged]  # from 1, over the whole leaderboard


def wanted(comparison: Comparison) -> tuple[Place, ...]:
    """Return the rows to show, best first, each with its place.

    Where there are many: the champion, the best model of every framing and rule, the best row of every family not among
    them, and the best of every baseline.
    """
    places = tuple(enumerate(comparison.judged, start=1))
    if len(places) <= ENOUGH:
        return places
    models = [place for place in places if not is_baseline(place[1])]
    rules = [place for place in places if is_baseline(place[1])]
    chosen = {row.id: (place, row) for place, row in places if row.id in (comparison.champion, comparison.best_baseline)}
    chosen |= _first_of_each(models, lambda row: (row.framing, row.rule))
    families = {row.family for _, row in chosen.values()}
    chosen |= _first_of_each([place for place in models if place[1].family not in families], lambda row: row.family)
    chosen |= _first_of_each(rules, lambda row: row.family)
    return tuple(sorted(chosen.values(), key=lambda place: place[0]))


def _first_of_each(places: list[Place], kind: Callable[[Judged], object]) -> dict[str, Place]:
    """Return, by its id, the first row of each kind."""
    first: dict[object, Place] = {}
    for place in places:
        first.setdefault(kind(place[1]), place)
    return {row.id: (place, row) for place, row in first.values()}
