"""docs/performance.md: it says what benchmarks wrote down, also what was missed, and invents nothing that was not measured."""

from __future__ import annotations

import doctest
import json
import re

import pytest

from benchmarks import naive as naive_benchmark
from benchmarks import tuning as tuning_benchmark
from benchmarks.figures import RESULTS
from benchmarks.performance import SECTIONS, errors, families, layout, naive, nets, page, quality, scaling, tuning
from benchmarks.performance.layout import against, circumstances, table
from benchmarks.quality.__main__ import ROWS
from benchmarks.quality.methods import TITLES
from benchmarks.quality.tables import SPLITS

ABOUT = {"date": "2026-11-24", "machine": "x86_64", "processor": "A processor", "cores": 2, "versions": {"python": "3.11", "numpy": "2.4"}}


def cells(text: str, first: str) -> list[str]:
    """Return the cells of the one line of a table that begins with this cell."""
    [line] = [line for line in text.splitlines() if line.startswith(f"| {first} |")]
    return line.strip("| ").split(" | ")


def compared(name: str, ratio: float, *, linear: float = 1.0, score: float = 1.0) -> dict:
    """Return what benchmarks.naive measures on a set, where the notebook's errors are 1."""
    theirs = {"linear": {"seconds": 5.0, "score": 1.0, "cv": 1.0}, "svm": {"seconds": 50.0, "score": 1.0, "cv": 1.0}}
    ours = {"linear": {"seconds": 0.1, "score": linear, "cv": 1.0}, "svm": {"reason": "steps aside"}}
    return {
        "set": name,
        "rows": 800,
        "capped": 800 if name == "adult" else None,
        "error": "RMSE",
        "notebook": {"cpu_seconds": 100.0 * ratio, "wall_seconds": 100.0, "families": theirs, "best": "svm", "score": 1.0},
        "piste": {"cpu_seconds": 100.0, "wall_seconds": 60.0, "families": ours, "best": "linear", "score": score},
    }


def test_a_missing_file_is_said_to_be_not_measured_and_how_it_is(tmp_path):
    text = page(tmp_path)
    assert text.count("**Not measured yet.**") == len(SECTIONS)
    for section in SECTIONS.values():
        assert f"`{section.command}`" in text


def test_every_command_that_the_page_names_is_in_the_makefile():
    makefile = (RESULTS.parents[1] / "Makefile").read_text()
    for name, section in SECTIONS.items():
        target = section.command.removeprefix("make ")
        assert re.search(rf"^{target}: .*\n\t.*python -m benchmarks\.{name}$", makefile, re.MULTILINE), target


def test_what_is_kept_in_git_is_what_the_page_prints():
    ignored = (RESULTS.parents[1] / ".gitignore").read_text()
    assert {*re.findall(r"^!benchmarks/results/(\w+)\.json$", ignored, re.MULTILINE)} == {*SECTIONS, "audit"}


def test_figures_stand_with_the_date_the_machine_and_the_versions(tmp_path):
    (tmp_path / "naive.json").write_text(json.dumps({**ABOUT, "outcomes": [compared("concrete", 4.0)]}))
    text = page(tmp_path)
    assert "Measured on 2026-11-24: A processor (x86_64), 2 cores; python 3.11, numpy 2.4." in text
    assert text.count("**Not measured yet.**") == len(SECTIONS) - 1


def test_errors_above_what_is_asked_stand_out_and_a_family_without_a_result_is_said_to_have_none():
    both = {"linear": [[1.0, 1.0], [1.0, 1.0]], "svm": [[1.0, 4.0], [1.21, 4.0]], "neural": [[1.0, 1.0], [None, None]]}
    outcome = {"set": "adult", "rows": 1_500, "error": "error rate", "errors": {**both, "chosen": [[2.0, 2.0], [2.02, 2.02]]}}
    text = errors.laid_out({**ABOUT, "outcomes": [outcome]})
    assert cells(text, "adult (1,500 rows)")[1:] == ["+0.0 %", "**+10.0 %**", "no result", "**+1.0 %**"]


def test_a_whole_comparison_is_judged_by_the_geometric_mean_and_by_the_least():
    found = {**ABOUT, "outcomes": [compared("concrete", 2.0, score=0.9), compared("adult", 18.0, score=1.0)]}
    text = naive.laid_out(found)
    assert cells(text, "concrete")[1:6] == ["800", "RMSE", "200 s", "100 s", "2.0 x"]
    assert cells(text, "adult")[1] == "800 (capped)"
    assert "geometric mean: **6.0 x** less (at least 5 x asked: reached)" in text
    assert "least on concrete: 2.0 x (at least 3 x asked: **not reached**)" in text
    assert "-5.1 % (below 0 asked: reached)" in text  # sqrt(0.9)


