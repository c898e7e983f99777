"""The names of a table's columns: refused where they could not be told apart or written down."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Sequence

import pandas as pd

from piste.core.errors import Fault, PisteError, Place

MOST_COLUMNS = 10_000
INVISIBLE = ("Cc", "Cf", "Zl", "Zp", "Cs")  # categories of Unicode: control, format, line and paragraph separators, surrogates
JOINERS = "\u200c\u200d"  # letters of some scripts need them
LONGEST_NAME = 250  # characters: what trackers take for a key


def named(frame: pd.DataFrame, names: Sequence[object], place: Place) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Name the columns of a frame.

    Args:
        frame: (n_rows, n_columns) whose own names are ignored.
        names: (n_columns,) as the source has them; None where it has none.
        place: of the names.

    Returns:
        The frame, and notes on what was done: blanks around names are removed, and a first column without a name that
        only numbers the rows (the index that pandas writes) is left out.

    Raises:
        PisteError: names are missing, double, too long, or hold control characters; all such faults at once.
    """
    written = ["" if name is None else str(name) for name in names]
    clean = [name.strip() for name in written]
    notes = []
    if len(clean) > 1 and not clean[0] and _numbers_rows(frame.iloc[:, 0]):
        frame, written, clean = frame.iloc[:, 1:], written[1:], clean[1:]
        notes.append("the first column has no name and numbers the rows: left out")
    padded = [name for name, before in zip(clean, written, strict=True) if name != before and name]
    if padded:
        notes.append(f"blanks around column names removed: {', '.join(repr(name) for name in padded[:5])}")
    faults = _faults(clean, place)
    if faults:
        raise PisteError(*faults)
    return frame.set_axis(pd.Index(clean, dtype="str"), axis=1), tuple(notes)


def check_width(n_columns: int, place: Place) -> None:
    """Refuse more columns than a table has.

    Raises:
        PisteError: there are more than MOST_COLUMNS.
    """
    if n_columns > MOST_COLUMNS:
        raise PisteError(Fault(f"must have at most {MOST_COLUMNS:,} columns, but has {n_columns:,}", "", place))


def _numbers_rows(values: pd.Series) -> bool:
    texts = values.astype("str").str.strip()
    return bool(len(texts) and texts.str.fullmatch(r"\d+").all() and texts.is_unique)


def _faults(names: Sequence[str], place: Place) -> list[Fault]:
    faults = []
    nameless = [str(i) for i, name in enumerate(names, start=1) if not name]
    if nameless:
        which = f"column {nameless[0]} has" if len(nameless) == 1 else f"columns {', '.join(nameless[:10])} have"
        faults.append(Fault(f"must name every column, but {which} no name", "", place))
    for name, count in Counter(names).items():
        if count > 1 and name:
            at = " and ".join(str(i) for i, other in enumerate(names, start=1) if other == name)
            faults.append(Fault(f"must name columns differently, but {count} are named '{name}' (columns {at})", "", place))
        if any(unicodedata.category(letter) in INVISIBLE and letter not in JOINERS for letter in name):
            faults.append(
                Fault(f"must name columns in plain text, but {name[:40]!a} holds a line break or an invisible character", "", place)
            )
        if len(name) > LONGEST_NAME:
            faults.append(
                Fault(f"must name columns in at most {LONGEST_NAME} characters, but '{name[:40]}...' has {len(name):,}", "", place)
            )
    return faults
