"""ECE and Brier score against examples worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from training.evaluate.reliability import (
    brier_score,
    expected_calibration_error,
    questions,
    reliability_bins,
)

NAN = np.nan


def f32(values: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.asarray(values, np.float32)


def test_bins_are_of_equal_mass() -> None:
    holds = np.array([False, True, True, True])
    bins = reliability_bins(holds, np.array([0.1, 0.3, 0.7, 0.9]), 2)
    assert bins.confidence.tolist() == pytest.approx([0.2, 0.8])
    assert bins.accuracy.tolist() == [0.5, 1.0]
    assert bins.rows.tolist() == [2, 2]


def test_equal_confidences_share_a_bin_in_any_order() -> None:
    holds = np.array([True] * 3 + [False] * 7)
    bins = reliability_bins(holds, np.full(10, 0.3), 10)
    assert bins.rows.tolist() == [10]
    assert bins.accuracy.tolist() == pytest.approx([0.3])


def test_more_bins_than_rows_leave_no_empty_one() -> None:
    bins = reliability_bins(np.array([True, False]), np.array([0.2, 0.9]), 10)
    assert bins.rows.tolist() == [1, 1]
    assert len(reliability_bins(np.zeros(0, np.bool_), np.zeros(0), 10).rows) == 0


def test_ece_of_topics_by_hand() -> None:
    # Label a, two bins: |0.2 - 0.5| and |0.8 - 1.0|, half the rows each. Label b: all 0.5, half held.
    truth = f32([[0, 1], [1, 0], [1, 1], [1, 0]])
    said = f32([[0.1, 0.5], [0.3, 0.5], [0.7, 0.5], [0.9, 0.5]])
    assert expected_calibration_error(truth, said, "topics", 2) == pytest.approx((0.25 + 0) / 2)


def test_ece_weighs_bins_by_rows() -> None:
    truth, said = f32([[1], [0], [0]]), f32([[0.9], [0.2], [0.2]])
    assert expected_calibration_error(truth, said, "topics", 10) == pytest.approx((0.1 + 2 * 0.2) / 3)


def test_ece_of_stance_asks_about_the_likeliest() -> None:
    truth = f32([[1, 0], [0, 1], [1, 0], [1, 0]])
    said = f32([[0.8, 0.2], [0.8, 0.2], [0.8, 0.2], [0.2, 0.8]])
    assert expected_calibration_error(truth, said, "stance") == pytest.approx(0.3)


def test_brier_of_topics_is_the_mean_over_labelled_cells() -> None:
    truth, said = f32([[1, NAN], [0, 1]]), f32([[0.9, 0.3], [0.2, 0.6]])
    assert brier_score(truth, said, "topics") == pytest.approx((0.01 + 0.04 + 0.16) / 3)
    column = f32([1, 0, 1])
    assert brier_score(column[:, None], f32([0.3, 0.4, 0.8])[:, None], "topics") == pytest.approx(
        brier_score_loss(column, [0.3, 0.4, 0.8])
    )


def test_brier_of_stance_is_summed_over_labels() -> None:
    truth, said = f32([[1, 0, 0], [0, 1, 0]]), f32([[0.7, 0.2, 0.1], [0.5, 0.25, 0.25]])
    assert brier_score(truth, said, "stance") == pytest.approx((0.14 + 0.875) / 2)
    assert brier_score(f32([[1, 0]]), f32([[0, 1]]), "stance") == 2


def test_a_stance_that_is_not_labelled_counts_nowhere() -> None:
    truth = f32([[1, 0], [NAN, NAN]])
    said = f32([[0.75, 0.25], [0.1, 0.9]])
    assert brier_score(truth, said, "stance") == pytest.approx(0.125)
    assert expected_calibration_error(truth, said, "stance") == pytest.approx(0.25)
    assert [len(q.holds) for q in questions(truth, said, "stance")] == [1]


def test_nothing_labelled_is_zero_and_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    nothing = np.full((2, 2), NAN, np.float32)
    for task in ("topics", "stance"):
        assert expected_calibration_error(nothing, f32([[0.5, 0.5]] * 2), task) == 0
        assert brier_score(nothing, f32([[0.5, 0.5]] * 2), task) == 0
    assert not recwarn.list


def test_a_label_without_labelled_rows_is_left_out_of_ece() -> None:
    truth, said = f32([[1, NAN], [1, NAN]]), f32([[0.6, 0.5], [0.6, 0.5]])
    assert expected_calibration_error(truth, said, "topics") == pytest.approx(0.4)
    assert len(questions(truth, said, "topics")) == 2


def test_true_probabilities_have_little_error_and_inflated_ones_much() -> None:
    r = np.random.default_rng(0)
    said = r.random((20_000, 1)).astype(np.float32)
    truth = (r.random(said.shape) < said).astype(np.float32)
    assert expected_calibration_error(truth, said, "topics") < 0.015
    assert expected_calibration_error(truth, np.sqrt(said), "topics") > 0.1
