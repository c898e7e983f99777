"""What came of all trials, as plain values: what is stored, counted and printed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.audit.faults import ANSWER, Fault
from benchmarks.audit.rule import ALARMS, Said, catches, new
from benchmarks.audit.trial import Heard

ORDER = {"block": 0, "warn": 1, "note": 2}


@dataclass(frozen=True)
class Clean:
    """What is said of a clean table."""

    table: str
    n_rows: int
    n_columns: int
    heard: Heard

    def count(self, severity: str) -> int:
        """Return how many things of a severity are said of it."""
        return sum(each.severity == severity for each in self.heard.said)

    @property
    def alarms(self) -> list[Said]:
        """Return what warns or blocks, though there is nothing planted."""
        return [each for each in self.heard.said if each.severity in ALARMS]


@dataclass(frozen=True)
class Trial:
    """What is said of a table with a fault in it, beside what is said of it without."""

    fault: Fault
    heard: Heard
    clean: Heard

    @property
    def catching(self) -> list[Said]:
        """Return what catches the fault, the gravest first."""
        found = [each for each in new(self.heard.said, self.clean.said) if catches(each, self.fault)]
        return sorted(found, key=lambda each: ORDER[each.severity])

    @property
    def caught(self) -> bool:
        """Tell whether anything does; never of what no statistic can find, where it would be luck."""
        return bool(self.catching) and not self.fault.hidden

    @property
    def as_deserved(self) -> bool:
        """Tell whether what caught it is at least as grave as the fault deserves."""
        return self.caught and ORDER[self.catching[0].severity] <= ORDER[self.fault.deserves]

    @property
    def kept_out(self) -> bool:
        """Tell whether a column that holds the answer was missed, and does no harm: it is taken for a name of rows, unseen by models."""
        about_columns = bool(self.fault.caught_by & ANSWER) and not self.fault.whole
        return about_columns and not self.caught and bool(self.heard.seen) and self.heard.seen.isdisjoint(self.fault.about)

    @property
    def extra(self) -> list[Said]:
        """Return what warns or blocks beside what catches the fault, and not on the clean table."""
        also = new(self.heard.said, self.clean.said)
        return [each for each in also if each.severity in ALARMS and each not in self.catching]


@dataclass(frozen=True)
class Recall:
    """How many of some faults were caught, and how many of them no statistic can find."""

    n_caught: int
    n_faults: int
    n_hidden: int
    n_extra: int
    n_as_deserved: int
    n_kept_out: int

    @property
    def share(self) -> float:
        """Return the share of all that was caught."""
        return self.n_caught / self.n_faults if self.n_faults else float("nan")


def recall(trials: Iterable[Trial]) -> Recall:
    """Count some trials."""
    counted = list(trials)
    return Recall(
        sum(each.caught for each in counted),
        len(counted),
        sum(bool(each.fault.hidden) for each in counted),
        sum(len(each.extra) for each in counted),
        sum(each.as_deserved for each in counted),
        sum(each.kept_out for each in counted),
    )


def by_kind(trials: Iterable[Trial]) -> dict[str, list[Trial]]:
    """Return trials by the kind of their fault, in the order of the list."""
    kinds: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        kinds[trial.fault.kind].append(trial)
    return dict(kinds)


def counted(trials: Sequence[Trial], *, held_back: bool) -> list[Trial]:
    """Return the trials of one part that count: of faults that deserve a block or a warning."""
    return [each for each in trials if each.fault.held_back == held_back and each.fault.deserves != "note"]


def notes(trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials of faults that deserve no more than a note."""
    return [each for each in trials if each.fault.deserves == "note"]