def test_a_family_that_errs_by_more_than_asked_stands_out_and_one_without_a_result_says_why():
    found = {**ABOUT, "outcomes": [compared("concrete", 4.0, linear=1.019), compared("adult", 4.0, linear=1.021)]}
    text = naive.laid_out(found)
    assert cells(text, "linear") == ["linear", "+1.9 %", "**+2.1 %**"]
    assert cells(text, "svm") == ["svm", "steps aside", "steps aside"]


@pytest.mark.parametrize(
    ("ratio", "target", "said"),
    [(150.0, 100, ("150 x", "100 x", "yes")), (2.96, 3, ("3.0 x", "3 x", "**no**")), (0.5, None, ("0.50 x", "", ""))],
)
def test_a_target_that_is_missed_stays_and_is_judged_by_the_figure_not_by_what_is_printed(ratio, target, said):
    assert against(ratio, target) == said


def test_a_shortcut_that_does_not_give_its_loops_numbers_cannot_hide():
    one = {"shortcut": "ridge, 20 alphas", "loop": "GridSearchCV(Ridge)", "rows": 5_000, "columns": 20, "target": 100, "ratio": 200.0}
    times = {"loop_seconds": 0.554, "shortcut_seconds": 0.00277}
    equal, other = ({**one, **times, "apart": 3e-10, "equal": True}, {**one, **times, "shortcut": "x|y", "apart": 0.1, "equal": False})
    text = families.laid_out({**ABOUT, "outcomes": [equal, other]})
    size, took = "5,000 x 20", ["554.0 ms", "2.77 ms", "200 x", "100 x", "yes"]
    assert cells(text, "ridge, 20 alphas")[1:] == ["GridSearchCV(Ridge)", size, *took, "3e-10"]
    assert cells(text, r"x\|y")[-1] == "**1e-01, not equal**"


def test_the_stack_is_said_beside_each_way_to_train_one_by_one_and_beside_what_the_machine_can_do():
    outcome = {
        "size": "500 x 10, (32, 32), batch 32",
        "networks": 48,
        "seconds_per_epoch": {"stack": 0.0001, "torch loop": 0.0045, "skorch": 0.009},
        "ratio": {"torch loop": 45.0, "skorch": 90.0},
        "target": {"torch loop": 30},
        "gigaflops": 37.0,
        "product_gigaflops": 112.0,
        "share_of_product": 0.33,
        "target_share": 0.6,
    }
    text = nets.laid_out({**ABOUT, "outcomes": [outcome, {**outcome, "size": "other", "target_share": None}]})
    assert "| 500 x 10, (32, 32), batch 32 | stack of 48 | 0.10 ms |  |  |  |" in text
    assert "| 500 x 10, (32, 32), batch 32 | torch loop | 4.50 ms | 45.0 x less | 30 x | yes |" in text
    assert "| 500 x 10, (32, 32), batch 32 | skorch | 9.00 ms | 90.0 x less |  |  |" in text
    assert "| 500 x 10, (32, 32), batch 32 | 37 | 112 | 0.33 | 0.6 | **no** |" in text
    assert "| other | 37 | 112 | 0.33 |  |  |" in text
    assert "Not measured yet: one by one, scikit-learn, on a graphics card." in text


def test_choosing_inside_is_judged_by_the_median_ratio_and_the_mean_regret_of_the_sets():
    def outcome(name: str, split: int, ratio: float, regret: float) -> dict:
        errors = {"grid": 1.0, "default": 1.1, "inside": 1 + regret, "regret": regret, "ratio": ratio, "ratio_with_default": ratio / 2}
        times = {"grid_seconds": 10.0 * ratio, "inside_seconds": 10.0}
        return {"family": "forest", "target": 3.5, "set": name, "split": split, "rows": 824, **times, **errors}

    first = [outcome("concrete", split, ratio, 0.03) for split, ratio in enumerate((3.0, 4.0, 5.0))]
    text = tuning.laid_out({**ABOUT, "outcomes": [*first, outcome("adult", 0, 9.0, -0.02)]})
    assert cells(text, "forest | concrete")[2:] == [
        "824",
        "40.0 s",
        "10.0 s",
        "4.0 x",
        "",
        "",
        "2.0 x",
        "+3.0 %",
        "+10.0 %",
    ]
    assert cells(text, "**forest**")[5:] == ["4.5 x", "3.5 x", "yes", "2.2 x", "+0.5 %, under 1 %: yes", "+10.0 %"]


def grown(name: str, rows: int, cpu_seconds: float, gib: float = 1.0, **more) -> dict:
    """Return what benchmarks.scaling keeps of a comparison."""
    return {"name": name, "rows": rows, "peak_bytes": int(gib * 2**30), "cpu_seconds": cpu_seconds, "aside": {}, **more}


