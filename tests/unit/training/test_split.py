"""Splits: whole stories, balanced labels, the same for the same seed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stancewire.calibration import Task
from stancewire.errors import InputError
from tests.corpora import TOPICS, corpus_of, row_of, text_of
from training.data.codebook import load_codebook
from training.data.leaks import LeakError
from training.data.load import Corpus, read_corpus
from training.data.split import Plan, Split, make_split, split_corpus
from training.data.stratify import assign
from training.data.tables import groups_of, truth_of
from training.data.targets import normal_target

ROOT = Path(__file__).resolve().parents[3]
TASKS: tuple[Task, ...] = ("topics", "stance")
Make = Callable[..., Corpus]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Return a corpus of so many rows, each changed by a function."""

    def build(n_rows: int, change: Callable[[int], dict[str, Any]] = lambda _: {}) -> Corpus:
        return corpus_of(tmp_path, [row_of(number) | change(number) for number in range(n_rows)])

    return build


@cache
def bundled() -> Corpus:
    book = load_codebook(ROOT / "data/codebook.yaml")
    return read_corpus(str(ROOT / "data/articles.jsonl"), codebook=book)


def ids(corpus: Corpus, rows: tuple[int, ...]) -> list[str]:
    return [corpus.articles[row].id for row in rows]


def stories(corpus: Corpus, task: Task, split: Split) -> list[set[str]]:
    groups = groups_of(corpus, task)
    return [{groups[row] for row in rows} for rows in split.parts.values()]


def all_once(corpus: Corpus, task: Task, split: Split) -> bool:
    rows = [row for part in split.parts.values() for row in part]
    n_rows = len(truth_of(corpus, task))
    return len(set(rows)) == len(rows) == n_rows - sum(split.left_out.values())


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("seed", [1, 13, 99])
def test_by_event_the_bundled_corpus_is_balanced(task: Task, seed: int) -> None:
    split = split_corpus(bundled(), task, Plan(), seed=seed)
    truth = truth_of(bundled(), task)
    for rows, share in zip(split.parts.values(), (0.6, 0.2, 0.2), strict=True):
        assert len(rows) / len(truth) == pytest.approx(share, abs=0.015)
        held = truth[list(rows)].sum(axis=0) / truth.sum(axis=0)
        assert held == pytest.approx(np.full(len(held), share), abs=0.015)
    n_stories = [len(found) / 303 for found in stories(bundled(), task, split)]
    assert n_stories == pytest.approx([0.6, 0.2, 0.2], abs=0.04)
    train, dev, test = stories(bundled(), task, split)
    assert not (train & dev or train & test or dev & test)
    assert all_once(bundled(), task, split)
    assert split.left_out == {}


def test_both_tasks_get_the_same_articles() -> None:
    topics = split_corpus(bundled(), "topics", Plan(), seed=13)
    stance = split_corpus(bundled(), "stance", Plan(), seed=13)
    for name, rows in topics.parts.items():
        assert set(rows) == {int(bundled().article_of[row]) for row in stance.parts[name]}


