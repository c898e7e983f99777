"""What takes part in a comparison: the columns of every candidate that all folds have predicted, and blends of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from piste.core.blend import Loss, blend
from piste.core.comparison import OUTSIDE
from piste.core.decision import ByMetric, Came
from piste.core.fit import Outcome, Predicted, dealt
from piste.core.framing import Asked
from piste.core.losses import Column, Court, Judgements
from piste.core.plan import BASELINE, Plan
from piste.core.problem import BLEND
from piste.core.resolve import Resolved
from piste.core.search import Candidate
from piste.core.split import Folds

BLEND_TIER = 7
BLEND_TITLE = "Blend"

Outcomes = Mapping[tuple[str, str, int], Sequence[Outcome]]  # candidate key -> what each fold gave


@dataclass(frozen=True, slots=True)
class Label:
    """What a row is called, how simple its model is, and what is said of how it came about."""

    title: str
    tier: int
    details: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entrant:
    """A column of the comparison, what it is called, what its folds gave, and the shares and candidates that make it."""

    column: Column
    label: Label
    parts: tuple[Predicted, ...]
    members: tuple[tuple[float, Candidate], ...]
    again: tuple[np.ndarray, ...] = ()  # (n_lines, ...) each: what it predicts under further seeds, where these change it

    @property
    def is_baseline(self) -> bool:
        """Tell a rule from a model."""
        return self.column.entry.startswith(f"{BASELINE}:")

    @property
    def is_outside(self) -> bool:
        """Tell predictions that were made elsewhere: there is no model of them here."""
        return self.column.entry.startswith(f"{OUTSIDE}:")

    @property
    def is_model(self) -> bool:
        """Tell what can be chosen and shipped as a model."""
        return not self.is_baseline and not self.is_outside


def court_of(resolved: Resolved, folds: Folds) -> Court:
    """Return what the columns of a comparison are judged by."""
    lines = Judgements.of(folds, forward=resolved.rule.scheme == "forward")
    target, rows = resolved.table.target, lines.row
    came = Came(
        target.values[rows],
        target.codes[rows] if target.classes else None,
        None if target.thresholds is None else target.thresholds[rows],
        _together(resolved, lines),
    )
    return Court(target, resolved.table.weight, came, resolved.yardstick, lines)


def _together(resolved: Resolved, lines: Judgements) -> np.ndarray | None:
    """Number the lines that share a budget; those of one fold only."""
    keys = resolved.together
    if not keys:
        return None
    codes = resolved.table.frame.groupby([*keys], sort=False, dropna=False).ngroup().to_numpy()
    return np.asarray(codes[lines.row] * (int(lines.fold.max()) + 1) + lines.fold)


def entrants_of(
    resolved: Resolved,
    folds: Folds,
    plan: Plan,
    court: Court,
    candidate: Candidate,
    found: Sequence[Outcome],
    again: Sequence[Sequence[Outcome]] = (),
) -> list[Entrant]:
    """Return the columns of a candidate, one for each rule; none until every fold is predicted.

    Args:
        resolved: the problem.
        folds: divisions of the rows.
        plan: holds the candidate.
        court: the lines.
        candidate: whose columns these are.
        found: what each fold gave.
        again: the same under further seeds, where these change it: the losses of a column are the means over the seeds.
    """
    parts = tuple(part for part in found if isinstance(part, Predicted))
    if len(parts) != len(folds.folds) or not all(isinstance(part, Predicted) for each in again for part in each):
        return []
    asked = plan.asked[candidate.framing]
    kin = plan.entries[candidate.entry][1]
    task = resolved.task(asked, max(len(fold.train) for fold in folds.folds))
    raw = np.concatenate([part.predictions for part in parts])
    shown = tuple(part for part, fold in zip(parts, folds.folds, strict=True) if not fold.warm_up)
    said = [kin.describe(task, point) for point in candidate.points]
    others = tuple(np.concatenate([part.predictions for part in each if isinstance(part, Predicted)]) for each in again)
    details = (*_choices(said, shown), *_seeded(others))
    label = Label(kin.words(task, candidate.params, candidate.points), kin.tier, details)
    rules = asked.framing.rules(resolved.yardstick)
    if asked.framing.kind == "classes" and candidate.entry.startswith(f"{BASELINE}:"):
        rules = rules[-1:]  # a rule that knows shares is not made to forget them
    columns = [court.column(asked, rule, candidate.entry, candidate.number, candidate.params, raw) for rule in rules]
    return [Entrant(_over_seeds(court, asked, column, others), label, shown, ((1.0, candidate),), others) for column in columns]


def _over_seeds(court: Court, asked: Asked, column: Column, again: Sequence[np.ndarray]) -> Column:
    """Return a column with the mean of its losses under all seeds, never the loss of their mean; predictions are those of its own."""
    if not again:
        return column
    others = [court.column(asked, column.rule, column.entry, column.number, column.params, raw).lines for raw in again]
    return replace(column, lines=np.mean([column.lines, *others], axis=0))


def _seeded(again: Sequence[np.ndarray]) -> tuple[str, ...]:
    return (f"mean loss of {len(again) + 1} seeds",) if again else ()


def _choices(said: Sequence[str], parts: Sequence[Predicted]) -> tuple[str, ...]:
    """Say which settings were chosen inside the training rows, the most frequent first.

    Args:
        said: what each of the settings is called; empty where none is chosen.
        parts: of the folds that are judged.
    """
    if not said:
        return ()
    counts = Counter(number for part in parts for number in part.chosen)
    total, what = sum(counts.values()), "folds" if all(len(part.chosen) == 1 for part in parts) else "fits"
    (first, n), *others = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    if not others:
        return (f"chose {said[first]} in all {total} {what}",) if total > 1 else (f"chose {said[first]}",)
    rest = f"{len(others)} others in {total - n}" if len(others) > 1 else f"{said[others[0][0]]} in {total - n}"
    return (f"chose {said[first]} in {n} of {total} {what}, {rest}",)


def self_test_of(resolved: Resolved, folds: Folds, plan: Plan, court: Court, found: Outcomes) -> tuple[Entrant, ...]:
    """Return the constant and the models of the self-test, by the loss that models are fitted by, on the target as it was dealt.

    Args:
        resolved: the problem.
        folds: divisions of the rows.
        plan: holds the cells of the self-test.
        court: the lines.
        found: candidate key -> what each fold gave; a model that lacks a fold is left out.
    """
    tested = {cell.candidates[0].key: cell.candidates[0] for cell in plan.cells if cell.stage == "self-test"}
    parts = {key: [part for part in each if isinstance(part, Predicted)] for key, each in found.items()}
    whole = {key: tuple(each) for key, each in parts.items() if len(each) == len(folds.folds)}
    if not whole:
        return ()
    asked, lines = plan.asked[resolved.plain.name], court.lines
    target = dealt(court.target, resolved.problem.seed)
    y, weight, n_classes = asked.framing.y(target), court.weight, len(target.classes) if asked.framing.kind == "classes" else 0
    values = np.eye(n_classes)[y] if n_classes else y
    constants = [np.average(values[fold.train], axis=0, weights=weight[fold.train]) for fold in folds.folds]
    constant = np.concatenate(
        [np.broadcast_to(each, (len(fold.test), *np.shape(each))) for each, fold in zip(constants, folds.folds, strict=True)]
    )

    def entrant(
        entry: str, title: str, raw: np.ndarray, parts: tuple[Predicted, ...], members: tuple[tuple[float, Candidate], ...]
    ) -> Entrant:
        column = Column(asked.name, entry, 0, "plug_in", {}, raw, raw, asked.framing.score(y[lines.row], raw))
        return Entrant(column, Label(title, 0), parts, members)

    models = (
        entrant(key[1], plan.entries[key[1]][1].title, np.concatenate([part.predictions for part in each]), each, ((1.0, tested[key]),))
        for key, each in whole.items()
    )
    return (entrant(f"{BASELINE}:constant", "Constant", constant, (), ()), *models)


def blends(entrants: Sequence[Entrant], resolved: Resolved, plan: Plan, court: Court) -> Iterator[Entrant]:
    """Make the blend of each framing that has at least two models, out of fold like any other column."""
    weight = court.weight[court.lines.row]
    for name in plan.blended:
        asked = plan.asked[name]
        rules = asked.framing.rules(resolved.yardstick)
        pool = [each for each in entrants if each.column.framing == name and not each.is_baseline and each.column.rule == rules[0]]
        if len({each.column.entry for each in pool}) < 2:
            continue
        n_again = max(len(each.again) for each in pool)
        y, loss = asked.framing.y(court.target)[court.lines.row], _loss(court, asked)
        blended = [blend(_under(pool, seed), y, weight, loss, court.lines) for seed in range(n_again + 1)]
        raw, shares = blended[0]
        again = tuple(each for each, _ in blended[1:])
        ranked = sorted(zip(shares.tolist(), range(len(pool)), strict=True), key=lambda pair: (-pair[0], pair[1]))
        used = [(share, pool[i]) for share, i in ranked if share > 0]
        by_entry: dict[str, float] = {}
        for share, each in used:
            by_entry[each.column.entry] = by_entry.get(each.column.entry, 0.0) + share
        said = ", ".join(f"{share:.2g} {entry}" for entry, share in by_entry.items())
        members = tuple((share, each.members[0][1]) for share, each in used)
        parts = _joint([each.parts for _, each in used])
        for rule in rules:
            column = _over_seeds(court, asked, court.column(asked, rule, BLEND, 0, {}, raw), again)
            yield Entrant(column, Label(f"{BLEND_TITLE} ({said})", BLEND_TIER, _seeded(again)), parts, members, again)


def _under(pool: Sequence[Entrant], seed: int) -> list[Column]:
    """Return the columns of models under one of the seeds, 0 the comparison's own; what no seed changes is what it is."""
    return [replace(each.column, raw=each.again[seed - 1]) if seed and each.again else each.column for each in pool]


def _loss(court: Court, asked: Asked) -> Loss:
    """Return what a blend's shares are learnt by: the metric, where it judges what families predict, else the framing's own score."""
    yardstick = court.yardstick
    if isinstance(yardstick, ByMetric) and asked.framing.kind in ("mean", "classes") and not asked.framing.cumulative:
        return yardstick.metric.loss
    return asked.framing.score


def _joint(parts: Sequence[Sequence[Predicted]]) -> tuple[Predicted, ...]:
    """Say what the members of a blend cost together, fold by fold; it has no training predictions of its own."""
    return tuple(
        Predicted(np.empty(0), {}, sum(part.fit_seconds for part in fold), sum(part.predict_seconds for part in fold))
        for fold in zip(*parts, strict=True)
    )
