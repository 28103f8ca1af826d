"""The contract that every family keeps, and the labelled rows that it learns from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from stancewire.calibration import Probabilities, Task
from stancewire.examples import Article, StanceExample

Examples = Sequence[Article] | Sequence[StanceExample]


class StrictModel(BaseModel):
    """Base of every config section: no unknown key, no silent conversion, no NaN, frozen."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


class FamilyConfig(StrictModel):
    """What the config of every family has."""

    family: str
    """Name of the family."""

    target_blind: bool = False
    """Stance only: know nothing of the target. The baseline that a stance model must beat."""


@dataclass(frozen=True)
class LabelledSet:
    """Examples with their truth.

    Attributes:
        task: "topics" (several labels may hold, or none) or "stance" (exactly one holds).
        examples: Article for topics, StanceExample for stance.
        labels: sorted label names, one per column of truth.
        truth: float32 [n_rows, n_labels] of 1, 0 or NaN; NaN is "not labelled" and never a negative.
        groups: event cluster of each row; rows of one group stay together in every split or fold.
    """

    task: Task
    examples: Examples
    labels: tuple[str, ...]
    truth: NDArray[np.float32]
    groups: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.examples)

    def take(self, rows: Sequence[int] | NDArray[np.intp]) -> LabelledSet:
        """Return the rows at these positions, in this order."""
        index = [int(i) for i in rows]
        examples: Any = tuple(self.examples[i] for i in index)
        groups = tuple(self.groups[i] for i in index)
        return LabelledSet(self.task, examples, self.labels, self.truth[index], groups)


def joined(sets: Sequence[LabelledSet]) -> LabelledSet:
    """Return the rows of several sets of one task and the same labels, one set behind the other."""
    examples: Any = tuple(example for rows in sets for example in rows.examples)
    groups = tuple(group for rows in sets for group in rows.groups)
    return replace(
        sets[0], examples=examples, truth=np.concatenate([rows.truth for rows in sets]), groups=groups
    )


Log: TypeAlias = Callable[[int, Mapping[str, float]], None]


def unheard(step: int, figures: Mapping[str, float]) -> None:
    """Log nothing."""


@dataclass(frozen=True)
class FitContext:
    """What surrounds a fit, for families that learn step by step; the others need none of it.

    Attributes:
        checkpoints: folder of checkpoints, which a killed fit goes on from; None: none are kept.
        cache: folder of what costs time to make and can be made again; None: nothing is kept.
        log: told the number of a step and figures of it, by name.
        extra: more training rows of the same labels, each set with how often a row is drawn in an epoch, or
            how many rows one counts for where all are learned from at once.
        plain: those of them that also teach a model which gives a sentence one answer, whatever it is asked.
    """

    checkpoints: Path | None = None
    cache: Path | None = None
    log: Log = unheard
    extra: tuple[tuple[LabelledSet, float], ...] = ()
    plain: tuple[tuple[LabelledSet, float], ...] = ()


ALONE = FitContext()


class Family(ABC):
    """A way to learn a task. Constructors only store; `fit` checks and learns; learned names end in `_`."""

    name: ClassVar[str]
    Config: ClassVar[type[FamilyConfig]]
    packages: ClassVar[tuple[str, ...]] = ()
    """Distributions whose versions change what is learned, beside those of every family."""
    resumes: ClassVar[bool] = False
    """Whether a fit goes on from checkpoints, and learns in several processes at once."""

    takes_extra: ClassVar[bool] = False
    """Whether it learns from the further rows of a context."""

    heeds_targets: ClassVar[bool] = True
    """Whether it can learn that a sentence sides with one target and against another. Terms that add up, each
    for itself, hardly can."""

    def __init__(self, config: FamilyConfig, *, seed: int) -> None:
        self.config = config
        self.seed = seed

    @classmethod
    def on_processor(cls, config: FamilyConfig) -> bool:
        """Tell whether such a fit is computed by the processor, whose cores fits can share."""
        return True

    @abstractmethod
    def fit(self, train: LabelledSet, dev: LabelledSet, context: FitContext = ALONE) -> Self:
        """Learn from train. Dev may choose when to stop; calibration and thresholds are fitted elsewhere."""

    def prefit(self, train: LabelledSet, dev: LabelledSet, context: FitContext = ALONE) -> Self:
        """Do as much of `fit` as the checkpoints of the context keep for it.

        Raises:
            FitError: as `fit` does.
        """
        return self.fit(train, dev, context)

    @property
    def beside(self) -> Mapping[str, Family]:
        """Models that were fitted on the same rows and answer together with this one, by family."""
        return {}

    @abstractmethod
    def predict_probabilities(self, examples: Examples) -> Probabilities:
        """Return uncalibrated probabilities, float32 [n_rows, n_labels], columns in train.labels order."""

    @abstractmethod
    def export(self, folder: Path) -> dict[str, Any]:
        """Write weight files into an existing empty folder; return the manifest's `model` section (JSON)."""

    def chunking(self) -> Mapping[str, int] | None:
        """Return the manifest's `chunking` section; None for families that read texts whole."""
        return None

    def keep(self, folder: Path) -> None:
        """Write what another fit can start from into an existing empty folder; only families that resume do.

        Raises:
            NotImplementedError: for all others.
        """
        raise NotImplementedError(f"{self.name}: a fit cannot start from another one")
