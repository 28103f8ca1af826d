"""What a reader overlooks and a model must too: slips of the fingers, other code points for one letter."""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from stancewire.examples import Article, StanceExample

Noise = Literal["typos", "unicode"]
NOISES: tuple[Noise, ...] = ("typos", "unicode")

Example = Article | StanceExample
# A short word with a slip may be another word, a capital's is a name's.
_WORD = re.compile(r"(?<![\w'’-])[a-z]{5,}(?![\w'’-])")
_WORDS_A_TYPO = 12
_NEIGHBOURS = dict(zip("qwertyuiopasdfghjklzxcvbnm", "wertyuioposdfghjklkxcvbnmn", strict=True))


def noisy(example: Example, noise: Noise) -> Example | None:
    """Return the example with noise, always the same; None where there is no place for it."""
    return _mistyped(example) if noise == "typos" else _recoded(example)


def _mistyped(example: Example) -> Example | None:
    """Mistype about one word in twelve of the running text; target and holder stay as they are named."""
    if isinstance(example, Article):
        text = _with_typos(example.text, ())
        return None if text == example.text else replace(example, text=text)
    kept = (example.target, example.holder or "")
    sentence = _with_typos(example.sentence, kept)
    return None if sentence == example.sentence else replace(example, sentence=sentence)


def _with_typos(text: str, kept: tuple[str, ...]) -> str:
    spans = [match.span() for name in kept if name for match in re.finditer(re.escape(name), text)]
    words = [
        match
        for match in _WORD.finditer(text)
        if not any(start < match.end() and match.start() < end for start, end in spans)
    ]
    if not words:
        return text
    rng = np.random.default_rng(zlib.crc32(text.encode()))
    wanted = min(len(words), max(1, len(text.split()) // _WORDS_A_TYPO))
    for number in sorted(rng.choice(len(words), wanted, replace=False), reverse=True):
        match = words[number]
        text = text[: match.start()] + _slip(match[0], rng) + text[match.end() :]
    return text


def _slip(word: str, rng: np.random.Generator) -> str:
    """Drop, double, swap or miss one letter inside the word."""
    place = int(rng.integers(1, len(word) - 2))
    before, letter, after = word[:place], word[place], word[place + 1 :]
    slips = [
        before + after,
        before + letter + letter + after,
        before + after[0] + letter + after[1:],
        before + _NEIGHBOURS[letter] + after,
    ]
    # A swap of two equal letters changes nothing; the others always do.
    slip: str = next(slips[way] for way in rng.permutation(len(slips)).tolist() if slips[way] != word)
    return slip


def _recoded(example: Example) -> Example | None:
    """Write every text of the example in other code points that look the same."""
    names = ("title", "text") if isinstance(example, Article) else ("sentence", "context", "target", "holder")
    texts = {name: getattr(example, name) or "" for name in names}
    ways = list(_RECODINGS.values())
    start = zlib.crc32("".join(texts.values()).encode()) % len(ways)
    for way in ways[start:] + ways[:start]:
        recoded = {name: way(text) for name, text in texts.items()}
        if recoded != texts:
            changes: dict[str, Any] = {name: text for name, text in recoded.items() if texts[name]}
            return replace(example, **changes)
    return None


def _full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


_RECODINGS: Mapping[str, Callable[[str], str]] = {
    "zero-width space in words": lambda text: _WORD.sub(lambda m: f"{m[0][:3]}\u200b{m[0][3:]}", text),
    "soft hyphen in words": lambda text: _WORD.sub(lambda m: f"{m[0][:3]}\u00ad{m[0][3:]}", text),
    "word joiner in words": lambda text: _WORD.sub(lambda m: f"{m[0][:2]}\u2060{m[0][2:]}", text),
    "full-width letters": _full_width,
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "ligatures": lambda text: text.replace("fi", "ﬁ").replace("fl", "ﬂ"),
    "curved quotes": lambda text: re.sub(r'"([^"]*)"', r"“\1”", text.replace("'", "’")),
    "decomposed accents": lambda text: unicodedata.normalize("NFD", text),
}
