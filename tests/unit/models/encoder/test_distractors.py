"""Questions beside a sentence of another story: the question, its truth and its story stay what they were."""

from __future__ import annotations

import numpy as np

from models.base import LabelledSet
from models.encoder.distractors import distracted
from stancewire.examples import StanceExample


def rows(*questions: StanceExample, groups: str) -> LabelledSet:
    truth = np.eye(2, dtype=np.float32)[np.arange(len(questions)) % 2]
    return LabelledSet("stance", questions, ("against", "favor"), truth, tuple(groups))


def asked(sentence: str, target: str = "the deal") -> StanceExample:
    return StanceExample(sentence=sentence, target=target, holder="Oslo", context="As told before.")


def test_the_question_stays_and_its_sentence_gets_company() -> None:
    given = rows(asked("One."), asked("Two.", "talks"), asked("Three."), asked("Four."), groups="abca")
    found = distracted(given, seed=3)
    assert len(found) == len(given)
    assert found.groups == given.groups
    assert found.labels == given.labels
    assert np.array_equal(found.truth, given.truth)
    orders = set()
    for before, after in zip(given.examples, found.examples, strict=True):
        assert isinstance(before, StanceExample)
        assert isinstance(after, StanceExample)
        assert (after.target, after.holder, after.context) == (before.target, "Oslo", "")
        parts = after.sentence.split()
        assert len(parts) == 2
        assert before.sentence in parts
        orders.add(parts.index(before.sentence))
    assert orders == {0, 1}


def test_the_company_is_of_another_story_and_not_on_the_target() -> None:
    given = rows(
        asked("They hailed it.", "sanctions on Oslo"),
        asked("The sanctioned banks protested."),
        asked("Nobody came."),
        asked("It rained."),
        groups="abac",
    )
    for seed in range(20):
        first = distracted(given, seed).examples[0]
        assert isinstance(first, StanceExample)
        assert set(first.sentence.replace("They hailed it.", "").split()) == {"It", "rained."}


def test_where_there_is_no_company_there_is_no_row() -> None:
    alone = rows(asked("One."), asked("Two."), groups="aa")
    assert len(distracted(alone, seed=0)) == 0
    assert distracted(alone, seed=0).truth.shape == (0, 2)
    mixed = rows(asked("The talks failed.", "rain"), asked("It rained.", "failed talks"), groups="ab")
    assert [
        example.target for example in distracted(mixed, seed=0).examples if isinstance(example, StanceExample)
    ] == ["rain"]


def test_same_seed_same_rows() -> None:
    given = rows(*(asked(f"Number {number}.") for number in range(30)), groups="abc" * 10)
    assert distracted(given, 1).examples == distracted(given, 1).examples
    assert distracted(given, 1).examples != distracted(given, 2).examples
