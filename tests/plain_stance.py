"""The terms of a stance, row by row and word by word: what stancewire.features must equal, which is fast."""

from __future__ import annotations

import re
from itertools import pairwise

from stancewire.examples import StanceExample
from stancewire.features.kinds import KINDS, kind_of
from stancewire.features.words import stem, word_set
from stancewire.text import clean

_TOKEN = re.compile(r"\w+(?:'\w+)*|[,;:.!?()\"“”—–]")
_FUNCTION_WORDS = word_set(
    "a all an and any are as at be been by for from he her his in is it its of on or our she that the their",
    "these they this those to was were with",
)
_NEGATIONS = word_set(
    "barely cannot hardly neither never no nobody none nor not nothing refuse refused refuses without"
)


def tokens(text: str | None, max_chars: int) -> list[str]:
    """Words and marks."""
    plain = clean(text or "", max_chars=max_chars).lower().replace("’", "'").replace("_", " ")
    return _TOKEN.findall(plain)


def words(text: str | None, max_chars: int) -> list[str]:
    """Words alone."""
    return [token for token in tokens(text, max_chars) if token[0].isalnum()]


def key(word: str) -> str:
    """What a word matches targets by."""
    return "" if word in _FUNCTION_WORDS else stem(word)[:5]


def keys(found: list[str]) -> set[str]:
    """What words match by."""
    return {key(word) for word in found} - {""}


def marked_stems(sentence: list[str]) -> list[str]:
    """The stems, marked from a negation to the end of its clause."""
    found, negated = [], False
    for token in sentence:
        if not token[0].isalnum():
            negated = False
            continue
        found.append("~" * negated + stem(token))
        negated = negated or token in _NEGATIONS or token.endswith("n't")
    return found


def masked_stems(marked: list[str], hits: list[int]) -> list[str]:
    """The marked stems, with one placeholder for each mention of the target."""
    found: list[str] = []
    for at, stemmed in enumerate(marked):
        if at not in hits:
            found.append(stemmed)
        elif at - 1 not in hits:
            found.append("TARGET")
    return found


def share(found: int, wanted: int) -> str:
    """How much is named."""
    return ("whole" if found >= wanted else "in part") if found else "not"


def lead_of(found: list[str], marked: list[str], hits: list[int], holder: list[str]) -> list[str]:
    """The last words before the target, from behind the holder where it stands before the target."""
    if not hits:
        return []
    ends = (at + len(holder) for at in range(len(found)) if holder and found[at : at + len(holder)] == holder)
    start = next(ends, 0)
    later = [hit for hit in hits if hit >= start]
    start, first = (start, later[0]) if later else (0, hits[0])
    return marked[max(start, first - 6) : first]


def with_pairs(run: list[str]) -> list[str]:
    """Words, then each two neighbours."""
    return [*run, *(f"{left} {right}" for left, right in pairwise(run))]


def terms(example: StanceExample, max_chars: int) -> tuple[list[str], ...]:
    """The terms of every block."""
    target = words(example.target[: min(max_chars, 1_000)], 1_000_000)
    wanted, kind = keys(target), kind_of(target)
    sentence = tokens(example.sentence, max_chars)
    found = words(example.sentence, max_chars)
    marked = marked_stems(sentence)
    hits = [at for at, word in enumerate(found) if key(word) in wanted]
    named = len(keys(found) & wanted)
    here = share(named, len(wanted))
    there = share(len(keys(words(example.context, max_chars)) & wanted), len(wanted))
    kinds = sorted({KINDS[stem(word)] for word in found if stem(word) in KINDS})
    relation = [
        kind,
        f"named {here}",
        f"named before {there}",
        f"named {here}, before {there}",
        f"named {min(named, 3)}",
        *[f"{kind} and {other}" for other in kinds],
        f"{kind} among {' '.join(kinds) or 'none'}",
        f"{kind} {'' if kind in kinds else 'not '}spoken of",
    ]
    return (
        with_pairs(marked),
        with_pairs(masked_stems(marked, hits)),
        [f"{kind} {stem(word)}" for word in found],
        relation,
        with_pairs(lead_of(found, marked, hits, words(example.holder, max_chars)[:16])),
    )
