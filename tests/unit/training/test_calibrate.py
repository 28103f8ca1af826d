"""Fitting recovers known distortions, leaves alone what rows cannot tell, and never sees its own event."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from stancewire.calibration import Calibration, Probabilities, Task
from training import calibrate
from training.calibrate import METHODS, Method, assign_folds, choose_methods, cross_fit, fit_calibration
from training.evaluate.reliability import brier_score, expected_calibration_error

Truth = NDArray[np.float32]
N = 6000


def topics(seed: int = 0, slope: float = 2.0, intercept: float = -1.0) -> tuple[Probabilities, Truth]:
    """Two labels whose true log-odds are slope * logit(p) + intercept."""
    r = np.random.default_rng(seed)
    logit = r.normal(0, 1, (N, 2))
    truth = r.random((N, 2)) < 1 / (1 + np.exp(-(slope * logit + intercept)))
    return (1 / (1 + np.exp(-logit))).astype(np.float32), truth.astype(np.float32)


def stances(
    seed: int = 0, slope: tuple[float, ...] = (0.5,) * 3, intercept: tuple[float, ...] = (0.0,) * 3
) -> tuple[Probabilities, Truth]:
    """Three classes whose true log-probabilities are slope * log(p) + intercept, up to a constant."""
    r = np.random.default_rng(seed)
    said = r.dirichlet((1, 1, 1), N)
    true = said ** np.array(slope) * np.exp(intercept)
    cumulated = np.cumsum(true / true.sum(axis=1, keepdims=True), axis=1)
    truth = np.eye(3)[(r.random((N, 1)) > cumulated).sum(axis=1).clip(0, 2)]
    return said.astype(np.float32), truth.astype(np.float32)


def test_platt_recovers_slope_and_intercept() -> None:
    found = fit_calibration(*topics(), "topics", "platt")
    assert found.slope == pytest.approx((2, 2), abs=0.15)
    assert found.intercept == pytest.approx((-1, -1), abs=0.12)


def test_temperature_recovers_one_slope_for_all() -> None:
    found = fit_calibration(*stances(), "stance", "temperature")
    assert found.slope == pytest.approx((0.5,) * 3, abs=0.04)
    assert len(set(found.slope)) == 1
    assert found.intercept == (0, 0, 0)


def test_vector_recovers_slopes_and_shifts() -> None:
    found = fit_calibration(*stances(slope=(0.5, 1.0, 2.0), intercept=(0, 0.8, -0.4)), "stance", "vector")
    assert found.slope == pytest.approx((0.5, 1.0, 2.0), abs=0.15)
    shifts = np.array(found.intercept) - found.intercept[0]
    assert shifts.tolist() == pytest.approx([0, 0.8, -0.4], abs=0.2)


@pytest.mark.parametrize(("task", "method"), [("topics", "platt"), ("stance", "vector")])
def test_other_rows_gain_too(task: Task, method: Method) -> None:
    make = topics if task == "topics" else stances
    (said, truth), (fresh, held) = make(1), make(2)
    mended = fit_calibration(said, truth, task, method).apply(fresh, task)
    assert expected_calibration_error(held, mended, task) < 0.03
    assert expected_calibration_error(held, fresh, task) > 0.07
    assert brier_score(held, mended, task) < brier_score(held, fresh, task)


@pytest.mark.parametrize(("task", "method"), [("topics", "platt"), ("stance", "temperature")])
def test_true_probabilities_stay_nearly_as_they_are(task: Task, method: Method) -> None:
    rows = topics(3, 1.0, 0.0) if task == "topics" else stances(3, (1.0,) * 3)
    found = fit_calibration(*rows, task, method)
    assert found.slope == pytest.approx((1.0,) * len(found.slope), abs=0.08)


def test_none_is_the_identity_and_methods_belong_to_tasks() -> None:
    assert fit_calibration(*topics(), "topics", "none") == Calibration.identity(2)
    assert fit_calibration(*stances(), "stance", "none") == Calibration.identity(3)
    with pytest.raises(ValueError, match="wanted a calibration of platt, none, got vector"):
        fit_calibration(*topics(), "topics", "vector")
    with pytest.raises(ValueError, match="got platt"):
        fit_calibration(*stances(), "stance", "platt")


@pytest.mark.parametrize("value", [0, 1])
def test_a_topic_of_one_class_stays_while_others_are_mended(value: int) -> None:
    said, truth = topics()
    truth[:, 0] = value
    found = fit_calibration(said, truth, "topics", "platt")
    assert (found.slope[0], found.intercept[0]) == (1, 0)
    assert found.slope[1] == pytest.approx(2, abs=0.15)


def test_unlabelled_topics_teach_nothing() -> None:
    said, truth = topics()
    holes = truth.copy()
    holes[::2, 0] = np.nan
    kept = fit_calibration(said[1::2], truth[1::2], "topics", "platt")
    found = fit_calibration(said, holes, "topics", "platt")
    assert found.slope[0] == kept.slope[0]
    assert found.slope[1] == fit_calibration(said, truth, "topics", "platt").slope[1]


@pytest.mark.parametrize("method", ["temperature", "vector"])
def test_an_unlabelled_stance_teaches_nothing(method: Method) -> None:
    said, truth = stances()
    truth[::2] = np.nan
    found = fit_calibration(said, truth, "stance", method)
    assert found == fit_calibration(said[1::2], truth[1::2], "stance", method)
    assert np.isfinite(found.slope).all()


def test_a_missing_class_turns_vector_into_temperature() -> None:
    said, truth = stances()
    kept = truth[:, 2] == 0
    found = fit_calibration(said[kept], truth[kept], "stance", "vector")
    assert found.method == "temperature"
    assert found.intercept == (0, 0, 0)


@pytest.mark.parametrize("method", ["temperature", "vector"])
def test_a_stance_of_one_class_and_no_rows_stay_as_they_are(method: Method) -> None:
    said, truth = stances()
    one = np.eye(3, dtype=np.float32)[[1] * N]
    assert fit_calibration(said, one, "stance", method) == Calibration.identity(3)
    assert fit_calibration(said[:0], truth[:0], "stance", method) == Calibration.identity(3)


def test_no_rows_of_topics_stay_as_they_are() -> None:
    said, truth = topics()
    found = fit_calibration(said[:0], truth[:0], "topics", "platt")
    assert (found.slope, found.intercept) == ((1, 1), (0, 0))


def test_certain_and_separable_rows_give_finite_figures() -> None:
    said = np.array([[0.0], [1.0]] * 10, np.float32)
    found = fit_calibration(said, said, "topics", "platt")
    mended = found.apply(said, "topics")
    assert 0 < found.slope[0] < 20
    assert np.isfinite(mended).all()
    assert (mended[1::2] > 0.9).all()


def test_fitting_is_deterministic() -> None:
    for task, make in (("topics", topics), ("stance", stances)):
        for method in METHODS[task]:  # type: ignore[index]
            assert fit_calibration(*make(), task, method) == fit_calibration(*make(), task, method)  # type: ignore[arg-type]


def test_no_row_is_calibrated_by_its_own_event(monkeypatch: pytest.MonkeyPatch) -> None:
    said, truth = topics()
    said, truth = said[:60], truth[:60]
    groups = tuple(str(i // 3) for i in range(60))
    row_of = {tuple(row): i for i, row in enumerate(said.tolist())}
    seen: list[set[str]] = []
    applied: list[set[str]] = []

    class Spy(Calibration):
        def apply(self, probabilities: Probabilities, task: Task) -> Probabilities:
            applied.append({groups[row_of[tuple(row)]] for row in probabilities.tolist()})
            return probabilities

    def fit(probabilities: Probabilities, truth: Truth, task: Task, method: Method) -> Calibration:
        seen.append({groups[row_of[tuple(row)]] for row in probabilities.tolist()})
        return Spy("none", (1.0, 1.0), (0.0, 0.0))

    monkeypatch.setattr(calibrate, "fit_calibration", fit)
    cross_fit(said, truth, groups, "topics", "platt", folds=5, seed=0)
    assert len(seen) == len(applied) == 5
    assert set().union(*applied) == set(groups)
    assert sum(map(len, applied)) == len(set(groups))
    for fitted, used in zip(seen, applied, strict=True):
        assert not fitted & used
        assert fitted | used == set(groups)


def test_cross_fitting_gains_where_labels_teach_and_not_where_they_are_noise() -> None:
    said, truth = topics()
    groups = tuple(str(i // 4) for i in range(N))
    mended = cross_fit(said, truth, groups, "topics", "platt", folds=5, seed=0)
    assert brier_score(truth, mended, "topics") < brier_score(truth, said, "topics")
    assert mended.dtype == np.float32
    # An event whose rows all hold would look better if they calibrated themselves.
    own = np.repeat(np.arange(4) % 2 == 0, 25)[:, None].astype(np.float32)
    flat = np.full((100, 1), 0.5, np.float32)
    blind = cross_fit(flat, own, tuple(str(i // 25) for i in range(100)), "topics", "platt", folds=4, seed=0)
    assert brier_score(own, blind, "topics") > 0.25


def test_one_event_leaves_its_rows_as_they_are() -> None:
    said, truth = topics()
    mended = cross_fit(said[:50], truth[:50], ("only",) * 50, "topics", "platt", folds=5, seed=0)
    assert mended == pytest.approx(said[:50], abs=1e-6)


def test_a_fold_whose_rest_lacks_a_class_still_works() -> None:
    said, truth = topics()
    said, truth = said[:40], np.zeros((40, 2), np.float32)
    truth[:4, 0] = truth[::3, 1] = 1
    groups = tuple(str(i // 4) for i in range(40))
    mended = cross_fit(said, truth, groups, "topics", "platt", folds=5, seed=0)
    assert np.isfinite(mended).all()
    assert mended[:4, 0] == pytest.approx(said[:4, 0], abs=1e-6)
    likely = stances()[0][:40]
    one_event = np.eye(3, dtype=np.float32)[[0] * 4 + [1] * 36]
    mended = cross_fit(likely, one_event, groups, "stance", "vector", folds=5, seed=0)
    assert np.isfinite(mended).all()


def test_cross_fitting_changes_no_input_and_takes_no_rows() -> None:
    said, truth = topics()
    before = said.copy()
    cross_fit(said, truth, tuple(str(i) for i in range(N)), "topics", "platt", folds=3, seed=0)
    assert (said == before).all()
    assert cross_fit(said[:0], truth[:0], (), "topics", "platt", folds=3, seed=0).shape == (0, 2)


def test_folds_keep_events_whole_and_even() -> None:
    sizes = [30, 20, 10, 10, 10, 5, 5, 5, 3, 2]
    groups = tuple(str(i) for i, size in enumerate(sizes) for _ in range(size))
    folds = assign_folds(groups, 3, 0)
    assert all(len({int(f) for f, g in zip(folds, groups, strict=True) if g == name}) == 1 for name in groups)
    assert np.bincount(folds).min() >= 30
    assert (folds == assign_folds(groups, 3, 0)).all()
    assert len(set(assign_folds(tuple("abcd"), 10, 0).tolist())) == 4
    assert len({tuple(assign_folds(tuple("abcdefgh"), 3, seed).tolist()) for seed in range(5)}) > 1


def events(n: int, size: int = 4) -> tuple[str, ...]:
    return tuple(str(i // size) for i in range(n))


def test_a_label_is_mended_only_where_that_serves_other_events() -> None:
    said, truth = topics()
    r = np.random.default_rng(1)
    fair = (r.random((N, 1)) < said[:, :1]).astype(np.float32)
    both, held = np.hstack([said[:, :1], said[:, 1:]]), np.hstack([fair, truth[:, 1:]])
    few = slice(0, 400)
    found = choose_methods(both[few], held[few], events(400), "topics", folds=5, seed=0)
    assert found == ("none", "platt")
    fitted = fit_calibration(both, held, "topics", found)
    assert (fitted.method, fitted.slope[0], fitted.intercept[0]) == ("platt", 1.0, 0.0)
    assert fitted.slope[1] == fit_calibration(both, held, "topics", "platt").slope[1]


@pytest.mark.parametrize(
    ("slope", "intercept", "wanted"),
    [
        ((1.0, 1.0, 1.0), (0, 0, 0), "none"),
        ((0.4, 0.4, 0.4), (0, 0, 0), "temperature"),
        ((0.5, 1.0, 2.0), (0, 0.8, -0.4), "vector"),
    ],
)
def test_stance_takes_the_simplest_method_that_mends_it(
    slope: tuple[float, ...], intercept: tuple[float, ...], wanted: Method
) -> None:
    said, truth = (rows[:1000] for rows in stances(5, slope, intercept))
    assert choose_methods(said, truth, events(1000), "stance", folds=5, seed=0) == (wanted,) * 3


def test_labels_that_go_by_the_event_alone_teach_no_method() -> None:
    """A fit over all rows would gain here; one that must serve another event does not."""
    labels = np.repeat([1, 1, 1, 1, 0], 20)[:, None].astype(np.float32)
    flat = np.full((100, 1), 0.75, np.float32)
    assert choose_methods(flat, labels, events(100, 20), "topics", folds=5, seed=0) == ("none",)


def test_where_nothing_tells_methods_apart_none_is_taken() -> None:
    said, truth = topics()
    assert choose_methods(said[:50], truth[:50], ("only",) * 50, "topics", folds=5, seed=0) == ("none",) * 2
    unknown = np.full((50, 2), np.nan, np.float32)
    assert choose_methods(said[:50], unknown, events(50), "topics", folds=5, seed=0) == ("none",) * 2
    likely, _ = stances()
    unknown = np.full((50, 3), np.nan, np.float32)
    assert choose_methods(likely[:50], unknown, events(50), "stance", folds=5, seed=0) == ("none",) * 3
    assert choose_methods(said[:0], truth[:0], (), "topics", folds=5, seed=0) == ("none",) * 2


def test_unlabelled_cells_do_not_choose() -> None:
    said, truth = topics()
    r = np.random.default_rng(1)
    fair = (r.random((400, 2)) < said[:400]).astype(np.float32)
    fair[:, 1] = truth[:400, 1]
    whole = choose_methods(said[:400], fair, events(400), "topics", folds=5, seed=0)
    more = np.vstack([fair, np.full((400, 2), np.nan, np.float32)])
    groups = events(400) * 2
    assert whole == choose_methods(
        np.vstack([said[:400], 1 - said[:400]]), more, groups, "topics", folds=5, seed=0
    )


def test_methods_by_label_must_fit_the_labels() -> None:
    with pytest.raises(ValueError, match="wanted one method for each of 2 labels, got platt"):
        fit_calibration(*topics(), "topics", ("platt",))
    with pytest.raises(ValueError, match="wanted one method, got vector, none, none"):
        fit_calibration(*stances(), "stance", ("vector", "none", "none"))
