"""What the loss matrix says once everything is judged: rows, champion, and what may be claimed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from piste.core.comparison import Claimed, Interval, Judged, Versus
from piste.core.entrants import Entrant, Outcomes, blends
from piste.core.errors import PisteError
from piste.core.fit import Failed
from piste.core.framing import State
from piste.core.leaderboard import Facts, action_shares, fold_costs, fold_means, rows, share_saved
from piste.core.losses import Column, Court, loss_matrix
from piste.core.plan import BASELINE, Plan
from piste.core.predictive import Draws
from piste.core.problem import BLEND, amount
from piste.core.resolve import SMALL, Resolved
from piste.core.split import Fold, Folds
from piste.core.statistics import (
    Choice,
    Claim,
    Sample,
    choose,
    claim,
    correlated_t,
    nadeau_bengio,
    next_period,
    procedure,
    required_blocks,
    sample,
)

FEW_PERIODS = 10
READABLE = 2  # tier of the last family that a person can read: lines, single trees, and the nearest cases
FORESIGHT, TRUTH = "foresight", "truth"
NO_CURRENCY = "cost"  # what costs are called that are counted in nothing named


@dataclass(frozen=True, slots=True)
class Case:
    """A comparison judged, before anything is said about it."""

    resolved: Resolved
    folds: Folds
    plan: Plan
    court: Court
    entrants: Sequence[Entrant]
    models: tuple[int, ...]  # columns that may be champion, rules aside
    losses: np.ndarray  # (n_judged, n_columns)
    sample: Sample
    choice: Choice  # how the champion was chosen
    claim: Claim  # of every column over the base
    degrees: float | None  # of freedom of the claim's errors, where they are not the bootstrap's
    claimed_by: str
    base: int  # column to beat
    champion: int  # column
    estimate: Interval
    rows: tuple[Judged, ...]
    numbers: Mapping[str, int]  # row id -> column
    references: tuple[Judged, ...]
    reference_losses: Mapping[str, np.ndarray]  # row id -> (n_judged,)
    states: Mapping[str, State]  # row id -> what makes its predictions a distribution, learnt on all lines
    failures: Mapping[tuple[str, str], Sequence[str]]
    measured: Mapping[str, float] = field(default_factory=dict)  # of the champion's model: latency_ms, model_mb

    def row_of(self, column: int) -> Judged:
        """Return the leaderboard row that a column belongs to."""
        of = self.entrants[column].column
        return next(row for row in self.rows if (row.framing, row.family, row.rule) == (of.framing, of.entry, of.rule))


def weigh(
    resolved: Resolved,
    folds: Folds,
    plan: Plan,
    court: Court,
    entrants: Sequence[Entrant],
    outcomes: Outcomes,
    truth: np.ndarray | None,
    outside: Sequence[Entrant] = (),
) -> Case:
    """Judge what has been computed so far.

    Args:
        resolved: the problem.
        folds: divisions of the rows.
        plan: what was to be computed.
        court: what the columns are judged by.
        entrants: the columns of candidates; blends are made here.
        outcomes: what came of the cells; failures are read from it.
        truth: (n_rows, n_draws) of a simulated world.
        outside: the columns of predictions made elsewhere: ranked and claimed like any other, but neither blended nor chosen.

    Raises:
        PisteError: no baseline could be computed, so there is nothing to compare with.
    """
    failures = _failures(plan, outcomes)
    entrants = [*entrants, *blends(entrants, resolved, plan, court), *outside]
    if not any(each.is_baseline for each in entrants):
        reasons = [reason for (_, entry), found in failures.items() if entry.startswith(f"{BASELINE}:") for reason in found]
        raise PisteError(f"no baseline could be computed, so there is nothing to compare with: {(reasons or ['none finished'])[0]}")
    lines = court.lines
    losses = loss_matrix([each.column for each in entrants], lines)
    drawn = sample(losses, court.weight[lines.judged], folds.blocks[lines.judged], ordered=folds.ordered, seed=resolved.problem.seed)
    choice = _choice(resolved, court, entrants, drawn)
    base = choice.baselines[int(drawn.mean[[*choice.baselines]].argmin())]
    errors, degrees = errors_over(resolved, folds, court, entrants, base)
    bounds = claim(drawn, base, range(len(entrants)), resolved.problem.success.confidence, errors=errors, degrees=degrees)
    choice = replace(choice, above=bounds.upper - bounds.gain)
    estimate = procedure(drawn, choice)
    shown = court.yardstick.shown
    references, reference_losses = _references(court, truth, float(drawn.mean[base]))
    known = reference_losses.get(FORESIGHT)
    foresight = None if known is None else float(np.average(known, weights=court.weight[lines.judged]))
    board = rows(Facts(entrants, drawn, court, plan.asked, base, bounds, foresight), failures, plan.spent)
    found: dict[tuple[str, str, str, str], int] = {
        (of.framing, of.entry, of.rule, str(of.params)): i for i, of in enumerate(each.column for each in entrants)
    }
    numbers = {row.id: found[row.framing, row.family, row.rule, str(row.params)] for row in board}
    return Case(
        resolved=resolved,
        folds=folds,
        plan=plan,
        court=court,
        entrants=entrants,
        models=choice.models,
        losses=losses,
        sample=drawn,
        choice=choice,
        claim=bounds,
        degrees=degrees,
        claimed_by=_by(drawn, errors),
        base=base,
        champion=choose(drawn, choice),
        estimate=Interval(*(float(shown(np.maximum(0.0, each))) for each in (estimate.mean, estimate.low, estimate.high))),
        rows=board,
        numbers=numbers,
        references=references,
        reference_losses=reference_losses,
        states={id: _state(plan, court, entrants[number].column) for id, number in numbers.items()},
        failures=failures,
    )


def _state(plan: Plan, court: Court, column: Column) -> State:
    return dict(court.learn(plan.asked[column.framing], column.rule, column.raw, np.arange(len(column.raw))))


def _failures(plan: Plan, outcomes: Outcomes) -> dict[tuple[str, str], list[str]]:
    """Say, per framing and entry, what each failed candidate died of."""
    found: dict[tuple[str, str], list[str]] = {}
    for candidate in plan.candidates:
        reasons = [part.reason for part in outcomes.get(candidate.key, ()) if isinstance(part, Failed)]
        if reasons:
            found.setdefault(candidate.key[:2], []).append(reasons[0])
    return found


def _choice(resolved: Resolved, court: Court, entrants: Sequence[Entrant], drawn: Sample) -> Choice:
    """Return the rule by which the champion is chosen, as the problem sets its thresholds."""
    success, yardstick = resolved.problem.success, court.yardstick
    beat = f"{BASELINE}:{success.beat}"
    rules = [i for i, each in enumerate(entrants) if each.is_baseline]
    named = [i for i in rules if entrants[i].column.entry == beat]  # none where it failed: then the best of the others is to beat
    baselines = tuple(named or rules)
    base = float(drawn.mean[[*baselines]].min())
    shown = float(yardstick.shown(base))
    delta = base - yardstick.meant(max(0.0, shown - amount(success.by, shown)))
    order = [entry.name for entry in resolved.problem.families or ()]
    readable = resolved.problem.constraints.explainable
    models = tuple(i for i, each in enumerate(entrants) if each.is_model and (not readable or each.label.tier <= READABLE))
    best = min(float(drawn.mean[[*models]].min()), base) if models else base
    rope = yardstick.meant(float(yardstick.shown(best)) + amount(success.same, shown)) - best
    return Choice(models, baselines, _ranks(resolved, entrants, order), rope, delta, success.confidence)


def _ranks(resolved: Resolved, entrants: Sequence[Entrant], order: Sequence[str]) -> np.ndarray:
    """Rank columns by simplicity: the author's order, then the tier, then how many columns a framing adds."""
    added = {each.name: len(each.form.add) for each in resolved.asked}
    preference = {name: place for place, name in enumerate(order)}
    keys = [(preference.get(each.column.entry, len(order)), each.label.tier, added.get(each.column.framing, 0)) for each in entrants]
    places = {key: rank for rank, key in enumerate(sorted(set(keys)))}
    return np.array([places[key] for key in keys])


