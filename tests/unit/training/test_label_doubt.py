"""How much a label would teach: doubt, rarity, and what covers a pool."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from stancewire.calibration import decide
from tests.tiny import tiny_manifest
from training.labelling.doubt import doubt, lack, rarity, training_counts, weigh
from training.labelling.spread import Coverage

HALF = np.full(2, 0.5, np.float32)
shares = st.floats(0.01, 0.99)


@given(p=shares, threshold=shares)
def test_topics_are_weighed_so_that_the_threshold_is_a_half(p: float, threshold: float) -> None:
    probabilities = np.array([[p]], np.float32)
    cut = np.array([threshold], np.float32)
    weighed = weigh(probabilities, cut, "topics")
    if abs(p - threshold) > 1e-4:
        assert (weighed[0, 0] > 0.5) == decide(probabilities, cut, "topics")[0, 0]
    assert weigh(cut[None], cut, "topics")[0, 0] == pytest.approx(0.5)


def test_a_threshold_of_one_divides_by_nothing() -> None:
    weighed = weigh(np.array([[0.3], [1.0]], np.float32), np.ones(1, np.float32), "topics")
    assert weighed[:, 0].tolist() == [pytest.approx(0.15), 0.5]


@given(a=shares, b=shares, cut=shares)
def test_stance_is_weighed_as_it_is_decided(a: float, b: float, cut: float) -> None:
    probabilities = np.array([[a, b]], np.float32)
    thresholds = np.array([cut, 0.5], np.float32)
    weighed = weigh(probabilities, thresholds, "stance")
    assert weighed.sum() == pytest.approx(1)
    assert int(weighed.argmax()) == int(decide(probabilities, thresholds, "stance").argmax())


def test_doubt_of_topics() -> None:
    weighed = np.array([[0.5, 0.0], [0.4, 0.4], [0.0, 1.0]])
    assert doubt(weighed, "topics", "margin").tolist() == [1.0, pytest.approx(0.8), 0.0]
    entropy = doubt(weighed, "topics", "entropy")
    assert entropy[0] == pytest.approx(0.5)  # one label in full doubt of two
    assert entropy[1] == pytest.approx(0.970951, abs=1e-6)  # -0.4 log2 0.4 - 0.6 log2 0.6, on both
    assert entropy[2] == 0


def test_doubt_of_stance() -> None:
    weighed = np.array([[0.25, 0.25, 0.25, 0.25], [0.5, 0.5, 0.0, 0.0], [0.9, 0.1, 0.0, 0.0]])
    assert doubt(weighed, "stance", "entropy")[:2].tolist() == [pytest.approx(1.0), pytest.approx(0.5)]
    assert doubt(weighed, "stance", "margin").tolist() == [1.0, 1.0, pytest.approx(0.2)]


def test_rare_labels_weigh_more() -> None:
    weights = rarity({"a": 10, "b": 40}, ("a", "b"))
    assert weights.tolist() == [1.0, 0.25]
    promise = lack(np.array([[0.5, 0.0], [0.0, 0.5], [1.0, 1.0]], np.float32), weights)
    assert promise.sum(axis=1).tolist() == [1.0, 0.25, 0.0]


def test_counts_come_from_the_manifest() -> None:
    labels = {
        name: {"support": count} for name, count in (("arms_trade", 5), ("diplomacy", 3), ("sanctions", 0))
    }
    metrics = {"test": {"linear": {"n_rows": 20, "labels": labels}}}
    told = tiny_manifest(metrics=metrics, provenance={"split": {"train": {"rows": 60}}})
    assert training_counts(told) == {"arms_trade": 15.0, "diplomacy": 9.0, "sanctions": 0.0}
    assert rarity(training_counts(told) or {}, told.labels).tolist() == [
        pytest.approx(1 / 15),
        pytest.approx(1 / 9),
        1.0,
    ]
    assert training_counts(tiny_manifest()) is None


def test_coverage_prefers_what_stands_for_many_and_then_what_is_new() -> None:
    rows = csr_matrix(
        np.array([[1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]], np.float32)
    )
    coverage = Coverage(rows, seed=0)
    assert coverage.gains().tolist() == pytest.approx([3 / 6] * 3 + [2 / 6] * 2 + [1 / 6])
    coverage.add(0)
    assert coverage.gains().tolist() == pytest.approx([0] * 3 + [2 / 6] * 2 + [1 / 6])
    assert [coverage.nearest(1), coverage.nearest(3)] == [1.0, 0.0]
