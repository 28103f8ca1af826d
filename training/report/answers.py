"""What an artefact answers on labelled rows, with all that the report tells about each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.base import LabelledSet
from stancewire.artefact import Artefact
from stancewire.calibration import Probabilities, Task
from stancewire.examples import Article, StanceExample
from stancewire.predictor import (
    BATCH_ROWS,
    StancePrediction,
    StancePredictor,
    TopicsPrediction,
    TopicsPredictor,
)
from stancewire.runtime import RawPrediction, Runtime
from stancewire.runtime.open import open_runtime
from training.data.load import Corpus
from training.data.tables import labelled_set

Decisions = NDArray[np.bool_]
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Answers:
    """Rows, their truth, and an artefact's answers; all in the same order.

    Attributes:
        artefact: what answered.
        rows: examples and truth.
        articles: of each row.
        raw: probabilities before calibration, float32 [n_rows, n_labels].
        probabilities: after it.
        decisions: bool, same shape.
        warnings: of each row, as the predictor gives them.
    """

    artefact: Artefact
    rows: LabelledSet
    articles: tuple[Article, ...]
    raw: Probabilities
    probabilities: Probabilities
    decisions: Decisions
    warnings: tuple[tuple[str, ...], ...]

    @property
    def task(self) -> Task:
        """What was asked."""
        return self.rows.task

    @property
    def articles_read(self) -> tuple[str, ...]:
        """Return the id of each row's article."""
        return tuple(article.id for article in self.articles)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Tell which rows have every labelled cell right."""
        truth = self.rows.truth
        return np.asarray(((truth == self.decisions) | np.isnan(truth)).all(axis=1))

    def texts(self, row: int) -> tuple[str, ...]:
        """Return everything that the model reads of a row."""
        example: Article | StanceExample = self.rows.examples[row]
        if isinstance(example, Article):
            return (example.title, example.text)
        return (example.sentence, example.context, example.target, example.holder or "")


def ask(
    artefact: Artefact, corpus: Corpus, positions: Sequence[int], progress: Progress = lambda done, of: None
) -> Answers:
    """Ask an artefact about rows of a corpus, through the predictor that users load.

    Args:
        artefact: whose labels are the corpus' codebook's.
        corpus: with its labels.
        positions: of articles (topics) or stance records (stance), at least one.
        progress: told how many rows are done, of how many.

    Raises:
        InputError: for a row that cannot be predicted.
    """
    rows = labelled_set(corpus, artefact.manifest.task, positions)
    recorder = _Recorder(open_runtime(artefact))
    found: list[TopicsPrediction | StancePrediction] = []
    for start in range(0, len(rows), BATCH_ROWS):
        progress(start, len(rows))
        found += _predict(artefact, recorder, rows.examples[start : start + BATCH_ROWS])
    progress(len(rows), len(rows))
    scores = [[(score.probability, score.decision) for score in one.scores] for one in found]
    held = np.asarray(scores, dtype=np.float64)
    of = positions if rows.task == "topics" else corpus.article_of[list(positions)]
    return Answers(
        artefact=artefact,
        rows=rows,
        articles=tuple(corpus.articles[int(position)] for position in of),
        raw=np.concatenate(recorder.raw),
        probabilities=held[:, :, 0].astype(np.float32),
        decisions=held[:, :, 1].astype(np.bool_),
        warnings=tuple(one.warnings for one in found),
    )


class _Recorder:
    """A runtime that keeps the raw probabilities that it answered: a predictor shows calibrated ones only."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.raw: list[Probabilities] = []

    def predict(self, examples: Sequence[Article] | Sequence[StanceExample]) -> RawPrediction:
        found = self._runtime.predict(examples)
        self.raw.append(found.probabilities)
        return found


def _predict(
    artefact: Artefact, runtime: Runtime, examples: Sequence[Article] | Sequence[StanceExample]
) -> Sequence[TopicsPrediction] | Sequence[StancePrediction]:
    if artefact.manifest.task == "topics":
        return TopicsPredictor(artefact, runtime).predict([e for e in examples if isinstance(e, Article)])
    return StancePredictor(artefact, runtime).predict([e for e in examples if isinstance(e, StanceExample)])
