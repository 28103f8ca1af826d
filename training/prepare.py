"""From a config to labelled rows in parts: read, join duplicates into stories, split, stop on leaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Literal, TypeAlias

from models.base import FitContext, LabelledSet
from stancewire.errors import InputError
from training.config import RunConfig
from training.data.extra import Extra, load_extra
from training.data.leaks import LeakError
from training.data.load import Corpus, load_corpus
from training.data.sentences import Weighted, sentences_of
from training.data.split import Plan, Split, check_outlets, make_split, split_corpus
from training.data.tables import labelled_set
from training.thresholds import check_objectives

# How else a run may split its rows, to show what its score depends on.
OtherSplit: TypeAlias = Literal["random", "time", "outlet"]


@dataclass(frozen=True)
class Parts:
    """Rows that teach, rows that calibrate and set thresholds, rows that judge.

    Attributes:
        train: teaches.
        dev: calibrates and sets thresholds.
        test: judges.
        sentences: of the articles of train, which teach too, and how often each is drawn in an epoch.
        extra: other corpora that teach too.
    """

    train: LabelledSet
    dev: LabelledSet
    test: LabelledSet
    sentences: Weighted | None = None
    extra: tuple[Extra, ...] = ()

    def around(self, context: FitContext) -> FitContext:
        """Return the context of a fit on these parts: what teaches beside train is further rows of it."""
        own = [self.sentences] if self.sentences else []
        return replace(context, extra=(*own, *chain.from_iterable(one.sets for one in self.extra)))

    def without_sentences(self) -> Parts:
        """Return the same with whole texts alone to learn from."""
        return replace(self, sentences=None, extra=tuple(replace(one, sentences=None) for one in self.extra))


@dataclass(frozen=True)
class Prepared:
    """Everything that a run learns from and is judged on."""

    config: RunConfig
    corpus: Corpus
    split: Split
    parts: Parts


@dataclass
class Corpora:
    """Corpora that were loaded, so that the configs of one command read each but once."""

    loaded: dict[str, Corpus] = field(default_factory=dict)

    def of(self, config: RunConfig) -> Corpus:
        """Return the corpus that a config names.

        Raises:
            StancewireError: if it cannot be read, has faults, or its codebook has.
        """
        threshold = config.split.near_duplicate_threshold
        key = f"{threshold} {config.data.model_dump_json()}"
        if key not in self.loaded:
            self.loaded[key] = load_corpus(config.data, near_duplicate_threshold=threshold)
        return self.loaded[key]


def prepare(config: RunConfig, corpora: Corpora, report: Callable[[str], None]) -> Prepared:
    """Load and split as a config says; nothing is written.

    Raises:
        StancewireError: if the data cannot be read, teach too little, or leak.
    """
    report(f"reading {config.data.path}")
    corpus = corpora.of(config)
    report(f"splitting by {config.split.by}")
    split = make_split(corpus, config.task, config.split, seed=config.split_seed)
    parts = _parts(corpus, config, split)
    if config.evaluation.outlet_split:
        check_outlets(corpus, config.evaluation.outlet_split, "evaluation.outlet_split")
    check_objectives(tuple(config.thresholds.by_label), parts.train.labels)
    return Prepared(config, corpus, split, parts)


def other_parts(prepared: Prepared, by: OtherSplit) -> Parts | None:
    """Return the same rows split in another way, to show what the score depends on.

    At random: stories torn apart, what a careless split would be judged on. By time: the newest stories are
    the test. By outlet: the outlets of `evaluation.outlet_split` are. None where the rows do not allow it, as
    when articles have no date or a label misses train.
    """
    config, corpus = prepared.config, prepared.corpus
    allowed = ("random",) if by == "random" else config.split.allow_leaks
    share = config.split
    plan = Plan(
        by=by,
        dev=share.dev,
        test=share.test,
        outlets=config.evaluation.outlet_split,
        allow_leaks=allowed,
        shots=share.shots,
    )
    try:
        return _parts(corpus, config, split_corpus(corpus, config.task, plan, seed=config.split_seed))
    except (InputError, LeakError):
        return None


def _parts(corpus: Corpus, config: RunConfig, split: Split) -> Parts:
    def rows(positions: Sequence[int]) -> LabelledSet:
        return labelled_set(corpus, config.task, positions)

    return Parts(
        rows(split.train),
        rows(split.dev),
        rows(split.test),
        sentences_of(corpus, split.train, config.data.sentences),
        load_extras(config, corpus, split),
    )


def load_extras(config: RunConfig, corpus: Corpus, split: Split) -> tuple[Extra, ...]:
    """Load the other corpora of a config, without what the split holds out.

    Raises:
        InputError: if one cannot be read, has faults, or leaves no row to learn from.
    """
    asked = {
        "threshold": config.split.near_duplicate_threshold,
        "sentences": config.data.sentences,
    }
    return tuple(load_extra(one, corpus, config.task, split, **asked) for one in config.extra)
