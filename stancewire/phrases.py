"""Find the noun phrase that is the subject of a clause: a small, linear-time parser for news English.

It knows no grammar beyond the word lists of cues.py and verbs.py: a subject ends where a finite verb, a
relative clause or an aside begins. Positions count the words of one sentence; `end` and `stop` are excluded.
"""

from __future__ import annotations

from dataclasses import dataclass

from stancewire import cues, verbs
from stancewire.finite import goes_on, is_finite, is_only_verb, is_plural, is_third, main_verb, may_open_aside
from stancewire.words import DASHES, Word, Words, is_time, singular

MAX_WORDS = 16
_MAX_ASIDE = 40  # words in all between a subject and its verb
_MAX_LEAD = 40  # words before the subject
_MAX_BRACKETED = 8  # words in brackets behind a name
_NOMINATIVE = frozenset(("he", "she", "they", "we"))  # begin a clause of their own: "the pin | she wore"


@dataclass(frozen=True, slots=True)
class Subject:
    """The words of a subject and the verb that they belong to.

    Attributes:
        start: its first word.
        end: one past its last word.
        verb: the verb that says something, behind its auxiliaries: "deliver" of "will not deliver".
        passive: whether something is done to the subject.
        is_state: whether it only is something: "is unclear".
    """

    start: int
    end: int
    verb: int
    passive: bool
    is_state: bool


def subject_of(words: Words, start: int, stop: int) -> Subject | None:
    """Return the subject of the clause that begins at `start`, or None."""
    start = _skip_lead(words, start, stop)
    if start >= stop or is_only_verb(words[start]):
        return None
    end = None
    at = start
    while at < min(stop, start + _MAX_ASIDE):
        word = words[at]
        if word.text == "," and (listed := _after_list(words, at, stop)) is not None:
            at = listed
        elif word.text == ",":
            end = at if end is None else end
            verb = _after_aside(words, start, at, stop)
            return None if verb is None else _subject(words, start, end, verb, stop)
        elif word.text == "(" and (closed := _after_brackets(words, at, stop)) is not None:
            end = at if end is None and words[closed].lower != "and" else end
            at = closed
        elif word.is_mark and not word.is_quote:
            return None
        elif at > start and (word.lower in cues.RELATIVE or word.lower in _NOMINATIVE):
            end = at if end is None else end
            at = _relative_verb(words, at + 1, stop) + 1
        elif at > start and is_finite(words, at, start):
            return _subject(words, start, at if end is None else end, at, stop)
        else:
            at += 1
    return None


def _after_brackets(words: Words, opening: int, stop: int) -> int | None:
    """Return where "Lee (D-Ohio) | said" goes on."""
    for at in range(opening + 1, min(stop - 1, opening + _MAX_BRACKETED)):
        if words[at].text == ")":
            return at + 1
    return None


def phrase_end(words: Words, start: int, stop: int) -> int:
    """Return where the noun phrase that begins at `start` ends."""
    at = start
    while at < min(stop, start + MAX_WORDS):
        word = words[at]
        if word.is_mark or word.lower in cues.RELATIVE or word.lower in cues.ADVERB:
            break
        if word.lower in cues.END and not (word.lower == "and" and _joins_names(words, start, at, stop)):
            break
        if at > start and (is_finite(words, at, start) or is_time(words, at)):
            break
        at += 1
    return at


def _joins_names(words: Words, start: int, at: int, stop: int) -> bool:
    """Tell whether "and" goes on with a noun of its own: "the Justice | and Trade Departments"."""
    following = at + 1
    if not start < at or following >= stop or not words[following].is_name or not words[at - 1].is_name:
        return False
    while following < stop and words[following].is_name:
        following += 1
    return following >= stop or not is_finite(words, following, at)


def _subject(words: Words, start: int, end: int, verb: int, stop: int) -> Subject | None:
    """Trim the phrase, and step from the auxiliaries to the verb that says something."""
    end = _trimmed(words, start, end)
    if not 0 < end - start <= MAX_WORDS:
        return None
    verb, was_be = main_verb(words, verb, stop)
    lower = words[verb].lower
    passive = was_be and (lower.endswith("ed") or lower in verbs.PARTICIPLE) and lower not in verbs.STATE
    if not was_be and (later := _after_participle(words, verb, stop)) is not None:
        verb = later
    is_state = was_be and not passive and not lower.endswith("ing")
    return Subject(start, end, verb, passive, is_state)


