"""Run the code of a project as piste does: from its file, with no package around it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

PROJECTS = Path(__file__).parents[2] / "projects"


@pytest.fixture(scope="session")
def load() -> Callable[[Path], ModuleType]:
    """Return what turns a file into a module."""

    def module(path: Path) -> ModuleType:
        spec = importlib.util.spec_from_file_location(f"project_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        found = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
        return found

    return module


@pytest.fixture(scope="session")
def resort(load: Callable[[Path], ModuleType]) -> ModuleType:
    """Return the simulator of ski-runs."""
    return load(PROJECTS / "ski-runs" / "simulate.py")
