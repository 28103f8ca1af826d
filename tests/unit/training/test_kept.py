"""Coverage and right ones of what is not for review, on a worked example."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from numpy.typing import NDArray

from training.evaluate.kept import kept_scores
from training.evaluate.scores import Kept, KeptLabel
from training.evaluate.tables import kept

NAN = float("nan")
TRUTH = np.array([[1, 0], [0, 1], [1, NAN], [0, 0]], np.float32)
DECISIONS = np.array([[1, 0], [1, 0], [1, 1], [0, 0]], np.bool_)
REVIEW = np.array([[0, 0], [1, 0], [0, 1], [0, 1]], np.bool_)


def scored(
    truth: NDArray[np.float32],
    decisions: NDArray[np.bool_],
    review: NDArray[np.bool_],
    task: str,
    groups: str,
) -> Kept:
    return kept_scores(
        truth,
        decisions,
        review,
        asked=0.9,
        labels=("a", "b"),
        task=task,  # type: ignore[arg-type]
        groups=tuple(groups),
        samples=200,
        confidence=0.95,
        seed=0,
    )


def test_topics_count_labelled_cells() -> None:
    found = scored(TRUTH, DECISIONS, REVIEW, "topics", "wxyz")
    assert found.coverage.value == pytest.approx(5 / 7)
    assert found.right is not None
    assert found.right.value == pytest.approx(4 / 5)
    assert found.labels == {"a": KeptLabel(3, 2, 2), "b": KeptLabel(0, 0, 0)}
    assert found.coverage.low < found.coverage.value < found.coverage.high


def test_stance_counts_labelled_rows() -> None:
    truth = np.array([[1, 0], [0, 1], [1, 0], [NAN, NAN]], np.float32)
    decisions = np.array([[1, 0], [1, 0], [1, 0], [0, 1]], np.bool_)
    review = np.array([[0, 0], [0, 0], [1, 0], [0, 0]], np.bool_)
    found = scored(truth, decisions, review, "stance", "wxyz")
    assert found.coverage.value == pytest.approx(2 / 3)
    assert found.right is not None
    assert found.right.value == pytest.approx(1 / 2)
    assert found.labels == {"a": KeptLabel(3, 2, 1), "b": KeptLabel(0, 0, 0)}


def test_events_are_resampled_whole() -> None:
    found = scored(TRUTH, DECISIONS, REVIEW, "topics", "eeee")
    assert found.coverage.low == found.coverage.value == found.coverage.high


def test_nothing_kept_has_no_share_of_right_ones() -> None:
    found = scored(TRUTH, DECISIONS, np.ones_like(REVIEW), "topics", "wxyz")
    assert (found.coverage.value, found.right) == (0, None)
    assert (
        kept(found, "topics") == "not for review: none of the decisions; dev does not show 0.9 of them right"
    )


def test_the_line_of_the_table() -> None:
    found = scored(TRUTH, DECISIONS, REVIEW, "topics", "eeee")
    assert kept(found, "topics") == (
        "not for review: 71% of the decisions, 0.80 (0.80-0.80) right; 67% of the decided labels, 1.00 right "
        "(asked for: 0.9)"
    )
    truth = np.array([[1, 0]] * 4, np.float32)
    found = scored(truth, truth == 1, np.zeros((4, 2), np.bool_), "stance", "eeee")
    assert (
        kept(found, "stance") == "not for review: 100% of the rows, 1.00 (1.00-1.00) right (asked for: 0.9)"
    )


def test_it_survives_the_manifest() -> None:
    for review in (REVIEW, np.ones_like(REVIEW)):
        found = scored(TRUTH, DECISIONS, review, "topics", "wxyz")
        assert Kept.from_dict(asdict(found)) == found
