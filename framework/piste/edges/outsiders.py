"""Predictions from outside in the store, by problem, so that every later comparison has them beside its own."""

from __future__ import annotations

from typing import Any

from piste.core.outside import Outside
from piste.edges.store import Store, key

KIND = "outside"


def keep(store: Store, problem: str, outside: Outside) -> None:
    """Keep predictions for a problem; the same ones again change nothing."""
    listed = _listed(store, problem)
    if outside.digest in [each["digest"] for each in listed]:
        return
    about = {"name": outside.name, "framing": outside.framing, "split": outside.split, "file": outside.file, "digest": outside.digest}
    store.put(_key(problem, outside.digest), KIND, about, {"raw": outside.raw})
    store.replace(_key(problem), KIND, {"listed": [*listed, about]})


def kept(store: Store, problem: str) -> tuple[Outside, ...]:
    """Return the predictions that are kept for a problem, in the order in which they came."""
    listed = _listed(store, problem)
    records = store.get_many([_key(problem, each["digest"]) for each in listed])
    arrays = [record.arrays["raw"] for record in records.values()]
    return tuple(Outside(each["name"], each["framing"], each["split"], each["file"], raw) for each, raw in zip(listed, arrays, strict=True))


def forget(store: Store, problem: str, name: str) -> int:
    """Leave the predictions of a name out from now on; return how many there were."""
    listed = _listed(store, problem)
    left = [each for each in listed if each["name"] != name]
    if len(left) < len(listed):
        store.replace(_key(problem), KIND, {"listed": left})
    return len(listed) - len(left)


def _listed(store: Store, problem: str) -> list[dict[str, Any]]:
    record = store.get(_key(problem))
    return [] if record is None else list(record.meta["listed"])


def _key(problem: str, *more: str) -> str:
    return key(KIND, problem, *more)
