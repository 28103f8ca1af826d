"""A pool whose words tell its labels, for tests of the label loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.corpora import text_of, write_jsonl

TOPIC_WORDS = {"arms_trade": "shells", "diplomacy": "talks", "sanctions": "embargo"}
STANCE_WORDS = {"against": "condemned", "favor": "welcomed", "neutral": "described", "unrelated": "harvested"}
LABELS = tuple(STANCE_WORDS)


def topics_of(number: int) -> list[str]:
    """What an article is about."""
    return [topic for bit, topic in enumerate(TOPIC_WORDS) if (number // 2) >> bit & 1]


def stance_of(sentence: str) -> str:
    """What a sentence says, by its verb."""
    return next(label for label, verb in STANCE_WORDS.items() if verb in sentence)


def article(number: int, **changes: object) -> dict[str, Any]:
    """An article without labels; two tell one story."""
    said = " ".join(TOPIC_WORDS[topic] for topic in topics_of(number))
    sentences = [
        f"The minister {STANCE_WORDS[LABELS[(number + i) % 4]]} the embargo {text_of(f'{number} {i}', 1, 3)}"
        for i in range(3)
    ]
    row: dict[str, Any] = {
        "id": f"p{number:03}",
        "event": f"e{number // 2:03}",
        "outlet": "wire",
        "date": f"2026-03-{1 + number % 28:02}",
        "countries": ["KEN"],
        "title": f"Report {number}",
        "text": f"{text_of(number, 3)} The ministry spoke of {said or 'rain'}. {' '.join(sentences)}",
    }
    return row | changes


def pool_of(folder: Path, n_articles: int, **changes: object) -> Path:
    """That many articles as a file."""
    return write_jsonl(folder / "pool.jsonl", [article(number, **changes) for number in range(n_articles)])
