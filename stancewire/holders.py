"""Who holds the stance of a sentence: quote and speaker attribution by rules, in linear time.

"X said", "said X", "according to X", the speaker of a quotation, and the subject of a verb of siding ("Seoul
opposes …") when it can hold a stance at all. docs/reading.md states how well that works.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from stancewire import cues
from stancewire.phrases import (
    Subject,
    Word,
    Words,
    head_of,
    is_finite,
    phrase_end,
    singular,
    subject_of,
    words_of,
)

_MAX_CHARS = 4000  # of a sentence; what comes later is not looked at
_MIN_QUOTED_WORDS = 4  # fewer are a name or a word at a distance, not speech


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a stance.

    Attributes:
        text: as named in the text.
        start: where it starts there.
        end: where it ends there.
        cue: the word that shows it: "said", "opposes", "according to".
        in_context: whether it is named in the sentence before, where start and end then point; the sentence
            itself says "he", or goes on with a quotation.
    """

    text: str
    start: int
    end: int
    cue: str
    in_context: bool = False


def find_holder(sentence: str, context: str = "") -> Holder | None:
    """Find the holder of a sentence, or None when no rule is sure of one.

    Args:
        sentence: the sentence.
        context: the sentence before, or "": where a pronoun, or a quotation that goes on, finds its speaker.
    """
    sentence = sentence[:_MAX_CHARS]
    words = words_of(sentence)
    found = _find(words)
    if found is None:
        return _speaker_before(context) if _is_all_quote(words) else None
    start, end, cue = found
    if end - start == 1 and words[start].lower in cues.PRONOUN:
        return _antecedent(words[start].lower, cue, context)
    text = sentence[words[start].start : words[end - 1].end]
    return Holder(text, words[start].start, words[end - 1].end, cue)


_Found = tuple[int, int, str]


def _find(words: Words) -> _Found | None:
    """Return the words that name the holder, and the cue."""
    outside = _outside_quotes(words)
    if len(outside) != 1 or outside[0] != (0, len(words)):
        return next((found for part in outside if (found := _speaker(words, *part))), None)
    subject = next(_subjects(words), None)
    attribution = _according_to(words) or _attribution(words)
    if subject is not None and (
        attribution is None or _is_pronoun(words, attribution) or words[subject.verb].lower in cues.STRONG
    ):
        return _named(words, subject.start, subject.end, words[subject.verb].lower)
    return attribution or _agent(words)


def _is_pronoun(words: Words, found: _Found) -> bool:
    return found[1] - found[0] == 1 and words[found[0]].lower in cues.PRONOUN


def _subjects(words: Words) -> Iterator[Subject]:
    """Yield the subjects that can hold a stance, clause by clause."""
    starts = [0, *(at + 1 for at, word in enumerate(words) if word.text == ";")]
    starts += [
        at + 1 for at in range(1, len(words)) if words[at - 1].text == "," and words[at].lower in _JOINS
    ]
    for start in sorted(starts):
        subject = subject_of(words, start, len(words))
        if subject is not None and not subject.passive and _can_hold(words, subject):
            yield subject


_JOINS = frozenset(("and", "but", "whereas", "while"))


def _can_hold(words: Words, subject: Subject) -> bool:
    """Tell whether a subject can hold a stance: a person, a body, a state; a thing cannot."""
    head = head_of(words, subject.start, subject.end)
    noun = singular(head.lower)
    if words[subject.start].lower in cues.NO_HOLDER or noun in cues.THING:
        return False
    if noun in cues.PERSON or noun in cues.GROUP or head.lower in cues.PRONOUN:
        return True
    is_name = head.is_name and (subject.start != 0 or subject.end - subject.start > 0)
    return is_name or words[subject.verb].lower in cues.STRONG


def _speaker(words: Words, start: int, stop: int) -> _Found | None:
    """Return the speaker that a part outside quotation marks names: ", X said", "said X"."""
    while start < stop and words[start].is_mark:
        start += 1
    if start < stop and words[start].lower in cues.INVERTED:
        end = phrase_end(words, start + 1, stop)
        if end > start + 1 and words[start + 1].lower not in cues.NO_HOLDER:
            return _named(words, start + 1, end, words[start].lower)
    subject = subject_of(words, start, stop)
    if subject is None or subject.passive or not _can_hold(words, subject):
        return None
    return _named(words, subject.start, subject.end, words[subject.verb].lower)


def _according_to(words: Words) -> _Found | None:
    for at in range(len(words) - 2):
        if words[at].lower == "according" and words[at + 1].lower == "to":
            end = phrase_end(words, at + 2, len(words))
            if end > at + 2:
                return _named(words, at + 2, end, "according to")
    return None


