"""Answers back onto the queue: a corpus of what people agreed on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeAlias

from stancewire.errors import InputError
from stancewire.section import listed
from training.data.examine import examine
from training.data.faults import refusal
from training.data.schema import Schema
from training.data.sources import open_source
from training.labelling import argilla, label_studio
from training.labelling.files import read_json
from training.labelling.items import Item, json_line, read_queue
from training.labelling.question import Answer, Question

Tool: TypeAlias = Literal["jsonl", "label-studio", "argilla"]
TOOLS: tuple[Tool, ...] = ("jsonl", "label-studio", "argilla")


@dataclass(frozen=True)
class Labelled:
    """What came back.

    Attributes:
        lines: a corpus as JSONL.
        n_labelled: questions in it.
        unanswered: questions that nobody answered.
        disputed: keys, as "id", of questions whose annotators differ; they are left out.
    """

    lines: bytes
    n_labelled: int
    unanswered: int
    disputed: tuple[str, ...]


def read_answers(tool: Tool, path: str, question: Question) -> Iterator[tuple[str, list[Answer]]]:
    """Yield keys and answers of a tool's export.

    Raises:
        InputError: if it is none.
    """
    reader = {"label-studio": label_studio.answers, "argilla": argilla.answers}[tool]
    return reader(read_json(path), question, path)


def join(items: Sequence[Item], given: Iterable[tuple[str, list[Answer]]], where: str) -> Labelled:
    """Write answers into the questions that they belong to.

    Args:
        items: of the queue.
        given: keys and answers; a key may come several times.
        where: what messages call the answers.

    Raises:
        InputError: if an answer belongs to no question, or there is none.
    """
    by_key: dict[str, list[Answer]] = {item.key: [] for item in items}
    for key, answers in given:
        if key not in by_key:
            raise InputError(f"{where}: the queue has no question {key!r}; name the queue that was exported")
        by_key[key] += answers
    agreed = {key: answers[0] for key, answers in by_key.items() if len(set(answers)) == 1}
    disputed = tuple(str(item.record["id"]) for item in items if len(set(by_key[item.key])) > 1)
    if not agreed:
        raise InputError(
            f"{where}: wanted answers, none of {len(items):,} questions has one that its annotators agree on"
            + (f"; they differ on {listed(disputed)}" if disputed else "")
        )
    lines = (_filled(item, agreed[item.key]) for item in items if item.key in agreed)
    return Labelled(b"".join(lines), len(agreed), sum(not by_key[item.key] for item in items), disputed)


def filled(path: str) -> Labelled:
    """Return the lines of a queue that a person filled in, as they stand.

    Raises:
        InputError: if there is none, or it is no queue.
    """
    items = read_queue(path)
    done = [
        item for item in items if item.record.get("label" if item.task == "stance" else "topics") is not None
    ]
    if not done:
        name = "label" if items[0].task == "stance" else "topics"
        raise InputError(f"{path}: wanted labels in {name!r}, none of {len(items):,} lines has one")
    lines = b"".join(json_line(item.record) for item in done)
    return Labelled(lines, len(done), len(items) - len(done), ())


def check(labelled: Labelled, schema: Schema, where: str) -> None:
    """Refuse labels that training would refuse.

    Raises:
        InputError: with the faults.
    """
    with TemporaryDirectory(prefix="stancewire-") as folder:
        file = Path(folder) / "labelled.jsonl"
        file.write_bytes(labelled.lines)
        found = examine(open_source(str(file)), schema)
        if found.errors:
            raise InputError(
                refusal(where, found.errors, n_rows=len(found.articles)).replace(str(file), where)
            )


def _filled(item: Item, answer: Answer) -> bytes:
    record: Mapping[str, Any] = item.record
    told = {"label": answer[0]} if item.task == "stance" else {"topics": list(answer)}
    return json_line({**record, **told})
