"""Write down once what is planted, so that a later change of the list or of what a fault does to a table shows.

`python -m benchmarks.audit.freeze` writes frozen.json; it refuses where the list was frozen before.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.audit.faults import FAULTS, Fault
from benchmarks.audit.tables import TABLES

FROZEN = Path(__file__).parent / "frozen.json"


def digest_of(value: Any) -> str:
    """Return the sha256 of plain values in their one canonical form."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()


def digest_of_list() -> str:
    """Return the digest of the list of faults and of the problem files of the clean tables."""
    problems = {name: table.problem_file.read_text(encoding="utf-8") for name, table in TABLES.items()}
    return digest_of({"faults": [fault.canonical() for fault in FAULTS], "problems": problems})


def digest_of_rows(frame: pd.DataFrame, problem: dict[str, Any]) -> str:
    """Return the digest of a table of texts and its problem."""
    seal = hashlib.sha256(digest_of(problem).encode())
    for name in frame.columns:
        seal.update(digest_of([name, frame[name].tolist()]).encode())
    return seal.hexdigest()


def planted_digest(fault: Fault, frame: pd.DataFrame) -> str:
    """Return the digest of what a fault makes of its clean table."""
    return digest_of_rows(*fault.planted(frame.copy(), TABLES[fault.table].problem()))


def frozen() -> dict[str, Any]:
    """Return what was frozen."""
    kept: dict[str, Any] = json.loads(FROZEN.read_text(encoding="utf-8"))
    return kept


def main() -> None:
    """Freeze the list, once."""
    if FROZEN.exists():
        sys.exit(f"{FROZEN.name} is there already: what is frozen stays")
    frames = {name: TABLES[name].frame() for name in {fault.table for fault in FAULTS}}
    kept = {
        "digest": digest_of_list(),
        "n_faults": len(FAULTS),
        "held_back": sum(fault.held_back for fault in FAULTS),
        "deserves": dict(Counter(fault.deserves for fault in FAULTS)),
        "tables": sorted(TABLES),
        "planted": {fault.name: planted_digest(fault, frames[fault.table]) for fault in FAULTS},
    }
    FROZEN.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"frozen: {kept['n_faults']} faults, {kept['held_back']} of them held back, in {len(TABLES)} tables")


if __name__ == "__main__":
    main()
