"""A few rows of each label: as many as asked for, from as many stories as there are, the same for a seed."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from stancewire.calibration import Task
from training.config_file import load_config
from training.data.shots import few_rows
from training.prepare import Corpora, Prepared, other_parts, prepare

ROOT = Path(__file__).resolve().parents[3]
NAN = np.nan


def stories(n_rows: int, size: int) -> list[str]:
    return [f"s{number // size}" for number in range(n_rows)]


def test_each_stance_gets_its_rows() -> None:
    truth = np.eye(3, dtype=np.float32)[np.arange(90) % 3]
    kept = few_rows(truth, stories(90, 9), "stance", 8, seed=1)
    assert truth[kept].sum(axis=0).tolist() == [8, 8, 8]
    assert kept.tolist() == sorted(set(kept.tolist()))


def test_a_label_with_fewer_rows_gives_all() -> None:
    truth = np.eye(2, dtype=np.float32)[[0] * 3 + [1] * 40]
    kept = few_rows(truth, stories(43, 1), "stance", 8, seed=0)
    assert kept[:3].tolist() == [0, 1, 2]
    assert truth[kept].sum(axis=0).tolist() == [3, 8]


def test_rows_of_several_topics_count_for_each_and_some_have_none() -> None:
    rare_too = np.asarray([[1, 1]] * 4 + [[1, 0]] * 30 + [[0, 0]] * 30, np.float32)
    kept = rare_too[few_rows(rare_too, stories(64, 1), "topics", 4, seed=0)]
    assert kept.sum(axis=0).tolist() == [4, 4]
    assert len(kept) == 8


def test_a_row_with_an_unlabelled_topic_is_not_without_any() -> None:
    truth = np.asarray([[1, 0], [0, 1], [0, NAN], [NAN, 0], [0, 0]], np.float32)
    assert few_rows(truth, stories(5, 1), "topics", 3, seed=0).tolist() == [0, 1, 4]


def test_stories_are_spread() -> None:
    truth = np.eye(2, dtype=np.float32)[np.arange(40) % 2]
    groups = stories(40, 8)  # five stories with four rows of each label
    for seed in range(5):
        kept = few_rows(truth, groups, "stance", 5, seed=seed)
        counts = Counter((groups[row], row % 2) for row in kept)
        assert set(counts.values()) == {1}
        more = Counter(groups[row] for row in few_rows(truth, groups, "stance", 10, seed=seed))
        assert set(more.values()) == {4}


def test_another_topic_takes_stories_that_gave_none_of_it() -> None:
    truth = np.asarray([[1, 1], [0, 1], [0, 1], [1, 0], [1, 0]], np.float32)
    groups = ["a", "a", "b", "a", "b"]
    # The row of both is taken or not; of each topic a row of either story is.
    for seed in range(8):
        kept = few_rows(truth, groups, "topics", 2, seed=seed)
        for column in truth.T:
            assert {groups[row] for row in kept if column[row]} == {"a", "b"}


def test_the_seed_draws() -> None:
    truth = np.eye(2, dtype=np.float32)[np.arange(100) % 2]
    draws = [few_rows(truth, stories(100, 2), "stance", 4, seed=seed).tolist() for seed in (0, 0, 1)]
    assert draws[0] == draws[1] != draws[2]


@cache
def prepared(task: Task) -> tuple[Prepared, Prepared]:
    """The shipped config, and the same without shots."""
    file, corpora = ROOT / f"configs/{task}-fewshot.yaml", Corpora()
    path = f"data.path={ROOT / 'data/articles.jsonl'}", f"data.codebook={ROOT / 'data/codebook.yaml'}"
    few = prepare(load_config(file, path), corpora, lambda _: None)
    return few, prepare(load_config(file, (*path, "split.shots=null")), corpora, lambda _: None)


@pytest.mark.parametrize("task", ["topics", "stance"])
def test_shots_thin_out_train_alone(task: Task) -> None:
    few, whole = prepared(task)
    assert (few.split.dev, few.split.test) == (whole.split.dev, whole.split.test)
    assert set(few.split.train) < set(whole.split.train)
    assert few.split.left_out["over split.shots"] == len(whole.split.train) - len(few.split.train)
    assert "over split.shots" not in whole.split.left_out
    held = (few.parts.train.truth == 1).sum(axis=0)
    assert held.min() == 16
    assert held.max() < 2 * 16
    assert len(few.parts.train) == len(few.split.train) < 80


def test_other_splits_are_thinned_out_too() -> None:
    few, whole = prepared("topics")
    parts, rest = other_parts(few, "random"), other_parts(whole, "random")
    assert parts is not None
    assert rest is not None
    assert len(parts.train) < 80 < len(rest.train)
    assert len(parts.test) == len(rest.test)
