"""Annotations of a pull request: GitHub's workflow commands, escaped as GitHub reads them."""

from __future__ import annotations

import re

import pytest

from piste.core.errors import Place
from piste.edges.annotations import Remark, annotated


def read_back(line: str) -> tuple[str, dict[str, str], str]:
    """Read a command as the runner does: split at the first `::`, properties at commas and `=`, then undo the escapes."""
    level, properties, message = re.fullmatch(r"::(\w+) (.*?)::(.*)", line).groups()

    def plain(text: str, signs: str) -> str:
        for sign in signs:
            text = text.replace(f"%{ord(sign):02X}", sign)
        return text.replace("%25", "%")

    about = dict(each.split("=", 1) for each in properties.split(","))
    return level, {key: plain(value, "\r\n:,") for key, value in about.items()}, plain(message, "\r\n")


def test_a_remark_is_one_line_with_its_place_and_title():
    [line] = annotated([Remark("warning", Place("a/problem.yaml", 7, 3), "L02 tickets", "strong")])
    assert line == "::warning file=a/problem.yaml,line=7,col=3,title=L02 tickets::strong"


@pytest.mark.parametrize("text", ["97% of it", "a,b: c", "two\nlines", "a\r\nb", "50%25", "::error::x", "100%,x=1::y"])
def test_whatever_it_says_reads_back(text):
    [line] = annotated([Remark("error", Place("problem.yaml", 1, 1), text, text)])
    assert "\n" not in line
    assert read_back(line) == ("error", {"file": "problem.yaml", "line": "1", "col": "1", "title": text}, text)


def test_what_has_no_place_has_only_a_title():
    assert annotated([Remark("notice", Place(), "D03 resort", "dead")]) == ["::notice title=D03 resort::dead"]


def test_a_file_is_named_as_seen_from_the_repository(tmp_path, monkeypatch):
    home = tmp_path / "repo" / "sub"
    home.mkdir(parents=True)
    monkeypatch.chdir(home)
    remark = Remark("error", Place("problem.yaml", 2), "x", "y")
    assert annotated([remark], str(tmp_path / "repo")) == ["::error file=sub/problem.yaml,line=2,title=x::y"]
    outside = Remark("error", Place(str(tmp_path / "other.yaml"), 2), "x", "y")
    assert annotated([outside], str(home)) == [f"::error file={tmp_path / 'other.yaml'},line=2,title=x::y"]
