"""What a row of the leaderboard is called where there is one line for it."""

from __future__ import annotations

from rich.text import Text

from piste.core.comparison import Judged
from piste.core.plan import BASELINE
from piste.core.verdict import is_baseline

KINDS = ("climatology: ", "constant: ")  # of rules: a rule may bear another name than its kind


def title(row: Judged) -> str:
    """Return the words for a row; of a rule with the name that the verdict calls it by."""
    said = " ".join(row.title.split())
    if not is_baseline(row):
        return said
    said = said.partition("(")[2].removesuffix(")").strip() or said
    for kind in KINDS:
        said = said.removeprefix(kind)
    return f"{rule(row)}: {said}"


def rule(row: Judged) -> str:
    """Return the name of a rule."""
    return f"Rule '{row.family.removeprefix(f'{BASELINE}:')}'"


def fitted(words: str, width: int) -> str:
    """Shorten words to a width: of what stands in brackets, whole parts are left out first.

    >>> fitted("Forest (random forest, 300 trees, max_features 0.5)", 40)
    'Forest (random forest, 300 trees, …)'
    >>> fitted("Forest (random forest, 300 trees, max_features 0.5)", 20)
    'Forest (random fore…'
    """
    if Text(words).cell_len <= width:
        return words
    name, _, inside = words.removesuffix(")").partition(" (")
    parts = inside.split(", ")
    for kept in range(len(parts) - 1, 0, -1) if words.endswith(")") else ():
        shorter = f"{name} ({', '.join(parts[:kept])}, …)"
        if Text(shorter).cell_len <= width:
            return shorter
    cut = Text(words)
    cut.truncate(max(1, width), overflow="ellipsis")
    return cut.plain
