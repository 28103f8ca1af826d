"""How wrong scores are, in sums, so that parts of a step add up to the whole of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight
from torch import Tensor
from torch.nn import functional

from models.base import LabelledSet
from models.encoder.config import EncoderConfig
from models.linear_rows import ClassWeights
from stancewire.calibration import Task


@dataclass(frozen=True)
class Loss:
    """The loss of a task.

    Attributes:
        task: topics: binary by label, cells that are not labelled left out. stance: over the classes.
        holds: float32 [n_labels]; weight of a cell whose label holds; of a row of that class for stance.
        fails: float32 [n_labels]; weight of a cell whose label does not hold; topics only.
        focal_gamma: 0 makes it cross-entropy.
        smoothing: share of the truth that is spread evenly.
    """

    task: Task
    holds: NDArray[np.float32]
    fails: NDArray[np.float32]
    focal_gamma: float
    smoothing: float

    @classmethod
    def of(cls, config: EncoderConfig, train: LabelledSet) -> Loss:
        """Return the loss that a config asks for on these rows."""
        holds, fails = _weights(train, config.class_weights)
        gamma = config.focal_gamma if config.loss == "focal" else 0.0
        return cls(train.task, holds, fails, gamma, config.label_smoothing)

    def size(self, truth: NDArray[np.float32]) -> float:
        """Return the weight of all cells (topics) or rows (stance): what a sum is divided by."""
        return float(self._cell_weights(truth).sum())

    def total(self, logits: Tensor, truth: NDArray[np.float32]) -> Tensor:
        """Return the weighted sum over cells or rows, a scalar.

        Args:
            logits: [n_rows, n_labels].
            truth: float32, same shape, of 1, 0 and NaN.
        """
        weights = torch.from_numpy(self._cell_weights(truth)).to(logits.device)
        wanted = torch.from_numpy(np.nan_to_num(truth)).to(logits.device)
        logits = logits.float()
        cells = self._topics(logits, wanted) if self.task == "topics" else self._stance(logits, wanted)
        return (cells * weights).sum()

    def _topics(self, logits: Tensor, truth: Tensor) -> Tensor:
        smooth = truth * (1 - self.smoothing) + self.smoothing / 2
        cells = functional.binary_cross_entropy_with_logits(logits, smooth, reduction="none")
        if self.focal_gamma:
            right = torch.sigmoid(torch.where(truth == 1, logits, -logits))
            cells = cells * (1 - right) ** self.focal_gamma
        return cells

    def _stance(self, logits: Tensor, truth: Tensor) -> Tensor:
        smooth = truth * (1 - self.smoothing) + self.smoothing / truth.shape[1]
        logs = functional.log_softmax(logits, dim=1)
        rows = -(smooth * logs).sum(dim=1)
        if self.focal_gamma:
            right = (truth * logs).sum(dim=1).exp()
            rows = rows * (1 - right) ** self.focal_gamma
        return rows

    def _cell_weights(self, truth: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.task == "stance":
            return np.asarray(np.nan_to_num(truth) @ self.holds, np.float32)
        weights = np.where(truth == 1, self.holds, self.fails)
        return np.where(np.isnan(truth), 0, weights).astype(np.float32)


def _weights(train: LabelledSet, weights: ClassWeights) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the weight of every label where it holds, and where it does not."""
    n_labels = len(train.labels)
    ones = np.ones(n_labels, np.float32)
    if weights is None:
        return ones, ones
    if isinstance(weights, dict):
        return np.array([weights.get(label, 1.0) for label in train.labels], np.float32), ones
    if train.task == "stance":
        classes = np.arange(n_labels)
        balanced = compute_class_weight("balanced", classes=classes, y=train.truth.argmax(axis=1))
        return np.asarray(balanced, np.float32), ones
    with_it, without = (train.truth == 1).sum(axis=0), (train.truth == 0).sum(axis=0)
    labelled = with_it + without
    return (labelled / (2 * with_it)).astype(np.float32), (labelled / (2 * without)).astype(np.float32)
