"""What goes into a served model and what comes out: columns and params by kind of model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from mlflow.models import ModelSignature

Kind = Literal["topics", "stance", "reader"]
Columns = Mapping[str, bool]
"""Whether each column is required."""

INPUT_COLUMNS: Mapping[str, Columns] = {
    "topics": {"text": True, "title": False, "id": False},
    "stance": {"sentence": True, "target": True, "holder": False, "context": False, "id": False},
    "reader": {"text": True, "title": False, "id": False},
}
_SCORES = {
    "id": "string",
    "label": "string",
    "probability": "double",
    "decision": "boolean",
    "threshold": "double",
    "review": "boolean",
}
_SOURCE = {"warnings": "string", "model": "string", "codebook": "string"}
OUTPUT_COLUMNS: Mapping[str, Mapping[str, str]] = {
    "topics": {
        **_SCORES,
        "evidence": "string",
        "start": "long",
        "end": "long",
        "evidence_probability": "double",
        **_SOURCE,
    },
    "stance": {**_SCORES, **_SOURCE},
    "reader": {
        "id": "string",
        "kind": "string",
        "target": "string",
        "topic": "string",
        "label": "string",
        "probability": "double",
        "threshold": "double",
        "decision": "boolean",
        "review": "boolean",
        "net": "double",
        "favor": "long",
        "against": "long",
        "neutral": "long",
        "sentence": "string",
        "start": "long",
        "end": "long",
        "holder": "string",
        "deciding": "boolean",
        **_SOURCE,
    },
}
JSON_COLUMN = "json"
"""The one column of the answer in the form "json"."""

THRESHOLDS, EVIDENCE, TARGETS, MAX_SENTENCES, FORM = (
    "thresholds",
    "evidence",
    "targets",
    "max_sentences",
    "form",
)
LONG, JSON = "long", "json"
# By kind: the params it takes and their defaults. "{}": the model's own thresholds; []: the decided topics;
# 0: all sentences.
DEFAULTS: Mapping[str, Mapping[str, Any]] = {
    "topics": {THRESHOLDS: "{}", EVIDENCE: False, FORM: LONG},
    "stance": {THRESHOLDS: "{}", FORM: LONG},
    "reader": {TARGETS: [], THRESHOLDS: "{}", EVIDENCE: True, MAX_SENTENCES: 0, FORM: LONG},
}
_TYPES = {THRESHOLDS: "string", EVIDENCE: "boolean", TARGETS: "string", MAX_SENTENCES: "long", FORM: "string"}


def signature(kind: str) -> ModelSignature:
    """Return the explicit MLflow signature of a kind of model; columns that may be missing are optional."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec

    inputs: list[ColSpec | TensorSpec] = [
        ColSpec("string", name, required=required) for name, required in INPUT_COLUMNS[kind].items()
    ]
    outputs: list[ColSpec | TensorSpec] = [
        ColSpec(type_, name, required=name in ("id", "label")) for name, type_ in OUTPUT_COLUMNS[kind].items()
    ]
    params = [
        ParamSpec(name, _TYPES[name], default, (-1,) if name == TARGETS else None)
        for name, default in DEFAULTS[kind].items()
    ]
    return ModelSignature(inputs=Schema(inputs), outputs=Schema(outputs), params=ParamSchema(params))


def described(columns: Columns) -> str:
    """Return the columns for a message."""
    return ", ".join(name if required else f"{name} (optional)" for name, required in columns.items())
