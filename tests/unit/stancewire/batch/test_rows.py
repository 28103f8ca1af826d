"""Shards: where one ends depends on its rows alone, and a row survives the way to another process."""

from __future__ import annotations

from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stancewire.batch import rows
from stancewire.batch.rows import Row, Shard, shards

ROW = st.builds(
    Row,
    line=st.integers(1, 2**40),
    data=st.none() | st.binary(max_size=20),
    source=st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
    reason=st.sampled_from(["", "syntax"]),
    detail=st.sampled_from(["", "ünlesbar"]),
    copy_of=st.none() | st.integers(1, 9),
    reach=st.integers(0, 9),
)


@settings(max_examples=50)
@given(st.lists(ROW, max_size=30), st.integers(1, 8))
def test_shards_hold_every_row_once_in_order(given_rows: list[Row], most: int) -> None:
    made = list(shards(iter(given_rows), most))
    assert list(chain.from_iterable(shard.rows for shard in made)) == given_rows
    assert [shard.number for shard in made] == list(range(len(made)))
    assert all(len(shard.rows) == most for shard in made[:-1])
    assert len(made[-1].rows) <= most


def test_no_rows_make_one_empty_shard() -> None:
    assert list(shards([])) == [Shard(0, [])]


def test_long_rows_end_a_shard_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "SHARD_BYTES", 100)
    made = list(shards([Row(n, b"x" * 60) for n in range(5)], 10))
    assert [len(shard.rows) for shard in made] == [2, 2, 1]


def test_shards_are_taken_as_they_are_needed() -> None:
    taken = []
    endless = (taken.append(n) or Row(n, b"{}") for n in range(10**9))  # type: ignore[func-returns-value]
    assert next(shards(endless, 3)).rows[-1].line == 2
    assert len(taken) == 3


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**40), st.lists(ROW, max_size=5))
def test_a_shard_survives_the_way_to_another_process(number: int, given_rows: list[Row]) -> None:
    shard = Shard(number, given_rows)
    assert Shard.from_bytes(shard.to_bytes()) == shard
