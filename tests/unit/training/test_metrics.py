"""Scores against scikit-learn, worked examples, and what the data cannot tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    f1_score,
    precision_score,
    recall_score,
)

from stancewire.calibration import Task
from stancewire.strictjson import dumps, loads
from training.evaluate.metrics import (
    Evaluation,
    EvaluationError,
    average_precision,
    evaluate,
    f1,
    macro,
)

LABELS = ("a", "b", "c")
Rows = Callable[[int], tuple[NDArray[np.float32], NDArray[np.bool_]]]
NAN = np.nan


def judged(truth: object, decisions: object, **changes: object) -> Evaluation:
    """Evaluate with one event a row and probabilities of 0.9 and 0.1."""
    t, d = np.asarray(truth, np.float32), np.asarray(decisions, np.bool_)
    fields: dict[str, Any] = {
        "probabilities": np.where(d, 0.9, 0.1),
        "labels": LABELS[: t.shape[1]],
        "task": "topics",
        "groups": [str(i) for i in range(len(t))],
        "samples": 200,
    }
    fields |= changes
    return evaluate(t, fields.pop("probabilities").astype(np.float32), d, **fields)


def random_topics(seed: int, n: int = 120) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    r = np.random.default_rng(seed)
    return (r.random((n, 3)) < 0.4).astype(np.float32), r.random((n, 3)) < 0.5


def random_stances(seed: int, n: int = 120) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    r = np.random.default_rng(seed)
    eye = np.eye(3, dtype=np.float32)
    return eye[r.integers(0, 3, n)], eye[r.integers(0, 3, n)].astype(np.bool_)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("task", "rows"), [("topics", random_topics), ("stance", random_stances)])
def test_every_score_equals_scikit_learns(task: Task, rows: Rows, seed: int) -> None:
    truth, decisions = rows(seed)
    found = judged(truth, decisions, task=task)
    assert found.macro_f1.value == pytest.approx(f1_score(truth, decisions, average="macro"))
    assert found.micro_f1.value == pytest.approx(f1_score(truth, decisions, average="micro"))
    assert found.exact_match.value == pytest.approx(accuracy_score(truth, decisions))
    for i, label in enumerate(LABELS):
        y, d, scores = truth[:, i], decisions[:, i], found.labels[label]
        assert scores.f1 is not None
        assert scores.f1.value == pytest.approx(f1_score(y, d))
        assert scores.precision == pytest.approx(precision_score(y, d))
        assert scores.recall == pytest.approx(recall_score(y, d))
        assert (scores.support, scores.predicted) == (y.sum(), d.sum())


def test_micro_f1_of_stance_is_accuracy() -> None:
    found = judged(*random_stances(5), task="stance")
    assert found.micro_f1 == found.exact_match


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4)), min_size=1, max_size=40))
def test_average_precision_equals_scikit_learns_with_ties(rows: list[tuple[int, int]]) -> None:
    y, p = (np.array(column, dtype=np.float32) for column in zip(*rows, strict=True))
    expected = average_precision_score(y, p) if y.any() else None
    assert average_precision(y, p * np.float32(0.25)) == (
        None if expected is None else pytest.approx(expected)
    )


def test_average_precision_leaves_unlabelled_rows_out() -> None:
    y, p = np.array([1, NAN, 0, 1], np.float32), np.array([0.9, 0.8, 0.7, 0.6], np.float32)
    assert average_precision(y, p) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_unlabelled_cells_count_nowhere() -> None:
    truth = [[1, NAN, 0], [0, 1, NAN], [NAN, NAN, NAN], [1, 0, 1]]
    decisions = [[1, 1, 0], [0, 1, 1], [1, 1, 1], [0, 0, 1]]
    found = judged(truth, decisions)
    assert [(s.support, s.predicted) for s in found.labels.values()] == [(2, 1), (1, 1), (1, 1)]
    assert found.macro_f1.value == pytest.approx((2 / 3 + 1 + 1) / 3)
    # The third row has no labelled cell: it is neither right nor wrong.
    assert found.exact_match.value == pytest.approx(2 / 3)


def test_a_label_without_positives_is_left_out_and_said_so() -> None:
    found = judged([[1, 0], [0, 0]], [[1, 1], [0, 0]])
    assert found.labels["b"].f1 is None
    assert found.labels["b"].recall is None
    assert found.labels["b"].average_precision is None
    assert found.labels["b"].precision == 0
    assert found.macro_f1.value == 1
    assert found.micro_f1.value == pytest.approx(2 / 3)
    assert found.warnings[0] == "b: no positives, so F1 is undefined and left out of macro-F1"


def test_nothing_decided_is_an_f1_of_zero() -> None:
    found = judged([[1, 0], [0, 1]], [[0, 0], [0, 0]])
    assert found.macro_f1.value == 0
    assert found.labels["a"].precision is None


@pytest.mark.parametrize("truth", [np.zeros((0, 2)), np.zeros((3, 2)), np.full((3, 2), NAN)])
def test_rows_without_any_positive_are_refused(truth: NDArray[np.float64]) -> None:
    with pytest.raises(EvaluationError, match=rf"got {len(truth)} rows without") as caught:
        judged(truth, np.zeros(truth.shape))
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"groups": ["x"]},
        {"labels": ("a",)},
        {"raw_probabilities": np.zeros((2, 1), np.float32)},
        {"baselines": {"other": np.zeros((2, 3), np.bool_)}},
        {"probabilities": np.array([[0.5, NAN], [0.1, 0.2]])},
        {"raw_probabilities": np.array([[0.5, np.inf], [0.1, 0.2]], np.float32)},
    ],
)
def test_shapes_that_differ_and_probabilities_that_are_none_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="wanted"):
        judged([[1, 0], [0, 1]], [[1, 0], [0, 1]], **changes)


def test_intervals_hold_the_value_and_follow_the_confidence() -> None:
    truth, decisions = random_topics(1)
    wide, narrow = (judged(truth, decisions, confidence=c, samples=1000) for c in (0.95, 0.5))
    for name in ("macro_f1", "micro_f1", "exact_match"):
        outer, inner = getattr(wide, name), getattr(narrow, name)
        assert outer.low < inner.low < inner.value < inner.high < outer.high
    assert wide.labels["a"].f1 is not None
    assert wide.labels["a"].f1.low < wide.labels["a"].f1.value < wide.labels["a"].f1.high


def test_intervals_follow_the_normal_theory_of_a_share() -> None:
    truth = np.ones((400, 1), np.float32)
    decisions = np.arange(400)[:, None] % 4 > 0
    found = judged(truth, decisions, samples=4000).exact_match
    error = (0.75 * 0.25 / 400) ** 0.5
    assert found.value == 0.75
    assert found.low == pytest.approx(0.75 - 1.96 * error, abs=0.005)
    assert found.high == pytest.approx(0.75 + 1.96 * error, abs=0.005)


def test_events_are_resampled_whole() -> None:
    # Ten events of twenty equal rows each know no more than ten rows.
    truth, decisions = np.ones((200, 1)), np.repeat(np.arange(10) % 2 == 0, 20)[:, None]
    groups = [f"event {i // 20}" for i in range(200)]
    clustered = judged(truth, decisions, groups=groups, samples=2000).exact_match
    ten = judged(truth[::20], decisions[::20], samples=2000).exact_match
    rows = judged(truth, decisions, samples=2000).exact_match
    assert clustered == ten
    assert clustered.high - clustered.low > 3 * (rows.high - rows.low)


def test_the_order_of_rows_changes_nothing() -> None:
    truth, decisions = random_topics(2)
    groups = [str(i % 17) for i in range(len(truth))]
    order = np.random.default_rng(0).permutation(len(truth))
    shuffled = judged(truth[order], decisions[order], groups=[groups[i] for i in order])
    assert shuffled.flat_metrics("t") == pytest.approx(
        judged(truth, decisions, groups=groups).flat_metrics("t"), abs=1e-12
    )


def test_few_events_are_warned_of() -> None:
    truth, decisions = random_topics(3, 40)
    one = judged(truth, decisions, groups=["only"] * 40)
    assert one.n_groups == 1
    assert one.macro_f1.low == one.macro_f1.value == one.macro_f1.high
    assert "intervals over 1 event clusters are too narrow to be believed" in one.warnings
    assert judged(truth, decisions, groups=[str(i % 9) for i in range(40)]).warnings
    assert not judged(truth, decisions, groups=[str(i % 10) for i in range(40)]).warnings


def test_a_label_that_some_resamples_miss_keeps_finite_intervals() -> None:
    truth = np.zeros((12, 2))
    truth[0, 0] = truth[1:7, 1] = 1
    found = judged(truth, truth == 1)
    assert dumps(found.to_dict())
    assert found.labels["a"].f1 is not None
    assert found.labels["a"].f1.low == found.macro_f1.low == 1


def test_a_margin_is_paired() -> None:
    truth, decisions = random_topics(4)
    worse = decisions.copy()
    worse[:4] = ~worse[:4]
    found = judged(truth, decisions, baselines={"same": decisions, "worse": worse})
    assert found.margins["same"].low == found.margins["same"].value == found.margins["same"].high == 0
    alone = judged(truth, worse)
    assert found.margins["worse"].value == pytest.approx(found.macro_f1.value - alone.macro_f1.value)
    paired = found.margins["worse"].high - found.margins["worse"].low
    # Two nearly equal models share their luck: the difference is known far better than either score.
    assert paired < 0.5 * (found.macro_f1.high - found.macro_f1.low)


def test_a_margin_turns_its_sign_with_its_sides() -> None:
    truth, decisions = random_topics(6)
    better = np.where(np.arange(len(truth))[:, None] < 60, truth == 1, decisions)
    up = judged(truth, better, baselines={"other": decisions}).margins["other"]
    down = judged(truth, decisions, baselines={"other": better}).margins["other"]
    assert 0 < up.low < up.value < up.high
    assert (down.low, down.value, down.high) == pytest.approx((-up.high, -up.value, -up.low))


def test_calibration_is_told_before_and_after() -> None:
    truth, decisions = random_topics(7)
    raw = np.where(truth == 1, 0.6, 0.4).astype(np.float32)
    sure = np.where(truth == 1, 1.0, 0.0)
    found = judged(truth, decisions, probabilities=sure, raw_probabilities=raw)
    assert found.before is not None
    assert (found.after.ece, found.after.brier) == (0, 0)
    assert found.before.brier == pytest.approx(0.16)
    assert found.before.ece == pytest.approx(0.4, abs=0.01)
    assert judged(truth, decisions).before is None


def test_an_evaluation_is_strict_json_and_comes_back() -> None:
    truth, decisions = random_topics(8)
    truth[:, 1] = 0
    truth[3, 0] = NAN
    found = judged(truth, decisions, raw_probabilities=np.full(truth.shape, 0.5, np.float32))
    again = judged(truth, decisions, baselines={"other": ~decisions})
    for evaluation in (found, again):
        read: Any = loads(dumps(evaluation.to_dict()), max_bytes=100_000)
        assert Evaluation.from_dict(read) == evaluation


def test_flat_metrics_hold_every_defined_figure() -> None:
    truth, decisions = random_topics(9)
    truth[:, 1] = 0
    found = judged(
        truth,
        decisions,
        raw_probabilities=np.full(truth.shape, 0.5, np.float32),
        baselines={"blind": ~decisions},
    )
    flat = found.flat_metrics("test")
    assert flat["test/macro_f1"] == found.macro_f1.value
    assert flat["test/macro_f1_low"] == found.macro_f1.low
    assert flat["test/exact_match_high"] == found.exact_match.high
    assert found.labels["a"].f1 is not None
    assert flat["test/f1/a"] == found.labels["a"].f1.value
    assert flat["test/f1_high/a"] == found.labels["a"].f1.high
    assert flat["test/average_precision/c"] == found.labels["c"].average_precision
    assert flat["test/support/b"] == 0
    assert flat["test/macro_f1_over_blind_low"] == found.margins["blind"].low
    assert found.before is not None
    assert (flat["test/ece_before"], flat["test/brier_after"]) == (found.before.ece, found.after.brier)
    assert "test/f1/b" not in flat
    assert "test/recall/b" not in flat
    assert all(isinstance(value, float) and np.isfinite(value) for value in flat.values())


def test_f1_and_macro_of_counts() -> None:
    counts = np.array([[2, 1, 1], [0, 0, 3], [0, 5, 0], [0, 0, 0]], np.float64)
    assert f1(counts)[:2].tolist() == pytest.approx([2 / 3, 0])
    assert np.isnan(f1(counts)[2:]).all()
    assert macro(counts) == pytest.approx(1 / 3)
    assert np.isnan(macro(counts[2:]))
