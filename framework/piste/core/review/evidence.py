"""What a check after training looks at: the comparison, and what was tried beside it."""

from __future__ import annotations

from dataclasses import dataclass

from piste.core.case import Case, currency
from piste.core.check import Examined, NotApplicable
from piste.core.comparison import Curve, Judged
from piste.core.entrants import Entrant
from piste.core.finding import short
from piste.core.framing import Form
from piste.core.seeds import Reseeded

RULES = NotApplicable("a rule is champion, not a model")  # what checks say that ask something of models
NOTHING = Examined()
UNSEEDED = NotApplicable("nothing was fitted under other seeds: a quick run does not")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A comparison judged, and what was tried beside it.

    Args:
        case: the comparison.
        self_test: the columns of a constant and of models on a target shuffled at random, judged on that target; none where not tried.
        curve: what more rows would bring; None where none was drawn.
        audit: what was found before training.
        reseeded: the champion under other seeds, or why there is none.
    """

    case: Case
    self_test: tuple[Entrant, ...] = ()
    curve: Curve | None = None
    audit: Examined = NOTHING
    reseeded: Reseeded | NotApplicable = UNSEEDED

    @property
    def champion(self) -> Entrant:
        """Return the champion's column."""
        return self.case.entrants[self.case.champion]

    @property
    def row(self) -> Judged:
        """Return the champion's row of the leaderboard."""
        return self.case.row_of(self.case.champion)

    @property
    def keeps_rule(self) -> bool:
        """Tell whether a rule is champion: what is asked of models is then not asked."""
        return self.champion.is_baseline

    @property
    def base_loss(self) -> float:
        """Return the mean loss of the rule to beat."""
        return float(self.case.sample.mean[self.case.base])

    @property
    def plainly_asked(self) -> dict[str, dict[str, str]] | None:
        """Return `framings` as written out, to be pasted with one more; None where one has a form of its own."""
        asked = self.case.resolved.asked
        plain = all(each.form == Form(each.framing.name) and each.name == each.framing.name for each in asked)
        return {each.name: {"as": each.name} for each in asked} if plain else None

    def amount(self, loss: float) -> str:
        """Say a mean loss as people read it: "12.3 EUR a decision", or "rmse 3.4"."""
        yardstick = self.case.court.yardstick
        shown = short(float(yardstick.shown(max(0.0, loss))))
        return f"{shown}{currency(yardstick.name)} a decision" if yardstick.priced else f"{yardstick.name} {shown}"
