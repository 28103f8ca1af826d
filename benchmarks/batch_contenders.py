"""What the batch job is measured against, each in a process of its own.

`python -m benchmarks.batch_contenders NAME ARTICLES.jsonl ...` prints one JSON object: the seconds and the
processor's seconds of the loop alone. Articles are read and models loaded before the clock starts.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.told import end_with
from stancewire.errors import InputError
from stancewire.examples import Article
from stancewire.predictor import StancePredictor, TopicsPredictor, load
from stancewire.readers import Reject, article_from_record, read_jsonl
from stancewire.reading import Reader

Loop = Callable[[], object]
_NAMES = ("loop", "reading", "sklearn", "pipeline")


def articles_of(path: Path, limit: int | None) -> list[Article]:
    """Return the first articles of a file."""
    found: list[Article] = []
    for item in read_jsonl(path):
        if isinstance(item, Reject):
            raise SystemExit(f"{path}:{item.line}: {item.detail}")
        found.append(article_from_record(item[1]))
        if len(found) == limit:
            break
    return found


def bare_loop(articles: list[Article], topics: str, stance: str | None, variant: str | None) -> Loop:
    """Read articles that lie in memory, and drop each reading."""
    first, second = (load(name, variant=variant, threads=1) if name else None for name in (topics, stance))
    if not isinstance(first, TopicsPredictor) or not (second is None or isinstance(second, StancePredictor)):
        raise SystemExit("expected a topics and a stance artefact")
    reader = Reader(first, second)

    def loop() -> None:
        for answer in reader.read_many(articles):
            if isinstance(answer, InputError):
                raise SystemExit(str(answer))

    return loop


def reading_alone(path: Path) -> Loop:
    """Read the file as the job does, and make articles, with no model."""
    return lambda: articles_of(path, None)


def bare_sklearn(articles: list[Article], longest: int) -> Loop:
    """Ask scikit-learn for topics: TF-IDF of words (and pairs), one logistic regression per topic."""
    from benchmarks.linear_throughput import bare, plain_text
    from training.data.load import read_corpus
    from training.data.tables import labelled_set

    rows = labelled_set(read_corpus(str(Path(__file__).parents[1] / "data" / "articles.jsonl")), "topics")
    return bare(rows, [plain_text(article) for article in articles], longest)


def naive_pipeline(articles: list[Article], checkpoint: str) -> Loop:
    """Loop over the articles with transformers.pipeline, as its first example does: one text a call."""
    from transformers import pipeline

    classify = pipeline("text-classification", model=checkpoint, top_k=None, truncation=True, device=-1)

    def loop() -> None:
        for article in articles:
            classify(f"{article.title}\n{article.text}")

    return loop


def loop_of(arguments: argparse.Namespace) -> Loop:
    """Return what is to be timed, everything loaded."""
    if arguments.name == "reading":
        return reading_alone(arguments.articles)
    articles = articles_of(arguments.articles, arguments.limit)
    if arguments.name == "loop":
        return bare_loop(articles, arguments.topics, arguments.stance, arguments.variant)
    if arguments.name == "sklearn":
        return bare_sklearn(articles, arguments.longest)
    return naive_pipeline(articles, arguments.checkpoint)


def main() -> None:
    """Run one contender and print what its loop took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=_NAMES)
    parser.add_argument("articles", type=Path)
    parser.add_argument("--limit", type=int, help="read the first so many articles")
    parser.add_argument("--topics", help="an artefact, for loop")
    parser.add_argument("--stance", help="an artefact, for loop")
    parser.add_argument("--variant", help="of an encoder, for loop")
    parser.add_argument("--longest", type=int, default=1, help="words in a feature, for sklearn")
    parser.add_argument("--checkpoint", help="a folder that transformers reads, for pipeline")
    loop = loop_of(parser.parse_args())
    seconds, processor = time.perf_counter(), time.process_time()
    loop()
    taken = {"seconds": time.perf_counter() - seconds, "processor": time.process_time() - processor}
    print(json.dumps(taken))


if __name__ == "__main__":
    raise SystemExit(end_with(main))
