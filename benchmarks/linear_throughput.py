"""Rows and articles per second of the linear family, as ratios to scikit-learn on the same texts, in one run.

Run `python -m benchmarks.linear_throughput`. Four cases: articles for their topics; stance rows as in the
corpus, most of a sentence of their own; stance rows as a reader asks them, every sentence about several
targets; and articles through Reader. Beside stancewire stands bare scikit-learn: TfidfVectorizer with its own
analyser and LogisticRegression.predict_proba, of words and of words with word pairs. It reads sentence and
target as one text and answers with a matrix; of articles it is given the sentences, and finds no holders.
Times are of the processor, the least of several turns, in turn.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from benchmarks.reading import TARGETS, questions, read_articles
from benchmarks.told import end_with
from models.base import LabelledSet
from models.linear import Linear, LinearConfig
from models.linear_rows import problems
from stancewire.calibration import Calibration, Task
from stancewire.examples import Article, StanceExample
from stancewire.predictor import StancePredictor, TopicsPredictor, load
from stancewire.reading import Reader
from stancewire.runtime.linear import LinearRuntime
from training.data.load import Corpus, read_corpus
from training.data.tables import labelled_set
from training.export import Fitted, export

CORPUS = Path(__file__).parents[1] / "data" / "articles.jsonl"
_C = 3.0
_ASKED = 150  # articles whose sentences are asked about
Run = Callable[[], object]
Examples = Sequence[Article] | Sequence[StanceExample]


@dataclass(frozen=True)
class Trained:
    """One task's model, in all the ways it is run."""

    rows: LabelledSet
    model: Linear
    runtime: LinearRuntime
    predictor: TopicsPredictor | StancePredictor


@dataclass(frozen=True)
class Case:
    """Contenders on the same texts."""

    name: str
    n_rows: int
    runs: dict[str, Run]


def plain_text(example: Article | StanceExample) -> str:
    """Return what bare scikit-learn reads of an example."""
    if isinstance(example, Article):
        return f"{example.title}\n{example.text}"
    return f"{example.sentence} {example.target}"


def bare(rows: LabelledSet, texts: Sequence[str], longest: int) -> Run:
    """Return a run of scikit-learn alone, with word n-grams up to that length."""
    vectorizer = TfidfVectorizer(ngram_range=(1, longest), sublinear_tf=True, min_df=2)
    matrix = vectorizer.fit_transform([plain_text(example) for example in rows.examples])
    classifiers = [
        LogisticRegression(C=_C, max_iter=1000).fit(matrix[problem.rows], problem.truth)
        for problem in problems(rows, None)
    ]

    def run() -> object:
        asked = vectorizer.transform(texts)
        return [classifier.predict_proba(asked) for classifier in classifiers]

    return run


def both(one: Run, other: Run) -> Run:
    """Return a run of two runs."""
    return lambda: (one(), other())


def trained(corpus: Corpus, task: Task) -> Trained:
    """Train on the whole corpus, and load what was exported."""
    rows = labelled_set(corpus, task)
    model = Linear(LinearConfig(regularisation=(_C,)), seed=0).fit(rows, rows)
    n_labels = len(rows.labels)
    fitted = Fitted(model, task, rows.labels, Calibration.identity(n_labels), (0.5,) * n_labels)
    with TemporaryDirectory() as folder:
        destination = Path(folder) / "artefact"
        artefact = export(
            fitted, destination, name="speed", codebook=corpus.codebook, metrics={}, provenance={}
        )
        return Trained(rows, model, LinearRuntime(artefact), load(destination))


def rows_case(name: str, found: Trained, examples: Examples) -> Case:
    """Return the contenders on examples of one task."""
    wanted = found.model.predict_probabilities(examples)
    if np.abs(found.runtime.predict(examples).probabilities - wanted).max() > 1e-6:
        raise SystemExit(f"{name}: the runtime differs from scikit-learn")
    texts = [plain_text(example) for example in examples]
    predict: Callable[..., object] = found.predictor.predict
    return Case(
        name,
        len(examples),
        {
            "stancewire": lambda: found.runtime.predict(examples),
            "stancewire, with scores and warnings": lambda: predict(examples),
            "scikit-learn, words": bare(found.rows, texts, 1),
            "scikit-learn, words and pairs": bare(found.rows, texts, 2),
            "scikit-learn, same features": lambda: found.model.predict_probabilities(examples),
        },
    )


def articles_case(topics: Trained, stance: Trained, articles: Sequence[Article]) -> Case:
    """Return the contenders on whole articles."""
    if not isinstance(topics.predictor, TopicsPredictor) or not isinstance(stance.predictor, StancePredictor):
        raise TypeError("expected a model for topics and one for stance, in this order")
    reader = Reader(topics.predictor, stance.predictor)
    whole = [plain_text(article) for article in articles]
    sentences = [plain_text(example) for asked in questions(articles) for example in asked]
    runs: dict[str, Run] = {
        "stancewire": lambda: list(reader.read_many(articles, TARGETS)),
        "stancewire, one at a time": lambda: [reader.read(article, TARGETS) for article in articles],
    }
    for name, longest in (("words", 1), ("words and pairs", 2)):
        runs[f"scikit-learn, {name}"] = both(
            bare(topics.rows, whole, longest), bare(stance.rows, sentences, longest)
        )
    return Case("articles through Reader", len(articles), runs)


def cases() -> Iterator[Case]:
    """Yield the cases, each when the one before is done."""
    corpus = read_corpus(str(CORPUS))
    topics, stance = trained(corpus, "topics"), trained(corpus, "stance")
    articles = read_articles()[:_ASKED]
    asked = [example for one in questions(articles) for example in one]
    yield rows_case("topics", topics, topics.rows.examples)
    yield rows_case("stance, rows of the corpus", stance, stance.rows.examples)
    yield rows_case("stance, as a reader asks", stance, asked)
    yield articles_case(topics, stance, articles)


def times_of(runs: dict[str, Run], turns: int) -> dict[str, float]:
    """Return the least seconds of each run; they take turns, so that a busy machine slows all."""
    least = dict.fromkeys(runs, float("inf"))
    gc.collect()
    gc.freeze()  # no contender pays for looking through what the others hold
    for _ in range(turns):
        for name, run in runs.items():
            start = time.process_time()
            run()
            least[name] = min(least[name], time.process_time() - start)
    return least


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--turns", type=int, default=7, help="of each contender; the least time counts")
    turns = parser.parse_args().turns
    with threadpool_limits(1):
        for case in cases():
            least = times_of(case.runs, turns)
            print(f"{case.name}: {case.n_rows:,}")
            for name, seconds in least.items():
                print(f"  {name:38}{case.n_rows / seconds:10,.0f} a second{ratios(name, least)}")


def ratios(name: str, least: dict[str, float]) -> str:
    """Tell how fast each way of stancewire is beside a way of scikit-learn."""
    if name.startswith("stancewire"):
        return ""
    found = [f"{own} {least[name] / least[own]:.2f}" for own in least if own.startswith("stancewire")]
    return f"   times as fast: {'; '.join(found)}"


if __name__ == "__main__":
    raise SystemExit(end_with(main))
