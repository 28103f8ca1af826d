"""The manifest: a round trip, a worked example of its bytes, and every key made to lie in every way."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stancewire.artefact import FileRef, Manifest
from stancewire.calibration import Calibration
from stancewire.doubt import Abstention, Conformal
from stancewire.errors import ArtefactError
from stancewire.manifest import MAX_BYTES, parse_manifest
from tests.tiny import sealed, tiny_manifest

FREE = ("model", "metrics", "provenance")
SAMPLES: dict[str, Any] = {
    "null": None,
    "truth": True,
    "number": 3,
    "text": "x",
    "list": ["x"],
    "object": {"x": "x"},
}


def complete(**changes: object) -> Manifest:
    fields: dict[str, Any] = {
        "files": {"weights.safetensors": FileRef("a" * 64, 10)},
        "abstention": Abstention(0.9, (0.7, 0.0, 1.0), (0.2, 1.0, 0.0)),
    }
    return tiny_manifest(**(fields | changes))


def content() -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(complete().to_bytes())
    return parsed


def refused(data: bytes) -> str:
    with pytest.raises(ArtefactError) as caught:
        parse_manifest(data, "m.json")
    message = str(caught.value)
    assert message.startswith("m.json")
    assert "\n" not in message
    assert len(message) < 700
    return message


def strict_objects(value: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all objects whose keys are fixed."""
    yield path
    for key, inner in value.items():
        if isinstance(inner, dict) and key not in FREE:
            yield from strict_objects(inner, (*path, key))


def keys() -> list[tuple[str, ...]]:
    """The paths of every key in a fixed object, its free content aside."""
    everything = content()
    return [(*path, key) for path in strict_objects(everything) for key in at(everything, path)]


def at(value: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """The object at a path."""
    for key in path:
        value = value[key]
    return value


def kind(value: object) -> str:
    kinds = {bool: "truth", int: "number", float: "number", str: "text", list: "list", dict: "object"}
    return "null" if value is None else kinds[type(value)]


def other_kinds() -> list[tuple[tuple[str, ...], str]]:
    """Every key with every kind of value that it may not hold; only two may be null too."""
    pairs = [
        (path, sample)
        for path in keys()
        for sample in SAMPLES
        if sample != kind(at(content(), path[:-1])[path[-1]])
    ]
    return [pair for pair in pairs if pair not in ((("chunking",), "null"), (("abstention",), "null"))]


def name(part: tuple[str, ...] | str) -> str:
    return part if isinstance(part, str) else ".".join(part) or "top"


def with_value(path: tuple[str, ...], value: object) -> bytes:
    """A sealed manifest with one value replaced."""
    everything = content()
    at(everything, path[:-1])[path[-1]] = value
    return sealed(everything)


def test_round_trip_is_exact_and_canonical() -> None:
    manifest = complete(
        thresholds=(0.1 + 0.2, 1 / 3, 1.0), metrics={"x": 1e-300, "y": 5e-324, "z": 2**53 + 1}
    )
    data = manifest.to_bytes()
    assert parse_manifest(data) == manifest
    assert parse_manifest(data).to_bytes() == data
    assert parse_manifest(data).thresholds[0] == 0.30000000000000004


def test_order_of_insertion_leaves_no_trace() -> None:
    a = complete(metrics={"a": 1, "b": 2}, provenance={"x": {"p": 1, "q": 2}})
    b = complete(metrics={"b": 2, "a": 1}, provenance={"x": {"q": 2, "p": 1}})
    assert a.to_bytes() == b.to_bytes()


def test_no_chunking_is_null() -> None:
    manifest = complete(chunking=None)
    assert json.loads(manifest.to_bytes())["chunking"] is None
    assert parse_manifest(manifest.to_bytes()).chunking is None


@given(
    st.lists(st.floats(1e-9, 1.0), min_size=3, max_size=3),
    st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3),
)
@settings(max_examples=50, deadline=None)
def test_every_figure_reads_back_to_the_last_bit(thresholds: list[float], intercept: list[float]) -> None:
    manifest = complete(
        thresholds=tuple(thresholds), calibration=Calibration("platt", (1.0, 1.0, 1.0), tuple(intercept))
    )
    again = parse_manifest(manifest.to_bytes())
    assert repr((again.thresholds, again.calibration)) == repr((manifest.thresholds, manifest.calibration))


@pytest.mark.parametrize("path", keys(), ids=name)
def test_a_missing_key(path: tuple[str, ...]) -> None:
    everything = content()
    del at(everything, path[:-1])[path[-1]]
    data = sealed(everything) if path != ("sha256",) else json.dumps(everything).encode()
    # Without its one name a codebook still has names, and without its one file a manifest has none to read.
    if path == ("codebook", "names", "arms_trade"):
        assert parse_manifest(data).codebook.names == {}
        return
    message = refused(data)
    assert path[-1] in message or path[:1] == ("files",)


