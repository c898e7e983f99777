"""Frame a machine-learning problem and find out honestly which model answers it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from piste.api import folds, frame, judge, new, predict
    from piste.core.errors import PisteError
    from piste.edges.load import make_problem as Problem
    from piste.python import check, run
    from piste.result import Result

__version__ = "0.1.0"
__all__ = ["PisteError", "Problem", "Result", "check", "folds", "frame", "judge", "new", "predict", "run"]

HOMES = {
    "run": ("piste.python", "run"),
    "check": ("piste.python", "check"),
    "predict": ("piste.api", "predict"),
    "frame": ("piste.api", "frame"),
    "folds": ("piste.api", "folds"),
    "judge": ("piste.api", "judge"),
    "new": ("piste.api", "new"),
    "Problem": ("piste.edges.load", "make_problem"),
    "PisteError": ("piste.core.errors", "PisteError"),
    "Result": ("piste.result", "Result"),
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `import piste` costs nothing."""
    if name not in HOMES:
        raise AttributeError(f"module 'piste' has no attribute {name!r}")
    import importlib

    module, inside = HOMES[name]
    return getattr(importlib.import_module(module), inside)
