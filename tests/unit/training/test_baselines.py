"""The score of knowing nothing but the training labels."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from training.evaluate.baselines import majority
from training.evaluate.metrics import evaluate


def test_stance_decides_the_most_frequent_label_as_scikit_learn_does() -> None:
    classes = np.array([0, 2, 2, 1, 2, 0])
    probabilities, decisions = majority(np.eye(3, dtype=np.float32)[classes], 4, "stance")
    dummy = DummyClassifier(strategy="most_frequent").fit(np.zeros((6, 1)), classes)
    assert decisions.argmax(axis=1).tolist() == dummy.predict(np.zeros((4, 1))).tolist()
    assert (decisions.sum(axis=1) == 1).all()
    assert probabilities[0].tolist() == pytest.approx([2 / 6, 1 / 6, 3 / 6])


def test_a_tie_goes_to_the_first_label() -> None:
    assert majority(np.eye(2, dtype=np.float32), 1, "stance")[1].tolist() == [[True, False]]


def test_topics_decides_every_label_and_says_the_frequency() -> None:
    truth = np.array([[1, 0], [0, np.nan], [0, 1], [0, 0]], np.float32)
    probabilities, decisions = majority(truth, 3, "topics")
    assert decisions.all()
    assert decisions.shape == probabilities.shape == (3, 2)
    assert probabilities[2].tolist() == pytest.approx([1 / 4, 1 / 3])


def test_topics_baseline_is_the_best_that_looks_at_no_text() -> None:
    truth = (np.random.default_rng(0).random((50, 2)) < [0.3, 0.6]).astype(np.float32)
    probabilities, decisions = majority(truth, 50, "topics")
    groups = [str(i) for i in range(50)]

    def score(decided: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> float:
        found = evaluate(truth, probabilities, decided, labels=("a", "b"), task="topics", groups=groups)
        return found.macro_f1.value

    constant = [np.tile([one, other], (50, 1)) for one in (True, False) for other in (True, False)]
    assert score(decisions) == max(map(score, constant))


def test_a_label_that_was_never_labelled_has_frequency_zero(recwarn: pytest.WarningsRecorder) -> None:
    truth = np.array([[1, np.nan], [0, np.nan]], np.float32)
    assert majority(truth, 1, "topics")[0].tolist() == [[0.5, 0.0]]
    assert not recwarn.list
