"""Figures show the numbers that they were given."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from piste.core.report.album import album
from piste.core.report.figures import (
    GREY,
    actions_taken,
    champion_against_cost,
    colour,
    confusion_matrix,
    cost_by_fold,
    framings_compared,
    gain_by_fold,
    gain_by_slice,
    intervals_kept,
    leaderboard_intervals,
    learning_curve,
    predicted_against_actual,
    reliability_diagram,
    training_curve,
)
from piste.core.report.figures.canvas import called
from piste.core.report.figures.cost_range import winners
from piste.core.report.figures.grid import grid
from tests.comparisons import TO_BEAT, WAYS, classification, decided, regression


def words(figure):
    return [text.get_text() for text in figure.texts]


def drawn(figure):
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    return picture.getvalue().startswith(b"\x89PNG")


def labelled(comparison, row):
    columns = [f"{row.id}[{label}]" for label in comparison.target.labels]
    codes = comparison.predictions[columns].to_numpy().argmax(axis=1)
    return comparison.predictions["y"].to_numpy(), np.array(comparison.target.labels)[codes]


def test_every_family_that_ships_has_a_colour_of_its_own():
    from piste.families import NAMES

    shipped = {*NAMES, "blend"} - {"baseline"}
    assert len({colour(name) for name in shipped}) == len(shipped)
    assert colour("baseline:climatology") == colour("baseline:constant") == GREY


@pytest.mark.parametrize("n_rows", [400, 4000])
def test_predictions_are_drawn_with_their_error_in_words(n_rows):
    from sklearn.metrics import r2_score, root_mean_squared_error

    comparison = regression(n_rows=n_rows)
    y, prediction = (comparison.predictions[name].to_numpy() for name in ("y", "mean/tree/mean"))
    figure = predicted_against_actual(y, prediction, "Tree", "skiers")
    assert f"typical error {root_mean_squared_error(y, prediction):.3g} skiers" in words(figure)[1]
    assert f"(R² {r2_score(y, prediction):.2f})" in words(figure)[1]
    assert drawn(figure)


def test_every_row_is_in_the_picture_but_those_predicted_far_off():
    y = np.linspace(0, 100, 50)
    prediction = y.copy()
    prediction[:2] = 1e9
    figure = predicted_against_actual(y, prediction, "Linear", "skiers")
    assert len(figure.axes[0].collections[0].get_offsets()) == 48
    assert "2 of 50 rows outside the picture" in words(figure)[1]
    assert "worse than always the mean" in words(figure)[1]
    assert figure.axes[0].get_ylim()[1] < 150


def test_a_target_that_never_varies_can_be_drawn():
    assert drawn(predicted_against_actual(np.full(3, 7.0), np.full(3, 7.0), "Constant", "skiers"))


def test_the_cells_of_a_confusion_matrix_are_the_counts():
    from sklearn.metrics import confusion_matrix as count

    comparison = classification()
    y, predicted = labelled(comparison, comparison.judged[1])
    labels = list(comparison.target.labels)
    figure = confusion_matrix(y, predicted, labels, "Forest")
    shown = np.zeros((10, 10), dtype=int)
    for text in figure.axes[0].texts:
        column, row = text.get_position()
        shown[row, column] = int(text.get_text())
    np.testing.assert_array_equal(shown, count(y, predicted, labels=labels))
    assert f"{np.mean(y == predicted):.1%} of 600 rows right" in words(figure)[1]
    assert drawn(figure)


def test_with_many_classes_the_most_frequent_mistakes_are_listed():
    labels = [f"c{k}" for k in range(40)]
    y = np.array(labels * 5)
    predicted = y.copy()
    predicted[[0, 40, 80]] = "c7"
    predicted[1] = "c9"
    figure = confusion_matrix(y, predicted, labels, "Forest")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["c0 taken for c7", "c1 taken for c9"]
    assert [text.get_text().strip() for text in figure.axes[0].texts] == ["3 (60%)", "1 (20%)"]
    assert drawn(figure)


def test_words_of_the_user_are_never_read_as_mathematics():
    labels = ["$10 \\frac{", "$20^"]
    assert drawn(confusion_matrix(np.array(labels), np.array(labels), labels, "Tree ($x_"))


def test_the_cost_of_each_fold_stands_beside_that_of_the_best_baseline():
    comparison = regression()
    row, baseline = comparison.row("mean/forest/mean"), comparison.row(comparison.best_baseline)
    figure = cost_by_fold(comparison, row)
    _, hollow, full = figure.axes[0].collections
    np.testing.assert_allclose(hollow.get_offsets()[:, 1], baseline.fold_costs)
    np.testing.assert_allclose(full.get_offsets()[:, 1], row.fold_costs)
    assert "better than the best baseline on 4 of 4 folds" in words(figure)[1]
    assert drawn(figure)


def test_the_best_baseline_stands_alone_in_its_own_figure():
    comparison = regression()
    figure = cost_by_fold(comparison, comparison.row(comparison.best_baseline))
    assert len(figure.axes[0].collections) == 1
    assert drawn(figure)


def test_fifty_folds_can_still_be_read():
    comparison = regression()
    names = tuple(f"fold {k % 5 + 1} (repeat {k // 5 + 1})" for k in range(50))
    judged = tuple(replace(row, fold_costs=tuple(np.linspace(1, 2, 50))) for row in comparison.judged)
    figure = cost_by_fold(replace(comparison, fold_names=names, judged=judged), judged[0])
    assert len(figure.axes[0].get_xticklabels()) <= 16
    assert drawn(figure)


def test_the_leaderboard_shows_every_row_the_champion_in_bold_and_ties_shaded():
    comparison = regression()
    figure = leaderboard_intervals(comparison)
    names = figure.axes[0].get_yticklabels()
    assert [name.get_text() for name in names] == [row.title for row in comparison.judged]
    assert [name.get_text() for name in names if name.get_fontweight() == "bold"] == [comparison.row(comparison.champion).title]
    assert len(figure.axes[0].patches) == sum(row.tied_with_best for row in comparison.judged)
    assert drawn(figure)


def test_a_row_far_worse_than_the_rest_does_not_squeeze_the_picture():
    comparison = regression()
    wild = replace(comparison.judged[5], family="wild", cost=1e6, cost_lo=9e5, cost_hi=2e6)
    figure = leaderboard_intervals(replace(comparison, judged=(*comparison.judged, wild)))
    assert figure.axes[0].get_xlim()[1] < 200
    assert any(text.get_text().startswith("1,000,000") for text in figure.axes[0].texts)
    assert drawn(figure)


def test_a_training_curve_has_a_line_for_each_name_and_a_point_for_each_epoch():
    history = {"train_loss": np.array([3.0, 2.0, 1.5]), "stop_loss": np.array([3.5, 2.5, 2.6])}
    figure = training_curve(history, "Neural network")
    lines = {line.get_label(): line.get_xydata() for line in figure.axes[0].get_lines()}
    np.testing.assert_array_equal(lines["stop loss"], [[1, 3.5], [2, 2.5], [3, 2.6]])
    assert set(lines) == {"train loss", "stop loss"}
    assert drawn(figure)


def test_every_cell_of_the_grid_is_the_cost_of_a_kind_of_model_under_a_way():
    comparison = decided()
    laid, figure = grid(comparison), framings_compared(comparison)
    shown = {(round(text.get_position()[0]), round(text.get_position()[1])): text for text in figure.axes[0].texts[: len(laid.rows)]}
    assert set(laid.ways) == set(WAYS)
    for (family, way), row in laid.rows.items():
        text = shown[laid.ways.index(way), laid.families.index(family)]
        assert float(text.get_text()) == pytest.approx(row.cost)
        least = min(other.cost for (name, _), other in laid.rows.items() if name == family)
        assert (text.get_weight() == "bold") == (row.cost == least)
    assert laid.families[-1] == "rules"
    assert list(laid.families[:2]) == ["boosting", "forest"]
    assert drawn(figure)


def test_a_cell_is_blue_where_it_is_cheaper_than_the_best_baseline_and_orange_where_it_is_dearer():
    comparison = decided()
    laid, figure = grid(comparison), framings_compared(comparison)
    for patch in figure.axes[0].patches:
        place, at = round(patch.get_x() + 0.48), round(patch.get_y() + 0.45)
        cost, (red, _, blue, _) = laid.rows[laid.families[at], laid.ways[place]].cost, patch.get_facecolor()
        if cost != comparison.row(TO_BEAT).cost:
            assert (red > blue) == (cost > comparison.row(TO_BEAT).cost)


def test_the_champion_is_framed():
    comparison = decided()
    laid, figure = grid(comparison), framings_compared(comparison)
    [framed] = [patch for patch in figure.axes[0].patches if patch.get_linewidth() > 2]
    family, way = laid.families[round(framed.get_y() + 0.45)], laid.ways[round(framed.get_x() + 0.48)]
    assert laid.rows[family, way].id == comparison.champion


def test_where_no_model_beats_the_baseline_the_grid_can_still_be_drawn():
    comparison = decided()
    worse = tuple(replace(row, cost=row.cost * (1 if row.id == TO_BEAT else 10)) for row in comparison.judged)
    same = tuple(replace(row, cost=0.0) for row in comparison.judged)
    assert all(drawn(framings_compared(replace(comparison, judged=judged))) for judged in (worse, same))


def test_who_costs_least_is_read_off_every_factor():
    comparison = decided()
    table = comparison.tables["cost_range"].pivot(index="factor", columns="row", values="cost")
    bands = winners(comparison)
    for factor in table.index:
        [id] = {id for id, start, end in bands if start * 0.999 <= factor <= end * 1.001}
        assert id == table.loc[factor].idxmin()
    assert [start for _, start, _ in bands[1:]] == [end for _, _, end in bands[:-1]]
    assert (bands[0][1], bands[-1][2]) == pytest.approx((0.5, 2.0))


def test_lines_over_the_cost_are_what_is_saved_over_the_best_baseline():
    comparison = decided()
    figure = champion_against_cost(comparison)
    lines = {line.get_label(): line.get_ydata() for line in figure.axes[0].get_lines()}
    table = comparison.tables["cost_range"].pivot(index="factor", columns="row", values="cost")
    saved = 1 - table[comparison.champion] / table[comparison.best_baseline]
    np.testing.assert_allclose(lines["Forest, mean, with its uncertainty (champion)"], saved)
    assert drawn(figure)


def test_actions_are_drawn_as_shares_that_add_up():
    figure = actions_taken(decided())
    widths = np.array([bar.get_width() for bar in figure.axes[0].patches]).reshape(3, -1)
    np.testing.assert_allclose(widths.sum(axis=0), 1)
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == [
        "champion: Forest, mean, with its uncertainty",
        "best baseline: rule 'ticket_rule'",
        "Perfect foresight",
        "The world's own distribution",
    ]
    assert drawn(figure)


def test_probabilities_are_called_what_they_are():
    figure = reliability_diagram(decided())
    assert [axes.get_xlabel() for axes in figure.axes] == [
        "as sure as it may be (slope 1.00)",
        "too sure (slope 0.70)",
        "not sure enough (slope 1.30)",
    ]
    np.testing.assert_allclose(figure.axes[0].collections[0].get_offsets(), [[0.1, 0.105], [0.5, 0.525], [0.9, 0.945]])
    assert drawn(figure)


def test_of_many_levels_the_most_frequent_are_drawn_and_the_rest_is_counted():
    comparison = decided()
    bins = [(0.2, share, 50, f"c{k:02}", 1.0, 0.1) for k, share in enumerate(np.linspace(0.05, 0.9, 30))]
    table = pd.DataFrame(bins, columns=comparison.tables["reliability"].columns)
    figure = reliability_diagram(replace(comparison, tables={"reliability": table}))
    titles = [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()]
    assert titles == [f"c{k}" for k in range(22, 30)]
    assert "22 rarer ones not shown" in words(figure)[1]
    assert drawn(figure)


def test_coverage_is_drawn_beside_what_was_promised():
    figure = intervals_kept(decided())
    dots = np.concatenate([dot.get_offsets() for dot in figure.axes[0].collections])
    np.testing.assert_allclose(dots, [[0.833, 0], [0.912, 1]])
    assert [text.get_text() for text in figure.axes[0].texts] == ["83.3% within; 1,204 wide", "91.2% within; 1,705 wide"]
    assert drawn(figure)


def test_the_learning_curve_has_the_champions_line_the_defaults_and_what_twice_the_rows_would_bring():
    comparison = decided()
    figure = learning_curve(comparison)
    lines = {line.get_label(): line.get_xydata() for line in figure.axes[0].get_lines()}
    np.testing.assert_allclose(lines["Forest, mean, with its uncertainty (champion)"], [[400, 55], [800, 50], [1600, 40]])
    np.testing.assert_allclose(lines["Linear regression, default"], [[400, 62], [800, 62], [1600, 62]])
    np.testing.assert_allclose(figure.axes[0].collections[-1].get_offsets(), [[3200, 37.0]])
    assert drawn(figure)


def test_a_part_is_blue_where_it_is_surely_cheaper_orange_where_dearer_grey_where_it_cannot_be_told():
    from matplotlib.colors import to_hex

    figure = gain_by_slice(decided())
    dots = figure.axes[0].collections
    np.testing.assert_allclose(np.concatenate([dot.get_offsets() for dot in dots]), [[0.34, 0], [-0.14, 1], [0.26, 2]])
    assert [to_hex(dot.get_facecolor()[0]).upper() for dot in dots] == ["#0072B2", "#D55E00", GREY]
    assert [text.get_text() for text in figure.axes[0].texts] == ["53.8 against 81.1", "11.4 against 10", "47 against 63.5; few rows"]
    assert drawn(figure)


def test_a_part_of_which_nothing_can_be_told_is_still_listed():
    comparison = decided()
    table = comparison.tables["slices"].assign(gain_lo=np.nan, gain_hi=np.nan)
    assert drawn(gain_by_slice(replace(comparison, tables={"slices": table})))


def test_the_gain_of_each_fold_is_a_bar_and_one_more_period_an_interval():
    figure = gain_by_fold(decided())
    np.testing.assert_allclose([bar.get_height() for bar in figure.axes[0].patches], [21.9, 25.5, -5.6, 14.2])
    assert words(figure)[1] == "better in 3 of 4 folds; one more: -4.2 to 41 (95 %)"
    assert drawn(figure)


def test_the_album_holds_a_figure_for_all_that_is_known_and_for_nothing_else():
    pictures = {picture.name: picture for picture in album(decided())}
    assert list(pictures) == [
        *("framings", "actions", "cost_range", "gain_by_fold"),
        *("gain_by_slice", "learning_curve", "reliability", "coverage"),
    ]
    assert pictures["learning_curve"].said == ("Linear regression is overtaken by the forest at about 300 rows.",)
    assert len(pictures["framings"].said) == 2
    assert list(album(regression())) == []


@pytest.mark.parametrize("name", ["EUR", "$ (US)"])
def test_no_figure_reads_words_of_the_user_as_mathematics(name):
    comparison = decided()
    judged = tuple(replace(row, title=f"$x_ {row.title}", framing=f"$^{row.framing}") for row in comparison.judged)
    ids = dict(zip([row.id for row in comparison.judged], [row.id for row in judged], strict=True))
    table = comparison.tables["cost_range"]
    tables = {**comparison.tables, "cost_range": table.assign(row=table["row"].map(ids))}
    champion, base = (ids[id] for id in (comparison.champion, comparison.best_baseline))
    evil = replace(comparison, judged=judged, cost_name=name, tables=tables, champion=champion, best_baseline=base)
    assert all(drawn(picture.figure) for picture in album(evil))


def test_a_row_is_called_by_its_kind_and_by_its_framing_and_how_it_decides_where_these_differ():
    comparison = decided()
    assert called(comparison, comparison.row("classes/boosting/plug_in")) == "Gradient boosting, classes, prediction alone"
    assert called(comparison, comparison.row(TO_BEAT)) == "rule 'ticket_rule'"
    plain = regression()
    assert called(plain, plain.row("mean/tree/mean")) == "Decision tree"


def test_figures_leave_no_trace_in_pyplot():
    import matplotlib.pyplot as plt

    assert drawn(leaderboard_intervals(regression()))
    assert plt.get_fignums() == []
