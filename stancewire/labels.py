"""Find what stands before a sentence without belonging to it: a list marker or a dateline."""

from __future__ import annotations

import re

BULLETS = "-–—*•·▪●◦‣"
_MARKER = re.compile(
    rf"[{BULLETS}]{{1,2}}\s+|\(?(?:\d{{1,2}}|[a-z]|[ivx]{{2,5}})[.)]\s+|\((?:[A-Z]|[IVX]{{2,5}})\)\s+|[IVX]{{2,5}}[.)]\s+"
)
_NUMBER = re.compile(r"\d{1,2}\.\s+")
_DATELINE = re.compile(
    r"(?P<head>[^\n:;!?\"“]{2,70}?)(?:(?P<colon>:)|\s(?:--?|–|—))\s+(?=[\"“'‘]?[^\W\d_a-z])"
)
_PLACE_ENDS = re.compile(r"[,(]")
_MONTH = re.compile(r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\b", re.IGNORECASE)
_DAY = re.compile(r"\d")
_MIN_PLACE_CHARS = 3
_MIN_WORDS = 5
"""A dateline stands before a whole sentence; "UKRAINE - Moscow replies" is a headline."""
_SENTENCE_CHARS = 200


def is_list_item(line: str) -> bool:
    """Tell whether a line opens with a list marker: a dash, a bullet, "(a)", "3." or "iv)"."""
    return _MARKER.match(line.lstrip()) is not None


def after_label(text: str, start: int, end: int) -> int:
    """Return where the first sentence of the block `text[start:end]`, which opens no blank, really begins.

    A list marker goes, and so does a dateline such as "SEOUL, March 21 (Agency) -".
    """
    marker = _MARKER.match(text, start, end)
    if marker is not None:
        return marker.end() if marker.end() < end else start
    dateline = _DATELINE.match(text, start, end)
    if dateline is not None and _is_dateline(dateline["head"], dateline["colon"] is not None):
        rest = text[dateline.end() : min(end, dateline.end() + _SENTENCE_CHARS)]
        if len(rest.split(maxsplit=_MIN_WORDS)) >= _MIN_WORDS:
            return dateline.end()
    return start


def after_number(text: str, start: int, end: int) -> int:
    """Return where a sentence inside a block really begins, if it opens with a number as "5." does."""
    if not text[start].isdecimal():
        return start
    number = _NUMBER.match(text, start, end)
    return start if number is None or number.end() >= end else number.end()


def _is_dateline(head: str, colon: bool) -> bool:
    """Tell a dateline by its capitals, or by its date or agency behind a name."""
    place = _PLACE_ENDS.split(head, maxsplit=1)[0].strip()
    dated = _MONTH.search(head) is not None and _DAY.search(head) is not None
    if colon:
        return dated and place.isupper()  # without the date it may be a speaker's name
    if place.isupper():
        return len(place) >= _MIN_PLACE_CHARS
    named = all(not word[0].islower() for word in place.split())
    return named and (dated or head.endswith(")"))
