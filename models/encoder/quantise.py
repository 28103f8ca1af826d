"""A graph in int8: the products with weights, and the table of tokens, in 8 bits; all else stays in fp32.

Static quantisation: what a product reads gets one step for all, learned from sequences of train, so that an
answer cannot hang on what else is asked. Three things keep it near the graph in fp32:

- Weights have a step for every column, and 7 of the 8 bits: processors without int8 instructions add up two
  products in 16 bits, and cut what does not fit (64 times 255, twice, fits).
- Channels that reach far are made smaller before they are rounded, and their weights larger (SmoothQuant,
  Xiao et al. 2023); how much, each product is asked for by itself.
- What moves the scores most for its size stays in fp32, as much as is needed until the scores of other
  sequences of train are near, but no more than half. The parity gate has the last word.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, numpy_helper

from stancewire.runtime.batching import Ids
from stancewire.runtime.onnx import OnnxSession, import_onnxruntime

Floats = NDArray[np.float32]
Inputs = dict[str, Ids]

# How much of a channel's reach goes over to its weights; 0: none of it.
_SHARES = (0.0, 0.5, 0.6, 0.7, 0.8, 0.9)
_WEIGHT_STEPS, _INPUT_STEPS, _TABLE_STEPS = 64, 255, 127
# Vectors kept of a sequence, by which the shares are chosen.
_VECTORS = 24
# Scores are near where what they differ by is this share of what they vary by. Of rows that the network has
# learned: those of others move by half as much again.
NEAR = 0.01
# Sequences that every source is tried on.
_TRIED = 8
# Of the weights of products, the share that may stay in fp32.
_MOST_LEFT_OUT = 0.5
_LEAST = 1e-5


@dataclass
class _Source:
    """A tensor that products read: which, and what sequences showed of it.

    Attributes:
        products: that read it.
        low: float32 [n_channels], the least of each channel.
        high: likewise, the most.
        vectors: float32 [n, n_channels] of each sequence.
    """

    products: list[NodeProto] = field(default_factory=list)
    low: Floats = field(default_factory=lambda: np.array([np.inf], np.float32))
    high: Floats = field(default_factory=lambda: np.array([-np.inf], np.float32))
    vectors: list[Floats] = field(default_factory=list)

    def see(self, values: Floats) -> None:
        """Take in the values of a sequence, float32 [..., n_channels]."""
        values = values.reshape(-1, values.shape[-1])
        self.low = np.minimum(self.low, values.min(axis=0))
        self.high = np.maximum(self.high, values.max(axis=0))
        self.vectors.append(values[:: max(1, len(values) // _VECTORS)][:_VECTORS].copy())


@dataclass(frozen=True)
class _Plan:
    """How a source becomes int8.

    Attributes:
        smooth: float32 [n_channels], what its channels are divided by.
        step: of its integers.
        zero: the integer that stands for 0.
        error: share of the products' answers that is then amiss, added up.
    """

    smooth: Floats
    step: float
    zero: int
    error: float


def quantised(graph: bytes, sequences: Sequence[Inputs], threads: int = 1) -> bytes:
    """Return a graph in int8; equal for equal arguments.

    Args:
        graph: an ONNX file in fp32, of inputs by name and "scores".
        sequences: inputs of some sequences of train; every other one of them judges.
        threads: of the processor.
    """
    seen, judges = sequences[::2], sequences[1::2] or sequences
    model = onnx.load_from_string(graph)
    weights, sources = _weights(model), _sources(model)
    _look(model, sources, seen, threads)
    plans = {name: _plan(source, weights) for name, source in sources.items()}
    sizes = {
        name: sum(weights[node.input[1]].size for node in source.products) for name, source in sources.items()
    }

    tried = seen[:_TRIED]
    wanted = _scores(graph, tried, threads)
    harm = {}
    for name, plan in plans.items():
        alone = _written(graph, {name: plan}, with_table=False)
        harm[name] = distance(wanted, _scores(alone, tried, threads)) ** 2
    chosen = sorted(sources, key=lambda name: harm[name] / sizes[name])
    least = (1 - _MOST_LEFT_OUT) * sum(sizes.values())
    wanted = _scores(graph, judges, threads)
    while True:
        made = _written(graph, {name: plans[name] for name in chosen}, with_table=True)
        # Errors of many products add up as squares: where that is too much, nobody need be asked.
        near = sum(harm[name] for name in chosen) <= NEAR**2
        if near and distance(wanted, _scores(made, judges, threads)) <= NEAR:
            return made
        if sum(sizes[name] for name in chosen[:-1]) < least or not chosen:
            return made
        chosen.pop()


def distance(wanted: Floats, found: Floats) -> float:
    """Return the mean square distance of scores, its root, as a share of what the wanted ones vary by."""
    varies = float(np.sqrt(np.mean((wanted - wanted.mean(axis=0)) ** 2)))
    return float(np.sqrt(np.mean((wanted - found) ** 2))) / max(varies, _LEAST)


def _weights(model: ModelProto) -> dict[str, Floats]:
    """Return the matrices of a graph by name."""
    return {
        one.name: numpy_helper.to_array(one)
        for one in model.graph.initializer
        if len(one.dims) == 2 and one.data_type == onnx.TensorProto.FLOAT
    }


def _is_product(node: NodeProto, weights: dict[str, Floats]) -> bool:
    return node.op_type == "MatMul" and node.input[1] in weights and node.input[0] not in weights


def _is_lookup(node: NodeProto, weights: dict[str, Floats]) -> bool:
    return node.op_type == "Gather" and node.input[1] == "input_ids" and node.input[0] in weights


def _sources(model: ModelProto) -> dict[str, _Source]:
    """Return what the products with weights read. A Gemm is of one vector a sequence: the head, a pooler."""
    weights, sources = _weights(model), dict[str, _Source]()
    for node in model.graph.node:
        if _is_product(node, weights):
            sources.setdefault(node.input[0], _Source()).products.append(node)
    return sources


def _look(model: ModelProto, sources: dict[str, _Source], sequences: Sequence[Inputs], threads: int) -> None:
    """Let every source see its values in these sequences."""
    onnxruntime = import_onnxruntime()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = threads, 4
    open_model = ModelProto()
    open_model.CopyFrom(model)
    for name in sources:
        open_model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    session = onnxruntime.InferenceSession(
        open_model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    for inputs in sequences if sources else ():
        for source, values in zip(sources.values(), session.run(list(sources), inputs), strict=True):
            source.see(values)


def _scores(graph: bytes, sequences: Sequence[Inputs], threads: int) -> Floats:
    session = OnnxSession(graph, "the graph in training", threads=threads)
    return np.concatenate([session.run(inputs) for inputs in sequences])


def _plan(source: _Source, weights: dict[str, Floats]) -> _Plan:
    """Return the plan under which the products' answers differ least from those in fp32."""
    matrices = [weights[node.input[1]] for node in source.products]
    return min((_with_share(source, matrices, share) for share in _SHARES), key=lambda plan: plan.error)


