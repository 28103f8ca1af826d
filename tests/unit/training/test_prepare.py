"""From a config to parts: each corpus is read once, nothing crosses, the random split is only for show."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from stancewire.errors import InputError, StancewireError
from stancewire.examples import Article
from tests.corpora import rows_of, write_jsonl
from training.config import RunConfig
from training.prepare import Corpora, Prepared, other_parts, prepare


def config_of(path: Path, **changes: object) -> RunConfig:
    return RunConfig.model_validate({"task": "topics", "data": {"path": str(path)}} | changes)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_jsonl(tmp_path / "a.jsonl", rows_of(60))


def prepared_of(config: RunConfig, corpora: Corpora | None = None) -> Prepared:
    return prepare(config, corpora or Corpora(), lambda step: None)


def test_no_story_crosses_and_no_row_is_lost(corpus: Path) -> None:
    for task in ("topics", "stance"):
        found = prepared_of(config_of(corpus, task=task))
        parts = found.parts
        groups = [set(rows.groups) for rows in (parts.train, parts.dev, parts.test)]
        assert not groups[0] & groups[1]
        assert not groups[0] & groups[2]
        assert not groups[1] & groups[2]
        total = len(found.corpus) if task == "topics" else len(found.corpus.stances)
        assert sum(map(len, (parts.train, parts.dev, parts.test))) == total


def test_both_tasks_test_the_same_articles(corpus: Path) -> None:
    topics, stance = (prepared_of(config_of(corpus, task=task)).parts for task in ("topics", "stance"))
    assert set(topics.test.groups) == set(stance.test.groups)


def test_the_seed_decides_the_split(corpus: Path) -> None:
    one, same, other = (prepared_of(config_of(corpus, seed=seed)).split.test for seed in (1, 1, 2))
    assert one == same != other


def test_a_corpus_is_read_once_for_equal_configs(corpus: Path) -> None:
    corpora = Corpora()
    one = prepared_of(config_of(corpus), corpora)
    assert prepared_of(config_of(corpus, task="stance", seed=5), corpora).corpus is one.corpus
    other = config_of(corpus, split={"near_duplicate_threshold": 0.9})
    assert prepared_of(other, corpora).corpus is not one.corpus


def test_every_step_is_reported(corpus: Path) -> None:
    steps: list[str] = []
    prepare(config_of(corpus), Corpora(), steps.append)
    assert steps == [f"reading {corpus}", "splitting by event"]


def test_the_random_split_tears_stories_apart(corpus: Path) -> None:
    prepared = prepared_of(config_of(corpus))
    parts = other_parts(prepared, "random")
    assert parts is not None
    assert len(parts.test) == round(0.2 * 60)
    assert set(parts.train.groups) & set(parts.test.groups)


def test_the_random_split_is_left_out_where_the_rows_do_not_allow_it(corpus: Path) -> None:
    prepared = prepared_of(config_of(corpus))
    split = prepared.config.split.model_copy(update={"dev": 0.495, "test": 0.495})
    squeezed = prepared.config.model_copy(update={"split": split})
    assert other_parts(replace(prepared, config=squeezed), "random") is None


def test_the_split_by_time_judges_on_the_newest_stories(corpus: Path) -> None:
    prepared = prepared_of(config_of(corpus))
    parts = other_parts(prepared, "time")
    assert parts is not None
    newest = {
        name: max(one.date or "" for one in rows.examples if isinstance(one, Article))
        for name, rows in (("train", parts.train), ("dev", parts.dev), ("test", parts.test))
    }
    assert newest["train"] < newest["dev"] < newest["test"]
    assert not set(parts.train.groups) & set(parts.test.groups)


def test_articles_without_a_date_are_not_split_by_time(tmp_path: Path) -> None:
    rows = rows_of(60)
    rows[3] |= {"date": None}
    path = write_jsonl(tmp_path / "a.jsonl", rows)
    assert other_parts(prepared_of(config_of(path)), "time") is None


def test_the_split_by_outlet_judges_on_outlets_that_training_never_saw(corpus: Path) -> None:
    asked = config_of(corpus, evaluation={"outlet_split": ["blog"]})
    prepared = prepared_of(asked)
    parts = other_parts(prepared, "outlet")
    assert parts is not None
    texts = {article.text for article in prepared.corpus.articles if article.outlet == "blog"}
    held = {one.text for one in parts.test.examples if isinstance(one, Article)}
    learned = {one.text for one in (*parts.train.examples, *parts.dev.examples) if isinstance(one, Article)}
    assert held == texts
    assert not held & learned
    assert not set(parts.train.groups) & set(parts.test.groups)


def test_an_outlet_that_no_article_is_of_is_named(corpus: Path) -> None:
    with pytest.raises(InputError, match=r"evaluation\.outlet_split: wanted outlets of .*; found 'bloog'"):
        prepared_of(config_of(corpus, evaluation={"outlet_split": ["bloog"]}))


@pytest.mark.parametrize("content", ["", "\n\n", '{"id": "a"}\n', '{"id": "a", "text": "b", "topics": []}\n'])
def test_data_that_cannot_teach_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(StancewireError) as caught:
        prepared_of(config_of(path))
    assert str(path) in str(caught.value)


def test_an_objective_of_a_label_that_there_is_not_is_refused(corpus: Path) -> None:
    wanted = {"by_label": {"sanction": {"objective": "recall", "at_least": 0.9}}}
    with pytest.raises(
        InputError, match=r"thresholds\.by_label: .* got 'sanction'; did you mean 'sanctions'"
    ):
        prepared_of(config_of(corpus, thresholds=wanted))
