"""Strict YAML: what is read, what is refused and with which words, and that a dump reads back equal."""

from __future__ import annotations

import math
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stancewire.errors import StancewireError
from training.yaml import MAX_BYTES, MAX_DEPTH, ConfigError, Plain, dump_yaml, parse_yaml

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False)
    | TEXTS
    | st.sampled_from(
        ["no", "yes", "on", "~", "null", "3e-4", "010", "0x1F", "2024-01-01", ".nan", "<<", "a: b"]
    )
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


def read(text: str) -> Plain:
    return parse_yaml(text.encode(), "c.yaml").data


def problems(source: str | bytes) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(source.encode() if isinstance(source, str) else source, "c.yaml")
    return list(caught.value.problems)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("False", False),
        ("3e-4", 3e-4),
        ("1e3", 1e3),
        ("010", 10),
        ("0x1F", 31),
        ("0o17", 15),
        ("1_000", 1000),
        ("-7", -7),
        ("+7", 7),
        (".inf", math.inf),
        ("~", None),
        ("", None),
        ("'7'", "7"),
        ("007x", "007x"),
        ("2024-01-01", "2024-01-01"),
        ("2001-12-14t21:59:43.10-05:00", "2001-12-14t21:59:43.10-05:00"),
        ("1.2.3", "1.2.3"),
        ("[no, 1, {a: b}]", ["no", 1, {"a": "b"}]),
    ],
)
def test_values_are_yaml_1_2(text: str, value: Plain) -> None:
    found = read(f"key: {text}\n")
    assert isinstance(found, dict)
    assert found == {"key": value}
    assert type(found["key"]) is type(value)


def test_nan_is_a_number() -> None:
    found = read("a: .nan")
    assert isinstance(found, dict)
    assert isinstance(found["a"], float)
    assert math.isnan(found["a"])


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("a: 1\nb: {c: 1, c: 2}\na: 2", ["line 2: 'c' is set twice", "line 3: 'a' is set twice"]),
        ("a: &x 1\nb: *x", ["line 1: anchors", "line 2: anchors and aliases are refused"]),
        ("!!python/object/apply:os.system ['x']", ["line 1: tags"]),
        ("a: !!str 1", ["line 1: tags"]),
        ("%YAML 1.1\n---\na: no", ["directives such as %YAML"]),
        ("%TAG ! tag:x,2000:\n---\na: 1", ["directives"]),
        ("---\na: 1\n---\nb: 2", ["wanted one document, got 2"]),
        ("a:\n\t- 1", ["line 2: found character '\\t' that cannot start any token; indent with blanks"]),
        ("a: [1", ["line 1: expected ',' or ']'"]),
        ("a: b: c", ["line 1: mapping values are not allowed here"]),
        ("", ["empty file"]),
        ("# a comment", ["empty file"]),
        ("? [a]\n: 1", ["line 1: wanted a text as key"]),
        ("a: <<", ["line 1: '<<' reads as a merge; quote it"]),
        ('a: "\\ud800"', ["line 1: a text holds a lone surrogate"]),
        (f"a: {'9' * 5000}", ["line 1: wanted a whole number"]),
        (b"a: \xff", ["wanted UTF-8, got another byte at 3"]),
        ("a: 1\n".encode("utf-16"), ["wanted UTF-8"]),
        ("a: \x00", ["special characters are not allowed"]),
    ],
)
def test_what_is_refused_is_told_with_its_line(source: str | bytes, says: list[str]) -> None:
    found = problems(source)
    assert len(found) == len(says)
    for text, part in zip(found, says, strict=True):
        assert part in text


def test_an_alias_bomb_is_refused_before_it_expands() -> None:
    levels = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    found = problems("\n".join(["a0: &a0 [x, x, x]", *levels]))
    assert all("anchors and aliases" in text for text in found)


def test_very_many_problems_make_no_flood() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(b"- *a\n" * 60, "c.yaml")
    assert len(caught.value.problems) == 60
    lines = str(caught.value).splitlines()
    assert (len(lines), lines[0], lines[-1]) == (52, "c.yaml: 60 problems; nothing was run", "  and 10 more")


def test_depth_and_size_are_bounded() -> None:
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    assert problems("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1)) == [
        f"line 1: wanted at most {MAX_DEPTH} levels, got more"
    ]
    assert "levels" in problems("[" * 100_000)[0]
    assert problems(b"#" * (MAX_BYTES + 1)) == ["wanted at most 1,000,000 bytes, got 1,000,001"]


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert parse_yaml(b"\xef\xbb\xbfa: 1", "c.yaml").data == {"a": 1}


def test_lines_are_known_by_path() -> None:
    lines = parse_yaml(b"a: 1\n\nb:\n  c:\n    - x\n    - y\n", "c.yaml").lines
    assert (lines["a",], lines["b",], lines["b", "c"], lines["b", "c", 1]) == (1, 3, 4, 6)


def test_tags_load_nothing() -> None:
    before = set(sys.modules)
    problems("a: !!python/module:xmlrpc.server x\nb: !!python/name:os.system x")
    assert set(sys.modules) - before == set()


def test_blanks_of_a_long_text_survive() -> None:
    value = f"{'word ' * 15}  {'word  ' * 30}end"
    assert read(dump_yaml({"a": value})) == {"a": value}


@given(VALUES)
@settings(max_examples=150, deadline=None)
def test_what_is_dumped_reads_back_equal(value: Plain) -> None:
    wrapped: Plain = {"value": value}
    assert read(dump_yaml(wrapped)) == wrapped


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_read_or_refused(source: bytes) -> None:
    try:
        parse_yaml(source, "c.yaml")
    except StancewireError as error:
        assert str(error).startswith("c.yaml: ")
