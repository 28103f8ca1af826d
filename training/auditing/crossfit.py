"""Answers of models that have not learned from the row at hand, nor from any row of its story."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import numpy as np

from models.base import LabelledSet
from models.errors import FitError
from models.linear import Linear, LinearConfig
from stancewire.artefact import Artefact
from stancewire.calibration import Task
from training.calibrate import assign_folds
from training.data.load import Corpus
from training.data.tables import labelled_set, truth_of
from training.report.answers import Answers

FOLDS = 5
# One strength for all folds: to choose it each time would take five times as long for the same suspects.
REGULARISATION = 3.0


class NotAuditedError(Exception):
    """The labels of a task are too few to be looked at by cross-validation; the text says why."""


def rows_of(corpus: Corpus, task: Task) -> Answers:
    """Return the labelled rows of a task as the report takes them, with no answers yet: all are 0.

    Raises:
        NotAuditedError: if there is none.
    """
    truth = truth_of(corpus, task)
    positions = np.flatnonzero(~np.isnan(truth).all(axis=1)) if len(truth) else np.zeros(0, np.intp)
    if not len(positions):
        raise NotAuditedError(f"no {task} labels")
    rows = labelled_set(corpus, task, positions)
    of = positions if task == "topics" else corpus.article_of[positions]
    nothing = np.zeros(rows.truth.shape, np.float32)
    return Answers(
        artefact=cast(
            "Artefact", None
        ),  # no artefact answers here, and what is used of the rows asks for none
        rows=rows,
        articles=tuple(corpus.articles[int(position)] for position in of),
        raw=nothing,
        probabilities=nothing,
        decisions=nothing == 1,
        warnings=((),) * len(rows),
    )


def out_of_sample(rows: LabelledSet, seed: int, report: Callable[[str], None]) -> np.ndarray:
    """Return probabilities of the linear family by cross-validation over whole stories, as `rows.truth`.

    Raises:
        NotAuditedError: if a fold's rows cannot teach every label.
    """
    fold_of = assign_folds(rows.groups, FOLDS, seed)
    found = np.zeros(rows.truth.shape, np.float64)
    folds = np.unique(fold_of).tolist()
    for number, fold in enumerate(folds, 1):
        report(f"asking about {rows.task} out of sample, {number} of {len(folds)}")
        held = np.flatnonzero(fold_of == fold)
        rest = rows.take(np.flatnonzero(fold_of != fold))
        model = Linear(LinearConfig(regularisation=(REGULARISATION,)), seed=seed)
        try:
            model.fit(rest, rest)
        except FitError as error:
            raise NotAuditedError(f"too few labels for {FOLDS} folds of whole stories: {error}") from None
        found[held] = model.predict_probabilities(rows.take(held).examples)
    return found
