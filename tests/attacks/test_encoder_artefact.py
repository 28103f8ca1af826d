"""Graphs and tokenizers that lie, reach out or break: refused unopened, or by one error."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from stancewire.errors import ArtefactError, StancewireError
from stancewire.runtime import encoder
from stancewire.runtime.graph import MAX_NODES, check_graph
from stancewire.runtime.open import open_runtime
from stancewire.runtime.options import RuntimeOptions
from tests.encoders import bert_tokenizer, size_of, tiny_encoder, tiny_graph

ROOT = Path(__file__).resolve().parents[2]
SIZE = size_of(bert_tokenizer())
ORT = RuntimeOptions("onnxruntime", threads=1)
GRAPH = tiny_graph(4).SerializeToString()
Change = Callable[[onnx.ModelProto], object]


def changed(change: Change) -> bytes:
    model = onnx.ModelProto.FromString(GRAPH)
    change(model)
    data: bytes = model.SerializeToString()
    return data


def weight(model: onnx.ModelProto, name: str = "w0") -> onnx.TensorProto:
    found: onnx.TensorProto = next(tensor for tensor in model.graph.initializer if tensor.name == name)
    return found


def outside(model: onnx.ModelProto) -> None:
    tensor = weight(model)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "secret"), ("offset", "0"), ("length", "4")):
        tensor.external_data.add(key=key, value=value)


def outside_in_a_constant(model: onnx.ModelProto) -> None:
    tensor = TensorProto(name="c", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="/etc/passwd")
    model.graph.node.append(helper.make_node("Constant", [], ["c"], value=tensor))


def half_outside(model: onnx.ModelProto) -> None:
    """Says where other weights lie, but not that they count."""
    weight(model).external_data.add(key="location", value="secret")


def endless(model: onnx.ModelProto) -> None:
    body = helper.make_graph([], "body", [], [])
    model.graph.node.append(helper.make_node("Loop", ["", ""], ["x"], body=body))


def branches(model: onnx.ModelProto) -> None:
    node = helper.make_node("If", ["input_ids"], ["x"])
    node.attribute.append(
        onnx.AttributeProto(name="b", type=onnx.AttributeProto.GRAPHS, graphs=[onnx.GraphProto(name="g")])
    )
    model.graph.node.append(node)


def with_nan(model: onnx.ModelProto, value: float = float("nan")) -> None:
    numbers = np.array(numpy_helper.to_array(weight(model)))
    numbers[3, 5] = value
    weight(model).CopyFrom(numpy_helper.from_array(numbers, "w0"))


def typed_nan(model: onnx.ModelProto) -> None:
    weight(model).CopyFrom(TensorProto(name="w0", data_type=1, dims=[2], float_data=[1.0, float("inf")]))


def half_nan(model: onnx.ModelProto) -> None:
    weight(model).CopyFrom(numpy_helper.from_array(np.array([1, np.nan], np.float16), "w0"))


def foreign(domain: str) -> Change:
    return lambda model: model.graph.node.append(helper.make_node("Anything", [], ["x"], domain=domain))


def input_of(name: str, kind: int, shape: list[str | int | None]) -> Change:
    def change(model: onnx.ModelProto) -> None:
        rest = [port for port in model.graph.input if port.name != name]
        del model.graph.input[:]
        model.graph.input.extend([*rest, helper.make_tensor_value_info(name, kind, shape)])

    return change


def output_of(kind: int, shape: list[str | int | None]) -> Change:
    return lambda model: model.graph.output[0].CopyFrom(helper.make_tensor_value_info("scores", kind, shape))


def dims(*sizes: int) -> Change:
    def change(model: onnx.ModelProto) -> None:
        del weight(model).dims[:]
        weight(model).dims.extend(sizes)

    return change


LIES: dict[str, tuple[Change, str]] = {
    "weights elsewhere": (outside, "all weights inside the file"),
    "a constant elsewhere": (outside_in_a_constant, "all weights inside the file"),
    "half elsewhere": (half_outside, "all weights inside the file"),
    "endless": (endless, "found one with loops or branches"),
    "branches": (branches, "found one with loops or branches"),
    "nan": (with_nan, "'w0': expected finite weights"),
    "inf": (lambda model: with_nan(model, float("-inf")), "'w0': expected finite weights"),
    "typed nan": (typed_nan, "'w0': expected finite weights"),
    "half nan": (half_nan, "'w0': expected finite weights"),
    "microsoft": (foreign("com.microsoft"), "expected operators of ONNX alone, found one of 'com.microsoft'"),
    "custom": (foreign("evil"), "found one of 'evil'"),
    "chance": (
        lambda model: model.graph.node.append(helper.make_node("RandomNormal", [], ["x"], shape=[1])),
        "answer alike every time, found 'RandomNormal'",
    ),
    "own operators": (lambda model: model.functions.add(name="f", domain=""), "functions or training steps"),
    "training": (lambda model: model.training_info.add(), "functions or training steps"),
    "sparse": (lambda model: model.graph.sparse_initializer.add(), "found sparse ones"),
    "texts": (
        lambda model: model.graph.initializer.append(TensorProto(name="t", data_type=8, string_data=[b"x"])),
        "'t': expected numbers, found texts",
    ),
    "unknown type": (
        lambda model: setattr(weight(model), "data_type", 99),
        "'w0': expected weights of a known type, found type 99",
    ),
    "fewer": (dims(1), "'w0': expected .* found"),
    "more": (dims(2**40, 2**20), "'w0': expected .* found"),
    "negative": (dims(-1, -32), "'w0': expected .* found"),
    "no ids": (lambda model: model.graph.input.__delitem__(0), "expected the inputs 'input_ids'"),
    "more inputs": (input_of("pixels", TensorProto.INT64, ["n", "l"]), "expected the inputs"),
    "other type": (
        input_of("input_ids", TensorProto.FLOAT, ["n", "l"]),
        "input_ids: expected int64 .*float32",
    ),
    "fixed batch": (input_of("input_ids", TensorProto.INT64, [1, "l"]), r"found int64 \[1, any\]"),
    "fixed length": (input_of("input_ids", TensorProto.INT64, ["n", 128]), r"found int64 \[any, 128\]"),
    "flat": (input_of("input_ids", TensorProto.INT64, ["n"]), r"found int64 \[any\]"),
    "other output": (
        lambda model: setattr(model.graph.output[0], "name", "logits"),
        "the one output 'scores'",
    ),
    "two outputs": (lambda model: model.graph.output.add(name="x"), "the one output 'scores'"),
    "doubles": (
        output_of(TensorProto.DOUBLE, ["n", 4]),
        r"scores: expected float32 \[any, 4\], found float64",
    ),
    "other labels": (output_of(TensorProto.FLOAT, ["n", 3]), r"found float32 \[any, 3\]"),
    "too many": (
        lambda model: model.graph.node.extend(
            [helper.make_node("Identity", ["input_ids"], ["x"])] * MAX_NODES
        ),
        "at most 20,000 operators",
    ),
    "no graph": (lambda model: model.ClearField("graph"), "one graph, found 0"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_graph_that_lies_or_reaches_out_is_refused_unopened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    change, named = LIES[lie]
    (tmp_path / "secret").write_bytes(b"\0" * 4)
    artefact = tiny_encoder(tmp_path, "stance", files={"model.onnx": changed(change)})
    opened: list[object] = []
    monkeypatch.setattr(encoder, "open_session", lambda *rest: opened.append(rest))
    with pytest.raises(ArtefactError, match=rf"model.onnx: .*{named}.*; export the model again") as caught:
        open_runtime(artefact, ORT)
    assert opened == []
    assert "\n" not in str(caught.value)


def test_two_graphs_are_refused() -> None:
    """Readers of protocol buffers merge them: what was checked would not be what is run."""
    with pytest.raises(ArtefactError, match="one graph, found 2"):
        check_graph(GRAPH + GRAPH, "m", n_scores=4, n_tokens=SIZE)


@pytest.mark.parametrize("end", [b"\x12\xff\x01", b"\x12\x02x", b"\x15\0\0", b"\x11\0", b"\x08\xff", b"\x0b"])
def test_a_field_beyond_the_end_is_refused(end: bytes) -> None:
    with pytest.raises(ArtefactError, match=r"expected an ONNX file, found"):
        check_graph(GRAPH + end, "m", n_scores=4, n_tokens=SIZE)


def test_what_is_well_is_taken() -> None:
    assert check_graph(GRAPH, "m", n_scores=4, n_tokens=SIZE)
    assert not check_graph(tiny_graph(4, typed=False).SerializeToString(), "m", n_scores=4, n_tokens=SIZE)
    lone = numpy_helper.from_array(np.array(-np.inf, np.float32), "never")
    assert check_graph(
        changed(lambda model: model.graph.initializer.append(lone)), "m", n_scores=4, n_tokens=SIZE
    )


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=400) | st.binary(max_size=40).map(lambda end: GRAPH[:1000] + end))
def test_any_bytes_are_a_graph_or_one_error(data: bytes) -> None:
    with pytest.raises(ArtefactError, match=r"^m: "):
        check_graph(data, "m", n_scores=4, n_tokens=SIZE)


def test_a_cut_graph_is_refused() -> None:
    for at in range(0, len(GRAPH), len(GRAPH) // 200):
        with pytest.raises(ArtefactError, match=r"^m: "):
            check_graph(GRAPH[:at], "m", n_scores=4, n_tokens=SIZE)


def unknown_operator(model: onnx.ModelProto) -> None:
    model.graph.node[0].op_type = "NoSuchOperator"


def dangling(model: onnx.ModelProto) -> None:
    model.graph.node[3].input[0] = "nowhere"


def small_embedding(model: onnx.ModelProto) -> None:
    weight(model).CopyFrom(numpy_helper.from_array(np.zeros((50, 32), np.float32), "w0"))


def other_shape(model: onnx.ModelProto) -> None:
    """The head answers five scores; the output does not say how many."""
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", None]))
    for tensor in (t for t in model.graph.initializer if list(t.dims) in ([32, 4], [4])):
        numbers = np.zeros([32, 5][-len(tensor.dims) :], np.float32)
        tensor.CopyFrom(numpy_helper.from_array(numbers, tensor.name))


@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
@pytest.mark.parametrize("change", [unknown_operator, dangling, small_embedding, other_shape])
def test_what_an_engine_does_not_run_is_one_error(tmp_path: Path, change: Change, engine: str) -> None:
    artefact = tiny_encoder(tmp_path, "stance", files={"model.onnx": changed(change)})
    options = RuntimeOptions(engine, "fp32", 1)  # type: ignore[arg-type]  # both are engines
    with pytest.raises(ArtefactError, match=r"model.onnx: .*export the model again") as caught:
        open_runtime(artefact, options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("tokenizer", [b"{}", b"\x80\x04K*.", bert_tokenizer()[:-40], b"[" * 100_000])
def test_a_broken_tokenizer_is_one_error(tmp_path: Path, tokenizer: bytes) -> None:
    artefact = tiny_encoder(tmp_path, "stance", files={"tokenizer.json": tokenizer})
    with pytest.raises(ArtefactError, match=r"tokenizer.json: expected a"):
        open_runtime(artefact, ORT)


# Damaged graphs that pass the check reach an engine's own parser: whatever it does, this process survives it.
FLIPS = """
import sys
from pathlib import Path
from stancewire.errors import ArtefactError
from stancewire.runtime.graph import check_graph
from stancewire.runtime.choice import open_session
from stancewire.runtime.encoder_model import Choice
passed = refused = 0
for path in sorted(Path(sys.argv[1]).iterdir()):
    data = path.read_bytes()
    try:
        check_graph(data, "m", n_scores=4, n_tokens=1)
        passed += 1
        open_session(Choice("onnxruntime", "fp32"), data, "m", 1)
    except ArtefactError:
        refused += 1
print(passed, refused)
"""


def test_flipped_bytes_are_a_graph_or_one_error(tmp_path: Path) -> None:
    numbers = random.Random(3)  # noqa: S311 - no secret
    size = len(GRAPH)
    for number in range(150):
        data = bytearray(GRAPH)
        # The structure lies around the weights, which are most of the file: both are hit.
        at = (
            numbers.randrange(size)
            if number % 3
            else numbers.choice([*range(2000), *range(size - 900, size)])
        )
        data[at] ^= 1 << numbers.randrange(8)
        (tmp_path / f"{number:03}").write_bytes(data)
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", FLIPS, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": os.environ.get("PATH", "")},
    )
    assert done.returncode == 0, done.stderr
    passed, refused = map(int, done.stdout.split())
    assert 0 < passed < 150
    assert refused > 10


def test_forged_digests_do_not_help(tmp_path: Path) -> None:
    tiny_encoder(tmp_path, "stance")
    (tmp_path / "tiny-stance" / "model.onnx").write_bytes(changed(with_nan))
    import stancewire

    with pytest.raises(StancewireError, match=r"digest mismatch|expected .* bytes"):
        stancewire.load(tmp_path / "tiny-stance", runtime="onnxruntime")
