"""Decide whether a full stop, question mark or exclamation mark ends a sentence.

Every pattern here is bounded or runs over what it consumes, so that the time is linear in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, auto

from stancewire.abbreviations import (
    BEFORE_NUMBERS,
    CLOCK,
    DATES,
    EITHER,
    LETTERED,
    NEVER_LAST,
    OPENERS,
    SPEAKING,
    TITLES,
    UNITS,
)

_QUOTES = "\"'”’“»«"
_OPENING = "\"'“‘„«»‹([{¿¡"
_ALWAYS = "。！？｡؟۔।॥።"
"""Marks of other scripts that end a sentence wherever they stand."""

_MARK = re.compile(
    rf"(?P<mark>[.!?…{_ALWAYS}]+(?:\s[.…]+(?!\d))*)"
    rf"(?P<closing>[{_QUOTES})\]}}]*)"
    # A note's number: [4], an asterisk, a raised digit, or a digit that lost its rise ("sold.4").
    r"(?:(?:\[\d{1,3}\]|[*†‡¹²³⁴-⁹])+|(?<=[^\W\d_][^\W\d_]\.)\d{1,2}(?=\s))?"
)
_LAST_TOKEN = re.compile(rf"[^\s—–/,;:_*\-{re.escape(_OPENING)}]*\Z")
_TOKEN_CHARS = 24
_NEXT = re.compile(rf"\s*[{re.escape(_OPENING)}]{{0,4}}(?P<first>\S?)")
_WORD = re.compile(r"[^\W\d_]{1,20}(?!\w)")
_ROMAN = re.compile(r"[IVXLC]{1,7}\b")
_DOTTED = re.compile(r"(?:[^\W\d_]{1,2}\.)+[^\W\d_]{1,2}")
_NO_VOWELS = re.compile("[bcdfghjklmnpqrstvwxz]{2,5}", re.IGNORECASE)
_LIST_MARKER = re.compile(
    r"\d{1,2}|[^\W\d_]|(?=[ivx])x{0,3}(?:ix|iv|v?i{0,3})|(?=[IVX])X{0,3}(?:IX|IV|V?I{0,3})"
)
_LOWER_NAME = re.compile(
    r"(?:al|el)-[^\W\d_]|(?:al|bin|bint|ibn|abu|de|du|di|da|dos|van|von) [^\W\d_a-z]|[ie][A-Z]"
)
_DAY_OR_ZONE = re.compile(
    r"(?:(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day|(?:Mon|Tues?|Wed|Thu|Thurs?|Fri|Sat|Sun)"
    r"|January|February|March|April|May|June|July|August|(?:Septem|Octo|Novem|Decem)ber"
    r"|(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)"
    r"|GMT|UTC|[ECMP][SD]?T|EES?T|CES?T|BST|MSK|IST|JST|KST|HKT|AE[SD]T|Eastern|Central|Mountain|Pacific"
    r"|[^\W\d_]{1,20} time)\b",
    re.IGNORECASE,
)
_SPEAKER = re.compile(
    r"\s*(?P<first>[^\W\d_]{1,20})[\s.](?:[^\W\d_a-z][\w.'’-]{0,20}\s){0,3}(?P<verb>\w{2,12})\b"
)


class _Kind(Enum):
    """What the full stop of a token may be."""

    NEVER_LAST = auto()
    BEFORE_NUMBER = auto()
    EITHER = auto()
    MEASURE = auto()
    WORD = auto()


def borders(text: str, start: int, end: int) -> Iterator[int]:
    """Yield where the sentences of the block `text[start:end]` end, but for the last."""
    block = text[start:end]
    lower_case = block == block.lower()
    sentence = start
    for match in _MARK.finditer(text, start, end):
        stop = match.end()
        if stop < end and _is_border(text, sentence, match, lower_case):
            yield stop
            sentence = stop


def _is_border(text: str, sentence: int, match: re.Match[str], lower_case: bool) -> bool:
    """Decide on one mark of the sentence that begins at `sentence`."""
    mark, closing, stop = match["mark"], match["closing"], match.end()
    if mark[-1] in _ALWAYS:
        return True
    if not text[stop].isspace():
        return match.group() == "." and _lacks_blank(text, sentence, match)
    following = _NEXT.match(text, stop)
    if following is None or not following["first"] or following["first"] in "—–-":
        return False
    kind = _kind(text, sentence, match.start()) if mark == "." else _Kind.WORD
    place = following.start("first")
    if following["first"].islower() and not lower_case:
        return mark == "." and kind is _Kind.WORD and _LOWER_NAME.match(text, place) is not None
    if closing[:1] in tuple(_QUOTES):
        return mark == "." or not _is_speech(text, stop)  # a full stop would be a comma before a speaker
    if mark != "." and text[match.start() - 1 : match.start()] == "[":
        return False  # "[...]" stands for words left out
    return _may_follow(kind, text, place)


def _kind(text: str, sentence: int, dot: int) -> _Kind:
    """Return what the full stop at `dot` may be, by the token before it."""
    token = _last_token(text[max(sentence, dot - _TOKEN_CHARS) : dot])
    lower = token.lower()
    opens = dot - sentence < _TOKEN_CHARS and text[sentence:dot].strip(" \n(") == token
    if opens and _LIST_MARKER.fullmatch(token):
        return _Kind.NEVER_LAST
    before = ""
    if len(token) == 1 or token in UNITS:
        before = (text[max(sentence, dot - _TOKEN_CHARS) : dot - len(token)].split() or [""])[-1]
    if lower in CLOCK or (token in UNITS and before[-1:].isdigit()):
        return _Kind.MEASURE
    if before in LETTERED and len(token) == 1 and token.isupper():
        return _Kind.WORD
    if token in TITLES or lower in NEVER_LAST or (token.isupper() and token.title() in TITLES):
        return _Kind.NEVER_LAST
    if token[:1].isupper() and token.title() in DATES:
        return _Kind.EITHER
    if lower in BEFORE_NUMBERS and not (len(token) == 1 and token.isupper()):
        return _Kind.BEFORE_NUMBER
    if token in EITHER or (lower in EITHER and lower != token) or _looks_short(token):
        return _Kind.EITHER
    return _Kind.WORD


def _last_token(text: str) -> str:
    """Return what stands between the last blank, dash or opening mark of a text and its end."""
    word = "" if text[-1:].isspace() else text[text.rfind(" ") + 1 :]
    if word.isalnum():  # as most are, and half of the time is saved
        return word
    found = _LAST_TOKEN.search(text)
    return found.group() if found else ""


def _looks_short(token: str) -> bool:
    """Tell whether a token looks like an abbreviation: an initial, "U.S", or without a vowel."""
    if len(token) == 1:
        return token.isalpha() and token.isupper()
    if "." in token:
        return _DOTTED.fullmatch(token) is not None
    return not token.isupper() and _NO_VOWELS.fullmatch(token) is not None


def _may_follow(kind: _Kind, text: str, place: int) -> bool:
    """Tell whether the word at `place` opens a sentence after a token of this kind."""
    if kind is _Kind.WORD:
        return True
    if kind is _Kind.BEFORE_NUMBER:
        return not text[place].isdigit() and _ROMAN.match(text, place) is None
    if kind is _Kind.MEASURE and text[place].isupper():
        return _DAY_OR_ZONE.match(text, place) is None
    word = _WORD.match(text, place)
    opens = word is not None and word.group().capitalize() in OPENERS
    return opens and kind is not _Kind.NEVER_LAST


def _is_speech(text: str, stop: int) -> bool:
    """Tell whether a speaker follows a quotation, as in '"Why?" Kim asked': the sentence goes on."""
    speaker = _SPEAKER.match(text, stop)
    return speaker is not None and speaker["verb"] in SPEAKING and speaker["first"] not in OPENERS


def _lacks_blank(text: str, sentence: int, match: re.Match[str]) -> bool:
    """Tell whether a blank was lost between two sentences, as in "failed.The"."""
    token = _last_token(text[max(sentence, match.start() - _TOKEN_CHARS) : match.start()])
    word = _WORD.match(text, match.end())
    return (
        token.isalpha()
        and token[-3:].islower()
        and len(token) > 2
        and word is not None
        and len(word.group()) > 1
        and word.group() in OPENERS
    )
