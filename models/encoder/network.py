"""The network: a backbone with a linear head over its first token, and the pooling of an article's chunks."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedModel

from models.encoder.backbone import Backbone, quiet
from models.encoder.batches import packs_of
from models.encoder.errors import BackboneError
from stancewire.encoding import Encoded
from stancewire.runtime.batching import matrices
from stancewire.runtime.pooling import Pooling

_DROPOUTS = ("hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout")


def new_network(backbone: Backbone, n_outputs: int, *, dropout: float | None, seed: int) -> PreTrainedModel:
    """Return the backbone with a new head, in fp32; equal seeds give equal heads.

    Args:
        backbone: to start from.
        n_outputs: columns of the head.
        dropout: share of units left out in training; None: as the backbone says.
        seed: of the new head.

    Raises:
        BackboneError: if transformers cannot load it, or knows no classifier of its kind.
    """
    torch.manual_seed(seed)
    try:
        config = AutoConfig.from_pretrained(str(backbone.folder), local_files_only=True)
        config.num_labels = n_outputs
        for name in _DROPOUTS if dropout is not None else ():
            if hasattr(config, name):
                setattr(config, name, dropout)
        with quiet():
            model: PreTrainedModel = AutoModelForSequenceClassification.from_pretrained(
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
            f"model.backbone: {backbone.name} cannot be loaded as a classifier: {reason}; use an encoder "
            "such as BERT, RoBERTa or DeBERTa"
        ) from error
    return model


def is_typed(model: PreTrainedModel) -> bool:
    """Tell whether the backbone takes the segment of each token."""
    return int(getattr(model.config, "type_vocab_size", 0) or 0) > 1


def scores_of(
    model: nn.Module, ids: list[list[int]], second: list[int], *, pad: int, typed: bool, device: torch.device
) -> Tensor:
    """Return the scores of sequences in their order, [n_sequences, n_outputs].

    Args:
        model: a sequence classifier of transformers.
        ids: token ids of every sequence.
        second: where the second segment of each begins.
        pad: token id behind the end.
        typed: whether the model takes segments.
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
        if not typed:
            del inputs["token_type_ids"]
        found.append(model(**inputs).logits)
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
