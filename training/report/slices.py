"""Slices: kinds of rows on which a model may be weaker than its average tells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stancewire.codebook import Codebook
from stancewire.examples import StanceExample
from training.data.targets import normal_target
from training.report.answers import Answers
from training.report.seen import Seen, digests_of

# A span of years gathers so many stories and rows, that its score can mean something.
_SPAN_STORIES, _SPAN_ROWS = 10, 20
_LENGTHS = ("shortest third", "middle third", "longest third")


@dataclass(frozen=True)
class Slice:
    """Rows that share something.

    Attributes:
        dimension: what is looked at, such as "outlet".
        value: what they share.
        rows: bool [n_rows].
    """

    dimension: str
    value: str
    rows: NDArray[np.bool_]


def slices_of(answers: Answers, codebook: Codebook, seen: Seen | None) -> list[Slice]:
    """Return all slices, by dimension: some rows, and not all of them.

    Args:
        answers: the rows.
        codebook: tells which targets are generic.
        seen: tells which targets the model learned from; where it cannot, there are no such slices.
    """
    articles = answers.articles
    # Of a stance, the sentence alone: context, target and holder come along.
    read = 2 if answers.task == "topics" else 1
    lengths = [sum(len(text.split()) for text in answers.texts(row)[:read]) for row in range(len(articles))]
    found = [
        *_by("outlet", [article.outlet for article in articles]),
        *_by("year", _spans([_year(article.date) for article in articles], answers.rows.groups)),
        *_by_country([article.countries for article in articles]),
        *_by_length(lengths),
    ]
    examples = [one for one in answers.rows.examples if isinstance(one, StanceExample)]
    if examples:
        found += _of_stance(examples, codebook, seen)
    return [one for one in found if not one.rows.all()]


def _of_stance(examples: Sequence[StanceExample], codebook: Codebook, seen: Seen | None) -> Iterator[Slice]:
    targets = [normal_target(example.target) for example in examples]
    if seen is not None and seen.targets.whole:
        known = seen.targets.holds(digests_of(targets))
        yield from _by("target in training", ["seen" if one else "unseen" for one in known])
    names = codebook.names("topics")
    generic = {normal_target(name) for name in (*names, *names.values())}
    yield from _by("kind of target", ["generic" if target in generic else "specific" for target in targets])
    yield from _by(
        "holder", ["with a holder" if example.holder else "without a holder" for example in examples]
    )


def _by(dimension: str, values: Sequence[str | None]) -> Iterator[Slice]:
    given = np.asarray([value or "" for value in values], dtype=object)
    for value in sorted(set(given) - {""}):
        yield Slice(dimension, value, np.asarray(given == value))


def _by_country(countries: Sequence[tuple[str, ...]]) -> Iterator[Slice]:
    for value, _ in sorted(Counter(country for row in countries for country in set(row)).items()):
        yield Slice("country", value, np.asarray([value in row for row in countries]))


def _by_length(words: Sequence[int]) -> Iterator[Slice]:
    """Yield thirds of the rows by length; equal lengths share a third."""
    lengths = np.asarray(words)
    first, second = np.quantile(lengths, [1 / 3, 2 / 3])
    third = (lengths > first).astype(int) + (lengths > second)
    for number, name in enumerate(_LENGTHS):
        rows = third == number
        if rows.any():
            yield Slice("length", f"{name}, {lengths[rows].min():,} to {lengths[rows].max():,} words", rows)


def _year(date: str | None) -> str | None:
    return date[:4] if date else None


def _spans(years: Sequence[str | None], groups: Sequence[str]) -> list[str | None]:
    """Return the span of years of each row: neighbouring years joined until they tell enough."""
    known = sorted({year for year in years if year})
    stories: dict[str, set[str]] = {year: set() for year in known}
    for year, group in zip(years, groups, strict=True):
        if year:
            stories[year].add(group)
    rows = Counter(year for year in years if year)
    spans: list[list[str]] = []
    enough = True
    for year in known:
        if enough:
            spans.append([])
        spans[-1].append(year)
        n_stories = len(set().union(*(stories[one] for one in spans[-1])))
        enough = n_stories >= _SPAN_STORIES and sum(rows[one] for one in spans[-1]) >= _SPAN_ROWS
    if len(spans) > 1 and not enough:
        last = spans.pop()
        spans[-1] += last
    name_of = {year: _span_name(span) for span in spans for year in span}
    return [name_of[year] if year else None for year in years]


def _span_name(span: Sequence[str]) -> str:
    return span[0] if len(span) == 1 else f"{span[0]} to {span[-1]}"
