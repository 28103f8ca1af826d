"""Who holds the stance of a sentence: quote and speaker attribution by rules, in linear time.

"X said", "said X", "according to X", the speaker of a quotation, and the subject of a verb of siding ("Seoul
opposes …") when it can hold a stance at all. docs/reading.md states how well that works.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from stancewire import cues, verbs
from stancewire.finite import is_finite
from stancewire.phrases import Subject, phrase_end, subject_of
from stancewire.words import Words, head_at, head_of, is_time, quotes_in, singular, spans_of, words_of

_MAX_CHARS = 4000  # of a sentence; what comes later is not looked at
_MIN_QUOTED_WORDS = 4  # fewer are a name or a word at a distance, not speech
_MAX_ATTRIBUTION = 14  # words from the comma to the verb of ", the minister's spokesman in Cairo said"
_OPENS_VIEW = frozenset(("according", "in"))
_JOINS = frozenset(("and", "but", "whereas", "while"))


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a stance.

    Attributes:
        text: as named in the text; a pronoun when nothing tells whom it means.
        start: where that starts.
        end: where it ends.
        cue: the word that shows it: "said", "opposes", "according to".
        mention: as the sentence itself has it: the same as `text`, or "he", or "" when a quotation goes on.
        in_context: whether `text` is named in an earlier sentence, where start and end then point.
    """

    text: str
    start: int
    end: int
    cue: str
    mention: str
    in_context: bool = False


def find_holder(sentence: str, context: str = "") -> Holder | None:
    """Find the holder of a sentence, or None when no rule is sure of one.

    Args:
        sentence: the sentence; offsets are into it.
        context: the sentence before, or "": where a pronoun, or a quotation that goes on, finds its speaker;
            offsets are into it when the holder is `in_context`.
    """
    sentence = sentence[:_MAX_CHARS]
    words, found = _read(sentence)
    if found is None:
        return _speaker_before(context) if _is_all_quote(sentence, words) else None
    start, end, cue = found
    spans = list(spans_of(sentence, words[:end]))
    first, last = spans[start][0], spans[-1][1]
    text = sentence[first:last]
    holder = Holder(text, first, last, cue, text)
    if end - start == 1 and words[start].is_pronoun and words[start].lower not in cues.FIRST_PERSON:
        holder = _antecedent(holder, context)
        # "It lasted an hour": with nobody in sight, only its verb tells whether "it" has a will.
        return None if holder.text.lower() == "it" and cue not in verbs.WILFUL else holder
    return holder


_Found = tuple[int, int, str]


@lru_cache(maxsize=8)
def _read(sentence: str) -> tuple[Words, _Found | None]:
    """Return a sentence's words, and which of them name the holder; asked again where it is the context."""
    words = words_of(sentence)
    return words, _find(sentence, words)


def _find(sentence: str, words: Words) -> _Found | None:
    """Return the words that name the holder, and the cue."""
    outside = _outside_quotes(sentence, words)
    if len(outside) != 1 or outside[0] != (0, len(words)):
        return next((found for part in outside if (found := _speaker(words, *part))), None)
    subject = next(_subjects(words), None)
    attribution = _according_to(words, 0, len(words)) or _attribution(words)
    if subject is not None and (
        attribution is None
        or _is_pronoun(words, attribution)
        or (_is_wilful(words, subject) and not words[subject.start].is_pronoun)
    ):
        return _named(words, subject.start, subject.end, words[subject.verb].lower)
    return attribution or _agent(words)


def _is_pronoun(words: Words, found: _Found) -> bool:
    return found[1] - found[0] == 1 and words[found[0]].is_pronoun


def _is_wilful(words: Words, subject: Subject) -> bool:
    """Tell whether the verb is one of saying or siding; a base form only behind "will" and the like."""
    return not subject.is_state and words[subject.verb].lower in verbs.WILFUL


def _subjects(words: Words) -> Iterator[Subject]:
    """Yield the subjects that can hold a stance, clause by clause."""
    starts = [
        at + 1
        for at, word in enumerate(words)
        if word.text == ";" or (word.lower in _JOINS and at and words[at - 1].text == ",")
    ]
    for start in (0, *starts):
        subject = subject_of(words, start, len(words))
        if subject is not None and not subject.passive and _can_hold(words, subject):
            yield subject


