"""A comparison in the store, whole, so that it can be shown, logged and answered from later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from piste.core.comparison import Absent, Claimed, Comparison, Curve, Interval, Judged, Terms, Verdict, Versus
from piste.core.data import Target
from piste.core.finding import Finding
from piste.edges.store import Store, StoredComparison

FRAMES = ("predictions", "losses", "columns")
PARTS = {"estimate": Interval, "next_period": Interval, "claimed": Claimed, "versus": Versus, "terms": Terms}
NESTED = ("target", "judged", "absent", "verdict", "trials", "references", "findings", "curve", "tables", *PARTS, *FRAMES)


Fitted = tuple[float, str, Mapping[str, Any], Sequence[Mapping[str, Any]]]  # share, entry, hyperparameters, or what they are chosen from


@dataclass(frozen=True, slots=True)
class Shelved:
    """A comparison, with what it takes to answer from it.

    `models` maps a leaderboard row id to the key of its model; `members` to the shares, entries and hyperparameters
    that it was fitted from. `changes` and `quick` are what the comparison was asked for beside the file.
    """

    comparison: Comparison
    link: str
    started: float  # seconds since 1970
    models: Mapping[str, str]
    members: Mapping[str, Sequence[Fitted]]
    changes: tuple[str, ...] = ()
    quick: bool = False


def keep(store: Store, shelved: Shelved) -> None:
    """Put a comparison on the shelf, as the latest of its problem."""
    comparison = shelved.comparison
    plain = {field.name: getattr(comparison, field.name) for field in fields(comparison) if field.name not in NESTED}
    target = comparison.target
    meta = {
        **plain,
        "target": {"name": target.name, "kind": target.kind, "labels": list(target.labels), "levels": list(target.levels)},
        **{name: None if (part := getattr(comparison, name)) is None else asdict(part) for name in PARTS},
        "curve": comparison.curve and {**asdict(replace(comparison.curve, points=None)), "points": None},
        "judged": [asdict(row) for row in comparison.judged],
        "references": [asdict(row) for row in comparison.references],
        "findings": [asdict(finding) for finding in comparison.findings],
        "absent": [asdict(row) for row in comparison.absent],
        "verdict": asdict(comparison.verdict),
        "link": shelved.link,
        "started": shelved.started,
        "models": dict(shelved.models),
        "changes": list(shelved.changes),
        "quick": shelved.quick,
        "members": {
            id: [[weight, entry, dict(params), [*map(dict, points)]] for weight, entry, params, points in each]
            for id, each in shelved.members.items()
        },
    }
    frames = {name: getattr(comparison, name) for name in FRAMES}
    for group, tables in (("trials", comparison.trials), ("table", comparison.tables)):
        frames |= {f"{group} {name}": table for name, table in tables.items()}
    if comparison.curve:
        frames["curve"] = comparison.curve.points
    arrays = {"target": target.values} | ({} if target.thresholds is None else {"thresholds": target.thresholds})
    store.save_comparison(comparison.key, comparison.problem, meta, arrays=arrays, frames=frames)


def latest(store: Store, problem: str) -> Shelved | None:
    """Return the comparison last kept for a problem."""
    stored = store.latest_comparison(problem)
    return None if stored is None else _shelved(stored)


def by_key(store: Store, key: str) -> Shelved | None:
    """Return the comparison of a key."""
    stored = store.comparison(key)
    return None if stored is None else _shelved(stored)


def _shelved(stored: StoredComparison) -> Shelved:
    meta = stored.meta
    plain = {field.name: meta[field.name] for field in fields(Comparison) if field.name not in NESTED and field.name in meta}
    for name in ("fold_names", "notes", "silent"):
        plain[name] = tuple(plain.get(name, ()))  # one that an earlier version kept has fewer
    parts: dict[str, Any] = {name: meta.get(name) and _part(kind, meta[name]) for name, kind in PARTS.items()}
    comparison = Comparison(
        **plain,
        **parts,
        curve=meta["curve"] and _part(Curve, {**meta["curve"], "points": stored.frames["curve"]}),
        target=_target(stored),
        judged=tuple(_row(row) for row in meta["judged"]),
        references=tuple(_row(row) for row in meta["references"]),
        findings=tuple(Finding(**finding) for finding in meta["findings"]),
        absent=tuple(Absent(**row) for row in meta["absent"]),
        verdict=Verdict(**meta["verdict"]),
        trials=_tables(stored.frames, "trials"),
        tables=_tables(stored.frames, "table"),
        **{name: stored.frames[name] for name in FRAMES},
    )
    members = {
        id: [(weight, entry, params, tuple(points[0]) if points else ()) for weight, entry, params, *points in each]
        for id, each in meta["members"].items()
    }
    return Shelved(
        comparison, meta["link"], meta["started"], meta["models"], members, tuple(meta.get("changes", ())), meta.get("quick", False)
    )


def _target(stored: StoredComparison) -> Target:
    about = stored.meta["target"]
    thresholds = stored.arrays.get("thresholds")
    return Target(
        about["name"], about["kind"], np.asarray(stored.arrays["target"]), tuple(about["labels"]), tuple(about["levels"]), thresholds
    )


def _row(kept: Mapping[str, Any]) -> Judged:
    lists = ("fold_costs", "notes", "details")  # a row that an earlier version kept has fewer
    return Judged(**{**kept, **{name: tuple(kept.get(name, ())) for name in lists}})


def _part(kind: Any, kept: Mapping[str, Any]) -> Any:
    """Read a part of a comparison back: intervals within it are parts of their own, lists are tuples."""
    found = {name: tuple(value) if isinstance(value, list) else value for name, value in kept.items()}
    return kind(**{name: Interval(**value) if isinstance(value, Mapping) else value for name, value in found.items()})


def _tables(frames: Mapping[str, pd.DataFrame], group: str) -> dict[str, pd.DataFrame]:
    return {name.removeprefix(f"{group} "): frame for name, frame in frames.items() if name.startswith(f"{group} ")}
