"""The learning curves of a comparison: the champion on few training rows and on more, beside every family's default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from piste.core.case import Case
from piste.core.comparison import Curve, Interval
from piste.core.curve import crossings, fit_curve, nested
from piste.core.finding import short
from piste.core.fit import Outcome, Predicted
from piste.core.losses import Court, on_folds
from piste.core.plan import BASELINE, SHARES, Cell
from piste.core.search import Candidate
from piste.core.statistics import Sample, sample

HARDLY = 0.2

Answers = Mapping[tuple[tuple[str, str, int], float], Mapping[int, Outcome]]  # candidate key and share -> fold -> what came of it


def drawn_for(case: Case) -> Candidate | None:
    """Return the candidate whose curve is drawn: the champion, or a blend's best member; none where a rule is champion."""
    entrant = case.entrants[case.champion]
    if entrant.is_baseline:
        return None
    keys = {each.members[0][1].key: i for i, each in enumerate(case.entrants) if len(each.members) == 1}
    return min((candidate for _, candidate in entrant.members), key=lambda candidate: case.sample.mean[keys[candidate.key]])


def learning_curve(case: Case, cells: Sequence[Cell], answers: Answers) -> Curve | None:
    """Judge what was predicted from fewer rows, in the currency of the comparison.

    Args:
        case: the comparison.
        cells: of the curves.
        answers: what came of them.

    Returns:
        None where no candidate has three sizes, or there is one block to judge by.
    """
    folds = sorted({cell.fold for cell in cells})
    drawn = list({cell.candidates[0].key: cell.candidates[0] for cell in cells}.values())
    if not folds:
        return None
    court = on_folds(case.court, case.folds, folds, forward=False)  # each learns its spread from the others, whatever their order
    lines = court.lines
    codes = np.unique(case.folds.blocks[lines.row], return_inverse=True)[1]
    weight = case.court.weight[lines.row]
    sizes = _sizes(case, folds)
    shares = [share for share, after in zip(SHARES, [*SHARES[1:], None], strict=True) if after is None or sizes[share][1] < sizes[after][1]]
    rule = case.entrants[case.champion].column.rule
    curves: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    points = []
    for candidate in drawn:
        found = {share: losses for share in shares if (losses := _losses(case, court, candidate, rule, folds, share, answers)) is not None}
        if len(found) < 3 or codes.max() < 1:
            continue
        total = np.bincount(codes, weights=weight)
        means = np.stack([np.bincount(codes, weights=weight * losses) / total for losses in found.values()])
        title = case.plan.entries[candidate.entry][1].title if candidate is not drawn[0] else case.row_of(case.champion).title
        curves[candidate.entry if candidate is not drawn[0] else "champion"] = (np.array([sizes[share][1] for share in found]), means)
        each = sample(means.T, total, np.arange(len(total)), ordered=case.folds.ordered, seed=case.resolved.problem.seed)
        points += [
            {"entry": candidate.entry, "title": title, "rows": sizes[share][0], "blocks": sizes[share][1], **_shown(case, each, i)}
            for i, share in enumerate(found)
        ]
    if "champion" not in curves:
        return None
    return _described(case, curves, np.bincount(codes, weights=weight), pd.DataFrame(points), sizes[1.0])


def _sizes(case: Case, folds: Sequence[int]) -> dict[float, tuple[int, float]]:
    """Return the training rows and blocks of each share, in the mean over the folds."""
    found = {}
    for share in SHARES:
        parts = [
            nested(case.folds.blocks, case.folds.folds[number].train, (share,), seed=case.resolved.problem.seed)[0] for number in folds
        ]
        found[share] = (
            round(float(np.mean([len(part) for part in parts]))),
            float(np.mean([len(np.unique(case.folds.blocks[part])) for part in parts])),
        )
    return found


def _losses(
    case: Case, court: Court, candidate: Candidate, rule: str, folds: Sequence[int], share: float, answers: Answers
) -> np.ndarray | None:
    """Return the loss of each line, (n_lines,); None where a fold is lacking."""
    if share == 1:
        whole = next((each.column for each in case.entrants if len(each.members) == 1 and each.members[0][1].key == candidate.key), None)
        if whole is None:
            return None
        raw = whole.raw[np.isin(case.court.lines.fold, folds)]
    else:
        found = answers.get((candidate.key, share), {})
        parts = [found.get(number) for number in folds]
        if not all(isinstance(part, Predicted) for part in parts):
            return None
        raw = np.concatenate([part.predictions for part in parts if isinstance(part, Predicted)])
    asked = case.plan.asked[candidate.framing]
    rules = asked.framing.rules(case.court.yardstick)
    chosen = next((each for each in rules if each == rule), rules[-1])
    return court.column(asked, chosen, candidate.entry, candidate.number, candidate.params, raw).lines


def _shown(case: Case, drawn: Sample, i: int) -> dict[str, float]:
    shown = case.court.yardstick.shown
    low, high = drawn.interval(i)
    ends = zip(("cost", "cost_lo", "cost_hi"), (drawn.mean[i], low, high), strict=True)
    return {name: float(shown(max(0.0, float(value)))) if np.isfinite(value) else float("nan") for name, value in ends}


def _described(
    case: Case, curves: Mapping[str, tuple[np.ndarray, np.ndarray]], weight: np.ndarray, points: pd.DataFrame, whole: tuple[int, float]
) -> Curve:
    blocks, losses = curves["champion"]
    seed, ordered = case.resolved.problem.seed, case.folds.ordered
    gain = float(case.sample.mean[case.base] - case.sample.mean[case.champion])
    settings = {"rope": case.choice.rope, "delta": max(0.0, case.choice.delta - gain), "ordered": ordered, "seed": seed}
    fitted = fit_curve(blocks, losses, weight, **settings)  # type: ignore[arg-type]
    shown = case.court.yardstick.shown
    double = Interval(*(float(shown(max(0.0, end))) for end in fitted.at_double))
    per_block = whole[0] / whole[1]
    said = [crossing.sentence() for crossing in crossings(_by_rows(case, curves, per_block), weight, ordered=ordered, seed=seed)]
    what = "what a decision costs" if case.court.yardstick.priced else f"the {case.court.yardstick.name}"
    if fitted.p_rope < HARDLY:
        more = f"Twice the rows would hardly lower {what}"
    else:
        more = f"Twice the rows would bring {what} to about {short(double.mean)} ({short(double.low)} to {short(double.high)})"
    if case.resolved.rule.scheme == "forward" and case.resolved.rule.by:
        more += f"; what another {case.resolved.rule.by} would teach, no curve within these can show"
    return Curve(points, double, fitted.p_rope, fitted.p_delta, (*said, more))


def _by_rows(case: Case, curves: Mapping[str, tuple[np.ndarray, np.ndarray]], per_block: float) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the curves over rows, under the names that sentences use."""
    titles = {entry: f"the {kin.title.lower()}" for entry, (_, kin) in case.plan.entries.items() if not entry.startswith(BASELINE)}
    champion = titles.get(case.entrants[case.champion].column.entry, "the champion")
    return {
        (champion if name == "champion" else titles[name]): (sizes * per_block, losses)
        for name, (sizes, losses) in curves.items()
        if name == "champion" or titles[name] != champion
    }
