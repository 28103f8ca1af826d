"""Sentences for stance, unrelated to targets of what their article is not about; none of what is judged."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from models.base import LabelledSet
from stancewire.examples import StanceExample
from stancewire.rollup import UNRELATED
from tests.corpora import corpus_of, row_of, rows_of, text_of, write_jsonl
from training.config import RunConfig
from training.data.unconcerned import unconcerned_rows
from training.prepare import Corpora, Prepared, prepare

SANCTIONS, MUSCAT = ("sanctions", "sanctions"), ("the Muscat talks", "diplomacy")
TEXT = "They met in Muscat. He said no.\n\nThe sanctions committee of the league left."


def questions(rows: LabelledSet) -> list[tuple[str, str, str | None, str]]:
    return [
        (one.sentence, one.target, one.holder, one.context)
        for one in rows.examples
        if isinstance(one, StanceExample)
    ]


def test_every_sentence_is_asked_about_a_target_that_it_does_not_name(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, [row_of(1), row_of(2, text=TEXT, topics=[], stances=[])])
    rows = unconcerned_rows(corpus, [1], [SANCTIONS, MUSCAT], 0)
    assert set(rows.groups) == {"a002"}
    assert (rows.truth == [[label == UNRELATED for label in rows.labels]] * len(rows)).all()
    asked = {sentence: (target, holder, context) for sentence, target, holder, context in questions(rows)}
    assert asked["They met in Muscat."] == ("sanctions", None, "")
    assert asked["The sanctions committee of the league left."] == ("the Muscat talks", None, "He said no.")
    assert asked["He said no."][0] in ("sanctions", "the Muscat talks")
    assert questions(unconcerned_rows(corpus, [1], [SANCTIONS], 0)) == [
        ("They met in Muscat.", "sanctions", None, ""),
        ("He said no.", "sanctions", None, "They met in Muscat."),
    ]


def test_targets_are_of_topics_that_the_article_is_not_about(tmp_path: Path) -> None:
    changes: list[dict[str, Any]] = [
        {"topics": ["diplomacy"]},
        {"topics": ["arms_trade", "diplomacy", "sanctions"]},
        {"topics": None},
    ]
    rows = [row_of(number, stances=[], **change) for number, change in enumerate(changes)]
    found = unconcerned_rows(corpus_of(tmp_path, rows), range(3), [SANCTIONS, MUSCAT, ("rain", None)], 0)
    assert set(found.groups) == {"a000"}
    assert {target for _, target, _, _ in questions(found)} == {"sanctions"}
    assert len(found) == 5


def test_what_is_asked_hangs_on_the_seed_alone(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, rows_of(4))
    targets = [(f"deal number {number}", "sanctions") for number in range(50)]
    first, again, other = (questions(unconcerned_rows(corpus, range(4), targets, seed)) for seed in (0, 0, 1))
    assert first == again != other


def prepared(folder: Path, extra: list[dict[str, Any]], **data: object) -> Prepared:
    path = write_jsonl(folder / "corpus.jsonl", rows_of(90))
    values: dict[str, Any] = {"task": "stance", "data": {"path": str(path)} | data}
    values |= {"model": {"family": "encoder"}, "extra_data": extra}
    return prepare(RunConfig.model_validate(values), Corpora(), lambda step: None)


def test_a_run_learns_from_so_many_an_article(tmp_path: Path) -> None:
    ready = prepared(tmp_path, [], sentences=2.0)
    parts, corpus = ready.parts, ready.corpus
    assert parts.sentences is not None
    rows, weight = parts.sentences
    taught = {int(corpus.article_of[row]) for row in ready.split.train}
    assert weight * len(rows) == pytest.approx(2 * len(taught))
    giving = {article for article in taught if (corpus.topics[article] == 0).any()}
    assert set(rows.groups) <= {corpus.groups[article] for article in giving}
    targets = {one.target for one in parts.train.examples if isinstance(one, StanceExample)}
    assert {target for _, target, _, _ in questions(rows)} <= targets
    assert parts.for_model(ready.config.model) is parts
    blind = ready.config.model.model_copy(update={"target_blind": True})
    assert parts.for_model(blind).sentences is None
    assert prepared(tmp_path, []).parts.sentences is None


def test_texts_beside_teach_even_if_they_have_no_record(tmp_path: Path) -> None:
    """Those that dev or test hold do not."""
    plain = prepared(tmp_path, [])
    copies = [
        {"id": f"copy {number}", "text": plain.corpus.articles[article].text, "topics": [], "stances": []}
        for number, article in enumerate(
            sorted(set(plain.corpus.article_of[list(plain.split.test)].tolist()))
        )
    ]
    more = {"id": "plain", "text": text_of("plain", 4), "topics": [], "stances": []}
    path = str(write_jsonl(tmp_path / "more.jsonl", [*copies[:5], more]))
    (extra,) = prepared(tmp_path, [{"path": path, "weight": 0.5}], sentences=2.0).parts.extra
    assert len(extra.rows) == 0
    assert extra.sentences is not None
    assert extra.sets == (extra.sentences,)
    found, weight = extra.sentences
    assert len(found) == 4
    assert all(sentence in text_of("plain", 4) for sentence, _, _, _ in questions(found))
    assert weight * len(found) == pytest.approx(2.0 * 0.5)
