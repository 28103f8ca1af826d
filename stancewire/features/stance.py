"""Terms of a sentence, its context, target and holder for a stance."""

from __future__ import annotations

from stancewire.examples import StanceExample
from stancewire.features.base import Features, Terms
from stancewire.features.words import pairs, words
from stancewire.text import clean


def _extract(example: StanceExample, max_chars: int) -> Terms:
    sentence = words(clean(example.sentence, max_chars=max_chars))
    target = words(clean(example.target, max_chars=max_chars))
    return ([*sentence, *pairs(sentence)], target)


STANCE = Features(
    blocks=("sentence", "target"),
    content=frozenset({"sentence"}),
    target_blind=frozenset({"sentence"}),
    extract=_extract,
)