def _attribution(words: Words) -> _Found | None:
    """Return the X of ", X said." and ", said X", within or at the end of a sentence."""
    comma = None
    for at, word in enumerate(words):
        if word.text == ",":
            comma = at
        elif comma is not None and word.lower in cues.SAYING and not word.is_name and at - comma <= 14:
            if at == comma + 1:
                if word.lower not in cues.INVERTED:
                    continue
                end = phrase_end(words, at + 1, len(words))
                start = at + 1
            else:
                start, end = comma + 1, at
            if _is_attribution(words, start, end, at):
                return _named(words, start, end, word.lower)
    return None


def _is_attribution(words: Words, start: int, end: int, verb: int) -> bool:
    if not start < end or words[start].lower in cues.NO_HOLDER | cues.RELATIVE | cues.LEAD | cues.PREPOSITION:
        return False
    if any(is_finite(words, at, start) for at in range(start + 1, end)):
        return False
    after = max(verb + 1, end)
    return after >= len(words) or words[after].is_mark or words[after].lower in cues.PREPOSITION | cues.ADVERB


def _agent(words: Words) -> _Found | None:
    """Return the X of "was declined by X"."""
    for at in range(1, len(words) - 1):
        if words[at].lower == "by" and words[at - 1].lower.endswith("ed"):
            end = phrase_end(words, at + 1, len(words))
            if end > at + 1:
                noun = singular(head_of(words, at + 1, end).lower)
                if noun in cues.PERSON or noun in cues.GROUP:
                    return _named(words, at + 1, end, words[at - 1].lower)
    return None


def _named(words: Words, start: int, end: int, cue: str) -> _Found:
    """Prefer the name to the office: "the president, Shigeo Haraguchi, said" is about Shigeo Haraguchi."""
    head = head_of(words, start, end)
    if not head.is_name and end < len(words) and words[end].text == ",":
        stop = end + 1
        while stop < len(words) and words[stop].is_name:
            stop += 1
        if 2 <= stop - end - 1 <= 5 and (
            stop == len(words) or words[stop].is_mark or words[stop].lower == cue
        ):
            return end + 1, stop, cue
    return start, end, cue


def _outside_quotes(words: Words) -> list[tuple[int, int]]:
    """Return the parts of a sentence outside its quotations; a word or two in quotes are no quotation."""
    marks = [at for at, word in enumerate(words) if word.is_quote]
    if len(marks) % 2:
        # A quotation goes on from the sentence before, or into the next one.
        marks = [-1, *marks] if _closes(words, marks[0]) else [*marks, len(words)]
    parts, at = [], 0
    for opening, closing in zip(marks[::2], marks[1::2], strict=True):
        if closing - opening > _MIN_QUOTED_WORDS or words[closing - 1].is_mark:
            if opening > at:
                parts.append((at, opening))
            at = closing + 1
    if at < len(words):
        parts.append((at, len(words)))
    return [part for part in parts if any(not word.is_mark for word in words[slice(*part)])]


def _closes(words: Words, at: int) -> bool:
    """Tell whether a quotation mark closes: nothing before it but text, and a blank or the end behind it."""
    mark = words[at]
    if mark.text in "”»":
        return True
    return mark.text == '"' and at > 0 and words[at - 1].end == mark.start


def _is_all_quote(words: Words) -> bool:
    return bool(words) and any(word.is_quote for word in words) and not _outside_quotes(words)


def _speaker_before(context: str) -> Holder | None:
    """Return who speaks in the sentence before, when it quotes."""
    if not any(word.is_quote for word in words_of(context[:_MAX_CHARS])):
        return None
    holder = find_holder(context)
    return (
        None if holder is None else Holder(holder.text, holder.start, holder.end, holder.cue, in_context=True)
    )


def _antecedent(pronoun: str, cue: str, context: str) -> Holder | None:
    """Return whom a pronoun means, when the sentence before has one holder and it fits."""
    holder = find_holder(context)
    if holder is None or not _fits(pronoun, words_of(holder.text)):
        return None
    return Holder(holder.text, holder.start, holder.end, cue, in_context=True)


def _fits(pronoun: str, words: list[Word]) -> bool:
    noun = head_of(words, 0, len(words)).lower
    plural = noun not in cues.GROUP and singular(noun) != noun and not words[-1].is_name
    if pronoun == "they":
        return plural
    if plural:
        return False
    is_person = singular(noun) in cues.PERSON or (words[-1].is_name and len(words) > 1)
    return is_person != (pronoun == "it") and (pronoun != "it" or noun in cues.GROUP or words[-1].is_name)
