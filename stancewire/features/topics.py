"""Terms of an article for its topics."""

from __future__ import annotations

from stancewire.examples import Article
from stancewire.features.base import Features, Terms
from stancewire.features.words import pairs, words
from stancewire.text import clean


def _extract(article: Article, max_chars: int) -> Terms:
    title = words(clean(article.title, max_chars=max_chars))
    text = words(clean(article.text, max_chars=max_chars))
    return ([*title, *pairs(title), *text, *pairs(text)],)


TOPICS = Features(
    blocks=("words",), content=frozenset({"words"}), target_blind=frozenset({"words"}), extract=_extract
)
