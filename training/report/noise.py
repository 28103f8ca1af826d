"""Labels that may be wrong, by confident learning (Northcutt et al., 2021; cleanlab).

The probabilities are out of sample: the model has not learned from the rows that are judged. Only these rows
are looked at.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from cleanlab.filter import find_label_issues
from numpy.typing import NDArray

from training.report.answers import Answers
from training.report.mistakes import told

SHOWN = 20


def suspects(answers: Answers) -> dict[str, Any]:
    """Return how many labels are suspect, and the most suspect ones."""
    found = _stance(answers) if answers.task == "stance" else _topics(answers)
    found.sort(key=lambda one: (one["quality"], one["row"], one["label"]))
    shown = [{**one, **told(answers, one.pop("row"))} for one in found[:SHOWN]]
    return {"checked": len(answers.rows), "found": len(found), "shown": shown}


def _stance(answers: Answers) -> list[dict[str, Any]]:
    labels = answers.rows.labels
    known = np.flatnonzero(~np.isnan(answers.rows.truth).any(axis=1))
    given = answers.rows.truth[known].argmax(axis=1)
    probabilities = answers.probabilities[known].astype(np.float64)
    best = probabilities.argmax(axis=1)
    return [
        {
            "row": int(known[i]),
            "label": labels[given[i]],
            "given": True,
            "suggested": labels[best[i]],
            "quality": float(probabilities[i, given[i]]),
        }
        for i in _issues(given, probabilities)
        if best[i] != given[i]
    ]


def _topics(answers: Answers) -> list[dict[str, Any]]:
    found = []
    for column, label in enumerate(answers.rows.labels):
        known = np.flatnonzero(~np.isnan(answers.rows.truth[:, column]))
        given = (answers.rows.truth[known, column] == 1).astype(int)
        p = answers.probabilities[known, column].astype(np.float64)
        quality = np.where(given == 1, p, 1 - p)
        found += [
            {
                "row": int(known[i]),
                "label": label,
                "given": bool(given[i]),
                "suggested": f"not {label}" if given[i] else label,
                "quality": float(quality[i]),
            }
            for i in _issues(given, np.column_stack([1 - p, p]))
        ]
    return found


def _issues(given: NDArray[np.intp], probabilities: NDArray[np.float64]) -> list[int]:
    """Return the positions of suspect labels; none where fewer than two classes are given."""
    classes = np.unique(given)
    if len(classes) < 2:
        return []
    kept = probabilities[:, classes]
    kept = kept / np.maximum(kept.sum(axis=1, keepdims=True), 1e-12)
    return flagged(np.searchsorted(classes, given), kept)


def flagged(given: NDArray[np.intp], probabilities: NDArray[np.float64]) -> list[int]:
    """Return the positions of the labels that confident learning takes for wrong."""
    with warnings.catch_warnings():
        # It warns where a class would keep no row, and then flags fewer: so be it.
        warnings.simplefilter("ignore", UserWarning)
        mask = find_label_issues(given, probabilities, n_jobs=1)
    return [int(i) for i in np.flatnonzero(mask)]
