"""Where piste prints: as wide as is asked for."""

from __future__ import annotations

import pytest

from piste.terminal.paper import WIDE, paper


@pytest.mark.parametrize(("said", "width"), [("72", 72), ("", WIDE), ("wide", WIDE)])
def test_where_the_output_is_no_terminal_it_is_as_wide_as_columns_says(monkeypatch, said, width):
    monkeypatch.setenv("COLUMNS", said)
    assert paper().width == width
