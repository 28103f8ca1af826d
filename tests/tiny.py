"""Tiny artefacts for tests, and a forger's tools: digests are made good after every change."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from stancewire.artefact import Artefact, CodebookRef, Manifest, write_artefact
from stancewire.calibration import Calibration
from stancewire.strictjson import dumps

WEIGHTS = "weights.safetensors"
MANIFEST = "manifest.json"


def tiny_manifest(**changes: object) -> Manifest:
    """A valid manifest of three labels, with these fields changed."""
    fields: dict[str, Any] = {
        "name": "tiny-topics",
        "task": "topics",
        "family": "linear",
        "labels": ("arms_trade", "diplomacy", "sanctions"),
        "codebook": CodebookRef("stancewire", "1.0", "0" * 64, {"arms_trade": "arms trade"}),
        "thresholds": (0.1, 1 / 3, 1.0),
        "calibration": Calibration("platt", (1.5, 1.0, 0.5), (-0.1, 0.0, 2.0)),
        "max_chars": 1000,
        "chunking": {"tokens": 128, "stride": 32, "max_chunks": 8},
        "model": {"rows": 3},
        "metrics": {"macro_f1": 0.1 + 0.2, "labels": [{"support": 3}]},
        "provenance": {"data": "f" * 64},
    }
    return Manifest(**(fields | changes))


def tiny_weights(value: float = 1.0) -> bytes:
    """Two tensors as safetensors; other values, same size."""
    return save({"coef": np.full((3, 4), value, np.float32), "intercept": np.zeros(3, np.float64)})


def staged(folder: Path, value: float = 1.0) -> Path:
    """A folder with weights, ready to be written as an artefact."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / WEIGHTS).write_bytes(tiny_weights(value))
    return folder


def write_tiny(destination: Path, value: float = 1.0, **changes: object) -> Artefact:
    """Write a valid artefact."""
    staging = staged(destination.with_name(f"{destination.name}-staging"), value)
    return write_artefact(destination, tiny_manifest(**changes), staging)


def content_of(folder: Path) -> dict[str, Any]:
    """What the manifest says, as plain JSON."""
    content: dict[str, Any] = json.loads((folder / MANIFEST).read_bytes())
    return content


def sealed(content: Mapping[str, Any]) -> bytes:
    """The bytes of a manifest that says this, with its own digest made good."""
    rest = {key: value for key, value in content.items() if key != "sha256"}
    return dumps(rest | {"sha256": hashlib.sha256(dumps(rest)).hexdigest()})


def forge_manifest(folder: Path, content: Mapping[str, Any]) -> None:
    """Replace the manifest by one that says this."""
    (folder / MANIFEST).write_bytes(sealed(content))


def forge_weights(folder: Path, data: bytes) -> None:
    """Replace the weights, and let the manifest name their size and digest."""
    (folder / WEIGHTS).write_bytes(data)
    content = content_of(folder)
    content["files"][WEIGHTS] = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    forge_manifest(folder, content)
