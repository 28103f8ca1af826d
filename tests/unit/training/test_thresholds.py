"""Thresholds find the peak of F1, deterministically, and fall back where positives are few."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from stancewire.calibration import Probabilities, decide
from training.thresholds import FALLBACK, choose_thresholds

Truth = NDArray[np.float32]


def events(n: int, size: int = 2) -> tuple[str, ...]:
    return tuple(str(i // size) for i in range(n))


def rare(n: int = 3000, seed: int = 0) -> tuple[Probabilities, Truth]:
    """One topic with true probabilities, seldom above one half."""
    r = np.random.default_rng(seed)
    said = r.beta(1, 5, (n, 1))
    return said.astype(np.float32), (r.random((n, 1)) < said).astype(np.float32)


def test_a_clean_gap_is_cut_in_its_middle() -> None:
    said = np.r_[np.full(30, 0.2), np.full(30, 0.6)][:, None].astype(np.float32)
    found = choose_thresholds(
        said, (said > 0.5).astype(np.float32), events(60), "topics", min_positives=5, seed=0
    )
    assert found == (0.41,)


def test_the_peak_of_f1_is_found_and_serves_other_rows() -> None:
    said, truth = rare()
    (found,) = choose_thresholds(said, truth, events(len(said)), "topics", min_positives=5, seed=0)
    grid = np.round(np.arange(0.05, 0.96, 0.01), 2)
    scores = [f1_score(truth, said >= np.float32(cut)) for cut in grid]
    assert f1_score(truth, said >= np.float32(found)) > max(scores) - 0.01
    fresh, held = rare(seed=1)
    assert f1_score(held, fresh >= np.float32(found)) > f1_score(held, fresh >= 0.5) + 0.15


def test_labels_with_few_positives_keep_the_fallback() -> None:
    said, truth = rare()
    few = truth.copy()
    few[np.flatnonzero(few[:, 0])[9:]] = 0
    both, labels = np.hstack([said, said]), np.hstack([few, truth])
    found = choose_thresholds(both, labels, events(len(said)), "topics", min_positives=10, seed=0)
    assert found[0] == FALLBACK
    assert found[1] != FALLBACK
    assert (
        choose_thresholds(both, labels, events(len(said)), "topics", min_positives=9, seed=0)[0] != FALLBACK
    )


def test_unlabelled_rows_count_for_nothing() -> None:
    said, truth = rare(400)
    noise = np.full((400, 1), np.nan, np.float32)
    groups = events(400)
    more = choose_thresholds(
        np.vstack([said, 1 - said]), np.vstack([truth, noise]), groups * 2, "topics", min_positives=5, seed=0
    )
    assert more == choose_thresholds(said, truth, groups, "topics", min_positives=5, seed=0)


@pytest.mark.parametrize("rows", [0, 3])
def test_nothing_to_choose_on_falls_back(rows: int) -> None:
    said, truth = np.full((rows, 2), 0.3, np.float32), np.zeros((rows, 2), np.float32)
    assert choose_thresholds(said, truth, events(rows), "topics", min_positives=0, seed=0) == (0.5, 0.5)
    assert choose_thresholds(said, truth, events(rows), "stance", min_positives=0, seed=0) == (0.5, 0.5)
    three = np.zeros((rows, 4), np.float32)
    assert choose_thresholds(three, three, events(rows), "stance", min_positives=1, seed=0) == (0.25,) * 4


def shy(n: int = 1200, seed: int = 0) -> tuple[Probabilities, Truth]:
    """Three stances; the rare third is never the likeliest, though its probability tells."""
    r = np.random.default_rng(seed)
    classes = r.choice(3, n, p=[0.45, 0.45, 0.1])
    said = np.full((n, 3), 0.1)
    said[np.arange(n), np.where(classes == 2, r.integers(0, 2, n), classes)] = 0.6
    said[classes == 2, 2] = 0.5
    said += r.random((n, 3)) * 0.02
    return (said / said.sum(axis=1, keepdims=True)).astype(np.float32), np.eye(3, dtype=np.float32)[classes]


def test_a_shy_stance_gets_a_lower_threshold_and_is_found() -> None:
    said, truth = shy()
    found = choose_thresholds(said, truth, events(len(said)), "stance", min_positives=10, seed=0)
    assert found[2] < found[0]
    fresh, held = shy(seed=1)
    plain = decide(fresh, np.full(3, 1 / 3, np.float32), "stance")
    tuned = decide(fresh, np.asarray(found, np.float32), "stance")
    assert plain[:, 2].sum() == 0
    assert (
        f1_score(held, tuned, average="macro") > f1_score(held, plain, average="macro", zero_division=0) + 0.2
    )


def test_stances_that_need_no_mending_stay_equal() -> None:
    r = np.random.default_rng(0)
    truth = np.eye(3, dtype=np.float32)[r.integers(0, 3, 300)]
    said = (0.8 * truth + 0.2 / 3).astype(np.float32)
    found = choose_thresholds(said, truth, events(300), "stance", min_positives=10, seed=0)
    assert found == pytest.approx((1 / 3,) * 3)


def test_one_rare_stance_keeps_all_equal() -> None:
    said, truth = shy()
    assert (
        choose_thresholds(said, truth, events(len(said)), "stance", min_positives=400, seed=0) == (1 / 3,) * 3
    )


def test_thresholds_are_deterministic_and_do_not_depend_on_the_order_of_rows() -> None:
    order = np.random.default_rng(1).permutation(600)
    for task, (said, truth) in (("topics", rare(600)), ("stance", shy(600))):
        groups = events(600)
        found = choose_thresholds(said, truth, groups, task, min_positives=5, seed=0)  # type: ignore[arg-type]
        shuffled = choose_thresholds(
            said[order],
            truth[order],
            tuple(groups[i] for i in order),
            task,  # type: ignore[arg-type]
            min_positives=5,
            seed=0,
        )
        assert found == shuffled
        assert all(0 < threshold < 1 for threshold in found)


def test_one_event_is_enough() -> None:
    said, truth = rare(400)
    (found,) = choose_thresholds(said, truth, ("only",) * 400, "topics", min_positives=5, seed=0)
    assert 0.05 <= found < 0.5
