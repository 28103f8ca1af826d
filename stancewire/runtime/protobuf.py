"""Read protocol buffers field by field, without a schema and without a copy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

# Number, wire type, value: an integer, or the bytes of anything else.
Field: TypeAlias = tuple[int, int, int | memoryview]


class MalformedError(ValueError):
    """What is wrong with a file, in words."""


def fields(data: memoryview) -> Iterator[Field]:
    """Yield number, wire type and value of every field of a protocol buffer."""
    at, end = 0, len(data)
    while at < end:
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        value: int | memoryview
        if wire == 0:
            value, at = _varint(data, at)
        elif wire in (1, 2, 5):
            size, at = _varint(data, at) if wire == 2 else (8 if wire == 1 else 4, at)
            if size > end - at:
                raise MalformedError("expected an ONNX file, found it cut or of another kind")
            value, at = data[at : at + size], at + size
        else:
            raise MalformedError("expected an ONNX file, found another kind")
        yield number, wire, value


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return an unsigned integer and where the next field begins."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise MalformedError("expected an ONNX file, found it cut or of another kind")


def integers(wire: int, value: int | memoryview) -> list[int]:
    """Return signed integers, packed or alone."""
    found = []
    if isinstance(value, int):
        found.append(value)
    elif wire == 2:
        at = 0
        while at < len(value):
            number, at = _varint(value, at)
            found.append(number)
    return [number - 2**64 if number >= 2**63 else number for number in found]


def nested(value: int | memoryview) -> memoryview:
    """Return the bytes of a message, text or packed list."""
    if isinstance(value, int):
        raise MalformedError("expected an ONNX file, found another kind")
    return value


def text(value: int | memoryview) -> str:
    """Return a text; what is no UTF-8 in it is replaced."""
    return bytes(nested(value)).decode("utf-8", "replace")
