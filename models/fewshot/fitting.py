"""One fit from few labels, top to bottom: backbone, tuning, the number of steps that serves best, head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.model_selection import GroupKFold

from models.base import FitContext, LabelledSet
from models.encoder.backbone import Backbone, find_backbone
from models.encoder.fitting import BUDGET, Learned, layout_of
from models.encoder.judge import scores_on
from models.encoder.network import place, settle, weights_of
from models.encoder.processes import Processes, in_bf16
from models.encoder.quantise import round_weights
from models.encoder.tokens import Index, Tokens, tokenised
from models.errors import FitError
from models.fewshot.config import FewshotConfig
from models.fewshot.head import Head, fit_head
from models.fewshot.network import Embeddings, SentenceClassifier, embed, new_network
from models.fewshot.tuning import Tuning
from models.linear_rows import check
from stancewire.calibration import Probabilities
from stancewire.encoding import Layout

_STEPS_A_LOG = 5
# Rows of each label from which dev can tell one number of steps from another.
_ENOUGH = 10


def fit(
    config: FewshotConfig, seed: int, train: LabelledSet, dev: LabelledSet, context: FitContext
) -> Learned:
    """Tune a sentence encoder by contrast, then fit a head on its embeddings.

    Raises:
        FitError: if the rows cannot teach what the config asks, the backbone does not fit, or the loss is no
            number any more.
    """
    check(train, config.class_weights, 1)
    encoder = config.encoder(train.task)
    if config.threads:
        torch.set_num_threads(config.threads)
    layout = layout_of(encoder, train.task)
    backbone = find_backbone(config.backbone, layout.tokens)
    network = new_network(backbone, dropout=config.dropout)
    device = Processes(config.device).device
    place(network, device, bf16=in_bf16(config.precision, device))
    fitting = _Fitting(config, seed, network, backbone, layout, context)
    if config.steps and _judged_on_dev(config, dev):
        fitting.tune_judged(train, _some(dev, config.judge_rows, seed))
    elif config.steps:
        fitting.tune(train, config.steps if config.judged_on == "none" else fitting.best_steps(train))
    settle(network)
    if config.quantise:
        round_weights(network.inner)
    head = fitting.head(fitting.embedded(fitting.tokens(train)), train)
    network.set_head(head.weight, head.bias)
    return Learned(encoder, train.task, train.labels, backbone, layout, network)


@dataclass(frozen=True)
class _Fitting:
    """What the parts of a fit share."""

    config: FewshotConfig
    seed: int
    network: SentenceClassifier
    backbone: Backbone
    layout: Layout
    context: FitContext

    def tune(self, train: LabelledSet, steps: int) -> None:
        """Take so many steps of those that the config plans."""
        for step in self._points(train, self.tokens(train)):
            if step == steps:
                return

    def tune_judged(self, train: LabelledSet, dev: LabelledSet) -> None:
        """Tune; the weights are then those that dev liked best."""
        best: tuple[float, ...] = ()
        best_step, best_weights = 0, weights_of(self.network)
        tokens, asked = self.tokens(train), self.tokens(dev)
        for step in self._points(train, tokens):
            found = self.head(self.embedded(tokens), train).probabilities(self.embedded(asked), train.task)
            score = self._score(step, "dev", dev, found)
            if score > best:
                best, best_step, best_weights = score, step, weights_of(self.network)
            elif self.config.patience and step - best_step >= self.config.patience * self.config.judge_every:
                break
        self.network.load_state_dict(best_weights)

    def best_steps(self, train: LabelledSet) -> int:
        """Return the number of steps that serves best those stories of train that were not tuned on.

        The network is afterwards as it was.

        Raises:
            FitError: if train has too few stories for the folds, or every fold lacks a label.
        """
        start = weights_of(self.network)
        answers: dict[int, Probabilities] = {}
        judged = np.zeros(len(train), np.bool_)
        for fitted, held in _folds(train, self.config, self.seed):
            part, rest = train.take(fitted), train.take(held)
            tokens, asked = self.tokens(part), self.tokens(rest)
            judged[held] = True
            for step in self._points(part, tokens):
                found = self.head(self.embedded(tokens), part).probabilities(self.embedded(asked), part.task)
                answers.setdefault(step, np.zeros(train.truth.shape, np.float32))[held] = found
            self.network.load_state_dict(start)
        rows = train.take(np.flatnonzero(judged))
        scores = {step: self._score(step, "folds", rows, found[judged]) for step, found in answers.items()}
        return max(scores, key=lambda step: scores[step])

    def tokens(self, rows: LabelledSet) -> Tokens:
        """Return the token ids of rows."""
        return tokenised(self.backbone.tokenizer, self.layout, rows.examples, self.context.cache)

    def embedded(self, tokens: Tokens) -> Embeddings:
        """Return the embeddings of rows as the network is, in fp32."""
        return embed(self.network, tokens, self.backbone.pad, BUDGET)

    def head(self, embeddings: Embeddings, rows: LabelledSet) -> Head:
        """Return the head that the config asks for."""
        return fit_head(embeddings, rows, self.config.regularisation, self.config.class_weights)

    def _points(self, train: LabelledSet, tokens: Tokens) -> Iterator[int]:
        """Tune to the end; yield the number of steps whenever the classifier is to be judged, 0 first."""
        config, context = self.config, self.context
        tuning = Tuning(self.network, train, tokens, config, pad=self.backbone.pad, seed=self.seed)
        yield 0
        for event in tuning.steps():
            if event.step % _STEPS_A_LOG == 0:
                context.log(
                    event.step, {"train/loss": event.loss, "train/learning_rate": event.learning_rate}
                )
            if event.step % config.judge_every == 0 or event.step == config.steps:
                yield event.step

    def _score(self, step: int, where: str, rows: LabelledSet, found: Probabilities) -> tuple[float, float]:
        """Judge answers, tell the figures, and return those that count: higher is better.

        Of few rows many get the same F1; the one that is surer of the truth is then the better.
        """
        scores = scores_on(rows.truth, rows.task, lambda: found)()
        self.context.log(step, {f"{where}/{name}": value for name, value in scores.items()})
        sign = -1 if self.config.metric == "loss" else 1
        return sign * scores[self.config.metric], -scores["loss"]


def _judged_on_dev(config: FewshotConfig, dev: LabelledSet) -> bool:
    if config.judged_on == "auto":
        return bool(((dev.truth == 1).sum(axis=0) >= _ENOUGH).all())
    return config.judged_on == "dev"


def _some(rows: LabelledSet, most: int, seed: int) -> LabelledSet:
    if len(rows) <= most:
        return rows
    return rows.take(np.sort(np.random.default_rng(seed).permutation(len(rows))[:most]))


def _folds(train: LabelledSet, config: FewshotConfig, seed: int) -> Iterator[tuple[Index, Index]]:
    """Yield what is learned from and what is held out, of every fold that keeps each label."""
    n_groups, some = len(set(train.groups)), False
    if n_groups >= config.folds:
        folds = GroupKFold(config.folds, shuffle=True, random_state=seed)
        for fitted, held in folds.split(train.truth, groups=train.groups):
            try:
                check(train.take(fitted), config.class_weights, 1)
            except FitError:
                continue
            some = True
            yield fitted, held
    if not some:
        raise FitError(
            f"model.judged_on: choosing the number of steps by folds needs {config.folds} groups of training "
            f"rows, and without some fold still rows with and without each label; got {n_groups} groups; add "
            "rows, change model.folds, or take judged_on: dev or none"
        )
