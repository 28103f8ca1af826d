"""The only text cleaning: training and inference share it, so that both see the same characters.

Invisible characters go first, then letters are folded and normalised, then blanks are collapsed; docs/text.md
says what and why. Cleaning is idempotent and linear in time and memory, and every cleaned character knows
where in the original it came from.
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stancewire.characters import EMOJI, JOINERS, JOINING_SCRIPT, ZERO_WIDTH_JOINER, tables
from stancewire.scripts import mixed_script_words

MAX_CHARS = 1_000_000
MAX_MARKS = 8
"""Combining marks kept on one character: sorting them costs the square of their number."""

_REPLACEMENT = "\ufffd"
_JOINER = re.compile(f"[{JOINERS}]")
_JOINER_RUN = re.compile(f"([{JOINERS}])[{JOINERS}]+")
_CRLF = re.compile("\r\n")
_BLANKS = re.compile("[ \n][ \n]+")

_Edits = Iterator[tuple[int, int, str]]
"""What replaces `text[start:stop]`, as (start, stop, new): in order, none overlapping another."""


@dataclass(frozen=True, slots=True)
class CleanText:
    """A cleaned text that remembers the original.

    Attributes:
        text: what was cleaned.
        offsets: int32 [len(text) + 1]: where each character begins in the original; the last is the end.
        original_chars: length of the original.
        read_chars: how many of them were read; fewer than `original_chars` means that the text was cut.
        mixed_script: the first words that mix Latin with look-alike letters; flagged, never rewritten.
    """

    text: str
    offsets: NDArray[np.int32]
    original_chars: int
    read_chars: int
    mixed_script: tuple[str, ...]

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        """Return the whole original characters that the cleaned `text[start:end]` came from.

        Invisible characters directly behind the span belong to it, those before it do not.
        """
        offset = self.offsets.item
        first = offset(start)
        if end <= start:
            return first, first
        last = offset(end - 1)
        if offset(end) > last:
            return first, offset(end)
        after = int(np.searchsorted(self.offsets, last, side="right"))
        return first, offset(min(after, len(self.text)))


def clean(text: str, *, max_chars: int = MAX_CHARS) -> str:
    """Return the cleaned text; at most `max_chars` characters are read, and as many returned."""
    text = text[:max_chars]
    for step in _steps(text):
        text = _edit(text, step(text), None)
    return _cut(text, max_chars)


def clean_with_offsets(text: str, *, max_chars: int = MAX_CHARS) -> CleanText:
    """Clean as `clean` does, and keep where every character came from."""
    cleaned = text[:max_chars]
    read = len(cleaned)
    steps = _steps(cleaned)
    if not steps:
        offsets = np.arange(read + 1, dtype=np.int32)
        return CleanText(cleaned, offsets, len(text), read, mixed_script_words(cleaned))
    positions = array("i", range(read + 1))
    for step in steps:
        cleaned = _edit(cleaned, step(cleaned), positions)
    kept = _cut(cleaned, max_chars)
    if len(kept) < len(cleaned):
        read = positions[len(kept)]
    offsets = np.array(positions[: len(kept) + 1], dtype=np.int32)
    return CleanText(kept, offsets, len(text), read, mixed_script_words(kept))


def _steps(text: str) -> list[Callable[[str], _Edits]]:
    """Return the rewrites that a text needs, in their order; none for most."""
    if text.isascii() and text.isprintable():  # a line of plain characters
        return [_blanks] if "  " in text or text != text.strip(" ") else []
    if text.isascii():
        dirty = not text.replace("\n", "").isprintable()
        marked = False
    else:
        dirty = tables().rewrite.search(text) is not None
        # Marks are looked for, as the question whether a text is normal costs the square of their number.
        marked = dirty or tables().cluster.search(text) is not None
    steps: list[Callable[[str], _Edits]] = []
    if dirty:
        steps += _newlines, _characters
    if marked:
        steps += (_clusters,)
    if steps or not _is_tidy(text):
        steps += (_blanks,)
    return steps


def _newlines(text: str) -> _Edits:
    """Make one newline of carriage return and line feed."""
    return ((match.start(), match.end(), "\n") for match in _CRLF.finditer(text))


def _characters(text: str) -> _Edits:
    """Drop what cannot be seen; fold widths and fonts; make blanks and newlines plain."""
    rewritten = tables().rewritten
    for match in tables().rewrite.finditer(text):
        char = match.group()
        other = _REPLACEMENT if "\ud800" <= char <= "\udfff" else char
        yield match.start(), match.end(), rewritten.get(char, other)


def _clusters(text: str) -> _Edits:
    """Put characters with their marks and joiners into normal form, with at most MAX_MARKS behind each."""
    for match in tables().cluster.finditer(text):
        start, stop = match.span()
        if text[start] in tables().tail:
            start = max(0, start - 1)  # the character that the marks belong to, if any
        base = text[start] if text[start] not in tables().tail else ""
        cluster = text[start:stop]
        if _JOINER.search(cluster):
            cluster = _joined(base, cluster, text[stop : stop + 1])
        # Cut before, as normalising costs the square; and after, as normalising may make two marks of one.
        most = len(base) + MAX_MARKS
        yield start, stop, unicodedata.normalize("NFC", cluster[:most])[:most]


def _joined(base: str, cluster: str, following: str) -> str:
    """Drop joiners, but for single ones in scripts that need them, and one between two emoji."""
    if JOINING_SCRIPT.match(base):
        return _JOINER_RUN.sub(r"\1", cluster)
    joins = cluster.endswith(ZERO_WIDTH_JOINER) and EMOJI.match(base) and EMOJI.match(following)
    return _JOINER.sub("", cluster) + (ZERO_WIDTH_JOINER if joins else "")


def _blanks(text: str) -> _Edits:
    """Make every run of blanks one blank, one newline or one empty line; and none at the ends."""
    first = len(text) - len(text.lstrip(" \n"))
    last = max(first, len(text.rstrip(" \n")))
    yield 0, first, ""
    for match in _BLANKS.finditer(text, first, last):
        yield match.start(), match.end(), "\n" * min(match.group().count("\n"), 2) or " "
    yield last, len(text), ""


def _is_tidy(text: str) -> bool:
    """Tell whether `_blanks` would change nothing."""
    if text != text.strip(" \n") or "  " in text or "\n\n\n" in text:
        return False
    # Line by line is twice as fast as to look for a blank beside a newline, as blanks are everywhere.
    return not any([line[:1] == " " or line[-1:] == " " for line in text.split("\n")])


def _cut(text: str, max_chars: int) -> str:
    """Cut what folding made longer than the cap, where a second cleaning finds nothing to do."""
    return text if len(text) <= max_chars else text[:max_chars].rstrip(f" \n{JOINERS}")


def _edit(text: str, edits: _Edits, positions: array[int] | None) -> str:
    """Apply edits; positions, one for each character and one for the end, are carried along in place."""
    parts: list[str] = []
    moved = array("i")
    start = done = 0
    new = ""
    for start, stop, new in edits:
        parts += text[done:start], new
        if positions is not None:
            moved += positions[done:start]
            same = len(new) == stop - start
            moved += positions[start:stop] if same else positions[start : start + 1] * len(new)
        done = stop
    if positions is not None:
        # What was dropped at the very end is not part of the last word.
        ends_dropped = done == len(text) and not new
        positions[:] = moved + (positions[start : start + 1] if ends_dropped else positions[done:])
    return "".join((*parts, text[done:]))
