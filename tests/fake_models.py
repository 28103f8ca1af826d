"""Predictors whose probabilities a test states, on real artefacts: no model is trained for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stancewire.artefact import CodebookRef
from stancewire.calibration import Calibration
from stancewire.examples import Article, StanceExample
from stancewire.predictor import StancePredictor, TopicsPredictor
from stancewire.runtime import RawPrediction
from tests.tiny import write_tiny

TOPICS = ("arms_trade", "diplomacy", "sanctions")
STANCES = ("against", "favor", "neutral", "unrelated")
CODEBOOK = CodebookRef("stancewire", "1.0", "0" * 64, {"arms_trade": "arms trade", "diplomacy": "diplomacy"})

Answer = Callable[[Any], Sequence[float]]


class FakeRuntime:
    """Answers each example with what a function says; keeps the examples of every call."""

    def __init__(self, answer: Answer, n_labels: int, blank: bool = False) -> None:
        self.answer = answer
        self.n_labels = n_labels
        self.blank = blank
        self.calls: list[list[Any]] = []

    def predict(self, examples: Sequence[Article] | Sequence[StanceExample]) -> RawPrediction:
        self.calls.append(list(examples))
        rows = [self.answer(example) for example in examples]
        probabilities = np.array(rows, dtype=np.float32).reshape(len(rows), -1)
        return RawPrediction(probabilities, np.full(len(rows), self.blank))


def fake_topics(folder: Path, answer: Answer, **changes: object) -> TopicsPredictor:
    """A topics predictor: thresholds 0.5, no calibration."""
    blank = bool(changes.pop("blank", False))
    fields: dict[str, Any] = {
        "codebook": CODEBOOK,
        "thresholds": (0.5,) * 3,
        "calibration": Calibration.identity(3),
    }
    artefact = write_tiny(folder / "topics", **(fields | changes))
    return TopicsPredictor(artefact, FakeRuntime(answer, 3, blank))


def fake_stance(folder: Path, answer: Answer, **changes: object) -> StancePredictor:
    """A stance predictor: equal thresholds, no calibration."""
    fields: dict[str, Any] = {
        "name": "tiny-stance",
        "task": "stance",
        "labels": STANCES,
        "codebook": CODEBOOK,
        "thresholds": (0.25,) * 4,
        "calibration": Calibration.identity(4),
    }
    artefact = write_tiny(folder / "stance", **(fields | changes))
    return StancePredictor(artefact, FakeRuntime(answer, 4))


def by_words(example: StanceExample) -> tuple[float, ...]:
    """Stance by plain words of the sentence, when it names the target's last word; else unrelated."""
    sentence = example.sentence.lower()
    if example.target.lower().split()[-1] not in sentence:
        return (0.05, 0.05, 0.1, 0.8)
    if "condemned" in sentence:
        return (0.9, 0.04, 0.04, 0.02)
    if "welcomed" in sentence:
        return (0.1, 0.8, 0.06, 0.04)
    return (0.1, 0.1, 0.7, 0.1)
