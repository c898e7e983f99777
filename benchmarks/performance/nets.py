"""Stacked networks beside networks trained one by one, on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchmarks.performance.layout import against, circumstances, seconds, table

ABOUT = (
    "Networks of one search trained as one program, beside networks of the same layers, batches and number of epochs trained one after "
    "the other: by the same program, by the loop that one writes in torch, by scikit-learn's MLPRegressor, and by skorch. CPU time of a "
    "network and epoch on one thread, median of three in turn. Only training is measured, not how well the networks predict."
)
OTHERS = ("one by one", "torch loop", "scikit-learn", "skorch")
NO_GPU = "on a graphics card"


def laid_out(found: Mapping[str, Any]) -> str:
    """Return a table of times, and one of the arithmetic that the machine is made to do."""
    head = ("rows x columns, layers, batch", "side", "one network, one epoch", "the stack takes", "target", "reached")
    times = [line for outcome in found["outcomes"] for line in _sides(outcome)]
    missing = [*(side for side in OTHERS if any(side not in outcome["ratio"] for outcome in found["outcomes"])), NO_GPU]
    speeds = [_speed(outcome) for outcome in found["outcomes"]]
    return "\n\n".join(
        [
            table(head, times, words=2),
            "How much of the machine the stack uses, beside a large float32 matrix product in the same run:",
            table((head[0], "GFLOP/s", "of", "share", "target", "reached"), speeds),
            f"Not measured yet: {', '.join(missing)}.",
            circumstances(found),
        ]
    )


def _sides(outcome: Mapping[str, Any]) -> list[tuple[str, ...]]:
    each = outcome["seconds_per_epoch"]
    lines: list[tuple[str, ...]] = [(outcome["size"], f"stack of {outcome['networks']}", seconds(each["stack"]), "", "", "")]
    for side, ratio in outcome["ratio"].items():
        less, target, reached = against(ratio, outcome["target"].get(side))
        lines.append((outcome["size"], side, seconds(each[side]), f"{less} less", target, reached))
    return lines


def _speed(outcome: Mapping[str, Any]) -> tuple[str, ...]:
    share, target = outcome["share_of_product"], outcome["target_share"]
    judged = (f"{target:g}", "yes" if share >= target else "**no**") if target else ("", "")
    return (outcome["size"], f"{outcome['gigaflops']:.0f}", f"{outcome['product_gigaflops']:.0f}", f"{share:.2f}", *judged)
