"""How often each label holds, and on which slices more or less often than elsewhere.

A slice where a label is much more frequent invites a model to learn the slice instead of the text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stancewire.codebook import Codebook
from training.evaluate.bootstrap import group_numbers, resample_weights, sum_by_group
from training.report.answers import Answers
from training.report.slices import Slice, slices_of
from training.report.weak import MIN_ROWS, MIN_STORIES

Floats = NDArray[np.float64]


def balance(
    rows: Answers, codebook: Codebook, *, samples: int, confidence: float, seed: int
) -> dict[str, Any]:
    """Return the share of every label on all rows and on every slice, the most lopsided slices first.

    The difference to the other rows has an interval over resampled stories. Where a label always or never
    holds, no resample can show an exception: there, the interval reaches as far as exceptions in n stories
    may hide (1 - (1 - confidence)^(1/n); Hanley and Lippman-Hand, "If nothing goes wrong, is everything all
    right?", 1983). Slices stand in the order of the nearest that the interval of any label comes to no
    difference.
    """
    truth, labels = rows.rows.truth, rows.rows.labels
    group_of = group_numbers(rows.rows.groups)
    weights = resample_weights(int(group_of.max()) + 1, samples, seed)
    cells = np.stack([truth == 1, ~np.isnan(truth)], axis=-1)
    whole = sum_by_group(cells, group_of)
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]

    def scored(one: Slice) -> dict[str, Any]:
        stories = len(np.unique(group_of[one.rows]))
        hidden = 1 - (1 - confidence) ** (1 / max(1, stories))
        enough = int(one.rows.sum()) >= MIN_ROWS and stories >= MIN_STORIES
        inside = sum_by_group(cells & one.rows[:, None, None], group_of)
        here, there = inside.sum(axis=0), (whole - inside).sum(axis=0)
        spread = _shares(np.tensordot(weights, inside, axes=1))
        spread = spread - _shares(np.tensordot(weights, whole - inside, axes=1))
        found = {
            label: _difference(here[i], there[i], spread[:, i], tails, hidden) if enough else None
            for i, label in enumerate(labels)
        }
        sides = {"share": _shares(here), "rest": _shares(there)}
        return {
            "dimension": one.dimension,
            "value": one.value,
            "rows": int(one.rows.sum()),
            "stories": stories,
            "enough": enough,
            "labels": {
                label: {name: _known(side[i]) for name, side in sides.items()} | {"over_rest": found[label]}
                for i, label in enumerate(labels)
            },
        }

    slices = [scored(one) for one in slices_of(rows, codebook, None)]
    slices.sort(key=lambda one: (not one["enough"], -lopsided(one), one["dimension"], one["value"]))
    return {"labels": _overall(rows, group_of), "none": _none(rows), "slices": slices}


def lopsided(one: dict[str, Any]) -> float:
    """Return how far from no difference the nearest end of the clearest label's interval is, 0 at least."""
    found = [of["over_rest"] for of in one["labels"].values() if of["over_rest"] is not None]
    return max((max(each["low"], -each["high"], 0.0) for each in found), default=0.0)


def _difference(
    here: Floats, there: Floats, spread: Floats, tails: Sequence[float], hidden: float
) -> dict[str, Any] | None:
    defined = spread[~np.isnan(spread)]
    value = float(_shares(here) - _shares(there))
    if np.isnan(value) or not len(defined):
        return None
    low, high = np.quantile(defined, tails)
    share = float(_shares(here))
    low, high = low - hidden * (share == 1), high + hidden * (share == 0)
    return {"value": value, "low": float(low), "high": float(high)}


def _shares(counts: Floats) -> Floats:
    """Return counts of (holding, known) [..., 2] as shares; NaN where none is known."""
    holding, known = counts[..., 0], counts[..., 1]
    return np.asarray(np.where(known > 0, holding / np.maximum(known, 1), np.nan))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _overall(rows: Answers, group_of: NDArray[np.intp]) -> dict[str, Any]:
    truth = rows.rows.truth
    return {
        label: {
            "rows": int((truth[:, i] == 1).sum()),
            "labelled": int((~np.isnan(truth[:, i])).sum()),
            "stories": len(np.unique(group_of[truth[:, i] == 1])),
            "share": _known(float(np.nanmean(truth[:, i]))) if (~np.isnan(truth[:, i])).any() else None,
        }
        for i, label in enumerate(rows.rows.labels)
    }


def _none(rows: Answers) -> int | None:
    """Return how many articles have no topic; None for stance, where one label always holds."""
    return int((rows.rows.truth == 0).all(axis=1).sum()) if rows.task == "topics" else None
