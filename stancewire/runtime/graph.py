"""What an ONNX file holds, found before any engine opens it.

An engine that reads a graph may open other files that it names, run operators that are no part of ONNX, or
never come to an end in a loop. So the file is walked here first, in the few fields of its protocol buffers
that tell of such things. Nothing is copied: weights are looked at where they lie.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from stancewire.errors import ArtefactError
from stancewire.runtime.protobuf import MalformedError, fields, integers, nested, text
from stancewire.section import listed, shown

MAX_NODES = 20_000
MAX_TENSORS = 20_000
_FLOAT, _INT64 = 1, 7
_INPUTS = ("input_ids", "attention_mask")
_OUTPUT = "scores"
# Bytes of one number, and numpy's name where NaN may hide, by TensorProto.DataType.
_BYTES = {1: 4, 2: 1, 3: 1, 4: 2, 5: 2, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 12: 4, 13: 8, 16: 2}
_FLOATS = {1: "<f4", 10: "<f2", 11: "<f8"}
# Fields of a TensorProto that hold floats without their raw bytes.
_TYPED = {4: "<f4", 10: "<f8"}
_NAMES = {1: "float32", 6: "int32", 7: "int64", 10: "float16", 11: "float64", 16: "bfloat16"}
_DOMAINS = ("", "ai.onnx")
# An answer must not depend on chance.
_RANDOM = {
    "RandomNormal",
    "RandomNormalLike",
    "RandomUniform",
    "RandomUniformLike",
    "Multinomial",
    "Bernoulli",
}


@dataclass(frozen=True, slots=True)
class Port:
    """An input or output of a graph: its name, type and dimensions, None where they vary."""

    name: str
    kind: int
    shape: tuple[int | None, ...]


@dataclass(slots=True)
class _Found:
    """What is met on the way: counts, shapes of weights, and those in which tokens are looked up."""

    nodes: int = 0
    tensors: int = 0
    shapes: dict[str, list[int]] = field(default_factory=dict)
    embeddings: list[str] = field(default_factory=list)


def check_graph(data: bytes, where: str, *, n_scores: int, n_tokens: int) -> bool:
    """Refuse a graph that is no encoder of this package, or reaches beyond itself.

    Args:
        data: the ONNX file.
        where: its path, for messages.
        n_scores: columns of its output.
        n_tokens: how many token ids it is asked about; not every engine looks where an id points.

    Returns:
        Whether it takes `token_type_ids`.

    Raises:
        ArtefactError: with what is wrong.
    """
    try:
        graph = _model(memoryview(data), n_tokens)
        inputs, outputs = _ports(graph)
        return _check_ports(inputs, outputs, n_scores)
    except MalformedError as error:
        raise ArtefactError(f"{where}: {error}; export the model again") from None


def _model(data: memoryview, n_tokens: int) -> memoryview:
    """Walk the whole file and return its one graph."""
    graphs: list[memoryview] = []
    for number, _, value in fields(data):
        if number == 7:
            graphs.append(nested(value))
        elif number in (20, 25):
            raise MalformedError(
                "expected operators of ONNX alone, found functions or training steps of its own"
            )
    if len(graphs) != 1:
        raise MalformedError(f"expected an ONNX file of one graph, found {len(graphs)}")
    _check_content(graphs[0], n_tokens)
    return graphs[0]


def _check_content(graph: memoryview, n_tokens: int) -> None:
    found = _Found()
    for number, _, value in fields(graph):
        if number == 1:
            found.nodes += 1
            if found.nodes > MAX_NODES:
                raise MalformedError(f"expected at most {MAX_NODES:,} operators, found more")
            _check_node(nested(value), found)
        elif number == 5:
            _check_tensor(nested(value), found)
        elif number == 15:
            raise MalformedError("expected dense weights, found sparse ones")
    for name in found.embeddings:
        if name in found.shapes and (found.shapes[name] or [0])[0] < n_tokens:
            raise MalformedError(f"{shown(name)}: expected an embedding of {n_tokens:,} tokens, found fewer")


def _check_node(node: memoryview, found: _Found) -> None:
    inputs: list[str] = []
    kind = ""
    for number, _, value in fields(node):
        if number == 1:
            inputs.append(text(value))
        if number == 7 and (domain := text(value)) not in _DOMAINS:
            raise MalformedError(f"expected operators of ONNX alone, found one of {shown(domain)}")
        if number == 4:
            kind = text(value)
        if number == 5:
            _check_attribute(nested(value), found)
    if kind in _RANDOM:
        raise MalformedError(f"expected operators that answer alike every time, found {shown(kind)}")
    if kind == "Gather" and inputs[1:] == ["input_ids"]:
        found.embeddings.append(inputs[0])


def _check_attribute(attribute: memoryview, found: _Found) -> None:
    for number, _, value in fields(attribute):
        if number in (6, 11):
            raise MalformedError("expected a plain graph, found one with loops or branches")
        if number in (22, 23):
            raise MalformedError("expected dense weights, found sparse ones")
        if number in (5, 10):
            _check_tensor(nested(value), found)


def _check_tensor(tensor: memoryview, found: _Found) -> None:
    """Refuse weights that lie elsewhere, are fewer or more than is claimed, or are no numbers."""
    found.tensors += 1
    if found.tensors > MAX_TENSORS:
        raise MalformedError(f"expected at most {MAX_TENSORS:,} weights, found more")
    parts = list(fields(tensor))
    name = "".join(text(value) for number, _, value in parts if number == 8)
    if any(number == 13 or (number == 14 and value != 0) for number, _, value in parts):
        raise MalformedError(
            f"{shown(name)}: expected all weights inside the file, found some in another one"
        )
    if any(number == 6 for number, _, _ in parts):
        raise MalformedError(f"{shown(name)}: expected numbers, found texts")
    kind = next((value for number, _, value in reversed(parts) if number == 2), 0)
    dims = [size for number, wire, value in parts if number == 1 for size in integers(wire, value)]
    found.shapes[name] = dims
    for number, _, value in parts:
        if number in _TYPED:
            _check_numbers(nested(value), _TYPED[number], name)
        elif number == 9:
            _check_raw(nested(value), dims, kind, name)


def _check_raw(raw: memoryview, dims: list[int], kind: int | memoryview, name: str) -> None:
    if isinstance(kind, memoryview) or kind not in _BYTES:
        raise MalformedError(f"{shown(name)}: expected weights of a known type, found type {shown(kind)}")
    size = _BYTES[kind] * math.prod(dims)
    if min(dims, default=0) < 0 or len(raw) != size:
        raise MalformedError(f"{shown(name)}: expected {dims} weights in {size:,} bytes, found {len(raw):,}")
    if kind in _FLOATS:
        _check_numbers(raw, _FLOATS[kind], name)


def _check_numbers(raw: memoryview, dtype: str, name: str) -> None:
    if len(raw) % np.dtype(dtype).itemsize:
        raise MalformedError(f"{shown(name)}: half a number at its end")
    numbers = np.frombuffer(raw, dtype)
    # One infinity alone is how some exporters write "never look there"; among weights it is damage.
    if np.isnan(numbers).any() or (len(numbers) > 1 and not np.isfinite(numbers).all()):
        raise MalformedError(f"{shown(name)}: expected finite weights, found NaN or infinity")


def _ports(graph: memoryview) -> tuple[dict[str, Port], dict[str, Port]]:
    """Return the inputs and outputs by name."""
    ports: dict[int, dict[str, Port]] = {11: {}, 12: {}}
    for number, _, value in fields(graph):
        if number in ports:
            port = _port(nested(value))
            ports[number][port.name] = port
    return ports[11], ports[12]


def _port(data: memoryview) -> Port:
    name, kind = "", 0
    shape: list[int | None] = []
    for number, _, value in fields(data):
        if number == 1:
            name = text(value)
        for inner, _, tensor in fields(nested(value)) if number == 2 else ():
            for part, _, content in fields(nested(tensor)) if inner == 1 else ():
                if part == 1 and isinstance(content, int):
                    kind = content
                elif part == 2:
                    shape = [_size(nested(dim)) for field, _, dim in fields(nested(content)) if field == 1]
    return Port(name, kind, tuple(shape))


def _size(dimension: memoryview) -> int | None:
    """Return a fixed dimension; None for one that varies."""
    return next(
        (value for number, _, value in fields(dimension) if number == 1 and isinstance(value, int)), None
    )


def _check_ports(inputs: dict[str, Port], outputs: dict[str, Port], n_scores: int) -> bool:
    typed = "token_type_ids" in inputs
    wanted = [*_INPUTS, "token_type_ids"] if typed else list(_INPUTS)
    if sorted(inputs) != sorted(wanted):
        raise MalformedError(f"expected the inputs {listed(wanted)}, found {listed(inputs)}")
    for port in inputs.values():
        if (port.kind, port.shape) != (_INT64, (None, None)):
            raise MalformedError(f"{port.name}: expected int64 [any, any], found {_described(port)}")
    if list(outputs) != [_OUTPUT]:
        raise MalformedError(f"expected the one output '{_OUTPUT}', found {listed(outputs)}")
    scores = outputs[_OUTPUT]
    # An exporter that cannot follow a dimension leaves it open; the first answer is checked as well.
    if (scores.kind, len(scores.shape)) != (_FLOAT, 2) or scores.shape not in (
        (None, n_scores),
        (None, None),
    ):
        raise MalformedError(f"{_OUTPUT}: expected float32 [any, {n_scores}], found {_described(scores)}")
    return typed


def _described(port: Port) -> str:
    sizes = ", ".join("any" if size is None else f"{size:,}" for size in port.shape)
    return f"{_NAMES.get(port.kind, f'type {port.kind}')} [{sizes}]"
