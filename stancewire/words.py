"""Words and marks of a sentence, where they stand in it, and what kind of noun a word is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stancewire import cues
from stancewire.memo import Memo

_TOKEN = re.compile(
    r"[A-Za-z]++(?![\w.'’&/-])"  # most words: what follows would read them alike, but more slowly
    r"|(?:[^\W\d_]\.){2,}"  # U.S.
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


@dataclass(frozen=True, slots=True)
class Word:
    """A word or a mark as it is written, wherever it stands; what is asked of it often is found out once.

    Attributes:
        text: as written.
        lower: in lower case, with plain apostrophes.
        is_name: whether it is written like a name: "Seoul", "al-Murrani".
        is_quote: whether it is a quotation mark; a straight single one is an apostrophe.
        is_mark: whether it is a comma, a stop or a quotation mark.
        is_pronoun: whether it may stand for a holder: "she".
        is_adverb: whether it is an adverb: "again", "firmly"; "ally" is none.
        is_plural: whether a base form may be its verb: "critics want".
        is_person: whether it names a person by what he or she does.
        is_body: whether it names a body, an office or a state.
        is_thing: whether it names what holds no stance, whatever its verb.
        looks_abstract: whether it ends as what is no person does: "inflation"; of a capitalised word fewer
            ends tell.
    """

    text: str
    lower: str
    is_name: bool
    is_quote: bool
    is_mark: bool
    is_pronoun: bool
    is_adverb: bool
    is_plural: bool
    is_person: bool
    is_body: bool
    is_thing: bool
    looks_abstract: bool


Words = Sequence[Word]


def words_of(text: str) -> list[Word]:
    """Split a text into words and marks."""
    return list(map(_WORDS.__getitem__, _TOKEN.findall(text)))


def spans_of(text: str, words: Words) -> Iterator[tuple[int, int]]:
    """Yield where each of a text's words starts and ends; nothing but blanks lies between two."""
    end = 0
    for word in words:
        start = text.index(word.text, end)
        end = start + len(word.text)
        yield start, end


def read_word(text: str) -> Word:
    """Find out what is asked of a word."""
    lower = text.lower().replace("’", "'")
    one = singular(lower)
    is_name = text[0].isupper() or (text[:3] in _PARTICLES and text[3:4].isupper())
    is_person = lower in _PEOPLE or one in _PEOPLE or one.endswith(_PERSON_ENDS)
    is_body = lower in cues.GROUP or one in cues.GROUP
    is_noun = is_name or is_person or lower in _NO_ADVERBS or one in _NO_ADVERBS
    is_one = is_person or is_body
    ends_as_plural = lower.endswith(("s", "men", "people", "police")) and not lower.endswith(("ss", "'s"))
    return Word(
        text=text,
        lower=lower,
        is_name=is_name,
        is_quote=text in _QUOTE_MARKS,
        is_mark=text in _ALL_MARKS,
        is_pronoun=lower in cues.PRONOUN,
        is_adverb=lower in cues.ADVERB or (lower.endswith("ly") and not is_noun),
        is_plural=lower in cues.PLURAL or ends_as_plural,
        is_person=is_person,
        is_body=is_body,
        is_thing=not is_one and (lower in cues.THING or one in cues.THING),
        looks_abstract=not is_one and one.endswith(_ABSTRACT_ENDS if is_name else _THING_ENDS),
    )


_WORDS = Memo(read_word)


def quotes_in(words: Words) -> list[int]:
    """Return the positions of the quotation marks."""
    return [at for at, word in enumerate(words) if word.is_quote]


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


def head_at(words: Words, start: int, end: int) -> int:
    """Return where the head of a noun phrase stands: its last word before the first preposition or mark."""
    for at in range(start + 1, end):
        if words[at].is_mark or (words[at].lower in cues.PREPOSITION and not words[at].is_name):
            return at - 1
    return end - 1


def head_of(words: Words, start: int, end: int) -> Word:
    """Return the head of a noun phrase."""
    return words[head_at(words, start, end)]


def is_time(words: Words, at: int) -> bool:
    """Tell whether a word is a month, a day or a number of one: "on Monday", "14 June"."""
    lower = words[at].lower
    if lower == "may":
        return words[at].is_name
    return lower in cues.MONTH_OR_DAY or lower.isdigit()
