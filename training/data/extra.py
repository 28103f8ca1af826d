"""More rows to learn from: other corpora under our labels, without what dev and test ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.base import LabelledSet
from stancewire.calibration import Task
from stancewire.errors import InputError
from stancewire.wording import fold
from training.data.duplicates import clusters, near_duplicates
from training.data.load import Corpus, read_corpus
from training.data.sentences import Weighted, sentences_of
from training.data.split import Split
from training.data.tables import labelled_set, truth_of
from training.data.targets import normal_target

if TYPE_CHECKING:
    from training.config import ExtraConfig


@dataclass(frozen=True)
class Extra:
    """One more corpus.

    Attributes:
        source: where it is from.
        digest: sha256 of it.
        weight: how often a row is seen in an epoch, on average.
        rows: that are learned from.
        sentences: of its articles, which teach too, and how often each is drawn in an epoch.
        left_out: number of rows that dev or test ask about in nearly the same words, or the split holds out.
        contrasts: whether it teaches to heed targets and holders, and nothing else.
    """

    source: str
    digest: str
    weight: float
    rows: LabelledSet
    left_out: int
    sentences: Weighted | None = None
    contrasts: bool = False

    @property
    def sets(self) -> tuple[Weighted, ...]:
        """All that teaches, each set with how often a row is drawn in an epoch."""
        return ((self.rows, self.weight), *([self.sentences] if self.sentences else []))

    def to_dict(self) -> dict[str, Any]:
        """Return what the provenance gets."""
        return {
            "source": self.source,
            "sha256": self.digest,
            "weight": self.weight,
            "rows": len(self.rows),
            "left_out": self.left_out,
            **({"sentences": len(self.sentences[0])} if self.sentences else {}),
        }


@dataclass(frozen=True)
class More:
    """One more corpus as it was read, before a split says what of it may teach.

    Attributes:
        config: of it.
        corpus: its articles and records.
        stories: of every article of the run's own corpus, and then of every article of this one: those that
            share a name are nearly the same text.
    """

    config: ExtraConfig
    corpus: Corpus
    stories: tuple[str, ...]


def read_more(config: ExtraConfig, corpus: Corpus, *, threshold: float) -> More:
    """Read one more corpus.

    Args:
        config: of it.
        corpus: the run's own, whose codebook holds.
        threshold: similarity from which two texts are nearly the same.

    Raises:
        InputError: if it cannot be read, or has faults.
    """
    more = read_corpus(
        config.path,
        codebook=corpus.codebook,
        format=config.format,
        columns=config.columns,
        label_map=config.label_map,
        separator=config.topics_separator,
        delimiter=config.delimiter,
        near_duplicate_threshold=threshold,
        left_out=config.leave_out,
    )
    texts = [article.text for article in (*corpus.articles, *more.articles)]
    names = [str(number) for number in range(len(texts))]
    alike = near_duplicates(texts, threshold=threshold)
    return More(config, more, clusters(names, [None] * len(names), alike))


def extra_of(more: More, corpus: Corpus, task: Task, split: Split, *, sentences: float = 0.0) -> Extra:
    """Return what one more corpus teaches.

    Args:
        more: the corpus.
        corpus: the run's own.
        task: of the run.
        split: of the run's rows: nothing nearly like a row of dev or test is learned from, and nothing of the
            outlets, the time or the targets that the split keeps from training.
        sentences: that are drawn in an epoch for each of its articles.

    Raises:
        InputError: if that leaves no row to learn from.
    """
    config, rows = more.config, more.corpus
    labelled = ~np.isnan(truth_of(rows, task)).all(axis=1)
    known = _asked_again(more, corpus, task, (*split.dev, *split.test)) | _held_out(rows, corpus, task, split)
    kept = np.flatnonzero(labelled & ~known)
    if not len(kept):
        raise InputError(
            f"extra_data: {config.path}: wanted rows to learn {task} from, found {int(labelled.sum()):,}, "
            "all of which dev or test ask about or the split holds out; leave it out"
        )
    return Extra(
        rows.source,
        rows.digest,
        config.weight,
        labelled_set(rows, task, kept),
        int((labelled & known).sum()),
        sentences_of(rows, kept.tolist(), sentences * config.weight),
        config.contrasts and task == "stance",
    )


def _asked_again(more: More, corpus: Corpus, task: Task, judged: Sequence[int]) -> NDArray[np.bool_]:
    """Tell which rows of another corpus are, or stand in, a text of dev or test."""
    stories = {more.stories[article] for article in _articles(corpus, task, judged)}
    by_article = np.array([story in stories for story in more.stories[len(corpus) :]], bool)
    if task == "topics":
        return by_article
    sentences = {fold(corpus.stances[row].sentence) for row in judged}
    by_sentence = [fold(record.sentence) in sentences for record in more.corpus.stances]
    return np.asarray(by_article[more.corpus.article_of] | np.array(by_sentence, bool))


def _held_out(more: Corpus, corpus: Corpus, task: Task, split: Split) -> NDArray[np.bool_]:
    """Tell which rows of another corpus are of the outlets, the time or the targets that are only judged."""
    if split.by == "target":
        held = {normal_target(corpus.stances[row].target) for row in split.test}
        return np.array([normal_target(record.target) in held for record in more.stances], bool)
    by_article = np.zeros(len(more), bool)
    if split.by == "outlet":
        outlets = {corpus.articles[article].outlet for article in _articles(corpus, task, split.test)}
        by_article = np.array([article.outlet in outlets for article in more.articles], bool)
    elif split.by == "time":
        judged = _articles(corpus, task, (*split.dev, *split.test))
        first = min(corpus.articles[article].date or "" for article in judged)
        by_article = np.array([(article.date or "") >= first for article in more.articles], bool)
    return by_article if task == "topics" else by_article[more.article_of]


def _articles(corpus: Corpus, task: Task, rows: Sequence[int]) -> set[int]:
    """Return the positions of the articles that rows are, or stand in."""
    return {row if task == "topics" else int(corpus.article_of[row]) for row in rows}
