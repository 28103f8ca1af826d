"""Targets: YAML, the config of a run, the codebook, and what labelling tools export."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from stancewire.errors import InputError
from stancewire.strictjson import StrictJsonError, loads
from tests.fuzz.loop import Target
from training.config_file import TUNE, dump_config, load_config
from training.data.codebook import BUNDLED, load_codebook
from training.labelling import argilla, label_studio
from training.labelling.question import Answer, Question, question_of
from training.yaml import Plain, dump_yaml, parse_yaml

ROOT = Path(__file__).resolve().parents[2]
_YAML = (b"\n  ", b": ", b"- ", b"{a: 1}", b"[no, 1]", b"3e-4", b".nan", b".inf", b"!!python/name:os.system")
_EXPORT = (b'"annotations":', b'"value":', b'"none"', b'"choices":')
_WHOLE = b"""\
task: stance
seed: 3
data: {path: a.jsonl, columns: {text: body}, label_map: {pro: favor}, topics_separator: ";"}
split: {by: time, dev: 0.1, test: 0.2, outlets: [wire]}
model: {family: linear, max_terms: 100}
calibration: {method: none}
thresholds: {objective: precision, at_least: 0.9}
abstention: {keep_precision: 0.9}
evaluation: {random_split: false}
"""
_SECTIONS = (
    *(
        b"task: topics\n",
        b"task: stance\n",
        b"seed: 3\n",
        b"data:\n  path: a\n",
        b"model:\n  family: linear\n",
    ),
    *(b"split:\n  by: time\n", b"calibration:\n  method: none\n", b"thresholds:\n  objective: precision\n"),
    *(b"abstention:\n", b"evaluation:\n", b"tracking:\n", b"_target_: os.system\n"),
)
_RICH = """\
id: mine
version: "1.0"
title: Mine
schemes:
  cap: {title: CAP, version: "2", source: "https://example.org"}
topics:
  - id: gas
    name: natural gas
    definition: Trade in gas.
    holds: [A pipeline opens.]
    does_not_hold: [Oil.]
    examples: [Gas flows.]
    crosswalk:
      - {scheme: cap, code: "8", label: Energy, relation: broader}
  - {id: pipes, name: pipelines, definition: Pipes., parent: gas}
stance:
  labels:
    - {id: favor, name: in favor, definition: For it.}
    - {id: against, name: against, definition: Against it.}
  rules: [Who is quoted holds it.]
"""
Answers = Callable[[object, Question, str], Iterator[tuple[str, list[Answer]]]]


def yaml(_folder: Path) -> Target:
    """What is read can be written and read back."""

    def check(data: bytes) -> None:
        read = parse_yaml(data, "file").data
        if not _has_nan(read):
            assert parse_yaml(dump_yaml({"a": read}).encode(), "dump").data == {"a": read}

    return Target(check, _shipped(), _YAML)


def config(folder: Path) -> Target:
    """A config is refused, or survives being dumped and loaded again."""
    file, dumped = folder / "config.yaml", folder / "dumped.yaml"

    def check(data: bytes) -> None:
        file.write_bytes(data)
        read = load_config(file)
        dumped.write_text(dump_config(read), encoding="utf-8")
        assert load_config(dumped) == read

    return Target(check, [*_shipped(TUNE), _WHOLE], (*_YAML, *_SECTIONS))


def codebook(folder: Path) -> Target:
    """A codebook is refused with every fault, or has labels."""
    file = folder / "codebook.yaml"

    def check(data: bytes) -> None:
        file.write_bytes(data)
        assert load_codebook(file).labels("topics")

    rich = _RICH.encode()
    minimal = b"id: mine\nversion: '1'\ntopics:\n  - {id: a, name: a, definition: b}\n"
    return Target(check, [rich, minimal], (*_YAML, b"topics:\n", b"stance:\n", b"schemes:\n", b"parent: a\n"))


def label_studio_export(_folder: Path) -> Target:
    """A Label Studio export is refused, or gives answers that the codebook knows."""
    value = {"choices": ["sanctions", "diplomacy"]}
    result = {"from_name": "topics", "to_name": "text", "type": "choices", "value": value}
    task = {"id": 1, "data": {"key": "k"}, "annotations": [{"result": [result], "was_cancelled": False}]}
    return _answers(label_studio.answers, [task, task | {"annotations": []}])


def argilla_export(_folder: Path) -> Target:
    """An Argilla export is refused, or gives answers that the codebook knows."""
    response = {"value": ["sanctions"], "user_id": "u", "status": "submitted"}
    record = {"id": "k", "fields": {}, "responses": {"topics": [response]}}
    return _answers(argilla.answers, [record, record | {"responses": {}}])


def _answers(read: Answers, content: list[dict[str, Any]]) -> Target:
    question = question_of("topics", load_codebook(ROOT / BUNDLED))

    def check(data: bytes) -> None:
        try:
            parsed = loads(data, max_bytes=len(data))
        except StrictJsonError as error:
            raise InputError(str(error)) from None
        for key, answers in read(parsed, question, "file"):
            assert isinstance(key, str)
            assert all(set(answer) <= set(question.labels) for answer in answers)

    return Target(check, [json.dumps(content).encode()], _EXPORT)


def _shipped(but: str = "?") -> list[bytes]:
    """Return the bytes of every config in the checkout, but those with this section."""
    files = sorted((ROOT / "configs").glob("*.yaml"))
    return [data for file in files if f"\n{but}:".encode() not in (data := file.read_bytes())]


def _has_nan(value: Plain) -> bool:
    if isinstance(value, dict):
        return any(map(_has_nan, value.values()))
    if isinstance(value, list):
        return any(map(_has_nan, value))
    return isinstance(value, float) and math.isnan(value)
