"""What a job's results depend on, and how two jobs differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stancewire.section import shown
from stancewire.strictjson import JsonValue

_DIGEST_CHARS = 12


def differences(was: Mapping[str, JsonValue], now: Mapping[str, JsonValue]) -> list[str]:
    """Return a phrase for each thing that differs, in a stable order."""
    before, after = dict(_flat(was)), dict(_flat(now))
    return [
        f"{name} was {_short(before.get(name))}, is {_short(after.get(name))}"
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    ]


def _flat(values: Mapping[str, JsonValue], prefix: str = "") -> Iterator[tuple[str, JsonValue]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _short(value: JsonValue) -> str:
    """Return a value for a message; of a digest its beginning."""
    if value is None:
        return "none"
    is_digest = isinstance(value, str) and len(value) == 64
    return str(value)[:_DIGEST_CHARS] if is_digest else shown(value)
