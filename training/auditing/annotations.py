"""Labels of several annotators, from a JSONL file: one line for what one person said of one unit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stancewire.errors import InputError
from stancewire.readers import Record, Reject, read_jsonl
from stancewire.section import listed, shown
from stancewire.strictjson import JsonValue
from training.data.load import Corpus
from training.data.rows import Topics

_SHOWN = 5
_STANCE = ("sentence", "target", "label")
_FIELDS = {"id", "annotator", "topics", *_STANCE, "holder"}

Key = tuple[str, str, str, str | None]


@dataclass
class Annotations:
    """What annotators said.

    Attributes:
        topics: by article, by annotator: whether each topic holds, None where it was not looked at.
        stances: by (article, sentence, target, holder), by annotator: the label.
    """

    topics: dict[str, dict[str, Topics]] = field(default_factory=dict)
    stances: dict[Key, dict[str, str]] = field(default_factory=dict)


class _Fault(Exception):
    """One line that is wrong."""


def read_annotations(path: str, corpus: Corpus) -> Annotations:
    """Read a file of annotations on articles of a corpus.

    Raises:
        InputError: naming every kind of fault with its first lines, or that the file cannot be read.
    """
    found, faults = Annotations(), []
    n_lines = 0
    reader = _Reader(corpus, found)
    for row in read_jsonl(Path(path)):
        n_lines += 1
        if isinstance(row, Reject):
            faults.append(f"line {row.line}: {row.detail}")
            continue
        line, record = row
        try:
            reader.read(record)
        except _Fault as fault:
            faults.append(f"line {line}: {fault}")
    if faults:
        count = "1 fault" if len(faults) == 1 else f"{len(faults):,} faults"
        more = [f"  and {len(faults) - _SHOWN:,} more"] if len(faults) > _SHOWN else []
        told = [f"{path}: wanted annotations without faults, found {count} in {n_lines:,} lines"]
        raise InputError("\n".join([*told, *(f"  {fault}" for fault in faults[:_SHOWN]), *more]))
    if not n_lines:
        raise InputError(f"{path}: wanted annotations, found no line; see docs/audit.md for the fields")
    return found


class _Reader:
    def __init__(self, corpus: Corpus, found: Annotations) -> None:
        self._found = found
        self._ids = {article.id for article in corpus.articles}
        self._topics = corpus.codebook.labels("topics")
        self._labels = corpus.codebook.labels("stance") if corpus.codebook.stance else ()

    def read(self, record: Record) -> None:
        """Take one line, or refuse it whole."""
        if unknown := sorted(set(record) - _FIELDS):
            raise _Fault(f"unknown field {shown(unknown[0])}; the fields are {', '.join(sorted(_FIELDS))}")
        article, annotator = _text(record, "id"), _text(record, "annotator")
        if article not in self._ids:
            raise _Fault(f"no article of the corpus has the id {shown(article)}")
        stance = [name for name in (*_STANCE, "holder") if name in record]
        if ("topics" in record) == bool(stance):
            raise _Fault("wanted either 'topics', or 'sentence', 'target' and 'label' of one stance")
        if stance:
            self._stance(article, annotator, record)
        else:
            self._say(self._found.topics.setdefault(article, {}), annotator, self._holds(record["topics"]))

    def _stance(self, article: str, annotator: str, record: Record) -> None:
        sentence, target, label = (_text(record, name) for name in _STANCE)
        holder = record.get("holder")
        if holder is not None and not isinstance(holder, str):
            raise _Fault(f"wanted 'holder' to be a text or null, found {shown(holder)}")
        if label not in self._labels:
            raise _Fault(f"no stance is named {shown(label)}; the codebook has {listed(self._labels)}")
        said = self._found.stances.setdefault((article, sentence, target, holder or None), {})
        self._say(said, annotator, label)

    def _holds(self, value: JsonValue) -> Topics:
        held: dict[str, Any] = {}
        if isinstance(value, dict):
            held = dict(value)
            if bad := [one for one in held.values() if one is not None and not isinstance(one, bool)]:
                raise _Fault(f"wanted true, false or null for a topic, found {shown(bad[0])}")
        elif isinstance(value, list):
            named = {one if isinstance(one, str) else repr(one): True for one in value}
            held = dict.fromkeys(self._topics, False) | named
        else:
            raise _Fault(f"wanted 'topics' to be a list or a mapping, found {shown(value)}")
        if unknown := sorted(set(held) - set(self._topics)):
            raise _Fault(f"no topic is named {shown(unknown[0])}; the codebook has {listed(self._topics)}")
        return {topic: held.get(topic) for topic in self._topics}

    def _say(self, said: dict[str, Any], annotator: str, value: object) -> None:
        if annotator in said:
            raise _Fault(f"{shown(annotator)} has said this already; keep one line for each")
        said[annotator] = value


def _text(record: Record, name: str) -> str:
    value = record.get(name)
    if not isinstance(value, str) or not value.strip():
        raise _Fault(f"wanted {name!r} to be a text, found {shown(value)}")
    return value


def people(annotations: Annotations) -> Iterator[str]:
    """Yield every annotator, in order of name."""
    said = [set(unit) for unit in annotations.topics.values()]
    yield from sorted(set().union(*said, *annotations.stances.values()))
