"""What the store knows of a problem from before: what its audit found, and which rows have been judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from piste.core.check import Examined
from piste.core.finding import Finding
from piste.edges.ledger import judged_before, keep, kept
from piste.edges.shelf import Shelved
from piste.edges.shelf import keep as shelve
from piste.edges.store import Store
from tests.comparisons import regression


@pytest.fixture
def store(tmp_path):
    with Store(tmp_path / "results.sqlite") as opened:
        yield opened


def test_what_an_audit_found_is_read_back_whole(store):
    table = pd.DataFrame({"column": pd.Series(["a", "b"], dtype="str"), "stake": [1.5, float("nan")]}, index=[3, 7])
    finding = Finding("L02", "warn", "a", float("inf"), 0.8, "strong", "look", "too good", "columns: {a: drop}", "columns.a")
    keep(store, "k", Examined((finding,), {"stakes": table, "empty": pd.DataFrame()}, {"L14": "no holdout"}, ("D03",)))
    found = kept(store, "k")
    assert (found.findings, found.spared, found.silent) == ((finding,), {"L14": "no holdout"}, ("D03",))
    pd.testing.assert_frame_equal(found.tables["stakes"], table.reset_index(drop=True))
    assert found.tables["empty"].empty
    assert kept(store, "another") is None


def test_rows_that_are_held_out_now_are_counted_in_the_comparisons_that_judged_them(store):
    comparison = regression()
    rows = comparison.losses["row"].to_numpy()
    holdout, n_rows = np.array([rows[0], rows[1], rows.max() + 1]), comparison.n_rows

    def shelved(key: str, **changed: object) -> None:
        shelve(store, Shelved(replace(comparison, key=key, **changed), "", 0.0, {}, {}))

    def times() -> np.ndarray:
        return judged_before(store, comparison.problem, comparison.digest, holdout, n_rows)

    assert not times().any()
    shelved("a")
    shelved("b", losses=comparison.losses.iloc[1:].reset_index(drop=True))
    shelved("of other rows", digest="other")
    shelved("of another problem", problem="other")
    expected = np.zeros(n_rows, dtype=int)
    expected[[rows[0], rows[1]]] = 1, 2
    np.testing.assert_array_equal(times(), expected)
