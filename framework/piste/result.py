"""What a run gives back in Python."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from piste.core.comparison import Claimed, Comparison, Curve, Interval, Verdict
from piste.core.layout import Layout, answered
from piste.core.model import Model
from piste.core.report import tables


@dataclass(frozen=True, slots=True)
class Result:
    """A finished comparison. Shows itself in a notebook; `predict` answers with the champion."""

    comparison: Comparison
    link: str
    model_of: Callable[[str], tuple[Model, Layout]]  # of a row of the leaderboard, by its id

    @property
    def leaderboard(self) -> pd.DataFrame:
        """Return one line per row of the leaderboard, best first."""
        return tables.leaderboard(self.comparison)

    @property
    def predictions(self) -> pd.DataFrame:
        """Return the out-of-fold predictions: one line per judged row and repeat, one column per leaderboard row."""
        return self.comparison.predictions

    @property
    def losses(self) -> pd.DataFrame:
        """Return the loss matrix: one line per judged row, one column per candidate x rule."""
        return self.comparison.losses

    @property
    def trials(self) -> Mapping[str, pd.DataFrame]:
        """Return, per leaderboard row, one line per hyperparameter setting tried."""
        return self.comparison.trials

    @property
    def scores(self) -> pd.DataFrame:
        """Return the cost of each leaderboard row in each fold."""
        return tables.scores(self.comparison)

    @property
    def estimate(self) -> Interval | None:
        """Return what the champion will cost on new rows, corrected for having been chosen among all candidates."""
        return self.comparison.estimate

    @property
    def claimed(self) -> Claimed | None:
        """Return what the champion saves over the baseline to beat, with bounds that hold for all candidates at once."""
        return self.comparison.claimed

    @property
    def findings(self) -> pd.DataFrame:
        """Return what the checks found, one line each, the gravest first, with what to do."""
        return tables.findings(self.comparison)

    @property
    def references(self) -> pd.DataFrame:
        """Return what nobody could ship, as lines of a leaderboard: perfect foresight, the truth of a simulated world."""
        return tables.references(self.comparison)

    @property
    def curve(self) -> Curve | None:
        """Return what more rows would bring the champion; None where it was not asked (`quick`) or cannot be told."""
        return self.comparison.curve

    @property
    def slices(self) -> pd.DataFrame:
        """Return the champion's cost in each part of the rows, beside the baseline's; empty where the problem names no `slices`."""
        return self.tables.get("slices", pd.DataFrame())

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Return by name what the checks looked at, such as `folds`, `coverage`, `reliability`, `cost_range` and `reach`."""
        return self.comparison.tables

    @property
    def verdict(self) -> Verdict:
        """Return what to do, in one word and in one sentence."""
        return self.comparison.verdict

    @property
    def champion(self) -> str:
        """Return the id of the champion's row."""
        return self.comparison.champion

    def predict(self, rows: pd.DataFrame, row: str | None = None) -> pd.DataFrame:
        """Answer new rows with the champion, or with another row of the leaderboard, fitted on every row but the holdout.

        Args:
            rows: (n_rows, n_columns) with the columns that it was fitted on; others are ignored.
            row: its id in the leaderboard, such as "mean/forest/plug_in"; the champion where not given.

        Raises:
            PisteError: there is no such row; a column is missing, or holds what it must not.
        """
        model, layout = self.model_of(row or self.champion)
        return answered(layout, model.predict, rows)

    def __str__(self) -> str:
        """Say the verdict."""
        return self.verdict.sentence

    def _repr_html_(self) -> str:
        from piste.edges.pages import report_page

        page = html.escape(report_page(self.comparison), quote=True)  # in a frame, so that its style stays its own
        return f'<iframe srcdoc="{page}" style="width: 100%; height: 40em; border: 0"></iframe>'
