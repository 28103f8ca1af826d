"""Pooling: worked by hand, row by row, and equal for one sequence."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from stancewire.calibration import Task
from stancewire.runtime.pooling import POOLINGS, Pooling, columns, pool

SCORES = np.array([[2.0, -1.0, 0.5], [0.0, 3.0, -0.5], [1.0, 1.0, 1.0]], np.float32)
ROWS = np.array([0, 0, 1])


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def test_every_pooling_is_worked() -> None:
    assert get_args(Pooling) == POOLINGS
    mean, most, some, attention = (
        pool(SCORES, ROWS, pooling, "topics").tolist() for pooling in ("mean", "max", "noisy_or", "attention")
    )
    assert mean[0] == pytest.approx([sigmoid(1.0), sigmoid(1.0), sigmoid(0.0)])
    assert most[0] == pytest.approx([sigmoid(2.0), sigmoid(3.0), sigmoid(0.5)])
    assert some[0] == pytest.approx(
        [1 - (1 - sigmoid(a)) * (1 - sigmoid(b)) for a, b in ((2, 0), (-1, 3), (0.5, -0.5))]
    )
    share = math.e**0.5 / (math.e**0.5 + math.e**-0.5)
    assert attention[0] == pytest.approx(
        [sigmoid(2 * share), sigmoid(-1 * share + 3 * (1 - share))], abs=1e-6
    )
    assert mean[1] == most[1] == pytest.approx([sigmoid(1.0)] * 3)
    assert some[1] == pytest.approx([sigmoid(1.0)] * 3)
    assert attention[1] == pytest.approx([sigmoid(1.0)] * 2)


def test_attention_of_any_size_is_a_share() -> None:
    scores = np.array([[2.0, 1000.0], [0.0, -1000.0], [1.0, -2000.0]], np.float32)
    found = pool(scores, ROWS, "attention", "topics").tolist()
    assert found == [pytest.approx([sigmoid(2.0)]), pytest.approx([sigmoid(1.0)])]


def test_stance_is_a_softmax() -> None:
    found = pool(SCORES[2:], np.array([0]), "mean", "stance")
    assert found.tolist() == [pytest.approx([1 / 3] * 3)]
    assert pool(SCORES[:1], np.array([0]), "max", "stance")[0].sum() == pytest.approx(1)


@given(
    hnp.arrays(
        np.float32, st.tuples(st.integers(1, 9), st.integers(2, 4)), elements=st.floats(-90, 90, width=32)
    ),
    st.sampled_from(POOLINGS),
    st.sampled_from(get_args(Task)),
    st.data(),
)
def test_rows_do_not_touch_each_other(
    scores: NDArray[np.float32], pooling: Pooling, task: Task, data: st.DataObject
) -> None:
    steps = data.draw(st.lists(st.integers(0, 1), min_size=len(scores) - 1, max_size=len(scores) - 1))
    rows = np.cumsum([0, *steps])
    found = pool(scores, rows, pooling, task)
    assert found.dtype == np.float32
    assert found.shape == (rows[-1] + 1, columns(scores.shape[1], pooling) - 2 * (pooling == "attention"))
    assert ((found >= 0) & (found <= 1)).all()
    for row in range(len(found)):
        mine = scores[rows == row]
        alone = pool(mine, np.zeros(len(mine), np.intp), pooling, task)
        assert found[row].tolist() == pytest.approx(alone[0].tolist(), abs=1e-6)


def test_nothing_in_nothing_out() -> None:
    empty = np.zeros((0, 4), np.float32), np.zeros(0, np.intp)
    assert pool(*empty, "mean", "topics").shape == (0, 4)
    assert pool(*empty, "attention", "topics").shape == (0, 3)


@pytest.mark.parametrize("pooling", POOLINGS)
def test_nan_stays_in_its_row(pooling: Pooling) -> None:
    scores = SCORES.copy()
    scores[0] = np.nan
    found = pool(scores, ROWS, pooling, "topics")
    assert np.isnan(found[0]).all()
    assert np.isfinite(found[1]).all()