def errors_over(
    resolved: Resolved, folds: Folds, court: Court, entrants: Sequence[Entrant], base: int
) -> tuple[np.ndarray | None, float | None]:
    """Return the standard errors of all gains over the base where rows are few and exchangeable, as Nadeau and Bengio have them."""
    splits, rule = folds.shown, resolved.rule
    exchangeable = rule.scheme in ("kfold", "stratified") and rule.together is None
    if not exchangeable or len(court.lines.judged) >= SMALL or len(splits) < 2:
        return None, None
    n_train, n_test = _sizes(splits)
    against = fold_means(court, entrants[base].column.lines)
    errors = [nadeau_bengio(against - fold_means(court, each.column.lines), n_train, n_test).error for each in entrants]
    return np.array(errors), float(len(splits) - 1)


def _sizes(splits: Sequence[Fold]) -> tuple[float, float]:
    """Return the mean numbers of training and of test rows."""
    return float(np.mean([len(fold.train) for fold in splits])), float(np.mean([len(fold.test) for fold in splits]))


def _by(drawn: Sample, errors: np.ndarray | None) -> str:
    if errors is not None:
        return "few rows: differences between folds, with what they share (Nadeau and Bengio)"
    return "blocks drawn again and again" if drawn.resampled is not None else f"{len(drawn.sizes)} blocks only: Student's t"


