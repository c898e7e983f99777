"""The pages keep step with the code: generated parts, examples, and the words of problem.yaml."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def generator() -> ModuleType:
    """Load docs/generate.py, which belongs to no package."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(language: str) -> list[tuple[str, str]]:
    """List the fenced blocks of a language, each with where it stands."""
    found = []
    for page in PAGES:
        text = page.read_text()
        for match in re.finditer(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
            found.append((f"{page.name}:{text[: match.start()].count(chr(10)) + 1}", match[1]))
    return found


@pytest.mark.parametrize("page", ["problem.md", "families.md", "checks.md", "performance.md"])
def test_what_is_generated_is_as_the_code_has_it(page):
    assert generator().renewed(page) == (ROOT / "docs" / page).read_text(), "renew it: make docs"


@pytest.mark.parametrize(("where", "text"), blocks("yaml"), ids=lambda value: value if "\n" not in value else "")
def test_every_yaml_example_is_a_problem(where, text, tmp_path):
    from piste.edges.load import load_problem

    for own in ("mine.py", "model.py", "simulate.py"):
        (tmp_path / own).touch()
    (tmp_path / "problem.yaml").write_text(text)
    load_problem(tmp_path / "problem.yaml", ())


def test_the_family_in_contributing_is_whole(tmp_path):
    from piste.core.problem import Entry
    from piste.edges.own import own_family

    [text] = [text for where, text in blocks("python") if where.startswith("CONTRIBUTING") and "FAMILY = " in text]
    (tmp_path / "lars.py").write_text(text)
    family = own_family(Entry(name="lars", file="lars.py"), tmp_path)
    assert family.kinds == {"mean"}


def test_the_python_of_the_readme_runs(tmp_path, monkeypatch, capsys):
    [text] = [text for where, text in blocks("python") if where.startswith("README")]
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(compile(text, "README.md", "exec"), names)
    assert "'target'" in capsys.readouterr().out
    assert (tmp_path / "mlruns").is_dir()


def test_every_metric_is_named():
    from piste.core.metrics import METRICS

    text = (ROOT / "docs" / "problem.md").read_text()
    assert not [name for name in METRICS if f"`{name}`" not in text]


def test_every_verdict_is_explained():
    names = set(re.findall(r'Verdict\(\s*"([^"]+)"', (ROOT / "framework" / "piste" / "core" / "verdict.py").read_text()))
    text = (ROOT / "docs" / "statistics.md").read_text()
    assert names
    assert not [name for name in names if f"*{name}*" not in text]
