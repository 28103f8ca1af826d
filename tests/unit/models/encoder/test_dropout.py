"""Dropout with faster draws: the share asked for, alike for like seeds, nothing when not in training."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from models.encoder.dropout import Dropout, draw_faster


def drawn(dropout: nn.Module, values: torch.Tensor, seed: int = 0) -> torch.Tensor:
    torch.manual_seed(seed)
    found: torch.Tensor = dropout(values)
    return found


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_share_is_left_out_and_the_mean_stays(share: float) -> None:
    found = drawn(Dropout(share), torch.ones(400, 500))
    assert (found == 0).float().mean().item() == pytest.approx(share, abs=0.005)
    assert found.mean().item() == pytest.approx(1, abs=0.02)
    assert len(set(found.flatten().tolist())) == 2


def test_draws_hang_on_the_seed_and_on_what_was_drawn_before() -> None:
    dropout, values = Dropout(0.3), torch.ones(50, 50)
    assert torch.equal(drawn(dropout, values), drawn(dropout, values))
    assert not torch.equal(drawn(dropout, values), drawn(dropout, values, seed=1))
    torch.manual_seed(0)
    assert not torch.equal(dropout(values), dropout(values))


def test_gradients_go_where_values_went() -> None:
    values = torch.ones(20, 20, requires_grad=True)
    found = drawn(Dropout(0.4), values)
    (gradient,) = torch.autograd.grad(found.sum(), values)
    torch.testing.assert_close(gradient, found.detach())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_type_stays(dtype: torch.dtype) -> None:
    assert drawn(Dropout(0.1), torch.ones(3, 4, 5, dtype=dtype)).dtype == dtype


def test_nothing_is_left_out_when_not_in_training_or_not_asked_for() -> None:
    values = torch.rand(30, 30)
    assert torch.equal(drawn(Dropout(0.5).eval(), values), values)
    assert torch.equal(drawn(Dropout(0.0), values), values)


def test_every_plain_dropout_is_replaced_once() -> None:
    class Own(nn.Dropout):
        pass

    network = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout(0.2)), Own(0.3), nn.Dropout(0.4))
    draw_faster(network)
    draw_faster(network)
    kinds = [(type(one), one.p) for one in network.modules() if isinstance(one, nn.Dropout)]
    assert kinds == [(Dropout, 0.2), (Own, 0.3), (Dropout, 0.4)]
