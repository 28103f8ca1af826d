"""Weights in 8 bits: what is rounded, that its file loses nothing of it, and how near engines come."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from models.encoder.config import EncoderConfig
from models.encoder.export import GRAPH
from models.encoder.family import EncoderFamily
from models.encoder.quantise import compact, round_weights, rounded
from models.fewshot.config import FewshotConfig
from models.fewshot.family import FewshotFamily
from stancewire.runtime.batching import Ids
from stancewire.runtime.graph import check_graph
from stancewire.runtime.onnx import OnnxSession
from stancewire.runtime.openvino import OpenvinoSession, has_int8
from stancewire.runtime.options import VARIANTS, Variant
from tests.unit.models.backbones import quick, quick_few
from tests.unit.models.rows import stance_rows, topics_rows

Inputs = dict[str, Ids]
PORTS = ("input_ids", "attention_mask")


@cache
def fitted(task: str, head: str = "mean", *, quantise: bool = True) -> EncoderFamily:
    rows = topics_rows() if task == "topics" else stance_rows()
    config = EncoderConfig.model_validate(quick(epochs=1, tokens=48, quantise=quantise, head=head))
    return EncoderFamily(config, seed=1).fit(rows, rows)


@cache
def exported(task: str, head: str = "mean", *, quantise: bool = True) -> bytes:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        section = fitted(task, head, quantise=quantise).export(Path(folder))
        assert section["weights"] == ("int8" if quantise else "fp32")
        return (Path(folder) / GRAPH).read_bytes()


def scores(graph: bytes, inputs: Inputs) -> Any:  # noqa: ANN401 - an array
    return OnnxSession(graph, "g", threads=1).run(inputs)


def batch(rows: int, length: int, vocabulary: int = 200) -> Inputs:
    ids = np.random.default_rng(rows).integers(5, vocabulary, (rows, length))
    ones = np.ones_like(ids)
    return {"input_ids": ids, "attention_mask": ones, "token_type_ids": ones - 1}


def constants(graph: bytes) -> dict[str, Any]:
    return {one.name: numpy_helper.to_array(one) for one in onnx.load_from_string(graph).graph.initializer}


def vocabulary(graph: bytes) -> int:
    return max(len(one) for name, one in constants(graph).items() if "word_embeddings" in name)


@pytest.mark.parametrize(("task", "head"), [("stance", "mean"), ("topics", "first")])
def test_the_file_answers_as_the_network(task: str, head: str) -> None:
    family, graph = fitted(task, head), exported(task, head)
    inputs = batch(20, 20, vocabulary(graph))
    tensors = {name: torch.from_numpy(value) for name, value in inputs.items()}
    with torch.inference_mode():
        wanted = family.learned_.network(**tensors).numpy()
    np.testing.assert_allclose(scores(graph, inputs), wanted, atol=1e-5)


def test_every_matrix_of_the_backbone_is_on_its_grid() -> None:
    network = fitted("stance").learned_.network
    layers = [one for one in network.inner.modules() if isinstance(one, torch.nn.Linear)]
    assert len(layers) == 12, "of two layers"
    table = network.inner.get_input_embeddings()
    for layer in (table, *layers):
        assert isinstance(layer.weight, torch.Tensor)
        assert all(len(torch.unique(row)) <= 255 for row in layer.weight)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    round_weights(network.inner)
    assert all(torch.allclose(before[name], value) for name, value in network.state_dict().items())
    unrounded = fitted("stance", quantise=False).learned_.network.state_dict()
    moved = {name for name, value in before.items() if not torch.equal(value, unrounded[name])}
    assert not any("classifier" in name or "bias" in name or "LayerNorm" in name for name in moved)
    assert len(moved) == 13, "the matrices and the table"


def test_the_file_is_one_checked_graph_of_integers() -> None:
    small, plain = exported("stance"), exported("stance", quantise=False)
    assert check_graph(small, "m", n_scores=3, n_tokens=vocabulary(plain))
    model = onnx.load_from_string(small)
    onnx.checker.check_model(model, full_check=True)
    of_int8 = {one.name for one in model.graph.initializer if one.data_type == TensorProto.INT8}
    assert len(of_int8) == 13
    assert sum("word_embeddings" in name for name in of_int8) == 1
    assert all(node.domain in ("", "ai.onnx") for node in model.graph.node)
    assert b".py" not in small
    assert len(small) < 0.7 * len(plain), "most of a tiny one is its nodes"
    with pytest.raises(Exception, match="expected an embedding of"):
        check_graph(small, "m", n_scores=3, n_tokens=vocabulary(plain) + 1)


def test_what_is_not_rounded_stays_in_fp32() -> None:
    plain = exported("stance", quantise=False)
    assert not [one for one in constants(plain).values() if one.dtype == np.int8]


def test_rounding_moves_scores_little() -> None:
    small, plain = exported("stance"), exported("stance", quantise=False)
    inputs = batch(40, 20, vocabulary(plain))
    assert 0 < np.abs(scores(plain, inputs) - scores(small, inputs)).max() < 0.05


def test_the_few_shot_family_has_it_too(tmp_path: Path) -> None:
    rows = stance_rows(24)
    family = FewshotFamily(FewshotConfig.model_validate(quick_few(steps=2, quantise=True)), seed=1)
    assert family.fit(rows, rows).export(tmp_path)["weights"] == "int8"
    graph = (tmp_path / GRAPH).read_bytes()
    assert sum(one.dtype == np.int8 for one in constants(graph).values()) == 13


@pytest.mark.parametrize("variant", VARIANTS)
def test_openvino_reads_the_same_file(variant: Variant) -> None:
    small = exported("stance")
    inputs = batch(12, 20, vocabulary(small))
    inputs["attention_mask"][3, 8:] = 0
    inputs["input_ids"][3, 8:] = 0
    session = OpenvinoSession(small, "g", threads=1, variant=variant)
    together = session.run(inputs)
    assert np.abs(together - scores(small, inputs)).max() < (1e-4 if variant == "fp32" else 0.05)
    for row in range(12):
        length = 8 if row == 3 else 20
        alone = session.run({name: one[row : row + 1, :length] for name, one in inputs.items()})
        np.testing.assert_allclose(alone[0], together[row], atol=1e-4 if variant == "fp32" else 0.02)


@pytest.mark.skipif(not has_int8(), reason="this processor has no instructions for int8")
def test_openvino_computes_in_int8_only_when_asked() -> None:
    graph = of_body(feed_forward, width=128)
    inputs = batch(8, 16)
    wanted = scores(graph, {name: inputs[name] for name in PORTS})

    def amiss(variant: Variant) -> float:
        found = OpenvinoSession(graph, "g", threads=1, variant=variant).run(
            {"input_ids": inputs["input_ids"]}
        )
        return float(np.abs(found - wanted).max())

    assert amiss("fp32") < 1e-4
    assert amiss("int8") > 1e-3


def of_body(body: Callable[[dict[str, Any]], list[Any]], width: int = 64, *, on_grid: bool = True) -> bytes:
    """A graph, compacted, whose tokens, of a table, go through products and are added up."""
    chance = np.random.default_rng(0)
    weights: dict[str, Any] = {
        "table": chance.normal(size=(200, width)),
        "up": chance.normal(size=(width, 2 * width)),
        "down": chance.normal(size=(2 * width, width)) / 8,
        "head": chance.normal(size=(width, 2)),
    }
    weights = {name: one.astype(np.float32) for name, one in weights.items()}
    for name, axis in (("table", 1), ("up", 0), ("down", 0)) if on_grid else ():
        integers, steps = rounded(weights[name], axis)
        weights[name] = integers * steps
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["x"]),
        *body(weights),
        helper.make_node("ReduceMean", ["y"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("Gemm", ["mean", "head"], ["scores"]),
    ]
    ports = [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "length"]) for name in PORTS]
    out = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 2])
    tensors = [numpy_helper.from_array(one, name) for name, one in weights.items()]
    graph = helper.make_graph(nodes, "g", ports, [out], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return compact(bytes(model.SerializeToString()))


def feed_forward(weights: dict[str, Any]) -> list[Any]:
    return [
        helper.make_node("MatMul", ["x", "up"], ["inner"]),
        helper.make_node("Relu", ["inner"], ["active"]),
        helper.make_node("MatMul", ["active", "down"], ["y"]),
    ]


def integers_of(graph: bytes) -> set[str]:
    return {name.removesuffix("/integers") for name in constants(graph) if name.endswith("/integers")}


def test_one_matrix_of_two_products_is_stored_once() -> None:
    def body(weights: dict[str, Any]) -> list[Any]:
        first = [("MatMul", ["x", "up"], ["a"]), ("MatMul", ["a", "down"], ["b"]), ("Add", ["b", "x"], ["z"])]
        again = helper.make_node("MatMul", ["z", "up"], ["inner"])
        return [*(helper.make_node(*one) for one in first), again, *feed_forward(weights)[1:]]

    graph = of_body(body)
    check_graph(graph, "m", n_scores=2, n_tokens=200)
    assert sorted(name for name in constants(graph) if "up" in name) == ["up/integers", "up/steps"]
    assert np.isfinite(scores(graph, {name: batch(2, 5)[name] for name in PORTS})).all()


def test_products_of_what_is_made_on_the_way_stay() -> None:
    def body(weights: dict[str, Any]) -> list[Any]:
        made = [helper.make_node("Identity", [name], [f"made-{name}"]) for name in ("up", "down")]
        nodes = feed_forward(weights)
        for node in nodes:
            if node.op_type == "MatMul":
                node.input[1] = f"made-{node.input[1]}"
        return [*made, *nodes]

    assert integers_of(of_body(body)) == {"table"}


def test_weights_between_two_integers_stay() -> None:
    assert integers_of(of_body(feed_forward)) == {"table", "up", "down"}
    assert integers_of(of_body(feed_forward, on_grid=False)) == set()


def test_columns_of_zeros_and_of_any_reach() -> None:
    matrix = np.array([[0, 1e-30, 3e30, -1], [0, -1e-30, 1e30, 0.25]], np.float32)
    integers, steps = rounded(matrix, axis=0)
    assert integers.dtype == np.int8
    assert steps.shape == (1, 4)
    assert integers.tolist() == [[0, 0, 127, -127], [0, 0, 42, 32]]
    np.testing.assert_allclose(integers * steps, matrix, rtol=0.01, atol=1e-12)
