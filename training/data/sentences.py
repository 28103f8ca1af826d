"""Sentences and titles of articles as texts of their own, labelled as far as the corpus says.

A model that learns from whole articles alone sees no short text, and no text that names a topic in passing;
it tags both too freely. Of the topics of a sentence a corpus tells this much:

- a topic that the article is not about: the sentence is not either, unless a stance record puts it there;
- a topic that a stance record puts into the sentence: it is about it, if the article is, and if the sentence
  names any of what the article's records name of that topic; "I want it shrunk" is about the arms trade only
  to whoever has read what went before, and a model that learns it as a text of its own learns to guess;
- a topic whose target the record calls unrelated to the sentence: it is not about it;
- all else is not labelled, and is never a negative.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from models.base import LabelledSet
from models.stems import stems
from stancewire.examples import Article
from stancewire.rollup import UNRELATED
from stancewire.sentences import split_sentences
from stancewire.text import clean
from training.data.load import Corpus
from training.data.rows import StanceRecord
from training.data.tables import Rows

Truth = NDArray[np.float32]


def sentence_rows(corpus: Corpus, rows: Rows) -> LabelledSet:
    """Return titles and sentences of articles, each once an article, those without any label left out.

    Of an article about no topic all sentences are taken; of another those that stance records stand in. A
    sentence that is the whole text is none of them.

    Args:
        corpus: articles, topics and stance records.
        rows: positions of the articles.
    """
    records: dict[int, list[StanceRecord]] = {int(row): [] for row in rows}
    for record, article in zip(corpus.stances, corpus.article_of.tolist(), strict=True):
        if article in records:
            records[article].append(record)
    labels = corpus.codebook.labels("topics")
    found = [
        (text, truth, corpus.groups[row])
        for row, told in records.items()
        for text, truth in _of_article(corpus.articles[row], corpus.topics[row], told, labels).items()
        if not np.isnan(truth).all()
    ]
    return LabelledSet(
        task="topics",
        examples=tuple(Article(text=text) for text, _, _ in found),
        labels=labels,
        truth=np.array([truth for _, truth, _ in found], np.float32).reshape(-1, len(labels)),
        groups=tuple(group for _, _, group in found),
    )


def _of_article(
    article: Article, topics: Truth, records: Iterable[StanceRecord], labels: tuple[str, ...]
) -> dict[str, Truth]:
    """Return what is known of each text of an article."""
    records = list(records)
    named: dict[str | None, frozenset[str]] = {}
    for record in records:
        if record.label != UNRELATED:
            named[record.target_topic] = named.get(record.target_topic, frozenset()) | stems(record.target)
    told = np.where(topics == 0, np.float32(0), np.float32(np.nan))
    truths: dict[str, Truth] = {}
    for record in records:
        if record.target_topic in labels:
            truth = truths.setdefault(clean(record.sentence), told.copy())
            says = bool(named.get(record.target_topic, frozenset()) & stems(record.sentence))
            _tell(truth, labels.index(record.target_topic), record.label, topics, says=says)
    text = clean(article.text)
    if (topics == 0).all():
        for span in split_sentences(text):
            sentence = text[slice(*span)]
            if not any(sentence in known or known in sentence for known in truths):
                truths[sentence] = told
    if title := clean(article.title):
        truths[title] = told
    # A text of one sentence is learned from as it stands.
    return {piece: truth for piece, truth in truths.items() if piece != text}


def _tell(truth: Truth, column: int, label: str, topics: Truth, *, says: bool) -> None:
    """Mark what a record tells of its sentence; one that tells yes outweighs one that tells no.

    Args:
        truth: of the sentence; changed.
        column: of the record's topic.
        label: of the record.
        topics: of the article.
        says: whether the sentence names what is spoken of.
    """
    if label != UNRELATED:
        truth[column] = 1 if topics[column] == 1 and says else np.nan
    elif truth[column] != 1:
        truth[column] = 0
