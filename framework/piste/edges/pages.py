"""The leaderboard as a page of its own, and as a note in MLflow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from piste.core.comparison import Comparison, Judged
from piste.core.report.figures import colour, reach

TEMPLATE = "leaderboard.html"
MOST_METRICS = 4  # columns of a page beside the cost


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of the table, with its interval and its cost as percentages of the picture's width; None where not in it."""

    row: Judged
    colour: str
    interval: tuple[float, float] | None  # from the left, and its width
    at: float | None


def leaderboard_page(comparison: Comparison) -> str:
    """Return the leaderboard as HTML that needs nothing else: no script, no font, no picture from elsewhere.

    Every text is escaped by the template, and the page's own policy forbids all but its styles.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    low, high = reach(comparison)
    shown = list(comparison.judged[0].metrics)
    trained = comparison.metric if comparison.metric in shown else shown[0]
    return environment.get_template(TEMPLATE).render(
        comparison=comparison,
        lines=[_line(row, low, high) for row in comparison.judged],
        baseline=_percentage(comparison.row(comparison.best_baseline).cost, low, high),
        metrics=[name for name in shown if name != comparison.cost_name.lower().replace(" ", "_")][:MOST_METRICS],
        trained=trained,
        notes=[*comparison.notes, *(f"{row.title}: {text}" for row in comparison.judged for text in row.notes)],
        number=number,
        percent=percent,
        seconds=seconds,
    )


def _line(row: Judged, low: float, high: float) -> _Line:
    if row.cost > high:
        return _Line(row, colour(row.family), None, None)
    at, left, right = (_percentage(value, low, high) for value in (row.cost, row.cost_lo, row.cost_hi))
    known = not (math.isnan(row.cost_lo) or math.isnan(row.cost_hi))
    return _Line(row, colour(row.family), (left, round(right - left, 2)) if known else None, at)


def _percentage(value: float, low: float, high: float) -> float:
    return round(100 * min(max((value - low) / (high - low), 0.0), 1.0), 2)


def note(comparison: Comparison, longest: int) -> str:
    """Return the verdict and the leaderboard in Markdown, at most `longest` characters; rows that do not fit are counted."""
    header = [
        f"**{_text(comparison.verdict.sentence)}**",
        "",
        f"| model | {_text(comparison.cost_name)} | 95 % interval | against the best baseline |",
        "| --- | ---: | ---: | ---: |",
    ]
    lines = [*header]
    rest = list(_rows(comparison))
    room = longest - 60 - sum(len(line) + 1 for line in header)
    while rest and room > len(rest[0]):
        room -= len(rest[0]) + 1
        lines.append(rest.pop(0))
    if rest:
        lines += ["", f"and {len(rest)} more in leaderboard.html"]
    return "\n".join(lines)[:longest]


def row_note(comparison: Comparison, row: Judged) -> str:
    """Return what there is to say about one row, in Markdown."""
    interval = f"{_text(comparison.cost_name)} {number(row.cost)} ({number(row.cost_lo)} to {number(row.cost_hi)})"
    gain = "the best baseline" if row.id == comparison.best_baseline else f"{percent(row.gain_vs_baseline)} than the best baseline"
    chosen = f"; the best of {row.n_trials} settings" if row.n_trials > 1 else ""
    tied = "; too close to the best to tell apart" if row.tied_with_best and row.id != comparison.judged[0].id else ""
    return "\n\n".join([f"{interval}, {gain}{tied}{chosen}.", *map(_text, row.notes)])


def _rows(comparison: Comparison) -> Iterator[str]:
    for row in comparison.judged:
        title = f"**{_text(row.title)}**" if row.id == comparison.champion else _text(row.title)
        gain = "best baseline" if row.id == comparison.best_baseline else percent(row.gain_vs_baseline)
        tied = " (tied)" if row.tied_with_best and row.id != comparison.judged[0].id else ""
        yield f"| {title}{tied} | {number(row.cost)} | {number(row.cost_lo)} to {number(row.cost_hi)} | {gain} |"
    for absent in comparison.absent:
        yield f"| {_text(absent.title)} | {absent.status} | {_text(absent.reason)[:200]} | |"


def _text(text: str) -> str:
    r"""Return a text that Markdown shows as it is, on one line.

    >>> print(_text("a|b <i> *c*"))
    a\|b &lt;i&gt; \*c\*
    """
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    for sign in r"\`*_[]|":
        escaped = escaped.replace(sign, f"\\{sign}")
    return " ".join(escaped.split())


def number(value: float | None) -> str:
    """Write a number with four significant digits.

    >>> number(31.2345), number(12345.6), number(None)
    ('31.23', '12,346', '')
    """
    if value is None or not math.isfinite(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"


def percent(gain: float) -> str:
    """Write how much lower a cost is.

    >>> percent(0.123), percent(-0.5), percent(float("nan"))
    ('12.3 % lower', '50.0 % higher', '')
    """
    if not math.isfinite(gain):
        return ""
    return f"{abs(gain):.1%} {'lower' if gain >= 0 else 'higher'}".replace("%", " %")


def seconds(value: float) -> str:
    """Write how long something took.

    >>> seconds(0.0021), seconds(2.34), seconds(312.0)
    ('2 ms', '2.3 s', '5.2 min')
    """
    if value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} s" if value < 100 else f"{value / 60:.1f} min"