def _can_hold(words: Words, subject: Subject) -> bool:
    """Tell whether a subject can hold a stance: a person, a body, a state; a thing cannot."""
    at = head_at(words, subject.start, subject.end)
    head = words[at]
    alone = subject.end - subject.start == 1
    if subject.is_state and words[subject.verb].lower not in verbs.ATTITUDE:
        return False  # "is a veteran", "is in Rome"
    if words[subject.end - 1].lower == "it":
        return alone  # "none of it"
    # The capital of a lone word that begins a sentence tells nothing: "Inflation", "Refusals".
    is_first = at == 0 and head.lower not in cues.ODD_NAMES
    speaks = words[subject.verb].lower in verbs.SAYING
    if _is_nobody(words, subject.start) or head.is_thing:
        return False
    if head.looks_abstract and not speaks and (is_first or not head.is_name):
        return False  # a statement says something, but does nothing
    if head.is_person or head.is_body or head.is_pronoun or _is_wilful(words, subject):
        return True
    return head.is_name and not (is_first and head.is_plural)


def _is_nobody(words: Words, at: int) -> bool:
    return words[at].lower in cues.NO_HOLDER


def _speaker(words: Words, start: int, stop: int) -> _Found | None:
    """Return the speaker that a part outside quotation marks names: ", X said", "said X"."""
    quoted = start > 0 and words[start - 1].is_quote
    while start < stop and words[start].is_mark:
        start += 1
    if start < stop and _is_inverted(words, start, quoted):
        end = phrase_end(words, start + 1, stop)
        if end > start + 1 and not _is_nobody(words, start + 1):
            return _named(words, start + 1, end, words[start].lower)
    if (named := _according_to(words, start, stop)) is not None:
        return named
    subject = subject_of(words, start, stop)
    if subject is None or subject.passive or not _can_hold(words, subject):
        return None
    return _named(words, subject.start, subject.end, words[subject.verb].lower)


def _is_inverted(words: Words, at: int, quoted: bool) -> bool:
    """Tell whether a verb of saying comes before its speaker; right behind a quotation any verb is one."""
    if words[at].lower in verbs.INVERTED:
        return True
    return quoted and is_finite(words, at, at) and words[at].lower not in verbs.AUXILIARY


def _according_to(words: Words, start: int, stop: int) -> _Found | None:
    """Return the X of "according to X" and "in the words of X"."""
    for at in [at for at in range(start, stop - 2) if words[at].lower in _OPENS_VIEW]:
        after, cue = at + 2, "according to"
        if words[at].lower == "in" and words[at + 1].lower == "the" and words[at + 2].lower in cues.VIEWS:
            after, cue = at + 4, f"in the {words[at + 2].lower} of"
            if after > stop or words[at + 3].lower != "of":
                continue
        elif words[at].lower != "according" or words[at + 1].lower != "to":
            continue
        end = phrase_end(words, after, stop)
        if end > after:
            return _named(words, after, _before_participle(words, after, end), cue)
    return None


def _before_participle(words: Words, start: int, end: int) -> int:
    """Return where "the text | seen" ends."""
    cut = words[end - 1].lower in verbs.PARTICIPLE and end < len(words) and end - start > 1
    return end - 1 if cut and words[end].lower in cues.PREPOSITION else end


def _attribution(words: Words) -> _Found | None:
    """Return the X of ", X said." and ", said X", within or at the end of a sentence."""
    comma = None
    for at, word in enumerate(words):
        if word.text == ",":
            comma = at
        elif (
            comma is not None
            and word.lower in verbs.SAYING
            and not word.is_name
            and at - comma <= _MAX_ATTRIBUTION
        ):
            if at == comma + 1:
                if word.lower not in verbs.INVERTED:
                    continue
                end = phrase_end(words, at + 1, len(words))
                start = at + 1
            else:
                start, end = comma + 1, at
                while words[end - 1].lower in verbs.AUXILIARY:
                    end -= 1
            if _is_attribution(words, start, end, at):
                return _named(words, start, end, word.lower)
    return None


def _is_attribution(words: Words, start: int, end: int, verb: int) -> bool:
    no_start = cues.NO_HOLDER | cues.RELATIVE | cues.LEAD | cues.PREPOSITION
    if not start < end or words[start].lower in no_start or is_finite(words, start, start):
        return False
    if any(is_finite(words, at, start) for at in range(start + 1, end)):
        return False
    after = max(verb + 1, end)
    return after >= len(words) or words[after].is_mark or words[after].lower in cues.PREPOSITION | cues.ADVERB