def test_the_seed_decides_and_nothing_else() -> None:
    first, again, other = (split_corpus(bundled(), "topics", Plan(), seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_shares_are_the_callers() -> None:
    split = split_corpus(bundled(), "topics", Plan(dev=0.1, test=0.3), seed=13)
    assert [round(len(rows) / 504, 2) for rows in split.parts.values()] == pytest.approx(
        [0.6, 0.1, 0.3], abs=0.02
    )


def test_copies_without_an_event_stay_together(make: Make) -> None:
    corpus = make(60, lambda n: {"event": None, "text": text_of(n // 2) + f" Updated {n}.", "stances": []})
    split = split_corpus(corpus, "topics", Plan(), seed=13)
    assert len(set(corpus.groups)) == 30
    train, dev, test = stories(corpus, "topics", split)
    assert not (train & dev or train & test or dev & test)


def test_what_nobody_labelled_is_in_no_part(make: Make) -> None:
    corpus = make(60, lambda n: {"topics": None} if n % 3 == 0 else {})
    split = split_corpus(corpus, "topics", Plan(), seed=13)
    assert split.left_out == {"not labelled": 20}
    assert all(int(name[1:]) % 3 for rows in split.parts.values() for name in ids(corpus, rows))


def test_by_time_the_newest_are_the_test(make: Make) -> None:
    corpus = make(60, lambda n: {"date": f"2020-{1 + n // 5:02}-01", "event": None})
    split = split_corpus(corpus, "topics", Plan(by="time"), seed=13)
    dates = [[corpus.articles[row].date or "" for row in rows] for rows in split.parts.values()]
    assert max(dates[0]) < min(dates[1]) <= max(dates[1]) < min(dates[2])
    # Five articles a day: those of one day stay together.
    assert [len(part) for part in dates] == [30, 15, 15]


def test_by_time_with_named_dates(make: Make) -> None:
    corpus = make(60, lambda n: {"date": f"2020-{1 + n // 5:02}-01", "event": None})
    plan = Plan(by="time", dev_from="2020-06-01", test_from="2020-10-01")
    split = split_corpus(corpus, "topics", plan, seed=13)
    assert [len(rows) for rows in split.parts.values()] == [25, 20, 15]


def test_by_time_a_story_over_a_cut_goes_whole_to_the_later_part(make: Make) -> None:
    story = {0: "one", 59: "one", 5: "two", 58: "two"}
    for newest in (0, 1):
        days = [f"2020-{1 + n // 5:02}-01" for n in range(60)][:: 1 if newest else -1]
        corpus = make(60, lambda n, days=days: {"date": days[n], "event": story.get(n)})
        split = split_corpus(corpus, "topics", Plan(by="time", test_from="2020-10-01"), seed=13)
        assert {"a000", "a005", "a058", "a059"} <= set(ids(corpus, split.test))


def test_by_time_every_article_needs_a_date(make: Make) -> None:
    corpus = make(60, lambda n: {"date": None} if n in (7, 8) else {})
    with pytest.raises(InputError, match=r"wanted a date in every article, 2 have none \(a007, a008\)"):
        split_corpus(corpus, "topics", Plan(by="time"), seed=13)


def test_by_outlet_its_stories_are_nowhere_else(make: Make) -> None:
    corpus = make(90)
    split = split_corpus(corpus, "topics", Plan(by="outlet", outlets=("blog",)), seed=13)
    assert {corpus.articles[row].outlet for row in split.test} == {"blog"}
    assert len(split.test) == 30
    train, dev, test = stories(corpus, "topics", split)
    assert not (train & test or dev & test or train & dev)
    assert split.left_out == {"stories that a test outlet also tells": 30}
    assert len(split.dev) / (len(split.train) + len(split.dev)) == pytest.approx(0.25, abs=0.08)


@pytest.mark.parametrize(("outlets", "found"), [((), "found none"), (("bloog",), "found 'bloog'")])
def test_by_outlet_names_those_there_are(make: Make, outlets: tuple[str, ...], found: str) -> None:
    with pytest.raises(InputError, match=rf"wire \(20\), daily \(20\), blog \(20\); {found}"):
        split_corpus(make(60), "topics", Plan(by="outlet", outlets=outlets), seed=13)


def test_by_target_test_targets_and_stories_are_unseen() -> None:
    corpus = bundled()
    split = split_corpus(corpus, "stance", Plan(by="target"), seed=13)
    targets = [{normal_target(corpus.stances[row].target) for row in rows} for rows in split.parts.values()]
    assert not targets[2] & (targets[0] | targets[1])
    train, dev, test = stories(corpus, "stance", split)
    assert not (train & test or dev & test or train & dev)
    assert len(split.test) > 400
    assert all_once(corpus, "stance", split)


def test_by_target_named_ones_are_held_out(make: Make) -> None:
    split = split_corpus(make(60), "stance", Plan(by="target", targets=("The Sanctions",)), seed=13)
    corpus = make(60)
    targets = [
        Counter(corpus.stances[row].target == "sanctions" for row in rows) for rows in split.parts.values()
    ]
    assert [set(found) for found in targets] == [{False}, {False}, {True}]
    assert all_once(corpus, "stance", split)


def test_by_target_is_for_stance_and_for_targets_that_occur(make: Make) -> None:
    corpus = make(60)
    with pytest.raises(InputError, match="for stance alone"):
        split_corpus(corpus, "topics", Plan(by="target"), seed=13)
    with pytest.raises(InputError, match="no stance has the target 'tariffs'"):
        split_corpus(corpus, "stance", Plan(by="target", targets=("tariffs",)), seed=13)


@pytest.mark.parametrize(
    ("target", "normal"),
    [
        ("The  EU's Oil-price cap", "eu s oil price cap"),
        ("a deal", "deal"),
        ("the", "the"),
        ("Aid", "aid"),
        ("…", ""),
    ],
)
def test_spellings_of_a_target(target: str, normal: str) -> None:
    assert normal_target(target) == normal


def test_as_given(make: Make) -> None:
    parts = ("train", "validation", "test")
    corpus = make(60, lambda n: {"split": parts[n // 20]})
    split = split_corpus(corpus, "topics", Plan(by="given"), seed=13)
    assert [ids(corpus, rows)[0] for rows in split.parts.values()] == ["a000", "a020", "a040"]
    assert [len(rows) for rows in split.parts.values()] == [20, 20, 20]


def test_as_given_a_story_on_two_sides_is_a_leak(make: Make) -> None:
    corpus = make(60, lambda n: {"split": ("train", "dev", "test")[n % 3]})
    with pytest.raises(LeakError, match="same_event"):
        split_corpus(corpus, "topics", Plan(by="given"), seed=13)
    split = split_corpus(corpus, "topics", Plan(by="given", allow_leaks=("same_event",)), seed=13)
    assert {leak.code for leak in split.leaks} == {"same_event"}


def test_as_given_every_article_needs_a_part(make: Make) -> None:
    corpus = make(60, lambda n: {"split": "train"} if n else {})
    with pytest.raises(InputError, match="1 of 60 have none"):
        split_corpus(corpus, "topics", Plan(by="given"), seed=13)


@pytest.mark.parametrize("task", TASKS)
def test_at_random_only_by_name(make: Make, task: Task) -> None:
    corpus = make(60)
    with pytest.raises(InputError, match="a random split leaks"):
        split_corpus(corpus, task, Plan(by="random", allow_leaks=("same_event",)), seed=13)
    split = split_corpus(corpus, task, Plan(by="random", allow_leaks=("random",)), seed=13)
    n_rows = len(truth_of(corpus, task))
    assert [len(rows) for rows in split.parts.values()] == [n_rows * 6 // 10, n_rows // 5, n_rows // 5]
    assert "same_event" in {leak.code for leak in split.leaks}


def test_one_class_or_too_few_rows_of_one_are_refused_with_counts(make: Make) -> None:
    for change, told in (
        (lambda _: {"topics": []}, "sanctions yes: rows 0, stories 0"),
        (lambda n: {"topics": ["sanctions"]}, "sanctions no: rows 0, stories 0"),
        (lambda n: {"topics": ["sanctions"] if n == 5 else []}, "sanctions yes: rows 1, stories 1"),
        (lambda n: {"topics": ["sanctions"] if n < 4 else []}, "sanctions yes: rows 4, stories 2"),
        (lambda _: {"topics": None}, "sanctions yes: rows 0, stories 0"),
    ):
        with pytest.raises(InputError, match=told):
            split_corpus(make(60, change), "topics", Plan(), seed=13)
    one = [{"sentence": "X.", "target": "t", "label": "favor"}]
    corpus = make(60, lambda n: {"text": f"X. {text_of(n)}", "stances": one})
    with pytest.raises(InputError, match="against yes: rows 0"):
        split_corpus(corpus, "stance", Plan(), seed=13)
    with pytest.raises(InputError, match="found no row with one"):
        split_corpus(make(60, lambda _: {"stances": []}), "stance", Plan(), seed=13)


def test_an_empty_part_is_refused_with_counts(make: Make) -> None:
    corpus = make(60, lambda n: {"date": f"2020-{1 + n // 5:02}-01"})
    with pytest.raises(InputError, match="wanted rows in every part, got train 0, dev 0, test 60"):
        split_corpus(corpus, "topics", Plan(by="time", test_from="2000-01-01"), seed=13)
    with pytest.raises(InputError, match="test 0"):
        split_corpus(corpus, "topics", Plan(by="time", test_from="2030-01-01"), seed=13)


def test_train_needs_every_label(make: Make) -> None:
    corpus = make(
        60,
        lambda n: {
            "split": ("train", "dev", "test")[n // 20],
            "topics": ["arms_trade", "diplomacy"][: n % 3] + (["sanctions"] if n > 30 else []),
        },
    )
    with pytest.raises(InputError, match="0 rows that hold sanctions and 20 that do not"):
        split_corpus(corpus, "topics", Plan(by="given"), seed=13)


@pytest.mark.parametrize("part", ["dev", "test"])
def test_every_label_is_labelled_in_every_part(make: Make, part: str) -> None:
    def change(number: int) -> dict[str, Any]:
        split = ("train", "dev", "test")[number // 20]
        known = {topic: bool(number >> bit & 1) for bit, topic in enumerate(TOPICS)}
        return {"split": split, "topics": known | ({"diplomacy": None} if split == part else {})}

    with pytest.raises(
        InputError, match=f"whether diplomacy holds in every part, got {part} with none in 20"
    ):
        split_corpus(make(60, change), "topics", Plan(by="given"), seed=13)


def test_few_rows_are_enough_where_every_label_has_three_stories(make: Make) -> None:
    corpus = make(24, lambda n: {"event": None})
    split = split_corpus(corpus, "topics", Plan(), seed=13)
    assert min(len(rows) for rows in split.parts.values()) >= 3


def test_a_config_is_read_by_its_names(make: Make) -> None:
    @dataclass
    class Config:
        by: str = "time"
        dev: float = 0.2
        test: float = 0.2
        dev_from: str | None = None
        test_from: str | None = "2024-01-01"
        outlets: tuple[str, ...] = ()
        targets: tuple[str, ...] = ()
        allow_leaks: tuple[str, ...] = ()
        near_duplicate_threshold: float = 0.4
        shots: int | None = None

    corpus = make(60)
    plan = Plan(by="time", test_from="2024-01-01")
    config: Any = Config()
    assert make_split(corpus, "topics", config, seed=1) == split_corpus(corpus, "topics", plan, seed=1)
    config.near_duplicate_threshold = 0.5
    with pytest.raises(ValueError, match="threshold"):
        make_split(corpus, "topics", config, seed=1)


def test_groups_are_shared_out_in_proportion() -> None:
    rng = np.random.default_rng(3)
    counts = np.hstack([np.ones((400, 1)), rng.random((400, 4)) < (0.5, 0.2, 0.1, 0.05)]).astype(float)
    parts = assign(counts, (0.7, 0.1, 0.2), seed=5)
    for part, share in enumerate((0.7, 0.1, 0.2)):
        assert counts[parts == part].sum(axis=0) / counts.sum(axis=0) == pytest.approx(
            np.full(5, share), abs=0.06
        )
    assert np.array_equal(parts, assign(counts, (0.7, 0.1, 0.2), seed=5))


def test_three_stories_with_a_label_are_one_for_each_part() -> None:
    counts = np.hstack([np.ones((60, 1)), np.arange(60)[:, None] % 20 == 7]).astype(float)
    assert sorted(assign(counts, (0.6, 0.2, 0.2), seed=5)[7::20].tolist()) == [0, 1, 2]


def test_one_huge_group_goes_where_there_is_room() -> None:
    counts = np.array([[60.0], *[[1.0]] * 40])
    parts = assign(counts, (0.6, 0.2, 0.2), seed=5)
    assert parts[0] == 0
    assert Counter(parts[1:].tolist()) == {1: 20, 2: 20}


def test_a_label_of_one_story_moves_none() -> None:
    # Nothing can give each part a story with the label; so the huge one stays where there is room.
    counts = np.array([[60.0, 1.0], *[[1.0, 0.0]] * 40])
    assert assign(counts, (0.6, 0.2, 0.2), seed=5)[0] == 0


def test_rows_of_bundled_stance_follow_their_articles() -> None:
    split = split_corpus(bundled(), "stance", Plan(by="time"), seed=13)
    newest = {group: "" for group in bundled().groups}
    for article, group in zip(bundled().articles, bundled().groups, strict=True):
        newest[group] = max(newest[group], article.date or "")
    dates = [
        [newest[bundled().groups[bundled().article_of[row]]] for row in rows] for rows in split.parts.values()
    ]
    assert max(dates[0]) < min(dates[1]) <= max(dates[1]) < min(dates[2])
