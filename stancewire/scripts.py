"""Find words that mix Latin letters with look-alikes of other scripts, as Cyrillic "а" in "sаnctions"."""

from __future__ import annotations

import re

MAX_WORDS = 20
MAX_WORD_CHARS = 64

# Scripts with letters that pass for Latin ones: Greek, Cyrillic, Armenian, Cherokee, Coptic, Lisu.
_LOOKALIKE = (
    "\u0370-\u058f\u13a0-\u13ff\u1c80-\u1c8f\u1f00-\u1fff\u2c80-\u2cff\u2de0-\u2dff\ua4d0-\ua4ff"
    "\ua640-\ua69f\uab70-\uabbf"
)
_LATIN = re.compile("[A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f]")
_OTHER = re.compile(f"[{_LOOKALIKE}]")
_WORD = re.compile(r"[^\W\d_]+")


def mixed_script_words(text: str) -> tuple[str, ...]:
    """Return the first distinct words, at most 20 and each cut at 64 characters, that mix scripts."""
    found: dict[str, None] = {}
    if text.isascii() or not _OTHER.search(text):
        return ()
    for match in _WORD.finditer(text):
        word = match.group()
        if not word.isascii() and _OTHER.search(word) and _LATIN.search(word):
            found[word[:MAX_WORD_CHARS]] = None
            if len(found) == MAX_WORDS:
                break
    return tuple(found)
