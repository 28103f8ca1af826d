"""The same articles, answered in Python, by the batch job, by Spark and over HTTP: what must be equal."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from pyarrow import parquet

from stancewire.predictor import StancePredictor, TopicsPredictor, load
from stancewire.readers import article_from_record
from stancewire.reading import Reader, Reading
from tests.integration.server import Answer

Record: TypeAlias = Mapping[str, Any]
# The decided topics, the verdict on every target, and the stance of every sentence that has one.
Labels: TypeAlias = tuple[list[str], list[tuple[str, str]], list[tuple[str, int, int, str]]]
_ROWS_A_REQUEST = 50


def labels_of(reading: Record) -> Labels:
    """Return all that was decided in a reading."""
    return (
        [topic["label"] for topic in reading["topics"] if topic["decision"]],
        [(target["target"], target["verdict"]) for target in reading["targets"]],
        [(one["target"], one["start"], one["end"], one["label"]) for one in reading["stances"]],
    )


def by_id(readings: Iterable[Record]) -> dict[str, Labels]:
    """Return the labels of each article, which has one reading only."""
    found: dict[str, Labels] = {}
    for reading in readings:
        assert reading["id"] not in found
        found[reading["id"]] = labels_of(reading)
    return found


def by_python(records: Iterable[Record], topics: Path, stance: Path) -> dict[str, Labels]:
    """Ask a Reader."""
    first, second = load(topics), load(stance)
    assert isinstance(first, TopicsPredictor)
    assert isinstance(second, StancePredictor)
    answers = list(Reader(first, second).read_many(map(article_from_record, records)))
    assert all(isinstance(answer, Reading) for answer in answers)
    return by_id(answer.to_dict() for answer in answers if isinstance(answer, Reading))


def by_job(output: Path) -> dict[str, Labels]:
    """Read what a batch job has written, whatever its engine."""
    assert (output / "_SUCCESS").exists()
    texts = parquet.read_table(output / "readings", columns=["reading"])["reading"].to_pylist()
    return by_id(map(json.loads, texts))


def by_http(records: Sequence[Record], post: Callable[[object], Answer]) -> dict[str, Labels]:
    """Ask the server of a reader."""
    readings: list[Record] = []
    for start in range(0, len(records), _ROWS_A_REQUEST):
        asked = [
            {name: record[name] for name in ("id", "title", "text")}
            for record in records[start : start + _ROWS_A_REQUEST]
        ]
        answer = post({"dataframe_records": asked, "params": {"form": "json"}})
        assert answer.status == 200, answer.body
        readings += [json.loads(row["json"]) for row in answer.rows]
    return by_id(readings)
