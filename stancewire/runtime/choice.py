"""Which engine runs an encoder, in which numbers: what passed the parity gate, the fastest first."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from stancewire.errors import ArtefactError, MissingExtraError, StancewireError
from stancewire.runtime.encoder_model import Choice, EncoderModel
from stancewire.runtime.options import RuntimeOptions
from stancewire.section import listed


class Session(Protocol):
    """A loaded graph; safe to call from several threads.

    Attributes:
        step: lengths of batches are best a multiple of this.
    """

    step: int

    def run(self, inputs: Mapping[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        """Return the scores of a batch, float32 [n_sequences, n_columns]."""
        ...


def choose(model: EncoderModel, options: RuntimeOptions, where: str) -> Choice:
    """Return how to run a model.

    What is asked for by name is run, whether it passed the gate or not; what is left open is chosen among
    what did.

    Args:
        model: of the artefact.
        options: what is asked for.
        where: the artefact's path, for messages.

    Raises:
        ArtefactError: if the artefact has no such variant, or nothing that passed the gate runs here.
        MissingExtraError: if the engine that is asked for is not installed.
        StancewireError: if no engine here computes in the numbers that are asked for.
    """
    asked = offered(model, options, where)
    gated = [choice for choice in asked if choice in model.gated]
    by_name = options.engine is not None or options.variant is not None
    # The engine alone is named, and nothing of it passed: the numbers of training are the nearest.
    open_to = sorted(asked, key=lambda choice: choice.variant != "fp32") if by_name else []
    for choice in (*gated, *open_to):
        if runs_here(choice):
            return choice
    if by_name and all(choice.engine == "openvino" for choice in asked) and not _has_openvino():
        raise MissingExtraError.of("the runtime openvino", "openvino")
    names = listed(choice.name for choice in (asked if by_name else model.gated))
    if by_name:
        raise StancewireError(f"{where}: this machine does not run {names}; choose another variant")
    raise ArtefactError(
        f"{where}: expected an engine that passed the parity gate and runs here, found {names}; "
        'install that one, or name another: runtime="onnxruntime"'
    )


def offered(model: EncoderModel, options: RuntimeOptions, where: str) -> list[Choice]:
    """Return what a model has of what is asked for, whether or not this machine runs it; the fastest first.

    Raises:
        ArtefactError: if it has nothing of it.
    """
    asked = [
        choice
        for choice in model.choices
        if options.engine in (None, choice.engine) and options.variant in (None, choice.variant)
    ]
    if not asked:
        wanted = " ".join(part for part in (options.engine, options.variant) if part)
        known = listed(choice.name for choice in model.choices)
        raise ArtefactError(f"{where}: no {wanted} in this artefact; it has {known}")
    return asked


def runs_here(choice: Choice) -> bool:
    """Tell whether this machine has the engine, and computes in these numbers."""
    if choice.engine == "onnxruntime":
        return True
    if not _has_openvino() or choice.variant == "fp32":
        return _has_openvino()
    from stancewire.runtime.openvino import has_bf16, has_int8

    return has_bf16() if choice.variant == "bf16" else has_int8()


def open_session(choice: Choice, graph: bytes, where: str, threads: int) -> Session:
    """Load a checked graph into its engine.

    Raises:
        ArtefactError: if the engine does not take it.
    """
    if choice.engine == "openvino":
        from stancewire.runtime.openvino import OpenvinoSession

        return OpenvinoSession(graph, where, threads=threads, variant=choice.variant)
    from stancewire.runtime.onnx import OnnxSession

    return OnnxSession(graph, where, threads=threads)


def _has_openvino() -> bool:
    return find_spec("openvino") is not None
