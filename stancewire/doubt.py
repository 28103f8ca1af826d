"""What a model is not sure of: decisions that a person should review, and stances that may hold as well.

Both are chosen on dev by training; applying them lives here, so that every engine doubts alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Probabilities, Task
from stancewire.errors import ArtefactError
from stancewire.section import Section


@dataclass(frozen=True, slots=True)
class Abstention:
    """Which decisions are for review: those that dev could not vouch for.

    Attributes:
        keep_precision: share of right ones that the other decisions keep, as training was asked for.
        decided: by label; decided at a probability of at most this, it is for review. 0: never, 1: always.
        undecided: by label; not decided at a probability of at least this, it is for review. 1: never,
            0: always. None for stance, where every row decides.
    """

    keep_precision: float
    decided: tuple[float, ...]
    undecided: tuple[float, ...] | None

    def review(self, probabilities: Probabilities, decisions: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which decisions are for review, bool [n_rows, n_labels]; for stance of the decided label."""
        p = probabilities.astype(np.float64)
        review = decisions & (p <= np.asarray(self.decided))
        if self.undecided is not None:
            review |= ~decisions & (p >= np.asarray(self.undecided))
        return np.asarray(review)

    def to_json(self, labels: tuple[str, ...]) -> dict[str, object]:
        """Return the manifest's section.

        Raises:
            ValueError: unless there is one figure for each label.
        """
        return {
            "keep_precision": self.keep_precision,
            "decided": dict(zip(labels, self.decided, strict=True)),
            "undecided": (None if self.undecided is None else dict(zip(labels, self.undecided, strict=True))),
        }


@dataclass(frozen=True, slots=True)
class Conformal:
    """Which stances stay possible, by split conformal prediction.

    Attributes:
        level: share of the rows of a new event whose set holds the true stance, averaged over events.
        quantile: a stance is in the set when 1 minus its probability is at most this; 1: all are.
    """

    level: float
    quantile: float

    def members(self, probabilities: Probabilities, decisions: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Tell which stances are in each row's set, bool [n_rows, n_labels]; the decided one always is."""
        return np.asarray((1.0 - probabilities.astype(np.float64) <= self.quantile) | decisions)

    def to_json(self) -> dict[str, object]:
        """Return the manifest's section."""
        return {"level": self.level, "quantile": self.quantile}


def parse_conformal(top: Section, task: Task, where: str) -> Conformal | None:
    """Read what `to_json` wrote; None where the manifest has none, as for all topics.

    Raises:
        ArtefactError: for anything else.
    """
    if top.absent("conformal"):
        return None
    if task != "stance":
        raise ArtefactError(f"{where}.conformal: expected null for {task}, sets are of stances; export again")
    section = top.section("conformal", ("level", "quantile"))
    return Conformal(section.number("level", 0.0, 1.0), section.number("quantile", 0.0, 1.0))


def parse_abstention(top: Section, labels: tuple[str, ...], task: Task, where: str) -> Abstention | None:
    """Read what `to_json` wrote; None where the manifest has none.

    Raises:
        ArtefactError: for anything else.
    """
    if top.absent("abstention"):
        return None
    section = top.section("abstention", ("keep_precision", "decided", "undecided"))
    if section.absent("undecided") != (task == "stance"):
        raise ArtefactError(
            f"{where}.abstention.undecided: expected a figure for each label of topics, null for stance; "
            "export the artefact again"
        )
    return Abstention(
        keep_precision=section.number("keep_precision", 0.0, 1.0),
        decided=_shares(section.section("decided", labels), labels),
        undecided=None if task == "stance" else _shares(section.section("undecided", labels), labels),
    )


def _shares(section: Section, labels: tuple[str, ...]) -> tuple[float, ...]:
    return tuple(section.number(label, 0.0, 1.0) for label in labels)
