"""Lower bounds hold as often as they say, and know both small numbers and events that go wrong together."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from training.bounds import CONFIDENCE, lower_bound
from training.evaluate.bootstrap import resample_weights

Figures = NDArray[np.float64]


def bound(right_by_group: Figures, of_by_group: Figures, samples: int = 200) -> float:
    weights = resample_weights(len(of_by_group), samples, 0)
    totals = np.array([right_by_group.sum()]), np.array([of_by_group.sum()])
    resampled = (weights @ right_by_group)[:, None], (weights @ of_by_group)[:, None]
    return float(lower_bound(*totals, *resampled)[0])


def test_all_right_shows_no_certainty() -> None:
    # (1 - 0.9)^(1/20): what 20 of 20 show, by the binomial.
    assert bound(np.ones(20), np.ones(20)) == pytest.approx(0.1 ** (1 / 20))


def test_nothing_right_and_nothing_tried_show_nothing() -> None:
    assert bound(np.zeros(9), np.ones(9)) == 0
    assert bound(np.zeros(9), np.zeros(9)) == 0


def test_events_that_go_wrong_together_show_less() -> None:
    alone = bound(np.r_[np.ones(90), np.zeros(10)], np.ones(100))
    together = bound(np.r_[np.full(9, 10.0), 0], np.full(10, 10.0))
    assert together < alone - 0.05


def test_resamples_without_any_are_left_out() -> None:
    one_of_many = np.r_[10.0, np.zeros(30)]
    assert bound(one_of_many, one_of_many) == pytest.approx(0.1 ** (1 / 10))


@pytest.mark.parametrize("size", [1, 8])
def test_the_true_share_is_above_the_bound_as_often_as_said(size: int) -> None:
    """Events have shares of their own around 0.8; the bound is on the mean share."""
    r = np.random.default_rng(size)
    held = 0
    for _ in range(200):
        share = r.beta(8, 2, 60)
        held += bound(r.binomial(size, share).astype(np.float64), np.full(60, float(size)), 100) <= 0.8
    assert held / 200 >= CONFIDENCE - 0.05
