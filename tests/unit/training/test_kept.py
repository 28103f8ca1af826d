"""Coverage and right ones of what is not for review, on a worked example."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from stancewire.strictjson import dumps, loads
from training.evaluate.kept import kept_scores
from training.evaluate.metrics import evaluate
from training.evaluate.scores import Evaluation, Interval, Kept, KeptLabel, SetScores
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


def test_it_survives_the_manifest_and_is_logged() -> None:
    said = np.full(TRUTH.shape, 0.5, np.float32)
    plain = evaluate(TRUTH, said, DECISIONS, labels=("a", "b"), task="topics", groups=tuple("wxyz"))
    assert (plain.kept, plain.sets) == (None, None)
    assert (
        Evaluation.from_dict({k: v for k, v in plain.to_dict().items() if k not in ("kept", "sets")}) == plain
    )
    for review in (REVIEW, np.ones_like(REVIEW)):
        kept_ = scored(TRUTH, DECISIONS, review, "topics", "wxyz")
        found = replace(plain, kept=kept_, sets=SetScores(0.9, Interval(0.9, 0.8, 1.0), 2.5, 0.1))
        assert Evaluation.from_dict(loads(dumps(found.to_dict()), max_bytes=100_000)) == found  # type: ignore[arg-type]
        flat = found.flat_metrics("test")
        assert (flat["test/kept"], flat["test/kept_low"]) == (kept_.coverage.value, kept_.coverage.low)
        assert ("test/kept_right" in flat) == (kept_.right is not None)
        assert (flat["test/set_coverage_high"], flat["test/set_size"]) == (1.0, 2.5)
