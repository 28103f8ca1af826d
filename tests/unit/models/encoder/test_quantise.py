"""The graph in int8: near the one in fp32, smaller, equal for equal rows, and deaf to what else is asked."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.encoder.config import EncoderConfig
from models.encoder.export import GRAPH, GRAPH_INT8, int8_of, sample
from models.encoder.family import EncoderFamily
from models.encoder.quantise import Inputs, distance, quantised
from models.fewshot.config import FewshotConfig
from models.fewshot.family import FewshotFamily
from stancewire.runtime.graph import check_graph
from stancewire.runtime.onnx import OnnxSession
from tests.unit.models.backbones import quick, quick_few
from tests.unit.models.rows import stance_rows, topics_rows


@cache
def fitted(task: str, head: str = "mean") -> EncoderFamily:
    rows = topics_rows() if task == "topics" else stance_rows()
    config = EncoderConfig.model_validate(quick(epochs=1, tokens=48, quantise=True, head=head))
    return EncoderFamily(config, seed=1).fit(rows, rows)


@cache
def graphs(task: str, head: str = "mean") -> tuple[bytes, bytes]:
    """The graph in fp32 and in int8."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        section = fitted(task, head).export(Path(folder))
        assert section["variants"] == {"fp32": GRAPH, "int8": GRAPH_INT8}
        return (Path(folder) / GRAPH).read_bytes(), (Path(folder) / GRAPH_INT8).read_bytes()


def scores(graph: bytes, inputs: Inputs) -> Any:  # noqa: ANN401 - an array
    return OnnxSession(graph, "g", threads=1).run(inputs)


def batch(rows: int, length: int, vocabulary: int) -> Inputs:
    chance = np.random.default_rng(rows)
    ids = chance.integers(5, vocabulary, (rows, length))
    ones = np.ones_like(ids)
    return {"input_ids": ids, "attention_mask": ones, "token_type_ids": ones - 1}


def vocabulary(graph: bytes) -> int:
    constants = onnx.load_from_string(graph).graph.initializer
    return max(int(one.dims[0]) for one in constants if "word_embeddings" in one.name)


@pytest.mark.parametrize(("task", "head"), [("stance", "mean"), ("topics", "first")])
def test_scores_are_near_those_in_fp32(task: str, head: str) -> None:
    plain, small = graphs(task, head)
    inputs = batch(40, 20, vocabulary(plain))
    assert 0 < np.abs(scores(plain, inputs) - scores(small, inputs)).max() < 0.05


def test_the_file_is_one_checked_graph_of_integers() -> None:
    plain, small = graphs("stance")
    assert check_graph(small, "m", n_scores=3, n_tokens=vocabulary(plain))
    model = onnx.load_from_string(small)
    onnx.checker.check_model(model, full_check=True)
    of_int8 = [one for one in model.graph.initializer if one.data_type == TensorProto.INT8]
    products = [one for one in of_int8 if one.name.endswith("/weights/integers")]
    assert len(products) >= 6, "of the 12 of two layers"
    assert all(np.abs(numpy_helper.to_array(one)).max() <= 64 for one in products), "two fit into 16 bits"
    (table,) = [one for one in of_int8 if "word_embeddings" in one.name]
    assert table.dims[0] == vocabulary(plain)
    assert all(node.domain in ("", "ai.onnx") for node in model.graph.node)
    assert b".py" not in small
    with pytest.raises(Exception, match="expected an embedding of"):
        check_graph(small, "m", n_scores=3, n_tokens=vocabulary(plain) + 1)


def test_an_answer_does_not_hang_on_the_batch() -> None:
    plain, small = graphs("stance")
    inputs = batch(12, 20, vocabulary(plain))
    inputs["attention_mask"][3, 7:] = 0
    inputs["input_ids"][3, 7:] = 0
    together = scores(small, inputs)
    for row in range(12):
        length = 7 if row == 3 else 20
        alone = scores(small, {name: one[row : row + 1, :length] for name, one in inputs.items()})
        np.testing.assert_allclose(alone[0], together[row], atol=1e-4)


def test_equal_rows_and_seeds_make_equal_files() -> None:
    family, (plain, small) = fitted("stance"), graphs("stance")
    again = sample(stance_rows(), family.seed)
    assert int8_of(family.learned_, plain, again, family.seed) == small
    assert sample(stance_rows(), 2) != again


