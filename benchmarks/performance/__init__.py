"""Figures of all benchmarks, laid out for docs/performance.md; a file here lays those of one benchmark out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import RESULTS, kept
from benchmarks.performance import errors, families, naive, nets, quality, scaling, tuning


@dataclass(frozen=True)
class Section:
    """A benchmark on the page."""

    title: str
    about: str  # what is compared with what, and what is not
    command: str  # that measures it
    laid_out: Callable[[Mapping[str, Any]], str]  # what the benchmark keeps -> Markdown


SECTIONS = {
    "naive": Section("A whole comparison against the notebook", naive.ABOUT, "make bench", naive.laid_out),
    "errors": Section("Held-out errors, family by family", errors.ABOUT, "make bench-errors", errors.laid_out),
    "quality": Section("How well the champion predicts", quality.ABOUT, "make bench-quality", quality.laid_out),
    "families": Section("Exact shortcuts against their loops", families.ABOUT, "make bench-families", families.laid_out),
    "nets": Section("Networks trained at once against one by one", nets.ABOUT, "make bench-nets", nets.laid_out),
    "tuning": Section("Choosing inside the training rows against the full grid", tuning.ABOUT, "make bench-tuning", tuning.laid_out),
    "scaling": Section("From a thousand rows to a million", scaling.ABOUT, "make bench-scaling", scaling.laid_out),
}


def page(results: Path = RESULTS) -> str:
    """Return the figures of the last run of each benchmark as Markdown, or say that there was none.

    Args:
        results: the folder that benchmarks write to.
    """
    parts = []
    for name, section in SECTIONS.items():
        found = kept(name, results)
        told = section.laid_out(found) if found else "**Not measured yet.**"
        parts.append(f"## {section.title}\n\n{section.about} `{section.command}` measures it.\n\n{told}")
    return "\n\n".join(parts)
