"""Curves and crossings against scikit-learn and worked examples."""

from __future__ import annotations

from math import nan
from pathlib import Path

import pytest
from sklearn.metrics import average_precision_score, confusion_matrix, precision_recall_curve

from stancewire.artefact import Artefact
from tests.report_cases import random_answers, stance_answers, topics_answers
from tests.small_models import small_artefact
from training.report import curves
from training.report.crossings import crossings
from training.report.curves import coverage_risk, precision_recall, reliability


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    return small_artefact(tmp_path_factory.mktemp("curves"), "topics")


@pytest.fixture(scope="module")
def stance(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    return small_artefact(tmp_path_factory.mktemp("curves"), "stance")


def test_precision_and_recall_are_scikit_learns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curves, "_POINTS", 1000)
    answers = random_answers(tmp_path, "topics")
    for column, (label, found) in enumerate(precision_recall(answers).items()):
        y, p = answers.rows.truth[:, column], answers.probabilities[:, column]
        precision, recall, _ = precision_recall_curve(y, p, drop_intermediate=False)
        assert found is not None
        told = {(round(r, 9), round(q, 9)) for r, q in found["points"]}
        expected = {(round(r, 9), round(q, 9)) for r, q in zip(recall, precision, strict=True)}
        assert expected - told <= {(0.0, 1.0)}
        assert told <= expected
        assert found["average_precision"] == pytest.approx(average_precision_score(y, p))
        decided = answers.decisions[:, column]
        assert found["precision"] == pytest.approx(y[decided].mean())
        assert found["recall"] == pytest.approx(y[decided].sum() / y.sum())
        assert found["share"] == pytest.approx(y.mean())
        assert label == answers.rows.labels[column]


def test_a_curve_is_thinned_but_its_ends_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = random_answers(tmp_path, "topics")
    whole = precision_recall(answers)["sanctions"]
    monkeypatch.setattr(curves, "_POINTS", 7)
    thin = precision_recall(answers)["sanctions"]
    assert whole is not None
    assert thin is not None
    assert len(thin["points"]) == 7
    assert (thin["points"][0], thin["points"][-1]) == (whole["points"][0], whole["points"][-1])
    assert all(point in whole["points"] for point in thin["points"])
    assert thin["average_precision"] == whole["average_precision"]


def test_labels_without_positives_or_decisions_have_no_figures(artefact: Artefact) -> None:
    found = precision_recall(
        topics_answers(artefact, [[0.0, 1.0, nan], [0, 1, 1], [0, 0, 0]], [[0.9, 0.1, 0.9]] * 3)
    )
    assert found["arms_trade"] is None
    assert found["diplomacy"] is not None
    assert found["diplomacy"]["precision"] is None
    assert found["diplomacy"]["recall"] == 0
    assert found["sanctions"] is not None
    assert found["sanctions"]["precision"] == found["sanctions"]["share"] == 0.5


def test_risk_falls_with_coverage_as_worked_by_hand(stance: Artefact) -> None:
    # Confidences 0.9, 0.8, 0.7, 0.7, 0.4; wrong are the third and the last. Two of 0.7 are taken together.
    sure = [0.9, 0.8, 0.7, 0.7, 0.4]
    said = [[p, *[(1 - p) / 3] * 3] for p in sure]
    found = coverage_risk(stance_answers(stance, [0, 0, 1, 0, 2], said))
    assert found["points"] == [[0.2, 0.0], [0.4, 0.0], [0.8, 0.25], [1.0, pytest.approx(0.4)]]
    assert found["area"] == pytest.approx(0.4 * 0.25 + 0.2 * 0.4)
    told = {round(one["coverage"], 6): one["risk"] for one in found["table"]}
    assert told == {1.0: pytest.approx(0.4), 0.8: 0.25}
    assert found["table"][-1]["least_confidence"] == pytest.approx(0.7)


def test_a_row_of_topics_is_as_sure_as_its_least_sure_label(artefact: Artefact) -> None:
    answers = topics_answers(artefact, [[1, 0, 0], [1, 0, 0]], [[0.95, 0.05, 0.45], [0.8, 0.2, 0.2]])
    sure = curves.row_confidences(answers.probabilities, answers.decisions, stance=False)
    assert sure.tolist() == pytest.approx([0.55, 0.8])


def test_a_label_not_known_makes_no_row_wrong(artefact: Artefact) -> None:
    found = coverage_risk(topics_answers(artefact, [[1.0, nan, 0.0], [1, 0, 0]], [[0.9, 0.9, 0.1]] * 2))
    assert found["table"][0]["risk"] == 0.5


def test_reliability_tells_every_row_before_and_after(tmp_path: Path) -> None:
    for task, names in (("topics", 3), ("stance", 1)):
        answers = random_answers(tmp_path / task, task)
        found = reliability(answers, 5)
        assert len(found) == names
        for one in found:
            for when in ("before", "after"):
                assert sum(point["rows"] for point in one[when]) == one["rows"] == 60
                assert [point["said"] for point in one[when]] == sorted(point["said"] for point in one[when])


def test_the_confusion_is_scikit_learns(tmp_path: Path) -> None:
    answers = random_answers(tmp_path, "stance")
    found = crossings(answers)
    expected = confusion_matrix(answers.rows.truth.argmax(axis=1), answers.decisions.argmax(axis=1))
    assert found["counts"] == expected.tolist()
    assert found["support"] == expected.sum(axis=1).tolist()


def test_topics_that_come_together_as_worked_by_hand(artefact: Artefact) -> None:
    truth: list[list[float]] = [[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 0, 1], [1.0, nan, 1.0]]
    said = [[1, 1, 0], [1, 1, 0], [0, 0, 0], [0, 0, 0], [1, 1, 1]]
    found = crossings(topics_answers(artefact, truth, said))
    assert found["names"] == ["arms_trade", "diplomacy", "sanctions", "none"]
    assert found["support"] == [2, 1, 1, 1]
    assert found["true_together"] == [[2, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert found["decided_together"] == [[2, 2, 0], [2, 2, 0], [0, 0, 0]]
    assert found["counts"] == [[2, 2, 0, 0], [1, 1, 0, 0], [0, 0, 0, 1], [0, 0, 0, 1]]
    told = {tuple(one["topics"]): (one["true"], one["decided"], one["right"]) for one in found["sets"]}
    assert told == {
        (): (1, 2, 1),
        ("arms_trade",): (1, 0, 0),
        ("arms_trade", "diplomacy"): (1, 2, 1),
        ("sanctions",): (1, 0, 0),
    }
