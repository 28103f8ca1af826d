"""The engine: the fastest that passed the gate and runs here, or the one that is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from stancewire.encoding import Layout
from stancewire.errors import ArtefactError, MissingExtraError, StancewireError
from stancewire.runtime import choice as module
from stancewire.runtime import openvino
from stancewire.runtime.choice import choose, runs_here
from stancewire.runtime.encoder_model import CHOICES, Choice, EncoderModel
from stancewire.runtime.options import RuntimeOptions

ALL = tuple(choice.name for choice in CHOICES)
ORT, OV, BF16 = Choice("onnxruntime", "fp32"), Choice("openvino", "fp32"), Choice("openvino", "bf16")
INT8 = Choice("openvino", "int8")


def model(*gated: str, int8: bool = False) -> EncoderModel:
    passed = tuple(choice for choice in CHOICES if choice.name in gated)
    return EncoderModel(Layout(task="topics", tokens=64), "mean", 0, passed, "model.onnx", has_int8=int8)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """What this machine runs."""
    found = set(ALL)
    monkeypatch.setattr(module, "runs_here", lambda choice: choice.name in found)
    monkeypatch.setattr(module, "_has_openvino", lambda: any(name.startswith("openvino") for name in found))
    return found


def test_names() -> None:
    assert ALL == ("openvino-int8", "openvino-bf16", "openvino", "onnxruntime")
    assert [choice.name for choice in model(int8=True).choices] == list(ALL)
    assert [choice.name for choice in model().choices] == ["openvino-bf16", "openvino", "onnxruntime"]


def test_auto_takes_the_fastest_that_passed(here: set[str]) -> None:
    assert choose(model(*ALL, int8=True), RuntimeOptions(), "m") == INT8
    assert choose(model("openvino-bf16", "onnxruntime", int8=True), RuntimeOptions(), "m") == BF16
    assert choose(model("onnxruntime", "openvino"), RuntimeOptions(), "m") == OV
    assert choose(model("onnxruntime"), RuntimeOptions(), "m") == ORT


def test_auto_takes_what_runs_here(here: set[str]) -> None:
    here.discard("openvino-int8")
    assert choose(model(*ALL, int8=True), RuntimeOptions(), "m") == BF16
    here.discard("openvino-bf16")
    assert choose(model(*ALL, int8=True), RuntimeOptions(), "m") == OV
    here.discard("openvino")
    assert choose(model(*ALL, int8=True), RuntimeOptions(), "m") == ORT


@pytest.mark.parametrize("has", [True, False])
def test_int8_and_bf16_run_where_the_processor_computes_in_them(
    monkeypatch: pytest.MonkeyPatch, has: bool
) -> None:
    monkeypatch.setattr(module, "_has_openvino", lambda: True)
    monkeypatch.setattr(openvino, "has_int8", lambda: has)
    monkeypatch.setattr(openvino, "has_bf16", lambda: not has)
    assert (runs_here(INT8), runs_here(BF16), runs_here(OV), runs_here(ORT)) == (has, not has, True, True)


@pytest.mark.parametrize(
    ("content", "has"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx2 avx512_vnni\n", True),
        ("flags\t\t: avx2 avx_vnni\n", True),
        ("flags\t\t: avx512_bf16 amx_int8\n", True),
        ("flags\t\t: fpu avx2 avx512f\n", False),
        ("model name\t: avx512_vnni\nflags\t\t: avx2\n", False),
        ("Features\t: fp asimd asimddp\n", False),
        ("", False),
        (None, False),
    ],
)
def test_which_processors_have_int8(tmp_path: Path, content: str | None, has: bool) -> None:
    about = tmp_path / "cpuinfo"
    if content is not None:
        about.write_text(content, encoding="utf-8")
    assert openvino.has_int8(about) == has


def test_auto_takes_nothing_that_did_not_pass(here: set[str]) -> None:
    with pytest.raises(
        ArtefactError, match=r'm: expected an engine that passed .* found none; .*runtime="onnxr'
    ):
        choose(model(), RuntimeOptions(), "m")
    here.discard("openvino")
    with pytest.raises(ArtefactError, match="found 'openvino'; install that one"):
        choose(model("openvino"), RuntimeOptions(), "m")


def test_what_is_named_is_taken_gate_or_not(here: set[str]) -> None:
    assert choose(model(), RuntimeOptions("openvino"), "m") == OV, "fp32 is the nearest to training"
    assert choose(model(), RuntimeOptions("openvino", "bf16"), "m") == BF16
    assert choose(model("openvino-bf16"), RuntimeOptions("openvino"), "m") == BF16
    assert choose(model(*ALL), RuntimeOptions("onnxruntime"), "m") == ORT
    assert choose(model("openvino-bf16"), RuntimeOptions("onnxruntime"), "m") == ORT
    assert choose(model(int8=True), RuntimeOptions(variant="int8"), "m") == INT8
    assert choose(model("openvino-int8", int8=True), RuntimeOptions("openvino"), "m") == INT8


def test_what_is_named_and_not_there_is_refused(here: set[str]) -> None:
    with pytest.raises(ArtefactError, match="m: no openvino int8 in this artefact; it has 'openvino-bf16'"):
        choose(model(*ALL), RuntimeOptions("openvino", "int8"), "m")
    with pytest.raises(ArtefactError, match="no onnxruntime bf16"):
        choose(model(*ALL), RuntimeOptions("onnxruntime", "bf16"), "m")
    here.discard("openvino-bf16")
    with pytest.raises(StancewireError, match="this machine does not run 'openvino-bf16'"):
        choose(model(*ALL), RuntimeOptions(variant="bf16"), "m")
    here.discard("openvino")
    with pytest.raises(StancewireError, match="pip install 'stancewire\\[openvino\\]'") as caught:
        here.clear()
        choose(model(*ALL), RuntimeOptions("openvino"), "m")
    assert isinstance(caught.value, MissingExtraError)


def test_without_openvino_nothing_of_it_runs_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_has_openvino", lambda: False)
    assert [choice for choice in CHOICES if runs_here(choice)] == [ORT]
