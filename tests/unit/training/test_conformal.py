"""Sets hold the true stance of new events as often as asked, also where events are alike within."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stancewire.calibration import Probabilities
from stancewire.doubt import Conformal
from training.conformal import choose_conformal
from training.evaluate.scores import Interval, SetScores
from training.evaluate.sets import set_scores
from training.evaluate.tables import sets

Truth = NDArray[np.float32]


def corpus(n_events: int, seed: int, *, alike: bool = True) -> tuple[Probabilities, Truth, tuple[str, ...]]:
    """Four stances; an event of 1 to 30 rows is easy or hard as a whole, the large ones are the hard ones."""
    r = np.random.default_rng(seed)
    said, truth, groups = [], [], []
    for event in range(n_events):
        ease = r.random()
        size = 1 + int(29 * (1 - ease)) if alike else 8
        for _ in range(size):
            p = r.dirichlet((0.6,) * 4)
            is_right = r.random() < (ease if alike else 0.5)
            true = int(r.choice(4, p=p)) if is_right else int(r.integers(4))
            said.append(p)
            truth.append(np.eye(4)[true])
            groups.append(str(event))
    return np.array(said, np.float32), np.array(truth, np.float32), tuple(groups)


def coverage(conformal: Conformal, rows: tuple[Probabilities, Truth, tuple[str, ...]]) -> float:
    said, truth, groups = rows
    none = np.zeros(said.shape, np.bool_)
    held = (conformal.members(said, none) & (truth == 1)).any(axis=1)
    events = np.array(groups)
    return float(np.mean([held[events == event].mean() for event in np.unique(events)]))


@pytest.mark.parametrize("level", [0.8, 0.9])
@pytest.mark.parametrize("alike", [True, False])
def test_new_events_are_covered_on_average_over_many_devs(level: float, alike: bool) -> None:
    """The guarantee is over the draw of dev and of the new event: so is the mean here."""
    new = corpus(1000, 10_000, alike=alike)
    found = [
        coverage(choose_conformal(*corpus(40, seed, alike=alike), level).conformal, new) for seed in range(40)
    ]
    # At least the level; and hardly more than the one event that is reckoned with at its worst.
    assert level - 0.01 <= np.mean(found) <= level + 1.5 / 41


def test_the_quantile_by_hand() -> None:
    """Nine events of one row at level 0.8: (9 + 1) * 0.8 = the eighth smallest score."""
    true = np.linspace(0.9, 0.1, 9)
    said = np.stack([true, 1 - true], axis=1).astype(np.float32)
    truth = np.tile(np.array([1, 0], np.float32), (9, 1))
    found = choose_conformal(said, truth, tuple("abcdefghi"), 0.8)
    assert found.warnings == ()
    assert found.conformal == Conformal(0.8, 1 - float(said[7, 0]))
    at_most = choose_conformal(said, truth, tuple("abcdefghi"), 0.9).conformal
    assert at_most.quantile == 1 - float(said[8, 0])


def test_an_event_counts_once_whatever_its_size() -> None:
    said = np.array([[0.9, 0.1]] * 9 + [[0.2, 0.8]], np.float32)
    truth = np.tile(np.array([1, 0], np.float32), (10, 1))
    easy = choose_conformal(said, truth, ("large",) * 9 + ("small",), 0.6).conformal
    assert easy.quantile == 1 - float(said[9, 0])
    alone = choose_conformal(said, truth, tuple("abcdefghij"), 0.6).conformal
    assert alone.quantile == 1 - float(said[0, 0])


@pytest.mark.parametrize("n_events", [0, 1, 8])
def test_too_few_events_leave_all_stances_possible(n_events: int) -> None:
    said, truth = (
        np.full((n_events, 2), 0.5, np.float32),
        np.tile(np.array([1, 0], np.float32), (n_events, 1)),
    )
    found = choose_conformal(said, truth, tuple(map(str, range(n_events))), 0.9)
    assert found.conformal == Conformal(0.9, 1.0)
    assert found.warnings == (
        f"sets of stances: {n_events} events on dev are too few for 0.9; each set holds all stances",
    )


def test_unlabelled_rows_count_for_nothing() -> None:
    said, truth, groups = corpus(30, 1)
    more = np.vstack([truth, np.full_like(truth, np.nan)])
    found = choose_conformal(np.vstack([said, said]), more, groups + ("new",) * len(said), 0.9)
    assert found == choose_conformal(said, truth, groups, 0.9)


def test_scores_of_sets_by_hand() -> None:
    truth = np.array([[1, 0], [1, 0], [0, 1], [np.nan, np.nan]], np.float32)
    members = np.array([[1, 0], [0, 1], [1, 1], [1, 1]], np.bool_)
    found = set_scores(truth, members, level=0.9, groups=tuple("aabc"), samples=200, confidence=0.95, seed=0)
    assert found.coverage.value == pytest.approx((0.5 + 1) / 2)
    assert (found.coverage.low, found.coverage.high) == (0.5, 1.0)
    assert found.size == pytest.approx(4 / 3)
    assert found.single == pytest.approx(2 / 3)


def test_the_line_of_the_table() -> None:
    found = SetScores(0.9, Interval(0.92, 0.88, 0.95), 2.41, 0.157)
    assert sets(found, 4) == (
        "sets at 0.9: the true stance is in 0.92 (0.88-0.95) of an event's; 2.4 of 4 stances on average, "
        "one alone in 16%"
    )
