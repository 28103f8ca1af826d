"""How much one request may hold: set by the server, not by a client.

`stancewire serve` hands it to its worker processes as environment variables, which `mlflow models serve`
passes on too.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

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
