"""Read safetensors bytes as read-only numpy views: what the header claims is checked before it is believed.

Format: https://huggingface.co/docs/safetensors. Stricter than it in two points: the header is strict JSON,
and every float is finite. For the format a NaN or a flipped bit in a weight is well-formed, so both are
looked for here: the first in this file, the second by digest in stancewire.artefact.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancewire.errors import ArtefactError
from stancewire.section import Section, listed, shown
from stancewire.strictjson import JsonValue, StrictJsonError, loads

Array = NDArray[Any]

MAX_HEADER_BYTES = 4_000_000
_LENGTH_BYTES = 8
_MAX_DIMENSIONS = 8
_DTYPES = {
    "BOOL": np.dtype("?"),
    "U8": np.dtype("u1"),
    "I8": np.dtype("i1"),
    "U16": np.dtype("<u2"),
    "I16": np.dtype("<i2"),
    "F16": np.dtype("<f2"),
    "U32": np.dtype("<u4"),
    "I32": np.dtype("<i4"),
    "F32": np.dtype("<f4"),
    "U64": np.dtype("<u8"),
    "I64": np.dtype("<i8"),
    "F64": np.dtype("<f8"),
}


def parse_tensors(data: bytes, where: str) -> dict[str, Array]:
    """Return the tensors of a safetensors file by name, read-only and sharing memory with `data`.

    Args:
        data: the whole file.
        where: its path, for messages.

    Raises:
        ArtefactError: for anything but a complete safetensors file of finite numbers in numpy's types.
    """
    header, start = _header(data, where)
    header.pop("__metadata__", None)
    spans = {name: _Span(entry, f"{where}: tensor {shown(name)}") for name, entry in sorted(header.items())}
    end = start
    for span in sorted(spans.values(), key=lambda span: (span.begin, span.end)):
        if start + span.begin != end:
            raise ArtefactError(
                f"{span.where}: expected to start at byte {end - start:,}, found {span.begin:,}"
            )
        end = start + span.end
    if end != len(data):
        raise ArtefactError(
            f"{where}: tensors claim {end - start:,} bytes, the file holds {len(data) - start:,}"
        )
    return {name: span.view(data, start) for name, span in spans.items()}


class _Span:
    """Where one tensor lies, its own three figures found to agree."""

    def __init__(self, entry: JsonValue, where: str) -> None:
        section = Section(entry, where, ("dtype", "shape", "data_offsets"))
        self.where = where
        self.dtype = _DTYPES[section.choice("dtype", *_DTYPES)]
        self.shape = section.integers("shape", at_most=_MAX_DIMENSIONS)
        offsets = section.integers("data_offsets", at_most=2)
        if len(offsets) != 2:
            raise ArtefactError(f"{where}: expected two data_offsets, found {len(offsets)}")
        self.begin, self.end = offsets
        claimed = math.prod(self.shape) * self.dtype.itemsize
        if self.end - self.begin != claimed:
            raise ArtefactError(
                f"{where}: its shape needs {claimed:,} bytes, its offsets {self.end - self.begin:,}"
            )

    def view(self, data: bytes, start: int) -> Array:
        """Return the tensor as a view on the file's bytes."""
        count = math.prod(self.shape)
        array = np.frombuffer(data, np.uint8, count * self.dtype.itemsize, start + self.begin)
        if self.dtype == np.bool_ and array.size and array.max() > 1:
            raise ArtefactError(f"{self.where}: a truth value other than 0 and 1")
        tensor: Array = array.view(self.dtype).reshape(self.shape)
        if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
            bad = int(tensor.size - np.isfinite(tensor).sum())
            raise ArtefactError(
                f"{self.where}: {bad:,} of {tensor.size:,} figures are NaN or infinite; train it again"
            )
        return tensor


def _header(data: bytes, where: str) -> tuple[dict[str, JsonValue], int]:
    """Return the parsed header, and where the tensors' bytes start."""
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    start = _LENGTH_BYTES + length
    if len(data) < _LENGTH_BYTES or start > len(data) or data[_LENGTH_BYTES : _LENGTH_BYTES + 1] != b"{":
        raise ArtefactError(
            f"{where}: expected safetensors, found {len(data):,} bytes that claim a header of {length:,}; "
            "export the weights as safetensors"
        )
    if length > MAX_HEADER_BYTES:
        raise ArtefactError(
            f"{where}: its header claims {length:,} bytes, at most {MAX_HEADER_BYTES:,} are read"
        )
    try:
        header = loads(data[_LENGTH_BYTES:start], max_bytes=MAX_HEADER_BYTES)
    except StrictJsonError as error:
        raise ArtefactError(f"{where}: the safetensors header is refused: {error}") from None
    if not isinstance(header, dict):
        raise ArtefactError(f"{where}: the safetensors header is not an object")
    if strange := [name for name in header if not name.isprintable() or not name]:
        raise ArtefactError(f"{where}: tensor names must be printable, found {listed(strange)}")
    return header, start
