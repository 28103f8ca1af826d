"""The leak gate: what a model learned from must not stand, in nearly the same words, in its test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from stancewire.calibration import Task
from stancewire.errors import InputError, StancewireError
from stancewire.section import shown
from stancewire.wording import fold
from training.data.faults import counted
from training.data.load import Corpus
from training.data.tables import Rows

KINDS = ("same_text", "near_text", "same_sentence", "same_event")
_SHOWN = 5
_SNIPPET = 60


@dataclass(frozen=True, slots=True)
class Leak:
    """Two rows that should stand in one part of the split.

    Attributes:
        code: "same_text", "near_text" (articles), "same_sentence" (stance), or "same_event" (story cluster).
        first: id of an article in the first part.
        second: id of an article in the second part; the same id where a split parts one article's records.
        parts: names of the two parts.
        similarity: share of the shorter text's word trigrams that the longer one has; 1 for the same.
        snippet: how the shared text begins.
    """

    code: str
    first: str
    second: str
    parts: tuple[str, str]
    similarity: float
    snippet: str

    def __str__(self) -> str:
        one, other = self.parts
        alike = "" if self.code == "same_event" else f" {self.similarity:.2f}"
        return f"{self.code}{alike}: {self.first} ({one}) ~ {self.second} ({other}): {shown(self.snippet)}"


class LeakError(StancewireError):
    """A split puts the same or nearly the same text on two sides.

    Attributes:
        leaks: all that were found and not allowed.
    """

    def __init__(self, leaks: Sequence[Leak]) -> None:
        self.leaks = tuple(leaks)
        counts = ", ".join(
            f"{code} {count:,}" for code, count in counted(leak.code for leak in self.leaks).items()
        )
        lines = [f"wanted a split without leaks, found {len(self.leaks):,} ({counts})"]
        lines += [f"  {leak}" for leak in self.leaks[:_SHOWN]]
        if len(self.leaks) > _SHOWN:
            lines.append(f"  and {len(self.leaks) - _SHOWN:,} more")
        lines.append(
            "  split by event, or name what you accept in split.allow_leaks: an article's id, or a kind"
        )
        super().__init__("\n".join(lines))


def leak_gate(
    corpus: Corpus, task: Task, parts: Mapping[str, Rows], *, allow: Iterable[str] = ()
) -> tuple[Leak, ...]:
    """Stop on leaks that are not allowed by name; return those that are.

    Args:
        corpus: what was split.
        task: whose rows the positions count.
        parts: positions by name of the part.
        allow: kinds of leaks, and ids of articles whose leaks are accepted.

    Raises:
        LeakError: naming the pairs.
        InputError: if an allowed name is neither a kind nor an id.
    """
    allowed = set(allow)
    known = {article.id for article in corpus.articles} | set(KINDS)
    if unknown := sorted(allowed - known):
        wanted = f"wanted one of {', '.join(KINDS)}, or the id of an article"
        raise InputError(f"split.allow_leaks: {wanted}; found {shown(unknown[0])}")
    leaks = find_leaks(corpus, task, parts)
    refused = [leak for leak in leaks if not allowed & {leak.code, leak.first, leak.second}]
    if refused:
        raise LeakError(refused)
    return leaks


def find_leaks(corpus: Corpus, task: Task, parts: Mapping[str, Rows]) -> tuple[Leak, ...]:
    """Return every leak between two parts, the gravest kind first; one for each event or sentence."""
    parts_of: dict[int, list[str]] = {}
    for name, rows in parts.items():
        articles = rows if task == "topics" else corpus.article_of[list(rows)]
        for article in sorted({int(one) for one in articles}):
            parts_of.setdefault(article, []).append(name)
    leaks = list(_texts(corpus, parts_of))
    if task == "stance":
        leaks += _sentences(corpus, parts)
    leaks += _events(corpus, parts_of)
    return tuple(sorted(leaks, key=lambda leak: (KINDS.index(leak.code), -leak.similarity)))


def _texts(corpus: Corpus, parts_of: Mapping[int, Sequence[str]]) -> Iterator[Leak]:
    folded = cache(lambda article: fold(corpus.articles[article].text))
    for first, second, similarity in corpus.pairs:
        for one in parts_of.get(first, ()):
            for other in parts_of.get(second, ()):
                if one != other:
                    code = "same_text" if folded(first) == folded(second) else "near_text"
                    yield _leak(code, corpus, (first, second), (one, other), similarity)


def _sentences(corpus: Corpus, parts: Mapping[str, Rows]) -> Iterator[Leak]:
    first_in: dict[str, dict[str, int]] = {}
    for name, rows in parts.items():
        for row in rows:
            sentence = fold(corpus.stances[row].sentence)
            if sentence:
                first_in.setdefault(sentence, {}).setdefault(name, int(row))
    for found in first_in.values():
        for (one, row), (other, twin) in combinations(found.items(), 2):
            articles = (int(corpus.article_of[row]), int(corpus.article_of[twin]))
            yield _leak("same_sentence", corpus, articles, (one, other), 1.0, corpus.stances[row].sentence)


def _events(corpus: Corpus, parts_of: Mapping[int, Sequence[str]]) -> Iterator[Leak]:
    first_in: dict[str, dict[str, int]] = {}
    for article, names in sorted(parts_of.items()):
        for name in names:
            first_in.setdefault(corpus.groups[article], {}).setdefault(name, article)
    for found in first_in.values():
        for (one, article), (other, twin) in combinations(found.items(), 2):
            yield _leak("same_event", corpus, (article, twin), (one, other), 0.0)


def _leak(
    code: str,
    corpus: Corpus,
    articles: tuple[int, int],
    parts: tuple[str, str],
    similarity: float,
    text: str | None = None,
) -> Leak:
    first, second = (corpus.articles[article] for article in articles)
    snippet = " ".join((text or second.title or second.text)[: 4 * _SNIPPET].split())[:_SNIPPET]
    return Leak(code, first.id, second.id, parts, similarity, snippet)
