"""More rows to learn from: other corpora under our labels, without what dev and test ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from models.base import LabelledSet
from stancewire.calibration import Task
from stancewire.wording import fold
from training.data.beside import Sentences, Weighted
from training.data.duplicates import clusters, near_duplicates
from training.data.load import Corpus, read_corpus
from training.data.split import Split
from training.data.tables import articles_of, labelled_set, truth_of
from training.data.targets import normal_target

if TYPE_CHECKING:
    from training.config_sections import ExtraConfig


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
        return (
            *([(self.rows, self.weight)] if len(self.rows) else []),
            *([self.sentences] if self.sentences else []),
        )

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


def extra_of(more: More, corpus: Corpus, task: Task, split: Split, sentences: Sentences) -> Extra:
    """Return what one more corpus teaches, which may be nothing.

    Args:
        more: the corpus.
        corpus: the run's own.
        task: of the run.
        split: of the run's rows: nothing nearly like a row of dev or test is learned from, and nothing of the
            outlets, the time or the targets that the split keeps from training.
        sentences: what its articles teach beside.
    """
    config, rows = more.config, more.corpus
    labelled = ~np.isnan(truth_of(rows, task)).all(axis=1)
    closed = _closed_articles(more, corpus, task, split)
    known = closed if task == "topics" else closed[rows.article_of] | _closed_records(rows, corpus, split)
    kept = np.flatnonzero(labelled & ~known)
    articles = kept if task == "topics" else np.flatnonzero(~closed)
    return Extra(
        rows.source,
        rows.digest,
        config.weight,
        labelled_set(rows, task, kept),
        int((labelled & known).sum()),
        sentences.of(rows, articles.tolist(), config.weight),
        config.contrasts and task == "stance",
    )


def _closed_articles(more: More, corpus: Corpus, task: Task, split: Split) -> NDArray[np.bool_]:
    """Tell which articles of another corpus are a text of dev or test, or of its outlets or its time."""
    judged = articles_of(corpus, task, (*split.dev, *split.test))
    stories = {more.stories[article] for article in judged}
    closed = np.array([story in stories for story in more.stories[len(corpus) :]], bool)
    if split.by == "outlet":
        outlets = {corpus.articles[article].outlet for article in articles_of(corpus, task, split.test)}
        closed |= np.array([article.outlet in outlets for article in more.corpus.articles], bool)
    elif split.by == "time":
        first = min(corpus.articles[article].date or "" for article in judged)
        closed |= np.array([(article.date or "") >= first for article in more.corpus.articles], bool)
    return closed


def _closed_records(more: Corpus, corpus: Corpus, split: Split) -> NDArray[np.bool_]:
    """Tell which stance records of another corpus have a sentence of dev or test, or a target held out."""
    judged = {fold(corpus.stances[row].sentence) for row in (*split.dev, *split.test)}
    held = (
        {normal_target(corpus.stances[row].target) for row in split.test} if split.by == "target" else set()
    )
    return np.array(
        [fold(one.sentence) in judged or normal_target(one.target) in held for one in more.stances], bool
    )
