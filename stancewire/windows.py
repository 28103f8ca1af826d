"""Work on many rows at a time: windows of articles, and one bad row that costs itself alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from stancewire.errors import InputError
from stancewire.examples import Article

# Articles, and their characters, that are predicted together: enough to sort by length, little to hold.
WINDOW_ROWS = 128
WINDOW_CHARS = 1_000_000

A = TypeVar("A", Article, str, Article | str)
T = TypeVar("T")
R = TypeVar("R")
_ROW = re.compile(r"^row \d+: ")


def windows(articles: Iterable[A]) -> Iterator[list[A]]:
    """Part articles into windows, in order. Where one ends depends on what is in it, and on nothing else."""
    window: list[A] = []
    chars = 0
    for article in articles:
        window.append(article)
        text = article if isinstance(article, str) else article.text
        chars += len(text) if isinstance(text, str) else 0
        if len(window) == WINDOW_ROWS or chars >= WINDOW_CHARS:
            yield window
            window, chars = [], 0
    if window:
        yield window


def spared(call: Callable[[Sequence[T]], Sequence[R]], items: Sequence[T]) -> list[R | InputError]:
    """Call a function of many rows; where it fails, find the rows that it fails on: they get the error."""
    if not items:
        return []
    try:
        return list(call(items))
    except Exception as error:  # whatever a runtime raises: one row must not cost the others
        if len(items) == 1:
            return [_fault(error)]
    middle = len(items) // 2
    return spared(call, items[:middle]) + spared(call, items[middle:])


def _fault(error: Exception) -> InputError:
    """Make the error of one row; another library's message may repeat the text and is left out."""
    if isinstance(error, InputError):
        fault = InputError(_ROW.sub("", str(error)), reason=error.reason)
    else:
        fault = InputError(f"the model cannot read it: {type(error).__name__}", reason="model_error")
    fault.__cause__ = error
    return fault
