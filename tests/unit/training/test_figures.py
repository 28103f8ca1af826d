"""Figures show the figures: what is drawn is read back from the axes."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.evaluate import figures

LABELS = ("arms_trade", "diplomacy", "sanctions")
TRUTH = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, np.nan, 0]], np.float32)
SAID = np.array([[0.9, 0.2, 0.1], [0.6, 0.8, 0.3], [0.7, 0.1, 0.2], [0.1, 0.1, 0.1]], np.float32)


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def drawn_whole(figure: Figure) -> None:
    """Draw, and see that no title, label or tick leaves the page."""
    figure.savefig(BytesIO(), format="png")
    width, height = figure.canvas.get_width_height()
    for axes in figure.axes:
        box = axes.get_tightbbox()
        assert box is not None
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height


def test_confusion_of_stance_is_the_confusion_matrix() -> None:
    truth = np.eye(2, dtype=np.float32)[[0, 0, 0, 1]]
    figure = figures.confusion(truth, np.eye(2, dtype=np.bool_)[[0, 0, 1, 1]], ("against", "favor"), "stance")
    assert texts(figure) == ["2", "1", "0", "1"]
    axes = figure.axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["against  (3)", "favor  (1)"]
    assert np.asarray(axes.images[0].get_array()).ravel().tolist() == pytest.approx([2 / 3, 1 / 3, 0, 1])
    drawn_whole(figure)


def test_confusion_of_topics_has_none_and_leaves_unknown_rows_out_of_it() -> None:
    figure = figures.confusion(TRUTH, SAID >= 0.5, LABELS, "topics")
    grid = np.array(texts(figure), int).reshape(4, 4)
    assert grid.tolist() == [[2, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 0], [1, 0, 0, 0]]
    assert figure.axes[0].get_yticklabels()[3].get_text() == "none  (1)"
    drawn_whole(figure)


def test_precision_recall_marks_the_threshold_and_names_the_score() -> None:
    figure = figures.precision_recall(TRUTH, SAID, (0.65, 0.5, 0.5), LABELS)
    axes = figure.axes[0]
    assert axes.get_title() == "arms_trade\nAP 0.83, 2 of 4 rows"
    assert figure.axes[1].get_title() == "diplomacy\nAP 1.00, 1 of 3 rows"
    assert figure.axes[2].get_title() == "sanctions\nno positives, 0 of 4 rows"
    mark = next(line for line in axes.lines if line.get_marker() == "o")
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (0.5, 0.5)  # type: ignore[index]
    assert texts(figure) == ["0.65"]
    curve = next(line for line in axes.lines if line.get_drawstyle() == "steps-pre")
    assert np.asarray(curve.get_xdata()).tolist() == pytest.approx([0.5, 0.5, 1, 1])
    assert np.asarray(curve.get_ydata()).tolist() == pytest.approx([1, 0.5, 2 / 3, 0.5])
    drawn_whole(figure)


def test_precision_recall_without_thresholds_or_decisions_has_no_mark() -> None:
    for thresholds in (None, (1.0, 1.0, 1.0)):
        assert texts(figures.precision_recall(TRUTH, SAID, thresholds, LABELS)) == []


def test_reliability_draws_both_curves() -> None:
    figure = figures.reliability(TRUTH, SAID, SAID * np.float32(0.5), LABELS, "topics", bins=2)
    assert len(figure.axes) == 3
    _, raw, calibrated = figure.axes[0].lines
    assert [line.get_label() for line in (raw, calibrated)] == ["raw", "calibrated"]
    assert np.asarray(raw.get_xdata()).tolist() == pytest.approx([0.35, 0.8])
    assert np.asarray(raw.get_ydata()).tolist() == [0.5, 0.5]
    assert np.asarray(calibrated.get_xdata()).tolist() == pytest.approx([0.175, 0.4])
    drawn_whole(figure)


def test_reliability_of_stance_has_one_panel() -> None:
    truth, said = np.eye(3, dtype=np.float32)[[0, 1, 2]], np.full((3, 3), 1 / 3, np.float32)
    figure = figures.reliability(truth, said, said, LABELS, "stance")
    assert [axes.get_title() for axes in figure.axes] == ["likeliest stance\n3 rows"]
    drawn_whole(figure)


def test_many_labels_with_long_names_wrap_and_fit() -> None:
    labels = tuple(f"$label {i}_ that is named at great length" for i in range(9))
    truth = np.eye(9, dtype=np.float32)
    said: NDArray[np.float32] = np.full((9, 9), 0.4, np.float32)
    for figure in (
        figures.confusion(truth, said > 0.3, labels, "topics"),
        figures.precision_recall(truth, said, (0.5,) * 9, labels),
        figures.reliability(truth, said, said, labels, "topics"),
    ):
        drawn_whole(figure)
        assert figure.get_figwidth() < 13
