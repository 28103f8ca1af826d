"""The steps that draw like rows together: a generator, which leaves it to others to judge and to log."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from models.base import LabelledSet
from models.encoder.batches import parts_of
from models.encoder.optimiser import new_optimiser, set_step_size
from models.encoder.processes import in_bf16
from models.encoder.tokens import Index, Tokens
from models.errors import FitError
from models.fewshot.config import FewshotConfig
from models.fewshot.losses import pair_loss
from models.fewshot.network import SentenceClassifier, row_scores
from models.fewshot.pairs import Pairs, likeness


@dataclass(frozen=True, slots=True)
class Stepped:
    """One step was taken.

    Attributes:
        step: its number, from 1.
        loss: of its pairs.
        learning_rate: highest of the step.
    """

    step: int
    loss: float
    learning_rate: float


class Tuning:
    """Tunes a network, in place, so that rows of like labels have like embeddings.

    A step of more tokens than the budget is embedded twice: first without gradients, for the loss of all its
    pairs, then part by part with them (Gao et al., 2021); the outcome is that of the whole.

    Args:
        network: without a head, on its device.
        rows: to learn from.
        tokens: of these rows.
        config: of the family.
        pad: token id behind the end of a sequence.
        seed: of everything random.
    """

    def __init__(
        self,
        network: SentenceClassifier,
        rows: LabelledSet,
        tokens: Tokens,
        config: FewshotConfig,
        *,
        pad: int,
        seed: int,
    ) -> None:
        self._network, self._rows, self._tokens = network, rows, tokens
        self._config, self._pad, self._seed = config, pad, seed
        self._pairs = Pairs(rows, config.batch_size, seed)
        self._optimiser = new_optimiser(network, config.encoder(rows.task))
        self.bf16 = in_bf16(config.precision, network.device)

    def steps(self) -> Iterator[Stepped]:
        """Take the steps; yield each.

        Raises:
            FitError: if the loss is no number any more.
        """
        config = self._config
        for number in range(config.steps):
            share = set_step_size(self._optimiser, number, config.steps, config.warmup)
            self._network.train()
            self._optimiser.zero_grad(set_to_none=True)
            loss = self._backward(self._pairs.step(number), number)
            if not math.isfinite(loss):
                raise FitError(
                    f"the loss is {loss} at step {number + 1} of {config.steps}; lower "
                    "model.learning_rate, or train with model.precision=fp32"
                )
            weights = [p for p in self._network.parameters() if p.grad is not None]
            torch.nn.utils.clip_grad_norm_(weights, config.gradient_clip)
            self._optimiser.step()
            yield Stepped(number + 1, loss, share * config.learning_rate)

    def _backward(self, rows: Index, number: int) -> float:
        """Put the gradient of a step into the weights; return its loss."""
        parts = list(parts_of(rows, self._tokens.row_lengths, self._config.token_budget))
        if len(parts) == 1:
            loss = self._loss(self._embedded(rows, number), rows)
            loss.backward()  # type: ignore[no-untyped-call]
            return float(loss.detach())
        with torch.no_grad():
            embeddings = torch.cat([self._embedded(part, number) for part in parts])
        embeddings.requires_grad_()
        loss = self._loss(embeddings, rows)
        (wanted,) = torch.autograd.grad(loss, embeddings)
        gradients = torch.split(wanted, [len(part) for part in parts])
        for part, gradient in zip(parts, gradients, strict=True):
            self._embedded(part, number).backward(gradient)  # type: ignore[no-untyped-call]
        return float(loss.detach())

    def _embedded(self, rows: Index, number: int) -> Tensor:
        """Embed rows; dropout hangs on the step and the rows alone, so that twice gives the same."""
        seeds = np.random.SeedSequence([self._seed, number, int(rows[0])])
        torch.manual_seed(int(seeds.generate_state(1)[0]))
        with torch.autocast(self._network.device.type, torch.bfloat16, enabled=self.bf16):
            return row_scores(self._network, self._tokens, rows, self._pad)

    def _loss(self, embeddings: Tensor, rows: Index) -> Tensor:
        alike = likeness(self._rows.truth[rows], self._rows.task)
        return pair_loss(embeddings, alike, self._config.loss, self._config.temperature)
