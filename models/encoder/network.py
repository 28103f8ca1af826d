"""The network: a backbone with a linear head over its tokens, and the pooling of an article's chunks."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, PreTrainedModel

from models.encoder.backbone import Backbone, quiet
from models.encoder.batches import packs_of
from models.encoder.config import Head
from models.encoder.dropout import draw_faster
from models.encoder.errors import BackboneError
from stancewire.encoding import Encoded
from stancewire.runtime.batching import matrices
from stancewire.runtime.pooling import Pooling

# What configs of transformers call the shares of units, and of attention weights, that are left out.
_DROPOUT = ("hidden_dropout_prob", "dropout")
_ATTENTION_DROPOUT = ("attention_probs_dropout_prob", "attention_dropout")


class Classifier(nn.Module):
    """A backbone under a linear head: over the mean of its tokens, or over what stands for the first one.

    Attributes:
        inner: the model of transformers; a whole sequence classifier for the head "first".
        dropout, classifier: the head "mean"; None for "first", which `inner` has itself.
    """

    def __init__(self, inner: PreTrainedModel, n_outputs: int, head: Head) -> None:
        super().__init__()
        self.inner = inner
        self.dropout: nn.Dropout | None = None
        self.classifier: nn.Linear | None = None
        if head == "mean":
            self.dropout = nn.Dropout(float(getattr(inner.config, "hidden_dropout_prob", 0.1)))
            self.classifier = nn.Linear(inner.config.hidden_size, n_outputs)
            nn.init.normal_(self.classifier.weight, std=getattr(inner.config, "initializer_range", 0.02))
            nn.init.zeros_(self.classifier.bias)

    @property
    def is_typed(self) -> bool:
        """Whether it takes the segment of each token."""
        return int(getattr(self.inner.config, "type_vocab_size", 0) or 0) > 1

    def forward(self, **inputs: Tensor) -> Tensor:
        """Return scores, [n_sequences, n_outputs]."""
        found = self.inner(**inputs)
        if self.classifier is None or self.dropout is None:
            return cast(Tensor, found.logits)
        real = inputs["attention_mask"][:, :, None].to(found.last_hidden_state.dtype)
        mean = (found.last_hidden_state * real).sum(dim=1) / real.sum(dim=1)
        return cast(Tensor, self.classifier(self.dropout(mean)))

    def output_layer(self) -> nn.Linear:
        """Return the layer whose rows are the labels.

        Raises:
            BackboneError: if the backbone has a head of another kind.
        """
        linear = [layer for layer in self.modules() if isinstance(layer, nn.Linear)]
        if not linear:
            raise BackboneError("model.backbone: its classifier has no linear layer; take head: mean")
        return self.classifier or linear[-1]


def new_network(
    backbone: Backbone,
    n_outputs: int,
    *,
    head: Head,
    dropout: float | None,
    attention_dropout: float | None,
    seed: int,
) -> Classifier:
    """Return the backbone with a new head, in fp32; equal seeds give equal heads.

    Args:
        backbone: to start from.
        n_outputs: columns of the head.
        head: "mean" or "first".
        dropout: share of units left out in training; None: as the backbone says.
        attention_dropout: share of attention weights left out; None: as the backbone says.
        seed: of the new head.

    Raises:
        BackboneError: if transformers cannot load it, or knows no classifier of its kind.
    """
    torch.manual_seed(seed)
    kind = AutoModel if head == "mean" else AutoModelForSequenceClassification
    try:
        config = AutoConfig.from_pretrained(str(backbone.folder), local_files_only=True)
        config.num_labels = n_outputs
        for share, names in ((dropout, _DROPOUT), (attention_dropout, _ATTENTION_DROPOUT)):
            for name in names if share is not None else ():
                if hasattr(config, name):
                    setattr(config, name, share)
        with quiet():
            inner: PreTrainedModel = kind.from_pretrained(
                str(backbone.folder),
                config=config,
                dtype=torch.float32,
                local_files_only=True,
                use_safetensors=True,
                ignore_mismatched_sizes=True,
            )
    except Exception as error:  # transformers raises nothing narrower
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise BackboneError(
            f"model.backbone: {backbone.name} cannot be loaded: {reason}; use an encoder such as BERT, "
            "RoBERTa or DeBERTa"
        ) from error
    if head == "mean" and getattr(inner, "pooler", None) is not None:
        inner.pooler = None  # type: ignore[assignment] # it reads the first token alone, for nobody
    torch.manual_seed(seed)  # again, as what a backbone draws while it is loaded differs
    return Classifier(inner, n_outputs, head)


def place(network: Classifier, device: torch.device, *, bf16: bool) -> None:
    """Move a network to where it learns, in the ways that are fast there.

    On a processor in bf16 torch's fused attention is slow on its way back: with it a step of sentences takes
    a third longer, one of chunks of 256 tokens a sixth.
    """
    slow = bf16 and device.type == "cpu"
    fused = getattr(network.inner, "_supports_sdpa", False) and not slow
    network.inner.set_attn_implementation("sdpa" if fused else "eager")
    if device.type == "cpu":
        draw_faster(network)
    network.to(device)


def settle(network: Classifier) -> None:
    """Make a network ready for use and export: on the processor, its attention plain, nothing left out."""
    network.inner.set_attn_implementation("eager")
    network.to("cpu")
    network.eval()


def weights_of(network: Classifier) -> dict[str, Tensor]:
    """Return a copy of all weights as they are, on the processor."""
    return {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}


def scores_of(
    model: Classifier, ids: list[list[int]], second: list[int], *, pad: int, device: torch.device
) -> Tensor:
    """Return the scores of sequences in their order, [n_sequences, n_outputs].

    Args:
        model: that scores.
        ids: token ids of every sequence.
        second: where the second segment of each begins.
        pad: token id behind the end.
        device: of the model.
    """
    found: list[Tensor] = []
    order = []
    empty = np.zeros(0)
    encoded = Encoded(ids, second, empty.astype(np.intp), empty.astype(np.float32), empty.astype(np.bool_))
    for chosen in packs_of([len(sequence) for sequence in ids]):
        inputs = {
            name: torch.from_numpy(value).to(device) for name, value in matrices(encoded, chosen, pad).items()
        }
        if not model.is_typed:
            del inputs["token_type_ids"]
        found.append(model(**inputs))
        order.append(chosen)
    if len(found) == 1 and np.array_equal(order[0], np.arange(len(ids))):
        return found[0]
    back = np.argsort(np.concatenate(order))
    return torch.cat(found)[torch.from_numpy(back).to(device)]


def pooled(scores: Tensor, rows: NDArray[np.intp], pooling: Pooling) -> Tensor:
    """Return the logits of rows from the scores of their sequences, as stancewire.runtime.pooling does.

    Args:
        scores: [n_sequences, n_labels], and for "attention" one more column.
        rows: the row of each sequence, not decreasing, none left out.
        pooling: how.
    """
    scores = scores.float()
    n_rows = int(rows[-1]) + 1
    if n_rows == len(rows):
        return scores[:, :-1] if pooling == "attention" else _one_of_one(scores, pooling)
    index = torch.from_numpy(rows).to(scores.device)
    if pooling == "mean":
        sums = _summed(scores, index, n_rows)
        return sums / torch.from_numpy(np.bincount(rows)).to(scores)[:, None]
    if pooling == "max":
        wide = index[:, None].expand_as(scores)
        return scores.new_empty(n_rows, scores.shape[1]).scatter_reduce(
            0, wide, scores, "amax", include_self=False
        )
    if pooling == "noisy_or":
        return _logit_of_none(_summed(-functional.softplus(scores), index, n_rows))
    attention = scores[:, -1]
    most = attention.new_empty(n_rows).scatter_reduce(0, index, attention, "amax", include_self=False)
    powers = (attention - most.detach()[index]).exp()
    weights = powers / _summed(powers, index, n_rows)[index]
    return _summed(scores[:, :-1] * weights[:, None], index, n_rows)


def _one_of_one(scores: Tensor, pooling: Pooling) -> Tensor:
    return _logit_of_none(-functional.softplus(scores)) if pooling == "noisy_or" else scores


def _summed(values: Tensor, index: Tensor, n_rows: int) -> Tensor:
    return values.new_zeros(n_rows, *values.shape[1:]).index_add(0, index, values)


def _logit_of_none(none_holds: Tensor) -> Tensor:
    """Return the logit of 1 - exp(x): of any sequence holding, from the log-probability that none does."""
    log_none = none_holds.clamp(max=-1e-7)
    return torch.log(-torch.expm1(log_none)) - log_none
