"""Readings by encoders: the same objects as with any model, and what was cut is told."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import stancewire
from stancewire.artefact import read_artefact
from stancewire.examples import Article
from stancewire.predictor import StancePredictor, TopicsPredictor
from stancewire.reading import Reader
from stancewire.terminal import console_on, print_artefact, print_reading
from tests.encoders import tiny_encoder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("encoders")
    tiny_encoder(found, "topics")
    tiny_encoder(found, "stance")
    return found


@pytest.fixture(scope="module")
def reader(folder: Path) -> Reader:
    topics, stance = (
        stancewire.load(folder / f"tiny-{task}", runtime="onnxruntime", threads=1)
        for task in ("topics", "stance")
    )
    assert isinstance(topics, TopicsPredictor)
    assert isinstance(stance, StancePredictor)
    return Reader(topics, stance)


def test_a_reading_tells_what_no_chunk_held(reader: Reader) -> None:
    short, long = (
        reader.read(Article(text="The minister welcomed the embargo. " * n), ["embargo"]) for n in (2, 60)
    )
    assert (short.cut_share, short.warnings) == (0, ())
    assert long.warnings == ("text_cut",)
    assert long.cut_chars == 0
    assert 0.5 < long.cut_share == long.to_dict()["cut_share"] < 0.7
    assert long.sentences == 60, "the stance model read every sentence"
    out = io.StringIO()
    print_reading(console_on(out), long, "file.txt")
    assert f"the topics model did not read {long.cut_share:.0%} of it" in out.getvalue()


def test_many_articles_are_read_as_one(reader: Reader) -> None:
    articles = [Article(id=str(n), text="Envoys rejected the talks. " * n) for n in (1, 30, 3)]
    one_by_one = [reader.read(article, ["talks"]) for article in articles]
    for found, wanted in zip(reader.read_many(articles, ["talks"]), one_by_one, strict=True):
        assert isinstance(found, type(wanted))
        assert [s.label for s in found.stances] == [s.label for s in wanted.stances]
        assert found.cut_share == wanted.cut_share
        said = [topic.probability for topic in found.topics]
        assert said == pytest.approx([topic.probability for topic in wanted.topics], abs=1e-4)


def test_inspect_shows_engines_variants_and_chunks(folder: Path) -> None:
    def shown(path: Path) -> str:
        out = io.StringIO()
        print_artefact(console_on(out), read_artefact(path))
        return " ".join(out.getvalue().split())

    text = shown(folder / "tiny-topics")
    assert "chunks at most 3 of 64 tokens, 16 of them the last one's" in text
    assert "engines onnxruntime (label_agreement 1.000), openvino (label_agreement 1.000)" in text
    assert "weights" not in text
    tiny_encoder(folder / "int8", "stance", model={"weights": "int8", "engines": {}})
    text = shown(folder / "int8" / "tiny-stance")
    assert "chunks one of 64 tokens engines none weights int8" in text
