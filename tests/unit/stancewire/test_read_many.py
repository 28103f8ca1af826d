"""Many articles at once: the same answers as one by one, and a bad one costs itself alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stancewire.errors import InputError, StancewireError
from stancewire.examples import Article, StanceExample
from stancewire.predictor import load
from stancewire.reading import Reader, Reading
from stancewire.windows import WINDOW_CHARS, WINDOW_ROWS, spared, windows
from tests.fake_models import FakeRuntime, by_words, fake_stance, fake_topics
from tests.small_models import small_artefact

TEXT = "Seoul condemned the talks on shells. Oslo welcomed the sanctions. It rained."


def by_title(article: Article) -> Sequence[float]:
    return [0.9 if name in article.title else 0.2 for name in ("arms", "talks", "sanctions")]


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(fake_topics(tmp_path, by_title), fake_stance(tmp_path, by_words))


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("models")
    return Reader(
        load(small_artefact(folder, "topics").path),  # type: ignore[arg-type]  # a topics model
        load(small_artefact(folder, "stance").path),  # type: ignore[arg-type]  # a stance model
    )


def articles(count: int) -> list[Article]:
    titles = ("talks", "sanctions and talks", "arms", "weather")
    return [Article(title=titles[n % 4], text=f"{TEXT} Day {n}.", id=str(n)) for n in range(count)]


def probabilities(reading: Reading) -> list[float]:
    topics = [topic.probability for topic in reading.topics]
    return topics + [stance.probability for stance in reading.stances]


def test_answers_are_those_of_one_by_one(real: Reader) -> None:
    asked: list[Article | str] = [*articles(300), f"Talks fail\n\n{TEXT}"]
    many, single = list(real.read_many(asked)), [real.read(article) for article in asked]
    assert any(isinstance(one, Reading) and one.stances for one in many)
    for one, other in zip(many, single, strict=True):
        assert isinstance(one, Reading)
        assert one.article == other.article
        assert [topic.decision for topic in one.topics] == [topic.decision for topic in other.topics]
        assert [s.label for s in one.stances] == [s.label for s in other.stances]
        np.testing.assert_allclose(probabilities(one), probabilities(other), atol=1e-4)


@pytest.mark.parametrize("targets", [None, ["talks", "shells"]])
def test_targets_hold_for_all(reader: Reader, targets: list[str] | None) -> None:
    for answer in reader.read_many(articles(5), targets):
        assert isinstance(answer, Reading)
        assert answer == reader.read(answer.article, targets)


def test_a_window_is_one_call_of_each_model(reader: Reader) -> None:
    list(reader.read_many(articles(10)))
    assert reader.stance is not None
    for predictor in (reader.topics, reader.stance):
        assert isinstance(predictor._runtime, FakeRuntime)
    assert len(reader.topics._runtime.calls) == 1  # type: ignore[attr-defined]  # a FakeRuntime
    assert len(reader.stance._runtime.calls) == 1  # type: ignore[attr-defined]  # as above


def test_articles_are_taken_as_they_are_needed(reader: Reader) -> None:
    taken: list[int] = []

    def endless() -> Iterator[Article]:
        for number in range(10**9):
            taken.append(number)
            yield Article(text=f"Rain on day {number}.")

    assert isinstance(next(reader.read_many(endless())), Reading)
    assert len(taken) == WINDOW_ROWS


def test_one_bad_article_costs_itself_alone(tmp_path: Path) -> None:
    def topics(article: Article) -> Sequence[float]:
        if "bad topics" in article.text:
            raise RuntimeError(f"secret: {article.text}")
        return (np.nan,) * 3 if "nan" in article.text else (0.9, 0.2, 0.2)

    def stance(example: StanceExample) -> Sequence[float]:
        if "bad stance" in example.sentence:
            raise KeyError(example.sentence)
        return by_words(example)

    reader = Reader(fake_topics(tmp_path, topics), fake_stance(tmp_path, stance))
    texts = [TEXT, "bad topics here.", "", f"{TEXT} A bad stance.", "a nan here.", TEXT, "\u200b"]
    answers = list(reader.read_many(texts))
    kinds = [answer.reason if isinstance(answer, InputError) else "read" for answer in answers]
    assert kinds == ["read", "model_error", "unreadable", "model_error", "unreadable", "read", "unreadable"]
    assert [str(answers[n]) for n in (1, 3)] == [
        "the model cannot read it: RuntimeError",
        "the model cannot read it: KeyError",
    ]
    assert str(answers[4]).startswith("tiny-topics answered")
    for answer in answers:
        assert "secret" not in str(answer) or isinstance(answer, Reading)
    with pytest.raises(InputError, match="the model cannot read it: RuntimeError"):
        reader.read("bad topics here.")


def test_without_a_stance_model_only_topics_are_predicted(tmp_path: Path, reader: Reader) -> None:
    alone = Reader(fake_topics(tmp_path, by_title))
    article = Article(title="talks", text=TEXT)
    reading = alone.read(article)
    assert reading.topics == reader.read(article).topics
    assert (reading.targets, reading.stances, reading.sentences) == ((), (), 3)
    assert reading.stance_model is None
    assert reading.to_dict()["models"]["stance"] is None
    with pytest.raises(StancewireError, match="expected a stance model"):
        alone.read(article, ["talks"])
    with pytest.raises(StancewireError, match="expected a stance model"):
        alone.read_many([], ["talks"])


def test_bad_targets_are_told_before_anything_is_read(reader: Reader) -> None:
    with pytest.raises(InputError, match="expected 1 to 50 targets"):
        reader.read_many(iter(()), [])


@settings(max_examples=60)
@given(st.lists(st.integers(0, WINDOW_CHARS + 1), max_size=40))
def test_windows_keep_order_and_bounds(sizes: list[int]) -> None:
    made = list(windows(Article(text="x" * size) for size in sizes))
    assert [len(article.text) for article in chain.from_iterable(made)] == sizes
    for window in made:
        assert 0 < len(window) <= WINDOW_ROWS
        assert sum(len(article.text) for article in window[:-1]) < WINDOW_CHARS
    for window in made:
        assert [list(again) for again in windows(window)] == [window]


def test_a_window_of_many_short_articles_ends() -> None:
    assert [len(window) for window in windows(["x"] * (2 * WINDOW_ROWS + 1))] == [WINDOW_ROWS, WINDOW_ROWS, 1]


@given(st.sets(st.integers(0, 30)), st.integers(0, 31))
def test_spared_finds_every_bad_row(bad: set[int], count: int) -> None:
    def double(items: Sequence[int]) -> list[int]:
        if bad & set(items):
            raise ValueError
        return [2 * item for item in items]

    answers = spared(double, range(count))
    assert [isinstance(answer, InputError) for answer in answers] == [n in bad for n in range(count)]
    assert [answer for answer in answers if isinstance(answer, int)] == [
        2 * n for n in range(count) if n not in bad
    ]
