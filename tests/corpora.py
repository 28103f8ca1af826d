"""Small corpora for tests: texts of random words, so that no two are alike by chance."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.data.load import Corpus, read_corpus

SYLLABLES = [f"{first}{second}" for first in "bdfgklmnprst" for second in "aeiou"]
TOPICS = ("arms_trade", "diplomacy", "sanctions")
STANCES = ("against", "favor", "neutral", "unrelated")


def text_of(seed: int | str, n_sentences: int = 5, n_words: int = 9) -> str:
    """Return sentences of random words, the same for the same seed."""
    rng = np.random.default_rng(zlib.crc32(str(seed).encode()))
    words = ["".join(rng.choice(SYLLABLES, 3)) for _ in range(n_sentences * n_words)]
    sentences = [words[start : start + n_words] for start in range(0, len(words), n_words)]
    return " ".join(" ".join(sentence).capitalize() + "." for sentence in sentences)


def row_of(number: int, **changes: object) -> dict[str, Any]:
    """Return a row of the bundled corpus's format; topics and stances cycle through their labels."""
    text = text_of(number)
    sentences = [f"{sentence}." for sentence in text.rstrip(".").split(". ")]
    stance = {"target_topic": "sanctions", "holder": None}
    row: dict[str, Any] = {
        "id": f"a{number:03}",
        "event": f"e{number // 2:03}",
        "outlet": ("wire", "daily", "blog")[number % 3],
        "date": f"20{10 + number % 15:02}-03-{1 + number % 28:02}",
        "countries": ["KEN"],
        "title": text_of(f"title {number}", 1, 4),
        "text": text,
        "topics": [topic for bit, topic in enumerate(TOPICS) if number >> bit & 1],
        "stances": [
            stance | {"sentence": sentences[1], "target": "sanctions", "label": STANCES[number % 4]},
            stance
            | {"sentence": sentences[2], "target": f"deal {number}", "label": STANCES[(number + 1) % 4]},
        ],
    }
    return row | changes


def rows_of(n_rows: int) -> list[dict[str, Any]]:
    """Return that many rows, two to an event."""
    return [row_of(number) for number in range(n_rows)]


def write_jsonl(path: Path, rows: Sequence[object]) -> Path:
    """Write rows as JSONL."""
    path.write_text("".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8")
    return path


def corpus_of(folder: Path, rows: Sequence[object]) -> Corpus:
    """Return rows as a loaded corpus."""
    return read_corpus(str(write_jsonl(folder / "corpus.jsonl", rows)))