def _after_participle(words: Words, verb: int, stop: int) -> int | None:
    """Return the verb of "officials interviewed for this note complain", found as "interviewed"."""
    if not words[verb].lower.endswith("ed") or verb + 1 >= stop:
        return None
    if words[verb + 1].lower not in cues.PREPOSITION or words[verb].lower in verbs.SAYING:
        return None
    for at in range(verb + 2, min(stop, verb + 8)):
        if words[at].is_mark or words[at].lower in cues.RELATIVE:
            return None
        if words[at].lower in verbs.SAYING and is_finite(words, at, verb):
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
        is_whole = comma < verb or words[at].lower in cues.SUBORDINATE or words[at].text == "Should"
        if comma < stop and (is_whole or may_open_aside(words, verb, stop)):
            at = comma + 1
        else:
            return _back_from(words, at, verb)
    return at


def _opens_lead(words: Words, at: int, stop: int) -> bool:
    """Tell whether a phrase before the subject starts here: of place, of time, or a participle."""
    lower = words[at].lower
    if lower in cues.PREPOSITION or lower in cues.SUBORDINATE or words[at].text == "Should":
        return True
    if at + 1 < stop and lower.endswith(("ing", "ed")) and _next_comma(words, at, stop) < stop:
        return words[at + 1].lower in cues.PREPOSITION | cues.DETERMINER
    timed = at + 1 < stop and singular(words[at + 1].lower) in cues.TIME
    return timed and (lower in cues.DETERMINER or lower in ("last", "next"))


def _after_dateline(words: Words, start: int, stop: int) -> int:
    """Step over "ALGIERS, June 14 - "."""
    if start < stop and words[start].text.isupper() and len(words[start].text) > 2:
        for at in range(start + 1, min(stop, start + 14)):
            if words[at].text in DASHES:
                return at + 1
    return start


def _back_from(words: Words, start: int, verb: int) -> int:
    """Return where the phrase before a verb begins: "in its last report | the panel recorded"."""
    at = verb - 1
    while at > start and (words[at].lower in cues.ADVERB or is_time(words, at)):
        at -= 1
    while at - 1 > start:
        word, before = words[at], words[at - 1]
        if (
            word.is_pronoun
            or before.is_mark
            or before.lower in cues.ADVERB | cues.LEAD
            or is_time(words, at - 1)
        ):
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
    return word.is_name or word.lower in cues.DETERMINER or word.is_person


def _after_list(words: Words, comma: int, stop: int) -> int | None:
    """Return the end of a list of names that goes on at a comma: "Estonia, Finland and Norway"; else None."""
    at = comma + 1
    joined = False
    while at < stop and (
        words[at].is_name or words[at].text == "," or words[at].lower in ("and", "the", "of")
    ):
        joined = joined or words[at].lower == "and"
        at += 1
    closed = words[at - 1].is_name and at < stop and not words[at].is_mark
    return at if joined and closed else None


def _after_aside(words: Words, start: int, comma: int, stop: int) -> int | None:
    """Return the verb with which a clause goes on after an aside: behind one of the next commas."""
    plural = is_plural(words, start, comma)
    participle = None
    at = comma
    stop = min(stop, comma + _MAX_ASIDE)
    while at < stop:
        verb = at + 1
        while verb < stop and (words[verb].lower in cues.ADVERB or _is_date(words, verb)):
            verb += 1
        if verb < stop and goes_on(words, verb, plural):
            if not may_open_aside(words, verb, stop):
                return verb
            participle = verb if participle is None else participle
        at = _next_comma(words, at + 1, stop)
    return participle


def _is_date(words: Words, at: int) -> bool:
    on_a_day = words[at].lower == "on" and at + 1 < len(words) and is_time(words, at + 1)
    return on_a_day or (words[at - 1].lower == "on" and is_time(words, at))


def _trimmed(words: Words, start: int, end: int) -> int:
    """Drop adverbs and dates from the end of a phrase."""
    for at in range(start + 1, end):
        if words[at].lower == "on" and at + 1 < end and is_time(words, at + 1):
            end = at
            break
    while end - 1 > start and (words[end - 1].is_adverb or words[end - 1].is_mark or is_time(words, end - 1)):
        end -= 1
    return end


def _relative_verb(words: Words, start: int, stop: int) -> int:
    """Return the verb of a relative clause: "who | studies exports", "which the army | bought"."""
    at = start
    while at < stop and words[at].lower in cues.ADVERB:
        at += 1
    if at < stop and not words[at].is_name and (is_third(words[at]) or words[at].lower in verbs.BASE):
        return at
    return _next_finite(words, start, stop)


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
