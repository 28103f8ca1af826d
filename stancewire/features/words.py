"""Words of a text and their stems: the one tokeniser of the linear family."""

from __future__ import annotations

import re

from stancewire.memo import Memo

# Runs of letters and digits, an apostrophe allowed inside; `plain` makes blanks of underscores, as the class
# without them is a quarter slower. Two runs never share a character: linear time.
_RUN = r"\w+(?:'\w+)*"
_WORD = re.compile(_RUN)
_MARKS = ',;:.!?()"'
_TOKEN = re.compile(rf"{_RUN}|[{_MARKS}“”—–]")
# Everything in ASCII that no word holds.
_NO_WORD = {code: " " for code in range(128) if not chr(code).isalnum() and chr(code) != "'"}
_NO_TOKEN = _NO_WORD | dict.fromkeys(map(ord, _MARKS), ",")

# First what inflects a word, then what derives it; one of each at most, longest first. A stem keeps four
# letters at least, so that "nation" and "native" stay apart.
_INFLECTIONS = ("ings", "ing", "ies", "ied", "es", "ed", "s")
_DERIVATIONS = ("ation", "ment", "ery", "ion", "er", "e", "y")
_SHORTEST = 4
_DOUBLES = frozenset(("bb", "dd", "gg", "mm", "nn", "pp", "rr", "tt"))


def words(text: str) -> list[str]:
    """Return the lower-cased words of a text, in order; apostrophes are straight."""
    return words_of(plain(text))


def words_of(text: str) -> list[str]:
    """Return the words of what `plain` returned; quicker in ASCII, where nothing need be searched."""
    if not text.isascii() or "''" in text:
        return _WORD.findall(text)
    return _split(text.translate(_NO_WORD))


def tokens(text: str) -> list[str]:
    """Return the words of what `plain` returned, and the marks that part clauses, or a comma for a mark."""
    if not text.isascii() or "''" in text:
        return _TOKEN.findall(text)
    text = text.translate(_NO_TOKEN)
    if "," in text:
        text = text.replace(",", " , ")
    return _split(text)


def _split(text: str) -> list[str]:
    """Split at blanks; an apostrophe stays between two letters only."""
    if "'" in text:
        text = text.strip("'").replace("' ", " ").replace(" '", " ")
    return text.split()


def plain(text: str) -> str:
    """Return a text in lower case, its apostrophes straight, and blanks for underscores."""
    return text.lower().replace("’", "'").replace("_", " ")


def stem(word: str) -> str:
    """Return a lower-cased word without its ending: "shipments" and "shipped" both give "ship"."""
    word = _strip(_strip(word.removesuffix("'s"), _INFLECTIONS), _DERIVATIONS)
    if len(word) == _SHORTEST and word[-1] == "s" and word[-2] != "s":
        return word[:-1]
    return word


def _strip(word: str, suffixes: tuple[str, ...]) -> str:
    for suffix in suffixes:
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST:
            stemmed = word[: -len(suffix)]
            return stemmed[:-1] if stemmed[-2:] in _DOUBLES else stemmed
    return word


STEMS = Memo(stem)
"""The stem of each word."""


def word_set(*lists: str) -> frozenset[str]:
    """Return the words of lists that are written as text."""
    return frozenset(word for text in lists for word in text.split())
