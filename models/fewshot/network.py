"""The network: the mean of a backbone's token vectors, scaled to length 1, under a linear head."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from models.encoder import network as encoder
from models.encoder.backbone import Backbone
from models.encoder.tokens import Index, Tokens
from stancewire.runtime.batching import batches

Embeddings = NDArray[np.float32]


class SentenceClassifier(encoder.Classifier):
    """A sentence encoder under a head; without a head its scores are the embeddings themselves.

    The embedding of a row is the mean of its sequences', so the mean of their scores is the score of the row.

    Args:
        inner: the backbone.
    """

    def __init__(self, inner: PreTrainedModel) -> None:
        super().__init__(inner, 0, "first")
        self.head: nn.Module = nn.Identity()

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.inner.device

    def forward(self, **inputs: Tensor) -> Tensor:
        """Return the scores of sequences, float32 [n, n_labels]."""
        states = self.inner(**inputs).last_hidden_state.float()
        real = inputs["attention_mask"][:, :, None].float()
        scores: Tensor = self.head(functional.normalize((states * real).sum(dim=1) / real.sum(dim=1), dim=1))
        return scores

    def set_head(self, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> None:
        """Put a linear head on top.

        Args:
            weight: [n_labels, size].
            bias: [n_labels].
        """
        head = nn.Linear(weight.shape[1], weight.shape[0])
        head.load_state_dict({"weight": torch.from_numpy(weight), "bias": torch.from_numpy(bias)})
        self.head = head.to(self.device)


def new_network(backbone: Backbone, *, dropout: float | None) -> SentenceClassifier:
    """Return the backbone without a head, in fp32.

    Args:
        backbone: to start from.
        dropout: share of units left out in training; None: as the backbone says.

    Raises:
        BackboneError: if transformers cannot load it.
    """
    bare = encoder.new_network(backbone, 1, head="mean", dropout=dropout, attention_dropout=dropout, seed=0)
    return SentenceClassifier(bare.inner)


def row_scores(network: SentenceClassifier, tokens: Tokens, rows: Index, pad: int) -> Tensor:
    """Return the score of each row, the mean over its sequences, with gradients.

    Args:
        network: with a head or without.
        tokens: of all rows.
        rows: positions of those that are asked about.
        pad: token id behind the end of a sequence.
    """
    ids, second, places = tokens.sequences(rows)
    scores = encoder.scores_of(network, ids, second, pad=pad, device=network.device)
    return encoder.pooled(scores, np.asarray(places, np.intp), "mean")


@torch.inference_mode()
def embed(network: SentenceClassifier, tokens: Tokens, pad: int, budget: int) -> Embeddings:
    """Return the embeddings of all rows without dropout, float32 [n_rows, size].

    Args:
        network: without a head.
        tokens: of the rows.
        pad: token id behind the end of a sequence.
        budget: tokens that go through the network at once.
    """
    network.eval()
    found = np.zeros((len(tokens.cut), int(network.inner.config.hidden_size)), np.float32)
    for chosen in batches(tokens.row_lengths.tolist(), budget):
        found[chosen] = row_scores(network, tokens, chosen, pad).cpu().numpy()
    return found
