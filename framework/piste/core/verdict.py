"""The verdict: what to do, in words that a manager understands, with its numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from piste.core.case import currency
from piste.core.comparison import Claimed, Curve, Interval, Judged, Verdict
from piste.core.finding import Finding, sentence, short
from piste.core.plan import BASELINE

FLATTERING = ("L02", "L03", "L06", "L07", "L08", "L11")  # warnings of the audit that scores may be better than the use will be
WATCHED = (*FLATTERING, "M04", "M05", "M06", "M07", "M10", "M12", "M14")  # with such a warning a model is tried beside the rule first
AFFORDABLE = 4.0  # times the blocks at hand: more will hardly be collected
LIKELY = 0.8  # probability that twice the rows would settle it


@dataclass(frozen=True, slots=True)
class Facts:
    """What a verdict is made of."""

    about: str  # the question, or what is predicted, as the end of a sentence: "'skiers'"
    cost_name: str
    priced: bool
    per_year: float | None
    n_columns: int
    confidence: float  # of the claim
    champion: Judged
    base: Judged
    rivals: Sequence[Judged]  # models too close to the champion to tell apart
    best: Judged | None  # the best model that may be champion
    claimed: Claimed
    estimate: Interval
    findings: Sequence[Finding]
    curve: Curve | None
    block: str  # what blocks are, in the plural: "days", "rows"
    holdout: bool

    @property
    def rule(self) -> str:
        """Name the rule to beat."""
        return f"'{self.base.family.removeprefix(f'{BASELINE}:')}'"

    @property
    def keeps_rule(self) -> bool:
        """Whether a rule is champion."""
        return is_baseline(self.champion)


def is_baseline(row: Judged) -> bool:
    """Tell a rule from a model."""
    return row.family.startswith(f"{BASELINE}:")


def decide(facts: Facts) -> Verdict:
    """Say what to do: the first verdict that fits. What somebody takes as it is counts no more."""
    facts = replace(facts, findings=[each for each in facts.findings if not each.acknowledged])
    for each in (_fix_first, _not_worth, _no_model, _ship, _keep, _unpriced, _more_data):
        if found := each(facts):
            return found
    return _ask_differently(facts)


def _fix_first(facts: Facts) -> Verdict | None:
    blocks = [each for each in facts.findings if each.severity == "block" and each.check != "F03"]
    if not blocks:
        return None
    more = f" Then there {'is 1 more' if len(blocks) == 2 else f'are {len(blocks) - 1} more'} like it." if len(blocks) > 1 else ""
    return Verdict("fix first", f"No score counts until this is resolved: {sentence(blocks[0].message)} {sentence(blocks[0].fix)}{more}")


def _not_worth(facts: Facts) -> Verdict | None:
    found = [each for each in facts.findings if each.check == "F03"]
    return Verdict("not worth predicting", sentence(found[0].message)) if found else None


def _no_model(facts: Facts) -> Verdict | None:
    return (
        Verdict("keep your rule", f"Keep the rule {facts.rule} for {facts.about}: no model is left to choose.")
        if facts.best is None
        else None
    )


def _ship(facts: Facts) -> Verdict | None:
    if not facts.priced or facts.keeps_rule or not facts.claimed.gain.low >= facts.claimed.delta:
        return None
    unit = currency(facts.cost_name)
    saves = f"it saves {_span(facts.claimed.gain)}{unit} a decision over your rule {facts.rule}{_a_year(facts)} ({_corrected(facts)})"
    costs = f"expect a cost of {short(facts.estimate.mean)}{unit} a decision ({_span(facts.estimate)})"
    watched = list(dict.fromkeys(each.message for each in facts.findings if each.check in WATCHED and each.severity == "warn"))
    unopened = "" if facts.holdout else " No rows were held out: nothing but these folds says so."
    if watched:
        return Verdict(
            "try alongside",
            f"Try {facts.champion.title} beside your rule: {saves}; {costs}. Watch this: {watched[0]}"
            f"{f'; and {len(watched) - 1} more' if len(watched) > 1 else ''}.{_price(facts)}",
        )
    return Verdict("ship", f"Ship {facts.champion.title}: {saves}; {costs}.{_price(facts)}{unopened}")


def _keep(facts: Facts) -> Verdict | None:
    claimed, best = facts.claimed, facts.best
    if best is None or not facts.keeps_rule:
        return None
    if claimed.gain.mean <= 0:
        numbers = f"the best model's {facts.cost_name} is {short(best.cost)}, the rule's {short(facts.base.cost)}"
        return Verdict(
            "keep your rule", f"Keep the rule {facts.rule} for {facts.about}: none of {facts.n_columns} candidates does better; {numbers}."
        )
    assert math.isfinite(claimed.best), "a rule that a model seems to beat is kept where a bound says so"
    most = f"at most {claimed.best:.1%} of what the rule costs"
    return Verdict(
        "keep your rule",
        f"Keep the rule {facts.rule} for {facts.about}: the best of {facts.n_columns} candidates saves {most}, "
        f"less than the {claimed.needed:.1%} that matter ({_corrected(facts)}).",
    )


def _unpriced(facts: Facts) -> Verdict | None:
    if facts.priced or not facts.claimed.gain.low > 0:
        return None
    share = facts.claimed.share
    numbers = f"{facts.cost_name} {short(facts.estimate.mean)} ({_span(facts.estimate)})"
    most = f"{_percent(share.low)} to {_percent(share.high)}" if share.high < 1 else f"at least {_percent(share.low)}"
    less = f"{most} below the rule {facts.rule} ({_corrected(facts)})"
    return Verdict(
        "best but unpriced",
        f"{facts.champion.title} answers best for {facts.about}: {numbers}, {less}.{_price(facts)} "
        "Whether that is worth it, only the cost of a wrong decision can say.",
    )


def _more_data(facts: Facts) -> Verdict | None:
    claimed = facts.claimed
    seems = f"{facts.champion.title} seems to save {_percent(claimed.share.mean)} over the rule {facts.rule}"
    if math.isnan(claimed.gain.low):
        unsure = f"{seems}, but the rows judged stand or fall together: nothing tells how sure that is"
        return Verdict("get more data", f"{unsure}. Judge it on ten {facts.block} or more.")
    if not claimed.gain.high >= claimed.delta:
        return None
    unsure = f"{seems}, but it may be {_percent(claimed.share.low)} ({_corrected(facts)}), and {_percent(claimed.needed)} matter"
    if claimed.n_required <= AFFORDABLE * claimed.n_blocks:
        more = max(1, math.ceil(claimed.n_required - claimed.n_blocks))
        return Verdict("get more data", f"{unsure}. About {more:,} more {facts.block} would settle it.")
    if facts.curve is not None and facts.curve.matters >= LIKELY:
        probably = f"Learning from twice the rows would bring that much with probability {facts.curve.matters:.0%}"
        return Verdict("get more data", f"{unsure}. {probably}.")
    return None


def _ask_differently(facts: Facts) -> Verdict:
    claimed = facts.claimed
    seems = (
        f"The best of {facts.n_columns} candidates, {facts.champion.title}, saves {_percent(claimed.share.mean)} over the rule {facts.rule}"
    )
    sure = f"({_percent(claimed.share.low)} to {_percent(claimed.share.high)}, {_corrected(facts)})"
    flat = facts.curve is not None and facts.curve.falls < 1 - LIKELY
    if flat:
        rows = "More rows will not help"
    elif math.isfinite(claimed.n_required):
        rows = f"It would take about {claimed.n_required:,.0f} {facts.block} to tell"
    else:
        rows = f"That is less than the {_percent(claimed.needed)} that matter"
    return Verdict(
        "ask differently", f"{seems} {sure}: not enough to act on. {rows}; look for columns that say more, or ask another question."
    )


def _corrected(facts: Facts) -> str:
    return f"{100 * facts.confidence:g} %, corrected for trying {facts.n_columns} candidates"


def _a_year(facts: Facts) -> str:
    if facts.per_year is None:
        return ""
    low, high = (short(end * facts.per_year) for end in (facts.claimed.gain.low, facts.claimed.gain.high))
    return f", {low} to {high}{currency(facts.cost_name)} a year"


def _price(facts: Facts) -> str:
    """Say who else might have been chosen, and what simplicity costs."""
    if not facts.rivals or facts.best is None:
        return ""
    simplest = all(row.tier >= facts.champion.tier for row in facts.rivals)
    close = "to tell apart" if facts.champion.tied_with_best else "to matter"
    said = f" It is {'the simplest' if simplest else 'one'} of {len(facts.rivals) + 1} too close {close}"
    more = facts.champion.cost - facts.best.cost
    if facts.best.id == facts.champion.id or not more > 0:
        return f"{said}."
    return f"{said}; {facts.best.title} is lower by {short(more)}{currency(facts.cost_name)}."


def _span(interval: Interval) -> str:
    return f"{short(interval.low)} to {short(interval.high)}"


def _percent(share: float) -> str:
    return f"{share:.1%}" if abs(round(share, 3)) < 0.1 else f"{share:.0%}"
