"""What the features of a task are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# One list of terms per block; a term that stands n times counts n times.
Terms = tuple[list[str], ...]


@dataclass(frozen=True, slots=True)
class Features:
    """How a task's examples become terms.

    Attributes:
        blocks: names of the lists of terms. Each is a TF-IDF vector of its own, of length 1.
        content: the blocks that hold the words of the text; a row with no known term in any is blank.
        target_blind: the blocks that know nothing of the target.
        extract: (example, longest text in characters) -> terms, one list per block.
    """

    blocks: tuple[str, ...]
    content: frozenset[str]
    target_blind: frozenset[str]
    extract: Callable[[Any, int], Terms]
