"""Public sets as labelled rows: folders of train.jsonl and dev.jsonl that the user has.

newsmtsc and touche23 hold text, target and label; congress114 and un_votes hold text and topics.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.base import LabelledSet
from stancewire.examples import Article, StanceExample

STANCE_SETS = ("newsmtsc", "touche23")
TOPIC_SETS = ("congress114", "un_votes")
# Rows of a topic in train, and in dev, below which it is left out.
_FEWEST, _FEWEST_DEV = 20, 3


def read_public(folder: Path) -> tuple[LabelledSet, LabelledSet]:
    """Return train and dev of one public set, told apart by the folder's name."""
    parts = [lines(folder / f"{part}.jsonl") for part in ("train", "dev")]
    train, dev = (_stances if folder.name in STANCE_SETS else _topics)(*parts)
    return train, dev


def lines(path: Path) -> list[dict[str, Any]]:
    """Read a part of a public set."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _stances(*parts: Sequence[dict[str, Any]]) -> list[LabelledSet]:
    labels = tuple(sorted({row["label"] for row in parts[0]}))
    return [
        LabelledSet(
            "stance",
            tuple(StanceExample(sentence=row["text"], target=row["target"]) for row in rows),
            labels,
            np.array([[row["label"] == label for label in labels] for row in rows], np.float32),
            tuple(row.get("event") or row["target"] for row in rows),
        )
        for rows in parts
    ]


def _topics(*parts: Sequence[dict[str, Any]]) -> list[LabelledSet]:
    train, dev = (Counter(topic for row in rows for topic in row["topics"]) for rows in parts)
    labels = tuple(topic for topic in sorted(train) if train[topic] >= _FEWEST and dev[topic] >= _FEWEST_DEV)
    return [
        LabelledSet(
            "topics",
            tuple(Article(text=row["text"]) for row in rows),
            labels,
            np.array([[label in row["topics"] for label in labels] for row in rows], np.float32),
            tuple(row["id"] for row in rows),
        )
        for rows in parts
    ]
