"""What a trial is judged by: macro-F1 on stories of train and dev that its models knew nothing of.

The test part is not among the rows. In every cut a whole pipeline is made, as a run makes it: fitted on some
stories, calibrated and cut on others, and judged on yet others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.base import LabelledSet, joined
from stancewire.errors import InputError
from training.config import RunConfig
from training.data.extra import Extra
from training.data.stratify import assign
from training.evaluate.metrics import counts_of, macro
from training.fit import fit
from training.prepare import Parts, Prepared, extras_of
from training.tuning.config import TuneConfig

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Cut:
    """Positions of the rows that teach, that calibrate and set thresholds, and that judge."""

    train: Rows
    dev: Rows
    judge: Rows


@dataclass(frozen=True)
class Ground:
    """What every trial of a sweep is judged on.

    Attributes:
        rows: train and dev of the run, in this order.
        cuts: no row judges in two of them.
        extra: other corpora that teach in every cut; none of their texts is nearly one of the rows.
    """

    rows: LabelledSet
    cuts: tuple[Cut, ...]
    extra: tuple[Extra, ...] = ()

    def parts(self, cut: Cut) -> Parts:
        """Return the rows of a cut; those that judge stand where a run has its test."""
        train, dev, judge = (self.rows.take(rows) for rows in (cut.train, cut.dev, cut.judge))
        return Parts(train, dev, judge, extra=self.extra)


@dataclass(frozen=True)
class Scored:
    """A trial after one more cut: macro-F1 of this cut alone, and of all cuts so far, their rows pooled."""

    fold: float
    running: float


def make_ground(prepared: Prepared, tune: TuneConfig) -> Ground:
    """Cut train and dev as the metric wants it, labels shared out evenly.

    Raises:
        InputError: if a label has too few stories for these cuts.
    """
    train, dev, seed = prepared.parts.train, prepared.parts.dev, prepared.config.seed
    rows = joined((train, dev))
    if tune.metric == "dev":
        half = np.append(np.full(len(train), -1), _folds(dev, 2, seed))
        learned, one, other = (np.flatnonzero(half == part) for part in (-1, 0, 1))
        cuts: tuple[Cut, ...] = (Cut(learned, one, other), Cut(learned, other, one))
    else:
        fold = _folds(rows, tune.folds, seed)
        cuts = tuple(_cut(fold, number, tune.folds) for number in range(tune.folds))
    ground = Ground(rows, cuts, _extra(prepared))
    _check(ground, tune.metric)
    return ground


def scores(config: RunConfig, ground: Ground) -> Iterator[Scored]:
    """Yield how a config does, cut by cut.

    Raises:
        StancewireError: if the rows cannot teach what the config asks.
    """
    total = np.zeros((len(ground.rows.labels), 3))
    for cut in ground.cuts:
        parts = ground.parts(cut)
        decided = fit(config, config.model, parts).decisions
        counts = counts_of(parts.test.truth, decided).sum(axis=0).astype(np.float64)
        total += counts
        yield Scored(float(macro(counts)), float(macro(total)))


def _extra(prepared: Prepared) -> tuple[Extra, ...]:
    """Return what further corpora teach here, where rows of train judge too."""
    split = prepared.split
    judged = replace(split, dev=(*split.train, *split.dev))
    return extras_of(prepared.more, prepared.corpus, prepared.config, judged)


def _cut(fold: Rows, number: int, folds: int) -> Cut:
    """Return the cut in which a fold judges and the next one calibrates."""
    judge, dev = fold == number, fold == (number + 1) % folds
    return Cut(np.flatnonzero(~judge & ~dev), np.flatnonzero(dev), np.flatnonzero(judge))


def _folds(rows: LabelledSet, folds: int, seed: int) -> Rows:
    """Return a fold for each row: stories whole, rows and labels shared out evenly."""
    names, group_of = np.unique(np.asarray(rows.groups), return_inverse=True)
    counts = np.zeros((len(names), 1 + len(rows.labels)))
    np.add.at(counts, group_of, np.column_stack([np.ones(len(rows)), rows.truth == 1]))
    return assign(counts, [1 / folds] * folds, seed=seed)[group_of]


def _check(ground: Ground, metric: str) -> None:
    for cut in ground.cuts:
        learned, judging = ground.rows.truth[cut.train], ground.rows.truth[cut.judge]
        lacking = [
            label
            for column, label in enumerate(ground.rows.labels)
            if not (learned[:, column] == 1).any() or not (learned[:, column] == 0).any()
        ]
        if lacking or not len(cut.dev) or not (judging == 1).any():
            found = f"none for {lacking[0]!r} in one of them" if lacking else "one without"
            raise InputError(
                f"tune.metric {metric}: wanted rows with and without every label in each of the "
                f"{len(ground.cuts)} folds of {len(set(ground.rows.groups))} stories, got {found}; "
                "label more, or set other tune.folds"
            )
