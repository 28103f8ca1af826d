"""Run an encoder's graph with onnxruntime."""

from __future__ import annotations

import os
from collections.abc import Mapping
from types import ModuleType

import numpy as np
from numpy.typing import NDArray

from stancewire.errors import ArtefactError
from stancewire.section import shown


class OnnxSession:
    """One graph, loaded and warm. Safe to call from several threads, of the process that loaded it.

    Args:
        graph: the checked bytes of an ONNX file.
        where: its path, for messages.
        threads: of one call.

    Raises:
        ArtefactError: if onnxruntime does not take the graph.
    """

    step = 1

    def __init__(self, graph: bytes, where: str, *, threads: int) -> None:
        onnxruntime = import_onnxruntime()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.log_severity_level = 4  # faults come as exceptions
        # Idle threads sleep: processes that share cores would burn what the others need.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Weights that are stored as integers are multiplied out once: it would compute with them, and round.
        options.add_session_config_entry("session.disable_quant_qdq", "1")
        # A plan of memory is kept for every shape that ever comes, and with the arena hardly saves time.
        options.enable_mem_pattern = False
        try:
            self._session = onnxruntime.InferenceSession(
                graph, options, providers=["CPUExecutionProvider"], enable_fallback=0
            )
        except Exception as error:  # its exceptions have no narrower base
            raise ArtefactError(
                f"{where}: onnxruntime {onnxruntime.__version__} cannot load it: {told(error)}; "
                "export the model again, or upgrade onnxruntime"
            ) from None

    def run(self, inputs: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        """Return the scores of a batch."""
        (scores,) = self._session.run(["scores"], dict(inputs))
        found: NDArray[np.float32] = scores
        return found


def import_onnxruntime() -> ModuleType:
    """Return onnxruntime, which reports itself over the network unless told not to.

    It looks at the variable once, when it is imported: then it neither reports, nor leaves an identifier of
    the user in their home. Where somebody imported it before, it reports no more from now on.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    onnxruntime.disable_telemetry_events()
    module: ModuleType = onnxruntime
    return module


def told(error: BaseException) -> str:
    """Return the first line of an engine's message, which may hold names from the file, and its own stack."""
    return shown((str(error).splitlines() or [type(error).__name__])[0], limit=300)
