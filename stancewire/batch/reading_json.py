"""The JSON of a reading, as one text: what json writes of `Reading.to_dict`, byte for byte.

A job writes it for every article. Where there are topics alone, the linear family is so fast that a tree of
dictionaries and a walk through it would be the largest part of what a job adds; it is written at once there.
"""

from __future__ import annotations

import json
from functools import lru_cache
from json.encoder import encode_basestring  # json's own, in C where that is there

from stancewire.drafts import TopicReading
from stancewire.predictor import Provenance
from stancewire.reading import SCHEMA_VERSION, Reading

# Made once: json.dumps makes an encoder a call. What is written is a tree: no circle needs to be looked for.
to_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, check_circular=False).encode

_START = f'{{"schema": "stancewire-reading", "schema_version": {SCHEMA_VERSION}, "id": '
_FLAGS = {False: "false", True: "true"}


def reading_json(reading: Reading) -> str:
    """Return the whole reading, the JSON of docs/reading.md."""
    if reading.targets or reading.stances or reading.stance_model is not None:
        return to_json(reading.to_dict())
    article = reading.article
    return (
        f'{_START}{_quoted(article.id)}, "title": {_quoted(article.title)}, '
        f'"date": {_quoted_or_none(article.date)}, "outlet": {_quoted_or_none(article.outlet)}, '
        f'"topics": [{", ".join(map(_topic, reading.topics))}], "targets": [], "stances": [], '
        f'"sentences": {reading.sentences}, "cut_chars": {reading.cut_chars}, '
        f'"cut_share": {reading.cut_share!r}, "mixed_script": {_listed(reading.mixed_script)}, '
        f'"warnings": {_listed(reading.warnings)}, '
        f'"models": {{"topics": {_model(reading.topics_model)}, "stance": null}}}}'
    )


def _topic(topic: TopicReading) -> str:
    return (
        f"{_named(topic.label, topic.name)}{topic.probability!r}, "
        f'"threshold": {topic.threshold!r}, "decision": {_FLAGS[topic.decision]}, '
        f'"review": {_FLAGS[topic.review]}}}'
    )


@lru_cache(maxsize=1024)
def _named(label: str, name: str) -> str:
    """Return how a topic begins, which is the same in all articles."""
    return f'{{"label": {encode_basestring(label)}, "name": {encode_basestring(name)}, "probability": '


@lru_cache(maxsize=8)
def _model(model: Provenance) -> str:
    return to_json({name: getattr(model, name) for name in model.__dataclass_fields__})


def _listed(texts: tuple[str, ...]) -> str:
    return to_json(texts) if texts else "[]"


def _quoted_or_none(text: str | None) -> str:
    return "null" if text is None else _quoted(text)


def _quoted(text: str) -> str:
    """Quote a text; a lone surrogate, which UTF-8 cannot hold, becomes a question mark."""
    return encode_basestring(text if text.isascii() else text.encode("utf-8", "replace").decode())
