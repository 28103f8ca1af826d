"""Targets: the manifest, the tensors and a whole artefact, with digests made good after every change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load, save

import stancewire
from stancewire.artefact import read_artefact, write_artefact
from stancewire.errors import ArtefactError
from stancewire.examples import Article
from stancewire.features import FEATURES_VERSION
from stancewire.location import located
from stancewire.manifest import parse_manifest
from stancewire.predictor import TopicsPredictor
from stancewire.runtime.linear import pack_terms
from stancewire.strictjson import StrictJsonError, dumps, loads
from stancewire.tensors import parse_tensors
from tests.fuzz.loop import Target
from tests.tiny import MANIFEST, WEIGHTS, content_of, forge_weights, sealed, tiny_manifest, tiny_weights

_KEYS = (b'"thresholds"', b'"labels"', b'"files"', b'"sha256"', b'"model"', b'"bytes"', b'"names"')
_TENSORS = (b'"dtype"', b'"F32"', b'"F16"', b'"BOOL"', b'"BF16"', b'"shape"', b'"data_offsets"', b"[0,0]")
_MLMODEL = b"flavors:\n  python_function:\n    data: data/a\n    loader_module: stancewire.serving\n"
_TERMS = ("embargo", "envoy", "shell", "talk")


def manifest(folder: Path) -> Target:
    """A manifest of any content under a seal that is right, then the bytes as they are."""

    def check(data: bytes) -> None:
        try:
            content = loads(data, max_bytes=len(data))
            data = sealed(content) if isinstance(content, dict) else data
        except (StrictJsonError, ValueError):
            pass
        try:
            read = parse_manifest(data)
        except ArtefactError as error:
            assert "\n" not in str(error)
            raise
        assert parse_manifest(read.to_bytes()) == read

    return Target(check, [_linear(folder).read_bytes(), dumps(content_of(folder / "linear"))], _KEYS)


def tensors(folder: Path) -> Target:
    """A safetensors file; what we read, the format's own library reads alike."""

    def check(data: bytes) -> None:
        ours = parse_tensors(data, "file")
        theirs = load(data)
        assert sorted(theirs) == list(ours)
        for name, array in ours.items():
            np.testing.assert_array_equal(array, theirs[name], strict=True)
            assert array.dtype.kind != "f" or np.isfinite(array).all()

    _linear(folder)
    return Target(check, [tiny_weights(), (folder / "linear" / WEIGHTS).read_bytes()], _TENSORS)


def artefact(folder: Path) -> Target:
    """Weights of any bytes in an artefact whose digests are right: refused, or able to answer."""
    _linear(folder)
    articles = [Article(text="Envoys met about the embargo."), Article(text="Rain.", title="Talks")]

    def check(data: bytes) -> None:
        forge_weights(folder / "linear", data)
        model = stancewire.load(folder / "linear")
        assert isinstance(model, TopicsPredictor)
        for answer in model.predict(articles):
            assert all(0 <= score.probability <= 1 for score in answer.scores)

    return Target(check, [(folder / "linear" / WEIGHTS).read_bytes()], _TENSORS)


def mlmodel(folder: Path) -> Target:
    """An MLflow folder's own file: it leads into the folder or nowhere."""
    _linear(folder)
    (folder / "data").mkdir()
    (folder / "linear").rename(folder / "data" / "a")

    def check(data: bytes) -> None:
        (folder / "MLmodel").write_bytes(data)
        with located(folder) as found:
            assert found.is_relative_to(folder)
            assert ".." not in found.parts
            read_artefact(found)

    return Target(check, [_MLMODEL], (b"data: ", b"loader_module: stancewire.serving", b"flavors:\n", b"  "))


def _linear(folder: Path) -> Path:
    """Write a small artefact of the linear family; return its manifest."""
    staging = folder / "staging"
    staging.mkdir()
    coef = np.linspace(-1, 1, 3 * len(_TERMS), dtype=np.float32).reshape(3, -1)
    weights: dict[str, Any] = {
        "terms": pack_terms(_TERMS),
        "idf": np.ones(len(_TERMS), np.float32),
        "coef": coef,
        "intercept": np.zeros(3, np.float64),
    }
    (staging / WEIGHTS).write_bytes(save(weights))
    model = {"features": FEATURES_VERSION, "terms": {"words": len(_TERMS)}}
    write_artefact(folder / "linear", tiny_manifest(model=model), staging)
    return folder / "linear" / MANIFEST
