"""How decisions are made, in the words that people read."""

from __future__ import annotations

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
