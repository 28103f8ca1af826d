"""Which labels are taken for which (stance), and which come together (topics)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
            **_crossed(holds, decided),
        }
    whole = ~np.isnan(truth).any(axis=1)
    holds, made = truth[whole] == 1, decided[whole]
    both = [np.column_stack([one, ~one.any(axis=1)]) for one in (holds, made)]
    return {
        "kind": "co-occurrence",
        "names": [*names, NONE],
        "true_together": (holds.T.astype(int) @ holds.astype(int)).tolist(),
        "decided_together": (made.T.astype(int) @ made.astype(int)).tolist(),
        **_crossed(*both),
        "sets": _sets(holds, made, names),
    }


def _crossed(holds: NDArray[np.bool_], decided: NDArray[np.bool_]) -> dict[str, Any]:
    """Return how many rows hold each label, and how many, and which share, of them were decided each."""
    counts = holds.T.astype(int) @ decided.astype(int)
    support = holds.sum(axis=0)
    share = counts / np.maximum(1, support)[:, None]
    return {"support": support.tolist(), "counts": counts.tolist(), "shares": share.tolist()}


def _sets(holds: NDArray[np.bool_], made: NDArray[np.bool_], names: list[str]) -> list[dict[str, Any]]:
    """Return every set of topics: on how many rows it is true, was decided, and both."""

    def sets(cells: NDArray[np.bool_]) -> list[tuple[str, ...]]:
        return [tuple(name for name, held in zip(names, row, strict=True) if held) for row in cells]

    true, decided = sets(holds), sets(made)
    counts, decisions = Counter(true), Counter(decided)
    right = Counter(one for one, other in zip(true, decided, strict=True) if one == other)
    every = sorted(counts | decisions, key=lambda one: (-counts[one], one))
    return [
        {"topics": list(one), "true": counts[one], "decided": decisions[one], "right": right[one]}
        for one in every
    ]
