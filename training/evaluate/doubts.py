"""How good a model's doubts are: what it keeps from review, and the stances that it holds possible."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.base import LabelledSet
from stancewire.calibration import Probabilities
from stancewire.doubt import Abstention, Conformal
from training.evaluate.kept import kept_scores
from training.evaluate.scores import Evaluation
from training.evaluate.sets import set_scores


def with_doubts(
    found: Evaluation,
    rows: LabelledSet,
    probabilities: Probabilities,
    decisions: NDArray[np.bool_],
    *,
    abstention: Abstention | None,
    conformal: Conformal | None,
    samples: int,
    seed: int,
) -> Evaluation:
    """Return an evaluation with the scores of a model's doubts, where it has any.

    Args:
        found: the evaluation of the same answers.
        rows: that were judged.
        probabilities: calibrated, float32 [n_rows, n_labels].
        decisions: bool, same shape.
        abstention: which decisions are for review; None where the model flags nothing.
        conformal: which stances stay possible; None where the model makes no sets.
        samples: bootstrap resamples.
        seed: of the resampling.
    """
    kept = sets = None
    if abstention is not None:
        kept = kept_scores(
            rows.truth,
            decisions,
            abstention.review(probabilities, decisions),
            asked=abstention.keep_precision,
            labels=rows.labels,
            task=rows.task,
            groups=rows.groups,
            samples=samples,
            confidence=found.confidence,
            seed=seed,
        )
    if conformal is not None:
        sets = set_scores(
            rows.truth,
            conformal.members(probabilities, decisions),
            level=conformal.level,
            groups=rows.groups,
            samples=samples,
            confidence=found.confidence,
            seed=seed,
        )
    return replace(found, kept=kept, sets=sets)
