"""What the loop is fed: the rows of every step, some of them with parts left out, drawn anew each epoch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.base import Examples
from models.encoder.backbone import Backbone
from models.encoder.batches import drawn, random, steps_of
from models.encoder.config import EncoderConfig
from models.encoder.tokens import Index, Tokens, tokenised
from stancewire.encoding import Layout

_ROWS, _ORDER, _PARTS, _WORDS = range(4)


@dataclass(frozen=True, slots=True)
class Step:
    """The rows of one step.

    Attributes:
        rows: positions in the training rows.
        variants: which variant of each is read.
        lengths: tokens of each.
    """

    rows: Index
    variants: Index
    lengths: NDArray[np.int64]


class Feed:
    """Training rows as token ids, in every variant that a config asks for.

    Args:
        examples: the rows.
        weights: how often each is drawn in an epoch, on average.
        backbone: whose tokenizer reads them.
        layout: of the sequences.
        config: of the family.
        seed: of everything that is drawn.
        cache: folder of what was tokenised before.
    """

    def __init__(
        self,
        examples: Examples,
        weights: NDArray[np.float64],
        backbone: Backbone,
        layout: Layout,
        config: EncoderConfig,
        *,
        seed: int,
        cache: Path | None,
    ) -> None:
        self._weights, self._seed = weights, seed
        self._batch_size, self._word_dropout = config.batch_size or 1, config.word_dropout
        self._left_out = _left_out(layout, config)
        # Variant 0 is the whole row; bit i of a variant's number says that the part i is left out.
        self.variants: list[Tokens] = []
        for number in range(2 ** len(self._left_out)):
            names = [name for bit, (name, _) in enumerate(self._left_out) if number >> bit & 1]
            self.variants.append(tokenised(backbone.tokenizer, layout, _without(examples, names), cache))
        self._mask, self._special, self._task = backbone.mask, backbone.special, layout.task
        self._row_lengths = np.stack([tokens.row_lengths for tokens in self.variants])

    def epoch(self, epoch: int) -> list[Step]:
        """Return the steps of epoch 0, 1, …: the same whenever it is asked for."""
        rows = self._drawn(epoch)
        variants = np.zeros(len(self._weights), np.intp)
        chance = random(self._seed, epoch, _PARTS)
        for bit, (_, share) in enumerate(self._left_out):
            variants |= (chance.random(len(variants)) < share).astype(np.intp) << bit
        lengths = self._row_lengths[variants, np.arange(len(variants))]
        steps = steps_of(rows, lengths, self._batch_size, random(self._seed, epoch, _ORDER))
        return [Step(step, variants[step], lengths[step]) for step in steps]

    def n_steps(self, epochs: int) -> int:
        """Return the number of steps of so many epochs."""
        return sum(-(-len(self._drawn(epoch)) // self._batch_size) for epoch in range(epochs))

    def sequences(self, step: Step, chosen: Index, number: int) -> tuple[list[list[int]], list[int], Index]:
        """Return the sequences of chosen rows of a step, with words left out.

        Args:
            step: the step.
            chosen: positions in it.
            number: of the step in the run, which words left out hang on.

        Returns:
            ids and second segment of every sequence, and which of the chosen rows it is of.
        """
        ids: list[list[int]] = []
        second: list[int] = []
        places: list[int] = []
        for place, position in enumerate(chosen):
            tokens = self.variants[step.variants[position]]
            found, begins, _ = tokens.sequences(step.rows[position : position + 1])
            ids += found
            second += begins
            places += [place] * len(found)
        if self._word_dropout and self._mask is not None:
            chance = random(self._seed, number, _WORDS, int(step.rows[chosen[0]]))
            ids = [self._masked(*sequence, chance) for sequence in zip(ids, second, strict=True)]
        return ids, second, np.asarray(places, np.intp)

    def _drawn(self, epoch: int) -> Index:
        return drawn(self._weights, random(self._seed, epoch, _ROWS))

    def _masked(self, sequence: Sequence[int], second: int, chance: np.random.Generator) -> list[int]:
        """Hide words; of stance never those of target and holder, without which there is no question."""
        hidden = chance.random(len(sequence)) < self._word_dropout
        if self._task == "stance":
            hidden[second:] = False
        return [
            self._mask if hide and token not in self._special else token  # type: ignore[misc]
            for token, hide in zip(sequence, hidden, strict=True)
        ]


def _left_out(layout: Layout, config: EncoderConfig) -> list[tuple[str, float]]:
    """Return what may be left out of a row of this task, each with its share of the rows."""
    if layout.task == "topics":
        parts = {"title": config.title_dropout}
    else:
        parts = {"holder": config.holder_dropout, "context": config.context_dropout}
    return [(name, share) for name, share in parts.items() if share]


def _without(examples: Examples, names: Sequence[str]) -> Examples:
    """Return the examples without these parts."""
    if not names:
        return examples
    changes: dict[str, Any] = {name: None if name == "holder" else "" for name in names}
    return tuple(replace(example, **changes) for example in examples)  # type: ignore[return-value]
