"""The queue as a file: one question a line, in our schema, with an empty label for a person to fill in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stancewire.calibration import Task
from stancewire.errors import InputError
from stancewire.examples import Article, StanceExample
from stancewire.readers import Reject, read_jsonl
from stancewire.section import shown
from training.data.rows import LabelledArticle
from training.data.schema import FIELDS
from training.labelling.choose import Choice, Pick

NOTE = "queue"
_KEY_BYTES = 12
_WANTED = "a queue that this command wrote: lines with its key in 'queue'"


@dataclass(frozen=True)
class Item:
    """One line of a queue.

    Attributes:
        line: where it stands.
        record: as read.
        key: what answers name it by; it changes with every text that is judged.
        task: what is asked.
    """

    line: int
    record: Mapping[str, Any]
    key: str
    task: Task

    @property
    def note(self) -> Mapping[str, Any]:
        """Why it was chosen, and what the model thinks."""
        note: Mapping[str, Any] = self.record[NOTE]
        return note


def queue_lines(choice: Choice, model: str) -> bytes:
    """Return the queue as JSONL.

    Args:
        choice: what to label, in order.
        model: name of the model that was asked, with its digest.
    """
    records = (_record(pick, model) for pick in choice.picks)
    return b"".join(json_line(record) for record in records)


def json_line(record: Mapping[str, Any]) -> bytes:
    """Return a record as one line; what JSON does not know, such as a date in an extra column, as text."""
    text = json.dumps(record, ensure_ascii=False, allow_nan=False, default=str)
    return f"{text}\n".encode("utf-8", "surrogatepass")


def read_queue(path: str) -> tuple[Item, ...]:
    """Read a queue, filled in or not.

    Raises:
        InputError: if a line is none of a queue, or two have one key, or tasks are mixed.
    """
    items: list[Item] = []
    for row in read_jsonl(Path(path)):
        if isinstance(row, Reject):
            raise InputError(f"{path}:{row.line}: {row.reason}: {row.detail}")
        items.append(_item(path, *row))
    if not items:
        raise InputError(f"{path}: wanted {_WANTED}, found no line")
    first: dict[str, int] = {}
    for item in items:
        if item.task != items[0].task:
            raise InputError(
                f"{path}:{item.line}: wanted {items[0].task} as in line {items[0].line}, found {item.task}"
            )
        if first.setdefault(item.key, item.line) != item.line:
            raise InputError(f"{path}:{item.line}: the same question as line {first[item.key]}; remove one")
    return tuple(items)


def _item(path: str, line: int, record: Mapping[str, Any]) -> Item:
    note = record.get(NOTE)
    task: Task = "stance" if "sentence" in record else "topics"
    texts = ("id", "text", "sentence", "target") if task == "stance" else ("id", "text")
    if not isinstance(note, Mapping) or not isinstance(note.get("key"), str):
        raise InputError(f"{path}:{line}: wanted {_WANTED}; found {shown(note)}")
    if wrong := [name for name in texts if not isinstance(record.get(name), str)]:
        raise InputError(f"{path}:{line}: wanted a text in {wrong[0]!r}, found {shown(record.get(wrong[0]))}")
    key = key_of(*(str(record[name]) for name in texts))
    if key != note["key"]:
        raise InputError(
            f"{path}:{line}: the id or a text of the question was changed since the queue was written; "
            "only labels, holders and further columns may be"
        )
    return Item(line, record, key, task)


def key_of(*texts: str) -> str:
    """Return a short digest of what a question is about."""
    data = json.dumps(texts).encode("ascii")
    return hashlib.blake2b(data, digest_size=_KEY_BYTES).hexdigest()


def _record(pick: Pick, model: str) -> dict[str, Any]:
    row, example = pick.candidate.row, pick.candidate.example
    article = row.article
    record: dict[str, Any] = {"id": article.id}
    if isinstance(example, StanceExample):
        record |= {
            "sentence": pick.candidate.sentence,
            "context": example.context,
            "target": example.target,
            "target_topic": pick.candidate.target_topic,
            "holder": None,
            "label": None,
        }
        key = key_of(article.id, article.text, record["sentence"], example.target)
        known = {topic: holds for topic, holds in row.topics.items() if holds is not None}
        record |= {"topics": known} if known else {}
    else:
        record["topics"] = None
        key = key_of(article.id, article.text)
    record |= _metadata(article, row)
    record[NOTE] = {
        "key": key,
        "criterion": pick.criterion,
        "score": pick.score,
        "why": pick.why,
        "probabilities": {label: round(p, 4) for label, p in pick.probabilities.items()},
        "model": model,
    }
    return record


def _metadata(article: Article, row: LabelledArticle) -> dict[str, Any]:
    ours: dict[str, Any] = {
        "event": article.event,
        "outlet": article.outlet,
        "date": article.date,
        "countries": list(article.countries),
        "title": article.title,
        "text": article.text,
        "split": row.split,
    }
    told = {name: value for name, value in ours.items() if value not in (None, "", [])}
    extra = {name: value for name, value in article.extra.items() if name not in (*FIELDS, NOTE)}
    return told | extra


def suggested(item: Item, labels: Sequence[str]) -> list[tuple[str, float]]:
    """Return what the model would answer, by its probabilities: the likeliest, or all from a half on."""
    found: Mapping[str, float] = item.note.get("probabilities") or {}
    known = [(label, float(found[label])) for label in labels if label in found]
    if item.task == "topics":
        return [(label, p) for label, p in known if p >= 0.5]
    return sorted(known, key=lambda pair: -pair[1])[:1]
