from __future__ import annotations

import json
from types import MappingProxyType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stancewire.strictjson import MAX_DEPTH, JsonValue, StrictJsonError, dumps, loads

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


def parse(data: bytes | str) -> JsonValue:
    return loads(data, max_bytes=10_000_000)


def reason(data: bytes | str, **options: int) -> str:
    with pytest.raises(StrictJsonError) as caught:
        loads(data, **({"max_bytes": 10_000_000} | options))
    assert len(str(caught.value)) < 200
    return caught.value.reason


@given(VALUES)
@settings(max_examples=200, deadline=None)
def test_what_is_written_reads_back_equal_and_is_written_alike(value: JsonValue) -> None:
    data = dumps(value)
    assert loads(data, max_bytes=len(data)) == value
    assert loads(data.decode(), max_bytes=len(data)) == value
    assert dumps(loads(data, max_bytes=len(data))) == data


@given(st.binary(max_size=200) | st.text(max_size=200) | st.text('{}[]":,\\ud8E-19.ntf \ufeff', max_size=60))
@settings(max_examples=500, deadline=None)
def test_only_strict_json_error_escapes_and_what_passes_is_json(data: bytes | str) -> None:
    try:
        value = loads(data, max_bytes=10_000, max_depth=8)
    except StrictJsonError:
        return
    assert value == json.loads(data)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ("", "syntax"),
        ("{", "syntax"),
        ("[1,]", "syntax"),
        ("{'a': 1}", "syntax"),
        ("1 2", "syntax"),
        ('"\t"', "syntax"),
        (b"\xff", "encoding"),
        ("{}".encode("utf-16"), "encoding"),
        (b'"\xed\xa0\x80"', "encoding"),
        (b"\x80\x04\x95", "encoding"),
        (b"\xef\xbb\xbf{}", "bom"),
        ("\ufeff{}", "bom"),
        ("NaN", "constant"),
        ("[Infinity]", "constant"),
        ('{"a": -Infinity}', "constant"),
        ("1e999", "number_range"),
        ("-1e999", "number_range"),
        ("9223372036854775808", "number_range"),
        ("-9223372036854775808", "number_range"),
        ("1" * 5000, "number_range"),
        ('{"a": 1, "a": 1}', "duplicate_key"),
        ('[{"b": {"": 1, "": 2}}]', "duplicate_key"),
        ('{"a": 1, "\\u0061": 2}', "duplicate_key"),
        (r'"\ud800"', "surrogate"),
        (r'{"\udC00": 1}', "surrogate"),
        (r'["\udc00\ud800"]', "surrogate"),
        ('"\ud800"', "surrogate"),
        ("[" * 100_000, "depth"),
        ("[" * 100_000 + "]" * 100_000, "depth"),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, "depth"),
    ],
)
def test_reasons(data: bytes | str, code: str) -> None:
    assert reason(data) == code


def test_depth_is_counted_in_containers() -> None:
    deepest = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    assert dumps(parse(deepest))
    assert reason(f"[{deepest}]") == "depth"
    assert loads("[[1], [2]]", max_bytes=100, max_depth=2) == [[1], [2]]
    assert reason('[{"a": 1}]', max_depth=1) == "depth"
    wide = json.dumps([[]] * 1000)
    assert loads(wide, max_bytes=10_000, max_depth=2) == [[]] * 1000


def test_brackets_and_surrogate_pairs_in_texts_are_no_fault() -> None:
    assert parse(json.dumps("[{" * 1000)) == "[{" * 1000
    assert parse(r'"\ud83d\ude00"') == "😀"
    assert parse(r'"\\ud800"') == r"\ud800"


def test_size_is_looked_at_in_bytes_before_parsing() -> None:
    assert reason(b"[" * 11, max_bytes=10) == "too_large"
    assert reason('"ééééé"', max_bytes=10) == "too_large"
    assert loads('"éééé"', max_bytes=10) == "éééé"


def test_integers_stay_integers_and_floats_floats() -> None:
    parsed = parse("[1, 1.0, -0, 9223372036854775807, 0.1]")
    assert repr(parsed) == "[1, 1.0, 0, 9223372036854775807, 0.1]"


def test_canonical_bytes() -> None:
    value = MappingProxyType({"b": (1, 2.5), "a": {"é": None, "Z": True}})
    assert (
        dumps(value) == '{\n "a": {\n  "Z": true,\n  "é": null\n },\n "b": [\n  1,\n  2.5\n ]\n}\n'.encode()
    )


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (float("nan"), "constant"),
        ([float("inf")], "constant"),
        ({1: 2}, "type"),
        ({None: 2}, "type"),
        ({"a": {1, 2}}, "type"),
        (b"bytes", "type"),
        (np.float32(1.0), "type"),
        (np.int64(1), "type"),
        (np.zeros(2), "type"),
        (2**63, "number_range"),
        ("\udc80", "surrogate"),
        ({"\ud800": 1}, "surrogate"),
    ],
)
def test_what_cannot_be_read_back_is_not_written(value: object, code: str) -> None:
    with pytest.raises(StrictJsonError) as caught:
        dumps(value)
    assert caught.value.reason == code


def test_a_cycle_is_too_deep() -> None:
    cycle: list[object] = []
    cycle.append(cycle)
    with pytest.raises(StrictJsonError) as caught:
        dumps(cycle)
    assert caught.value.reason == "depth"
