"""Rules of the repository that no linter knows: each is a line in the docs somewhere, and a test here."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "framework" / "piste"
SOURCE_FOLDERS = ("framework", "tests", "benchmarks", "projects")
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "tools", "base"}


def tracked() -> list[Path]:
    """List the files that git keeps, or would keep once added."""
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def sources(*folders: str) -> list[Path]:
    """List the Python files under some folders of the repository."""
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


def named(path: Path) -> str:
    """Name a file in a failure as from the root."""
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", [path for path in sources(*SOURCE_FOLDERS) if path.stat().st_size], ids=named)
def test_the_first_line_of_a_file_says_what_it_is(path):
    docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
    assert re.fullmatch(r".*[.?!]", docstring.partition("\n")[0]), (
        f"{named(path)} must begin with a docstring whose first line is a sentence"
    )


def test_files_are_named_after_an_idea():
    assert not [named(path) for path in sources(*SOURCE_FOLDERS) if path.stem in VAGUE]


def test_nothing_is_left_for_later():
    marks = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
    left = [f"{named(path)}:{number}" for path in tracked_text() for number, line in lines(path) if marks.search(line)]
    assert not left


def tracked_text() -> list[Path]:
    """List the tracked files that are text."""
    found = []
    for path in tracked():
        try:
            path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        found.append(path)
    return found


def lines(path: Path) -> list[tuple[int, str]]:
    """Return the numbered lines of a file."""
    return list(enumerate(path.read_text("utf-8").splitlines(), 1))


def test_no_file_names_a_machine_or_a_registry():
    registries = {"org": ["pypi", "pythonhosted", "npmjs", "deb.debian", "pytorch", "anaconda"], "com": ["npmjs", "anaconda"]}
    hosts = [f"{name}.{end}" for end, names in registries.items() for name in names]
    folders = [f"/{name}/" for name in ("root", "home", "Users", "opt")] + ["/tmp" + "/boot", "/work" + "/"]
    patterns = [re.compile(re.escape(word)) for word in hosts] + [re.compile(rf"(?<![\w.$}}]){re.escape(word)}\w") for word in folders]
    named_lines = [
        f"{named(path)}:{number}: {line.strip()[:120]}"
        for path in tracked_text()
        for number, line in lines(path)
        if any(pattern.search(line) for pattern in patterns)
    ]
    assert not named_lines


@pytest.mark.parametrize("folder", ["core", "families", "framings", "numeric", "edges"])
def test_each_folder_says_what_it_is_and_what_it_refuses_to_be(folder):
    text = (PACKAGE / folder / "README.md").read_text()
    assert text.startswith("# ")
    assert "refuses" in text


def test_the_changelog_has_a_place_for_what_is_not_released():
    assert "\n## Unreleased\n" in (ROOT / "CHANGELOG.md").read_text()


def test_every_make_command_in_the_docs_is_a_target():
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for path in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]:
        used = set(re.findall(r"(?:^|`|\$ )make ([a-z]+)\b", path.read_text(), re.MULTILINE))
        assert used <= targets, f"{path.name} names {sorted(used - targets)}"


def test_every_link_in_the_docs_leads_to_a_file():
    pages = [path for path in tracked() if path.suffix == ".md"]
    broken = [
        f"{named(page)}: {target}"
        for page in pages
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
        if not re.match(r"[a-z]+:", target) and not (page.parent / target).exists()
    ]
    assert not broken


def test_dependencies_are_pinned_to_versions_that_the_package_allows():
    from packaging.requirements import Requirement

    pinned = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if not line.startswith("#"):
            name, _, version = line.partition("==")
            assert re.fullmatch(r"[\w.!]+", version), f"constraints.txt must pin one version without a local label: {line}"
            pinned[name.lower().replace("_", "-")] = version
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for text in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        wanted = Requirement(text)
        assert wanted.specifier.contains(pinned[wanted.name.lower()]), text


def test_the_core_names_no_family():
    from piste.families import NAMES

    models = set(NAMES) - {"baseline"}  # the rules to beat are part of what a comparison is
    found = []
    for path in sources("framework/piste/core"):
        tree = ast.parse(path.read_text())
        docstrings = {id(node.body[0].value) for node in ast.walk(tree) if has_docstring(node)}
        found += [
            f"{named(path)}:{node.lineno}: {node.value!r}"
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and id(node) not in docstrings and node.value in models
        ]
    assert not found


def has_docstring(node: ast.AST) -> bool:
    """Say whether a node of a syntax tree begins with a docstring."""
    return isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None


def test_asking_for_help_costs_a_fifth_of_a_second_of_cpu_at_most():
    program = (
        "import resource, sys\n"
        "from piste.cli import main\n"
        "sys.argv = ['piste', '--help']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "print(used.ru_utime + used.ru_stime, file=sys.stderr)\n"
    )
    runs = [subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True) for _ in range(3)]
    assert min(float(run.stderr) for run in runs) < 0.2


def test_what_is_skipped_in_ci_has_failed(tmp_path):
    shutil.copy(ROOT / "tests" / "conftest.py", tmp_path / "conftest.py")
    (tmp_path / "test_skips.py").write_text(
        "import pytest\n"
        "def test_data(shared): shared('no-such-set')\n"
        "def test_gpu(): pytest.skip('needs a GPU')\n"
        "@pytest.mark.xfail(reason='known')\ndef test_known(): assert False\n"
    )
    (tmp_path / "test_absent.py").write_text("import pytest\npytest.importorskip('no_such_package')\n")

    def outcome(environment: dict[str, str]) -> str:
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            "--continue-on-collection-errors",
            "-rfEs",
            str(tmp_path),
        ]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False).stdout

    bare = {key: value for key, value in os.environ.items() if key not in ("CI", "PYTEST_ADDOPTS")}
    here = outcome(bare)
    assert "needs ../shared/data/no-such-set" in here
    assert re.search(r"3 skipped, 1 xfailed", here)
    ci = outcome({**bare, "CI": "true"})
    assert re.search(r"1 failed, 1 skipped, 1 xfailed, 1 error", ci)
    assert "skipped in CI, which counts as failed. Skipped: needs ../shared/data/no-such-set" in ci
