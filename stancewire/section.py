"""Read a JSON object whose keys are all known: nothing missing, nothing extra, no type guessed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sized

from stancewire.errors import ArtefactError
from stancewire.strictjson import JsonValue

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_KINDS = {
    bool: "true or false",
    int: "an integer",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}


def shown(value: object, *, limit: int = 60) -> str:
    """Return a value as it may stand in a message: escaped, cut, safe for a terminal."""
    text = ascii(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def kind(value: object) -> str:
    """Say what came in the place of a text: figures as they are, all that may hold words by its kind."""
    if value is None or isinstance(value, bool | int | float):
        return shown(value)
    if isinstance(value, Sized) and not isinstance(value, str | bytes):
        return f"{'an object' if isinstance(value, Mapping) else 'a list'} of {len(value):,}"
    return _KINDS.get(type(value), f"a {type(value).__name__}")


def listed(names: Iterable[str], *, limit: int = 8) -> str:
    """Return names for a message, escaped, the first few of many."""
    every = list(names)
    more = f" and {len(every) - limit:,} more" if len(every) > limit else ""
    return (", ".join(shown(name) for name in every[:limit]) or "none") + more


class Section:
    """One object of a manifest, every key of it accounted for.

    Args:
        value: what was parsed.
        where: the file, and the dotted path of this object in it, for messages: "manifest.json: codebook".
        known: the keys that must stand there, and the only ones that may.

    Raises:
        ArtefactError: if it is no object, or its keys differ from the known ones.
    """

    def __init__(self, value: JsonValue, where: str, known: Iterable[str]) -> None:
        self.where = where
        known = sorted(known)
        values = self._object(value, where)
        if unknown := sorted(values.keys() - set(known)):
            raise ArtefactError(
                f"{where}: unknown key {listed(unknown)}; the known ones are {listed(known, limit=20)}"
            )
        if missing := sorted(set(known) - values.keys()):
            raise ArtefactError(f"{where}: missing key {listed(missing)}; export the artefact again")
        self._values = values

    def text(self, key: str, *, pattern: str = r".+") -> str:
        """Return a text of 1 to 200 characters, none a control character, that `pattern` matches whole."""
        value = self._values[key]
        if not isinstance(value, str):
            raise self._wrong(key, "a text")
        if not 0 < len(value) <= 200 or _CONTROL.search(value) or not re.fullmatch(pattern, value):
            raise self._wrong(key, f"1 to 200 printable characters that match {pattern}")
        return value

    def choice(self, key: str, *allowed: str) -> str:
        """Return a text that is one of the allowed ones."""
        value = self._values[key]
        if not isinstance(value, str) or value not in allowed:
            raise self._wrong(key, f"one of {listed(allowed, limit=20)}")
        return value

    def integer(self, key: str, low: int, high: int) -> int:
        """Return an integer between low and high, both included; true is not 1, and 3.0 is not 3."""
        value = self._values[key]
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise self._wrong(key, f"an integer from {low:,} to {high:,}")
        return value

    def number(self, key: str, low: float, high: float) -> float:
        """Return a finite number between low and high, both included."""
        value = self._values[key]
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self._wrong(key, f"a number from {low:g} to {high:g}")
        return float(value)

    def boolean(self, key: str) -> bool:
        """Return true or false."""
        value = self._values[key]
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, possibly empty; what they hold is the caller's to check."""
        value = self._values[key]
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self._wrong(key, "a list of texts")
        return tuple(str(item) for item in value)

    def integers(self, key: str, *, at_most: int) -> tuple[int, ...]:
        """Return a list of at most so many integers, none negative."""
        value = self._values[key]
        if not isinstance(value, list) or len(value) > at_most:
            raise self._wrong(key, f"a list of at most {at_most} integers")
        numbers = [n for n in value if isinstance(n, int) and not isinstance(n, bool) and n >= 0]
        if len(numbers) != len(value):
            raise self._wrong(key, "a list of integers, none negative")
        return tuple(numbers)

    def json(self, key: str) -> dict[str, JsonValue]:
        """Return an object whose content is the caller's to check, or free."""
        return self._object(self._values[key], f"{self.where}.{key}")

    def absent(self, key: str) -> bool:
        """Tell whether the key holds null."""
        return self._values[key] is None

    def section(self, key: str, known: Iterable[str]) -> Section:
        """Return the object under a key, with its own known keys."""
        return Section(self._values[key], f"{self.where}.{key}", known)

    def _object(self, value: JsonValue, where: str) -> dict[str, JsonValue]:
        if not isinstance(value, dict):
            raise ArtefactError(f"{where}: expected an object, found {_found(value)}")
        return value

    def _wrong(self, key: str, expected: str) -> ArtefactError:
        return ArtefactError(
            f"{self.where}.{shown(key)[1:-1]}: expected {expected}, found {_found(self._values[key])}"
        )


def _found(value: JsonValue) -> str:
    """Describe a value by its kind, and by itself where it is short."""
    if value is None:
        return "null"
    kind = _KINDS[type(value)]
    if isinstance(value, list | dict):
        return f"{kind} of {len(value):,}"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return f"{kind}: {shown(value)}"
