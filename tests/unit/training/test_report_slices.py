"""Slices and their scores: which rows, how they are ordered, and what is too small to be judged."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stancewire.examples import Article, StanceExample
from tests.report_cases import SETTINGS, random_answers, stance_answers, topics_answers
from tests.small_models import CODEBOOK, small_artefact
from training.evaluate.metrics import evaluate
from training.report.answers import Answers
from training.report.seen import Known, Seen, digests_of
from training.report.slices import Slice, slices_of
from training.report.weak import Resampled, score_slices, weak_spots

TARGETS = ["sanctions", "The Arms Trade", "a deal", "talks in Doha"]


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    return random_answers(tmp_path_factory.mktemp("topics"), "topics", 80)


@pytest.fixture(scope="module")
def stance(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    artefact = small_artefact(tmp_path_factory.mktemp("stance"), "stance")
    examples = [
        StanceExample(sentence="word " * (i % 9 + 1), target=TARGETS[i % 4], holder="Oslo" if i % 2 else None)
        for i in range(40)
    ]
    return stance_answers(artefact, [0] * 40, np.full((40, 4), 0.25), examples=examples)


def by_dimension(slices: list[Slice]) -> dict[str, dict[str, list[int]]]:
    found: dict[str, dict[str, list[int]]] = defaultdict(dict)
    for one in slices:
        found[one.dimension][one.value] = np.flatnonzero(one.rows).tolist()
    return found


def test_rows_are_sliced_by_what_their_articles_say(topics: Answers) -> None:
    found = by_dimension(slices_of(topics, CODEBOOK, None))
    assert set(found) == {"outlet", "year", "country", "length"}
    assert found["outlet"] == {"wire": list(range(0, 80, 2)), "daily": list(range(1, 80, 2))}
    # All rows are of Kenya: that is no slice.
    assert found["country"] == {"PRK": list(range(1, 80, 2))}
    for dimension in ("outlet", "year", "length"):
        assert sorted(row for rows in found[dimension].values() for row in rows) == list(range(80))
    words = [sum(len(text.split()) for text in (one.title, one.text)) for one in topics.articles]
    (short, middle, long) = found["length"].values()
    assert max(words[i] for i in short) < min(words[i] for i in middle)
    assert max(words[i] for i in middle) < min(words[i] for i in long)


def test_rows_of_which_nothing_is_known_are_in_no_slice(topics: Answers) -> None:
    bare = replace(topics, articles=tuple(Article(text=one.text) for one in topics.articles))
    assert set(by_dimension(slices_of(bare, CODEBOOK, None))) == {"length"}


@pytest.mark.parametrize(
    ("years", "spans"),
    [
        ({2001: 20, 2002: 20}, {"2001": 20, "2002": 20}),
        ({2001: 3, 2002: 18, 2005: 4, 2006: 30}, {"2001 to 2002": 21, "2005 to 2006": 34}),
        ({2001: 25, 2002: 3}, {}),
        ({2001: 30, 2002: 30, 2003: 1, 2004: 2}, {"2001": 30, "2002 to 2004": 33}),
        ({2001: 4}, {}),
    ],
)
def test_years_are_joined_until_they_tell_enough(
    topics: Answers, years: dict[int, int], spans: dict[str, int]
) -> None:
    dates = [f"{year}-06-01" for year, count in years.items() for _ in range(count)]
    articles = [Article(text="A text.", date=date) for date in dates]
    zeros = np.zeros((len(dates), 3))
    answers = topics_answers(topics.artefact, zeros, zeros, articles=articles)
    found = by_dimension(slices_of(answers, CODEBOOK, None))
    assert {span: len(rows) for span, rows in found["year"].items()} == spans


def test_a_year_of_one_story_is_joined_however_many_rows_it_has(topics: Answers) -> None:
    articles = [Article(text="A text.", date=f"{2001 + i // 50}-06-01") for i in range(150)]
    groups = ["one"] * 50 + [f"s{i}" for i in range(100)]
    zeros = np.zeros((150, 3))
    answers = topics_answers(topics.artefact, zeros, zeros, articles=articles, groups=groups)
    assert list(by_dimension(slices_of(answers, CODEBOOK, None))["year"]) == ["2001 to 2002", "2003"]


def test_stances_are_sliced_by_target_and_holder(stance: Answers) -> None:
    nothing = Known(digests_of([]), 0)
    digests = np.unique(digests_of(["deal", "sanctions"]))
    found = by_dimension(slices_of(stance, CODEBOOK, Seen(nothing, nothing, Known(digests, 2))))
    assert found["holder"]["with a holder"] == list(range(1, 40, 2))
    assert found["kind of target"]["generic"] == [i for i in range(40) if i % 4 < 2]
    assert found["target in training"]["seen"] == [i for i in range(40) if i % 4 in (0, 2)]
    assert found["target in training"]["unseen"] == [i for i in range(40) if i % 4 in (1, 3)]


def test_what_a_sample_cannot_tell_is_not_told(stance: Answers) -> None:
    nothing = Known(digests_of([]), 0)
    sample = Seen(nothing, nothing, Known(digests_of(["deal"]), 2))
    for seen in (None, sample):
        assert "target in training" not in by_dimension(slices_of(stance, CODEBOOK, seen))


def test_the_slice_of_all_rows_scores_as_the_evaluation(topics: Answers) -> None:
    every = Slice("all", "rows", np.ones(80, np.bool_))
    (found,) = score_slices(topics, [every], Resampled(topics, SETTINGS, 3))
    told = evaluate(
        topics.rows.truth,
        topics.probabilities,
        topics.decisions,
        labels=topics.rows.labels,
        task="topics",
        groups=topics.rows.groups,
        samples=SETTINGS.samples,
        seed=3,
    )
    score = told.macro_f1
    assert found["macro_f1"] == pytest.approx({"value": score.value, "low": score.low, "high": score.high})
    assert found["all_right"] == pytest.approx(told.exact_match.value)
    assert (found["rows"], found["stories"], found["over_rest"]) == (80, 40, None)
    for label, scores in told.labels.items():
        assert scores.f1 is not None
        assert found["labels"][label]["support"] == scores.support
        assert found["labels"][label]["f1"]["low"] == pytest.approx(scores.f1.low)


def planted(topics: Answers) -> Answers:
    """Answers that are right but on odd rows from 40 on."""
    rng = np.random.default_rng(1)
    truth = (rng.random((80, 3)) < 0.5).astype(np.float32)
    wrong = (np.arange(80) % 2 == 1) & (np.arange(80) >= 40)
    said = np.where(wrong[:, None], 1 - truth, truth)
    return topics_answers(topics.artefact, truth, said)


def test_the_worst_slice_comes_first_and_small_ones_last(topics: Answers) -> None:
    answers = planted(topics)
    number = np.arange(80)
    slices = [
        Slice("half", "good", number < 40),
        Slice("half", "bad", number >= 40),
        Slice("few", "wrong", np.isin(number, [41, 43, 45])),
        Slice("parity", "odd", (number % 2 == 1) & (number >= 30)),
    ]
    found = score_slices(answers, slices, Resampled(answers, SETTINGS, 0))
    assert [one["value"] for one in found] == ["odd", "bad", "good", "wrong"]
    highs = [one["macro_f1"]["high"] for one in found[:3]]
    assert highs == sorted(highs)
    odd, bad, good, few = found
    assert odd["over_rest"]["high"] < 0 < good["over_rest"]["low"]
    assert bad["over_rest"]["value"] == pytest.approx(-good["over_rest"]["value"])
    assert good["macro_f1"] == {"value": 1, "low": 1, "high": 1}
    assert (few["enough"], few["macro_f1"], few["all_right"], few["rows"]) == (False, None, None, 3)


def test_a_low_score_of_few_rows_does_not_come_first(topics: Answers) -> None:
    """Of two slices, the one whose interval ends lower: not the one that is lower by a lucky draw."""
    number = np.arange(80)
    truth = np.ones((80, 3))
    said = np.where((number % 2 == 1)[:, None], 0.0, truth)
    said[number < 12] = 0.0
    said[[1, 3, 4, 8, 9]] = 1.0
    answers = topics_answers(topics.artefact, truth, said)
    slices = [Slice("size", "small", number < 12), Slice("size", "large", number >= 12)]
    large, small = score_slices(answers, slices, Resampled(answers, SETTINGS, 0))
    assert (large["value"], small["value"]) == ("large", "small")
    assert small["macro_f1"]["value"] < large["macro_f1"]["value"]
    assert small["macro_f1"]["high"] > large["macro_f1"]["high"]


def test_a_slice_of_one_story_is_not_judged(topics: Answers) -> None:
    groups = ["one"] * 40 + [str(i) for i in range(40)]
    answers = topics_answers(topics.artefact, topics.rows.truth, topics.probabilities, groups=groups)
    (found,) = score_slices(
        answers, [Slice("half", "one story", np.arange(80) < 40)], Resampled(answers, SETTINGS, 0)
    )
    assert (found["stories"], found["macro_f1"]) == (1, None)


def test_a_slice_without_positives_is_said_not_scored(topics: Answers) -> None:
    truth = np.zeros((80, 3))
    truth[40:] = 1
    answers = topics_answers(topics.artefact, truth, np.full((80, 3), 0.2))
    (found,) = score_slices(
        answers, [Slice("half", "none holds", np.arange(80) < 40)], Resampled(answers, SETTINGS, 0)
    )
    assert (found["enough"], found["macro_f1"], found["all_right"]) == (True, None, 1.0)


def test_weak_spots_are_labels_below_their_own_score(topics: Answers) -> None:
    answers = planted(topics)
    number = np.arange(80)
    slices = [Slice("half", "good", number < 40), Slice("half", "bad", number >= 40)]
    scored = score_slices(answers, slices, Resampled(answers, SETTINGS, 0))
    overall = dict.fromkeys(answers.rows.labels, 0.75) | {"sanctions": None}
    spots = weak_spots(scored, overall)
    assert {(spot["label"], spot["value"]) for spot in spots} == {("arms_trade", "bad"), ("diplomacy", "bad")}
    assert [spot["f1"]["high"] for spot in spots] == sorted(spot["f1"]["high"] for spot in spots)


def test_a_label_of_few_rows_on_a_slice_is_not_judged(tmp_path: Path) -> None:
    artefact = small_artefact(tmp_path, "topics")
    truth = np.zeros((60, 3))
    truth[:, 0], truth[:9, 1], truth[:10, 2] = 1, 1, 1
    answers = topics_answers(artefact, truth, truth)
    (found,) = score_slices(
        answers, [Slice("half", "x", np.arange(60) < 40)], Resampled(answers, SETTINGS, 0)
    )
    told = {label: one["f1"] is not None for label, one in found["labels"].items()}
    assert told == {"arms_trade": True, "diplomacy": False, "sanctions": True}
