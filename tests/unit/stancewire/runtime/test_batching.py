"""Batches: every sequence once, of like length, within the budget; matrices of them and nothing else."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stancewire.encoding import Encoded
from stancewire.runtime.batching import batches, matrices

LENGTHS = st.lists(st.integers(1, 300), max_size=80)
PAD = 9


def encoded(ids: list[list[int]], second: list[int]) -> Encoded:
    count = len(ids)
    return Encoded(ids, second, np.arange(count), np.zeros(count, np.float32), np.zeros(count, np.bool_))


@given(LENGTHS, st.integers(1, 600))
def test_every_sequence_is_in_one_batch_within_the_budget(lengths: list[int], budget: int) -> None:
    found = list(batches(lengths, budget))
    assert sorted(i for chosen in found for i in chosen.tolist()) == list(range(len(lengths)))
    sizes = [[lengths[i] for i in chosen] for chosen in found]
    for size in sizes:
        assert len(size) == 1 or len(size) * max(size) <= budget
    assert list(chain.from_iterable(sizes)) == sorted(lengths, reverse=True), (
        "like lengths together, the longest first"
    )
    for size in sizes[:-1]:
        assert (len(size) + 1) * max(size) > budget, "no batch could have held one more"


def test_equal_lengths_keep_their_order() -> None:
    assert [chosen.tolist() for chosen in batches([3, 5, 3, 5, 3], 10)] == [[1, 3], [0, 2, 4]]


@given(st.lists(st.lists(st.integers(10, 99), min_size=1, max_size=12), min_size=1, max_size=9), st.data())
def test_matrices_hold_the_sequences_and_padding(ids: list[list[int]], data: st.DataObject) -> None:
    second = [data.draw(st.integers(1, len(sequence))) for sequence in ids]
    chosen = np.asarray(data.draw(st.permutations(range(len(ids)))), dtype=np.intp)
    longest = max(map(len, ids))
    length = data.draw(st.none() | st.integers(longest, longest + 5))
    found = matrices(encoded(ids, second), chosen, PAD, length)
    assert set(found) == {"input_ids", "attention_mask", "token_type_ids"}
    for values in found.values():
        assert values.dtype == np.int64
        assert values.shape == (len(ids), length or longest)
    for row, number in enumerate(chosen.tolist()):
        size, begin = len(ids[number]), second[number]
        rest = (length or longest) - size
        assert found["input_ids"][row].tolist() == ids[number] + [PAD] * rest
        assert found["attention_mask"][row].tolist() == [1] * size + [0] * rest
        assert found["token_type_ids"][row].tolist() == [0] * begin + [1] * (size - begin) + [0] * rest


@pytest.mark.parametrize("budget", [1, 10])
def test_a_sequence_over_the_budget_is_alone(budget: int) -> None:
    assert [chosen.tolist() for chosen in batches([20, 2, 20], budget)][:2] == [[0], [2]]
