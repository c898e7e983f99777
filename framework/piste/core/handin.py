"""What was predicted elsewhere, checked line by line against the folds that it was made for."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from piste.core.answers import answer_of
from piste.core.data import Raw
from piste.core.errors import PisteError
from piste.core.foldsheet import split_digest
from piste.core.framing import Framing
from piste.core.kinds import decimal_mark
from piste.core.losses import Judgements
from piste.core.notation import shown
from piste.core.outside import Outside
from piste.core.resolve import Resolved
from piste.core.sheet import Sheet
from piste.core.split import Folds

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")


def hand_in(raw: Raw, name: str, framing: str | None, framings: Mapping[str, Framing], resolved: Resolved, folds: Folds) -> Outside:
    """Take predictions that were made elsewhere, out of fold.

    Args:
        raw: the file: one line per row and repeat, with the columns `row`, `split` and, where folds are repeated, `repeat`, as they
            went out; and the predictions: `prediction` (a number, or a class in words), or quantiles (`q05` ... `q95`, or `0.05`
            ... `0.95`), or a probability for each class or level (`P(yes)`, or `yes`).
        name: of the row on the leaderboard.
        framing: by its name; told from the columns where not given.
        framings: all there are, by name.
        resolved: the problem.
        folds: the divisions of its rows.

    Raises:
        PisteError: lines are missing, doubled or belong nowhere; they were made for other folds; or a prediction is none.
    """
    if not NAME.fullmatch(name):
        raise PisteError(f"--name must be of up to 60 letters, digits, -, _ and ., but is {shown(name)}")
    lines = Judgements.of(folds, forward=resolved.rule.scheme == "forward")
    sheet = Sheet(raw, raw.decimal or decimal_mark(_texts(raw), ()) or ".")
    keys = sheet.columns(["row", "split", *(["repeat"] if lines.repeat.any() else [])])
    split = split_digest(resolved.table, folds)
    sheet.same_split(keys["split"], split)
    place = sheet.places(lines, keys["row"], keys.get("repeat"))
    answer = answer_of(sheet, resolved, framing, framings)
    found = answer.values(sheet, resolved.table.target)
    ordered = np.full((len(lines.row), *found.shape[1:]), np.nan)
    ordered[place] = found
    return Outside(name, answer.framing.name, split, raw.path, _in_unit(ordered, lines.row, answer.framing, resolved))


def _texts(raw: Raw) -> list[pd.Series]:
    return [values for _, values in raw.frame.items() if isinstance(values.dtype, pd.StringDtype)]


def _in_unit(found: np.ndarray, rows: np.ndarray, framing: Framing, resolved: Resolved) -> np.ndarray:
    """Bring the values of several targets from their own units to that of the table."""
    melt = resolved.table.layout.melt
    if melt is None or framing.kind == "classes":
        return found
    output = rows % len(melt.names)
    centre, scale = (np.array(each)[output].reshape(-1, *(1,) * (found.ndim - 1)) for each in (melt.centres, melt.scales))
    return np.asarray((found - centre) / scale)
