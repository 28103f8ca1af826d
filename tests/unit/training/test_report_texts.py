"""Surest mistakes, what pushed them, and labels that may be wrong."""

from __future__ import annotations

from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stancewire.artefact import Artefact
from stancewire.examples import Article, StanceExample
from stancewire.runtime.linear import sigmoid, softmax
from stancewire.runtime.open import open_runtime
from tests.report_cases import random_answers, stance_answers, topics_answers
from tests.small_models import small_artefact, stance_rows, topics_rows
from training.report import mistakes as module
from training.report import noise
from training.report.evidence import explainer, strongest
from training.report.mistakes import mistakes
from training.report.noise import suspects


@pytest.fixture(scope="module")
def artefact(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    return small_artefact(tmp_path_factory.mktemp("texts"), "topics")


@pytest.fixture(scope="module")
def stance(tmp_path_factory: pytest.TempPathFactory) -> Artefact:
    return small_artefact(tmp_path_factory.mktemp("texts"), "stance")


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_the_pushes_of_all_terms_add_up_to_what_the_runtime_answers(task: str, tmp_path: Path) -> None:
    made = small_artefact(tmp_path, task)
    rows = topics_rows() if task == "topics" else stance_rows()
    explain = explainer(made)
    intercept = made.tensors("weights.safetensors")["intercept"]
    scores = np.array([intercept + sum(explain(one).values()) for one in rows.examples])
    link = sigmoid if task == "topics" else softmax
    answered = open_runtime(made).predict(rows.examples).probabilities
    assert np.abs(link(scores) - answered).max() < 1e-6


def test_the_strongest_terms_are_those_of_the_direction(stance: Artefact) -> None:
    example = stance_rows().examples[0]
    pushes = explainer(stance)(example)
    against = strongest(pushes, np.array([1, -1, 0, 0]))
    weighed = {key: float(push[0] - push[1]) for key, push in pushes.items()}
    assert against[0]["push"] == max(weighed.values())
    assert all(term["push"] == weighed[term["block"], term["term"]] for term in against)
    told = [term["push"] for term in against]
    assert told == sorted(told, reverse=True)
    assert all(push > 0 for push in told)
    favor = strongest(pushes, np.array([-1, 1, 0, 0]))
    assert not {(t["block"], t["term"]) for t in against} & {(t["block"], t["term"]) for t in favor}


def test_another_family_has_no_evidence_and_that_is_fine(artefact: Artefact) -> None:
    other = replace(artefact, manifest=replace(artefact.manifest, family="encoder"))
    assert explainer(other)(topics_rows().examples[0]) == {}
    assert strongest({}, np.ones(3)) == []


def test_mistakes_of_topics_are_cells_the_surest_first(artefact: Artefact) -> None:
    truth: list[list[float]] = [[1, 0, 0], [0.0, 1.0, nan], [1, 1, 1]]
    said = [[0.9, 0.7, 0.1], [0.05, 0.3, 0.99], [0.2, 0.9, 0.9]]
    found = mistakes(topics_answers(artefact, truth, said))
    told = [(one["article"], one["label"], one["decided"], round(one["confidence"], 4)) for one in found]
    assert told == [
        ("a2", "arms_trade", False, 0.8),
        ("a0", "diplomacy", True, 0.7),
        ("a1", "diplomacy", False, 0.7),
    ]
    assert found[1]["true"] == ["arms_trade"]
    assert found[0]["probabilities"] == pytest.approx({"arms_trade": 0.2, "diplomacy": 0.9, "sanctions": 0.9})


def test_mistakes_of_stance_are_one_a_row(stance: Artefact) -> None:
    said = [[0.7, 0.1, 0.1, 0.1], [0.1, 0.2, 0.6, 0.1], [0.1, 0.5, 0.2, 0.2]]
    found = mistakes(stance_answers(stance, [1, 2, 0], said))
    assert [(one["article"], one["label"], one["true"]) for one in found] == [
        ("a0", "against", ["favor"]),
        ("a2", "favor", ["against"]),
    ]
    assert found[0]["sentence"] == "Envoy 0 signed."
    assert found[0]["target"] == "the deal"


def test_evidence_pushes_toward_the_mistake_and_away_from_the_truth(
    artefact: Artefact, stance: Artefact
) -> None:
    example = stance_rows().examples[1]
    assert isinstance(example, StanceExample)
    answers = stance_answers(stance, [2], [[0.7, 0.1, 0.1, 0.1]], examples=[example])
    (found,) = mistakes(answers)
    assert found["evidence"] == strongest(explainer(stance)(example), np.array([1, 0, -1, 0]))
    article = topics_rows().examples[1]
    assert isinstance(article, Article)
    for said, sign in ((0.9, 1), (0.1, -1)):
        truth = [[1.0 - round(said), 0.0, 0.0]]
        (found,) = mistakes(topics_answers(artefact, truth, [[said, 0.1, 0.1]], articles=[article]))
        assert found["evidence"] == strongest(explainer(artefact)(article), np.array([sign, 0, 0]))
        assert found["evidence"]


def test_thirty_mistakes_are_shown_and_long_texts_cut(artefact: Artefact) -> None:
    articles = [Article(text="x" * 3000, id=str(i)) for i in range(40)]
    found = mistakes(topics_answers(artefact, np.zeros((40, 3)), np.full((40, 3), 0.9), articles=articles))
    assert len(found) == module.SHOWN == 30
    assert {(len(one["text"]), one["text_cut"]) for one in found} == {(2000, True)}


def flipped(task: str, folder: Path) -> tuple[Any, set[str]]:
    """Sure answers, with some labels turned; return them and the articles of the turned ones."""
    rng = np.random.default_rng(4)
    turned = {f"a{i}" for i in (3, 17, 41)}
    if task == "stance":
        classes = [i % 4 for i in range(80)]
        sure = np.where(np.isin(np.arange(80), [3, 17, 41]), 0.97, rng.uniform(0.5, 0.9, 80))[:, None]
        said = sure * np.eye(4)[classes] + (1 - sure) / 4
        given = [(one + 1) % 4 if f"a{i}" in turned else one for i, one in enumerate(classes)]
        return stance_answers(small_artefact(folder, task), given, said), turned
    truth = (rng.random((80, 3)) < 0.5).astype(np.float32)
    sure = rng.uniform(0.6, 0.9, truth.shape)
    sure[[3, 17, 41]] = 0.97
    said = np.where(truth == 1, sure, 1 - sure)
    for name in turned:
        truth[int(name[1:]), 1] = 1 - truth[int(name[1:]), 1]
    return topics_answers(small_artefact(folder, task), truth, said), turned


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_turned_labels_are_suspect_and_no_others(task: str, tmp_path: Path) -> None:
    answers, turned = flipped(task, tmp_path)
    found = suspects(answers)
    assert {one["article"] for one in found["shown"]} == turned
    assert (found["found"], found["checked"]) == (3, 80)
    qualities = [one["quality"] for one in found["shown"]]
    assert qualities == sorted(qualities)
    if task == "topics":
        assert {one["label"] for one in found["shown"]} == {"diplomacy"}
        assert all(one["suggested"].startswith("not ") == one["given"] for one in found["shown"])


def test_a_label_that_the_model_agrees_with_is_not_suspect(
    stance: Artefact, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(noise, "_issues", lambda given, probabilities: list(range(len(given))))
    said = [[0.9, 0.1, 0, 0], [0.9, 0.1, 0, 0]]
    found = suspects(stance_answers(stance, [0, 1], said))
    assert [(one["article"], one["suggested"]) for one in found["shown"]] == [("a1", "against")]


def test_one_class_and_missing_labels_suspect_nothing(artefact: Artefact, stance: Artefact) -> None:
    truth = np.full((20, 3), np.nan)
    truth[:, 0] = 1
    assert suspects(topics_answers(artefact, truth, np.full((20, 3), 0.9)))["found"] == 0
    only = stance_answers(stance, [1] * 20, np.full((20, 4), 0.25))
    assert suspects(only)["found"] == 0
    assert suspects(stance_answers(stance, [0, 2], [[0.9, 0, 0.1, 0], [0.1, 0, 0.9, 0]]))["found"] == 0


def test_suspects_are_the_same_every_time(tmp_path: Path) -> None:
    answers = random_answers(tmp_path, "stance", 200)
    assert suspects(answers) == suspects(answers)
