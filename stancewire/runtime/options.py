"""How a model is to be run, as the caller or the environment says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast, get_args

from stancewire.errors import StancewireError
from stancewire.section import listed, shown

RUNTIME_VARIABLE, THREADS_VARIABLE = "STANCEWIRE_RUNTIME", "STANCEWIRE_THREADS"
MAX_THREADS = 1024

Engine: TypeAlias = Literal["onnxruntime", "openvino"]
Variant: TypeAlias = Literal["fp32", "bf16", "int8"]
ENGINES: tuple[Engine, ...] = get_args(Engine)
VARIANTS: tuple[Variant, ...] = get_args(Variant)
_AUTO = "auto"


@dataclass(frozen=True, slots=True)
class RuntimeOptions:
    """What an encoder is run with; other families run in numpy and heed none of it.

    Attributes:
        engine: by name, or None: the fastest of those that the artefact names and this machine has.
        variant: by name, or None: likewise.
        threads: of one call; None takes every core that this process may use.
    """

    engine: Engine | None = None
    variant: Variant | None = None
    threads: int | None = None

    @property
    def thread_count(self) -> int:
        """How many threads that is."""
        return self.threads or len(os.sched_getaffinity(0))


def runtime_options(
    runtime: str | None = None,
    *,
    threads: int | None = None,
    variant: str | None = None,
    environment: Mapping[str, str] = os.environ,
) -> RuntimeOptions:
    """Return the options; what is None is taken from STANCEWIRE_RUNTIME and STANCEWIRE_THREADS.

    Raises:
        StancewireError: for a value that is none of the known ones.
    """
    engine, source = (runtime, "runtime") if runtime is not None else (None, RUNTIME_VARIABLE)
    engine = engine if engine is not None else environment.get(RUNTIME_VARIABLE) or _AUTO
    if engine not in (_AUTO, *ENGINES):
        raise StancewireError(f"{source}: expected one of {listed((_AUTO, *ENGINES))}, found {shown(engine)}")
    if variant is not None and variant not in VARIANTS:
        raise StancewireError(f"variant: expected one of {listed(VARIANTS)}, found {shown(variant)}")
    return RuntimeOptions(
        None if engine == _AUTO else cast(Engine, engine),
        variant,
        _threads(threads, environment),
    )


def _threads(threads: int | None, environment: Mapping[str, str]) -> int | None:
    found: object = threads
    source = "threads"
    if threads is None:
        source, text = THREADS_VARIABLE, environment.get(THREADS_VARIABLE) or ""
        if not text:
            return None
        found = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else text
    if isinstance(found, bool) or not isinstance(found, int) or not 1 <= found <= MAX_THREADS:
        raise StancewireError(
            f"{source}: expected an integer from 1 to {MAX_THREADS:,}, found {shown(found)}"
        )
    return found
