"""Labelled rows as the families take them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stancewire.calibration import Task
from stancewire.errors import InputError
from stancewire.examples import StanceExample
from stancewire.sentences import split_sentences
from tests.corpora import corpus_of, row_of, rows_of
from training.data.tables import groups_of, labelled_set, sentence_before, stance_set, topics_set, truth_of

TEXT = "They met in Muscat. He said no.\n\nBoth left. Rain fell."


def stance(sentence: str, **changes: object) -> dict[str, object]:
    return {"sentence": sentence, "target": "talks", "label": "favor"} | changes


def test_topics_rows(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, [row_of(3), row_of(4, topics=None), row_of(5)])
    rows = topics_set(corpus, [2, 0])
    assert rows.task == "topics"
    assert rows.labels == ("arms_trade", "diplomacy", "sanctions")
    assert rows.examples == (corpus.articles[2], corpus.articles[0])
    assert rows.truth.dtype == np.float32
    assert rows.truth.tolist() == [[1, 0, 1], [1, 1, 0]]
    assert rows.groups == ("a004", "a003")
    assert np.isnan(labelled_set(corpus, "topics").truth[1]).all()


def test_stance_rows(tmp_path: Path) -> None:
    stances = [
        stance("Both left.", holder="Both", label="against"),
        stance("They met in Muscat.", label="unrelated"),
        stance("Rain fell.", context="As told."),
        stance("said no", label="neutral"),
    ]
    corpus = corpus_of(tmp_path, [row_of(1), row_of(2, text=TEXT, stances=stances)])
    rows = stance_set(corpus, [2, 3, 4, 5])
    assert rows.labels == ("against", "favor", "neutral", "unrelated")
    assert rows.truth.tolist() == [[1, 0, 0, 0], [0, 0, 0, 1], [0, 1, 0, 0], [0, 0, 1, 0]]
    contexts = [example.context for example in rows.examples if isinstance(example, StanceExample)]
    assert contexts == ["He said no.", "", "As told.", "They met in Muscat."]
    assert rows.examples[0] == StanceExample(
        sentence="Both left.", target="talks", holder="Both", context="He said no."
    )
    assert rows.groups == ("a002",) * 4
    assert len(labelled_set(corpus, "stance")) == 6


def test_the_context_is_what_a_reader_of_the_article_sees() -> None:
    spans = split_sentences(TEXT)
    sentences = [TEXT[slice(*span)] for span in spans]
    before = [sentence_before(sentence, TEXT, spans) for sentence in sentences]
    assert before == ["", *sentences[:-1]]
    assert sentence_before("not there", TEXT, spans) == ""


def test_truth_and_groups_of_all_rows(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, rows_of(6))
    tasks: tuple[Task, ...] = ("topics", "stance")
    for task in tasks:
        rows = labelled_set(corpus, task)
        assert np.array_equal(truth_of(corpus, task), rows.truth)
        assert groups_of(corpus, task) == rows.groups


def test_no_rows_are_no_rows(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, [row_of(1, stances=[])])
    assert stance_set(corpus).truth.shape == (0, 4)
    assert topics_set(corpus, []).truth.shape == (0, 3)


@pytest.mark.parametrize("rows", [[-1], [2]])
def test_rows_that_are_not_there_are_refused(tmp_path: Path, rows: list[int]) -> None:
    corpus = corpus_of(tmp_path, rows_of(2))
    with pytest.raises(InputError, match="between 0 and 1"):
        topics_set(corpus, rows)