def _with_share(source: _Source, matrices: list[Floats], share: float) -> _Plan:
    reach = np.maximum(np.maximum(-source.low, source.high), _LEAST)
    weigh = np.maximum(np.max([np.abs(matrix).max(axis=1) for matrix in matrices], axis=0), _LEAST)
    smooth = np.ones_like(reach)
    if share:
        smooth = reach**share / weigh ** (1 - share)
        smooth = (smooth / np.exp(np.log(smooth).mean())).astype(np.float32)
    low, high = min(float((source.low / smooth).min()), 0.0), max(float((source.high / smooth).max()), 0.0)
    step = float(np.float32(max(high - low, _LEAST) / _INPUT_STEPS))
    zero = round(-low / step)
    vectors = np.concatenate(source.vectors)
    integers = np.clip(np.rint(vectors / smooth / step) + zero, 0, _INPUT_STEPS)
    read = ((integers - zero) * step).astype(np.float32)
    error = 0.0
    for matrix in matrices:
        columns, steps = _rounded(matrix * smooth[:, None], 0, _WEIGHT_STEPS)
        right = vectors @ matrix
        amiss = float(np.linalg.norm(read @ (columns * steps) - right))
        error += amiss / max(float(np.linalg.norm(right)), _LEAST)
    return _Plan(smooth, step, zero, error)


