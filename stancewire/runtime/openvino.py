"""Run an encoder's graph with OpenVINO."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stancewire.errors import ArtefactError, MissingExtraError
from stancewire.runtime.options import Variant
from stancewire.section import shown

if TYPE_CHECKING:
    from openvino import Core, InferRequest, Model

_TELEMETRY = "openvino_telemetry"
# Numbers of a token that share one step where int8 is computed; with more it is faster and less exact.
_GROUP = 64
_INT8 = {"avx512_vnni", "avx_vnni", "amx_int8"}


class OpenvinoSession:
    """One graph, compiled and warm. Safe to call from several threads, of the process that loaded it.

    Args:
        graph: the checked bytes of an ONNX file.
        where: its path, for messages.
        threads: of one call.
        variant: what it computes in. int8: weights as they are stored, and what they are multiplied with
            rounded by group of a token's numbers, so that nothing hangs on what else is asked; the rest in
            bf16 where the processor has it.

    Raises:
        ArtefactError: if OpenVINO does not take the graph.
        MissingExtraError: if it is not installed.
    """

    # What is compiled for a shape is kept: fewer shapes, less memory.
    step = 4

    def __init__(self, graph: bytes, where: str, *, threads: int, variant: Variant) -> None:
        in_bf16 = variant == "bf16" or (variant == "int8" and has_bf16())
        config = {
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": "1",
            "INFERENCE_NUM_THREADS": str(threads),
            "INFERENCE_PRECISION_HINT": "bf16" if in_bf16 else "f32",
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": str(_GROUP if variant == "int8" else 0),
            # Pinned threads of several processes would all sit on the first cores.
            "ENABLE_CPU_PINNING": "NO",
        }
        core = _core()
        try:
            model = core.read_model(graph)
            if variant != "int8":
                _multiply_out(model)
            self._compiled = core.compile_model(model, "CPU", config)
        except Exception as error:  # its exceptions have no narrower base
            raise ArtefactError(
                f"{where}: OpenVINO cannot load it: {shown(str(error), limit=300)}; "
                'export the model again, or load it with runtime="onnxruntime"'
            ) from None
        # A request serves one call at a time; those of ended calls wait here for the next.
        self._free: list[InferRequest] = []

    def run(self, inputs: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        """Return the scores of a batch."""
        try:
            request = self._free.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        # What comes back is a copy: the request's own memory is written again by the next call.
        scores: NDArray[np.float32] = request.infer(dict(inputs), share_inputs=True)["scores"]
        self._free.append(request)
        return scores


def has_bf16() -> bool:
    """Tell whether this machine's processor computes in bfloat16."""
    return "BF16" in _core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@cache
def has_int8(about: Path = Path("/proc/cpuinfo")) -> bool:
    """Tell whether this machine's processor is known to have instructions for int8.

    OpenVINO itself names int8 among what it can do on every processor.

    Args:
        about: where Linux tells of the processor; other systems are not asked.
    """
    try:
        lines = about.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return False
    return any(not _INT8.isdisjoint(line.split()) for line in lines if line.startswith("flags"))


def _multiply_out(model: Model) -> None:
    """Make floats of weights that are stored as integers, once here instead of in every call."""
    with _no_telemetry():
        from openvino.passes import ConstantFolding, Manager

    manager = Manager()
    manager.register_pass(ConstantFolding())
    manager.run_passes(model)


@cache
def _core() -> Core:
    try:
        with _no_telemetry():
            from openvino import Core
    except ImportError:
        raise MissingExtraError.of("the runtime openvino", "openvino") from None
    return Core()


@contextmanager
def _no_telemetry() -> Iterator[None]:
    """Hide the package through which `import openvino` would report itself over the network.

    OpenVINO then takes its own stand-in, which does nothing. Where it was imported before, it has already
    reported; the rest of this process finds that package as it was.
    """
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] == _TELEMETRY}
    for name in before:
        del sys.modules[name]
    sys.modules[_TELEMETRY] = None  # type: ignore[assignment]  # so that importing it fails
    try:
        yield
    finally:
        del sys.modules[_TELEMETRY]
        sys.modules.update(before)
