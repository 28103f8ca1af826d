"""The learning curve: macro-F1 on dev over the number of labels, whole stories sampled, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.base import LabelledSet
from models.errors import FitError
from models.registry import family
from stancewire.calibration import decide
from stancewire.errors import InputError
from training.config import RunConfig
from training.evaluate.bootstrap import group_numbers, resample_weights, sum_by_group
from training.evaluate.metrics import counts_of, f1, intervals, macro
from training.evaluate.scores import Interval
from training.prepare import Prepared

SIZES = (8, 16, 32, 64)
# A sample of more than this share of all rows would tell nothing that all rows do not.
_WHOLE = 0.9

Spread = NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """One size.

    Attributes:
        labels_per_class: asked for; None means all rows.
        rows: training rows, the mean over the samples.
        stories: training stories, likewise.
        samples: how many samples of this size were fitted.
        macro_f1: on dev, the mean over the samples.
        labels: F1 by label, likewise; None for a label without positives on dev.
    """

    labels_per_class: int | None
    rows: float
    stories: float
    samples: int
    macro_f1: Interval
    labels: dict[str, Interval | None]

    @property
    def name(self) -> str:
        """The size for people."""
        return "all" if self.labels_per_class is None else str(self.labels_per_class)


@dataclass(frozen=True)
class Curve:
    """What was measured.

    Attributes:
        points: from few labels to all.
        doubling: by how much macro-F1 rises for each doubling of the rows between the last two points; None
            where there is but one.
        dev_rows, dev_stories: what it was judged on.
        confidence: of every interval.
        notes: which sizes could not be measured.
    """

    points: tuple[Point, ...]
    doubling: Interval | None
    dev_rows: int
    dev_stories: int
    confidence: float
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Fits:
    """Scores of one size on dev: macro-F1 and F1 by label of each sample, and their resamples.

    Attributes:
        rows, stories: of each sample.
        value: [samples, 1 + n_labels], macro-F1 first.
        spread: [samples, resamples, 1 + n_labels].
    """

    rows: tuple[int, ...]
    stories: tuple[int, ...]
    value: Spread
    spread: Spread


def learning_curve(
    prepared: Prepared,
    *,
    sizes: Sequence[int] = SIZES,
    samples: int = 5,
    report: Callable[[str], None] = lambda step: None,
) -> Curve:
    """Fit the config's model on samples of train and judge each on dev; test is not looked at.

    Decisions are cut at 0.5 (topics) or go to the likeliest label (stance): thresholds that were set on dev
    would be judged on what they have seen. Intervals resample the stories of dev and the samples of train.

    Args:
        prepared: labelled rows in parts.
        sizes: labels of each class, "no topic" among the classes of topics.
        samples: of train at each size.
        report: told what is being done.

    Raises:
        InputError: if not even all rows can teach.
    """
    config, train, dev = prepared.config, prepared.parts.train, prepared.parts.dev
    weights = resample_weights(len(set(dev.groups)), config.evaluation.samples, config.seed)
    found: list[tuple[int | None, _Fits]] = []
    notes: list[str] = []
    for size in (*sorted(set(sizes)), None):
        report(f"fitting on {size or 'all'} labels per class")
        try:
            fits = _fit_size(config, train, dev, weights, size, samples)
        except FitError as error:
            if size is None:
                raise
            notes.append(f"{size} labels per class cannot teach: {str(error).splitlines()[0]}")
            continue
        if fits is None:
            notes.append(f"{size} labels per class are all rows, or nearly so")
        else:
            found.append((size, fits))
    rng = np.random.default_rng(config.seed)
    drawn = rng.integers(0, samples, (config.evaluation.samples, samples))
    interval = intervals(config.evaluation.confidence)
    means = [(fits.value.mean(axis=0), _mean_spread(fits.spread, drawn)) for _, fits in found]
    points = [
        _point(size, fits, *mean, labels=train.labels, interval=interval)
        for (size, fits), mean in zip(found, means, strict=True)
    ]
    doubling = None
    if len(found) > 1:
        steps = float(np.log2(points[-1].rows / points[-2].rows))
        (value, spread), (value_before, spread_before) = means[-1], means[-2]
        rise = (value[0] - value_before[0]) / steps, (spread[:, 0] - spread_before[:, 0]) / steps
        doubling = interval(*rise)
    return Curve(
        tuple(points),
        doubling,
        len(dev),
        len(set(dev.groups)),
        config.evaluation.confidence,
        tuple(notes),
    )


def sample_stories(train: LabelledSet, per_class: int, seed: int) -> NDArray[np.intp]:
    """Return rows of whole stories until every class has so many labels, or all that there are.

    Stories come in a random order; one that holds no label of a class that still lacks some is passed over.

    Args:
        train: the rows.
        per_class: labels of each class: the labels, and for topics "none holds" too.
        seed: of the order.
    """
    holds = (train.truth == 1).astype(np.int64)
    if train.task == "topics":
        holds = np.column_stack([holds, (train.truth == 0).all(axis=1)])
    group_of = group_numbers(train.groups)
    by_story = np.zeros((int(group_of.max()) + 1, holds.shape[1]), np.int64)
    np.add.at(by_story, group_of, holds)
    have = np.zeros(holds.shape[1], np.int64)
    taken = np.zeros(len(by_story), np.bool_)
    for story in np.random.default_rng(seed).permutation(len(by_story)):
        if (by_story[story][have < per_class] > 0).any():
            taken[story] = True
            have += by_story[story]
    return np.flatnonzero(taken[group_of])


def _fit_size(
    config: RunConfig,
    train: LabelledSet,
    dev: LabelledSet,
    weights: Spread,
    size: int | None,
    samples: int,
) -> _Fits | None:
    """Fit every sample of a size; None where samples would be all rows."""
    parts = [train] if size is None else list(_samples(train, size, samples, config.seed))
    if size is not None and np.mean([len(part) for part in parts]) >= _WHOLE * len(train):
        return None
    scores = [_score(config, part, dev, weights, config.seed + i) for i, part in enumerate(parts)]
    return _Fits(
        rows=tuple(len(part) for part in parts),
        stories=tuple(len(set(part.groups)) for part in parts),
        value=np.stack([value for value, _ in scores]),
        spread=np.stack([spread for _, spread in scores]),
    )


def _samples(train: LabelledSet, size: int, samples: int, seed: int) -> Iterator[LabelledSet]:
    for number in range(samples):
        yield train.take(sample_stories(train, size, seed + number))


def _score(
    config: RunConfig, train: LabelledSet, dev: LabelledSet, weights: Spread, seed: int
) -> tuple[Spread, Spread]:
    """Return macro-F1 and F1 by label on dev, and the same of every resample."""
    learned = family(config.model.family)(config.model, seed=seed).fit(train, dev)
    probabilities = learned.predict_probabilities(dev.examples)
    cut = np.full(len(dev.labels), 0.5, np.float32)
    decisions = decide(probabilities, cut, dev.task)
    by_story = sum_by_group(counts_of(dev.truth, decisions), group_numbers(dev.groups))
    total, resampled = by_story.sum(axis=0), np.tensordot(weights, by_story, axes=1)
    value = np.concatenate([macro(total)[None], f1(total)])
    spread = np.column_stack([macro(resampled), f1(resampled)])
    return value, spread


def _mean_spread(spread: Spread, drawn: NDArray[np.intp]) -> Spread:
    """Return the mean over samples drawn anew for each resample: [resamples, figures]."""
    if len(spread) == 1:
        return np.asarray(spread[0])
    resamples = np.arange(spread.shape[1])[:, None]
    return np.asarray(spread[drawn, resamples].mean(axis=1))


def _point(
    size: int | None,
    fits: _Fits,
    value: Spread,
    spread: Spread,
    *,
    labels: Sequence[str],
    interval: Callable[[Spread, Spread], Interval],
) -> Point:
    if np.isnan(value[0]):
        raise InputError("wanted labels on dev that the curve can be judged by, found none that holds")
    by_label = {
        label: None if np.isnan(value[i]) else interval(value[i], spread[:, i])
        for i, label in enumerate(labels, 1)
    }
    return Point(
        size,
        float(np.mean(fits.rows)),
        float(np.mean(fits.stories)),
        len(fits.rows),
        interval(value[0], spread[:, 0]),
        by_label,
    )
