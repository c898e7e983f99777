"""The folder of a new problem: its name, the schema that editors find, and writing all or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from piste.core.errors import PisteError
from piste.edges.newproject import checked_name, heading, path_from, write


def everything(folder: Path) -> list[str]:
    """List all that is in a folder, hidden files too."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_the_last_part_of_the_path_names_the_problem(tmp_path):
    assert checked_name(tmp_path / "some where" / "ski-runs") == "ski-runs"


@pytest.mark.parametrize(("name", "better"), [("ski runs", "ski-runs"), ("_ski", "ski"), ("größe", "gr-e")])
def test_a_name_that_is_none_is_refused_with_one_that_would_do(tmp_path, name, better):
    with pytest.raises(PisteError, match=f"Did you mean '.*/{better}'"):
        checked_name(tmp_path / name)


def test_a_problem_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "problem.yaml").write_text("mine")
    with pytest.raises(PisteError, match="is there already"):
        checked_name(tmp_path)
    with pytest.raises(PisteError, match="must not be there yet"):
        write(tmp_path, {"problem.yaml": "new", "rows.csv": ""})
    assert everything(tmp_path) == ["problem.yaml"]
    assert (tmp_path / "problem.yaml").read_text() == "mine"


def test_a_file_is_no_folder_to_be_made(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(PisteError, match="but is a file"):
        checked_name(tmp_path / "runs")


def test_a_new_folder_holds_its_files_and_nothing_else(tmp_path):
    write(tmp_path / "a" / "b", {"problem.yaml": "über", "rows.csv": "x\n"})
    assert everything(tmp_path) == ["a", "a/b", "a/b/problem.yaml", "a/b/rows.csv"]
    assert (tmp_path / "a" / "b" / "problem.yaml").read_text(encoding="utf-8") == "über"


def test_files_join_those_that_are_in_the_folder(tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "data.csv").write_text("x")
    write(tmp_path / "runs", {"problem.yaml": "y"})
    assert everything(tmp_path) == ["runs", "runs/data.csv", "runs/problem.yaml"]


def test_where_nothing_can_be_written_nothing_is_left(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(PisteError, match="must be a folder that can be written, but is not: Not a directory"):
        write(tmp_path / "file" / "runs", {"problem.yaml": "y"})
    with pytest.raises(PisteError, match="must be a folder that can be written"):
        write(tmp_path / "new" / "runs", {"problem.yaml": "y", "no/such/folder": "z"})
    assert everything(tmp_path) == ["file"]


def test_what_is_written_half_way_is_taken_back(tmp_path, monkeypatch):
    rename = Path.rename

    def full(self: Path, target: Path) -> Path:
        if self.name == "rows.csv":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    (tmp_path / "runs").mkdir()
    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(PisteError, match="No space left"):
        write(tmp_path / "runs", {"problem.yaml": "y", "rows.csv": ""})
    assert everything(tmp_path) == ["runs"]


def test_editors_find_the_schema_in_a_folder_above(tmp_path):
    assert heading(tmp_path / "projects" / "runs") == ""
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "problem.schema.json").write_text("{}")
    assert heading(tmp_path / "projects" / "runs") == "# yaml-language-server: $schema=../../docs/problem.schema.json"
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects" / "problem.schema.json").write_text("{}")
    assert heading(tmp_path / "projects" / "runs") == "# yaml-language-server: $schema=../problem.schema.json"


def test_a_path_leads_from_the_folder_to_the_file(tmp_path):
    assert path_from(tmp_path / "projects" / "runs", tmp_path / "data" / "rows.csv") == "../../data/rows.csv"
    assert path_from(tmp_path, tmp_path / "rows.csv") == "rows.csv"


def test_a_path_leads_to_the_file_through_links(tmp_path):
    (tmp_path / "far" / "away").mkdir(parents=True)
    (tmp_path / "far" / "rows.csv").write_text("x")
    (tmp_path / "near").symlink_to(tmp_path / "far" / "away")
    assert path_from(tmp_path / "near", tmp_path / "far" / "rows.csv") == "../rows.csv"
    assert (tmp_path / "near" / path_from(tmp_path / "near", tmp_path / "far" / "rows.csv")).is_file()
