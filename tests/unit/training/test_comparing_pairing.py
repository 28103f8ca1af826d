"""Paired differences are identities of what `evaluate` finds; McNemar and changes are worked examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.base import LabelledSet
from stancewire.calibration import Task
from stancewire.examples import Article, StanceExample
from training.comparing.changes import changes
from training.comparing.pairing import Answers, Comparison, Resampling, compare, differences, mcnemar
from training.comparing.words import turn
from training.evaluate.metrics import evaluate

LABELS = ("a", "b", "c")
QUICK = Resampling(samples=200)


def rows_of(truth: list[list[float]], task: Task = "topics", per_group: int = 2) -> LabelledSet:
    number = range(len(truth))
    examples = (
        tuple(Article(id=str(i), title=f"t{i}", text=f"text {i}") for i in number)
        if task == "topics"
        else tuple(StanceExample(sentence=f"s{i}", target="x") for i in number)
    )
    groups = tuple(f"g{i // per_group}" for i in number)
    return LabelledSet(task, examples, LABELS, np.array(truth, np.float32), groups)


def answers(decisions: NDArray[np.bool_]) -> Answers:
    return Answers(np.where(decisions, 0.9, 0.1).astype(np.float32), decisions)


def noisy(seed: int, n: int = 60, task: Task = "topics") -> tuple[LabelledSet, Answers, Answers]:
    """Rows, a worse and a better model."""
    rng = np.random.default_rng(seed)
    if task == "stance":
        truth = np.eye(3)[rng.integers(0, 3, n)]
        guesses = [
            np.where(rng.random((n, 1)) < p, truth, np.eye(3)[rng.integers(0, 3, n)]) for p in (0.4, 0.7)
        ]
    else:
        truth = (rng.random((n, 3)) < 0.5).astype(float)
        guesses = [np.where(rng.random((n, 3)) < p, truth, 1 - truth) for p in (0.7, 0.85)]
    a, b = (answers(guess == 1) for guess in guesses)
    return rows_of(truth.tolist(), task), a, b


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_the_difference_in_macro_f1_is_the_margin_that_evaluate_finds(task: Task) -> None:
    rows, a, b = noisy(1, task=task)
    margin = evaluate(
        rows.truth,
        b.probabilities,
        b.decisions,
        labels=LABELS,
        task=task,
        groups=rows.groups,
        baselines={"a": a.decisions},
        samples=200,
    ).margins["a"]
    assert differences(rows, a.decisions, b.decisions, QUICK).macro_f1 == margin


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_values_are_the_difference_of_both_evaluations(task: Task) -> None:
    found = compare(*noisy(2, task=task), QUICK)
    a, b = found.evaluations
    for name in ("macro_f1", "micro_f1", "exact_match"):
        told = getattr(found.differences, name)
        assert told.value == pytest.approx(getattr(b, name).value - getattr(a, name).value)
        assert told.low <= told.value <= told.high
    for label, one in found.differences.labels.items():
        scores = a.labels[label].f1, b.labels[label].f1
        assert one and scores[0] and scores[1]
        assert one.value == pytest.approx(scores[1].value - scores[0].value)
    if task == "stance":  # one label a row: micro-F1 is the share of right rows
        assert found.differences.micro_f1.value == pytest.approx(found.differences.exact_match.value)
        assert found.differences.micro_f1.low == pytest.approx(found.differences.exact_match.low)


def test_b_minus_a_is_a_minus_b_turned() -> None:
    rows, a, b = noisy(3)
    one = differences(rows, a.decisions, b.decisions, QUICK)
    other = differences(rows, b.decisions, a.decisions, QUICK)
    for name in ("macro_f1", "micro_f1", "exact_match"):
        turned = turn(getattr(other, name))
        told = getattr(one, name)
        assert (told.value, told.low, told.high) == pytest.approx((turned.value, turned.low, turned.high))


def test_pairing_is_narrower_than_two_intervals() -> None:
    rows, a, _ = noisy(4, n=200)
    almost = a.decisions.copy()
    almost[:4] ^= True
    found = compare(rows, a, answers(almost), QUICK)
    own = found.evaluations[0].macro_f1
    paired = found.differences.macro_f1
    assert paired.high - paired.low < 0.5 * (own.high - own.low)


def test_equal_models_differ_by_nothing() -> None:
    rows, a, _ = noisy(5)
    found = compare(rows, a, a, QUICK)
    assert found.differing == 0
    for one in (found.differences.macro_f1, *found.differences.labels.values()):
        assert one is not None
        assert (one.value, one.low, one.high) == (0, 0, 0)
    assert (found.mcnemar.fixed, found.mcnemar.broken, found.mcnemar.p_value) == (0, 0, 1.0)


def test_a_label_without_positives_has_no_difference() -> None:
    rows = rows_of([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]])
    none, every = np.zeros((4, 3), bool), np.ones((4, 3), bool)
    found = compare(rows, answers(none), answers(every), QUICK)
    assert found.differences.labels["c"] is None
    # F1 of both other labels goes from 0 to 2/3.
    assert found.differences.macro_f1.value == pytest.approx(2 / 3)


def test_intervals_resample_whole_stories() -> None:
    """Copies of a story are one witness: more of them must not make the interval narrower."""
    rng = np.random.default_rng(6)
    truth = np.eye(3)[rng.integers(0, 3, 40)]
    a, b = (np.where(rng.random((40, 1)) < p, truth, np.roll(truth, 1, axis=1)) == 1 for p in (0.5, 0.6))
    once = differences(rows_of(truth.tolist(), "stance", 1), a, b, QUICK).macro_f1
    copied = [np.repeat(array, 5, axis=0) for array in (truth, a, b)]
    five = differences(rows_of(copied[0].tolist(), "stance", 5), copied[1], copied[2], QUICK).macro_f1
    assert (five.low, five.high) == pytest.approx((once.low, once.high), abs=0.05)


def test_mcnemar_is_the_binomial_tail() -> None:
    nobody = float("nan")
    truth: list[list[float]] = [[1.0, 0.0, 0.0]] * 14 + [[nobody] * 3] * 3
    rows = rows_of(truth)
    right, wrong = [True, False, False], [False, False, False]
    a = np.array([wrong] * 10 + [right] * 2 + [right] * 2 + [wrong] * 3)
    b = np.array([right] * 10 + [wrong] * 2 + [right] * 2 + [right] * 3)
    found = mcnemar(rows, a, b)
    assert (found.fixed, found.broken) == (10, 2)
    # 2 (C(12,0) + C(12,1) + C(12,2)) / 2^12
    assert found.p_value == pytest.approx(2 * (1 + 12 + 66) / 4096)
    assert mcnemar(rows, b, a).p_value == pytest.approx(found.p_value)


def test_changes_are_told_by_kind_and_by_how_far_they_moved() -> None:
    truth: list[list[float]] = [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [np.nan, 1, 0]]
    a = np.array([[0, 1, 0], [1, 0, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]], bool)
    b = np.array([[1, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 1], [1, 1, 0]], bool)
    near = Answers(np.full((5, 3), 0.5, np.float32), a)
    far = Answers(np.array([[0.6] * 3, [0.7] * 3, [0.8] * 3, [0.9] * 3, [0.95] * 3], np.float32), b)
    found = changes(rows_of(truth), near, far)
    assert [(one.kind, one.row) for one in found] == [("fixed", 0), ("broken", 1), ("other", 4), ("other", 2)]
    fixed = found[0]
    assert (fixed.true, fixed.a, fixed.b) == (("a",), ("b",), ("a",))
    assert fixed.to_dict() == {
        "kind": "fixed",
        "row": 0,
        "event": "g0",
        "true": ["a"],
        "a": ["b"],
        "b": ["a"],
        "moved": 0.1,
        "texts": {"id": "0", "title": "t0", "text": "text 0"},
    }


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["topics", "stance"]))
def test_fixed_and_broken_rows_explain_the_difference_in_exact_match(seed: int, task: Task) -> None:
    rows, a, b = noisy(seed, n=30, task=task)
    found: Comparison = compare(rows, a, b, Resampling(samples=100))
    told = changes(rows, a, b)
    fixed, broken = (sum(one.kind == kind for one in told) for kind in ("fixed", "broken"))
    assert (found.mcnemar.fixed, found.mcnemar.broken, found.differing) == (fixed, broken, len(told))
    assert found.differences.exact_match.value == pytest.approx((fixed - broken) / 30)
