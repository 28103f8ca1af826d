"""From a config to labelled rows in parts: read, join duplicates into stories, split, stop on leaks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Literal, TypeAlias

from models.base import FamilyConfig, FitContext, LabelledSet
from models.registry import heeds_targets
from stancewire.errors import InputError
from training.config import RunConfig
from training.config_sections import ExtraConfig
from training.data.beside import Sentences, Weighted
from training.data.extra import Extra, More, extra_of, read_more
from training.data.leaks import LeakError
from training.data.load import Corpus, load_corpus
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
        return replace(context, extra=self._beside(), plain=self._plain()._beside())

    def for_model(self, model: FamilyConfig) -> Parts:
        """Return the same for a model, without what would be noise to it.

        One that gives a sentence one answer, whatever it is asked about, does without contrasts and without
        sentences; it learns topics from whole texts.
        """
        return self if heeds_targets(model) else self._plain()

    def _plain(self) -> Parts:
        extra = (replace(one, sentences=None) for one in self.extra if not one.contrasts)
        return replace(self, sentences=None, extra=tuple(extra))

    def _beside(self) -> tuple[Weighted, ...]:
        own = [self.sentences] if self.sentences else []
        return (*own, *chain.from_iterable(one.sets for one in self.extra))


@dataclass(frozen=True)
class Prepared:
    """Everything that a run learns from and is judged on.

    Attributes:
        config: of the run.
        corpus: that it names.
        split: of the corpus.
        parts: of the split, with what else teaches.
        more: the further corpora, whole.
    """

    config: RunConfig
    corpus: Corpus
    split: Split
    parts: Parts
    more: tuple[More, ...] = ()


@dataclass
class Corpora:
    """Corpora that were loaded, so that the configs of one command read each but once."""

    loaded: dict[str, Corpus] = field(default_factory=dict)
    beside: dict[str, More] = field(default_factory=dict)

    def of(self, config: RunConfig) -> Corpus:
        """Return the corpus that a config names.

        Raises:
            StancewireError: if it cannot be read, has faults, or its codebook has.
        """
        threshold, key = _key(config)
        if key not in self.loaded:
            self.loaded[key] = load_corpus(config.data, near_duplicate_threshold=threshold)
        return self.loaded[key]

    def more(self, config: RunConfig, extra: ExtraConfig) -> More:
        """Return a further corpus to learn from beside that of a config.

        Raises:
            StancewireError: if either cannot be read, or has faults.
        """
        corpus = self.of(config)
        threshold, key = _key(config)
        key = f"{key} {extra.model_dump_json()}"
        if key not in self.beside:
            self.beside[key] = read_more(extra, corpus, threshold=threshold)
        return self.beside[key]


def _key(config: RunConfig) -> tuple[float, str]:
    """Return the threshold of near-duplicates, and what else the corpus of a config hangs on."""
    threshold = config.split.near_duplicate_threshold
    return threshold, f"{threshold} {config.data.model_dump_json()}"


def prepare(config: RunConfig, corpora: Corpora, report: Callable[[str], None]) -> Prepared:
    """Load and split as a config says; nothing is written.

    Raises:
        StancewireError: if the data cannot be read, teach too little, or leak.
    """
    report(f"reading {config.data.path}")
    corpus = corpora.of(config)
    more = []
    for extra in config.extra:
        report(f"reading {extra.path}")
        more.append(corpora.more(config, extra))
    report(f"splitting by {config.split.by}")
    split = make_split(corpus, config.task, config.split, seed=config.split_seed)
    parts = _parts(corpus, config, split, more)
    if config.extra_data is not None:
        _check_extra(config, more, parts)
    if config.evaluation.outlet_split:
        check_outlets(corpus, config.evaluation.outlet_split, "evaluation.outlet_split")
    check_objectives(tuple(config.thresholds.by_label), parts.train.labels)
    return Prepared(config, corpus, split, parts, tuple(more))


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
        split = split_corpus(corpus, config.task, plan, seed=config.split_seed)
        return _parts(corpus, config, split, prepared.more)
    except (InputError, LeakError):
        return None


def _parts(corpus: Corpus, config: RunConfig, split: Split, more: Sequence[More]) -> Parts:
    def rows(positions: Sequence[int]) -> LabelledSet:
        return labelled_set(corpus, config.task, positions)

    return Parts(
        rows(split.train),
        rows(split.dev),
        rows(split.test),
        _sentences(corpus, config, split).of_train(corpus, split),
        extras_of(more, corpus, config, split),
    )


def extras_of(more: Sequence[More], corpus: Corpus, config: RunConfig, split: Split) -> tuple[Extra, ...]:
    """Return the further corpora that teach anything which a split does not hold out.

    Args:
        more: the corpora.
        corpus: the run's own.
        config: of the run.
        split: of its rows.
    """
    sentences = _sentences(corpus, config, split)
    found = (extra_of(one, corpus, config.task, split, sentences) for one in more)
    return tuple(one for one in found if one.sets)


def _sentences(corpus: Corpus, config: RunConfig, split: Split) -> Sentences:
    return Sentences.beside(corpus, config.task, split, config.data.sentences, config.seed)


def _check_extra(config: RunConfig, more: Sequence[More], parts: Parts) -> None:
    """Refuse a corpus that the config names and that has nothing to teach.

    Raises:
        InputError: if there is one.
    """
    teach = [one.source for one in parts.extra]
    for one in more:
        if one.corpus.source not in teach:
            raise InputError(
                f"extra_data: {one.config.path}: wanted rows to learn {config.task} from, found none but "
                "what dev or test ask about or the split holds out; leave it out"
            )
