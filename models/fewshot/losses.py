"""How far embeddings are from being as alike as their labels."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from models.fewshot.pairs import Likeness


def pair_loss(
    embeddings: Tensor, likeness: Likeness, kind: Literal["contrastive", "cosine"], temperature: float
) -> Tensor:
    """Return the loss of all pairs of a step, a scalar; 0 where no pair says anything.

    Args:
        embeddings: [n_rows, size].
        likeness: of every two rows.
        kind: "contrastive" (Khosla et al., 2020, with shares of likeness for weights) or "cosine" (squared
            distance of the cosine to the likeness; like and unlike pairs count the same in sum).
        temperature: of the contrastive loss.
    """
    unit = functional.normalize(embeddings.float(), dim=1)
    cosines = unit @ unit.T
    alike = torch.from_numpy(likeness.alike).to(unit.device)
    known = torch.from_numpy(likeness.known).to(unit.device)
    return (
        _cosine(cosines, alike, known)
        if kind == "cosine"
        else _contrastive(cosines, alike, known, temperature)
    )


def _contrastive(cosines: Tensor, alike: Tensor, known: Tensor, temperature: float) -> Tensor:
    # Not -inf, whose product with a weight of 0 is no number.
    logits = (cosines / temperature).masked_fill(known == 0, -1e4)
    logs = functional.log_softmax(logits, dim=1)
    weights = alike * known
    drawn = weights.sum(dim=1)
    rows = -(weights * logs).sum(dim=1) / drawn.clamp(min=1e-6)
    has_like = (drawn > 0).float()
    return (rows * has_like).sum() / has_like.sum().clamp(min=1)


def _cosine(cosines: Tensor, alike: Tensor, known: Tensor) -> Tensor:
    errors = (cosines - alike) ** 2
    halves = [known * (alike > 0), known * (alike == 0)]
    means = [(errors * half).sum() / half.sum().clamp(min=1) for half in halves]
    return torch.stack(means).mean()
