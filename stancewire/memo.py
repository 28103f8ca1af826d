"""Remember what a function says of each word, as words come again and again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

_MOST_REMEMBERED = 1 << 16
_LONGEST_REMEMBERED = 100


class Memo(dict[str, T], Generic[T]):
    """What a function says of each word, remembered; not of long ones, and all is forgotten when it is full.

    A hit is a plain look-up, which functools.lru_cache is not. Threads may share it: at worst two compute the
    same.
    """

    def __init__(self, function: Callable[[str], T]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, word: str) -> T:
        """Compute what is not remembered."""
        found = self._function(word)
        if len(word) <= _LONGEST_REMEMBERED:
            if len(self) >= _MOST_REMEMBERED:
                self.clear()
            self[word] = found
        return found
