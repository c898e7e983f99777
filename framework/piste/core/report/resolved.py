"""The resolved problem as YAML, each default with its reason; it can be saved and run as it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from piste.core.cost import MatrixCost
from piste.core.framing import Form
from piste.core.melt import OUTPUT, ROW
from piste.core.part import Part
from piste.core.pasted import scalar, written
from piste.core.plan import Plan
from piste.core.problem import Constraints
from piste.core.resolve import Resolved
from piste.core.split import Folds

MARGIN = 46  # the column where reasons start


def printed(resolved: Resolved, folds: Folds, plan: Plan) -> str:
    """Write the resolved problem.

    Args:
        resolved: the problem with every choice made.
        folds: the divisions of the rows that came of it.
        plan: the work that came of it.
    """
    return "\n".join(_aligned(line, why) for line, why in _lines(resolved, folds, plan)) + "\n"


def _aligned(line: str, why: str) -> str:
    if not why:
        return line
    return f"{line:<{MARGIN - 2}}  # {why}" if line else f"# {why}"


def _lines(resolved: Resolved, folds: Folds, plan: Plan) -> Iterator[tuple[str, str]]:
    problem, table, rule, why = resolved.problem, resolved.table, resolved.rule, resolved.reasons
    yield "schema: piste/1", ""
    yield f"problem: {scalar(resolved.name)}", "" if problem.problem else "the folder's name"
    if problem.question:
        yield f"question: {scalar(problem.question)}", ""
    yield f"data: {scalar(_source(problem.data))}", f"{len(table.frame):,} rows, {len(table.columns)} columns, digest {table.digest[:12]}"
    yield from _target(resolved)
    yield from _decision(resolved)
    for name in ("weight", "time"):
        if value := getattr(problem, name):
            yield f"{name}: {scalar(value)}", ""
    if unit := [name for name in problem.unit if name not in (ROW, OUTPUT)]:
        yield f"unit: {scalar(unit)}", ""
    if known := {name: values for name in ("always", "decision", "after") if (values := getattr(problem.known_at, name))}:
        yield "known_at:", ""
        yield from ((f"  {name}: {scalar(values)}", "never shown to a model" if name == "after" else "") for name, values in known.items())
    if problem.add:
        yield "add:", ""
        yield from ((f"  {scalar(name)}: {scalar(text)}", "") for name, text in problem.add.items())
    yield "columns:", ""
    for column in table.columns:
        if column.name not in (table.target.name, ROW, OUTPUT) and column.name not in problem.add:
            kind = "drop" if column.role == "dropped" else column.kind
            yield f"  {scalar(column.name)}: {kind}", column.why
    yield "split:", _judged(folds, len(table.frame))
    for name in ("scheme", "by", "together", "folds", "repeats", "gap", "holdout"):
        counted = name == "folds" and rule.scheme in ("leave_one_out", "predefined")  # the groups are
        if (value := getattr(rule, name)) not in (None, ROW) and not counted:
            yield f"  {name}: {scalar(value)}", why.get(f"split.{name}", "")
    if problem.baselines:
        yield "baselines:", ""
        yield from ((f"  {scalar(name)}: {scalar(text)}", "") for name, text in problem.baselines.items())
    for row, (_, kin) in plan.entries.items():
        if row.startswith("baseline:") and row.removeprefix("baseline:") not in problem.baselines:
            params = next(candidate.params for candidate in plan.candidates if candidate.entry == row)
            asked = next(baseline.asked for baseline in resolved.baselines if f"baseline:{baseline.name}" == row)
            yield "", f"baseline {kin.describe(resolved.task(asked, len(table.frame)), params)}: always there"
    yield from _asked(resolved)
    ranks = "shown beside the cost of the decision, which ranks" if resolved.yardstick.priced else why.get("metric", "")
    yield f"metric: {resolved.metric.name}", ranks
    yield "families:", why.get("families", "")
    for entry in resolved.entries:
        reasons = {absent.framing: absent.reason for absent in plan.absent if absent.family == entry.name}
        said = "; ".join(f"not {framing}: {reason}" for framing, reason in reasons.items())
        if len(reasons) == len(resolved.asked) and len(set(reasons.values())) == 1:
            said = f"skipped: {next(iter(reasons.values()))}"
        yield f"  - {scalar(written(entry))}", said
    tried = problem.search
    searched = {"trials": tried.trials, "minutes": tried.minutes, "seeds": tried.seeds if tried.seeds > 1 else None}
    yield f"search: {scalar({name: value for name, value in searched.items() if value is not None})}", why.get("search", "")
    yield f"seed: {problem.seed}", "" if "seed" in problem.model_fields_set else "the default"
    if problem.acknowledge:
        yield "acknowledge:", ""
        yield from ((f"  - {scalar(_given(each))}", "") for each in problem.acknowledge)
    if problem.truth:
        yield f"truth: {scalar(problem.truth)}", "the world is simulated: what could be known at best is shown beside the rows"
    if track := {name: value for name in ("uri", "experiment") if (value := getattr(problem.track, name))}:
        yield f"track: {scalar(track)}", ""


def _asked(resolved: Resolved) -> Iterator[tuple[str, str]]:
    """Print the framings: a list of names, or where one has a form of its own, each with it."""
    why = resolved.reasons.get("framings", "")
    plain = all(each.name == each.framing.name and each.form == Form(each.framing.name) for each in resolved.asked)
    if plain:
        yield f"framings: {scalar([each.name for each in resolved.asked])}", why
        return
    yield "framings:", why
    for each in resolved.asked:
        form = {"as": each.form.framing, "wide": each.form.wide, "apart": each.form.apart, "add": list(each.form.add)}
        yield f"  {scalar(each.name)}: {scalar({name: value for name, value in form.items() if value})}", ""


def _source(data: Any) -> Any:
    if data.frame is not None:
        return "a DataFrame"
    given = {name: value for name in type(data).model_fields if (value := getattr(data, name)) not in (None, ())}
    for prefix in ("sklearn", "python"):
        if prefix in given:
            return f"{prefix}:{given[prefix]}"
    return given["path"] if list(given) == ["path"] else given


def _target(resolved: Resolved) -> Iterator[tuple[str, str]]:
    written, target = resolved.problem.target, resolved.table.target
    n_different = len(np.unique(target.values))
    what = f"{n_different:,} distinct values" if not target.labels else f"{n_different} classes"
    yield "target:", what
    if written.columns:
        yield f"  columns: {scalar(written.columns)}", ""
    yield f"  column: {scalar(target.name)}", "names them all together" if written.columns else ""
    yield f"  kind: {target.kind}", "" if written.kind else "read off the values"
    if target.kind == "binary":
        positive = written.positive if written.positive is not None else target.labels[-1]
        yield f"  positive: {scalar(positive)}", "" if written.positive is not None else "the rarer class"
    if target.kind == "ordered":
        yield f"  order: {scalar(target.labels)}", "" if written.order else "by number"
    if written.levels:
        shares = np.bincount(target.codes, minlength=len(target.levels)) / len(target.values)
        said = ", ".join(f"{name} {share:.0%}" for name, share in zip(target.levels, shares, strict=True))
        yield f"  levels: {scalar(_given(written.levels))}", f"of the rows: {said}"
    for name in ("delay", "proxy_for"):
        if value := getattr(written, name):
            yield f"  {name}: {scalar(value)}", ""


def _given(part: Part) -> dict[str, Any]:
    """Return what a part of the problem says, without what it leaves open."""
    return {name: value for name in type(part).model_fields if (value := getattr(part, name)) not in (None, (), {})}


def _decision(resolved: Resolved) -> Iterator[tuple[str, str]]:
    """Print the decision, what it is held against, and where it must hold."""
    problem, table = resolved.problem, resolved.table
    if problem.decision:
        yield "decision:", ""
        for name, value in _given(problem.decision).items():
            if isinstance(value, MatrixCost):
                yield "  cost:", f"for {', '.join(table.target.classes)}"
                yield from ((f"    {scalar(action)}: {scalar(costs)}", "") for action, costs in value.actions.items())
            else:
                yield f"  {name}: {scalar(_given(value) if isinstance(value, Part) else value)}", ""
    said = {} if "success" in problem.model_fields_set else {"success": "the default; a gain below `by` is not worth shipping"}
    yield f"success: {scalar(_given(problem.success))}", said.get("success", "")
    if problem.constraints != Constraints():
        yield f"constraints: {scalar(_given(problem.constraints))}", ""
    if problem.slices:
        yield f"slices: {scalar(_given(problem.slices))}", ""


def _judged(folds: Folds, n_rows: int) -> str:
    names = [fold.name for fold in folds.shown]
    shown = ", ".join(names) if len(names) <= 6 else f"{names[0]} ... {names[-1]}"
    held = f"; {len(folds.holdout):,} held out" if len(folds.holdout) else ""
    warm = "; one more before them, judged by nobody, shows how far predictions are off" if len(folds.folds) > len(names) else ""
    return f"{len(names)} fold{'s' * (len(names) > 1)} ({shown}); {len(folds.judged):,} of {n_rows:,} rows are judged{held}{warm}"
