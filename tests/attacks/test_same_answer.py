"""Faults 16, 19 and 20 on real models: hidden characters, and the order of rows and files, change nothing."""

from __future__ import annotations

import os
import random
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from stancewire.artefact import read_artefact, write_artefact
from stancewire.examples import Article, StanceExample
from stancewire.predictor import StancePredictor, TopicsPredictor, load
from tests.corpora import rows_of, write_jsonl
from tests.small_models import small_artefact, stance_rows, topics_rows
from tests.tiny import WEIGHTS, staged, tiny_manifest
from training.data.load import read_corpus

TEXT = "The minister welcomed the embargo. Émigré envoys condemned the talks about missiles and tanks."
Models = tuple[TopicsPredictor, StancePredictor]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    folder = tmp_path_factory.mktemp("models")
    topics, stance = (load(small_artefact(folder, task).path) for task in ("topics", "stance"))
    assert isinstance(topics, TopicsPredictor)
    assert isinstance(stance, StancePredictor)
    return topics, stance


def between(hidden: str) -> Callable[[str], str]:
    return lambda text: hidden + hidden.join(text) + hidden


ATTACKS: dict[str, Callable[[str], str]] = {
    "zero width": between("\u200b"),
    "soft hyphen": between("\u00ad"),
    "tag block": between("\U000e0061"),
    "variation selector": between("\ufe0f"),
    "bidi override": between("\u202e"),
    "byte order mark": between("\ufeff"),
    "joiner": between("\u200d"),
    "full width": lambda text: "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text),
    "NFD": lambda text: unicodedata.normalize("NFD", text),
    "NFKC": lambda text: unicodedata.normalize("NFKC", text),
    "bold letters": lambda text: "".join(
        chr(0x1D41A + ord(c) - ord("a")) if "a" <= c <= "z" else c for c in text
    ),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_a_disguised_text_is_predicted_as_the_plain_one(models: Models, attack: Callable[[str], str]) -> None:
    topics, stance = models
    disguised = attack(TEXT)
    assert disguised != TEXT or attack is ATTACKS["NFKC"]
    plain, hidden = topics.predict(
        [Article(text=TEXT, title="Talks"), Article(text=disguised, title=attack("Talks"))]
    )
    assert plain.scores == hidden.scores
    assert any(score.probability > 0.5 for score in plain.scores)
    sentence, target, holder = "The minister condemned the embargo.", "the embargo", "The minister"
    one, other = stance.predict(
        [
            StanceExample(sentence=sentence, target=target, holder=holder),
            StanceExample(sentence=attack(sentence), target=attack(target), holder=attack(holder)),
        ]
    )
    assert one.scores == other.scores
    assert one.label == "against"


def test_look_alikes_are_flagged(models: Models) -> None:
    """They are other letters: what is told is that they are there, not what was meant."""
    (found,) = models[0].predict([TEXT.replace("missiles", "m\u0456ssiles")])
    assert "mixed_script" in found.warnings


@pytest.mark.parametrize("task", [0, 1])
def test_order_and_size_of_batches_change_no_label(models: Models, task: int) -> None:
    model: Any = models[task]
    examples = list((topics_rows, stance_rows)[task]().examples) * 8
    whole = model.predict(examples)
    order = list(range(len(examples)))
    random.Random(7).shuffle(order)  # noqa: S311 - any order will do
    assert order != sorted(order)
    shuffled = model.predict([examples[n] for n in order])
    for size in (1, 7, 64, 1000):
        parts = [model.predict(examples[at : at + size]) for at in range(0, len(examples), size)]
        same([answer for part in parts for answer in part], whole)
    same(shuffled, [whole[n] for n in order])


def same(found: list[Any], expected: list[Any]) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert [score.decision for score in one.scores] == [score.decision for score in other.scores]
        for left, right in zip(one.scores, other.scores, strict=True):
            assert abs(left.probability - right.probability) <= 1e-4


def list_otherwise(patch: pytest.MonkeyPatch, order: Callable[[list[Any]], list[Any]]) -> list[str]:
    """Let folders list their names in another order, as other file systems do; return a note of each time."""
    real_scan, real_list = os.scandir, os.listdir
    fired: list[str] = []

    def turned(names: list[Any]) -> list[Any]:
        fired.append("listed")
        return order(names)

    @contextmanager
    def scan(path: Any = ".") -> Iterator[Iterator[os.DirEntry[Any]]]:  # noqa: ANN401 - as os.scandir
        with real_scan(path) as entries:
            yield iter(turned(sorted(entries, key=lambda entry: entry.name)))

    patch.setattr(os, "scandir", scan)
    patch.setattr(os, "listdir", lambda path=".": turned(sorted(real_list(path))))
    return fired


@pytest.mark.parametrize(
    "order",
    [lambda names: names[::-1], lambda names: random.Random(3).sample(names, len(names))],  # noqa: S311
    ids=["backwards", "shuffled"],
)
def test_the_order_of_a_folder_changes_no_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: Callable[[list[Any]], list[Any]]
) -> None:
    """Fault 19."""

    def digests(folder: Path) -> tuple[str, str]:
        staging = staged(folder / "staging")
        for name in ("b.bin", "a.bin", "c.txt"):
            (staging / name).write_bytes(name.encode())
        artefact = write_artefact(folder / "a", tiny_manifest(), staging)
        assert read_artefact(folder / "a").digest == artefact.digest
        assert list(artefact.manifest.files) == ["a.bin", "b.bin", "c.txt", WEIGHTS]
        corpus = tmp_path / "corpus"
        corpus.mkdir(exist_ok=True)
        rows = rows_of(30)
        for part, name in enumerate(("train", "dev", "test")):
            write_jsonl(corpus / f"{name}.jsonl", rows[part * 10 : part * 10 + 10])
        return artefact.digest, read_corpus(str(corpus)).digest

    before = digests(tmp_path / "one")
    fired = list_otherwise(monkeypatch, order)
    assert digests(tmp_path / "two") == before
    assert fired
