"""The clean tables: real data, each with a problem file as a careful person who knows the data would write it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from piste.edges.strict_yaml import read

FOLDER = Path(__file__).parent / "tables"


@dataclass(frozen=True)
class CleanTable:
    """A table and its problem file, tables/NAME.yaml; its data are read in place from the shared sets."""

    name: str

    @property
    def problem_file(self) -> Path:
        """Return where the problem is written."""
        return FOLDER / f"{self.name}.yaml"

    def problem(self) -> dict[str, Any]:
        """Return the problem as plain values, to be changed at will."""
        value: Any = read(self.problem_file.read_text(encoding="utf-8"), str(self.problem_file)).value
        return dict(value)

    @property
    def data_file(self) -> Path:
        """Return where the rows are, whether or not they are there."""
        data = self.problem()["data"]
        return (FOLDER / (data["path"] if isinstance(data, dict) else data)).resolve()

    def frame(self) -> pd.DataFrame:
        """Return the rows as the file has them: every cell a text, a missing one empty."""
        return pd.read_csv(self.data_file, dtype=str, keep_default_na=False, encoding="utf-8-sig")


TABLES = {path.stem: CleanTable(path.stem) for path in sorted(FOLDER.glob("*.yaml"))}
