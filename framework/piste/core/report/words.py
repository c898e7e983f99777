"""How decisions are made, in the words that people read."""

from __future__ import annotations

from piste.core.comparison import Comparison, Judged

RULES = {
    "plug_in": "prediction alone",
    "dressed": "with its uncertainty",
    "min_expected_cost": "with its uncertainty",
    "quantile": "with its uncertainty",
}


def decided_by(rule: str) -> str:
    """Return a rule as people read it; nothing where there is but one way to read a prediction.

    >>> decided_by("plug_in"), decided_by("dressed"), decided_by("mean")
    ('prediction alone', 'with its uncertainty', '')
    """
    return RULES.get(rule, "")


def rules_differ(comparison: Comparison) -> bool:
    """Tell whether rows decide in more than one way."""
    return len({decided_by(row.rule) for row in comparison.judged}) > 1


def way(comparison: Comparison, row: Judged) -> tuple[str, ...]:
    """Return what tells a row from others of its family: its framing and how it decides, where these differ among the rows."""
    framing = row.framing.replace("_", " ") if len({each.framing for each in comparison.judged}) > 1 else ""
    rule = decided_by(row.rule) if rules_differ(comparison) else ""
    return tuple(part for part in (framing, rule) if part)
