"""What to type next."""

from __future__ import annotations

import io

from rich.console import Console

from piste.terminal import print_next_steps


def said(link: str, problem: str) -> list[str]:
    console = Console(width=60, file=io.StringIO(), color_system=None, force_terminal=False)
    print_next_steps(console, link, problem)
    return console.file.getvalue().splitlines()


def test_the_link_stays_on_one_line_however_long():
    link = "http://127.0.0.1:5000/#/experiments/3/runs?" + "x" * 200
    assert f"    {link}" in said(link, "projects/ski-runs")


def test_a_folder_with_a_space_can_be_pasted_as_it_stands():
    assert any("piste predict 'my [red]problem' ROWS.csv" in line for line in said("", "my [red]problem"))


def test_a_comparison_that_mlflow_does_not_have_says_so():
    assert "    (not logged to MLflow)" in said("", "projects/ski-runs")
