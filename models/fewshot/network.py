"""The network: the mean of a backbone's token vectors, scaled to length 1, under a linear head."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from models.encoder.backbone import Backbone, quiet
from models.encoder.errors import BackboneError
from models.encoder.network import is_typed, pooled, scores_of
from models.encoder.tokens import Index, Tokens
from stancewire.runtime.batching import batches

_DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout")

Embeddings = NDArray[np.float32]


class SentenceClassifier(PreTrainedModel):  # type: ignore[no-untyped-call]
    """A sentence encoder under a head; without a head its scores are the embeddings themselves.

    The embedding of a row is the mean of its sequences', so the mean of their scores is the score of the row.

    Args:
        config: of the backbone.
        body: the backbone.
    """

    def __init__(self, config: PretrainedConfig, body: PreTrainedModel) -> None:
        super().__init__(config)
        self.body = body
        self.head: nn.Module = nn.Identity()

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor | None = None
    ) -> SequenceClassifierOutput:
        """Return the scores of sequences, float32 [n, n_labels]."""
        typed = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        found = self.body(input_ids=input_ids, attention_mask=attention_mask, **typed)
        real = attention_mask[:, :, None].float()
        vectors = (found.last_hidden_state.float() * real).sum(dim=1) / real.sum(dim=1)
        return SequenceClassifierOutput(logits=self.head(functional.normalize(vectors, dim=1)))

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
    try:
        config = AutoConfig.from_pretrained(str(backbone.folder), local_files_only=True)
        for name in _DROPOUTS if dropout is not None else ():
            if hasattr(config, name):
                setattr(config, name, dropout)
        with quiet():
            body: PreTrainedModel = AutoModel.from_pretrained(
                str(backbone.folder),
                config=config,
                dtype=torch.float32,
                local_files_only=True,
                use_safetensors=True,
            )
    except Exception as error:  # transformers raises nothing narrower
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise BackboneError(
            f"model.backbone: {backbone.name} cannot be loaded: {reason}; use a sentence encoder of BERT's "
            "kind"
        ) from error
    return SentenceClassifier(config, body)


def row_scores(network: SentenceClassifier, tokens: Tokens, rows: Index, pad: int) -> Tensor:
    """Return the score of each row, the mean over its sequences, with gradients.

    Args:
        network: with a head or without.
        tokens: of all rows.
        rows: positions of those that are asked about.
        pad: token id behind the end of a sequence.
    """
    ids, second, places = tokens.sequences(rows)
    typed, device = is_typed(network), network.device
    scores = scores_of(network, ids, second, pad=pad, typed=typed, device=device)
    return pooled(scores, np.asarray(places, np.intp), "mean")


@torch.inference_mode()
def embed(network: SentenceClassifier, tokens: Tokens, pad: int, budget: int) -> Embeddings:
    """Return the embeddings of all rows without dropout, float32 [n_rows, size].

    Args:
        network: without a head.
        tokens: of the rows.
        pad: token id behind the end of a sequence.
        budget: tokens that go through the network at once.
    """
    network.eval()  # type: ignore[no-untyped-call]
    found = np.zeros((len(tokens.cut), int(network.config.hidden_size)), np.float32)
    for chosen in batches(tokens.row_lengths.tolist(), budget):
        found[chosen] = row_scores(network, tokens, chosen, pad).cpu().numpy()
    return found
