"""What the results say: a table, mean ranks, and whether piste is first within the time of the slowest two."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

CHAMPION, BEST = "piste", "piste_best"  # rows of one method: only one of them is ranked among the others at a time


def ranks(errors: pd.DataFrame, row: str = CHAMPION) -> pd.Series:
    """Return the mean rank of each method over the sets, with one of piste's rows among the others; the lowest error has rank 1.

    Args:
        errors: (n_sets, n_rows) mean error, without gaps.
        row: which of piste's rows is among them.
    """
    left_out = {CHAMPION, BEST} - {row}
    return errors.drop(columns=[*left_out], errors="ignore").rank(axis=1).mean()


def above_best(errors: pd.DataFrame) -> pd.Series:
    """Return by how much each row's error exceeds the lowest of its set, as the geometric mean over the sets minus 1."""
    return np.exp(np.log(errors.div(errors.min(axis=1), axis=0)).mean()) - 1


def table(errors: pd.DataFrame, wrong: pd.DataFrame, seconds: pd.Series, titles: Mapping[str, str]) -> str:
    """Lay the comparison out.

    Args:
        errors: (n_sets, n_rows) mean error; NaN where a cell is missing.
        wrong: (n_sets_of_classes, n_rows) mean error rate.
        seconds: (n_rows,) CPU seconds of the sets without gaps.
        titles: of the rows.
    """
    lines = [f"{'':28}" + "".join(f"{titles[row]:>12}" for row in errors)]
    lines += [_line(name, values, ".4f") for name, values in errors.iterrows()]
    whole = errors.dropna()
    if len(whole):
        ranked = ranks(whole).combine_first(ranks(whole, BEST)).reindex(errors.columns)
        lines += [
            "",
            _line(f"mean rank, {len(whole)} set{'s' * (len(whole) > 1)}", ranked, ".2f"),
            _line("above the lowest", above_best(whole), ".1%"),
        ]
        lines += [_line("CPU seconds", seconds, ",.0f")]
    if len(wrong):
        lines += ["", *(_line(f"{name}, wrong", values, ".1%") for name, values in wrong.iterrows())]
    return "\n".join(lines)


def _line(name: object, values: pd.Series, form: str) -> str:
    return f"{name!s:28}" + "".join(f"{'-' if pd.isna(value) else format(value, form):>12}" for value in values)


def sentences(errors: pd.DataFrame, seconds: pd.Series, titles: Mapping[str, str]) -> list[str]:
    """Say whether piste is first by mean rank, and whether its CPU time lies within that of the slowest two others.

    Args:
        errors: (n_sets, n_rows) mean error, without gaps; piste's champion and at least two others among them.
        seconds: (n_rows,) CPU seconds of the sets without gaps.
        titles: of the rows.
    """
    said = []
    for row, what in ((CHAMPION, "piste's champion"), (BEST, "piste's row of least cost")):
        ranked = ranks(errors, row).sort_values(kind="stable")
        others = ", ".join(f"{titles[name]} {value:.2f}" for name, value in ranked.drop(row).items())
        place = int((ranked < ranked[row]).sum()) + 1
        said.append(f"By mean rank {what} is {'first' if place == 1 else f'number {place}'} of {len(ranked)}: {ranked[row]:.2f}; {others}.")
    slowest = seconds.drop([CHAMPION, BEST]).sort_values(ascending=False).head(2)
    lies = ("exceeds both", "lies within that of the slowest only", "lies within both")[int((seconds[CHAMPION] <= slowest).sum())]
    named = " and ".join(f"{titles[name]} ({value:,.0f} s)" for name, value in slowest.items())
    said.append(f"The slowest two others are {named}: the CPU time of piste ({seconds[CHAMPION]:,.0f} s) {lies}.")
    return said
