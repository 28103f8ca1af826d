"""Near-duplicates with different labels: one of the two is wrong, or the difference tells something."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

from stancewire.wording import fold
from training.data.duplicates import near_duplicates
from training.data.load import Corpus
from training.data.targets import normal_target

SHOWN = 40
_OPENING = 400


def twins(corpus: Corpus) -> dict[str, Any]:
    """Return near-duplicate articles whose topics differ, and sentences whose stance on one target does."""
    return {
        "threshold": corpus.threshold,
        "near_duplicates": len(corpus.pairs),
        "topics": _counted(list(_topics(corpus))),
        "stance": _counted(list(_stances(corpus))),
    }


def _counted(found: list[dict[str, Any]]) -> dict[str, Any]:
    found.sort(key=lambda one: -one["similarity"])
    return {"found": len(found), "shown": found[:SHOWN]}


def _topics(corpus: Corpus) -> Iterator[dict[str, Any]]:
    names = corpus.codebook.labels("topics")
    for first, second, similarity in corpus.pairs:
        differ = [
            name
            for name, one, other in zip(names, corpus.topics[first], corpus.topics[second], strict=True)
            if one + other == 1  # one holds and the other does not; NaN is neither
        ]
        if differ:
            yield {
                "similarity": similarity,
                "differ": differ,
                "articles": [
                    {
                        "article": corpus.articles[position].id,
                        "title": corpus.articles[position].title,
                        "text": corpus.articles[position].text[:_OPENING],
                        "topics": [
                            name
                            for name, held in zip(names, corpus.topics[position], strict=True)
                            if held == 1
                        ],
                    }
                    for position in (first, second)
                ],
            }


def _stances(corpus: Corpus) -> Iterator[dict[str, Any]]:
    """Yield pairs of records on near-duplicate sentences, of one target and holder, with two labels."""
    records: dict[str, dict[tuple[str, str], list[int]]] = {}
    for number, record in enumerate(corpus.stances):
        asked = (normal_target(record.target), fold(record.holder or ""))
        records.setdefault(record.sentence, {}).setdefault(asked, []).append(number)
    sentences = list(records)
    same = ((number, number, 1.0) for number in range(len(sentences)))
    for first, second, similarity in (*same, *near_duplicates(sentences)):
        one, other = records[sentences[first]], records[sentences[second]]
        for asked in one.keys() & other.keys() if first != second else one.keys():
            pairs = (
                combinations(one[asked], 2)
                if first == second
                else ((a, b) for a in one[asked] for b in other[asked])
            )
            for a, b in pairs:
                if corpus.stances[a].label != corpus.stances[b].label:
                    yield {"similarity": similarity, "records": [_record(corpus, a), _record(corpus, b)]}


def _record(corpus: Corpus, number: int) -> dict[str, Any]:
    record = corpus.stances[number]
    return {
        "article": corpus.articles[int(corpus.article_of[number])].id,
        "sentence": record.sentence,
        "target": record.target,
        "holder": record.holder,
        "label": record.label,
    }
