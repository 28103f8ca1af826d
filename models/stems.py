"""Which words of two texts are alike, whatever their endings."""

from __future__ import annotations

from stancewire.wording import fold

# Words are alike from so many letters on: "sanction" and "sanctioned", "exports" and "exporter".
_LENGTH = 5


def stems(text: str) -> frozenset[str]:
    """Return the beginnings of the longer words of a text."""
    return frozenset(word[:_LENGTH] for word in fold(text).split() if len(word) >= _LENGTH)
