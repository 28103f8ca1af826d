"""Tell verbs by their form and the words around them, with the word lists of verbs.py and cues.py."""

from __future__ import annotations

from stancewire import cues, verbs
from stancewire.words import Word, Words, head_of

_FINITE_ALONE = verbs.FINITE - verbs.ALSO_NOUNS
_VERBS_ALONE = _FINITE_ALONE - verbs.PARTICIPLE


def is_finite(words: Words, at: int, start: int) -> bool:
    """Tell whether a word is a finite verb, as far as its form and the words around it show."""
    word = words[at]
    if word.is_name:
        return False
    if word.lower in verbs.AUXILIARY:
        return True
    if at == start:
        return _looks_finite(word)
    if _wants_noun(words, at - 1, start):
        return False
    if word.lower in verbs.ALSO_NOUNS:
        before = words[_before_adverbs(words, at, start)]
        takes_verb = before.is_name or before.is_pronoun or before.is_person or before.is_body
        return takes_verb and (word.lower != "states" or _is_followed(words, at, frozenset(("that",))))
    if _looks_finite(word) or _is_unknown_verb(words, at):
        return True
    return word.lower in verbs.BASE and is_plural(words, start, at)


def goes_on(words: Words, at: int, plural: bool) -> bool:
    """Tell whether a clause goes on with this verb behind an aside, its subject far off."""
    word = words[at]
    if word.is_name:
        return False
    if word.lower in verbs.AUXILIARY or _looks_finite(word):
        return True
    if plural:
        return word.lower in verbs.BASE
    return word.lower in verbs.ALSO_NOUNS or (is_third(word) and _is_followed(words, at, cues.DETERMINER))


def is_only_verb(word: Word) -> bool:
    """Tell whether a word can begin no noun phrase: "has", "takes"; "wounded" can."""
    return not word.is_name and (
        word.lower in verbs.AUXILIARY or (word.lower in _VERBS_ALONE and not word.lower.endswith("ed"))
    )


def is_third(word: Word) -> bool:
    """Tell whether a word ends as the third person does: "waives"."""
    return word.lower.endswith("s") and not word.lower.endswith(("ss", "'s", "us", "is"))


def is_plural(words: Words, start: int, end: int) -> bool:
    """Tell whether a noun phrase is in the plural: "critics there", "Oslo and Rome"."""
    while end - 1 > start and words[end - 1].is_adverb:
        end -= 1
    return head_of(words, start, end).is_plural or any(word.lower == "and" for word in words[start:end])


def may_open_aside(words: Words, at: int, stop: int) -> bool:
    """Tell whether a verb may be the participle of an aside: ", published on Thursday,"."""
    lower = words[at].lower
    is_participle = lower.endswith("ed") or lower in verbs.PARTICIPLE
    return is_participle and at + 1 < stop and words[at + 1].lower in cues.PREPOSITION


def main_verb(words: Words, verb: int, stop: int) -> tuple[int, bool]:
    """Step over auxiliaries, "had to" and adverbs; tell whether the last auxiliary was a form of "be"."""
    was_be = False
    auxiliary = verb
    while verb + 1 < stop:
        lower = words[verb].lower
        if lower in verbs.AUXILIARY or lower in verbs.BE:
            was_be = was_be or lower in verbs.BE
            auxiliary = verb
        elif lower == "to":
            was_be = False
        elif not words[verb].is_adverb:
            break
        verb += 1
    # "has a problem": the auxiliary was the verb.
    return auxiliary if words[verb].lower in cues.DETERMINER else verb, was_be


def _looks_finite(word: Word) -> bool:
    lower = word.lower
    return lower in _FINITE_ALONE or (lower.endswith("ed") and len(lower) > 4 and "-" not in lower)


def _is_unknown_verb(words: Words, at: int) -> bool:
    """Tell "Minsk waives its duty" by the words around a verb that no list has."""
    before = words[at - 1]
    if not is_third(words[at]):
        return False
    return (before.is_name or before.is_person or before.is_body) and _is_followed(words, at, cues.DETERMINER)


def _before_adverbs(words: Words, at: int, start: int) -> int:
    """Return the word before this one that is no adverb: "the conference | fully | supports"."""
    at -= 1
    while at > start and words[at].is_adverb:
        at -= 1
    return at


def _is_followed(words: Words, at: int, by: frozenset[str]) -> bool:
    return at + 1 < len(words) and words[at + 1].lower in by


def _wants_noun(words: Words, at: int, start: int) -> bool:
    """Tell whether the word here must be followed by a noun sooner than by a verb."""
    while at > start and words[at].is_adverb:
        at -= 1
    lower = words[at].lower
    return (
        lower in cues.DETERMINER or lower in cues.PREPOSITION or lower.endswith(("'s", "s'")) or lower == "to"
    )
