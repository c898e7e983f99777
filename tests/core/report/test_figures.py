"""Figures show the numbers that they were given."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest

from piste.core.report.figures import (
    GREY,
    colour,
    confusion_matrix,
    cost_by_fold,
    leaderboard_intervals,
    predicted_against_actual,
    training_curve,
)
from tests.comparisons import classification, regression


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


def test_figures_leave_no_trace_in_pyplot():
    import matplotlib.pyplot as plt

    assert drawn(leaderboard_intervals(regression()))
    assert plt.get_fignums() == []
