"""Which characters cleaning drops, rewrites or joins to their neighbours, from Python's own Unicode data.

The tables are built on first use, as most texts are plain ASCII and need none of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import NamedTuple

# Unicode's Default_Ignorable_Code_Point but for the two joiners, and the interlinear annotation characters:
# soft hyphen, zero-width space, direction marks and overrides, fillers, variation selectors, the tag block.
INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
# The blanks of str.isspace() within a line, but for the space; and the empty Braille cell, which looks so.
BLANK = "\t\x1c-\x1f\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000\u2800"
NEWLINE = "\x0b\x0c\r\x85\u2028"
PARAGRAPH = "\u2029"
CONTROL = "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
SURROGATE = "\ud800-\udfff"
HYPHEN = "\u2010\u2011"

JOINERS = "\u200c\u200d"
ZERO_WIDTH_JOINER = "\u200d"
# Where a joiner changes what is read: the Arabic family, and the scripts of South and South-East Asia.
JOINING_SCRIPT = re.compile("[\u0600-\u07ff\u0840-\u109f\u1780-\u18af]")
# The angle brackets in the middle are not NFC.
EMOJI = re.compile("[\u2190-\u2328\u232b-\u2bff\U0001f000-\U0001faff]")

# The same letter in another dress is folded; a fraction, an index, a circle or a sign of its own is kept.
_FOLDED = ("<wide>", "<narrow>", "<font>", "<initial>", "<medial>", "<final>", "<isolated>", "<noBreak>")
_ASTRAL = "\U00010000-\U0010ffff"
_LIGATURES = range(0xFB00, 0xFB50)
_HANGUL_VOWELS_AND_TAILS = (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))
# The only blocks where a character has a decomposition or a combining class.
_SCANNED = (
    range(0x80, 0x3400),
    range(0xA000, 0xAC00),
    range(0xF900, 0x17000),
    range(0x1A000, 0x20000),
    range(0x2F800, 0x2FA20),
)


class Tables(NamedTuple):
    """What is done to which character.

    Attributes:
        rewritten: character → what stands for it, often nothing; surrogates are missing.
        rewrite: finds the characters of `rewritten`, and some that stay as they are.
        tail: characters that belong to the one before: combining marks and joiners.
        cluster: finds what may not be in normal form C (NFC), with all of the tail behind it.
    """

    rewritten: dict[str, str]
    rewrite: re.Pattern[str]
    tail: frozenset[str]
    cluster: re.Pattern[str]


@cache
def tables() -> Tables:
    """Build the tables of the running Python's Unicode version, once."""
    special = _special()
    rewritten, tail, unstable = _simple_rewrites(), set(JOINERS), set[str]()
    composing = set(map(chr, _HANGUL_VOWELS_AND_TAILS)) | set(_composing_starters(special))
    tail |= composing
    for char, decomposition in special.items():
        if char not in composing and unicodedata.combining(unicodedata.normalize("NFD", char)[0]):
            tail.add(char)
        elif char not in composing and unicodedata.normalize("NFC", char) != char:
            unstable.add(char)
        if char not in rewritten and _is_folded(char, decomposition):
            rewritten[char] = unicodedata.normalize("NFKC", char)
    # Python looks for a set of characters fast only if the set comes first and lists none above U+FFFF.
    return Tables(
        rewritten,
        re.compile(f"[{SURROGATE}{_ASTRAL}{_basic(rewritten)}]"),
        frozenset(tail),
        re.compile(f"[{_ASTRAL}{_basic(tail | unstable)}][{''.join(sorted(tail))}]*"),
    )


def _basic(chars: Iterable[str]) -> str:
    return "".join(sorted(re.escape(char) for char in chars if char < "\U00010000"))


def _simple_rewrites() -> dict[str, str]:
    """Return what stands for invisible characters, controls, blanks, newlines and hyphens."""
    # Pages that claim Latin-1 are Windows-1252 in truth, and browsers read them so: \x92 is an apostrophe.
    windows = {chr(code): bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}
    return (
        dict.fromkeys(_members(INVISIBLE + CONTROL), "")
        | windows
        | dict.fromkeys(_members(BLANK), " ")
        | dict.fromkeys(_members(NEWLINE), "\n")
        | dict.fromkeys(_members(HYPHEN), "-")
        | {PARAGRAPH: "\n\n"}
    )


def _members(ranges: str) -> list[str]:
    """List the characters of a regular expression's set."""
    return [
        chr(code)
        for first, last in re.findall("(.)(?:-(.))?", ranges, re.DOTALL)
        for code in range(ord(first), ord(last or first) + 1)
    ]


def _special() -> dict[str, str]:
    """Return the decomposition of each character that has one, and "" for those that only combine."""
    found = {}
    for block in _SCANNED:
        for char in map(chr, block):
            decomposition = unicodedata.decomposition(char)
            if decomposition or unicodedata.combining(char):
                found[char] = decomposition
    return found


def _composing_starters(special: Mapping[str, str]) -> Iterator[str]:
    """Yield the characters of class 0 that NFC joins to the one before, as some Indic vowel signs."""
    for decomposition in special.values():
        parts = decomposition.split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            second = chr(int(parts[1], 16))
            if not unicodedata.combining(second):
                yield second


def _is_folded(char: str, decomposition: str) -> bool:
    if not decomposition.startswith(_FOLDED) and not (
        decomposition.startswith("<compat>") and ord(char) in _LIGATURES
    ):
        return False
    return not re.search(rf"\s|[{INVISIBLE}]", unicodedata.normalize("NFKC", char))
