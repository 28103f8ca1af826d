"""The head: logistic regression on embeddings, as the weights of a linear layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from models.base import LabelledSet
from models.fewshot.network import Embeddings
from models.linear_rows import ClassWeights, problems
from stancewire.calibration import Probabilities, Task
from stancewire.runtime.linear import sigmoid, softmax

_MAX_ITERATIONS = 1_000


@dataclass(frozen=True, slots=True)
class Head:
    """A linear layer.

    Attributes:
        weight: float32 [n_labels, size].
        bias: float32 [n_labels].
    """

    weight: NDArray[np.float32]
    bias: NDArray[np.float32]

    def probabilities(self, embeddings: Embeddings, task: Task) -> Probabilities:
        """Return raw probabilities of rows, float32 [n_rows, n_labels]."""
        link = sigmoid if task == "topics" else softmax
        scores = embeddings.astype(np.float64) @ self.weight.T.astype(np.float64) + self.bias
        return np.asarray(link(scores), np.float32)


def fit_head(embeddings: Embeddings, rows: LabelledSet, c: float, weights: ClassWeights) -> Head:
    """Fit one binary classifier per topic, on the rows where it is labelled, or the one of stance.

    Args:
        embeddings: of the rows.
        rows: with their truth.
        c: inverse strength of the regularisation.
        weights: of the rows where a label holds.
    """
    tables: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    with threadpool_limits(1):
        for problem in problems(rows, weights):
            classifier = LogisticRegression(C=c, class_weight=problem.class_weight, max_iter=_MAX_ITERATIONS)
            classifier.fit(embeddings[problem.rows], problem.truth)
            tables.append((classifier.coef_, classifier.intercept_))
    weight, bias = (np.concatenate(parts) for parts in zip(*tables, strict=True))
    if rows.task == "stance" and len(rows.labels) == 2:  # scikit-learn keeps one row for two classes
        weight, bias = np.concatenate([-weight, weight]) / 2, np.concatenate([-bias, bias]) / 2
    return Head(weight.astype(np.float32), bias.astype(np.float32))
