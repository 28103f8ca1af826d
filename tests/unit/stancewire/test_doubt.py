"""What is for review: around a topic's threshold, and stances decided with little confidence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from stancewire.calibration import decide
from stancewire.doubt import Abstention, Conformal
from stancewire.examples import StanceExample
from tests.fake_models import by_words, fake_stance, fake_topics

TOPICS = Abstention(0.9, (0.75, 0.0, 1.0), (0.25, 1.0, 0.0))
STANCE = Abstention(0.8, (0.75,) * 4, None)


def f32(*rows: tuple[float, ...]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(rows, np.float32)


def test_a_topic_is_for_review_in_a_band_that_includes_its_ends() -> None:
    said = f32((0.76, 0.5, 1), (0.75, 0.5, 1), (0.5, 0.5, 1), (0.49, 0.5, 1), (0.25, 0.5, 1), (0.24, 0.5, 1))
    found = TOPICS.review(said, decide(said, np.full(3, 0.5, np.float32), "topics"))
    assert found[:, 0].tolist() == [False, True, True, True, True, False]


def test_never_and_always_are_at_the_ends() -> None:
    said = np.tile(np.array([[0.0], [1e-9], [0.5], [1.0]], np.float32), (1, 3))
    found = TOPICS.review(said, said >= np.float32(1e-9))
    assert found[:, 1].tolist() == [False] * 4
    assert found[:, 2].tolist() == [True] * 4


def test_of_a_stance_only_the_decided_label_is_for_review() -> None:
    said = f32((0.7, 0.1, 0.1, 0.1), (0.8, 0.1, 0.05, 0.05), (0.1, 0.1, 0.1, 0.7))
    found = STANCE.review(said, decide(said, np.full(4, 0.25, np.float32), "stance"))
    assert found.tolist() == [[True, False, False, False], [False] * 4, [False, False, False, True]]


def test_no_rows() -> None:
    assert TOPICS.review(np.zeros((0, 3), np.float32), np.zeros((0, 3), np.bool_)).shape == (0, 3)


def test_a_topics_predictor_marks_each_decision(tmp_path: Path) -> None:
    topics = fake_topics(tmp_path, lambda a: (float(a.text), 0.5, 0.6), abstention=TOPICS)
    sure, unsure, low, no = topics.predict(["0.9", "0.6", "0.4", "0.1"])
    assert [score.review for score in sure.scores] == [False, False, True]
    assert [answer.scores[0].review for answer in (sure, unsure, low, no)] == [False, True, True, False]


def test_a_stance_predictor_marks_the_row(tmp_path: Path) -> None:
    stance = fake_stance(tmp_path, by_words, abstention=STANCE)
    asked = [
        StanceExample(sentence=f"It {verb} the ban.", target="ban") for verb in ("condemned", "described")
    ]
    sure, unsure = stance.predict(asked)
    assert (sure.label, sure.review) == ("against", False)
    assert (unsure.label, unsure.review) == ("neutral", True)


def test_without_abstention_nothing_is_for_review(tmp_path: Path) -> None:
    (answer,) = fake_topics(tmp_path, lambda _: (0.5, 0.5, 0.5)).predict(["x"])
    assert not any(score.review for score in answer.scores)


def test_the_set_holds_what_is_not_too_improbable_and_always_the_decided() -> None:
    said = f32((0.5, 0.3, 0.15, 0.05), (0.97, 0.01, 0.01, 0.01))
    decisions = decide(said, np.array((0.5, 0.5, 0.5, 0.01), np.float32), "stance")
    quarter = Conformal(0.9, 0.75).members(said, decisions)
    assert quarter.tolist() == [[True, True, False, True], [True, False, False, False]]
    assert Conformal(0.9, 1.0).members(f32((0, 0, 0, 1)), decisions[:1]).all()
    assert Conformal(0.9, 0.0).members(said, decisions).tolist() == decisions.tolist()


def test_a_stance_predictor_names_the_set(tmp_path: Path) -> None:
    asked = [StanceExample(sentence="It welcomed the ban.", target="ban")]
    (answer,) = fake_stance(tmp_path / "a", by_words, conformal=Conformal(0.9, 0.92)).predict(asked)
    assert (answer.label, answer.conformal_set) == ("favor", ("against", "favor"))
    (without,) = fake_stance(tmp_path / "b", by_words).predict(asked)
    assert without.conformal_set is None


def test_one_figure_for_each_label() -> None:
    with pytest.raises(ValueError, match="longer"):
        STANCE.to_json(("a", "b", "c"))
