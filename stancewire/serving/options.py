"""How a served model is loaded, and how much one request may hold: set by the server, not by a client.

`stancewire serve` hands them to its worker processes as environment variables, which `mlflow models serve`
passes on too.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from stancewire.errors import StancewireError
from stancewire.section import shown

THREADS = "STANCEWIRE_SERVE_THREADS"
MAX_ROWS = "STANCEWIRE_SERVE_MAX_ROWS"
MAX_BYTES = "STANCEWIRE_SERVE_MAX_BYTES"
_MOST = 10**12


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may hold.

    Attributes:
        max_rows: rows of the model's input.
        max_bytes: of the body, as it comes over the wire.
    """

    max_rows: int = 1_000
    max_bytes: int = 20_000_000

    @classmethod
    def of_environment(cls) -> Limits:
        """Return those that the environment sets.

        Raises:
            StancewireError: if one is no positive integer.
        """
        default = cls()
        return cls(_whole(MAX_ROWS) or default.max_rows, _whole(MAX_BYTES) or default.max_bytes)


def loading_options(model_config: Mapping[str, object] | None) -> dict[str, Any]:
    """Return how to load a model, by MLflow's model_config or else the environment.

    Raises:
        StancewireError: for an option that is unknown, or no positive integer.
    """
    config = dict(model_config or {})
    threads = config.pop("threads", None)
    if config:
        raise StancewireError(f"model_config: the only option is 'threads', found {len(config)} other")
    if threads is None:
        threads = _whole(THREADS)
    elif isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise StancewireError(f"model_config.threads: expected a positive integer, found {shown(threads)}")
    return {} if threads is None else {"threads": threads}


def _whole(variable: str) -> int | None:
    text = os.environ.get(variable)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 12 or not 1 <= int(text) <= _MOST:
        raise StancewireError(f"{variable}: expected a positive integer, found {shown(text)}")
    return int(text)