def test_the_config_may_leave_it_out(tmp_path: Path) -> None:
    rows = stance_rows()
    family = EncoderFamily(EncoderConfig.model_validate(quick(epochs=1)), seed=1).fit(rows, rows)
    assert "variants" not in family.export(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [GRAPH, "tokenizer.json"]


def test_the_few_shot_family_has_it_too(tmp_path: Path) -> None:
    rows = stance_rows(24)
    family = FewshotFamily(FewshotConfig.model_validate(quick_few(steps=2, quantise=True)), seed=1)
    assert family.fit(rows, rows).export(tmp_path)["variants"]["int8"] == GRAPH_INT8
    assert (tmp_path / GRAPH_INT8).is_file()


def graph_of(body: Callable[[Any], list[Any]], width: int = 64) -> bytes:
    """A graph whose tokens, of a table, go through products and are added up."""
    chance = np.random.default_rng(0)
    weights: dict[str, Any] = {
        "table": chance.normal(size=(200, width)),
        "up": chance.normal(size=(width, 2 * width)),
        "down": chance.normal(size=(2 * width, width)) / 8,
        "head": chance.normal(size=(width, 2)),
    }
    nodes = [
        helper.make_node("Gather", ["table", "input_ids"], ["x"]),
        *body(weights),
        helper.make_node("ReduceMean", ["y"], ["mean"], axes=[1], keepdims=0),
        helper.make_node("Gemm", ["mean", "head"], ["scores"]),
    ]
    ports = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "length"])
        for name in ("input_ids", "attention_mask")
    ]
    out = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 2])
    constants = [numpy_helper.from_array(one.astype(np.float32), name) for name, one in weights.items()]
    graph = helper.make_graph(nodes, "g", ports, [out], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def asked(graph: bytes, count: int = 24) -> list[Inputs]:
    names = [port.name for port in onnx.load_from_string(graph).graph.input]
    return [
        {name: one[:, : 5 + number % 9] for name, one in batch(1, 14, 200 - number).items() if name in names}
        for number in range(count)
    ]


def integers(graph: bytes) -> set[str]:
    """What products have int8 weights."""
    constants = onnx.load_from_string(graph).graph.initializer
    return {one.name.split("/")[0] for one in constants if one.name.endswith("/weights/integers")}


def feed_forward(weights: Any) -> list[Any]:  # noqa: ANN401 - arrays by name
    return [
        helper.make_node("MatMul", ["x", "up"], ["inner"]),
        helper.make_node("Relu", ["inner"], ["active"]),
        helper.make_node("MatMul", ["active", "down"], ["y"]),
    ]


def test_one_matrix_of_two_products_is_rounded_for_each() -> None:
    def body(weights: Any) -> list[Any]:  # noqa: ANN401 - as above
        first = [("MatMul", ["x", "up"], ["a"]), ("MatMul", ["a", "down"], ["b"]), ("Add", ["b", "x"], ["z"])]
        again = helper.make_node("MatMul", ["z", "up"], ["inner"])
        return [*(helper.make_node(*one) for one in first), again, *feed_forward(weights)[1:]]

    plain = graph_of(body)
    small = quantised(plain, asked(plain))
    check_graph(small, "m", n_scores=2, n_tokens=200)
    wanted, found = (np.concatenate([scores(one, each) for each in asked(plain)]) for one in (plain, small))
    assert distance(wanted, found) < 0.05


def test_what_moves_the_scores_most_stays_in_fp32() -> None:
    def body(weights: Any) -> list[Any]:  # noqa: ANN401 - as above
        # One channel reaches so far, at one token, that the others fall between two integers.
        weights["up"][:, 0] *= 3000 * (np.arange(len(weights["up"])) == 0)
        weights["down"][0] *= 1e-3
        return feed_forward(weights)

    plain = graph_of(body)
    assert integers(quantised(plain, asked(plain))) == {"inner"}


def test_products_of_what_is_made_on_the_way_stay() -> None:
    plain = onnx.load_from_string(graph_of(feed_forward))
    for name in ("up", "down"):
        plain.graph.node.insert(0, helper.make_node("Identity", [name], [f"made-{name}"]))
    for node in plain.graph.node:
        if node.op_type == "MatMul":
            node.input[1] = f"made-{node.input[1]}"
    content = bytes(plain.SerializeToString())
    assert integers(quantised(content, asked(content))) == set()


def test_few_sequences_are_enough() -> None:
    plain = graph_of(feed_forward)
    assert integers(quantised(plain, asked(plain, 1)))
