"""Labelled sentences of news become a corpus that the readers take, and tell which set they are of."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from pathlib import Path

import pytest

from benchmarks import news
from benchmarks.news import LABELS, TARGETS, main, rows_of
from stancewire.codebook import STANCES
from stancewire.errors import InputError
from training.data.load import read_corpus

HEAD = "sha256,drawn,part,arms_trade,diplomacy,sanctions,toward arms trade,toward diplomacy,toward sanctions"
TEXTS = ("Envoys met in Muscat.", "It rained.", "He sold them shells.")
LINES = ("random,kept back,0,1,0,unrelated,favor,unrelated", "words,looked at,0,0,0,,unrelated,unrelated")


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A set of three sentences, and labels of the first two and of one more: the last has one topic open."""
    labels = tmp_path / "labels.csv"
    rows = [f"{digest(text)},{line}" for text, line in zip(TEXTS, LINES, strict=False)]
    rows.append(f"{digest(TEXTS[2])},words,kept back,1,,0,favor,unrelated,unrelated")
    labels.write_text("\n".join((HEAD, *rows)) + "\n", encoding="utf-8")
    monkeypatch.setattr(news, "LABELS", labels)
    train = [{"text": text, "event": f"e{number}", "target": "he"} for number, text in enumerate(TEXTS)]
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in train), encoding="utf-8")
    return tmp_path


def test_every_part_is_a_corpus(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["news", str(folder), str(folder / "out")])
    main()
    assert "kept-back.jsonl: 2 sentences" in capsys.readouterr().out
    kept, looked = (read_corpus(str(folder / "out" / f"{name}.jsonl")) for name in ("kept-back", "looked-at"))
    assert [article.text for article in (*kept.articles, *looked.articles)] == [TEXTS[0], TEXTS[2], TEXTS[1]]
    assert kept.topics.tolist()[0] == [0, 1, 0]
    assert all(value != value for value in kept.topics[1].tolist()), "one topic is open, and so all are"
    assert [(one.target, one.label) for one in looked.stances] == [
        ("diplomacy", "unrelated"),
        ("sanctions", "unrelated"),
    ]
    assert {one.holder for one in kept.stances} == {None}


def test_another_set_is_one_clear_error(folder: Path) -> None:
    (folder / "train.jsonl").write_text('{"text": "Other words.", "event": "e"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="wanted newsmtsc's train part, got one without the sentence"):
        list(rows_of(folder))


def test_the_labels_are_complete() -> None:
    with LABELS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["sha256"] for row in rows}) == len(rows) == 500
    assert {row["drawn"] for row in rows} == {"random", "words"}
    assert [sum(row["part"] == part for row in rows) for part in ("looked at", "kept back")] == [250, 250]
    for row in rows:
        assert {row[topic] for topic in TARGETS} <= {"0", "1", ""}
        assert {row[f"toward {target}"] for target in TARGETS.values()} <= {*STANCES, ""}
