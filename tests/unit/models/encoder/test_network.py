"""What a network leaves out while it learns, where its attention is fused, and how long it learns."""

from __future__ import annotations

import pytest
import torch

from models.encoder.backbone import find_backbone
from models.encoder.config import EncoderConfig
from models.encoder.network import Classifier, new_network, place, settle
from tests.unit.models.backbones import quick, shared_backbone

CPU = torch.device("cpu")


def network_of(dropout: float | None, attention_dropout: float | None) -> Classifier:
    backbone = find_backbone(str(shared_backbone()), 64)
    return new_network(backbone, 2, head="mean", dropout=dropout, attention_dropout=attention_dropout, seed=0)


def shares(network: Classifier) -> tuple[set[float], set[float]]:
    """Return the shares of attention weights, and of all other units, that are left out."""
    found: tuple[set[float], set[float]] = (set(), set())
    for name, layer in network.named_modules():
        if isinstance(layer, torch.nn.Dropout):
            found[not name.endswith("attention.self.dropout")].add(layer.p)
    return found


def test_attention_and_units_are_left_out_apart() -> None:
    assert shares(network_of(0.3, 0.2)) == ({0.2}, {0.3})
    assert shares(network_of(None, 0.2)) == ({0.2}, {0.0})
    assert shares(network_of(0.3, None)) == ({0.0}, {0.3})
    assert EncoderConfig().attention_dropout == 0


def test_fused_attention_scores_as_plain_attention_does() -> None:
    network = network_of(None, 0.0).eval()
    ids = torch.randint(5, 20, (3, 12), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[1, 7:] = 0
    found = []
    for fused in (True, False):
        place(network, CPU, bf16=False) if fused else settle(network)
        with torch.inference_mode():
            found.append(network(input_ids=ids, attention_mask=mask, token_type_ids=torch.zeros_like(ids)))
    assert network.inner.config._attn_implementation == "eager"
    assert not network.training
    torch.testing.assert_close(found[0], found[1], rtol=1e-5, atol=1e-6)


def test_an_encoder_without_fused_attention_learns_with_plain(monkeypatch: pytest.MonkeyPatch) -> None:
    network = network_of(None, 0.0)
    place(network, CPU, bf16=False)
    assert network.inner.config._attn_implementation == "sdpa"
    monkeypatch.setattr(type(network.inner), "_supports_sdpa", False)
    place(network, CPU, bf16=False)
    assert network.inner.config._attn_implementation == "eager"


def test_in_bf16_attention_is_plain_on_a_processor() -> None:
    network = network_of(None, 0.0)
    place(network, CPU, bf16=True)
    assert network.inner.config._attn_implementation == "eager"


@pytest.mark.parametrize(
    ("task", "n_rows", "epochs"),
    [
        ("topics", 0, 8),
        ("topics", 300, 8),
        ("topics", 3_000, 6),
        ("topics", 50_000, 4),
        ("stance", 2_200, 8),
        ("stance", 4_000, 5),
    ],
)
def test_large_sets_are_seen_fewer_times(task: str, n_rows: int, epochs: int) -> None:
    assert EncoderConfig().for_task(task, n_rows).epochs == epochs  # type: ignore[arg-type]
    assert EncoderConfig(**quick(epochs=9)).for_task(task, n_rows).epochs == 9  # type: ignore[arg-type]
