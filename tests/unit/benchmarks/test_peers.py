"""What every peer reads and answers; the peers themselves are installed by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from benchmarks import peers
from benchmarks.public_sets import read_public
from benchmarks.quality import corpus_sets
from models.base import LabelledSet
from stancewire.examples import Article, StanceExample


def sayings(n_rows: int) -> LabelledSet:
    """Return rows whose verb alone tells the stance."""
    verbs = ("condemned", "praised")
    examples = tuple(StanceExample(sentence=f"Seoul {verbs[i % 2]} it.", target="it") for i in range(n_rows))
    truth = np.eye(2, dtype=np.float32)[np.arange(n_rows) % 2]
    return LabelledSet("stance", examples, ("against", "favor"), truth, tuple(map(str, range(n_rows))))


def notices(n_rows: int) -> LabelledSet:
    """Return rows of which a third hold each topic, and a third none."""
    words = ("The embargo holds.", "Tanks were sold.", "It rained.")
    examples = tuple(Article(text=words[i % 3]) for i in range(n_rows))
    truth = np.eye(3, dtype=np.float32)[np.arange(n_rows) % 3, :2]
    return LabelledSet("topics", examples, ("sanctions", "arms"), truth, tuple(map(str, range(n_rows))))


def test_a_row_is_read_as_we_read_it() -> None:
    assert peers.pair(Article(title="A sale", text="Tanks.")) == ("A sale\nTanks.", "")
    assert peers.pair(Article(text="Tanks.")) == ("Tanks.", "")
    assert peers.joined(sayings(1)) == ["Seoul condemned it. it"]


def test_stance_takes_the_best_class_and_topics_all_over_the_threshold() -> None:
    scores = np.array([[0.2, 0.3, 0.1], [0.9, 0.1, 0.6]])
    assert peers.decided(scores, "stance").tolist() == [[False, True, False], [True, False, False]]
    assert peers.decided(scores, "topics").tolist() == [[False, False, False], [True, False, True]]


@pytest.mark.parametrize("rows", [sayings, notices])
def test_tfidf_learns(rows: Callable[[int], LabelledSet]) -> None:
    asked = rows(12)
    assert (peers.tfidf(rows(60), asked, 0) == (asked.truth == 1)).all()


def test_a_peer_that_is_missing_names_its_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    assert peers.missing("sklearn") == ""
    monkeypatch.setattr(peers, "find_spec", lambda package: None)
    assert {package: peers.missing(package) for _, package in peers.PEERS.values()} == {
        "sklearn": "pip install 'scikit-learn'",
        "fasttext": "pip install 'fasttext-wheel'",
        "model2vec": "pip install 'model2vec[distill,train]>=0.10'",
        "setfit": "pip install 'setfit>=1.2'",
        "transformers": "pip install 'transformers'",
    }


def test_what_is_made_ready_belongs_to_a_peer() -> None:
    assert peers.READY.keys() <= peers.PEERS.keys()


def test_corpus_sets_share_no_event() -> None:
    for _, load in corpus_sets(on_test=False):
        train, asked = load()
        assert train.labels == asked.labels
        assert not set(train.groups) & set(asked.groups)


def write(path: Path, rows: list[dict[str, object]]) -> None:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


def test_public_stances_are_told_by_the_folders_name(tmp_path: Path) -> None:
    folder = tmp_path / "newsmtsc"
    folder.mkdir()
    for part in ("train", "dev"):
        write(
            folder / f"{part}.jsonl",
            [{"text": "So.", "target": "it", "label": label} for label in ("negative", "positive")],
        )
    train, dev = read_public(folder)
    assert train.labels == ("negative", "positive")
    assert dev.truth.tolist() == [[1, 0], [0, 1]]


def test_public_topics_that_are_too_rare_are_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "un_votes"
    folder.mkdir()
    for part, often in (("train", 20), ("dev", 3)):
        write(
            folder / f"{part}.jsonl",
            [{"id": str(i), "text": "Peace.", "topics": ["a", "b"] if i else ["a"]} for i in range(often)],
        )
    train, _ = read_public(folder)
    assert train.labels == ("a",)
