"""Weights in 8 bits: rounded in the trained network before it is calibrated and judged, kept so in its file.

A matrix that tokens are multiplied by gets one step for each of its outputs, the table of token embeddings
one for each token; every weight becomes one of the 255 multiples of its step from -127 to 127. The network
that is calibrated, judged and shipped is the rounded one: nothing is lost between it and its file, in which
the same weights take a quarter of the room. Engines multiply them out again, or compute with the integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import NodeProto, helper, numpy_helper
from torch import Tensor, nn
from transformers import PreTrainedModel

Floats = NDArray[np.float32]
Integers = NDArray[np.int8]

_MOST = 127
_LEAST = np.float32(1e-12)
# Weights that are this near to their multiples, as a share of the step, are taken for rounded ones.
_NEAR = 1e-3


@torch.no_grad()
def round_weights(backbone: PreTrainedModel) -> None:
    """Round the matrices of a model that is on the processor, in place."""
    table = backbone.get_input_embeddings()
    for layer in backbone.modules():
        if layer is table or isinstance(layer, nn.Linear):
            weight = cast(Tensor, layer.weight)
            integers, steps = rounded(weight.numpy(), axis=1)
            weight.copy_(torch.from_numpy(integers * steps))


def rounded(matrix: Floats, axis: int) -> tuple[Integers, Floats]:
    """Return integers [n, m], and the step that all along an axis share: [n, 1] for 1, [1, m] for 0."""
    steps = np.maximum(np.abs(matrix).max(axis=axis, keepdims=True), _LEAST) / np.float32(_MOST)
    return np.rint(matrix / steps).astype(np.int8), steps


def compact(graph: bytes) -> bytes:
    """Return an ONNX graph whose rounded weights are stored as integers; what is not rounded stays."""
    model = onnx.load_from_string(graph)
    weights = {
        one.name: numpy_helper.to_array(one)
        for one in model.graph.initializer
        if len(one.dims) == 2 and one.data_type == onnx.TensorProto.FLOAT
    }
    made: dict[str, Integers | Floats] = {}
    nodes = [new for node in model.graph.node for new in _compact(node, weights, made)]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    read = {name for node in nodes for name in node.input}
    constants = [one for one in model.graph.initializer if one.name in read]
    constants += [numpy_helper.from_array(value, name) for name, value in made.items()]
    del model.graph.initializer[:]
    model.graph.initializer.extend(constants)
    return bytes(model.SerializeToString(deterministic=True))


def _compact(
    node: NodeProto, weights: dict[str, Floats], made: dict[str, Integers | Floats]
) -> Iterator[NodeProto]:
    """Yield what stands for a node: itself, and before it what makes floats of the integers that it reads."""
    name = next((name for name in node.input if name in weights), "")
    if node.op_type == "MatMul" and name == node.input[1]:
        if f"{name}/integers" not in made and (found := _integers(weights[name], axis=0)):
            made[f"{name}/integers"], steps = found
            made[f"{name}/steps"] = steps[0]
            parts = [f"{name}/integers", f"{name}/steps"]
            yield helper.make_node("DequantizeLinear", parts, [f"{name}/floats"], axis=1)
        if f"{name}/integers" in made:
            node.input[1] = f"{name}/floats"
        yield node
    elif node.op_type == "Gather" and node.input[1] == "input_ids" and name == node.input[0]:
        yield from _look_up(node, name, weights, made)
    else:
        yield node


def _look_up(
    node: NodeProto, table: str, weights: dict[str, Floats], made: dict[str, Integers | Floats]
) -> Iterator[NodeProto]:
    """Yield the nodes that look tokens up in a table of integers, each with its step."""
    found = _integers(weights[table], axis=1)
    if not found:
        yield node
        return
    vectors = node.output[0]
    made[f"{table}/integers"], made[f"{table}/steps"] = found
    for part in ("integers", "steps"):
        yield helper.make_node("Gather", [f"{table}/{part}", "input_ids"], [f"{vectors}/{part}"])
    yield helper.make_node("Cast", [f"{vectors}/integers"], [f"{vectors}/floats"], to=onnx.TensorProto.FLOAT)
    yield helper.make_node("Mul", [f"{vectors}/floats", f"{vectors}/steps"], [vectors])


def _integers(matrix: Floats, axis: int) -> tuple[Integers, Floats] | None:
    """Return the integers and steps of weights that are rounded; None where they are not."""
    integers, steps = rounded(matrix, axis)
    return (integers, steps) if (np.abs(matrix - integers * steps) <= _NEAR * steps).all() else None
