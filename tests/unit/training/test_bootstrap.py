"""Resampling of whole groups."""

from __future__ import annotations

import numpy as np
import pytest

from training.evaluate.bootstrap import group_numbers, resample_weights, sum_by_group


def test_groups_are_numbered_by_name() -> None:
    assert group_numbers(["b", "a", "b", "c"]).tolist() == [1, 0, 1, 2]
    assert group_numbers(("7", "007", "7")).tolist() == [1, 0, 1]


def test_every_resample_draws_as_many_groups_as_there_are() -> None:
    weights = resample_weights(7, 50, 0)
    assert weights.shape == (50, 7)
    assert (weights.sum(axis=1) == 7).all()


def test_draws_are_with_replacement_and_even() -> None:
    weights = resample_weights(20, 4000, 1)
    assert weights.mean(axis=0) == pytest.approx(np.ones(20), abs=0.08)
    # The share of groups that a resample misses is (1 - 1/n)^n.
    assert (weights == 0).mean() == pytest.approx((1 - 1 / 20) ** 20, abs=0.01)


def test_resamples_follow_the_seed() -> None:
    assert (resample_weights(5, 9, 3) == resample_weights(5, 9, 3)).all()
    assert (resample_weights(5, 9, 3) != resample_weights(5, 9, 4)).any()


def test_sums_by_group_equal_plain_sums() -> None:
    r = np.random.default_rng(0)
    values, group_of = r.random((60, 2, 3)) < 0.5, group_numbers([str(i) for i in r.integers(0, 9, 60)])
    sums = sum_by_group(values, group_of)
    assert sums.shape == (group_of.max() + 1, 2, 3)
    for group in range(len(sums)):
        assert (sums[group] == values[group_of == group].sum(axis=0)).all()


def test_one_group_is_the_whole() -> None:
    assert sum_by_group(np.ones((300, 1), np.bool_), np.zeros(300, np.intp)).tolist() == [[300]]
