"""How many settings a budget of minutes allows: an equal share for every row, counted in what its own fits have taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SPENT = "budget spent"


@dataclass(frozen=True, slots=True)
class Budget:
    """Seconds that the search of one framing x family may take, as if one worker computed it.

    Only the seconds that the store keeps beside each fit are counted, and only between settings that are complete: so a run that
    is interrupted, or repeated, stops where the first one did.
    """

    seconds: float = float("inf")

    @staticmethod
    def shared(minutes: float | None, n_rows: int) -> Budget:
        """Divide so many minutes among so many rows; without any, nothing is bounded."""
        return Budget() if minutes is None else Budget(60 * minutes / max(1, n_rows))

    def allows(self, taken: Sequence[float], spent: float, waiting: int) -> int:
        """Return how many settings are computed next: half of those that would fit, so that a dear one is found out in time.

        Args:
            taken: seconds of each setting that is complete, the default among them; empty where none is.
            spent: seconds of the search so far.
            waiting: settings that are left.
        """
        if self.seconds == float("inf"):
            return waiting
        if not taken:
            return min(1, waiting)
        usual = max(sum(taken) / len(taken), 1e-9)
        fitting = int(max(0.0, self.seconds - spent) / usual)
        return min(waiting, -(-fitting // 2))

    def points(self, taken: Sequence[float], n: int) -> int:
        """Return among how many of n settings a choice inside the training rows may be made; none where not even two fit.

        Judging one inside costs no more than fitting it.

        Args:
            taken: seconds of the default; empty where it failed.
            n: settings, the default among them.
        """
        if self.seconds == float("inf") or not taken:
            return n
        fitting = int(min(n, self.seconds / max(taken[0], 1e-9)))
        return fitting if fitting > 1 else 0
