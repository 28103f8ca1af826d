"""Refuse labels and parts that are too few to learn from, to calibrate on and to be judged on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from stancewire.calibration import Task
from stancewire.errors import InputError
from training.data.load import Corpus
from training.data.tables import groups_of, truth_of

# A label needs a story in each part.
_MIN_GROUPS = 3


def check_labels(corpus: Corpus, task: Task) -> None:
    """Refuse a corpus in which a label cannot be learned and judged.

    Raises:
        InputError: with the number of rows and stories of every label that has too few.
    """
    truth, groups = truth_of(corpus, task), np.asarray(groups_of(corpus, task))
    if not len(truth):
        raise InputError(f"{corpus.source}: wanted {task} labels, found no row with one")
    poor = []
    for column, label in enumerate(corpus.codebook.labels(task)):
        for held, what in ((1, "yes"), (0, "no")):
            rows = truth[:, column] == held
            if (stories := len(set(groups[rows].tolist()))) < _MIN_GROUPS:
                poor.append(f"  {label} {what}: rows {int(rows.sum()):,}, stories {stories}")
    if poor:
        wanted = f"wanted {_MIN_GROUPS} stories or more that hold each label, and {_MIN_GROUPS} that do not"
        advice = "  label more, or name a codebook without the label"
        raise InputError("\n".join([f"{corpus.source}: {wanted}; found", *poor, advice]))


def check_parts(corpus: Corpus, task: Task, parts: Mapping[str, Sequence[int]], by: str) -> None:
    """Refuse empty parts, a train part that lacks a label, and others in which nobody labelled one.

    Raises:
        InputError: with the number of rows.
    """
    wanted = f"{corpus.source}: split by {by}: wanted"
    sizes = ", ".join(f"{name} {len(rows):,}" for name, rows in parts.items())
    if not all(parts.values()):
        raise InputError(f"{wanted} rows in every part, got {sizes}")
    truth = truth_of(corpus, task)
    for column, label in enumerate(corpus.codebook.labels(task)):
        labelled = {name: truth[list(rows), column] for name, rows in parts.items()}
        held, not_held = int((labelled["train"] == 1).sum()), int((labelled["train"] == 0).sum())
        if not held or not not_held:
            found = f"{held:,} rows that hold {label} and {not_held:,} that do not"
            raise InputError(f"{wanted} both in train, got {found}; split otherwise")
        if bare := [name for name, rows in labelled.items() if np.isnan(rows).all()]:
            found = f"{bare[0]} with none in {len(labelled[bare[0]]):,} rows"
            raise InputError(
                f"{wanted} rows that say whether {label} holds in every part, got {found}; "
                "label some, or split otherwise"
            )
