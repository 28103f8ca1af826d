"""Small grammars: a text with slots, and what may fill them."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

Value: TypeAlias = "str | Mapping[str, str]"
Filling: TypeAlias = Mapping[str, Value]

DEFAULT_FILLS = 8
_REFERENCE = re.compile(r"\{([a-z][a-z_]*)(?:\.([a-z_]+))?\}")
_START = re.compile(r"(?:^|(?<=[.!?] ))[a-z]")  # of a sentence
# Slots in the values of slots in the values of slots: deeper is a circle.
_DEEPEST = 4


class GrammarError(ValueError):
    """A text cannot be filled; the text says why."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What may stand in a place.

    Attributes:
        values: texts, or mappings whose parts are written {slot.part}.
        pool: name of a shared list, or the slot's own; slots of one pool never hold the same value at once.
    """

    values: tuple[Value, ...]
    pool: str


def slots_in(texts: Sequence[str]) -> set[str]:
    """Return the names of the slots that texts refer to."""
    return {match[1] for text in texts for match in _REFERENCE.finditer(text)}


def capital(text: str) -> str:
    """Return a text whose sentences begin with a capital."""
    return _START.sub(lambda match: match[0].upper(), text)


def fillings(slots: Mapping[str, Slot], n: int, vary: Sequence[str] = ()) -> list[list[Filling]]:
    """Draw up to n different fillings; where slots vary, each comes with a second one that differs in them.

    The draws depend on the slots alone: a change of another rule changes nothing.

    Raises:
        GrammarError: if a pool holds fewer values than its slots need.
    """
    written = json.dumps({name: slot.values for name, slot in slots.items()}, sort_keys=True)
    rng = np.random.default_rng(zlib.crc32(written.encode()))
    pools: dict[str, list[str]] = {}
    for name, slot in slots.items():
        pools.setdefault(slot.pool, []).extend([name, f"{name}'"] if name in vary else [name])
    found: dict[str, list[Filling]] = {}
    # Twenty draws for each: a small grammar runs out of fillings before.
    for _ in range(20 * n):
        drawn: dict[str, Value] = {}
        for names in pools.values():
            values = slots[names[0]].values
            if len(values) < len(names):
                raise GrammarError(f"wanted at least {len(names)} values for {names[0]!r}, got {len(values)}")
            order = rng.permutation(len(values))
            drawn |= {name: values[order[number]] for number, name in enumerate(names)}
        first = {name: drawn[name] for name in slots}
        filled: list[Filling] = [first]
        if vary:
            filled.append(first | {name: drawn[f"{name}'"] for name in vary})
        found.setdefault(json.dumps(first, sort_keys=True), filled)
        if len(found) == n:
            break
    return list(found.values())


def filled(text: str, filling: Filling) -> str:
    """Return a text with its slots filled.

    Raises:
        GrammarError: for a slot or part that does not exist, a mapping without its part, and slots that hold
            each other.
    """

    def value(match: re.Match[str]) -> str:
        name, part = match[1], match[2]
        if name not in filling:
            raise GrammarError(f"{{{name}}} is no slot; the slots are {', '.join(filling)}")
        held = filling[name]
        if isinstance(held, str) and part is None:
            return held
        if not isinstance(held, str) and part in held:
            return held[part]
        parts = "a text without parts" if isinstance(held, str) else f"parts: {', '.join(held)}"
        raise GrammarError(f"{match[0]} fits no value of the slot, which is {parts}")

    for _ in range(_DEEPEST):
        if not _REFERENCE.search(text):
            return text
        text = _REFERENCE.sub(value, text)
    raise GrammarError("slots hold each other in a circle, or nest too deeply")
