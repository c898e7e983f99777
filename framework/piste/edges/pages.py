"""What a comparison found, as a page of its own and as a note in MLflow."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from piste.core import audit, review
from piste.core.comparison import Comparison, Judged
from piste.core.finding import sentence
from piste.core.report.basis import basis
from piste.core.report.figures import colour, reach
from piste.core.report.words import decided_by, rules_differ, way
from piste.core.verdict import is_baseline

TEMPLATE = "report.html"
MOST_METRICS = 6  # columns of a table beside the cost
KNOWN = {  # how what nobody could ship is marked
    "foresight": "perfect foresight: nobody can do better",
    "truth": "known only because the world is simulated",
}


@dataclass(frozen=True, slots=True)
class Image:
    """A figure on the page."""

    heading: str
    said: tuple[str, ...]  # sentences
    address: str  # that holds it whole
    width: int  # pixels


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of a table, with its interval and its cost as percentages of the picture's width; None where not in it."""

    row: Judged
    colour: str
    interval: tuple[float, float] | None  # from the left, and its width
    at: float | None


@dataclass(frozen=True, slots=True)
class _Board:
    """Rows that share a table, its picture, and their metrics."""

    lines: tuple[_Line, ...]
    baseline: float  # the best baseline, as a percentage of the picture's width
    metrics: tuple[str, ...]
    name: str = ""  # of the framing


def report_page(comparison: Comparison, images: Sequence[Image] = ()) -> str:
    """Return the report as HTML that needs nothing else: no script, no font, no picture from elsewhere.

    Every text is escaped by the template, and the page's own policy forbids all but its styles and the pictures in it.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    loader = FileSystemLoader(Path(__file__).parent)
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["sentence"] = sentence
    environment.filters["trim"] = lambda text, ends: text.rstrip(ends)
    first = _first(comparison)
    champion = comparison.row(comparison.champion)
    return environment.get_template(TEMPLATE).render(
        comparison=comparison,
        basis=basis(comparison),
        first=_board(comparison, first),
        framings=_framings(comparison) if len(first) < len(comparison.judged) else [],
        ruled=rules_differ(comparison),
        actions=list(champion.actions),
        trained=_trained(comparison),
        images=images,
        failed=sum(row.status == "failed" for row in comparison.absent),
        notes=_notes(comparison),
        known=KNOWN,
        titles={id: check.title for stage in (audit, review) for id, check in stage.checks().items()},
        number=number,
        percent=percent,
        share=share,
        bounds=bounds,
        seconds=seconds,
        decided_by=decided_by,
    )


def _notes(comparison: Comparison) -> list[str]:
    """Return what was noted of the table, and of each model: what to look after, and how it came about."""
    told = (f"{row.title} ({row.framing}): {text}" for row in comparison.judged for text in (*row.notes, *row.details))
    return [*comparison.notes, *dict.fromkeys(told)]


def _first(comparison: Comparison) -> list[Judged]:
    """Return what to look at first, cheapest first: the champion, the best model of each framing, and the best baseline.

    Where there is one framing, that is every row.
    """
    if len({row.framing for row in comparison.judged if not is_baseline(row)}) < 2:
        return list(comparison.judged)
    chosen = {comparison.champion, comparison.best_baseline}
    best: dict[str, str] = {}
    for row in comparison.judged:
        if not is_baseline(row):
            best.setdefault(row.framing, row.id)
    return [row for row in comparison.judged if row.id in chosen | set(best.values()) or row.is_outside]


def _framings(comparison: Comparison) -> list[_Board]:
    """Gather the rows by framing, the cheapest framing first."""
    names = dict.fromkeys(row.framing for row in comparison.judged)
    return [_board(comparison, [row for row in comparison.judged if row.framing == name], name) for name in names]


def _board(comparison: Comparison, rows: Sequence[Judged], name: str = "") -> _Board:
    low, high = reach(comparison, rows)
    metrics = [metric for metric in rows[0].metrics if metric != comparison.cost_name.lower().replace(" ", "_")]
    base = _percentage(comparison.row(comparison.best_baseline).cost, low, high)
    return _Board(tuple(_line(row, low, high) for row in rows), base, tuple(metrics[:MOST_METRICS]), name)


def _trained(comparison: Comparison) -> str:
    """Name the metric that is shown on training rows."""
    known = [name for row in comparison.judged for name in row.train_metrics]
    return comparison.metric if comparison.metric in known or not known else known[0]


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
        lines += ["", f"and {len(rest)} more in report.html"]
    return "\n".join(lines)[:longest]


def row_note(comparison: Comparison, row: Judged) -> str:
    """Return what there is to say about one row, in Markdown."""
    interval = f"{_text(comparison.cost_name)} {number(row.cost)} ({number(row.cost_lo)} to {number(row.cost_hi)})"
    gain = "the best baseline" if row.id == comparison.best_baseline else f"{percent(row.gain_vs_baseline)} than the best baseline"
    chosen = f"; the best of {row.n_trials} settings" if row.n_trials > 1 else ""
    tied = "; too close to the best to tell apart" if row.tied_with_best and row.id != comparison.judged[0].id else ""
    return "\n\n".join([f"{interval}, {gain}{tied}{chosen}.", *map(_text, (*row.notes, *row.details))])


def titled(comparison: Comparison, row: Judged) -> str:
    """Return the title of a row, with its way of asking and deciding where there are several."""
    return ", ".join([row.title, *way(comparison, row)])


def _rows(comparison: Comparison) -> Iterator[str]:
    for row in comparison.judged:
        name = _text(titled(comparison, row))
        title = f"**{name}**" if row.id == comparison.champion else name
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


def bounds(row: Judged) -> str:
    """Write between which shares a gain lies, all candidates allowed for."""
    if not (math.isfinite(row.gain_lo) and math.isfinite(row.gain_hi)):
        return ""
    return f"{row.gain_lo:.1%} to {row.gain_hi:.1%} saved".replace("%", " %")


def share(value: float | None) -> str:
    """Write a share of the rows.

    >>> share(0.123), share(None)
    ('12 %', '')
    """
    return "" if value is None else f"{value:.0%}".replace("%", " %")


def seconds(value: float) -> str:
    """Write how long something took.

    >>> seconds(0.0021), seconds(2.34), seconds(312.0)
    ('2 ms', '2.3 s', '5.2 min')
    """
    if math.isnan(value):
        return ""
    if value < 1:
        return f"{1000 * value:.0f} ms"
    return f"{value:.1f} s" if value < 100 else f"{value / 60:.1f} min"
