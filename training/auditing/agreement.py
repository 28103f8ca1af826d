"""Agreement between annotators: Krippendorff's alpha for nominal data, with a bootstrap interval.

Alpha is 1 minus observed over expected disagreement: 1 is perfect agreement, 0 is what chance would give, and
below 0 people disagree by system. It takes any number of annotators, and units that some of them left out
(Krippendorff, "Content Analysis", 2004, chapter 11; "Computing Krippendorff's Alpha-Reliability", 2011).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.evaluate.bootstrap import group_numbers, resample_weights

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """How far annotators agree.

    Attributes:
        alpha: None where it is undefined: all values are one, or no unit has two.
        low, high: percentiles over resampled articles; None where no resample defines it.
        units: that two annotators or more labelled.
        observed: share of pairs of labels that agree; None without units.
    """

    alpha: float | None
    low: float | None
    high: float | None
    units: int
    observed: float | None


def agreement(
    units: Sequence[Mapping[str, Hashable]],
    articles: Sequence[str],
    *,
    samples: int,
    confidence: float,
    seed: int,
) -> Agreement:
    """Return the agreement over units.

    Args:
        units: of each, the value by annotator.
        articles: of each unit; units of one article are resampled together.
        samples: bootstrap resamples.
        confidence: of the interval.
        seed: of the resampling.
    """
    values = sorted({value for unit in units for value in unit.values()}, key=repr)
    by_unit = coincidences(units, values)
    pairable = [number for number, unit in enumerate(units) if len(unit) > 1]
    if not pairable:
        return Agreement(None, None, None, 0, None)
    whole = by_unit.sum(axis=0)
    article_of = group_numbers([articles[number] for number in pairable])
    by_article = np.zeros((article_of.max() + 1, *whole.shape))
    np.add.at(by_article, article_of, by_unit[pairable])
    weights = resample_weights(len(by_article), samples, seed)
    spread = alpha(np.tensordot(weights, by_article, axes=1))
    defined = spread[~np.isnan(spread)]
    tails = [(1 - confidence) / 2, (1 + confidence) / 2]
    low, high = np.quantile(defined, tails).tolist() if len(defined) else (None, None)
    found = float(alpha(whole))
    return Agreement(
        alpha=None if np.isnan(found) else found,
        low=low,
        high=high,
        units=len(pairable),
        observed=float(np.trace(whole) / whole.sum()),
    )


def coincidences(units: Sequence[Mapping[str, Hashable]], values: Sequence[Hashable]) -> Floats:
    """Return each unit's coincidence matrix, float64 [n_units, n_values, n_values].

    A unit with m values has m (m - 1) ordered pairs of them, each counted 1 / (m - 1) times, so that every
    value counts once; a unit with fewer than two has none.
    """
    column = {value: number for number, value in enumerate(values)}
    counts = np.zeros((len(units), len(values)))
    for number, unit in enumerate(units):
        for value in unit.values():
            counts[number, column[value]] += 1
    n_given = counts.sum(axis=1)
    pairs = counts[:, :, None] * counts[:, None, :]
    pairs -= np.eye(len(values)) * counts[:, None, :]
    return np.where(n_given[:, None, None] > 1, pairs / np.maximum(n_given - 1, 1)[:, None, None], 0.0)


def alpha(coincidence: Floats) -> Floats:
    """Return alpha of coincidence matrices [..., n_values, n_values]; NaN where all values are one."""
    totals = coincidence.sum(axis=-1)
    n = totals.sum(axis=-1)
    observed = n - np.trace(coincidence, axis1=-2, axis2=-1)
    expected = (n * n - (totals * totals).sum(axis=-1)) / np.maximum(n - 1, 1)
    defined = expected > 1e-12
    return np.asarray(np.where(defined, 1 - observed / np.where(defined, expected, 1), np.nan))
