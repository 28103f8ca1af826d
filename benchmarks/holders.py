"""Measure holder attribution on the bundled corpus, beside the first capitalised phrase.

Run `python -m benchmarks.holders`. A hash of the event puts every article into one of two halves. The first
word lists were made with sight of the whole corpus; since then only the development half was looked at.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from benchmarks.told import end_with
from stancewire.holders import find_holder
from stancewire.sentences import split_sentences
from stancewire.text import clean

CORPUS = Path(__file__).parents[1] / "data" / "articles.jsonl"
_CAPITALISED = re.compile(r"[A-Z][\w'’.-]*(?: (?:(?:of|the|for) )*[A-Z][\w'’.-]*)*")
_ARTICLE = re.compile(r"^(?:the|a|an) ", re.IGNORECASE)
_WORD = re.compile(r"\w+")

Finder = Callable[[str, str], str | None]


class Sentence(NamedTuple):
    """An annotated sentence, the one before, and every holder that the annotators named in it."""

    text: str
    context: str
    holders: frozenset[str]


class Score(NamedTuple):
    """How well a finder did.

    Attributes:
        exact: of the sentences with a named holder, how many had one of theirs found, word for word.
        overlap_recall: of the same, how many had one found that shares its words with one of theirs.
        overlap_precision: of the found holders of such sentences, how many share words with one of theirs.
        silent: of the sentences whose records name no holder, how many had none found.
    """

    exact: float
    overlap_recall: float
    overlap_precision: float
    silent: float


def half_of(event: str) -> str:
    """Return the half that an event belongs to."""
    return ("dev", "test")[hashlib.sha256(event.encode()).digest()[-1] % 2]


def read_sentences(half: str, path: Path = CORPUS) -> Iterator[Sentence]:
    """Yield the annotated sentences of one half, each once."""
    for line in path.read_text(encoding="utf-8").splitlines():
        article = json.loads(line)
        if half_of(article["event"] or article["id"]) != half:
            continue
        text = clean(article["text"])
        split = ["", *(text[slice(*span)] for span in split_sentences(text))]
        before = {sentence: context for context, sentence in pairwise(split)}
        holders: dict[str, set[str]] = {}
        for record in article["stances"]:
            holders.setdefault(record["sentence"], set()).update(filter(None, [record["holder"]]))
        for sentence, named in holders.items():
            yield Sentence(sentence, before.get(sentence, ""), frozenset(named))


def by_rules(sentence: str, context: str) -> str | None:
    """Return the holder as the sentence names it; the annotators too wrote "He" where it says so."""
    found = find_holder(sentence, context)
    return found.mention or None if found else None


def first_capitalised(sentence: str, context: str) -> str | None:
    """Return the first run of capitalised words: what there is to do without rules."""
    match = _CAPITALISED.search(sentence)
    return match.group() if match else None


def score(finder: Finder, sentences: list[Sentence]) -> Score:
    """Score a finder."""
    named = [sentence for sentence in sentences if sentence.holders]
    unnamed = [sentence for sentence in sentences if not sentence.holders]
    found = [(finder(s.text, s.context), {_plain(h) for h in s.holders}) for s in named]
    exact = sum(_plain(holder) in truth for holder, truth in found if holder)
    overlap = sum(any(_overlap(_plain(holder), one) for one in truth) for holder, truth in found if holder)
    silent = sum(finder(s.text, s.context) is None for s in unnamed)
    answered = sum(holder is not None for holder, _ in found)
    return Score(exact / len(named), overlap / len(named), overlap / answered, silent / len(unnamed))


def _plain(holder: str) -> str:
    return _ARTICLE.sub("", holder.lower())


def _overlap(one: str, other: str) -> bool:
    """Tell whether one phrase has at least half of the other's words, and the other way round."""
    words, others = set(_WORD.findall(one)), set(_WORD.findall(other))
    return 2 * len(words & others) >= max(len(words), len(others), 1)


def main() -> None:
    """Print the scores of one half."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--half", choices=("dev", "test"), default="test")
    sentences = list(read_sentences(parser.parse_args().half))
    named = sum(bool(sentence.holders) for sentence in sentences)
    print(f"{named} sentences with a named holder, {len(sentences) - named} without")
    print(f"{'':22}{'exact':>8}{'overlap recall':>16}{'precision':>11}{'silent':>8}")
    finders: dict[str, Finder] = {"rules": by_rules, "first capitalised": first_capitalised}
    for name, finder in finders.items():
        one = score(finder, sentences)
        print(
            f"{name:22}{one.exact:8.3f}{one.overlap_recall:16.3f}{one.overlap_precision:11.3f}{one.silent:8.3f}"
        )


if __name__ == "__main__":
    raise SystemExit(end_with(main))