@pytest.mark.parametrize("path", list(strict_objects(content())), ids=name)
def test_an_unknown_key(path: tuple[str, ...]) -> None:
    everything = content()
    at(everything, path)["surprise"] = "x"
    if path == ("codebook", "names"):
        assert parse_manifest(sealed(everything)).codebook.names["surprise"] == "x"
        return
    message = refused(sealed(everything))
    assert "surprise" in message


@pytest.mark.parametrize(("path", "sample"), other_kinds(), ids=name)
def test_a_value_of_another_kind(path: tuple[str, ...], sample: str) -> None:
    if path == ("sha256",):
        data = json.dumps(content() | {"sha256": SAMPLES[sample]}).encode()
    else:
        data = with_value(path, SAMPLES[sample])
    message = refused(data)
    assert path[0] in message


@pytest.mark.parametrize("path", keys(), ids=name)
def test_a_duplicate_key(path: tuple[str, ...]) -> None:
    data = complete().to_bytes()
    everything = content()
    marker = "\u2063here\u2063"
    parent = at(everything, path[:-1])
    twice = copy.deepcopy(parent[path[-1]])
    parent[marker] = twice
    text = json.dumps(everything, ensure_ascii=False)
    assert text.count(marker) == 1
    message = refused(text.replace(marker, path[-1]).encode())
    assert "twice" in message
    assert path[-1] in message
    assert parse_manifest(data)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("format_version",), 0),
        (("format_version",), 1.0),
        (("format_version",), -1),
        (("name",), ""),
        (("name",), "a/b"),
        (("name",), ".."),
        (("name",), "x" * 201),
        (("name",), "a\n"),
        (("task",), "sentiment"),
        (("family",), "Linear"),
        (("family",), "os.system"),
        (("labels",), []),
        (("labels",), ["arms_trade", "sanctions", "diplomacy"]),
        (("labels",), ["arms_trade", "arms_trade", "diplomacy"]),
        (("labels",), ["", "arms_trade", "diplomacy"]),
        (("labels",), [" arms_trade", "diplomacy", "sanctions"]),
        (("labels",), ["arms_trade\u001b[2J", "diplomacy", "sanctions"]),
        (("labels",), ["arms_trade", "diplomacy", 3]),
        (("labels",), ["arms_trade", "diplomacy"]),
        (("labels",), ["arms_trade", "diplomacy", "sanctions", "war"]),
        (("labels",), [f"label{n:05}" for n in range(1001)]),
        (("codebook", "sha256"), "A" * 64),
        (("codebook", "sha256"), "0" * 63),
        (("codebook", "names", "arms_trade"), ""),
        (("thresholds", "diplomacy"), 0),
        (("thresholds", "diplomacy"), 0.0),
        (("thresholds", "diplomacy"), -0.5),
        (("thresholds", "diplomacy"), 1.0000001),
        (("thresholds", "diplomacy"), "0.5"),
        (("calibration", "method"), "isotonic"),
        (("calibration", "method"), "none"),
        (("calibration", "slope", "sanctions"), 0.0),
        (("calibration", "slope", "sanctions"), -1.0),
        (("calibration", "slope", "sanctions"), 1e7),
        (("calibration", "intercept", "sanctions"), -1e7),
        (("abstention", "keep_precision"), 1.5),
        (("abstention", "decided", "diplomacy"), -0.1),
        (("abstention", "decided", "diplomacy"), 1.1),
        (("abstention", "undecided", "diplomacy"), 1.1),
        (("abstention", "undecided"), None),
        (("task",), "stance"),
        (("input", "max_chars"), 0),
        (("input", "max_chars"), 10**8),
        (("input", "max_chars"), 100.0),
        (("input", "max_chars"), True),
        (("chunking", "tokens"), 0),
        (("chunking", "stride"), 129),
        (("chunking", "max_chunks"), 0),
        (("files",), {}),
        (("files", "weights.safetensors", "sha256"), "g" * 64),
        (("files", "weights.safetensors", "bytes"), 0),
        (("files", "weights.safetensors", "bytes"), -1),
        (("files", "weights.safetensors", "bytes"), MAX_BYTES + 1),
        (("files", "weights.safetensors", "bytes"), 10.0),
    ],
)
def test_a_value_out_of_range(path: tuple[str, ...], value: object) -> None:
    refused(with_value(path, value))


@pytest.mark.parametrize("figure", ["NaN", "Infinity", "-Infinity", "1e999", "1" * 400])
@pytest.mark.parametrize(
    "path",
    [
        ("thresholds", "diplomacy"),
        ("calibration", "slope", "diplomacy"),
        ("metrics", "macro_f1"),
        ("model", "rows"),
    ],
    ids=name,
)
def test_a_figure_that_is_none(path: tuple[str, ...], figure: str) -> None:
    everything = content()
    at(everything, path[:-1])[path[-1]] = "\u2063"
    refused(json.dumps(everything, ensure_ascii=False).replace('"\u2063"', figure).encode())


