"""The training loop: it yields what happened, and leaves it to others to log and to show.

Everything that is drawn hangs on the seed and the number of the step alone, so a fit that goes on from a
checkpoint takes the very steps that it would have taken.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.encoder.batches import parts_of
from models.encoder.checkpoints import BEST, STATE, Checkpoints, Position
from models.encoder.config import EncoderConfig
from models.encoder.feed import Feed
from models.encoder.feed import Step as Rows
from models.encoder.losses import Loss
from models.encoder.network import Classifier, pooled, scores_of, weights_of
from models.encoder.optimiser import (
    Average,
    new_optimiser,
    optimiser_tensors,
    restore_optimiser,
    set_step_size,
)
from models.encoder.processes import Processes, in_bf16
from models.errors import FitError

_MODEL, _AVERAGE, _OPTIMISER = "model/", "average/", "optimiser/"


@dataclass(frozen=True, slots=True)
class Stepped:
    """One step was taken.

    Attributes:
        step: its number, from 1.
        loss: mean over the rows of the step.
        learning_rate: highest of the step.
    """

    step: int
    loss: float
    learning_rate: float


@dataclass(frozen=True, slots=True)
class Judged:
    """One epoch ended.

    Attributes:
        step: number of its last step.
        epoch: its number, from 1.
        scores: on dev, by name.
        is_best: whether it is the best so far.
    """

    step: int
    epoch: int
    scores: Mapping[str, float]
    is_best: bool


@dataclass(frozen=True)
class Goal:
    """What is learned from, and how it is judged.

    Attributes:
        feed: of the training rows.
        truth: float32 [n_rows, n_labels] of them.
        loss: what is made small.
        judge: returns scores on dev by name, of the model as it is, in every process alike; what the config's
            `metric` names is among them, and higher is better ("loss" is less its value).
    """

    feed: Feed
    truth: NDArray[np.float32]
    loss: Loss
    judge: Callable[[], Mapping[str, float]]


class Loop:
    """A fit under way.

    Args:
        model: that learns, on its device; its weights at the end are the last ones: `best` has the best.
        pad: token id behind the end of a sequence.
        goal: what it learns.
        config: of the family, filled in for the task.
        processes: that share the steps.
        checkpoints: where it is kept.
        seed: of everything random.
    """

    def __init__(
        self,
        model: Classifier,
        pad: int,
        goal: Goal,
        config: EncoderConfig,
        processes: Processes,
        checkpoints: Checkpoints,
        seed: int,
    ) -> None:
        self._model, self._pad, self._goal, self._config = model, pad, goal, config
        self._processes, self._checkpoints, self._seed = processes, checkpoints, seed
        self._epochs = config.epochs or 1
        self._total = goal.feed.n_steps(self._epochs)
        self._optimiser = new_optimiser(model, config)
        self._average = Average(model.state_dict(), config.average) if config.average else None
        self._bf16 = in_bf16(config.precision, processes.device)
        self.position = Position()
        self.best: dict[str, Tensor] = {}
        self._restore()

    def events(self) -> Iterator[Stepped | Judged]:
        """Train to the end; yield every step and every epoch.

        Raises:
            FitError: if the loss is no number any more.
        """
        saved = time.monotonic()
        for epoch in range(self.position.epoch, self._epochs):
            if self._is_stale():
                return
            steps = self._goal.feed.epoch(epoch)
            first = self._goal.feed.n_steps(epoch)
            for rows in steps[self.position.step - first :]:
                yield self._step(rows)
                if time.monotonic() - saved > 60 * self._config.checkpoint_minutes:
                    self._save()
                    saved = time.monotonic()
            yield self._judge(epoch + 1)
            self._save()
            saved = time.monotonic()

    def autocast(self) -> AbstractContextManager[None]:
        """Return the numbers that training computes in."""
        return torch.autocast(self._processes.device.type, torch.bfloat16, enabled=self._bf16)

    def _step(self, rows: Rows) -> Stepped:
        number = self.position.step
        share = set_step_size(self._optimiser, number, self._total, self._config.warmup)
        self._model.train()
        self._optimiser.zero_grad(set_to_none=True)
        torch.manual_seed(
            int(np.random.SeedSequence([self._seed, number, self._processes.rank]).generate_state(1)[0])
        )
        loss = self._backward(rows, number)
        if not math.isfinite(loss):
            raise FitError(self._no_number(number + 1, loss))
        weights = [p for p in self._model.parameters() if p.grad is not None]
        torch.nn.utils.clip_grad_norm_(weights, self._config.gradient_clip)
        self._optimiser.step()
        if self._average:
            self._average.follow(self._model.state_dict(), number)
        self.position = replace(self.position, step=number + 1)
        return Stepped(number + 1, loss, share * self._config.learning_rate)

    def _backward(self, rows: Rows, number: int) -> float:
        """Put the gradient of the whole step into the weights of every process; return its loss."""
        size = max(self._goal.loss.size(self._goal.truth[rows.rows]), 1e-12)
        mine = np.arange(len(rows.rows))[self._processes.rank :: self._processes.size]
        loss = torch.zeros((), device=self._processes.device)
        for chosen in parts_of(mine, rows.lengths, self._config.token_budget):
            ids, second, places = self._goal.feed.sequences(rows, chosen, number)
            with self.autocast():
                scores = self.scores(ids, second)
            logits = pooled(scores, places, self._config.pooling)
            part = self._goal.loss.total(logits, self._goal.truth[rows.rows[chosen]]) / size
            part.backward()  # type: ignore[no-untyped-call]
            loss += part.detach()
        if self._processes.size > 1:
            weights = [p for p in self._model.parameters() if p.requires_grad]
            for weight in weights:
                weight.grad = torch.zeros_like(weight) if weight.grad is None else weight.grad
            self._processes.add_up([loss, *(p.grad for p in weights if p.grad is not None)])
        return float(loss)

    def scores(self, ids: list[list[int]], second: list[int]) -> Tensor:
        """Return the scores of sequences, [n_sequences, n_outputs]."""
        return scores_of(self._model, ids, second, pad=self._pad, device=self._processes.device)

    def _judge(self, epoch: int) -> Judged:
        with self._judged_weights():
            scores = self._goal.judge()
            score = scores[self._config.metric] * (-1 if self._config.metric == "loss" else 1)
            is_best = self.position.best is None or score > self.position.best
            self.position = replace(self.position, epoch=epoch)
            if is_best:
                self.position = replace(self.position, best=score, best_epoch=epoch)
                self.best = weights_of(self._model)
                self._write(BEST, self.best)
        return Judged(self.position.step, epoch, scores, is_best)

    @contextmanager
    def _judged_weights(self) -> Iterator[None]:
        """Put the average in the place of the weights for a while, where there is one."""
        if self._average is None:
            yield
            return
        kept = {name: value.detach().clone() for name, value in self._model.state_dict().items()}
        self._model.load_state_dict(self._average.weights)
        try:
            yield
        finally:
            self._model.load_state_dict(kept)

    def _is_stale(self) -> bool:
        patience, position = self._config.patience, self.position
        return patience is not None and position.epoch - position.best_epoch >= patience

    def _save(self) -> None:
        tensors = {_MODEL + name: value for name, value in self._model.state_dict().items()}
        tensors |= {
            _OPTIMISER + name: value
            for name, value in optimiser_tensors(self._model, self._optimiser).items()
        }
        if self._average:
            tensors |= {_AVERAGE + name: value for name, value in self._average.weights.items()}
        self._write(STATE, tensors)

    def _write(self, name: str, tensors: Mapping[str, Tensor]) -> None:
        if self._processes.rank == 0:
            self._checkpoints.save(name, tensors, self.position)

    def _restore(self) -> None:
        """Go on from a checkpoint, where there is one."""
        self._processes.wait()
        device = self._processes.device
        kept = self._checkpoints.load(STATE, device)
        if kept is None:
            return
        tensors, position = kept
        best = self._checkpoints.load(BEST, torch.device("cpu")) if position.best_epoch else ({}, position)
        if best is None:
            return
        self._model.load_state_dict(_under(_MODEL, tensors))
        restore_optimiser(self._model, self._optimiser, _under(_OPTIMISER, tensors))
        if self._average:
            self._average.weights = _under(_AVERAGE, tensors)
        self.position, self.best = position, best[0]

    def _no_number(self, step: int, loss: float) -> str:
        position = self.position
        kept = (
            f"the best weights, of epoch {position.best_epoch}, are kept"
            + (f" in {self._checkpoints.folder / BEST}" if self._checkpoints.folder else "")
            if position.best_epoch
            else "there were no weights worth keeping yet"
        )
        return (
            f"the loss is {loss} at step {step} of {self._total}; {kept}; lower model.learning_rate, or "
            "train with model.precision=fp32"
        )


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
