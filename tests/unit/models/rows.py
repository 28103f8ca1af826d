"""Small training rows whose labels hang on plain words, and odd texts that a model must survive."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np

from models.base import LabelledSet
from models.linear import Linear
from stancewire.artefact import Artefact, CodebookRef, Manifest, write_artefact
from stancewire.calibration import Calibration, Task
from stancewire.examples import Article, StanceExample
from tests.corpora import text_of

CORPUS = Path(__file__).parents[3] / "data" / "articles.jsonl"
TOPICS = ("arms", "talks")
STANCES = ("against", "favor", "neutral")
_SAID = {"against": "condemned", "favor": "welcomed", "neutral": "discussed"}

ODD_TEXTS = (
    "",
    " ",
    "a",
    "7",
    "😀🚀",
    "12 345 6,789",
    "ѕanctions оn аrms",
    "cafe\u0301 embargo\u0301 condemned",
    "sanc\u200btions wel\u00adcomed arms",
    "制裁 和 武器 谈判。北京欢迎这项协议",
    "رحبت طهران بالعقوبات على الأسلحة",
    "weapons " * 10_000,
    "x" * 5_000,
    "\u0130stanbul's ''quoted'' don’t n't —",
    "NOT. never; no, “nothing” (without) arms",
    "line\u2028separator\u0085and\ttabs\nand\r\nnewlines",
)


def topics_rows(n_rows: int = 40) -> LabelledSet:
    """Articles of random words; "shells" makes one of arms, "envoys" one of talks."""
    held = [[number % 2, number // 2 % 2] for number in range(n_rows)]
    texts = [
        " ".join(["shells"] * arms + ["envoys"] * talks + [text_of(number, 2)])
        for number, (arms, talks) in enumerate(held)
    ]
    return LabelledSet(
        task="topics",
        examples=tuple(Article(title=text_of(f"t{n}", 1, 3), text=text) for n, text in enumerate(texts)),
        labels=TOPICS,
        truth=np.asarray(held, np.float32),
        groups=tuple(f"e{number // 4}" for number in range(n_rows)),
    )


def stance_rows(n_rows: int = 60, labels: tuple[str, ...] = STANCES) -> LabelledSet:
    """Sentences with a verb that decides."""
    truth = np.zeros((n_rows, len(labels)), np.float32)
    examples = []
    for number in range(n_rows):
        label = number % len(labels)
        truth[number, label] = 1
        sentence = f"Seoul {_SAID[labels[label]]} the embargo, {text_of(number, 1, 4)}"
        holder = "Seoul" if number % 2 else None
        examples.append(
            StanceExample(sentence=sentence, target="the embargo", holder=holder, context=text_of(-number, 1))
        )
    groups = tuple(f"e{number // 6}" for number in range(n_rows))
    return LabelledSet("stance", tuple(examples), labels, truth, groups)


@cache
def bundled_articles() -> tuple[Article, ...]:
    """Every article of the bundled corpus, its longer paragraphs as articles of their own, and odd ones."""
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    whole = [Article(title=row["title"], text=row["text"]) for row in rows]
    parts = [Article(text=part) for row in rows[:200] for part in row["text"].split("\n\n")[:3]]
    odd = [Article(title=title, text=text) for text in ODD_TEXTS for title in ("", text[:200])]
    return (*whole, *parts, *odd)


@cache
def bundled_stances() -> tuple[StanceExample, ...]:
    """Stance records of the bundled corpus, and odd texts in the place of each field."""
    rows = [json.loads(line) for line in CORPUS.read_text(encoding="utf-8").splitlines()]
    records = [
        StanceExample(
            sentence=stance["sentence"],
            target=stance["target"],
            holder=stance["holder"],
            context=row["title"],
        )
        for row in rows
        for stance in row["stances"]
    ]
    plain = "Seoul never welcomed the embargo"
    odd = [
        example
        for text in ODD_TEXTS
        for example in (
            StanceExample(sentence=text, target="the embargo"),
            StanceExample(sentence=plain, target=text),
            StanceExample(sentence=plain, target="the embargo", holder=text, context=text),
        )
    ]
    return (*records[:1500], *odd)


def exported(family: Linear, folder: Path) -> Artefact:
    """Write a fitted family as an artefact without calibration."""
    staging = folder / "staging"
    staging.mkdir(parents=True)
    task: Task = family.task_
    n_labels = len(family.labels_)
    manifest = Manifest(
        name="small",
        task=task,
        family=family.name,
        labels=family.labels_,
        codebook=CodebookRef("small", "1.0", "0" * 64, {}),
        thresholds=(0.5,) * n_labels,
        calibration=Calibration.identity(n_labels),
        max_chars=1_000_000,
        chunking=None,
        model=family.export(staging),
        metrics={},
        provenance={},
    )
    return write_artefact(folder / "artefact", manifest, staging)
