"""Well-known tools, each learning the same rows: what users would run instead of us.

Every peer takes labelled rows and rows to decide, and answers with decisions, bool [n_rows, n_labels]. All
read the text of a row as we do: title and text of an article, or a sentence with its target behind it.
They are installed into an environment of their own: some ask for older libraries than ours run on.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.base import LabelledSet
from stancewire.examples import Article, StanceExample
from training.data.shots import few_rows

Decisions: TypeAlias = NDArray[np.bool_]
Peer: TypeAlias = Callable[[LabelledSet, LabelledSet, int], Decisions]
# Rows of a label that SetFit gets: its pairs grow with their square.
SHOTS = 64


def pair(example: Article | StanceExample) -> tuple[str, str]:
    """Return a row as a first and a second text; the second is "" for an article."""
    if isinstance(example, Article):
        return f"{example.title}\n{example.text}".strip(), ""
    return example.sentence, example.target


def joined(rows: LabelledSet) -> list[str]:
    """Return every row as one text, for tools that take no pairs."""
    return [f"{first} {second}".strip() for first, second in map(pair, rows.examples)]


def decided(scores: NDArray[Any], task: str, threshold: float = 0.5) -> Decisions:
    """Return the best class of each row for stance, every label over the threshold for topics."""
    if task == "topics":
        return np.asarray(scores > threshold)
    return np.asarray(np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None])


def tfidf(train: LabelledSet, asked: LabelledSet, seed: int) -> Decisions:
    """scikit-learn: words and word pairs under balanced logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.multiclass import OneVsRestClassifier
    from sklearn.pipeline import make_pipeline

    classifier = LogisticRegression(class_weight="balanced", max_iter=1000, random_state=seed)
    model = make_pipeline(
        TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2)),
        OneVsRestClassifier(classifier) if train.task == "topics" else classifier,
    )
    truth = train.truth if train.task == "topics" else train.truth.argmax(axis=1)
    model.fit(joined(train), truth)
    return decided(model.predict_proba(joined(asked)), train.task)


def fasttext(train: LabelledSet, asked: LabelledSet, seed: int) -> Decisions:
    """fastText: word pairs, 25 epochs at 0.5, one thread, as its tutorial advises for small sets.

    On one thread fasttext-wheel 0.9.2 gives the same model whatever the seed: one seed tells all.
    """
    import fasttext as library  # type: ignore[import-not-found]

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.txt"
        lines = []
        for text, truth in zip(joined(train), train.truth, strict=True):
            labels = [f"__label__{column}" for column in np.flatnonzero(truth == 1)] or ["__label__none"]
            lines.append(f"{' '.join(labels)} {' '.join(text.lower().split())}")
        file.write_text("\n".join(lines), encoding="utf-8")
        model = library.train_supervised(
            input=str(file),
            lr=0.5,
            epoch=25,
            wordNgrams=2,
            loss="ova" if train.task == "topics" else "softmax",
            thread=1,
            seed=seed,
            verbose=0,
        )
    scores = np.zeros((len(asked), len(train.labels)))
    for row, text in enumerate(joined(asked)):
        # The wrapper's own predict breaks under numpy 2.
        for share, label in model.f.predict(" ".join(text.lower().split()), -1, 0.0, "strict"):
            if not label.strip().endswith("none"):
                scores[row, int(label.strip().removeprefix("__label__"))] = share
    return decided(scores, train.task)


@cache
def static_vectors() -> Any:  # noqa: ANN401 - of a library without types
    """Return Model2Vec's vectors, distilled from the same backbone: minutes, once for all sets."""
    from model2vec.distill import distill  # type: ignore[import-not-found]

    from models.encoder.backbone import find_backbone

    return distill(str(find_backbone("minilm", 128).folder))


def model2vec(train: LabelledSet, asked: LabelledSet, seed: int) -> Decisions:
    """Model2Vec: static vectors distilled from the same backbone, its own classifier with its defaults."""
    from model2vec.train import StaticModelForClassification  # type: ignore[import-not-found]

    # What is distilled stays as it is: the classifier tunes a copy.
    model = StaticModelForClassification.from_static_model(model=static_vectors())
    if train.task == "stance":
        truth: Sequence[Any] = [train.labels[i] for i in train.truth.argmax(axis=1)]
    else:
        truth = [[train.labels[i] for i in np.flatnonzero(row == 1)] for row in train.truth]
    model.fit(joined(train), truth, random_seed=seed, device="cpu")
    columns = [list(model.classes).index(label) for label in train.labels]
    return decided(np.asarray(model.predict_proba(joined(asked)))[:, columns], train.task)


