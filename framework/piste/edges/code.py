"""Runs a file of the problem's own folder as a module."""

from __future__ import annotations

import hashlib
import importlib.abc
import importlib.util
import sys
from pathlib import Path
from types import CodeType, ModuleType


def module_of(path: Path) -> ModuleType:
    """Run a file as a module, once per content. Whoever calls it has made sure that the file may run.

    Raises:
        BaseException: whatever the file raises.
    """
    content = path.read_bytes()
    name = f"piste_own_{path.stem}_{hashlib.sha256(str(path).encode() + content).hexdigest()[:16]}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path, loader=(loader := _Loader(content, path)))
        assert spec is not None, "a loader was given"
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # before it runs: a dataclass looks its module up there
        try:
            loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]


class _Loader(importlib.abc.InspectLoader):
    """Runs the very bytes that were hashed, and leaves no compiled file in the user's folder."""

    def __init__(self, content: bytes, path: Path) -> None:
        self.content = content
        self.path = path

    def get_source(self, fullname: str) -> str:
        """Return the text of the file."""
        return importlib.util.decode_source(self.content)

    def get_code(self, fullname: str) -> CodeType:
        """Compile it under its own name, so that tracebacks show its lines."""
        return self.source_to_code(self.content, str(self.path))

    def is_package(self, fullname: str) -> bool:
        """Answer no: one file is all."""
        return False
