"""Answers whose every cell a test states, on small real artefacts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from models.base import LabelledSet
from stancewire.artefact import Artefact
from stancewire.examples import Article, StanceExample
from tests.small_models import CODEBOOK, small_artefact
from training.config_sections import EvaluationConfig
from training.evaluate.metrics import evaluate
from training.report.answers import Answers
from training.report.build import Setting, build

TOPICS = ("arms_trade", "diplomacy", "sanctions")
STANCES = ("against", "favor", "neutral", "unrelated")
SETTINGS = EvaluationConfig(samples=200)

Truth = Sequence[Sequence[float]] | NDArray[np.float32] | NDArray[np.float64]


def topics_answers(
    artefact: Artefact,
    truth: Truth,
    probabilities: ArrayLike,
    *,
    articles: Sequence[Article] | None = None,
    groups: Sequence[str] | None = None,
) -> Answers:
    """Return answers about topics, decided at 0.5; by default every row is a story of its own."""
    y, p = np.asarray(truth, np.float32), np.asarray(probabilities, np.float32)
    told = tuple(articles or (Article(text=f"Story {i} tells of shells.", id=f"a{i}") for i in range(len(y))))
    rows = LabelledSet("topics", told, TOPICS, y, tuple(groups or map(str, range(len(y)))))
    return Answers(artefact, rows, told, p, p, p >= 0.5, ((),) * len(y))


def stance_answers(
    artefact: Artefact,
    truth: Sequence[int],
    probabilities: ArrayLike,
    *,
    examples: Sequence[StanceExample] | None = None,
    articles: Sequence[Article] | None = None,
    groups: Sequence[str] | None = None,
) -> Answers:
    """Return answers about stance, the likeliest being decided."""
    p = np.asarray(probabilities, np.float32)
    asked = tuple(
        examples
        or (StanceExample(sentence=f"Envoy {i} signed.", target="the deal") for i in range(len(truth)))
    )
    told = tuple(articles or (Article(text="A text.", id=f"a{i}") for i in range(len(truth))))
    y = np.eye(4, dtype=np.float32)[list(truth)]
    rows = LabelledSet("stance", asked, STANCES, y, tuple(groups or map(str, range(len(truth)))))
    decided = np.zeros(p.shape, np.bool_)
    decided[np.arange(len(p)), p.argmax(axis=1)] = True
    return Answers(artefact, rows, told, p, p, decided, ((),) * len(truth))


def random_answers(folder: Path, task: str, n_rows: int = 60, seed: int = 0) -> Answers:
    """Return answers that are often right, two rows to a story, of several outlets and years."""
    rng = np.random.default_rng(seed)
    artefact = small_artefact(folder, task)
    articles = [
        Article(
            text=f"The envoys of state {i} spoke about shells. " + "More words. " * (i % 7),
            title=f"Title {i}",
            id=f"a{i}",
            date=f"{2010 + i % 4}-01-02",
            outlet=("wire", "daily")[i % 2],
            countries=("KEN", "PRK")[: 1 + i % 2],
        )
        for i in range(n_rows)
    ]
    groups = [f"story {i // 2}" for i in range(n_rows)]
    if task == "topics":
        truth = (rng.random((n_rows, 3)) < 0.4).astype(np.float32)
        noise = rng.normal(0, 0.25, truth.shape)
        said = np.clip(truth * 0.6 + 0.2 + noise, 0.01, 0.99)
        return topics_answers(artefact, truth, said, articles=articles, groups=groups)
    classes = rng.integers(0, 4, n_rows)
    said = rng.random((n_rows, 4)) + 0.8 * np.eye(4)[classes]
    examples = [
        StanceExample(
            sentence=f"Minister {i} welcomed the talks and the embargo.",
            target=("sanctions", "the talks", f"deal {i}")[i % 3],
            holder="Minister" if i % 2 else None,
            context="Before it." if i % 5 else "",
        )
        for i in range(n_rows)
    ]
    return stance_answers(
        artefact,
        classes.tolist(),
        said / said.sum(axis=1, keepdims=True),
        examples=examples,
        articles=articles,
        groups=groups,
    )


def report_of(answers: Answers, **changes: object) -> dict[str, Any]:
    """Return a whole report of answers, judged alone."""
    rows = answers.rows
    found = evaluate(
        rows.truth,
        answers.probabilities,
        answers.decisions,
        labels=rows.labels,
        task=rows.task,
        groups=rows.groups,
        raw_probabilities=answers.raw,
        samples=SETTINGS.samples,
    )
    setting = Setting(
        part="test",
        source="made up",
        digest="0" * 64,
        codebook=CODEBOOK,
        evaluations={"linear": found},
        evaluation=SETTINGS,
        seed=0,
    )
    return build(answers, replace(setting, **cast("dict[str, Any]", changes)))
