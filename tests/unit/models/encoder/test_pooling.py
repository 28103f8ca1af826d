"""Training pools the scores of an article's chunks as inference does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.encoder.network import pooled
from stancewire.runtime.pooling import POOLINGS, Pooling, pool


@pytest.mark.parametrize("pooling", POOLINGS)
@given(data=st.data())
def test_torch_pools_as_the_runtime(pooling: Pooling, data: st.DataObject) -> None:
    counts = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=5))
    seed = data.draw(st.integers(0, 1000))
    rows = np.repeat(np.arange(len(counts)), counts)
    width = 3 + (pooling == "attention")
    scores = np.random.default_rng(seed).normal(scale=4, size=(len(rows), width)).astype(np.float32)
    found = torch.sigmoid(pooled(torch.from_numpy(scores), rows, pooling))
    np.testing.assert_allclose(found.numpy(), pool(scores, rows, pooling, "topics"), atol=2e-6)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("counts", [[1, 1], [3, 1, 2]])
def test_every_chunk_learns_unless_the_strongest_is_taken(pooling: Pooling, counts: list[int]) -> None:
    rows = np.repeat(np.arange(len(counts)), counts)
    scores = torch.randn(len(rows), 2 + (pooling == "attention"), requires_grad=True)
    pooled(scores, rows, pooling).square().sum().backward()  # type: ignore[no-untyped-call]
    assert scores.grad is not None
    moved = (scores.grad[:, :2] != 0).sum(dim=0)
    assert moved.tolist() == [len(counts) if pooling == "max" else len(rows)] * 2


def test_a_sure_noisy_or_stays_finite() -> None:
    scores = torch.tensor([[40.0, -40.0], [30.0, -60.0], [200.0, -200.0]], requires_grad=True)
    found = pooled(scores, np.array([0, 0, 1]), "noisy_or")
    found.sum().backward()  # type: ignore[no-untyped-call]
    assert torch.isfinite(found).all()
    assert scores.grad is not None
    assert torch.isfinite(scores.grad).all()
