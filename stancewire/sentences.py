"""Provisional (helper TEXT replaces this file)."""

from __future__ import annotations

import re
from typing import NamedTuple


class Span(NamedTuple):
    """Half-open character range."""

    start: int
    end: int


def split_sentences(text: str) -> list[Span]:
    """Split."""
    return [Span(*m.span()) for m in re.finditer(r"\S(?:.*?[.!?][\"”']?(?=\s|$)|[^\n]*)", text)]
