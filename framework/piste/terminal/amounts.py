"""Costs, shares and times as people write them."""

from __future__ import annotations

import math
from collections.abc import Sequence

FIGURES = 4
MOST_DECIMALS = 5
UNKNOWN = "-"


def short(value: float) -> str:
    """Write a cost with four figures.

    >>> short(0.123456), short(54.81), short(1234.5), short(float("nan"))
    ('0.1235', '54.81', '1,234', '-')
    """
    if math.isnan(value):
        return UNKNOWN
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def alike(values: Sequence[float], to: float) -> list[str]:
    """Write costs with as many decimals each as `to` needs for four figures, so that they stand below each other.

    >>> alike([40.012, 138.6, 0.0], 40.012), alike([0.99, float("nan")], 0.99), alike([1e-9, 2.0], 1e-9)
    (['40.01', '138.60', '0.00'], ['0.9900', '-'], ['1e-09', '2'])
    """
    decimals = max(0, FIGURES - 1 - math.floor(math.log10(abs(to)))) if to and math.isfinite(to) else math.inf
    if decimals > MOST_DECIMALS:
        return [short(value) for value in values]
    return [UNKNOWN if math.isnan(value) else f"{value:,.{decimals}f}" for value in values]


def percent(share: float) -> str:
    """Write a share; what is many times worse, as how many times.

    >>> percent(0.3118), percent(-0.045), percent(-4.3), percent(float("nan"))
    ('31.2%', '-4.5%', '5 x', '-')
    """
    if math.isnan(share):
        return UNKNOWN
    return f"{share:.1%}" if share > -1 else f"{1 - share:,.0f} x"


def span(seconds: float) -> str:
    """Write a time as people say it.

    >>> span(8), span(75), span(7300)
    ('8 s', '1 min 15 s', '2 h 1 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60} min"


def of_fit(seconds: float) -> str:
    """Write the time of one fit, which may be short.

    >>> of_fit(0.0087), of_fit(75), of_fit(float("nan"))
    ('0.0087 s', '1 min 15 s', '')
    """
    if math.isnan(seconds):
        return ""
    return f"{seconds:.2g} s" if seconds < 10 else span(seconds)
