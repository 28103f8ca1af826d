"""Small real models, trained in a blink: they answer sensibly about a handful of words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.base import LabelledSet
from models.linear import Linear, LinearConfig
from stancewire.artefact import Artefact
from stancewire.calibration import Calibration
from stancewire.examples import Article, StanceExample
from tests.integration.conftest import ROOT
from training.data.codebook import BUNDLED, load_codebook
from training.export import Fitted, export

CODEBOOK = load_codebook(ROOT / BUNDLED)
_TOPIC_WORDS = {
    "arms_trade": ("shells", "missiles", "tanks"),
    "diplomacy": ("talks", "envoys", "summit"),
    "sanctions": ("embargo", "blacklist", "assets"),
}
_STANCE_WORDS = {
    "against": ("condemned", "blocked", "rejected"),
    "favor": ("welcomed", "praised", "signed"),
    "neutral": ("described", "counted", "scheduled"),
    "unrelated": ("harvested", "painted", "danced"),
}


def topics_rows() -> LabelledSet:
    """Articles of one topic, of two, and of none."""
    labels = tuple(_TOPIC_WORDS)
    holds = [[one, other] for one in range(3) for other in range(3)] + [[]] * 6
    examples, truth = [], np.zeros((3 * len(holds), 3), np.float32)
    for row in range(len(truth)):
        topics = holds[row % len(holds)]
        words = [_TOPIC_WORDS[labels[topic]][(row + i) % 3] for i, topic in enumerate(topics)]
        truth[row, topics] = 1
        text = f"The ministry spoke about {' and '.join(words) or 'the weather'} on day {row % 4}."
        examples.append(Article(text=text, title=words[0] if words else "Weather"))
    return LabelledSet("topics", tuple(examples), labels, truth, tuple(map(str, range(len(truth)))))


def stance_rows() -> LabelledSet:
    """Sentences whose verb tells the stance."""
    labels, examples, classes = tuple(_STANCE_WORDS), [], []
    for row in range(48):
        verb = _STANCE_WORDS[labels[row % 4]][row // 4 % 3]
        target = ("the embargo", "the talks")[row % 2]
        examples.append(
            StanceExample(sentence=f"The minister {verb} {target}.", target=target, holder="The minister")
        )
        classes.append(row % 4)
    return LabelledSet(
        "stance", tuple(examples), labels, np.eye(4, dtype=np.float32)[classes], tuple(map(str, range(48)))
    )


def fitted(task: str) -> Fitted:
    """Fit a model, with calibrations that show when they are not applied."""
    rows = topics_rows() if task == "topics" else stance_rows()
    family = Linear(LinearConfig(), seed=0).fit(rows, rows)
    n_labels = len(rows.labels)
    calibration = (
        Calibration("platt", (1.5,) * n_labels, (0.1,) * n_labels)
        if task == "topics"
        else Calibration("vector", (1.5, 1.0, 1.0, 1.2), (0.1, 0.0, 0.0, -0.1))
    )
    thresholds = (0.4, 0.5, 0.6) if task == "topics" else (0.25,) * 4
    return Fitted(family, rows.task, rows.labels, calibration, thresholds)


def small_artefact(folder: Path, task: str, name: str = "") -> Artefact:
    """Train and export."""
    return export(
        fitted(task),
        folder / f"small-{task}",
        name=name or f"small-{task}",
        codebook=CODEBOOK,
        metrics={"macro_f1": 1.0},
        provenance={"data": "made up"},
    )
