"""How well piste's champion predicts beside others, on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from benchmarks.performance.layout import change, circumstances, table
from benchmarks.quality.__main__ import ROWS
from benchmarks.quality.methods import METHODS, TITLES
from benchmarks.quality.summary import BEST, CHAMPION, above_best, ranks, sentences
from benchmarks.quality.tables import MOST_HELD, SPLITS, TABLES

ABOUT = (
    "piste with nothing but its defaults, answered by its champion and, apart, by its row of least cost, beside what an expert would use "
    f"on a table. Every method learns from the same rows, at most {ROWS:,}, since the slowest would take hours with more, and answers the "
    f"same fifth that none has seen, at most {MOST_HELD:,} rows; {SPLITS} divisions of each set. Time is CPU seconds of each method in "
    "processes of its own. Not compared: larger tables, and longer searches than each method's own."
)

NOT_YET = "**Not measured on any whole set yet.**"


def laid_out(found: Mapping[str, Any]) -> str:
    """Return the errors of all methods on all sets, their mean ranks and CPU time, and what follows."""
    cells = {key: cell for key, cell in found["cells"].items() if key.split("/")[2] == str(ROWS)}
    lines = [
        {"set": key.split("/")[0], "row": row, "seconds": cell["cpu_seconds"], **answer}
        for key, cell in cells.items()
        for row, answer in cell["answers"].items()
    ]
    if not lines:
        return NOT_YET
    frame = pd.DataFrame(lines)
    order = [row for row in TITLES if (frame["row"] == row).any()]
    counted = frame.groupby(["set", "row"])["error"]
    errors = counted.mean().where(counted.count() == SPLITS).unstack("row").reindex(columns=order)
    errors = errors.reindex([name for name in TABLES if name in errors.index])
    whole = errors.dropna()
    if not len(whole):
        return NOT_YET
    seconds = frame[frame["set"].isin(whole.index)].groupby("row")["seconds"].sum().reindex(order)
    ranked = ranks(whole).combine_first(ranks(whole, BEST)).reindex(order)
    rows = [_line(str(name), values) for name, values in errors.dropna(how="all").iterrows()]
    rows += [
        [f"**mean rank, {len(whole)} set{'s' * (len(whole) > 1)}**", *(f"{value:.2f}" for value in ranked)],
        ["**above the lowest**", *map(change, above_best(whole))],
        ["**CPU seconds**", *(f"{value:,.0f}" for value in seconds)],
    ]
    said = [
        f"Root mean squared error in standard deviations of the held-out target, or log loss; mean of {SPLITS} divisions, lower is better.",
        table(("set", *(TITLES[row] for row in order)), rows),
    ]
    if missing := [method for method in METHODS.values() if not {*method.rows} & {*order}]:
        said.append(f"Not measured yet: {', '.join(title for method in missing for title in method.rows.values())}.")
    if incomplete := [name for name in TABLES if name not in whole.index]:
        said.append(f"Not measured whole yet: {', '.join(incomplete)}.")
    if {CHAMPION, BEST} <= {*order} and len(order) >= 4:
        said.append(" ".join(sentences(whole, seconds, TITLES)))
    versions = {(name, number) for cell in cells.values() for name, number in cell["by"]["versions"].items()}
    return "\n\n".join([*said, circumstances(found, sorted(versions))])


def _line(name: str, errors: pd.Series) -> list[str]:
    """Lay the errors on a set out, the lowest in bold."""
    return [
        name,
        *("-" if pd.isna(value) else f"**{value:.4f}**" if value == errors.min() else f"{value:.4f}" for value in errors),
    ]
