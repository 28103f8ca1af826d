"""Labels that may be wrong, by confident learning (Northcutt et al., 2021; cleanlab).

Stance is looked at as one choice of several, topics as one question each (which is what cleanlab does with
several labels, too), so that a topic that nobody labelled is left out and never taken for a negative.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from cleanlab.rank import get_label_quality_scores
from numpy.typing import NDArray

from training.report.answers import Answers
from training.report.mistakes import told
from training.report.noise import flagged

SHOWN = 100

Floats = NDArray[np.float64]


def suspects(rows: Answers, probabilities: Floats) -> dict[str, Any]:
    """Return how many labels are suspect, by label, and the most suspect ones.

    Args:
        rows: labelled.
        probabilities: out of sample, [n_rows, n_labels].
    """
    found = _stance(rows, probabilities) if rows.task == "stance" else _topics(rows, probabilities)
    found.sort(key=lambda one: (one["quality"], one["row"], one["label"]))
    by_label = {label: sum(one["label"] == label for one in found) for label in rows.rows.labels}
    answers = replace(rows, probabilities=probabilities.astype(np.float32))
    shown = [{**one, **told(answers, one.pop("row"))} for one in found[:SHOWN]]
    return {"checked": len(rows.rows), "found": len(found), "by_label": by_label, "shown": shown}


def _stance(rows: Answers, probabilities: Floats) -> list[dict[str, Any]]:
    labels = rows.rows.labels
    given = rows.rows.truth.argmax(axis=1)
    scaled = probabilities / np.maximum(probabilities.sum(axis=1, keepdims=True), 1e-12)
    best = scaled.argmax(axis=1)
    return [
        {
            "row": row,
            "label": labels[given[row]],
            "given": True,
            "suggested": labels[best[row]],
            "quality": quality,
        }
        for row, quality in _issues(given, scaled)
    ]


def _topics(rows: Answers, probabilities: Floats) -> list[dict[str, Any]]:
    found = []
    for column, label in enumerate(rows.rows.labels):
        known = np.flatnonzero(~np.isnan(rows.rows.truth[:, column]))
        given = (rows.rows.truth[known, column] == 1).astype(int)
        p = probabilities[known, column]
        found += [
            {
                "row": int(known[row]),
                "label": label,
                "given": bool(given[row]),
                "suggested": f"not {label}" if given[row] else label,
                "quality": quality,
            }
            for row, quality in _issues(given, np.column_stack([1 - p, p]))
        ]
    return found


def _issues(given: NDArray[np.intp], probabilities: Floats) -> list[tuple[int, float]]:
    """Return the positions of suspect labels with the probability that the model gives each label."""
    quality = get_label_quality_scores(given, probabilities, method="self_confidence")
    return [(row, float(quality[row])) for row in flagged(given, probabilities)]
