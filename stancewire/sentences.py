"""Split text into sentences with exact offsets: first into blocks by its lines, then by its punctuation.

docs/text.md tells why this is not a library, with the comparison.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from stancewire.abbreviations import UNFINISHED
from stancewire.borders import borders
from stancewire.labels import after_label, after_number, is_list_item

_PARAGRAPH = re.compile(r"\n\s*\n")
_RULE = re.compile(r"[-–—*•·_=~#\s]+")
_LAST_WORD = re.compile(r"(?<![\w'’])[\w'’]*\Z")
_MIN_WIDTH_CHARS = 40
"""Nobody wraps lines shorter than this: a shorter block's line ends are meant."""


class Span(NamedTuple):
    """A half-open range of characters."""

    start: int
    end: int


def split_sentences(text: str) -> list[Span]:
    """Return the sentences of a text in order, without blanks, list markers or dateline around them.

    A line of dashes, asterisks or the like is no sentence.

    Empty lines always part sentences. A single line end does where a list item begins or where the line was
    ended on purpose, as a headline is; else it is a blank. Expects plain newlines, as cleaned texts have.
    """
    spans = []
    for start, end in _blocks(text):
        if _RULE.fullmatch(text, start, end):
            continue
        start = after_label(text, *_stripped(text, start, end))
        cuts = [start, *borders(text, start, end), end]
        for first, last in pairwise(cuts):
            first, last = _stripped(text, first, last)
            if first < last:
                spans.append(Span(after_number(text, first, last), last))
    return spans


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[end - 1].isspace():
        end -= 1
    while start < end and text[start].isspace():
        start += 1
    return start, end


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Yield the parts that no sentence crosses."""
    start = 0
    for match in _PARAGRAPH.finditer(text):
        yield from _line_groups(text, start, match.start())
        start = match.end()
    yield from _line_groups(text, start, len(text))


def _line_groups(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the runs of lines of one paragraph that belong together."""
    lines = text[start:end].split("\n")
    width = max(_MIN_WIDTH_CHARS, *map(len, lines))
    done = place = start
    for line, following in pairwise(lines):
        place += len(line) + 1
        if _parts(line, following, width):
            yield done, place
            done = place
    yield done, end


def _parts(line: str, following: str, width: int) -> bool:
    """Tell whether a line end parts two sentences, whatever the punctuation."""
    if is_list_item(following) or _RULE.fullmatch(line) or _RULE.fullmatch(following):
        return True
    first_word = following.lstrip("> ").split(maxsplit=1)[:1]
    if not first_word or first_word[0][0].islower():
        return False
    ended = line.rstrip()
    last_word = _LAST_WORD.search(ended[-_MIN_WIDTH_CHARS:])
    if ended[-1:] in tuple(",-–—.!?…") or (last_word and last_word.group().lower() in UNFINISHED):
        return False
    # The next word would have fitted, so the line was not wrapped but ended.
    return len(ended) + 1 + len(first_word[0]) <= width
