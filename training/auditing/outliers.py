"""Texts of unusual length, or that hardly look like English prose.

Length: far outside the middle half of all, on a logarithmic scale (Tukey's outer fences, three times the
middle half's width, and at least a factor of two). Language: the share of words that are among 40 of the most
frequent English ones. That is a hint and no language detector: it cannot tell Dutch from a list of names, it
only says that a text is not running English. In the bundled corpus, every article has 0.28 or more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from stancewire.scripts import mixed_script_words
from training.data.load import Corpus

SHOWN = 40
LEAST_SHARE = 0.2
_FENCE = 3.0
# Where most texts are of one length, others are not unusual before they are half or twice as long.
_LEAST_REACH = float(np.log(2))
# Fewer texts have no middle half to speak of; shorter texts have no share.
_FEWEST_TEXTS, _FEWEST_WORDS = 20, 20
_OPENING = 200
_WORD = re.compile(r"[^\W\d_]+")
FREQUENT = frozenset(
    _WORD.findall(
        "the a an and of in to for on by with at from is are was were be been has have had will would that "
        "this it its as not but or who which their his her they he she"
    )
)


def outliers(corpus: Corpus) -> dict[str, Any]:
    """Return articles and sentences of unusual length, and articles of unusual language."""
    articles = [article.text for article in corpus.articles]
    owners = [article.id for article in corpus.articles]
    sentences = list(
        dict.fromkeys((corpus.articles[int(of)].id, record.sentence) for of, record in _records(corpus))
    )
    return {
        "articles": _lengths(articles, owners),
        "sentences": _lengths([sentence for _, sentence in sentences], [owner for owner, _ in sentences]),
        "language": _language(articles, owners),
        "mixed_script": _mixed(articles, owners),
    }


def _records(corpus: Corpus) -> Sequence[tuple[int, Any]]:
    return list(zip(corpus.article_of.tolist(), corpus.stances, strict=True))


def english_share(text: str) -> float | None:
    """Return the share of frequent English words among all; None of a text too short to tell."""
    words = _WORD.findall(text.casefold())
    if len(words) < _FEWEST_WORDS:
        return None
    return sum(word in FREQUENT for word in words) / len(words)


def _lengths(texts: Sequence[str], owners: Sequence[str]) -> dict[str, Any] | None:
    """Return the spread of lengths in words, and the texts far outside; None without texts."""
    if not texts:
        return None
    words = np.asarray([len(text.split()) for text in texts])
    logs = np.log(np.maximum(words, 1))
    low, middle, high = np.quantile(logs, [0.25, 0.5, 0.75])
    reach = max(_FENCE * (high - low), _LEAST_REACH)
    far = (logs < low - reach) | (logs > high + reach) if len(texts) >= _FEWEST_TEXTS else logs > np.inf
    order = sorted(np.flatnonzero(far).tolist(), key=lambda row: (-abs(logs[row] - middle), row))
    return {
        "texts": len(texts),
        "words": {"least": int(words.min()), "median": float(np.median(words)), "most": int(words.max())},
        "fences": {"low": float(np.exp(low - reach)), "high": float(np.exp(high + reach))},
        "found": len(order),
        "shown": [
            {"article": owners[row], "words": int(words[row]), "text": texts[row][:_OPENING]}
            for row in order[:SHOWN]
        ],
    }


def _language(texts: Sequence[str], owners: Sequence[str]) -> dict[str, Any]:
    shares = [english_share(text) for text in texts]
    known = [(share, row) for row, share in enumerate(shares) if share is not None]
    odd = sorted(pair for pair in known if pair[0] < LEAST_SHARE)
    return {
        "least_share": LEAST_SHARE,
        "judged": len(known),
        "too_short": len(texts) - len(known),
        "median": float(np.median([share for share, _ in known])) if known else None,
        "found": len(odd),
        "shown": [
            {"article": owners[row], "share": share, "text": texts[row][:_OPENING]}
            for share, row in odd[:SHOWN]
        ],
    }


def _mixed(texts: Sequence[str], owners: Sequence[str]) -> dict[str, Any]:
    found = [
        {"article": owner, "words": list(words)}
        for owner, text in zip(owners, texts, strict=True)
        if (words := mixed_script_words(text))
    ]
    return {"found": len(found), "shown": found[:SHOWN]}
