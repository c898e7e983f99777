"""The methods of the comparison, by name, in the order of the table."""

from __future__ import annotations

from benchmarks.quality.boosted import CATBOOST, HIST, LIGHTGBM
from benchmarks.quality.method import Method
from benchmarks.quality.networks import REALMLP, TABM
from benchmarks.quality.ours import PISTE

METHODS: dict[str, Method] = {each.name: each for each in (PISTE, LIGHTGBM, CATBOOST, HIST, REALMLP, TABM)}
TITLES = {row: title for method in METHODS.values() for row, title in method.rows.items()}
