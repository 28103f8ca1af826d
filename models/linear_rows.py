"""What the linear family asks of its training rows, and the binary or multi-class problems they make."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from sklearn.metrics import f1_score

from models.base import LabelledSet, joined
from models.errors import FitError

ClassWeights: TypeAlias = dict[str, Annotated[float, Field(gt=0)]] | Literal["balanced"] | None

_FEWEST_ROWS = 2


class Problem(NamedTuple):
    """One classifier's share: positions of the labelled rows, their classes, weights by class."""

    rows: NDArray[np.intp]
    truth: NDArray[np.intp]
    class_weight: dict[int, float]


def check(train: LabelledSet, weights: ClassWeights, folds: int) -> None:
    """Refuse rows that cannot teach every label.

    Args:
        train: the rows.
        weights: class weights by label name, checked against the labels.
        folds: groups needed at least.

    Raises:
        FitError: naming every label at fault, with its counts.
    """
    if len(train) < _FEWEST_ROWS:
        raise FitError(
            f"{train.task}: wanted at least {_FEWEST_ROWS} training rows, got {len(train)}; add rows"
        )
    if len(train.labels) < (2 if train.task == "stance" else 1):
        raise FitError(f"{train.task}: wanted more than one label, got {', '.join(train.labels) or 'none'}")
    with_it, without = (train.truth == 1).sum(axis=0), (train.truth == 0).sum(axis=0)
    lacking = [
        f"{label} ({int(yes)} with it, {int(no)} without)"
        for label, yes, no in zip(train.labels, with_it, without, strict=True)
        if not yes or not no
    ]
    if lacking:
        raise FitError(
            f"{train.task}: wanted training rows with and without each label, got {', '.join(lacking)}; "
            "add rows, or take the label out of the codebook"
        )
    if train.task == "stance" and not (train.truth.sum(axis=1) == 1).all():
        raise FitError("stance: wanted exactly one label on every training row; leave the other rows out")
    if isinstance(weights, dict) and (unknown := sorted(weights.keys() - set(train.labels))):
        raise FitError(
            f"class_weights: unknown label {', '.join(unknown)}; the labels are {', '.join(train.labels)}"
        )
    if len(set(train.groups)) < folds:
        raise FitError(
            f"regularisation: choosing among several needs {folds} groups of rows, "
            f"got {len(set(train.groups))}; give one value, or fewer folds"
        )


def weighted(
    train: LabelledSet, extra: Sequence[tuple[LabelledSet, float]]
) -> tuple[LabelledSet, NDArray[np.float64]]:
    """Return the rows of train with all further ones behind them, and how many rows each counts for."""
    sets = [train, *(rows for rows, _ in extra)]
    return joined(sets), np.repeat([1.0, *(weight for _, weight in extra)], [len(rows) for rows in sets])


def problems(
    train: LabelledSet, weights: ClassWeights, row_weights: NDArray[np.float64] | None = None
) -> Iterator[Problem]:
    """Yield one binary problem per topic, unlabelled rows left out, or the one problem of stance.

    Args:
        train: the rows.
        weights: class weights by label name.
        row_weights: how many rows each counts for, [n_rows]; None: one.
    """
    if row_weights is None:
        row_weights = np.ones(len(train))
    if train.task == "stance":
        every, truth = np.arange(len(train)), train.truth.argmax(axis=1)
        yield Problem(every, truth, _weights(truth, train.labels, weights, row_weights))
        return
    for column, label in enumerate(train.labels):
        rows = np.flatnonzero(~np.isnan(train.truth[:, column]))
        truth = train.truth[rows, column].astype(np.intp)
        yield Problem(rows, truth, _weights(truth, ("", label), weights, row_weights[rows]))


def frequent(rows: Iterable[Iterable[str]], min_documents: int, max_terms: int) -> list[str]:
    """Return the terms that stand in enough rows, at most so many, the most frequent ones; sorted."""
    counts = Counter(term for row in rows for term in set(row))
    kept = [term for term, count in counts.items() if count >= min_documents]
    return sorted(sorted(kept, key=lambda term: (-counts[term], term))[:max_terms])


def check_terms(vocabularies: Mapping[str, Sequence[str]], min_documents: int) -> None:
    """Refuse rows that share no term.

    Raises:
        FitError: if every vocabulary is empty.
    """
    if not any(vocabularies.values()):
        raise FitError(
            f"wanted a term in at least {min_documents} training rows (min_documents), got none; "
            "add rows, or lower min_documents"
        )


def macro_f1(probabilities: NDArray[np.float64], train: LabelledSet) -> float:
    """Return the mean F1 over labels of plain decisions: above one half, or for stance the likeliest."""
    if train.task == "stance":
        truth, found = train.truth.argmax(axis=1), probabilities.argmax(axis=1)
        return float(f1_score(truth, found, average="macro", zero_division=0))
    scores = []
    for column in range(len(train.labels)):
        labelled = ~np.isnan(train.truth[:, column])
        found = probabilities[labelled, column] > 0.5
        scores.append(f1_score(train.truth[labelled, column], found, zero_division=0))
    return float(np.mean(scores))


def _weights(
    truth: NDArray[np.intp],
    labels: tuple[str, ...],
    weights: ClassWeights,
    row_weights: NDArray[np.float64],
) -> dict[int, float]:
    """Return a weight for each class by its number."""
    if weights == "balanced":
        held = np.bincount(truth, row_weights)
        return {
            int(number): held.sum() / (np.count_nonzero(held) * held[number]) for number in np.unique(truth)
        }
    named = weights or {}
    return {number: named.get(label, 1.0) for number, label in enumerate(labels)}
