"""Pairs of rows: who meets in a step, how alike they are to be, and what it costs when they are not."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.base import LabelledSet
from models.fewshot.losses import pair_loss
from models.fewshot.pairs import Likeness, Pairs, likeness
from stancewire.calibration import Task
from stancewire.examples import Article

NAN = np.nan


def rows_of(truth: NDArray[np.float32], task: Task) -> LabelledSet:
    labels = tuple(f"label{number}" for number in range(truth.shape[1]))
    return LabelledSet(task, (Article(text=""),) * len(truth), labels, truth, ("g",) * len(truth))


def stances(n_rows: int, n_labels: int) -> LabelledSet:
    return rows_of(np.eye(n_labels, dtype=np.float32)[np.arange(n_rows) % n_labels], "stance")


def test_stances_are_alike_or_not() -> None:
    found = likeness(np.eye(2, dtype=np.float32)[[0, 1, 0]], "stance")
    assert found.alike.tolist() == [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    assert found.known.tolist() == [[0, 1, 1], [1, 0, 1], [1, 1, 0]]


def test_topics_are_alike_by_the_share_of_both() -> None:
    truth = np.asarray([[1, 1, 0], [1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0]], np.float32)
    found = likeness(truth, "topics")
    assert found.alike[0].tolist() == [1, 0.5, 0, 0, 0]
    assert found.known[0].tolist() == [0, 1, 1, 1, 1]
    assert found.known[3].tolist() == [1, 1, 1, 0, 0]  # two rows without any topic


@given(st.lists(st.lists(st.sampled_from([0.0, 1.0, NAN]), min_size=3, max_size=3), min_size=2, max_size=6))
def test_unlabelled_topics_do_not_count(cells: list[list[float]]) -> None:
    truth = np.asarray(cells, np.float32)
    found = likeness(truth, "topics")
    for i, one in enumerate(cells):
        for j, other in enumerate(cells):
            both = [(a, b) for a, b in zip(one, other, strict=True) if a == a and b == b]
            either = sum(1.0 in pair for pair in both)
            assert found.known[i, j] == (i != j and either > 0)
            if either:
                assert found.alike[i, j] == pytest.approx(sum(pair == (1.0, 1.0) for pair in both) / either)


def test_labels_are_in_balance_and_every_row_has_its_turn() -> None:
    truth = np.eye(2, dtype=np.float32)[[0] * 10 + [1] * 90]
    pairs = Pairs(rows_of(truth, "stance"), 20, seed=0)
    steps = [pairs.step(number) for number in range(9)]
    for step in steps:
        assert truth[step].sum(axis=0).tolist() == [10, 10]
        assert step.tolist() == sorted(set(step.tolist()))
    often = np.bincount(np.concatenate(steps))
    assert often[10:].tolist() == [1] * 90


def test_a_turn_may_end_within_a_step() -> None:
    pairs = Pairs(stances(14, 2), 8, seed=0)  # seven rows of each label, four a step
    often = np.bincount(np.concatenate([pairs.step(number) for number in range(7)]))
    assert often.min() >= 3
    assert often.max() <= 4


def test_topics_draw_from_rows_without_any() -> None:
    truth = np.asarray([[1, 0]] * 20 + [[0, 1]] * 20 + [[0, 0]] * 20 + [[0, NAN]] * 20, np.float32)
    step = Pairs(rows_of(truth, "topics"), 12, seed=0).step(0)
    assert [int(((step >= low) & (step < low + 20)).sum()) for low in (0, 20, 40, 60)] == [4, 4, 4, 0]


def test_more_labels_than_room_take_turns() -> None:
    pairs = Pairs(stances(200, 20), 8, seed=0)
    seen = set()
    for number in range(60):
        labels = (pairs.step(number) % 20).tolist()
        assert len(labels) == 8
        assert all(labels.count(label) == 2 for label in labels)
        seen |= set(labels)
    assert seen == set(range(20))


def test_a_step_is_the_same_whenever_it_is_asked_for() -> None:
    one, other = Pairs(stances(99, 3), 12, seed=4), Pairs(stances(99, 3), 12, seed=5)
    later = one.step(7)
    assert one.step(3).tolist() == Pairs(stances(99, 3), 12, seed=4).step(3).tolist()
    assert one.step(7).tolist() == later.tolist() != other.step(7).tolist()


def peak(n_rows: int) -> int:
    """Bytes that drawing steps from so many rows takes at most."""
    rows = stances(n_rows, 4)
    tracemalloc.start()
    pairs = Pairs(rows, 32, seed=0)
    for number in range(3):
        likeness(rows.truth[pairs.step(number)], "stance")
    _, found = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return found


def test_memory_is_linear_in_the_rows() -> None:
    few, many = peak(10_000), peak(160_000)
    assert many < 20 * few
    assert many < 64 * 160_000  # bytes; the pairs would be 25 thousand million


def vectors(n_rows: int) -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal((n_rows, 5)).astype(np.float32)


def by_hand(found: NDArray[np.float32], pairs: Likeness, temperature: float) -> float:
    unit = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float64)
    losses = []
    for i in range(len(unit)):
        others = [j for j in range(len(unit)) if pairs.known[i, j]]
        powers = {j: np.exp(unit[i] @ unit[j] / temperature) for j in others}
        like = sum(float(pairs.alike[i, j]) for j in others)
        if like:
            logs = [pairs.alike[i, j] * np.log(powers[j] / sum(powers.values())) for j in others]
            losses.append(-sum(logs) / like)
    return float(np.mean(losses))


def test_the_contrastive_loss() -> None:
    truth = np.asarray([[1, 1], [1, 0], [0, 1], [0, 0], [NAN, 1], [0, 0]], np.float32)
    pairs, found = likeness(truth, "topics"), vectors(6)
    loss = pair_loss(torch.from_numpy(found), pairs, "contrastive", 0.3)
    assert float(loss) == pytest.approx(by_hand(found, pairs, 0.3), rel=1e-4)


def test_the_cosine_loss_weighs_like_and_unlike_pairs_the_same() -> None:
    pairs, found = likeness(np.eye(2, dtype=np.float32)[[0, 0, 1, 1, 1]], "stance"), vectors(5)
    unit = found / np.linalg.norm(found, axis=1, keepdims=True)
    errors = (unit @ unit.T - pairs.alike) ** 2
    like, unlike = (errors[(pairs.known == 1) & (pairs.alike == value)].mean() for value in (1, 0))
    loss = pair_loss(torch.from_numpy(found), pairs, "cosine", 0.1)
    assert float(loss) == pytest.approx((like + unlike) / 2, rel=1e-5)


@pytest.mark.parametrize("kind", ["contrastive", "cosine"])
def test_pairs_that_say_nothing_cost_nothing(kind: str) -> None:
    found = torch.from_numpy(vectors(3)).requires_grad_()
    pairs = likeness(np.zeros((3, 2), np.float32), "topics")
    loss = pair_loss(found, pairs, kind, 0.1)  # type: ignore[arg-type]
    loss.backward()  # type: ignore[no-untyped-call]
    assert float(loss.detach()) == 0
    assert found.grad is not None
    assert (found.grad == 0).all()
