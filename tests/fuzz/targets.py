"""Every target by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

from tests.fuzz import artefacts, jobs, rows, settings, texts
from tests.fuzz.loop import Target

# Each makes its target in an empty folder of its own.
TARGETS: Mapping[str, Callable[[Path], Target]] = MappingProxyType(
    {
        "manifest": artefacts.manifest,
        "tensors": artefacts.tensors,
        "artefact": artefacts.artefact,
        "mlmodel": artefacts.mlmodel,
        "json": rows.strict_json,
        "jsonl": rows.jsonl,
        "csv": rows.csv,
        "text": texts.text,
        "yaml": settings.yaml,
        "config": settings.config,
        "codebook": settings.codebook,
        "job": jobs.finished_job,
        "shard-record": jobs.record_of_shard,
        "label-studio": settings.label_studio_export,
        "argilla": settings.argilla_export,
    }
)
