"""Faults 1 to 4 and 7: foreign bytes, damage, swaps, NaN, lies that are well signed, code by name."""

from __future__ import annotations

import io
import json
import os
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]  # ships no types
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from stancewire.artefact import read_artefact
from stancewire.errors import ArtefactError
from stancewire.manifest import parse_manifest
from stancewire.tensors import parse_tensors
from tests.tiny import (
    MANIFEST,
    WEIGHTS,
    content_of,
    forge_manifest,
    forge_weights,
    sealed,
    tiny_weights,
    write_tiny,
)

OFFSETS = 100  # in each of the two files


class Payload:
    """Unpickling it makes a file."""

    def __init__(self, marker: str) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return os.mkdir, (self.marker,)


def joblib_bytes(payload: Payload) -> bytes:
    buffer = io.BytesIO()
    joblib.dump(payload, buffer)
    return buffer.getvalue()


def zipped(name: str, payload: Payload) -> bytes:
    """What torch.save (`archive/data.pkl`) and skops (`schema.json`) write is a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, pickle.dumps(payload))
    return buffer.getvalue()


FOREIGN: dict[str, Callable[[Payload], bytes]] = {
    "pickle": pickle.dumps,
    "pickle_protocol_0": lambda payload: pickle.dumps(payload, protocol=0),
    "joblib": joblib_bytes,
    "pt": lambda payload: zipped("archive/data.pkl", payload),
    "skops": lambda payload: zipped("schema.json", payload),
}


def refused(folder: Path) -> str:
    with pytest.raises(ArtefactError) as caught:
        read_artefact(folder)
    return str(caught.value)


@pytest.mark.parametrize("name", [WEIGHTS, MANIFEST])
@pytest.mark.parametrize("foreign", FOREIGN)
def test_pickles_under_an_expected_name_stay_unopened(tmp_path: Path, foreign: str, name: str) -> None:
    marker = tmp_path / "marker"
    data = FOREIGN[foreign](Payload(str(marker)))
    if foreign.startswith("pickle"):
        pickle.loads(data)  # noqa: S301 - the fault itself: unpickling this does run code
        assert marker.exists()
        marker.rmdir()
    write_tiny(tmp_path / "a")
    if name == WEIGHTS:
        forge_weights(tmp_path / "a", data)
    else:
        (tmp_path / "a" / MANIFEST).write_bytes(data)
    assert str(tmp_path / "a" / name) in refused(tmp_path / "a")
    assert not marker.exists()


@pytest.mark.parametrize("name", [WEIGHTS, MANIFEST])
def test_any_damage_anywhere_is_refused(tmp_path: Path, name: str) -> None:
    digest = write_tiny(tmp_path / "a").digest
    file = tmp_path / "a" / name
    whole = file.read_bytes()
    survived = 0
    for step in range(OFFSETS):
        at = step * len(whole) // OFFSETS
        flipped = whole[:at] + bytes([whole[at] ^ (1 << step % 8)]) + whole[at + 1 :]
        for damaged in (whole[:at], flipped, whole[:at] + b"\0" + whole[at:]):
            assert damaged != whole
            file.write_bytes(damaged)
            assert name in refused(tmp_path / "a")
        survived += name == WEIGHTS and loads_elsewhere(flipped)
    file.write_bytes(whole + b"\n")
    assert name in refused(tmp_path / "a")
    file.write_bytes(whole)
    assert read_artefact(tmp_path / "a").digest == digest
    # The format itself lets flipped weights through: without digests they would have been predictions.
    assert name == MANIFEST or survived > OFFSETS // 3


def loads_elsewhere(data: bytes) -> bool:
    """Tell whether the safetensors library reads these bytes."""
    try:
        return bool(load(data))
    except Exception:
        return False


def test_weights_of_two_artefacts_swapped(tmp_path: Path) -> None:
    a, b = write_tiny(tmp_path / "a", 1.0), write_tiny(tmp_path / "b", 2.0)
    assert a.manifest.files[WEIGHTS].bytes == b.manifest.files[WEIGHTS].bytes
    (tmp_path / "a" / WEIGHTS).rename(tmp_path / "w")
    (tmp_path / "b" / WEIGHTS).rename(tmp_path / "a" / WEIGHTS)
    (tmp_path / "w").rename(tmp_path / "b" / WEIGHTS)
    for folder in (tmp_path / "a", tmp_path / "b"):
        assert f"{folder / WEIGHTS}: digest mismatch" in refused(folder)


def test_manifests_of_two_artefacts_swapped(tmp_path: Path) -> None:
    write_tiny(tmp_path / "a", 1.0)
    write_tiny(tmp_path / "b", 2.0)
    data = (tmp_path / "b" / MANIFEST).read_bytes()
    (tmp_path / "a" / MANIFEST).write_bytes(data)
    assert "digest mismatch" in refused(tmp_path / "a")


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("figure", [np.nan, np.inf, -np.inf])
def test_one_figure_that_is_none_in_the_weights(
    tmp_path: Path, dtype: type[np.floating[Any]], figure: float
) -> None:
    write_tiny(tmp_path / "a")
    weights = np.ones((3, 50), dtype)
    weights[2, 49] = figure
    data = save({"coef": weights, "idf": np.ones(3, np.float32)})
    assert not np.isfinite(load(data)["coef"]).all()  # the fault fired: the library loads it
    forge_weights(tmp_path / "a", data)
    message = refused(tmp_path / "a")
    assert "'coef': 1 of 150" in message
    assert WEIGHTS in message


def header(**entries: object) -> bytes:
    """A safetensors file of 24 bytes of zeros, described as said."""
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text + bytes(24)


F32 = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 7,
        bytes(8),
        (2).to_bytes(8, "little") + b"[]",
        (2).to_bytes(8, "little") + b"{}" + b"x",
        (2**63).to_bytes(8, "little") + b"{}",
        (3).to_bytes(8, "little") + b"{}",
        header(a=F32 | {"dtype": "BF16"}),
        header(a=F32 | {"dtype": "f32"}),
        header(a=F32 | {"dtype": None}),
        header(a=F32 | {"shape": [2, 4]}),
        header(a=F32 | {"shape": [-2, -3]}),
        header(a=F32 | {"shape": [2.0, 3]}),
        header(a=F32 | {"shape": [True, 6]}),
        header(a=F32 | {"shape": [2**62, 2**62]}),
        header(a=F32 | {"shape": 6}),
        header(a=F32 | {"shape": [1] * 99 + [6]}),
        header(a=F32 | {"data_offsets": [24, 0]}),
        header(a=F32 | {"data_offsets": [0, 25]}),
        header(a=F32 | {"data_offsets": [4, 28]}),
        header(a=F32 | {"data_offsets": [0]}),
        header(a=F32 | {"data_offsets": [-24, 0]}),
        header(a=F32, b=F32),
        header(a=F32 | {"shape": [5], "data_offsets": [0, 20]}),
        header(
            a=F32 | {"shape": [2], "data_offsets": [0, 8]}, b=F32 | {"shape": [3], "data_offsets": [12, 24]}
        ),
        header(a=F32 | {"extra": 1}),
        header(a=3),
        header(**{"a\u001b[2J": F32}),
        header(__metadata__={}, a=F32) + b"\0",
        header(a=F32).replace(b'"shape"', b'"dtype"'),
        header(a={"dtype": "BOOL", "shape": [24], "data_offsets": [0, 24]})[:-1] + b"\2",
    ],
)
def test_a_header_that_lies(tmp_path: Path, data: bytes) -> None:
    write_tiny(tmp_path / "a")
    forge_weights(tmp_path / "a", header(a=F32))
    assert read_artefact(tmp_path / "a").tensors(WEIGHTS)["a"].shape == (2, 3)
    if data:
        forge_weights(tmp_path / "a", data)
        assert WEIGHTS in refused(tmp_path / "a")
    with pytest.raises(ArtefactError, match=r"^here: "):
        parse_tensors(data, "here")


@pytest.mark.parametrize("place", ["top", "codebook", "calibration", "input", "chunking", "files"])
@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("_target_", "os.mkdir"),
        ("trust_remote_code", True),
        ("auto_map", {"AutoModel": "evil.Evil"}),
        ("loader_module", "antigravity"),
        ("!!python/object/apply:os.mkdir", ["marker"]),
        ("__class__", "antigravity"),
    ],
)
def test_code_by_name_is_an_unknown_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, key: str, value: object
) -> None:
    monkeypatch.chdir(tmp_path)
    write_tiny(tmp_path / "a")
    content = content_of(tmp_path / "a")
    (content if place == "top" else content[place])[key] = value
    forge_manifest(tmp_path / "a", content)
    before = set(sys.modules)
    message = refused(tmp_path / "a")
    assert set(sys.modules) == before
    assert key in message
    assert place == "files" or "known ones" in message
    assert not (tmp_path / "marker").exists()


def test_code_by_name_in_free_places_stays_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = "!!python/object/apply:os.mkdir ['marker']"
    before = set(sys.modules)
    artefact = write_tiny(
        tmp_path / "a",
        metrics={"_target_": text},
        provenance={"loader_module": "antigravity"},
        model={text: text},
    )
    assert artefact.manifest.metrics == {"_target_": text}
    assert set(sys.modules) == before
    assert not (tmp_path / "marker").exists()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("fuzz") / "a"
    write_tiny(folder)
    return (folder / MANIFEST).read_bytes()


@given(data=st.data())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_fuzzed_manifests_raise_nothing_else(whole: bytes, data: st.DataObject) -> None:
    content = json.loads(whole)
    places = [content, *(value for value in content.values() if isinstance(value, dict))]
    place = data.draw(st.sampled_from(places))
    place[data.draw(st.sampled_from(sorted(place)) | st.text(max_size=5))] = data.draw(JSON)
    try:
        forged = sealed(content)
    except ValueError:  # no strict JSON: shown to the parser as it is
        forged = json.dumps(content).encode()
    try:
        parse_manifest(forged)
    except ArtefactError as error:
        assert "\n" not in str(error)


@given(st.binary(max_size=300), st.integers(0, 2000), st.integers(0, 20))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_spliced_manifests_raise_nothing_else(whole: bytes, noise: bytes, at: int, cut: int) -> None:
    forged = whole[:at] + noise + whole[at + cut :]
    if forged != whole:
        with pytest.raises(ArtefactError):
            parse_manifest(forged)


def agrees_with_the_library(data: bytes) -> bool:
    """Parse; what is accepted must be what the safetensors library reads."""
    try:
        ours = parse_tensors(data, "file")
    except ArtefactError:
        return False
    theirs = load(data)
    assert sorted(theirs) == list(ours)
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], strict=True)
    return True


@given(st.binary(max_size=300), st.integers(0, 250), st.integers(0, 20))
@settings(max_examples=300, deadline=None)
def test_spliced_tensors_raise_nothing_else(noise: bytes, at: int, cut: int) -> None:
    good = tiny_weights()
    assert agrees_with_the_library(good)
    agrees_with_the_library(good[:at] + noise + good[at + cut :])
    agrees_with_the_library(noise)


@given(
    st.dictionaries(
        st.text("ab_metad", max_size=3),
        st.fixed_dictionaries(
            {
                "dtype": st.sampled_from(["F32", "F16", "U8", "BOOL", "I64", "BF16", "F8_E4M3"]),
                "shape": st.lists(st.integers(-1, 6), max_size=3),
                "data_offsets": st.lists(st.integers(0, 24), min_size=2, max_size=2).map(sorted),
            }
        )
        | JSON,
        max_size=3,
    ),
    st.binary(min_size=24, max_size=24),
)
@settings(max_examples=300, deadline=None)
def test_fuzzed_headers_raise_nothing_else(entries: dict[str, Any], body: bytes) -> None:
    agrees_with_the_library(header(**entries)[:-24] + body)
