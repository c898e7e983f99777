"""A comparison in the store, whole, so that it can be shown, logged and answered from later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import pandas as pd

from piste.core.comparison import Absent, Comparison, Judged, Verdict
from piste.core.data import Target
from piste.edges.store import Store, StoredComparison

FRAMES = ("predictions", "losses", "columns")
NESTED = ("target", "judged", "absent", "verdict", "trials", *FRAMES)


@dataclass(frozen=True, slots=True)
class Shelved:
    """A comparison, with what it takes to answer from it.

    `models` maps a leaderboard row id to the key of its model; `members` to the shares, entries and hyperparameters
    that it was fitted from.
    """

    comparison: Comparison
    link: str
    started: float  # seconds since 1970
    models: Mapping[str, str]
    members: Mapping[str, Sequence[tuple[float, str, Mapping[str, Any]]]]


def keep(store: Store, shelved: Shelved) -> None:
    """Put a comparison on the shelf, as the latest of its problem."""
    comparison = shelved.comparison
    plain = {field.name: getattr(comparison, field.name) for field in fields(comparison) if field.name not in NESTED}
    target = comparison.target
    meta = {
        **plain,
        "target": {"name": target.name, "kind": target.kind, "labels": list(target.labels)},
        "judged": [asdict(row) for row in comparison.judged],
        "absent": [asdict(row) for row in comparison.absent],
        "verdict": asdict(comparison.verdict),
        "link": shelved.link,
        "started": shelved.started,
        "models": dict(shelved.models),
        "members": {id: [[weight, entry, dict(params)] for weight, entry, params in each] for id, each in shelved.members.items()},
    }
    frames = {name: getattr(comparison, name) for name in FRAMES} | {f"trials {id}": table for id, table in comparison.trials.items()}
    store.save_comparison(comparison.key, comparison.problem, meta, arrays={"target": target.values}, frames=frames)


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
    plain = {field.name: meta[field.name] for field in fields(Comparison) if field.name not in NESTED}
    for name in ("fold_names", "notes"):
        plain[name] = tuple(plain[name])
    about = meta["target"]
    comparison = Comparison(
        **plain,
        target=Target(about["name"], about["kind"], np.asarray(stored.arrays["target"]), tuple(about["labels"])),
        judged=tuple(Judged(**row | {name: tuple(row[name]) for name in ("fold_costs", "notes")}) for row in meta["judged"]),
        absent=tuple(Absent(**row) for row in meta["absent"]),
        verdict=Verdict(**meta["verdict"]),
        trials=_trials(stored.frames),
        **{name: stored.frames[name] for name in FRAMES},
    )
    members = {id: [(weight, entry, params) for weight, entry, params in each] for id, each in meta["members"].items()}
    return Shelved(comparison, meta["link"], meta["started"], meta["models"], members)


def _trials(frames: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    return {name.removeprefix("trials "): frame for name, frame in frames.items() if name.startswith("trials ")}
