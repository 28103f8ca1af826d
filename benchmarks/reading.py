"""Measure how fast articles are read, and where the time goes.

Run `python -m benchmarks.reading TOPICS STANCE` with the paths of two artefacts; the articles are the bundled
corpus. Each phase is timed alone, on the same articles in one process; "other" is what is left of the whole.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

from benchmarks.told import end_with
from stancewire.examples import Article, StanceExample
from stancewire.holders import Holder, find_holder
from stancewire.predictor import StancePredictor, TopicsPredictor, load
from stancewire.reading import Reader
from stancewire.sentences import split_sentences
from stancewire.text import clean_with_offsets

CORPUS = Path(__file__).parents[1] / "data" / "articles.jsonl"
TARGETS = ("arms trade", "sanctions", "diplomacy")


def read_articles(path: Path = CORPUS) -> list[Article]:
    """Read the articles of the bundled corpus."""
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Article(text=row["text"], title=row["title"], id=row["id"]) for row in rows]


def questions(articles: Iterable[Article]) -> list[list[StanceExample]]:
    """Return, for each article, what the stance model is asked: every sentence, every target."""
    asked = []
    for sentences in map(sentences_of, articles):
        named = [holder.mention or None if holder else None for holder in find_holders(sentences)]
        rows = list(zip(sentences, ["", *sentences], named, strict=False))
        asked.append(
            [
                StanceExample(sentence=sentence, target=target, context=context, holder=holder)
                for target in TARGETS
                for sentence, context, holder in rows
            ]
        )
    return asked


def sentences_of(article: Article) -> list[str]:
    """Clean and split one article."""
    text = clean_with_offsets(article.text).text
    return [text[slice(*span)] for span in split_sentences(text)]


def find_holders(sentences: list[str]) -> list[Holder | None]:
    """Find the holder of every sentence of one article."""
    return [find_holder(sentence, context) for context, sentence in pairwise(["", *sentences])]


def seconds(run: Callable[[], object], *, repeats: int = 3) -> float:
    """Return the best time of several, the first of which warms the caches."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    """Print articles a second, and the share of each phase."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("topics")
    parser.add_argument("stance")
    arguments = parser.parse_args()
    topics, stance = load(arguments.topics), load(arguments.stance)
    if not isinstance(topics, TopicsPredictor) or not isinstance(stance, StancePredictor):
        parser.error("expected a topics and a stance artefact, in this order")
    reader = Reader(topics, stance)
    articles = read_articles()
    sentences = [sentences_of(article) for article in articles]
    asked = questions(articles)
    phases = {
        "topics": seconds(lambda: [topics.predict([article]) for article in articles]),
        "clean and split": seconds(lambda: [sentences_of(article) for article in articles]),
        "holders": seconds(lambda: [find_holders(one) for one in sentences]),
        "stance": seconds(lambda: [stance.predict(one) for one in asked]),
    }
    whole = seconds(lambda: [reader.read(article, TARGETS) for article in articles])
    phases["other"] = whole - sum(phases.values())
    count = sum(map(len, sentences))
    print(f"{len(articles)} articles, {count} sentences, {len(TARGETS)} targets: ", end="")
    print(f"{len(articles) / whole:.0f} articles a second")
    for name, took in phases.items():
        print(f"{name:18}{1000 * took / len(articles):8.2f} ms an article{took / whole:8.0%}")


if __name__ == "__main__":
    raise SystemExit(end_with(main))
