"""The kinds of models. A family is one file here (or a folder); it is found by being there."""

from __future__ import annotations

import importlib
import importlib.util
from functools import cache
from pathlib import Path

from piste.core.family import Family

NAMES = tuple(
    sorted(
        path.stem
        for path in Path(__file__).parent.iterdir()
        if path.stem[0].isalpha() and (path.suffix == ".py" or (path / "__init__.py").exists())
    )
)


@cache
def family(name: str) -> Family:
    """Return a family of piste's own by name; heavy packages are imported only when it builds."""
    found = importlib.import_module(f"{__name__}.{name}").FAMILY
    assert isinstance(found, Family), f"families/{name}.py must hold a Family named FAMILY"
    return found
