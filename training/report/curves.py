"""Points of curves: precision over recall, said over true frequency, risk over coverage."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancewire.calibration import Probabilities
from training.evaluate.metrics import average_precision
from training.evaluate.reliability import Question, questions, reliability_bins
from training.report.answers import Answers
from training.report.weak import confidences

# As many points as a chart can show.
_POINTS = 120
_COVERAGES = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)


def precision_recall(answers: Answers) -> dict[str, dict[str, Any] | None]:
    """Return the curve of each label, and where its decisions lie on it; None for one without positives.

    Points are thinned out, the figures are not.
    """
    truth, thresholds = answers.rows.truth, answers.artefact.manifest.thresholds
    found: dict[str, dict[str, Any] | None] = {}
    for column, label in enumerate(answers.rows.labels):
        known = ~np.isnan(truth[:, column])
        y, p = truth[known, column] == 1, answers.probabilities[known, column]
        decided = answers.decisions[known, column]
        if not y.any():
            found[label] = None
            continue
        order = np.argsort(-p, kind="stable")
        ends = np.flatnonzero(np.append(np.diff(p[order]) != 0, True))
        hits = np.cumsum(y[order])[ends]
        points = np.column_stack([hits / y.sum(), hits / (ends + 1)])
        found[label] = {
            "points": _thinned(points).tolist(),
            "average_precision": average_precision(truth[:, column], answers.probabilities[:, column]),
            "share": float(y.mean()),
            "threshold": thresholds[column],
            "recall": float(y[decided].sum() / y.sum()),
            "precision": float(y[decided].mean()) if decided.any() else None,
        }
    return found


def reliability(answers: Answers, bins: int) -> list[dict[str, Any]]:
    """Return for each question how often what was said held, in bins of equal mass."""
    truth, task = answers.rows.truth, answers.task
    names = answers.rows.labels if task == "topics" else ("likeliest stance",)
    before, after = (questions(truth, said, task) for said in (answers.raw, answers.probabilities))
    return [
        {"name": name, "rows": len(raw.holds), "before": _bins(raw, bins), "after": _bins(mended, bins)}
        for name, raw, mended in zip(names, before, after, strict=True)
    ]


def coverage_risk(answers: Answers) -> dict[str, Any]:
    """Return the share of wrong rows among the surest ones, by how many of them are taken.

    A topics row is as sure as its least sure label, and right with every labelled cell right. Rows of equal
    confidence are taken together.
    """
    sure = row_confidences(answers.probabilities, answers.decisions, answers.task == "stance")
    order = np.argsort(-sure, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(sure[order]) != 0, True))
    wrong = np.cumsum(~answers.right[order])[ends]
    coverage, risk = (ends + 1) / len(order), wrong / (ends + 1)
    at = [int(np.argmax(coverage >= wanted - 1e-12)) for wanted in _COVERAGES]
    return {
        "points": _thinned(np.column_stack([coverage, risk])).tolist(),
        "area": float(np.sum(np.diff(coverage, prepend=0.0) * risk)),
        "table": [
            {
                "coverage": float(coverage[i]),
                "risk": float(risk[i]),
                "least_confidence": float(sure[order][ends[i]]),
            }
            for i in at
        ],
    }


def row_confidences(
    probabilities: Probabilities, decisions: NDArray[np.bool_], stance: bool
) -> NDArray[np.float64]:
    """Return how sure a model is of each row."""
    cells = confidences(probabilities, decisions, stance)
    return np.asarray(cells.max(axis=1) if stance else cells.min(axis=1))


def _bins(question: Question, bins: int) -> list[dict[str, float]]:
    if not len(question.holds):
        return []
    found = reliability_bins(*question, bins)
    return [
        {"said": float(said), "held": float(held), "rows": int(rows)}
        for said, held, rows in zip(*found, strict=True)
    ]


def _thinned(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Keep points at even steps, the first and the last among them."""
    if len(points) <= _POINTS:
        return points
    kept = np.unique(np.linspace(0, len(points) - 1, _POINTS).round().astype(int))
    return np.asarray(points[kept])
