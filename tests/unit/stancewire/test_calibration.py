"""Applying a calibration and deciding, by worked examples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stancewire.calibration import Calibration, decide


def f32(*rows: tuple[float, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(rows, np.float32)


def test_platt_by_hand() -> None:
    # logit(0.8) = ln 4: twice that is ln 16, so 16 / 17; ln 4 - ln 4 = 0, so one half.
    said = Calibration("platt", (2.0, 1.0), (0.0, -np.log(4))).apply(f32((0.8, 0.8)), "topics")
    assert said.tolist()[0] == pytest.approx([16 / 17, 0.5])
    assert said.dtype == np.float32


def test_temperature_by_hand() -> None:
    # Twice the log-probability squares: 0.36 : 0.16 of 0.6 : 0.4.
    said = Calibration("temperature", (2.0, 2.0), (0.0, 0.0)).apply(f32((0.6, 0.4)), "stance")
    assert said.tolist()[0] == pytest.approx([0.36 / 0.52, 0.16 / 0.52])


def test_vector_by_hand() -> None:
    said = Calibration("vector", (2.0, 1.0), (0.0, np.log(3))).apply(f32((0.5, 0.5)), "stance")
    assert said.tolist()[0] == pytest.approx([0.25 / 1.75, 1.5 / 1.75])


def test_the_identity_changes_nothing() -> None:
    said = f32((0.0, 1.0), (0.3, 0.7))
    assert Calibration.identity(2) == Calibration("none", (1.0, 1.0), (0.0, 0.0))
    assert Calibration.identity(2).apply(said, "topics") is said


@given(
    arrays(np.float32, (3, 2), elements=st.floats(0, 1, width=32)),
    st.tuples(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6)),
    st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)),
)
@pytest.mark.filterwarnings("error")
def test_any_allowed_figures_give_probabilities(
    raw: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    slope: tuple[float, float],
    intercept: tuple[float, float],
) -> None:
    topics = Calibration("platt", slope, intercept).apply(raw, "topics")
    stance = Calibration("vector", slope, intercept).apply(raw, "stance")
    for said in (topics, stance):
        assert ((said >= 0) & (said <= 1)).all()
    assert stance.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5)


def test_a_calibration_keeps_the_order_of_a_topics_rows() -> None:
    raw = np.linspace(0, 1, 101, dtype=np.float32)[:, None]
    assert (np.diff(Calibration("platt", (3.0,), (-1.0,)).apply(raw, "topics")[:, 0]) >= 0).all()


def test_no_rows_are_no_rows() -> None:
    none = np.zeros((0, 2), np.float32)
    assert Calibration("platt", (2.0, 1.0), (0.0, 1.0)).apply(none, "topics").shape == (0, 2)
    assert Calibration("vector", (2.0, 1.0), (0.0, 1.0)).apply(none, "stance").shape == (0, 2)
    assert decide(none, f32((0.5, 0.5))[0], "stance").shape == (0, 2)


def test_topics_reach_their_threshold_none_one_or_all() -> None:
    said, thresholds = f32((0.3, 0.7), (0.29, 0.8), (0.1, 0.1), (0.9, 0.9)), f32((0.3, 0.8))[0]
    assert decide(said, thresholds, "topics").tolist() == [
        [True, False],
        [False, True],
        [False, False],
        [True, True],
    ]


def test_stance_decides_exactly_one_by_the_largest_ratio() -> None:
    said = f32((0.5, 0.3, 0.2), (0.4, 0.4, 0.2))
    assert decide(said, f32((0.5, 0.2, 0.3))[0], "stance").tolist() == [[False, True, False]] * 2
    assert decide(said, f32((1 / 3, 1 / 3, 1 / 3))[0], "stance").argmax(axis=1).tolist() == [0, 0]


def test_ties_go_to_the_first_label() -> None:
    said = f32((0.25, 0.25, 0.25, 0.25), (0.1, 0.4, 0.1, 0.4))
    assert decide(said, np.full(4, 0.25, np.float32), "stance").argmax(axis=1).tolist() == [0, 1]