def _references(court: Court, truth: np.ndarray | None, base: float) -> tuple[tuple[Judged, ...], dict[str, np.ndarray]]:
    """Judge what nobody could ship: one who knows what comes, and one who knows the world that it was drawn from."""
    yardstick, came = court.yardstick, court.came
    actions = {}
    if yardstick.priced:
        actions[FORESIGHT] = ("Perfect foresight", yardstick.foresight(came))  # type: ignore[attr-defined]
    if truth is not None:
        title = "The world's own distribution (known only because it is simulated)"
        actions[TRUTH] = (title, yardstick.act(Draws(truth[court.lines.row]), came))
    judged, losses = [], {}
    for name, (title, action) in actions.items():
        lost = yardstick.loss(action, came)
        losses[name] = court.lines.mean(lost)
        mean = float(np.average(losses[name], weights=court.weight[court.lines.judged]))
        cost = float(yardstick.shown(mean))
        gain = 1 - cost / float(yardstick.shown(base)) if base > 0 else float("nan")
        nothing = float("nan")
        judged.append(
            Judged(
                framing=name, family="reference", rule="known", title=title, params={}, tier=0, cost=cost, cost_lo=nothing,
                cost_hi=nothing, gain_vs_baseline=gain, gain_lo=nothing, gain_hi=nothing, tied_with_best=False, metrics={},
                train_metrics={}, fold_costs=fold_costs(court, lost), fit_seconds=nothing, predict_seconds=nothing, n_trials=1,
                actions=action_shares(court, action),
            )
        )  # fmt: skip
    return tuple(judged), losses


def currency(cost_name: str) -> str:
    """Return what follows an amount of a cost; nothing where the problem names no currency."""
    return "" if cost_name == NO_CURRENCY else f" {cost_name}"


def claimed(case: Case) -> Claimed:
    """Return what may be claimed of the champion; of the best model, where a baseline is champion."""
    base = float(case.sample.mean[case.base])
    pick = case.champion
    if case.entrants[pick].is_baseline and case.models:
        pick = min(case.models, key=lambda i: (case.sample.mean[i], i))
    bounds = case.claim
    ends = [float(each[pick]) if np.isfinite(each[pick]) else float("nan") for each in (bounds.gain, bounds.lower, bounds.upper)]
    most = max((float(bounds.upper[i]) for i in case.models), default=float("nan"))
    return Claimed(
        gain=Interval(*ends),
        share=Interval(*(share_saved(case.court, base, end) for end in ends)),
        best=share_saved(case.court, base, most),
        delta=case.choice.delta,
        needed=share_saved(case.court, base, case.choice.delta),
        n_blocks=bounds.n,
        n_required=required_blocks(bounds, pick, case.choice.delta),
        by=case.claimed_by,
    )


def in_next_period(case: Case) -> Interval | None:
    """Return the champion's gain to be expected in one more period or group, where the folds are such and few."""
    if case.resolved.rule.scheme not in ("forward", "leave_one_out") or case.resolved.rule.by is None or case.champion == case.base:
        return None
    base, champion = (np.array(fold_costs(case.court, case.entrants[i].column.lines)) for i in (case.base, case.champion))
    return Interval(*next_period(base - champion)) if 2 <= len(base) < FEW_PERIODS else None


def versus(case: Case) -> Versus | None:
    """Return how likely the champion is better than the best other model, where folds are exchangeable."""
    splits, scheme = case.folds.shown, case.resolved.rule.scheme
    mine = case.row_of(case.champion)
    others = [row for row in case.rows if row.id != mine.id and case.entrants[case.numbers[row.id]].is_model and row.family != BLEND]
    if scheme not in ("kfold", "stratified") or len(splits) < 2 or not others:
        return None
    n_train, n_test = _sizes(splits)
    other = case.entrants[case.numbers[others[0].id]].column.lines
    gaps = fold_means(case.court, other) - fold_means(case.court, case.entrants[case.champion].column.lines)
    return Versus(others[0].id, *correlated_t(gaps, case.choice.rope, n_train, n_test))