def _agent(words: Words) -> _Found | None:
    """Return the X of "was declined by X"; "a shell developed by X" says nothing of X's stance."""
    for at in range(2, len(words) - 1):
        if words[at].lower != "by":
            continue
        verb = words[at - 1].lower
        if not (verb.endswith("ed") or verb in verbs.PARTICIPLE):
            continue
        before = at - 2
        while before > 0 and words[before].is_adverb:
            before -= 1
        end = phrase_end(words, at + 1, len(words))
        if words[before].lower not in verbs.BE or end <= at + 1 or is_time(words, at + 1):
            continue
        head = head_of(words, at + 1, end)
        if head.is_person or head.is_body or (head.is_name and not head.is_thing):
            return _named(words, at + 1, end, verb)
    return None


def _named(words: Words, start: int, end: int, cue: str) -> _Found:
    """Prefer the name to the office: "the president, Shigeo Haraguchi, said" is about Shigeo Haraguchi."""
    head = head_of(words, start, end)
    if head.is_person and not head.is_name and end < len(words) and words[end].text == ",":
        stop = end + 1
        while stop < len(words) and words[stop].is_name:
            stop += 1
        if 2 <= stop - end - 1 <= 5 and (
            stop == len(words) or words[stop].is_mark or words[stop].lower == cue
        ):
            return end + 1, stop, cue
    return start, end, cue


def _outside_quotes(sentence: str, words: Words) -> list[tuple[int, int]]:
    """Return the parts of a sentence outside its quotations; a word or two in quotes are no quotation."""
    marks = quotes_in(words)
    if len(marks) % 2:
        # A quotation goes on from the sentence before, or into the next one.
        marks = [-1, *marks] if _closes(sentence, words, marks[0]) else [*marks, len(words)]
    parts, at = [], 0
    for opening, closing in zip(marks[::2], marks[1::2], strict=True):
        if closing - opening > _MIN_QUOTED_WORDS or words[closing - 1].is_mark:
            if opening > at:
                parts.append((at, opening))
            at = closing + 1
    if at < len(words):
        parts.append((at, len(words)))
    return [part for part in parts if any(not word.is_mark for word in words[slice(*part)])]


def _closes(sentence: str, words: Words, at: int) -> bool:
    """Tell whether a quotation mark closes: nothing before it but text, and a blank or the end behind it."""
    mark = words[at].text
    if mark in "”»’":
        return True
    if mark != '"' or at == 0:
        return False
    *_, (_, before), (start, _) = spans_of(sentence, words[: at + 1])
    return before == start


def _is_all_quote(sentence: str, words: Words) -> bool:
    return bool(quotes_in(words)) and not _outside_quotes(sentence, words)


def _speaker_before(context: str) -> Holder | None:
    """Return who speaks in the sentence before, when it quotes."""
    if not quotes_in(words_of(context[:_MAX_CHARS])):
        return None
    holder = find_holder(context)
    return None if holder is None else replace(holder, mention="", in_context=True)


def _antecedent(holder: Holder, context: str) -> Holder:
    """Return whom a pronoun means, when the sentence before has one holder and it fits; else the pronoun."""
    found = find_holder(context)
    if found is None or not _fits(holder.text.lower(), words_of(found.text)):
        return holder
    return replace(found, cue=holder.cue, mention=holder.text, in_context=True)


def _fits(pronoun: str, words: Words) -> bool:
    """Tell whether a pronoun can mean a phrase, by its number and by who can be "it"."""
    head = head_of(words, 0, len(words))
    if head.is_pronoun:
        return False
    # The capital of a lone word may be that of its sentence.
    is_name = words[-1].is_name and not (len(words) == 1 and (head.is_person or head.is_body))
    several = any(word.lower == "and" for word in words)
    plural = several or (not head.is_body and not is_name and singular(head.lower) != head.lower)
    if pronoun == "they":
        return plural
    if plural:
        return False
    if pronoun == "it":
        is_place = len(words) == 1 or any(word.lower in cues.OF_COUNTRIES for word in words)
        return head.is_body or (is_name and is_place)
    return head.is_person or (is_name and not head.is_body)
