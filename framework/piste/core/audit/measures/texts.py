"""What the levels of a text column give away: numbers, dates, or one name spelt in several ways."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from piste.core.kinds import number_forms
from piste.core.notation import DATE_PATTERNS, Form, number_pattern

MOSTLY = 0.4  # of the cells: so many are no accident
NEARLY_ALL = 0.9
VARIED = 10  # distinct numbers or dates; fewer are names
ODD_TEXTS = 20  # distinct texts beside them; more are names with digits in them
UNITS = frozenset(
    [
        "mm", "cm", "m", "km", "in", "inch", "inches", "ft", "feet", "yd", "mi", "miles", "mg", "g", "kg", "t", "oz", "lb", "lbs", "ml",
        "cl", "dl", "l", "gal", "s", "sec", "secs", "seconds", "min", "mins", "minutes", "h", "hr", "hrs", "hours", "d", "day", "days",
        "weeks", "months", "yr", "yrs", "years", "km/h", "kmh", "kph", "mph", "m/s", "kn", "knots", "c", "f", "k", "°c", "°f", "°", "deg",
        "degrees", "pa", "hpa", "kpa", "bar", "psi", "w", "kw", "mw", "wh", "kwh", "mwh", "v", "a", "hz", "khz", "mhz", "ghz", "kb", "mb",
        "gb", "tb", "eur", "usd", "gbp", "chf", "euro", "euros", "dollars", "sqft", "sqm", "m2", "m²", "m3", "m³", "pct", "percent",
        "ppm", "hp", "cc", "kcal", "cal", "pcs", "people", "persons", "rooms"
    ]
)  # fmt: skip
WITH_UNIT = re.compile(r"[+-]?[0-9][0-9.,]*\s*([^0-9.,\s][^0-9.,]*[23²³]?)")
CURRENCY_FIRST = re.compile(r"(?i:eur|usd|gbp|chf|rs\.?|inr)\s*[+-]?[0-9][0-9.,]*")
OTHER_DATES = {
    "a year and a month": r"(?:19|20)[0-9]{2}[-/.][01]?[0-9]|[01]?[0-9][-/.](?:19|20)[0-9]{2}|[A-Za-z]{3,9}[ -](?:19|20)[0-9]{2}",
    "a year and a quarter": r"[0-9]{4}[ -]?[Qq][1-4]|[Qq][1-4][ -]?[0-9]{4}",
    "a year and a week": r"[0-9]{4}-?[Ww][0-9]{2}(?:-?[1-7])?",
    "a date and a time": r"[0-9]{8}[T _]?[0-9]{2}:?[0-9]{2}(?::?[0-9]{2})?Z?|[A-Za-z]{3} [A-Za-z]{3} +[0-9]{1,2} [0-9:]{5,8} [0-9]{4}",
    "a date": r"(?:[A-Za-z]{3,9},? )?(?:[0-9]{1,2}(?:st|nd|rd|th)? [A-Za-z]{3,9}|[A-Za-z]{3,9} [0-9]{1,2}(?:st|nd|rd|th)?),? [0-9]{4}",
}
JOINTS = re.compile(r"(?<=[^0-9])[\s_./'’-]+(?=\S)|(?<=[0-9])[\s_./'’-]+(?=[^0-9\s_./'’-])")  # but for what stands between two digits
TRAILING = re.compile(r"[\s.,;:_]+$")
PARTNERED = 0.7  # of the single letters
MOST_NAMES = 12


@dataclass(frozen=True, slots=True)
class Levels:
    """The distinct texts of a column, and how many rows hold each."""

    texts: pd.Series  # (n_levels,) str
    counts: np.ndarray  # (n_levels,)

    @staticmethod
    def of(values: pd.Series) -> Levels:
        """Count the texts of a column, missing ones aside."""
        codes, texts = pd.factorize(values)
        return Levels(pd.Series(texts, dtype="str"), np.bincount(codes[codes >= 0], minlength=len(texts)))

    @property
    def total(self) -> int:
        """Return the number of cells."""
        return int(self.counts.sum())

    @property
    def first(self) -> str:
        """Return the commonest text."""
        return str(self.texts[int(self.counts.argmax())])

    def share(self, mask: np.ndarray) -> float:
        """Return the share of the cells that hold marked texts."""
        return float(self.counts[mask].sum() / max(1, self.total))

    def commonest(self, mask: np.ndarray) -> list[str]:
        """Return the marked texts, the commonest first."""
        chosen = np.flatnonzero(mask)
        return [str(self.texts[i]) for i in chosen[np.argsort(-self.counts[chosen], kind="stable")]]


@dataclass(frozen=True, slots=True)
class Among:
    """Texts that would be numbers or dates, but for some."""

    what: str  # "numbers", "dates"
    mask: np.ndarray  # (n_levels,) those that are
    share: float  # of the cells
    others: tuple[str, ...]  # the texts beside them, the commonest first


def numbers_among(levels: Levels) -> Among | None:
    """Find numbers, written in one way, beside a few texts."""
    forms = number_forms(levels.texts, Form("number"))
    read = [levels.texts.str.fullmatch(number_pattern(form)).to_numpy(dtype=bool) for form in forms]
    return _among("numbers", levels, read)


def dates_among(levels: Levels) -> Among | None:
    """Find dates, written in one way, beside a few texts."""
    digits = levels.texts.str.contains(r"[0-9].*[0-9]").to_numpy(dtype=bool)
    if levels.share(digits) < MOSTLY:
        return None
    first = levels.texts[digits].head(25)
    patterns = [pattern for form, pattern in DATE_PATTERNS.items() if form != "%Y%m%d" and first.str.fullmatch(pattern).any()]
    return _among("dates", levels, [levels.texts.str.fullmatch(pattern).to_numpy(dtype=bool) for pattern in patterns])


def _among(what: str, levels: Levels, read: Iterable[np.ndarray]) -> Among | None:
    best = max(read, key=levels.share, default=np.zeros(len(levels.texts), dtype=bool))
    share, others = levels.share(best), levels.commonest(~best)
    if not MOSTLY <= share < 1 or best.sum() < VARIED or not _few(levels, ~best):
        return None
    return Among(what, best, share, tuple(others))


def _few(levels: Levels, odd: np.ndarray) -> bool:
    """Tell whether the odd cells hold few different texts: words, not names of their own."""
    return int(odd.sum()) <= ODD_TEXTS or int(odd.sum()) <= 0.1 * levels.counts[odd].sum()


def unit_of(levels: Levels) -> str:
    """Return the unit that nearly all cells carry behind a number, such as " cm"; empty where there is none."""
    if levels.texts.str.fullmatch(CURRENCY_FIRST.pattern).to_numpy(dtype=bool) @ levels.counts > NEARLY_ALL * levels.total:
        return levels.texts.str.extract(r"^([^0-9+-]+)")[0].mode()[0].strip() if len(levels.texts) >= VARIED else ""
    found = levels.texts.str.extract(rf"^(?:{WITH_UNIT.pattern})$")[0].str.strip()
    if found.notna().sum() < VARIED:
        return ""
    by_unit = pd.Series(levels.counts).groupby(found.str.casefold().to_numpy()).sum().sort_values()
    best = str(by_unit.index[-1])
    if best not in UNITS or by_unit.iloc[-1] < NEARLY_ALL * levels.total:
        return ""
    return str(found[found.str.casefold() == best].iloc[0])


def other_date(levels: Levels) -> str:
    """Say what nearly all texts are that tell a time in a way that is not read as one; empty where they do not."""
    for words, pattern in OTHER_DATES.items():
        fits = levels.texts.str.fullmatch(pattern).to_numpy(dtype=bool)
        if fits.sum() >= VARIED and levels.share(fits) >= NEARLY_ALL:
            return words
    return ""


def spellings(levels: Levels) -> list[list[str]]:
    """Return the groups of texts that are one name, each with the commonest first, the commonest group first.

    They differ by case, blanks, hyphens, dots and the like alone; or one is a letter that just one of the names begins with, where all
    others are names. Single letters that differ by case are let be where most have such a partner: 'a' and 'A' may be two codes.
    """
    texts = levels.texts
    plain = texts.str.casefold().str.strip().str.replace(JOINTS.pattern, "", regex=True).str.replace(TRAILING.pattern, "", regex=True)
    letters = (texts.str.len() == 1).to_numpy()
    twice = plain.duplicated(keep=False).to_numpy()
    if (twice & letters).sum() > PARTNERED * letters.sum():
        twice = twice & ~letters
    groups = [twice & (plain == name).to_numpy() for name in plain[twice].unique()]
    ranked = sorted((*groups, *_initials(texts)), key=lambda mask: -int(levels.counts[mask].sum()))
    return [levels.commonest(mask) for mask in ranked]


def _initials(texts: pd.Series) -> Iterator[np.ndarray]:
    """Yield pairs of a letter and the one name that begins with it, where all but few texts are names."""
    small = texts.str.casefold()
    names = small.str.fullmatch(r"[^\W\d_]{3,}").to_numpy(dtype=bool)
    letters = small.str.fullmatch(r"[^\W\d_]").to_numpy(dtype=bool)
    if not letters.any() or letters.sum() > names.sum() or not (names | letters).all() or len(texts) > MOST_NAMES:
        return
    for letter in np.flatnonzero(letters):
        starts = names & small.str.startswith(small[letter]).to_numpy(dtype=bool)
        if len(small[starts].unique()) == 1:
            starts[letter] = True
            yield starts
