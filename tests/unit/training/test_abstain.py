"""What is not for review keeps the share of right ones that was asked for, on other rows too."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stancewire.calibration import Probabilities, Task, decide
from stancewire.doubt import Abstention
from training.abstain import Chosen, choose_abstention

Truth = NDArray[np.float32]


def events(n: int, size: int = 2) -> tuple[str, ...]:
    return tuple(str(i // size) for i in range(n))


def topics(n: int = 400, seed: int = 0) -> tuple[Probabilities, Truth]:
    """Two topics with true probabilities."""
    r = np.random.default_rng(seed)
    said = r.beta(0.6, 0.8, (n, 2))
    return said.astype(np.float32), (r.random((n, 2)) < said).astype(np.float32)


def stances(n: int = 400, seed: int = 0) -> tuple[Probabilities, Truth]:
    """Three stances with true probabilities."""
    r = np.random.default_rng(seed)
    said = r.dirichlet((0.5, 0.5, 0.5), n)
    classes = (r.random((n, 1)) > np.cumsum(said, axis=1)).sum(axis=1).clip(0, 2)
    return said.astype(np.float32), np.eye(3, dtype=np.float32)[classes]


def decided(said: Probabilities, task: Task) -> NDArray[np.bool_]:
    thresholds = np.full(said.shape[1], 0.5 if task == "topics" else 1 / 3, np.float32)
    return decide(said, thresholds, task)


def chosen(said: Probabilities, truth: Truth, task: Task, keep: float, size: int = 2) -> Chosen:
    labels = ["a", "b", "c"][: truth.shape[1]]
    groups = events(len(said), size)
    return choose_abstention(
        said, truth, decided(said, task), groups, task, labels=labels, keep_precision=keep, seed=0
    )


def right_of_kept(found: Abstention, said: Probabilities, truth: Truth, task: Task, yes: bool) -> float:
    """Share of right ones among what is not for review: where decided, or where not."""
    decisions = decided(said, task)
    kept = ~found.review(said, decisions) & (decisions == yes)
    return float(((truth == 1) == decisions)[kept].mean())


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_what_is_kept_on_dev_is_kept_on_other_rows(task: Task) -> None:
    """Nine times in ten, as the bound says."""
    make = topics if task == "topics" else stances
    fresh, truth = make(20_000, seed=999)
    held = []
    for seed in range(30):
        found = chosen(*make(seed=seed), task, 0.85)
        if found.warnings:
            continue
        held.append(right_of_kept(found.abstention, fresh, truth, task, True) >= 0.85)
        if task == "topics":
            held.append(right_of_kept(found.abstention, fresh, truth, task, False) >= 0.85)
    assert len(held) >= 20
    assert np.mean(held) >= 0.85


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_as_much_as_can_be_is_kept(task: Task) -> None:
    make = topics if task == "topics" else stances
    said, truth = make(5000)
    found = chosen(said, truth, task, 0.85).abstention
    assert 0.85 <= right_of_kept(found, said, truth, task, True) < 0.88
    assert ~found.review(said, decided(said, task)).all()


def test_a_model_that_is_right_enough_is_never_for_review() -> None:
    said, truth = topics(4000)
    sure = ((said > 0.9) | (said < 0.1)).all(axis=1)
    found = chosen(said[sure], truth[sure], "topics", 0.8)
    assert found == (Abstention(0.8, (0.0, 0.0), (1.0, 1.0)), ())
    likely, truth = stances(4000)
    sure = likely.max(axis=1) > 0.9
    assert chosen(likely[sure], truth[sure], "stance", 0.8).abstention == Abstention(0.8, (0.0,) * 3, None)


def test_where_dev_shows_no_such_confidence_all_is_for_review_and_told() -> None:
    said, truth = topics(60)
    found = chosen(said, truth, "topics", 0.99)
    assert found.abstention == Abstention(0.99, (1.0, 1.0), (0.0, 0.0))
    assert [warning.split(":")[0] for warning in found.warnings] == [
        "a where decided",
        "a where not decided",
        "b where decided",
        "b where not decided",
    ]
    assert "dev shows a precision of 0.99 at no confidence (0." in found.warnings[0]
    found = chosen(*stances(60), "stance", 0.99)
    assert found.abstention.decided == (1.0,) * 3
    (warning,) = found.warnings
    assert warning.startswith("stance: dev shows an accuracy of 0.99 at no confidence (0.")
    assert warning.endswith("at most, 90% sure), so all are for review")


def test_each_side_of_each_label_is_chosen_by_itself() -> None:
    said, truth = topics(4000)
    noise = truth.copy()
    noise[:, 1] = np.random.default_rng(1).random(4000) < 0.5
    found = chosen(said, noise, "topics", 0.9)
    alone = chosen(said, truth, "topics", 0.9)
    assert found.abstention.decided == (alone.abstention.decided[0], 1.0)
    assert found.abstention.undecided is not None
    assert alone.abstention.undecided is not None
    assert found.abstention.undecided == (alone.abstention.undecided[0], 0.0)
    assert len(found.warnings) == 2


def test_unlabelled_cells_count_for_nothing() -> None:
    for task, (said, truth) in (("topics", topics(2000)), ("stance", stances(2000))):
        noise = np.full_like(truth, np.nan)
        more = choose_abstention(
            np.vstack([said, said]),
            np.vstack([truth, noise]),
            np.vstack([decided(said, task)] * 2),  # type: ignore[arg-type]
            events(2000) * 2,
            task,  # type: ignore[arg-type]
            labels=["a", "b", "c"][: truth.shape[1]],
            keep_precision=0.85,
            seed=0,
        )
        assert more == chosen(said, truth, task, 0.85)  # type: ignore[arg-type]


def test_events_that_go_wrong_together_keep_less() -> None:
    said, truth = topics(400)
    said, truth = np.repeat(said, 5, axis=0), np.repeat(truth, 5, axis=0)
    together, alone = chosen(said, truth, "topics", 0.85, 5), chosen(said, truth, "topics", 0.85, 1)
    assert together.abstention.decided > alone.abstention.decided


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_no_rows_leave_all_for_review(task: Task) -> None:
    said, truth = topics(0) if task == "topics" else stances(0)
    found = chosen(said, truth, task, 0.9)
    assert set(found.abstention.decided) == {1.0}
    assert len(found.warnings) == (4 if task == "topics" else 1)
