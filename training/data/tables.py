"""Labelled rows of a task, as every model family takes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.base import LabelledSet
from stancewire.calibration import Task
from stancewire.errors import InputError
from stancewire.examples import StanceExample
from stancewire.sentences import Span, split_sentences
from stancewire.text import clean
from training.data.load import Corpus
from training.data.rows import StanceRecord

Rows = Sequence[int] | NDArray[np.intp]


def labelled_set(corpus: Corpus, task: Task, rows: Rows | None = None) -> LabelledSet:
    """Return the rows of a task at these positions (see `Split`), or all of them."""
    return (topics_set if task == "topics" else stance_set)(corpus, rows)


def topics_set(corpus: Corpus, rows: Rows | None = None) -> LabelledSet:
    """Return articles with their topics. Positions count articles."""
    index = _positions(rows, len(corpus))
    return LabelledSet(
        task="topics",
        examples=tuple(corpus.articles[row] for row in index),
        labels=corpus.codebook.labels("topics"),
        truth=corpus.topics[index],
        groups=tuple(corpus.groups[row] for row in index),
    )


def stance_set(corpus: Corpus, rows: Rows | None = None) -> LabelledSet:
    """Return stance records with the sentence before each. Positions count stance records."""
    index = _positions(rows, len(corpus.stances))
    labels = corpus.codebook.labels("stance")
    examples = []
    sentences: dict[int, tuple[str, list[Span]]] = {}
    for row in index:
        record, article = corpus.stances[row], int(corpus.article_of[row])
        context = record.context
        if context is None:
            if article not in sentences:
                text = clean(corpus.articles[article].text)
                sentences[article] = (text, split_sentences(text))
            context = sentence_before(record.sentence, *sentences[article])
        examples.append(_example(record, context))
    return LabelledSet(
        task="stance",
        examples=tuple(examples),
        labels=labels,
        truth=truth_of(corpus, "stance")[index],
        groups=tuple(corpus.groups[corpus.article_of[row]] for row in index),
    )


def groups_of(corpus: Corpus, task: Task) -> tuple[str, ...]:
    """Return the story cluster of every row of a task."""
    if task == "topics":
        return corpus.groups
    return tuple(corpus.groups[article] for article in corpus.article_of)


def articles_of(corpus: Corpus, task: Task, rows: Rows) -> set[int]:
    """Return the positions of the articles that rows of a task are, or stand in."""
    return {int(row) if task == "topics" else int(corpus.article_of[row]) for row in rows}


def truth_of(corpus: Corpus, task: Task) -> NDArray[np.float32]:
    """Return the truth of every row of a task, float32 [n_rows, n_labels], without its examples."""
    if task == "topics":
        return corpus.topics
    labels = corpus.codebook.labels("stance")
    held = np.array([[record.label == label for label in labels] for record in corpus.stances], np.float32)
    return held.reshape(-1, len(labels))


def sentence_before(sentence: str, text: str, spans: Sequence[Span]) -> str:
    """Return the sentence before, "" where there is none: what a reader of the article sees as context.

    Args:
        sentence: as annotated; it may be a part of a sentence, or more than one.
        text: the cleaned article.
        spans: its sentences.
    """
    start = text.find(clean(sentence))
    before = [span for span in spans if span.end <= start]
    return text[slice(*before[-1])] if before else ""


def _example(record: StanceRecord, context: str) -> StanceExample:
    return StanceExample(
        sentence=record.sentence, target=record.target, holder=record.holder, context=context
    )


def _positions(rows: Rows | None, n_rows: int) -> NDArray[np.intp]:
    index = np.arange(n_rows) if rows is None else np.asarray(rows, np.intp)
    if len(index) and (index.min() < 0 or index.max() >= n_rows):
        raise InputError(f"wanted rows between 0 and {n_rows - 1}, got {index.min()} to {index.max()}")
    return index
