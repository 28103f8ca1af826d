"""Read a mapping that a person wrote: every fault is collected under its dotted path, not only the first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

_ID = re.compile(r"[^\W_][\w.-]{0,63}")
_NOT_PRINTED = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_KINDS = {bool: "true or false", int: "a number", float: "a number"}
LONGEST_TEXT = 2_000


class Checked:
    """One mapping, all of its keys known. Each method reports a fault and returns a harmless stand-in.

    Args:
        value: what was parsed; anything else than a mapping is a fault.
        path: dotted path of this mapping, "" at the top.
        faults: where faults are added, shared by all the mappings of one document.
        required: keys that must be there.
        optional: keys that may be there.
    """

    def __init__(
        self,
        value: object,
        path: str,
        faults: list[str],
        *,
        required: tuple[str, ...] = (),
        optional: tuple[str, ...] = (),
    ) -> None:
        self.path = path
        self._faults = faults
        self._values: Mapping[object, object] = value if isinstance(value, Mapping) else {}
        if not isinstance(value, Mapping):
            faults.append(f"{path or 'the whole'}: wanted a mapping, got {found(value)}")
            return
        known = (*required, *optional)
        for key in value:
            if key not in known:
                self.fault(key, f"unknown key{meant(key, known)}; the known ones are {', '.join(known)}")
        for key in required:
            if key not in value:
                self.fault(key, "missing")

    def __contains__(self, key: str) -> bool:
        """Tell whether the key is there and holds something."""
        return self._values.get(key) is not None

    def raw(self, key: str) -> object:
        """Return the unchecked value of a key, or None."""
        return self._values.get(key)

    def fault(self, key: object, text: str) -> None:
        """Add a fault under a key of this mapping."""
        self._faults.append(f"{self._at(key)}: {text}")

    def text(self, key: str, *, longest: int = LONGEST_TEXT) -> str:
        """Return one line of text; an absent key is "" (reported already where it is required)."""
        if key not in self._values:
            return ""
        value = self._values[key]
        if problem := _text_problem(value, longest):
            self.fault(key, problem)
        return value if isinstance(value, str) else ""

    def maybe_text(self, key: str) -> str | None:
        """Return a text, or None where the key is absent or null."""
        return self.text(key) if key in self else None

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of texts, possibly empty."""
        items = self._items(key, "texts")
        for number, item in enumerate(items):
            if problem := _text_problem(item, LONGEST_TEXT):
                self.fault(f"{key}[{number}]", problem)
        return tuple(item for item in items if isinstance(item, str))

    def identifier(self, key: str) -> str:
        """Return a short name without blanks."""
        value = self._values.get(key)
        if key in self._values and not _is_identifier(value):
            self.fault(key, _wanted_identifier(value))
        return value if isinstance(value, str) else ""

    def choice(self, key: str, allowed: Iterable[str]) -> str:
        """Return one of the allowed texts."""
        value, choices = self._values.get(key), tuple(allowed)
        if key in self._values and value not in choices:
            wanted = ", ".join(choices) or "(none is declared)"
            self.fault(key, f"wanted one of {wanted}; got {found(value)}{meant(value, choices)}")
        return value if isinstance(value, str) else ""

    def rows(
        self,
        key: str,
        *,
        required: tuple[str, ...],
        optional: tuple[str, ...] = (),
        at_least: int = 0,
    ) -> list[Checked]:
        """Return a list of mappings, each with these keys."""
        items = self._items(key, "mappings")
        if key in self._values and len(items) < at_least:
            self.fault(key, f"wanted at least {at_least}, got {len(items)}")
        return [
            Checked(item, self._at(f"{key}[{number}]"), self._faults, required=required, optional=optional)
            for number, item in enumerate(items)
        ]

    def section(self, key: str, *, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Checked:
        """Return the mapping under a key."""
        value, path = self._values.get(key), self._at(key)
        return Checked(value, path, self._faults, required=required, optional=optional)

    def named(self, key: str, *, required: tuple[str, ...]) -> list[tuple[str, Checked]]:
        """Return a mapping from identifiers to mappings, as pairs."""
        value = self._values.get(key, {})
        if not isinstance(value, Mapping):
            self.fault(key, f"wanted a mapping, got {found(value)}")
            return []
        pairs = []
        for name, inner in value.items():
            path = f"{key}.{_key(name)}"
            if not _is_identifier(name):
                self.fault(path, _wanted_identifier(name))
            pairs.append((_key(name), Checked(inner, self._at(path), self._faults, required=required)))
        return pairs

    def _items(self, key: str, what: str) -> list[object]:
        value = self._values.get(key, [])
        if isinstance(value, list | tuple):
            return list(value)
        self.fault(key, f"wanted a list of {what}, got {found(value)}")
        return []

    def _at(self, key: object) -> str:
        return f"{self.path}.{_key(key)}" if self.path else _key(key)


def report_twins(rows: Iterable[Checked], key: str) -> None:
    """Report the same text in two rows, also where only case or blanks differ: people would mix them up."""
    seen: dict[str, str] = {}
    for row in rows:
        value = row.raw(key)
        folded = " ".join(value.split()).casefold() if isinstance(value, str) else ""
        if folded and folded in seen:
            row.fault(key, f"{found(value)} is the {key} of {seen[folded]} already")
        seen.setdefault(folded, row.path)


def found(value: object) -> str:
    """Say what stands in the place of what was wanted, safe for a terminal."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping | list | tuple):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    if isinstance(value, str):
        return _short(value)
    return f"{_KINDS.get(type(value), type(value).__name__)}: {_short(value)}"


def meant(value: object, known: Iterable[object]) -> str:
    """Return " (did you mean ...?)" where one of the known names is close, else ""."""
    close = get_close_matches(_key(value), [str(name) for name in known], n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _text_problem(value: object, longest: int) -> str:
    """Say what is wrong with a text, or ""."""
    if not isinstance(value, str):
        return f"wanted a text, got {found(value)}{_quote_hint(value)}"
    if not value.strip():
        return "wanted a text, got an empty one"
    if len(value) > longest:
        return f"wanted at most {longest:,} characters, got {len(value):,}"
    if _NOT_PRINTED.search(value):
        return f"wanted one line of printable text, got {found(value)}"
    return ""


def _is_identifier(value: object) -> bool:
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _wanted_identifier(value: object) -> str:
    wanted = "wanted a letter or digit, then up to 63 letters, digits, _ . or -"
    return f"{wanted}; got {found(value)}{_quote_hint(value)}"


def _quote_hint(value: object) -> str:
    return "; put it in quotes" if isinstance(value, bool | int | float) else ""


def _key(value: object) -> str:
    """Return a key as it may stand in a path: as written where it is plain text, else escaped and cut."""
    plain = isinstance(value, str) and len(value) <= 100 and value.isprintable()
    return value if isinstance(value, str) and plain else _short(value)


def _short(value: object) -> str:
    """Return a value escaped and cut for a message."""
    try:
        shown = ascii(value)
    except ValueError:  # an integer with more digits than Python converts
        return "very many digits"
    return shown if len(shown) <= 60 else shown[:57] + "..."
