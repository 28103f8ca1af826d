"""One fit of an encoder, top to bottom: backbone, network, feed, loop, best weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from models.base import Examples, FitContext, LabelledSet, joined
from models.encoder.backbone import Backbone, find_backbone
from models.encoder.checkpoints import Checkpoints
from models.encoder.config import EncoderConfig
from models.encoder.distractors import distracted
from models.encoder.feed import Feed
from models.encoder.judge import answers, scores_on
from models.encoder.loop import Goal, Judged, Loop
from models.encoder.losses import Loss
from models.encoder.network import Classifier, new_network, place, settle
from models.encoder.optimiser import freeze
from models.encoder.processes import Processes, in_bf16
from models.encoder.quantise import round_weights
from models.encoder.start import find_parent, take_head
from models.encoder.tokens import Tokens, tokenised
from models.linear_rows import check
from stancewire.calibration import Probabilities, Task
from stancewire.encoding import Layout
from stancewire.runtime.pooling import columns
from stancewire.text import MAX_CHARS

_STEPS_A_LOG = 20
# Tokens that go through the network at once when it is only asked.
BUDGET = 8192


@dataclass(frozen=True)
class Learned:
    """A network with all that it needs to answer.

    Attributes:
        config: filled in for the task.
        task: what it answers.
        labels: of its columns.
        backbone: that it started from; its tokenizer is the network's.
        layout: of its sequences.
        network: on the processor.
    """

    config: EncoderConfig
    task: Task
    labels: tuple[str, ...]
    backbone: Backbone
    layout: Layout
    network: Classifier

    def answer(self, examples: Examples) -> Probabilities:
        """Return raw probabilities in fp32, float32 [n_rows, n_labels]."""
        if not len(examples):
            return np.zeros((0, len(self.labels)), dtype=np.float32)
        tokens = tokenised(self.backbone.tokenizer, self.layout, examples)
        return _ask(self, tokens, Processes.alone())


def fit(
    config: EncoderConfig, seed: int, train: LabelledSet, dev: LabelledSet, context: FitContext
) -> Learned:
    """Fine-tune a backbone; the weights are those of the epoch that dev likes best.

    Raises:
        FitError: if the rows cannot teach what the config asks, the backbone does not fit, or the loss is no
            number any more.
    """
    config = config.for_task(train.task, len(train))
    check(train, config.class_weights, 1)
    if config.threads:
        torch.set_num_threads(config.threads)
    processes = Processes(config.device)
    layout = layout_of(config, train.task)
    parent = find_parent(config.init_from) if config.init_from else None
    backbone = find_backbone(str(parent.folder) if parent else config.backbone, layout.tokens)
    network = new_network(
        backbone,
        columns(len(train.labels), config.pooling),
        head=config.head,
        dropout=config.dropout,
        attention_dropout=config.attention_dropout,
        seed=seed,
    )
    if parent:
        take_head(network, parent, train.labels, config.init_label_map)
    place(network, processes.device, bf16=in_bf16(config.precision, processes.device))
    freeze(network, embeddings=config.freeze_embeddings, layers=config.freeze_layers)
    learned = Learned(config, train.task, train.labels, backbone, layout, network)
    _learn(learned, seed, train, dev, context, processes)
    settle(network)
    if config.quantise:
        round_weights(network.inner)
    return learned


def _learn(
    learned: Learned,
    seed: int,
    train: LabelledSet,
    dev: LabelledSet,
    context: FitContext,
    processes: Processes,
) -> None:
    config, backbone, layout = learned.config, learned.backbone, learned.layout
    sets = [(train, 1.0), *_beside(train, config, seed), *context.extra]
    rows = joined([rows for rows, _ in sets])
    weights = np.concatenate([np.full(len(rows), weight) for rows, weight in sets])
    feed = Feed(rows.examples, weights, backbone, layout, config, seed=seed, cache=context.cache)
    asked = tokenised(backbone.tokenizer, layout, dev.examples, context.cache)
    context.log(
        0,
        {
            "text_cut/train": float(feed.variants[0].cut[: len(train)].mean()),
            "text_cut/dev": float(asked.cut.mean()),
        },
    )

    def ask() -> Probabilities:
        with loop.autocast():
            return _ask(learned, asked, processes)

    goal = Goal(feed, rows.truth, Loss.of(config, train), scores_on(dev.truth, train.task, ask))
    loop = Loop(
        learned.network, backbone.pad, goal, config, processes, Checkpoints(context.checkpoints), seed
    )
    for event in loop.events():
        if isinstance(event, Judged):
            figures = {f"dev/{name}": value for name, value in event.scores.items()}
            context.log(event.step, figures | {"epoch": event.epoch})
        elif event.step % _STEPS_A_LOG == 0:
            context.log(event.step, {"train/loss": event.loss, "train/learning_rate": event.learning_rate})
    learned.network.load_state_dict(loop.best)


def _beside(train: LabelledSet, config: EncoderConfig, seed: int) -> list[tuple[LabelledSet, float]]:
    """Return what is made of the training rows; who knows no target could not tell which sentence counts."""
    if train.task != "stance" or config.target_blind or not config.distractors:
        return []
    return [(distracted(train, seed), config.distractors)]


def _ask(learned: Learned, tokens: Tokens, processes: Processes) -> Probabilities:
    return answers(
        learned.network,
        tokens,
        n_labels=len(learned.labels),
        task=learned.task,
        pooling=learned.config.pooling,
        pad=learned.backbone.pad,
        budget=BUDGET,
        processes=processes,
    )


def layout_of(config: EncoderConfig, task: Task) -> Layout:
    """Return how texts become sequences, of a config that is filled in for the task."""
    return Layout(
        task=task,
        tokens=config.tokens or 0,
        stride=config.stride or 0,
        max_chunks=config.max_chunks or 1,
        max_chars=MAX_CHARS,
        target_blind=config.target_blind and task == "stance",
        marked=config.mark and task == "stance",
    )
