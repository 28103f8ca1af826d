"""Articles and stance rows per second of the linear runtime, as ratios to scikit-learn, in one run.

Run `python -m benchmarks.linear_throughput`. Beside the runtime stand bare scikit-learn (TfidfVectorizer with
its own analyser and LogisticRegression.predict_proba, of words and of words with word pairs) and scikit-learn
on the very features of stancewire. Times are of the processor, the least of several turns, in turn.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from models.base import LabelledSet
from models.linear import Linear, LinearConfig
from models.linear_rows import problems
from stancewire.calibration import Calibration, Task
from stancewire.examples import Article, StanceExample
from stancewire.runtime.linear import LinearRuntime
from training.data.load import Corpus, read_corpus
from training.data.tables import labelled_set
from training.export import Fitted, export

CORPUS = Path(__file__).parents[1] / "data" / "articles.jsonl"
_C = 3.0
Run = Callable[[], object]


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


def runs_of(corpus: Corpus, task: Task, repeat: int) -> tuple[int, dict[str, Run]]:
    """Return the number of rows, and every contender on them."""
    rows = labelled_set(corpus, task)
    model = Linear(LinearConfig(regularisation=(_C,)), seed=0).fit(rows, rows)
    n_labels = len(rows.labels)
    fitted = Fitted(model, task, rows.labels, Calibration.identity(n_labels), (0.5,) * n_labels)
    with TemporaryDirectory() as folder:
        destination = Path(folder) / "artefact"
        artefact = export(
            fitted, destination, name="speed", codebook=corpus.codebook, metrics={}, provenance={}
        )
        runtime = LinearRuntime(artefact)
    examples = rows.take(list(range(len(rows))) * repeat).examples
    texts = [plain_text(example) for example in examples]
    found, wanted = runtime.predict(examples).probabilities, model.predict_probabilities(examples)
    if np.abs(found - wanted).max() > 1e-6:
        raise SystemExit(f"{task}: the runtime differs from scikit-learn")
    return len(examples), {
        "stancewire": lambda: runtime.predict(examples),
        "scikit-learn, words": bare(rows, texts, 1),
        "scikit-learn, words and pairs": bare(rows, texts, 2),
        "scikit-learn, same features": lambda: model.predict_probabilities(examples),
    }


def times_of(runs: dict[str, Run], turns: int) -> dict[str, float]:
    """Return the least seconds of each run; they take turns, so that a busy machine slows all."""
    least = dict.fromkeys(runs, float("inf"))
    for _ in range(turns):
        for name, run in runs.items():
            start = time.process_time()
            run()
            least[name] = min(least[name], time.process_time() - start)
    return least


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=7, help="of each contender; the least time counts")
    turns = parser.parse_args().turns
    corpus = read_corpus(str(CORPUS))
    tasks: dict[Task, int] = {"topics": 4, "stance": 1}
    with threadpool_limits(1):
        for task, repeat in tasks.items():
            n_rows, runs = runs_of(corpus, task, repeat)
            least = times_of(runs, turns)
            for name, seconds in least.items():
                ratio = seconds / least["stancewire"]
                print(
                    f"{task:7} {name:30} {n_rows / seconds:9,.0f} rows/s   stancewire is {ratio:.2f} as fast"
                )


if __name__ == "__main__":
    main()
