"""Find the noun phrase that is the subject of a clause: a small, linear-time parser for news English.

It knows no grammar beyond the word lists of cues.py: a subject ends where a finite verb, a relative clause or
an aside begins. All works on positions of words in one sentence; `end` and `stop` are excluded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from stancewire import cues

MAX_WORDS = 16  # of a subject: the longest in the bundled corpus has 14
_MAX_ASIDE = 40  # words in all between a subject and its verb
_MAX_LEAD = 40  # words before the subject

_TOKEN = re.compile(
    r"(?:[^\W\d_]\.){2,}"  # U.S.
    r"|\b(?:Mr|Mrs|Ms|Dr|Gen|Col|Lt|Capt|Maj|Sgt|Adm|Prof|Sen|Rep|Gov|St|Brig|Cmdr)\."
    r"|\b[A-Z]\.(?= [A-Z])"  # an initial
    r"|\w+(?:[.'’&/-]\w+)*(?:(?<=s)['’](?= \w))?"
    r"|[^\w\s]"
)
_DASHES = frozenset("-–—")
_STOPS = frozenset(";:()[]*•?!.…") | _DASHES
_QUOTES = frozenset('"“”„«»')
_PARTICLES = frozenset(("al-", "el-", "an-", "as-", "at-", "ad-", "ar-", "ul-"))


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a mark, with its offsets in the sentence; `lower` has plain apostrophes."""

    text: str
    lower: str
    start: int
    end: int

    @property
    def is_name(self) -> bool:
        """Whether it is written like a name: "Seoul", "al-Murrani"."""
        return self.text[0].isupper() or (self.text[:3] in _PARTICLES and self.text[3:4].isupper())

    @property
    def is_quote(self) -> bool:
        """Whether it is a double quotation mark."""
        return self.text in _QUOTES

    @property
    def is_mark(self) -> bool:
        """Whether it is a comma, a stop or a quotation mark."""
        return self.text == "," or self.text in _STOPS or self.text in _QUOTES


@dataclass(frozen=True, slots=True)
class Subject:
    """The words from `start` to `end`, the verb that they belong to, and whether it is passive."""

    start: int
    end: int
    verb: int
    passive: bool


Words = Sequence[Word]


def words_of(text: str) -> list[Word]:
    """Split a text into words and marks."""
    return [
        Word(match.group(), match.group().lower().replace("’", "'"), match.start(), match.end())
        for match in _TOKEN.finditer(text)
    ]


def subject_of(words: Words, start: int, stop: int) -> Subject | None:
    """Return the subject of the clause that begins at `start`, or None."""
    start = _skip_lead(words, start, stop)
    end = None
    at = start
    while at < min(stop, start + _MAX_ASIDE):
        word = words[at]
        if word.text == ",":
            end = at if end is None else end
            at = _after_aside(words, at, stop)
        elif word.is_mark:
            return None
        elif at > start and word.lower in cues.RELATIVE:
            end = at if end is None else end
            at = _next_finite(words, at + 1, stop) + 1
        elif at > start and is_finite(words, at, start):
            return _subject(words, start, at if end is None else end, at, stop)
        else:
            at += 1
    return None


def is_finite(words: Words, at: int, start: int) -> bool:
    """Tell whether a word is a finite verb, as far as its form and the word before it show."""
    word = words[at]
    lower = word.lower
    if word.is_name:
        return False
    if lower in cues.AUXILIARY:
        return True
    before = words[at - 1] if at > start else None
    if before is not None and _wants_noun(words, at - 1, start):
        return False
    if lower in cues.ALSO_NOUNS:
        return before is not None and _takes_verb(before) and (lower != "states" or _says_that(words, at))
    if lower in cues.FINITE or (lower.endswith("ed") and len(lower) > 4 and "-" not in lower):
        return True
    return lower in cues.BASE and before is not None and _is_plural(head_of(words, start, at))


def phrase_end(words: Words, start: int, stop: int) -> int:
    """Return where the noun phrase that begins at `start` ends."""
    at = start
    while at < min(stop, start + MAX_WORDS):
        word = words[at]
        if word.is_mark or word.lower in cues.RELATIVE or word.lower in cues.END | cues.ADVERB:
            break
        if at > start and (is_finite(words, at, start) or _is_time(words, at)):
            break
        at += 1
    return at


def head_of(words: Words, start: int, end: int) -> Word:
    """Return the head of a noun phrase: its last word before the first preposition."""
    for at in range(start + 1, end):
        if words[at].lower in cues.PREPOSITION and not words[at].is_name:
            return words[at - 1]
    return words[end - 1]


def singular(lower: str) -> str:
    """Return the singular of a regular plural."""
    if lower.endswith("'s"):
        lower = lower[:-2]
    if lower.endswith("ies"):
        return lower[:-3] + "y"
    if lower.endswith("men"):
        return lower[:-3] + "man"
    if lower.endswith(("sses", "shes", "ches", "xes")):
        return lower[:-2]
    return lower[:-1] if lower.endswith("s") and not lower.endswith("ss") else lower


def _subject(words: Words, start: int, end: int, verb: int, stop: int) -> Subject | None:
    """Trim the phrase, and step from the auxiliaries to the verb that says something."""
    end = _trimmed(words, start, end)
    if not 0 < end - start <= MAX_WORDS:
        return None
    was_be = False
    while verb + 1 < stop and (
        words[verb].lower in cues.AUXILIARY or words[verb].lower in cues.ADVERB | cues.BE
    ):
        was_be = was_be or words[verb].lower in cues.BE
        verb += 1
    lower = words[verb].lower
    passive = was_be and (lower.endswith("ed") or lower in cues.PARTICIPLE) and lower not in cues.STATE
    if not was_be and (later := _after_participle(words, verb, stop)) is not None:
        verb = later
    return Subject(start, end, verb, passive)


