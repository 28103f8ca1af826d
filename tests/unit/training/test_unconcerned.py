"""Sentences of articles about no topic, for stance: unrelated to targets, and nothing that is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.base import LabelledSet
from stancewire.examples import StanceExample
from stancewire.rollup import UNRELATED
from tests.corpora import corpus_of, row_of, rows_of, text_of, write_jsonl
from training.config import RunConfig
from training.data.unconcerned import unconcerned_rows
from training.prepare import Corpora, Prepared, prepare

TEXT = "They met in Muscat. He said no.\n\nThe sanctions committee of the league left."


def questions(rows: LabelledSet) -> list[tuple[str, str, str | None, str]]:
    return [
        (one.sentence, one.target, one.holder, one.context)
        for one in rows.examples
        if isinstance(one, StanceExample)
    ]


def test_every_sentence_is_asked_about_a_target_that_it_does_not_name(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, [row_of(1), row_of(2, text=TEXT, topics=[], stances=[])])
    rows = unconcerned_rows(corpus, [1], ["sanctions", "the Muscat talks"], 0)
    assert set(rows.groups) == {"a002"}
    assert (rows.truth == [[label == UNRELATED for label in rows.labels]] * len(rows)).all()
    asked = {sentence: (target, holder, context) for sentence, target, holder, context in questions(rows)}
    assert asked["They met in Muscat."] == ("sanctions", None, "")
    assert asked["The sanctions committee of the league left."] == ("the Muscat talks", None, "He said no.")
    assert asked["He said no."][0] in ("sanctions", "the Muscat talks")
    assert questions(unconcerned_rows(corpus, [1], ["sanctions"], 0)) == [
        ("They met in Muscat.", "sanctions", None, ""),
        ("He said no.", "sanctions", None, "They met in Muscat."),
    ]


def test_what_is_asked_hangs_on_the_seed_alone(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, rows_of(4))
    targets = [f"deal number {number}" for number in range(50)]
    first, again, other = (questions(unconcerned_rows(corpus, range(4), targets, seed)) for seed in (0, 0, 1))
    assert first == again != other


def prepared(folder: Path, extra: list[dict[str, Any]], **data: object) -> Prepared:
    rows = [row | ({"topics": []} if number % 3 == 0 else {}) for number, row in enumerate(rows_of(90))]
    path = write_jsonl(folder / "corpus.jsonl", rows)
    values: dict[str, Any] = {"task": "stance", "data": {"path": str(path)} | data}
    values |= {"model": {"family": "encoder"}, "extra_data": extra}
    return prepare(RunConfig.model_validate(values), Corpora(), lambda step: None)


def test_a_run_learns_from_so_many_an_article_without_a_topic(tmp_path: Path) -> None:
    ready = prepared(tmp_path, [], sentences=2.0)
    parts, corpus = ready.parts, ready.corpus
    assert parts.sentences is not None
    rows, weight = parts.sentences
    taught = {int(corpus.article_of[row]) for row in ready.split.train}
    without = [article for article in taught if (corpus.topics[article] == 0).all()]
    assert 0 < len(without) < len(taught)
    assert set(rows.groups) == {corpus.groups[article] for article in without}
    assert weight * len(rows) == pytest.approx(2 * len(without))
    targets = {one.target for one in parts.train.examples if isinstance(one, StanceExample)}
    assert {target for _, target, _, _ in questions(rows)} <= targets
    assert prepared(tmp_path, []).parts.sentences is None


def test_texts_beside_teach_even_if_they_have_no_record(tmp_path: Path) -> None:
    """Those that dev or test hold do not, and neither do those that nobody labelled."""
    plain = prepared(tmp_path, [])
    copies = [
        {"id": f"copy {number}", "text": plain.corpus.articles[article].text, "topics": [], "stances": []}
        for number, article in enumerate(plain.corpus.article_of[list(plain.split.test)].tolist())
    ]
    rows = [
        {"id": "plain", "text": text_of("plain", 4), "topics": [], "stances": []},
        {"id": "unlabelled", "text": text_of("unlabelled", 4), "topics": None, "stances": []},
        {"id": "concerned", "text": text_of("concerned", 4), "topics": ["diplomacy"], "stances": []},
    ]
    path = str(write_jsonl(tmp_path / "more.jsonl", [*copies[:5], *rows]))
    (extra,) = prepared(tmp_path, [{"path": path, "weight": 0.5}], sentences=2.0).parts.extra
    assert len(extra.rows) == 0
    assert extra.sentences is not None
    assert extra.sets == (extra.sentences,)
    found, weight = extra.sentences
    assert len(found) == 4
    assert all(sentence in text_of("plain", 4) for sentence, _, _, _ in questions(found))
    assert weight * len(found) == pytest.approx(2.0 * 0.5)
    assert np.array_equal(found.truth, np.tile(found.truth[0], (len(found), 1)))
