"""Which labels are taken for which (stance), and which come together (topics)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from training.report.answers import Answers

NONE = "none"


def crossings(answers: Answers) -> dict[str, Any]:
    """Return counts of true against decided labels, rows being the true ones.

    Stance: the confusion matrix. Topics: how often two topics come together, by truth and by decision, the
    diagonal being each alone or not; how often a topic was decided where another holds; and the sets of
    topics. Rows where any topic is not labelled are left out there.
    """
    truth, decided = answers.rows.truth, answers.decisions
    names = list(answers.rows.labels)
    if answers.task == "stance":
        holds = truth == 1
        return {
            "kind": "confusion",
            "names": names,
            "support": holds.sum(axis=0).tolist(),
            "counts": (holds.T.astype(int) @ decided.astype(int)).tolist(),
        }
    whole = ~np.isnan(truth).any(axis=1)
    holds, made = truth[whole] == 1, decided[whole]
    both = [np.column_stack([one, ~one.any(axis=1)]).astype(int) for one in (holds, made)]
    return {
        "kind": "co-occurrence",
        "names": [*names, NONE],
        "support": both[0].sum(axis=0).tolist(),
        "true_together": (holds.T.astype(int) @ holds.astype(int)).tolist(),
        "decided_together": (made.T.astype(int) @ made.astype(int)).tolist(),
        "counts": (both[0].T @ both[1]).tolist(),
        "sets": _sets(holds, made, names),
    }


def _sets(holds: np.ndarray[Any, Any], made: np.ndarray[Any, Any], names: list[str]) -> list[dict[str, Any]]:
    """Return every set of topics: on how many rows it is true, was decided, and both."""

    def sets(cells: np.ndarray[Any, Any]) -> list[tuple[str, ...]]:
        return [tuple(name for name, held in zip(names, row, strict=True) if held) for row in cells]

    true, decided = sets(holds), sets(made)
    counts, decisions = Counter(true), Counter(decided)
    right = Counter(one for one, other in zip(true, decided, strict=True) if one == other)
    every = sorted(counts | decisions, key=lambda one: (-counts[one], one))
    return [
        {"topics": list(one), "true": counts[one], "decided": decisions[one], "right": right[one]}
        for one in every
    ]
