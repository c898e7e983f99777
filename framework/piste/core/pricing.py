"""Whether what a decision costs, and what a model must achieve, goes with the target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from piste.core.cost import Decision, EventCost, MatrixCost, QuantityCost, dominated
from piste.core.errors import either, near
from piste.core.problem import Problem, Target, amount

Found = Iterator[tuple[str, str] | tuple[str, str, str]]  # fields and messages; of what a check looks for, its id


def decision_faults(problem: Problem, *, judged: bool) -> Found:
    """Find what a decision, its cost and the target say against each other.

    Args:
        problem: as its author wrote it.
        judged: whether the target was given as it must be; else nothing is said of it.
    """
    decision = problem.decision
    if decision is None:
        return
    if decision.cost is None:
        for field in ("actions", "cost_range", "budget"):
            if getattr(decision, field):
                yield f"decision.{field}", "must go with `cost`: without a cost there is nothing to weigh"
    elif isinstance(decision.cost, MatrixCost):
        yield from _matrix(decision, decision.cost.actions, problem.target, judged=judged)
        yield from _budget(decision, timed=problem.time is not None)
    else:
        for field in ("actions", "budget"):
            if getattr(decision, field):
                yield f"decision.{field}", "must go with a cost that gives each action a number per level"
        if judged:
            yield from _pair(decision.cost, problem.target)


def _pair(cost: QuantityCost | EventCost, target: Target) -> Found:
    """Find what keeps amounts, or two outcomes, from being told apart."""
    levels = target.n_levels
    if isinstance(cost, QuantityCost):
        if target.has_classes:
            tip = "{false_alarm, miss} of two, or each action with its cost at each class"
            yield "decision.cost", f"must price classes, but {{over, under}} prices a number: write {tip}"
        return
    needs = "must go with a binary target, or with target.levels of one cut"
    if levels is not None and levels != 2:
        what = "levels" if target.levels else "classes"
        yield (
            "decision.cost",
            f"{needs}, but there are {levels} {what}: give each action a number per {'level' if target.levels else 'class'}",
        )
    elif levels is None and (target.kind is not None or target.columns):
        yield "decision.cost", f"{needs}, but {f'its kind is {target.kind}' if target.kind else 'there are several columns'}"


def _matrix(decision: Decision, costs: Mapping[str, tuple[float, ...]], target: Target, *, judged: bool) -> Found:
    levels = target.n_levels if judged else None
    if judged and levels is None and (target.kind in ("numeric", "count") or target.columns):
        yield "decision.cost", "must go with target.levels: actions are priced by levels, and the target is a number"
    first, row = next(iter(costs.items()))
    wanted = (
        f"{levels} numbers, one for each {'level' if target.levels else 'class'}" if levels else f"{len(row)} numbers, as many as '{first}'"
    )
    wrong = {name: len(each) for name, each in costs.items() if len(each) != (levels or len(row))}
    for name, length in wrong.items():
        yield f"decision.cost.{name}", f"must hold {wanted}, but holds {length}"
    if decision.actions and {*decision.actions} != {*costs}:
        missing = [f"leaves out '{name}'" for name in costs if name not in decision.actions]
        extra = [name for name in decision.actions if name not in costs]
        said = " and ".join([*missing[:1], *(f"names '{name}'" for name in extra[:1])])
        tip = "".join(f".{near(name, costs)}" for name in extra[:1] if near(name, costs))
        yield "decision.actions", f"must name the actions of `cost`, each once, but {said}{tip}"
    for name in decision.budget.uses if decision.budget else ():
        if name not in costs:
            yield f"decision.budget.uses.{name}", f"must be {either(costs)}, but is '{name}'.{near(name, costs)}"
    if not wrong:
        yield from _dominated(decision, costs)


def _budget(decision: Decision, *, timed: bool) -> Found:
    """Find a budget that no choice of actions keeps, or that nobody knows who shares."""
    if decision.budget is None:
        return
    if decision.uses and all(decision.uses.values()):
        yield "decision.budget.uses", "must leave an action that takes nothing, for when the budget is used up, but every action takes some"
    if not decision.budget.per and not timed:
        yield "decision.budget", "must say by `per` which rows share it, as in {units: 8, per: [date]}: there is no `time` to go by"


def _dominated(decision: Decision, costs: Mapping[str, tuple[float, ...]]) -> Found:
    """Find actions that can never be right."""
    worse = dominated(decision)
    best = [name for name in costs if name not in worse]
    if len(best) == 1:
        message = f"must leave something to decide, but '{best[0]}' is always best: no other action costs less at any level"
        yield "decision.cost", message, "F02"
        return
    for name, better in worse.items():
        message = f"must be cheaper than '{better}' at some level, but costs at least as much at each: it can never be right. Leave it out"
        yield f"decision.cost.{name}", message, "F02"


def success_faults(problem: Problem, lost: Callable[..., bool]) -> Found:
    """Find what cannot be achieved; `lost` tells of fields whether one was given, but wrongly."""
    success, decision = problem.success, problem.decision
    priced = decision is not None and decision.cost is not None
    usual = "usual" if "climatology" in problem.baselines else "climatology"
    known = ["best_baseline", *problem.baselines, "constant"]
    known += [usual] * (priced or not problem.baselines) + ["last_value"] * (problem.time is not None)
    if success.beat not in known and not lost("baselines", "time", "decision.cost"):
        yield "success.beat", f"must be {either(known)}, but is '{success.beat}'.{near(success.beat, known)}"
    by, same = success.by, success.same
    if {"by", "same"} <= success.model_fields_set and isinstance(by, str) == isinstance(same, str) and amount(same, 1.0) > amount(by, 1.0):
        yield "success.same", f"must not be more than success.by, but {same} is more than {by}: what is worth shipping is a difference"
    if success.worthwhile is not None and not lost("decision") and not (priced and decision and decision.per_year):
        yield "success.worthwhile", "must go with decision.cost and decision.per_year: it is what is saved in a year"