def _after_participle(words: Words, verb: int, stop: int) -> int | None:
    """Return the verb of "officials interviewed for this note complain", found as "interviewed"."""
    if not words[verb].lower.endswith("ed") or verb + 1 >= stop:
        return None
    if words[verb + 1].lower not in cues.PREPOSITION or words[verb].lower in cues.SAYING:
        return None
    for at in range(verb + 2, min(stop, verb + 8)):
        if words[at].is_mark or words[at].lower in cues.RELATIVE:
            return None
        if words[at].lower in cues.SAYING and is_finite(words, at, verb):
            return at
    return None


def _skip_lead(words: Words, start: int, stop: int) -> int:
    """Step over datelines, "but", "in Kinshasa," and the like."""
    at = _after_dateline(words, start, stop)
    for _ in range(4):
        while at < stop and (words[at].lower in cues.LEAD or words[at].is_mark):
            at += 1
        if at >= stop or not _opens_lead(words, at, stop):
            return at
        verb = _next_finite(words, at + 1, stop)
        comma = _next_comma(words, at + 1, stop)
        if comma < stop and (comma < verb or words[at].lower in cues.SUBORDINATE):
            at = comma + 1
        else:
            return _back_from(words, at, verb)
    return at


def _opens_lead(words: Words, at: int, stop: int) -> bool:
    """Tell whether a phrase before the subject starts here: of place, of time, or a participle."""
    lower = words[at].lower
    if lower in cues.PREPOSITION or lower in cues.SUBORDINATE:
        return True
    if at + 1 < stop and lower.endswith(("ing", "ed")) and _next_comma(words, at, stop) < stop:
        return words[at + 1].lower in cues.PREPOSITION | cues.DETERMINER
    return at + 1 < stop and singular(words[at + 1].lower) in cues.TIME and lower in cues.DETERMINER


def _after_dateline(words: Words, start: int, stop: int) -> int:
    """Step over "ALGIERS, June 14 - "."""
    if start < stop and words[start].text.isupper() and len(words[start].text) > 2:
        for at in range(start + 1, min(stop, start + 14)):
            if words[at].text in _DASHES:
                return at + 1
    return start


def _back_from(words: Words, start: int, verb: int) -> int:
    """Return where the phrase before a verb begins: "in its last report | the panel recorded"."""
    at = verb - 1
    while at > start and (words[at].lower in cues.ADVERB or _is_time(words, at)):
        at -= 1
    while at - 1 > start:
        word, before = words[at], words[at - 1]
        if before.is_mark or before.lower in cues.ADVERB | cues.LEAD or _is_time(words, at - 1):
            break
        if before.lower in cues.PREPOSITION:
            if at - 2 <= start:
                break
            at -= 2
        elif word.lower in cues.DETERMINER or (word.is_name and not _carries_name(before)):
            break
        else:
            at -= 1
    return at


def _carries_name(word: Word) -> bool:
    """Tell whether a name may follow this word within one phrase: "minister Kono", "the Uzbek"."""
    return word.is_name or word.lower in cues.DETERMINER or singular(word.lower) in cues.PERSON


def _after_aside(words: Words, comma: int, stop: int) -> int:
    """Return where the clause goes on after an aside: behind the comma that a verb follows."""
    at = comma
    while at < stop:
        following = at + 1
        while following < stop and words[following].lower in cues.ADVERB:
            following += 1
        if following < stop and is_finite(words, following, following):
            return following
        at = _next_comma(words, at + 1, stop)
    return stop


def _trimmed(words: Words, start: int, end: int) -> int:
    """Drop adverbs and dates from the end of a phrase."""
    for at in range(start + 1, end):
        if words[at].lower == "on" and at + 1 < end and _is_time(words, at + 1):
            end = at
            break
    while end > start and (
        words[end - 1].lower in cues.ADVERB or words[end - 1].is_mark or _is_time(words, end - 1)
    ):
        end -= 1
    return end


def _wants_noun(words: Words, at: int, start: int) -> bool:
    """Tell whether the word here must be followed by a noun sooner than by a verb."""
    while at > start and words[at].lower.endswith("ly"):
        at -= 1
    lower = words[at].lower
    return (
        lower in cues.DETERMINER or lower in cues.PREPOSITION or lower.endswith(("'s", "s'")) or lower == "to"
    )


def _takes_verb(word: Word) -> bool:
    """Tell whether "supports" after this word is a verb: after a name, a person or a body."""
    return word.is_name or word.lower in cues.PRONOUN or word.lower in cues.PERSON or word.lower in cues.GROUP


def _says_that(words: Words, at: int) -> bool:
    return at + 1 < len(words) and words[at + 1].lower == "that"


def _is_plural(word: Word) -> bool:
    lower = word.lower
    return lower in cues.PRONOUN | {"we", "i", "you"} or (
        lower.endswith(("s", "men", "people")) and not lower.endswith("ss")
    )


def _is_time(words: Words, at: int) -> bool:
    lower = words[at].lower
    if lower == "may":
        return words[at].is_name
    return lower in cues.MONTH_OR_DAY or lower.isdigit()


def _next_comma(words: Words, start: int, stop: int) -> int:
    for at in range(start, min(stop, start + _MAX_LEAD)):
        if words[at].text == ",":
            return at
    return stop


def _next_finite(words: Words, start: int, stop: int) -> int:
    for at in range(start, min(stop, start + _MAX_LEAD)):
        if is_finite(words, at, start):
            return at
    return stop