def test_growth_is_told_between_large_tables_and_a_family_that_steps_aside_has_neither_time_nor_power():
    refused = {"aside": {"svm": "would take hours"}}
    outcomes = [
        *(grown("forest", rows, seconds) for rows, seconds in ((1_000, 9.0), (100_000, 200.0), (1_000_000, 4000.0))),
        *(grown("svm", rows, 20.0, **more) for rows, more in ((1_000, {}), (100_000, refused), (1_000_000, refused))),
        *(grown("all", rows, 300.0, gib) for rows, gib in ((1_000, 0.5), (100_000, 9.0), (1_000_000, 7.25))),
    ]
    text = scaling.laid_out({**ABOUT, "outcomes": outcomes})
    assert cells(text, "forest") == ["forest", "9.0 s, 1.00 GiB", "200 s, 1.00 GiB", "4,000 s, 1.00 GiB", "1.30 (100,000 to 1,000,000)"]
    assert cells(text, "svm") == ["svm", "20.0 s, 1.00 GiB", "steps aside", "steps aside", "-"]
    assert "- svm steps aside at 100,000 and 1,000,000 rows: would take hours" in text
    assert "- All at once on 1,000,000 rows: 7.25 GiB at the peak (under 8 GiB asked: reached)." in text


def test_a_comparison_that_was_stopped_says_why_and_reaches_nothing():
    stopped = {"name": "all", "rows": 100_000, "peak_bytes": 2**30, "stopped": "not done after 30 minutes"}
    outcomes = [grown("svm", 1_000, 20.0), {**stopped, "name": "svm", "rows": 10_000}, stopped]
    text = scaling.laid_out({**ABOUT, "outcomes": outcomes})
    assert cells(text, "svm") == ["svm", "20.0 s, 1.00 GiB", "not done after 30 minutes", "left out", "-"]
    assert "(under 8 GiB asked: **not reached**)" in text


def predicted(error: float, row: str = "piste", seconds: float = 10.0) -> dict:
    """Return what benchmarks.quality keeps of a cell."""
    return {"answers": {row: {"error": error, "note": ""}}, "cpu_seconds": seconds, "by": {"versions": {"lightgbm": "4.7"}}}


def test_of_quality_only_whole_sets_are_ranked_and_the_lowest_error_of_each_stands_out():
    rivals = {"lightgbm": 0.3, "catboost": 0.2, "hist": 0.4, "realmlp": 0.5}
    kept = {f"concrete/{split}/{ROWS}/{name}": predicted(error, name, 100.0) for split in range(SPLITS) for name, error in rivals.items()}
    for split in range(SPLITS):
        both = predicted(0.1)["answers"] | predicted(0.25, "piste_best")["answers"]
        kept[f"concrete/{split}/{ROWS}/piste"] = {**predicted(0.1), "answers": both}
    kept[f"adult/0/{ROWS}/piste"] = predicted(0.5)
    kept["concrete/0/77/tabm"] = predicted(0.01, "tabm")  # of another number of rows: not of this comparison
    text = quality.laid_out({**ABOUT, "cells": kept})
    assert cells(text, "concrete") == ["concrete", "**0.1000**", "0.2500", "0.3000", "0.2000", "0.4000", "0.5000"]
    assert "| adult |" not in text
    assert cells(text, "**CPU seconds**")[1:] == ["30", "30", *["300"] * 4]  # of adult none, where only one was measured
    assert cells(text, "**mean rank, 1 set**")[1:] == ["1.00", "2.00", "3.00", "2.00", "4.00", "5.00"]
    assert f"Not measured yet: {TITLES['tabm']}." in text
    assert re.search(r"Not measured whole yet: .*adult", text)
    assert "By mean rank piste's champion is first of 5" in text
    assert text.endswith("lightgbm 4.7.")


def test_cells_of_another_number_of_rows_are_no_figures_of_this_comparison():
    assert quality.laid_out({**ABOUT, "cells": {"concrete/0/77/tabm": predicted(0.01, "tabm")}}) == quality.NOT_YET


def test_a_table_has_as_many_cells_in_each_line():
    lines = table(("a", "b"), [("x|y", "1")]).splitlines()
    assert lines == ["| a | b |", "| :-- | --: |", r"| x\|y | 1 |"]


def test_examples_of_how_numbers_are_written_hold():
    found = doctest.testmod(layout)
    assert (found.failed, found.attempted) == (0, 3)


def test_one_core_is_one_core():
    assert "1 core;" in circumstances({**ABOUT, "cores": 1})


@pytest.mark.parametrize("benchmark", [naive_benchmark, tuning_benchmark], ids=["naive", "tuning"])
def test_where_no_set_is_here_each_is_named_and_the_figures_of_the_last_run_stay(benchmark, tmp_path, monkeypatch, capsys):
    path = RESULTS / f"{benchmark.__name__.rpartition('.')[2]}.json"
    before = path.read_bytes() if path.exists() else None
    for module in ("sets", "tuning"):
        monkeypatch.setattr(f"benchmarks.{module}.SHARED", tmp_path)
    benchmark.main([])
    said = capsys.readouterr().out
    assert "concrete: left out" in said
    assert f"{path.name} stays as it was" in said
    assert (path.read_bytes() if path.exists() else None) == before
