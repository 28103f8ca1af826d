"""What goes in: articles, and sentences with a target. Nothing here is predicted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


class _Nothing(Mapping[str, object]):
    """A mapping without any key, which cannot be changed and, unlike a mappingproxy, can be pickled."""

    def __getitem__(self, key: str) -> object:
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Article:
    """One news article; only the text is required.

    Attributes:
        text: the body; paragraphs separated by newlines.
        title: the headline, or "".
        id: the caller's identifier, always a string ("007" stays "007"), or "".
        date: ISO date, "YYYY-MM-DD".
        outlet: name or kind of the publisher.
        countries: ISO 3166-1 alpha-3 codes.
        event: story cluster; articles of one event never cross a data split.
        extra: every further column of the input row, passed through untouched.
    """

    text: str
    title: str = ""
    id: str = ""
    date: str | None = None
    outlet: str | None = None
    countries: tuple[str, ...] = ()
    event: str | None = None
    extra: Mapping[str, object] = field(default_factory=_Nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class StanceExample:
    """One question of stance: how does the holder stand toward the target in this sentence?

    Attributes:
        sentence: the sentence to judge.
        target: short noun phrase that names a policy, deal, measure or course of action.
        holder: who holds the stance, as named in the sentence; None asks what the sentence conveys.
        context: the sentence before, or "".
    """

    sentence: str
    target: str
    holder: str | None = None
    context: str = ""
