"""Words of a text: the one tokeniser of the linear family."""

from __future__ import annotations

import re
from itertools import pairwise

# Runs of letters and digits, an apostrophe allowed inside. Two runs never share a character: linear time.
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def words(text: str) -> list[str]:
    """Return the lower-cased words of a text, in order; apostrophes are straight."""
    return _WORD.findall(text.lower().replace("’", "'"))


def pairs(tokens: list[str]) -> list[str]:
    """Return each two neighbours, joined by a space."""
    return [f"{left} {right}" for left, right in pairwise(tokens)]
