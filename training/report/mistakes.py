"""The surest mistakes, with what was read and what pushed the decision."""

from __future__ import annotations

from typing import Any

import numpy as np

from stancewire.examples import Article, StanceExample
from training.report.answers import Answers
from training.report.evidence import Explainer, explainer, strongest
from training.report.weak import confidences

SHOWN = 30
# As much of an article as a person needs to judge it.
_CHARS = 2000


def mistakes(answers: Answers) -> list[dict[str, Any]]:
    """Return the wrong decisions of which the model is surest: of a topic, or of a stance."""
    truth, decided = answers.rows.truth, answers.decisions
    stance = answers.task == "stance"
    wrong = ((truth == 1) != decided) & ~np.isnan(truth) & (decided | (not stance))
    sure = confidences(answers.probabilities, decided, stance)
    cells = [(int(row), int(column)) for row, column in np.argwhere(wrong)]
    cells.sort(key=lambda cell: (-sure[cell], cell))
    explain = explainer(answers.artefact)
    return [
        _mistake(answers, row, column, float(sure[row, column]), explain) for row, column in cells[:SHOWN]
    ]


def told(answers: Answers, row: int) -> dict[str, Any]:
    """Return what a person needs to see of a row."""
    example: Article | StanceExample = answers.rows.examples[row]
    article = answers.articles[row]
    where = {
        "article": article.id,
        "story": answers.rows.groups[row],
        "outlet": article.outlet,
        "date": article.date,
    }
    if isinstance(example, Article):
        text = example.text
        return {**where, "title": example.title, "text": text[:_CHARS], "text_cut": len(text) > _CHARS}
    return {
        **where,
        "sentence": example.sentence,
        "context": example.context,
        "target": example.target,
        "holder": example.holder,
    }


def _mistake(answers: Answers, row: int, column: int, sure: float, explain: Explainer) -> dict[str, Any]:
    labels, truth = answers.rows.labels, answers.rows.truth[row]
    direction = np.zeros(len(labels))
    decided = bool(answers.decisions[row, column])
    if answers.task == "stance":
        direction[column] = 1
        direction[truth == 1] = -1
    else:
        direction[column] = 1 if decided else -1
    return {
        "label": labels[column],
        "decided": decided,
        "confidence": sure,
        "true": [label for label, held in zip(labels, truth, strict=True) if held == 1],
        "probabilities": dict(zip(labels, answers.probabilities[row].astype(float).tolist(), strict=True)),
        "evidence": strongest(explain(answers.rows.examples[row]), direction),
        **told(answers, row),
    }
