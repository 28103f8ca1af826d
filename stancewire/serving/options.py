"""How much one request may hold: set by the server, not by a client.

`stancewire serve` hands it to its worker processes as environment variables, which `mlflow models serve`
passes on too.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from stancewire.errors import StancewireError
from stancewire.section import shown

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

    max_rows: int = 2_000
    max_bytes: int = 20_000_000

    @classmethod
    def of_environment(cls) -> Limits:
        """Return those that the environment sets.

        Raises:
            StancewireError: if one is no positive integer.
        """
        default = cls()
        return cls(_whole(MAX_ROWS) or default.max_rows, _whole(MAX_BYTES) or default.max_bytes)


def _whole(variable: str) -> int | None:
    text = os.environ.get(variable)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 12 or not 1 <= int(text) <= _MOST:
        raise StancewireError(f"{variable}: expected a positive integer, found {shown(text)}")
    return int(text)


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """How to serve.

    Attributes:
        host: address to listen on.
        port: of it; 0: any free one.
        workers: processes, each with the model in its memory.
        threads: of one call of an encoder, in each worker; None: as STANCEWIRE_THREADS says, or an equal
            share of the cores.
        runtime: of an encoder; None: as STANCEWIRE_RUNTIME says, or the fastest one.
        limits: of one request.
        timeout: seconds after which a request is answered 504.
    """

    host: str = "127.0.0.1"
    port: int = 5001
    workers: int = 1
    threads: int | None = None
    runtime: str | None = None
    limits: Limits = field(default_factory=Limits)
    timeout: int = 60


@dataclass(frozen=True, slots=True)
class Pair:
    """A topics and a stance model, to be served as one reader."""

    topics: str
    stance: str
