"""Any number of articles for a benchmark: the bundled corpus, repeated and varied."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

CORPUS = Path(__file__).parents[1] / "data" / "articles.jsonl"
_NUMBER = re.compile(r"\d+")
_FIELDS = ("outlet", "date", "countries")


def records(n_articles: int, corpus: Path = CORPUS) -> Iterator[dict[str, Any]]:
    """Yield that many records, the same ones every time, no two with one text.

    A copy has its paragraphs in another order and other numbers in them: as long as its model, so that the
    cost of an article does not depend on how many there are.
    """
    originals = [json.loads(line) for line in corpus.read_text(encoding="utf-8").splitlines()]
    copies = (_copy(row, turn) for turn in count() for row in originals)
    return islice(copies, n_articles)


def write_records(path: Path, n_articles: int) -> Path:
    """Write them as JSONL."""
    with path.open("w", encoding="utf-8") as file:
        for record in records(n_articles):
            file.write(json.dumps(record, ensure_ascii=False) + "\n")
    return path


def _copy(row: dict[str, Any], turn: int) -> dict[str, Any]:
    """Return the article as the corpus has it in turn 0, and a variation of it in every other."""
    chance = random.Random(f"{row['id']} {turn}")  # noqa: S311 - no secret
    paragraphs = row["text"].split("\n\n")
    title = row["title"]
    if turn:
        chance.shuffle(paragraphs)
        paragraphs = [_NUMBER.sub(lambda found: _other(found[0], chance), one) for one in paragraphs]
        title = f"{title} ({turn})"
    fields = {name: row[name] for name in _FIELDS}
    return {"id": f"{row['id']}.{turn}", "title": title, "text": "\n\n".join(paragraphs), **fields}


def _other(number: str, chance: random.Random) -> str:
    """Return a number of as many digits."""
    return "".join(chance.choice("0123456789") for _ in number)
