"""How far a budget of minutes goes."""

from __future__ import annotations

import pytest

from piste.core.budget import Budget


def test_without_minutes_nothing_is_bounded():
    assert Budget.shared(None, 4).allows([1e9], 1e9, 50) == 50
    assert Budget.shared(None, 4).points([1e9], 50) == 50


def test_minutes_are_shared_equally():
    assert Budget.shared(2.0, 6).seconds == 20.0
    assert Budget.shared(2.0, 0).seconds == 120.0


@pytest.mark.parametrize(
    ("taken", "spent", "waiting", "expected"),
    [
        ([1.0], 0.0, 50, 5),  # ten would fit: half of them
        ([1.0], 0.0, 3, 3),
        ([1.0, 1.0, 4.0], 6.0, 50, 1),  # two would fit, at two seconds each
        ([1.0], 9.5, 50, 0),
        ([30.0], 0.0, 50, 0),
        ([], 0.0, 50, 1),  # nobody knows what one takes
        ([0.0], 0.0, 50, 50),
    ],
)
def test_settings_are_taken_while_they_fit(taken, spent, waiting, expected):
    assert Budget(10.0).allows(taken, spent, waiting) == expected


@pytest.mark.parametrize(("taken", "n", "expected"), [([1.0], 50, 10), ([1.0], 6, 6), ([4.9], 6, 2), ([5.1], 6, 0), ([], 6, 6)])
def test_a_choice_inside_is_made_from_as_many_settings_as_fit_and_from_one_it_is_none(taken, n, expected):
    assert Budget(10.0).points(taken, n) == expected
