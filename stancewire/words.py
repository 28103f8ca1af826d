"""Words and marks of a sentence with their offsets, and what kind of noun a word is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from stancewire import cues

_TOKEN = re.compile(
    r"(?:[^\W\d_]\.){2,}"  # U.S.
    r"|\b(?:Mr|Mrs|Ms|Dr|Gen|Col|Lt|Capt|Maj|Sgt|Adm|Prof|Sen|Rep|Gov|St|Brig|Cmdr)\."
    r"|\b[A-Z]\.(?= [A-Z])"  # an initial
    r"|\d+(?:[.,]\d+)+"
    r"|['’]\d0s"
    r"|\w+(?:[.'’&/-]\w+)*(?:(?<=s)['’](?= \w))?"
    r"|[^\w\s]"
)
DASHES = frozenset("-–—")
_QUOTES = frozenset('"“”„«»‘')
_MARKS = frozenset(",;:()[]*•?!.…") | DASHES | _QUOTES
_QUOTE_MARKS = _QUOTES | {"’"}
_ALL_MARKS = _MARKS | {"’"}
_PARTICLES = frozenset(("al-", "el-", "an-", "as-", "at-", "ad-", "ar-", "ul-"))
_PERSON_ENDS = ("man", "woman", "person", "ist", "crat", "ician", "eer", "ologist")
_PEOPLE = cues.PERSON | cues.QUANTIFIER
_NO_ADVERBS = cues.GROUP | cues.THING | cues.NOUN_IN_LY
_ABSTRACT_ENDS = ("tion", "sion", "ment", "ness", "ism")
_THING_ENDS = (*_ABSTRACT_ENDS, "ity", "ance", "ence", "ship")


class Word(NamedTuple):
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
        """Whether it is a quotation mark; a straight single one is an apostrophe."""
        return self.text in _QUOTE_MARKS

    @property
    def is_mark(self) -> bool:
        """Whether it is a comma, a stop or a quotation mark."""
        return self.text in _ALL_MARKS

    @property
    def is_pronoun(self) -> bool:
        """Whether it may stand for a holder: "she"."""
        return self.lower in cues.PRONOUN

    @property
    def is_adverb(self) -> bool:
        """Whether it is an adverb: "again", "firmly"; "ally" is none."""
        if self.lower in cues.ADVERB:
            return True
        if not self.lower.endswith("ly"):
            return False
        return not (self.is_name or self.is_person or self._is_of(_NO_ADVERBS))

    @property
    def is_plural(self) -> bool:
        """Whether a base form may be its verb: "critics want"."""
        return self.lower in cues.PLURAL or (
            self.lower.endswith(("s", "men", "people", "police")) and not self.lower.endswith(("ss", "'s"))
        )

    @property
    def is_person(self) -> bool:
        """Whether it names a person by what he or she does."""
        return self._is_of(_PEOPLE) or singular(self.lower).endswith(_PERSON_ENDS)

    @property
    def is_body(self) -> bool:
        """Whether it names a body, an office or a state."""
        return self._is_of(cues.GROUP)

    @property
    def is_thing(self) -> bool:
        """Whether it names what holds no stance, whatever its verb."""
        if self.is_person or self.is_body:
            return False
        return self._is_of(cues.THING)

    @property
    def looks_abstract(self) -> bool:
        """Whether it ends as what is no person does: "inflation"; of a capitalised word fewer ends tell."""
        ends = _ABSTRACT_ENDS if self.is_name else _THING_ENDS
        return singular(self.lower).endswith(ends) and not self.is_person and not self.is_body

    def _is_of(self, nouns: frozenset[str]) -> bool:
        return self.lower in nouns or singular(self.lower) in nouns


Words = Sequence[Word]
_word = tuple.__new__  # a third of the time of the constructor


def words_of(text: str) -> list[Word]:
    """Split a text into words and marks."""
    words = []
    end = 0
    for word in _TOKEN.findall(text):
        start = text.index(word, end)  # nothing but blanks lies between two words
        end = start + len(word)
        words.append(_word(Word, (word, word.lower().replace("’", "'"), start, end)))
    return words


def quotes_in(words: Words) -> list[int]:
    """Return the positions of the quotation marks."""
    return [at for at, word in enumerate(words) if word.text in _QUOTE_MARKS]


def singular(lower: str) -> str:
    """Return the singular of a regular plural, without a possessive ending."""
    if lower.endswith(("'s", "s'")):
        lower = lower[:-2] if lower.endswith("'s") else lower[:-1]
    if lower.endswith("ies"):
        return lower[:-3] + "y"
    if lower.endswith("men"):
        return lower[:-3] + "man"
    if lower.endswith(("sses", "shes", "ches", "xes")):
        return lower[:-2]
    return lower[:-1] if lower.endswith("s") and not lower.endswith("ss") else lower


def head_of(words: Words, start: int, end: int) -> Word:
    """Return the head of a noun phrase: its last word before the first preposition or mark."""
    for at in range(start + 1, end):
        if words[at].is_mark or (words[at].lower in cues.PREPOSITION and not words[at].is_name):
            return words[at - 1]
    return words[end - 1]


def is_time(words: Words, at: int) -> bool:
    """Tell whether a word is a month, a day or a number of one: "on Monday", "14 June"."""
    lower = words[at].lower
    if lower == "may":
        return words[at].is_name
    return lower in cues.MONTH_OR_DAY or lower.isdigit()
