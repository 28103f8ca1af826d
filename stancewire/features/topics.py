"""Terms of an article for its topics: the stems of its words. docs/linear.md says what else was tried."""

from __future__ import annotations

from stancewire.examples import Article
from stancewire.features.base import Features, Terms
from stancewire.features.words import stems
from stancewire.text import clean


def _extract(article: Article, max_chars: int) -> Terms:
    title, text = (clean(part, max_chars=max_chars) for part in (article.title, article.text))
    return ([*stems(title), *stems(text)],)


TOPICS = Features(
    blocks=("words",), content=frozenset({"words"}), target_blind=frozenset({"words"}), extract=_extract
)
"""Terms of an article for its topics."""
