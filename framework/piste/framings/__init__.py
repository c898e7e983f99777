"""The ways to ask. A framing is one file here; it is found by being there."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from piste.core.framing import Framing

NAMES = tuple(sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py")))


def framings() -> dict[str, Framing]:
    """Return every framing by name, simplest question first."""
    found = {name: importlib.import_module(f"{__name__}.{name}").FRAMING for name in NAMES}
    return dict(sorted(found.items(), key=lambda item: item[1].order))
