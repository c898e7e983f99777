"""What happened before: the values that rows look back at, kept beside a model so that it answers new rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from piste.core import expression


@dataclass(frozen=True, slots=True)
class Past:
    """Earlier rows: when, of which series, and the values that may be looked up."""

    time: str  # column of dates or numbers
    series: tuple[str, ...]  # columns that together name a series; none: all rows are one
    rows: pd.DataFrame  # (n_rows, ...) those columns, and the values

    @staticmethod
    def of(frame: pd.DataFrame, time: str, series: Sequence[str], texts: Sequence[str]) -> Past | None:
        """Keep what expressions look up; None where none does.

        Args:
            frame: (n_rows, n_columns) typed rows, the target among them.
            time: column that says when.
            series: columns that together name a series.
            texts: expressions such as "count@-7d / 2".
        """
        columns = list(dict.fromkeys(column for column, _ in looked_up(texts)))
        return Past(time, tuple(series), frame[list(dict.fromkeys((time, *series, *columns)))]) if columns else None

    def seen_from(self, frame: pd.DataFrame, texts: Sequence[str]) -> pd.DataFrame:
        """Return the columns of earlier values that expressions look up, named as written, such as "count@-7d".

        Raises:
            ExpressionError: a lag does not fit the time, or earlier rows contradict one another.
        """
        found = {
            f"{column}{lag}": expression.lagged(frame, column, lag, self.time, self.series, self.rows) for column, lag in looked_up(texts)
        }
        return pd.DataFrame(found, index=frame.index)

    def to_json(self) -> dict[str, Any]:
        """Return plain values: dates as texts."""
        dates = [str(name) for name in self.rows if pd.api.types.is_datetime64_any_dtype(self.rows[name])]
        plain = {str(name): values.astype(str) if name in dates else values for name, values in self.rows.items()}
        lists = {name: values.astype(object).where(values.notna(), None).tolist() for name, values in plain.items()}
        return {"time": self.time, "series": list(self.series), "dates": dates, "rows": lists}

    @staticmethod
    def from_json(kept: Mapping[str, Any]) -> Past:
        """Read what `to_json` wrote."""
        rows = pd.DataFrame({name: pd.Series(values) for name, values in kept["rows"].items()})
        for name in kept["dates"]:
            rows[name] = pd.to_datetime(rows[name])
        return Past(kept["time"], tuple(kept["series"]), rows)


def looked_up(texts: Sequence[str]) -> list[tuple[str, expression.Lag]]:
    """Return the columns that expressions look back at, each with how far."""
    return list(dict.fromkeys(each for text in texts for each in expression.lags(expression.parse(text))))
