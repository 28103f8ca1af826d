"""Who is tested: a loaded artefact, or a model that a run has just fitted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Probabilities, Task, decide
from stancewire.codebook import Codebook
from stancewire.examples import Article, StanceExample
from stancewire.predictor import Predictor
from training.export import Fitted

Examples = Sequence[Article | StanceExample]


@dataclass(frozen=True)
class Subject:
    """A model as the tests see it.

    Attributes:
        name: for people.
        task: what it answers.
        labels: its columns.
        codebook_id: where they come from.
        codebook_version: in which version.
        answer: calibrated probabilities and decisions, both [n_rows, n_labels], of examples of the task.
    """

    name: str
    task: Task
    labels: tuple[str, ...]
    codebook_id: str
    codebook_version: str
    answer: Callable[[Examples], tuple[Probabilities, NDArray[np.bool_]]]

    @classmethod
    def of_predictor(cls, predictor: Predictor) -> Subject:
        """Test a loaded artefact."""

        def answer(examples: Examples) -> tuple[Probabilities, NDArray[np.bool_]]:
            rows: Any = examples
            scores = [prediction.scores for prediction in predictor.predict(rows)]
            probabilities = np.array([[s.probability for s in row] for row in scores], dtype=np.float32)
            return probabilities, np.array([[s.decision for s in row] for row in scores], dtype=np.bool_)

        told = predictor.provenance
        return cls(
            told.model, predictor.task, predictor.labels, told.codebook_id, told.codebook_version, answer
        )

    @classmethod
    def of_fitted(cls, name: str, fitted: Fitted, codebook: Codebook) -> Subject:
        """Test a model before it is shipped."""

        def answer(examples: Examples) -> tuple[Probabilities, NDArray[np.bool_]]:
            rows: Any = examples
            raw = fitted.family.predict_probabilities(rows)
            probabilities = fitted.calibration.apply(raw, fitted.task)
            thresholds = np.asarray(fitted.thresholds, dtype=np.float32)
            return probabilities, decide(probabilities, thresholds, fitted.task)

        return cls(name, fitted.task, fitted.labels, codebook.id, codebook.version, answer)
