"""Macro-F1 of the linear family by cross-validation over events, beside simpler models, and on public sets.

Run `python -m benchmarks.linear_quality [FOLDER]`. Only train and dev of the bundled corpus (the default
split) are used: its test part judges a finished model, and chooses none. FOLDER may hold public sets, each a
folder of train.jsonl and dev.jsonl: newsmtsc and touche23 (text, target, label), congress114 and un_votes
(text, topics); those that are not there are skipped.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GroupKFold
from threadpoolctl import threadpool_limits

from benchmarks.public_sets import STANCE_SETS, TOPIC_SETS, read_public
from benchmarks.told import end_with
from models.base import LabelledSet
from models.linear import Linear, LinearConfig
from models.linear_rows import macro_f1, problems
from stancewire.calibration import Task
from stancewire.examples import Article, StanceExample
from stancewire.holders import find_holder
from training.data.load import read_corpus
from training.data.split import Plan, split_corpus
from training.data.tables import labelled_set

CORPUS = Path(__file__).parents[1] / "data" / "articles.jsonl"
_C = 3.0

Scores = NDArray[np.float64]
Predict = Callable[[LabelledSet], Scores]
Fit = Callable[[LabelledSet], Predict]


def ours(rows: LabelledSet, **config: object) -> Predict:
    """Fit the family with its defaults, but for one C, that all models have, and what is given."""
    model = Linear(LinearConfig.model_validate({"regularisation": [_C]} | config), seed=0).fit(rows, rows)
    return lambda asked: model.predict_probabilities(asked.examples).astype(np.float64)


def blind(rows: LabelledSet) -> Predict:
    """Fit the family without the target."""
    return ours(rows, target_blind=True)


def baseline(rows: LabelledSet) -> Predict:
    """Fit balanced logistic regression on scikit-learn's own words, the target's among them."""
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2)
    matrix = vectorizer.fit_transform(map(_text, rows.examples))
    classifiers = [
        LogisticRegression(C=_C, max_iter=1000, class_weight="balanced").fit(
            matrix[problem.rows], problem.truth
        )
        for problem in problems(rows, None)
    ]

    def predict(asked: LabelledSet) -> Scores:
        wanted = vectorizer.transform(map(_text, asked.examples))
        found = [classifier.predict_proba(wanted) for classifier in classifiers]
        return np.asarray(found[0]) if rows.task == "stance" else np.column_stack([p[:, 1] for p in found])

    return predict


MODELS: dict[Task, dict[str, Fit]] = {
    "topics": {"stancewire": ours, "words": baseline},
    "stance": {"stancewire": ours, "target-blind": blind, "words": baseline},
}


def _text(example: Article | StanceExample) -> str:
    if isinstance(example, Article):
        return f"{example.title}\n{example.text}"
    return f"{example.sentence} {example.target}"


def cross_validate(
    rows: LabelledSet, asked: dict[str, LabelledSet], fit: Fit, seeds: int
) -> dict[str, list[Scores]]:
    """Return for each way to ask the held-out probabilities of every seed."""
    found: dict[str, list[Scores]] = {name: [] for name in asked}
    for seed in range(seeds):
        held_out = {name: np.zeros(rows.truth.shape) for name in asked}
        for fitted, held in GroupKFold(5, shuffle=True, random_state=seed).split(
            rows.truth, groups=rows.groups
        ):
            predict = fit(rows.take(fitted))
            for name, variant in asked.items():
                held_out[name][held] = predict(variant.take(held))
        for name, scores in held_out.items():
            found[name].append(scores)
    return found


def ways_to_ask(rows: LabelledSet) -> dict[str, LabelledSet]:
    """Return stance rows with the holder as annotated, as a reading finds it, and without."""
    if rows.task == "topics":
        return {"": rows}
    examples = [example for example in rows.examples if isinstance(example, StanceExample)]
    found = []
    for example in examples:
        holder = find_holder(example.sentence, example.context)
        named = holder.text if holder and not holder.in_context else None
        found.append(replace(example, holder=named))
    without = [replace(example, holder=None) for example in examples]
    return {
        "holder annotated": rows,
        "holder found": replace(rows, examples=tuple(found)),
        "no holder": replace(rows, examples=tuple(without)),
    }


def bundled(seeds: int) -> None:
    """Print the scores on train and dev of the bundled corpus."""
    corpus = read_corpus(str(CORPUS))
    tasks: tuple[Task, ...] = ("topics", "stance")
    for task in tasks:
        split = split_corpus(corpus, task, Plan(), seed=0)
        rows = labelled_set(corpus, task, sorted((*split.train, *split.dev)))
        for name, fit in MODELS[task].items():
            for way, runs in cross_validate(rows, ways_to_ask(rows), fit, seeds).items():
                f1 = [100 * macro_f1(scores, rows) for scores in runs]
                more = f"   AP {np.mean([_precision(scores, rows) for scores in runs]):.1f}"
                print(
                    f"{task:7} {name:14} {way:17} macro-F1 {np.mean(f1):.1f} ± {np.std(f1):.1f}"
                    + (more if task == "topics" else "")
                )


def _precision(scores: Scores, rows: LabelledSet) -> float:
    found = [average_precision_score(rows.truth[:, i], scores[:, i]) for i in range(len(rows.labels))]
    return 100 * float(np.mean(found))


def public(folder: Path) -> None:
    """Print the scores on dev of each public set that is there, trained on its train part."""
    for name in (*STANCE_SETS, *TOPIC_SETS):
        if not (folder / name / "train.jsonl").is_file():
            print(f"{name}: not there, skipped")
            continue
        rows, asked = read_public(folder / name)
        for title, fit in MODELS[rows.task].items():
            scores = fit(rows)(asked)
            more = f"   AP {_precision(scores, asked):.1f}" if rows.task == "topics" else ""
            print(f"{name:12} {title:14} macro-F1 {100 * macro_f1(scores, asked):.1f}{more}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="of public sets")
    parser.add_argument("--seeds", type=int, default=3, help="of the cross-validation")
    arguments = parser.parse_args()
    with threadpool_limits(1):
        bundled(arguments.seeds)
        if arguments.folder is not None:
            public(arguments.folder)


if __name__ == "__main__":
    raise SystemExit(end_with(main))