def setfit(train: LabelledSet, asked: LabelledSet, seed: int) -> Decisions:
    """SetFit on at most 64 rows of a label, the same backbone; 500 steps, all else its defaults."""
    from datasets import Dataset
    from setfit import SetFitModel, Trainer, TrainingArguments  # type: ignore[import-not-found]

    from models.encoder.backbone import find_backbone

    rows = train.take(few_rows(train.truth, train.groups, train.task, SHOTS, seed=seed))
    truth = rows.truth.astype(int).tolist() if train.task == "topics" else rows.truth.argmax(axis=1).tolist()
    strategy = {"multi_target_strategy": "one-vs-rest"} if train.task == "topics" else {}
    model = SetFitModel.from_pretrained(str(find_backbone("minilm", 128).folder), device="cpu", **strategy)
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            output_dir=folder, max_steps=500, seed=seed, report_to="none", show_progress_bar=False
        )
        Trainer(
            model=model,
            args=arguments,
            train_dataset=Dataset.from_dict({"text": joined(rows), "label": truth}),
        ).train()
    scores = np.asarray(model.predict_proba(joined(asked)))
    return decided(scores, train.task)


def transformers_recipe(
    train: LabelledSet, asked: LabelledSet, seed: int, *, epochs: int = 3, as_it_stands: bool = False
) -> Decisions:
    """The transformers text-classification example: 2e-5, batches of 32, 3 epochs, 128 tokens.

    Padded dynamically, and in bf16 where the hardware has it, which changes its time and not its score. As it
    stands, every row is padded to 128 tokens, and all is fp32.
    """
    import torch
    from datasets import Dataset
    from transformers import AutoModelForSequenceClassification, AutoTokenizer
    from transformers import Trainer as HfTrainer
    from transformers import TrainingArguments as HfArguments

    from models.encoder.backbone import find_backbone
    from models.encoder.processes import has_bf16

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    folder = str(find_backbone("minilm", 128).folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    topics = train.task == "topics"
    torch.manual_seed(seed)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder,
        num_labels=len(train.labels),
        problem_type="multi_label_classification" if topics else "single_label_classification",
    )

    def encoded(rows: LabelledSet) -> list[dict[str, Any]]:
        pairs = list(map(pair, rows.examples))
        firsts, seconds = [p[0] for p in pairs], [p[1] for p in pairs]
        lengths = {"truncation": True, "max_length": 128, "padding": "max_length" if as_it_stands else False}
        batch = tokenizer(firsts, seconds if any(seconds) else None, **lengths)
        truth = rows.truth if topics else rows.truth.argmax(axis=1)
        return [
            {key: batch[key][row] for key in batch} | {"labels": truth[row].tolist()}
            for row in range(len(rows))
        ]

    with tempfile.TemporaryDirectory() as output:
        arguments = HfArguments(
            output_dir=output,
            learning_rate=2e-5,
            per_device_train_batch_size=32,
            per_device_eval_batch_size=64,
            num_train_epochs=epochs,
            bf16=not as_it_stands and has_bf16(device),
            use_cpu=device.type == "cpu",
            seed=seed,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            logging_strategy="no",
        )
        trainer = HfTrainer(
            model=model,
            args=arguments,
            train_dataset=Dataset.from_list(encoded(train)),
            processing_class=tokenizer,
        )
        trainer.train()
        logits = np.asarray(trainer.predict(Dataset.from_list(encoded(asked))).predictions)
    return decided(logits, train.task, threshold=0.0)


PEERS: dict[str, tuple[Peer, str]] = {
    "TF-IDF + LR": (tfidf, "sklearn"),
    "fastText": (fasttext, "fasttext"),
    "Model2Vec": (model2vec, "model2vec"),
    "SetFit, 64 a label": (setfit, "setfit"),
    "transformers recipe": (transformers_recipe, "transformers"),
}
# What a peer needs once, whatever the set; told apart from the seconds of a set.
READY: dict[str, Callable[[], object]] = {"Model2Vec": static_vectors}
# Model2Vec 0.10 distils with transformers below 5.4, with which SetFit 1.2 works too.
_PIP = {
    "fasttext": "fasttext-wheel",
    "model2vec": "model2vec[distill,train]>=0.10",
    "setfit": "setfit>=1.2",
    "sklearn": "scikit-learn",
}


def missing(package: str) -> str:
    """Return the pip line that brings a peer that is not installed, or ""."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    return "" if find_spec(package) else f"pip install '{_PIP.get(package, package)}'"