def test_too_many_files_and_too_many_bytes_in_all() -> None:
    ref = {"sha256": "a" * 64, "bytes": 1}
    assert "65" in refused(with_value(("files",), {f"f{n}": ref for n in range(65)}))
    half = {"sha256": "a" * 64, "bytes": MAX_BYTES // 2 + 1}
    assert f"{MAX_BYTES:,}" in refused(with_value(("files",), {"a": half, "b": half}))


def test_a_newer_version_says_upgrade_whatever_else_it_holds() -> None:
    everything = content() | {"format_version": 2, "quantisation": "int4"}
    del everything["thresholds"]
    message = refused(sealed(everything))
    assert "upgrade stancewire" in message
    assert "2" in message


@pytest.mark.parametrize("data", [b"[]", b"3", b"null", b"{}", b'{"format": "mlflow"}', b"", b"\x80\x04\x95"])
def test_another_format_is_named(data: bytes) -> None:
    refused(data)


def test_one_changed_value_or_blank_is_a_digest_mismatch() -> None:
    data = complete().to_bytes()
    for old, new in [(b'"rows": 3', b'"rows": 4'), (b'"rows": 3', b'"rows":  3'), (b"}\n", b"}")]:
        changed = data[: data.rindex(old)] + new + data[data.rindex(old) + len(old) :]
        assert changed != data
        assert "digest mismatch" in refused(changed)


@pytest.mark.parametrize(
    "changes",
    [
        {"thresholds": (0.5, 0.5)},
        {"thresholds": (0.5, 0.5, float("nan"))},
        {"thresholds": (0.5, 0.5, np.float32(0.5))},
        {"calibration": Calibration.identity(2)},
        {"labels": ("b", "a", "c")},
        {"labels": ("a", "a", "c")},
        {"labels": ()},
        {"metrics": {"f1": float("nan")}},
        {"metrics": {"f1": np.float32(1)}},
        {"metrics": {3: 1}},
        {"provenance": {"folder": object()}},
        {"name": "a b"},
        {"max_chars": 0},
        {"max_chars": True},
        {"chunking": {"tokens": 3}},
        {"files": {}},
        {"conformal": Conformal(0.9, 0.5)},
        {"abstention": Abstention(0.9, (0.5,) * 2, (0.5,) * 2)},
        {"abstention": Abstention(0.9, (0.5,) * 3, None)},
        {"abstention": Abstention(0.9, (0.5, 0.5, float("nan")), (0.5,) * 3)},
    ],
)
def test_nothing_is_written_that_could_not_be_read(changes: dict[str, Any]) -> None:
    with pytest.raises(ArtefactError):
        replace(complete(), **changes).to_bytes()


def test_no_abstention_is_null_and_a_stance_has_none_where_it_is_undecided() -> None:
    assert json.loads(complete(abstention=None).to_bytes())["abstention"] is None
    assert parse_manifest(complete(abstention=None).to_bytes()).abstention is None
    stance = complete(task="stance", abstention=Abstention(0.9, (0.5,) * 3, None))
    assert parse_manifest(stance.to_bytes()) == stance
    assert json.loads(stance.to_bytes())["abstention"]["undecided"] is None


def stance_content() -> dict[str, Any]:
    stance = complete(
        task="stance", abstention=Abstention(0.9, (0.5,) * 3, None), conformal=Conformal(0.9, 1 / 3)
    )
    assert parse_manifest(stance.to_bytes()) == stance
    parsed: dict[str, Any] = json.loads(stance.to_bytes())
    return parsed


def test_sets_are_of_stances_alone() -> None:
    assert json.loads(complete().to_bytes())["conformal"] is None
    assert "expected null for topics" in refused(with_value(("conformal",), {"level": 0.9, "quantile": 0.5}))


@pytest.mark.parametrize(
    "section",
    [
        {"level": 0.9},
        {"quantile": 0.5},
        {"level": 0.9, "quantile": 0.5, "method": "aps"},
        {"level": 1.1, "quantile": 0.5},
        {"level": 0.9, "quantile": -0.1},
        {"level": 0.9, "quantile": 1.1},
        {"level": True, "quantile": 0.5},
        {"level": 0.9, "quantile": "0.5"},
        [0.9, 0.5],
        0.9,
    ],
)
def test_sets_that_lie(section: object) -> None:
    assert "conformal" in refused(sealed(stance_content() | {"conformal": section}))
    assert parse_manifest(sealed(stance_content() | {"conformal": None})).conformal is None


def test_the_documentation_names_every_key() -> None:
    documentation = (Path(__file__).parents[3] / "docs" / "artefact.md").read_text(encoding="utf-8")
    assert {"level", "quantile"} <= set(re.findall(r"\w+", documentation))
    named = {path[-1] for path in keys()} - {*tiny_manifest().labels, "weights.safetensors"}
    assert len(named) > 20
    assert sorted(named - set(re.findall(r"\w+", documentation))) == []


def test_figures_are_named_with_both_counts() -> None:
    with pytest.raises(ArtefactError, match="2 thresholds for 3 labels"):
        replace(complete(), thresholds=(0.5, 0.5)).to_bytes()
