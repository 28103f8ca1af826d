"""Sentences of articles as texts to learn topics from: what a corpus tells of them, and no more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.base import FitContext
from stancewire.examples import Article
from tests.corpora import corpus_of, row_of, rows_of, write_jsonl
from training.config import RunConfig
from training.config_file import load_config
from training.data.sentences import sentence_rows
from training.prepare import Corpora, prepare
from training.yaml import ConfigError

TEXT = "They met in Muscat. He said no.\n\nBoth left. Rain fell."
NAN = None


def stance(sentence: str, topic: str | None, label: str = "favor", of: str = "a deal") -> dict[str, Any]:
    return {"sentence": sentence, "target": of, "label": label, "target_topic": topic}


def told(folder: Path, **changes: object) -> dict[str, list[float | None]]:
    """Return what is known of each text of one article: 1, 0 or None for arms_trade, diplomacy, sanctions."""
    rows = sentence_rows(
        corpus_of(folder, [row_of(1), row_of(2, title="A title", text=TEXT, **changes)]), [1]
    )
    assert (rows.task, set(rows.groups)) == ("topics", {"a002"})
    return {
        example.text: [None if np.isnan(value) else float(value) for value in truth]
        for example, truth in zip(rows.examples, rows.truth, strict=True)
        if isinstance(example, Article)
    }


def test_an_article_about_nothing_gives_all_its_sentences(tmp_path: Path) -> None:
    found = told(tmp_path, topics=[], stances=[])
    sentences = ["They met in Muscat.", "He said no.", "Both left.", "Rain fell."]
    assert list(found) == [*sentences, "A title"]
    assert list(found.values()) == [[0, 0, 0]] * 5


def test_a_record_tells_of_its_sentence_and_its_topic_alone(tmp_path: Path) -> None:
    stances = [
        stance("They met in Muscat.", "diplomacy", of="the Muscat talks"),
        stance("Rain fell.", "diplomacy", "unrelated"),
        stance("Both left.", None),
    ]
    assert told(tmp_path, topics=["diplomacy"], stances=stances) == {
        "They met in Muscat.": [0, 1, 0],
        "Rain fell.": [0, 0, 0],
        "A title": [0, NAN, 0],
    }


def test_two_records_of_one_sentence_are_one_text(tmp_path: Path) -> None:
    stances = [
        stance("He said no.", "sanctions", "unrelated", of="other sanctions"),
        stance("They met in Muscat.", "diplomacy", of="Muscat"),
        stance("They met in Muscat.", "diplomacy", "unrelated", of="other talks"),
        stance("They met in Muscat.", "sanctions", "unrelated", of="other sanctions"),
    ]
    found = told(tmp_path, topics=["diplomacy", "sanctions", "arms_trade"], stances=stances)
    assert found == {"He said no.": [NAN, NAN, 0], "They met in Muscat.": [NAN, 1, 0]}


def test_a_sentence_that_names_nothing_of_its_topic_is_left_open(tmp_path: Path) -> None:
    """It may name what another record of the article names: the talks, a generic target, another holder's."""
    stances = [
        stance("They met in Muscat.", "diplomacy", "neutral", of="diplomacy"),
        stance("He said no.", "diplomacy", "against", of="the Muscat talks"),
        stance("Both left.", "sanctions", of="the Muscat embargo"),
    ]
    assert told(tmp_path, topics=["diplomacy", "sanctions"], stances=stances) == {
        "They met in Muscat.": [0, 1, NAN],
        "He said no.": [0, NAN, NAN],
        "Both left.": [0, NAN, NAN],
        "A title": [0, NAN, NAN],
    }


def test_a_sentence_on_what_the_article_is_not_about_is_left_open(tmp_path: Path) -> None:
    found = told(tmp_path, topics=[], stances=[stance("said no", "sanctions", "neutral")])
    assert found["said no"] == [0, 0, NAN]
    assert "He said no." not in found


def test_a_text_of_one_sentence_has_no_sentences(tmp_path: Path) -> None:
    one = row_of(2, title="", text="They met in Muscat.", topics=["diplomacy"])
    one["stances"] = [stance("They met in Muscat.", "diplomacy", of="Muscat")]
    rest = [row_of(1), one, row_of(3, title="", text="Rain fell.", topics=[], stances=[])]
    assert len(sentence_rows(corpus_of(tmp_path, rest), [1, 2])) == 0


def test_topics_that_nobody_labelled_stay_so(tmp_path: Path) -> None:
    stances = [stance("He said no.", "diplomacy"), stance("Both left.", "diplomacy", "unrelated")]
    assert told(tmp_path, topics=None, stances=stances) == {"Both left.": [NAN, 0, NAN]}


def values(folder: Path) -> dict[str, Any]:
    path = write_jsonl(folder / "corpus.jsonl", rows_of(90))
    return {
        "task": "topics",
        "data": {"path": str(path), "sentences": 2.0},
        "model": {"family": "encoder"},
    }


def test_a_run_learns_from_so_many_an_article(tmp_path: Path) -> None:
    parts = prepare(RunConfig.model_validate(values(tmp_path)), Corpora(), lambda step: None).parts
    assert parts.sentences is not None
    rows, weight = parts.sentences
    assert set(rows.groups) <= set(parts.train.groups)
    assert weight * len(rows) == pytest.approx(2 * len(parts.train))
    given = FitContext(log=lambda step, figures: None)
    assert parts.around(given).extra == (parts.sentences,)
    assert parts.around(given).log is given.log


def test_without_the_setting_there_are_none(tmp_path: Path) -> None:
    asked = values(tmp_path)
    asked["data"]["sentences"] = 0.0
    parts = prepare(RunConfig.model_validate(asked), Corpora(), lambda step: None).parts
    assert parts.sentences is None
    assert parts.around(FitContext()) == FitContext()


def test_the_setting_is_refused_where_it_would_do_nothing(tmp_path: Path) -> None:
    file = tmp_path / "run.yaml"
    file.write_text("task: topics\nmodel: {family: fewshot}\ndata: {sentences: 1}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"wanted a family that learns from data\.sentences, got 'fewshot'"):
        load_config(file)