def _rounded(matrix: Floats, axis: int, most: int) -> tuple[NDArray[np.int8], Floats]:
    """Return integers from -most to most, and the step of each column (axis 0) or row (1), to multiply by."""
    steps = np.maximum(np.abs(matrix).max(axis=axis, keepdims=True), _LEAST) / np.float32(most)
    return np.rint(matrix / steps).astype(np.int8), steps


class _Writer:
    """A graph that is being rewritten: new nodes stand before the node for which they are made."""

    def __init__(self, graph: bytes) -> None:
        self.model = onnx.load_from_string(graph)
        self.weights = _weights(self.model)

    def constant(self, name: str, value: NDArray[np.generic] | np.generic) -> str:
        """Add a constant; return its name."""
        self.model.graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def rewrite(self, nodes: Iterator[NodeProto]) -> bytes:
        """Take these nodes for those that were, drop weights that none of them reads, return the file."""
        graph = self.model.graph
        kept = list(nodes)
        del graph.node[:]
        graph.node.extend(kept)
        read = {name for node in kept for name in node.input}
        constants = [one for one in graph.initializer if one.name in read]
        del graph.initializer[:]
        graph.initializer.extend(constants)
        return bytes(self.model.SerializeToString(deterministic=True))


def _written(graph: bytes, plans: dict[str, _Plan], *, with_table: bool) -> bytes:
    """Return the graph with what reads these sources, and perhaps the table of tokens, in int8."""
    writer = _Writer(graph)
    started: set[str] = set()

    def nodes() -> Iterator[NodeProto]:
        for node in list(writer.model.graph.node):
            source = node.input[0] if node.input else ""
            if source in plans and _is_product(node, writer.weights):
                if source not in started:
                    yield from _quantise_input(writer, source, plans[source])
                started.add(source)
                yield _quantise_weights(writer, node, plans[source].smooth)
                node.input[0], node.input[1] = f"{source}/int8", f"{node.output[0]}/weights"
                yield node
            elif with_table and _is_lookup(node, writer.weights):
                yield from _quantise_table(writer, node)
            else:
                yield node

    return writer.rewrite(nodes())


def _quantise_input(writer: _Writer, name: str, plan: _Plan) -> Iterator[NodeProto]:
    """Yield the nodes that round a source; every product that reads it shares them."""
    read = name
    if (plan.smooth != 1).any():
        read = f"{name}/smooth"
        factor = writer.constant(f"{name}/factor", (1 / plan.smooth).astype(np.float32))
        yield onnx.helper.make_node("Mul", [name, factor], [read])
    numbers = [
        writer.constant(f"{name}/step", np.float32(plan.step)),
        writer.constant(f"{name}/zero", np.uint8(plan.zero)),
    ]
    yield onnx.helper.make_node("QuantizeLinear", [read, *numbers], [f"{name}/integers"])
    yield onnx.helper.make_node("DequantizeLinear", [f"{name}/integers", *numbers], [f"{name}/int8"])


def _quantise_weights(writer: _Writer, node: NodeProto, smooth: Floats) -> NodeProto:
    """Return the node that stands for a product's weights."""
    name = f"{node.output[0]}/weights"
    integers, steps = _rounded(writer.weights[node.input[1]] * smooth[:, None], 0, _WEIGHT_STEPS)
    numbers = [
        writer.constant(f"{name}/integers", integers),
        writer.constant(f"{name}/steps", steps[0]),
        writer.constant(f"{name}/zeros", np.zeros(len(steps[0]), np.int8)),
    ]
    return onnx.helper.make_node("DequantizeLinear", numbers, [name], axis=1)


def _quantise_table(writer: _Writer, node: NodeProto) -> Iterator[NodeProto]:
    """Yield the nodes that look up tokens in a table of integers, with a step for every token."""
    table, ids = node.input
    integers, steps = _rounded(writer.weights[table], 1, _TABLE_STEPS)
    found = node.output[0]
    for part, value in (("integers", integers), ("steps", steps)):
        constant = writer.constant(f"{table}/{part}", value)
        yield onnx.helper.make_node("Gather", [constant, ids], [f"{found}/token/{part}"])
    number, step = f"{found}/token/number", f"{found}/token/steps"
    yield onnx.helper.make_node("Cast", [f"{found}/token/integers"], [number], to=onnx.TensorProto.FLOAT)
    yield onnx.helper.make_node("Mul", [number, step], [found])
