"""Strict JSON (RFC 8259 with I-JSON's limits, RFC 7493): what Python's json would wave through is refused.

Refused: NaN and Infinity, numbers that overflow, integers beyond 64 bits, duplicate keys, lone surrogates, a
byte order mark, deep nesting, and anything over a size that the caller states. Writing is canonical: equal
values give equal bytes.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping
from typing import Literal, Never, TypeAlias

JsonValue: TypeAlias = bool | int | float | str | list["JsonValue"] | dict[str, "JsonValue"] | None

Reason = Literal[
    "too_large",
    "encoding",
    "bom",
    "syntax",
    "depth",
    "duplicate_key",
    "constant",
    "number_range",
    "surrogate",
    "type",
]

MAX_DEPTH = 64
_MAX_INT = 2**63 - 1
_MAX_INT_DIGITS = 19
_LONGEST_KEY = 40
_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class StrictJsonError(ValueError):
    """A text is not strict JSON, or a value cannot be written as such.

    Attributes:
        reason: a stable code, for counting rejects.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason


def loads(data: bytes | str, *, max_bytes: int, max_depth: int = MAX_DEPTH) -> JsonValue:
    """Parse one JSON document.

    Args:
        data: UTF-8 bytes, or text.
        max_bytes: longest document to parse, in bytes of UTF-8; a longer one is refused unparsed.
        max_depth: deepest nesting of arrays and objects.

    Raises:
        StrictJsonError: for anything else than one strict document; nothing else escapes.
    """
    text = _text(data, max_bytes)
    try:
        value: JsonValue = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise StrictJsonError("syntax", f"not JSON: {error.msg} at {where}") from None
    except RecursionError:
        raise _too_deep(max_depth) from None
    # Most documents cannot hold either fault, and a count tells: only the others are walked.
    if text.count("[") + text.count("{") > max_depth or _SURROGATE_ESCAPE.search(text):
        _check_tree(value, max_depth)
    return value


def dumps(value: object) -> bytes:
    """Write canonical JSON: sorted keys, UTF-8, floats that read back exactly, a final newline.

    Mappings become objects, lists and tuples arrays. Whatever `loads` would refuse is refused here.

    Raises:
        StrictJsonError: for non-text keys, NaN, other types (numpy's too), too deep or cyclic values.
    """
    plain = _plain(value, MAX_DEPTH)
    text = json.dumps(plain, sort_keys=True, ensure_ascii=False, allow_nan=False, indent=1)
    return (text + "\n").encode("utf-8")


def _text(data: bytes | str, max_bytes: int) -> str:
    """Return the document as text, its size and encoding checked."""
    if len(data) > max_bytes:
        raise StrictJsonError("too_large", f"{len(data):,} bytes, at most {max_bytes:,} are read")
    try:
        encoded = data.encode("utf-8") if isinstance(data, str) else data
        text = data if isinstance(data, str) else data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise StrictJsonError("encoding", f"not UTF-8 at byte {error.start}") from None
    except UnicodeEncodeError as error:
        raise StrictJsonError("surrogate", f"a lone surrogate at character {error.start}") from None
    if len(encoded) > max_bytes:
        raise StrictJsonError("too_large", f"{len(encoded):,} bytes, at most {max_bytes:,} are read")
    if text.startswith("\ufeff"):
        raise StrictJsonError("bom", "starts with a byte order mark; save it as UTF-8 without one")
    return text


def _object(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
    """Build an object whose keys are unique."""
    built = dict(pairs)
    if len(built) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        # A long key is a text, and texts are never repeated in a message.
        named = f"the key {twice!r}" if len(twice) <= _LONGEST_KEY else f"a key of {len(twice):,} characters"
        raise StrictJsonError("duplicate_key", f"{named} stands twice in one object")
    return built


def _integer(digits: str) -> int:
    # The length is looked at first: int() is quadratic on long texts.
    if len(digits.lstrip("-")) > _MAX_INT_DIGITS or abs(number := int(digits)) > _MAX_INT:
        raise StrictJsonError("number_range", f"an integer of {len(digits)} characters does not fit 64 bits")
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise StrictJsonError("number_range", f"the number {digits[:40]} overflows")
    return number


def _constant(name: str) -> Never:
    raise StrictJsonError("constant", f"{name} is not JSON; write null for a missing number")


# Made once: json.loads makes one a call, which takes as long as to parse a short row.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _too_deep(max_depth: int) -> StrictJsonError:
    return StrictJsonError("depth", f"nested deeper than {max_depth} levels")


def _check_tree(value: JsonValue, max_depth: int) -> None:
    """Refuse deep nesting and lone surrogates, without recursion."""
    level: list[JsonValue] = [value]
    depth = 0
    while level:
        inner: list[JsonValue] = []
        for item in level:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, list):
                inner += item
            elif isinstance(item, dict):
                inner += [*item, *item.values()]
        depth += any(isinstance(item, list | dict) for item in level)
        if depth > max_depth:
            raise _too_deep(max_depth)
        level = inner


def _check_text(text: str) -> None:
    if _SURROGATE.search(text):
        raise StrictJsonError("surrogate", "a text holds a lone surrogate")


def _plain(value: object, levels: int) -> JsonValue:
    """Return the value in json's own types, all of it checked."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        _check_text(value)
        return value
    if isinstance(value, int):
        if abs(value) > _MAX_INT:
            raise StrictJsonError("number_range", "an integer does not fit 64 bits")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise StrictJsonError(
                "constant", f"{value} cannot be written as JSON; write None for a missing number"
            )
        return value
    return _plain_container(value, levels)


def _plain_container(value: object, levels: int) -> JsonValue:
    if levels <= 0:
        raise _too_deep(MAX_DEPTH)
    if isinstance(value, list | tuple):
        return [_plain(item, levels - 1) for item in value]
    if isinstance(value, Mapping):
        built: dict[str, JsonValue] = {}
        for key, item in value.items():
            if not isinstance(key, str):
                raise StrictJsonError("type", f"an object's key is a {type(key).__name__}, not a text")
            _check_text(key)
            built[key] = _plain(item, levels - 1)
        return built
    raise StrictJsonError("type", f"a {type(value).__name__} cannot be written as JSON; convert it first")
